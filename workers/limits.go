package workers

import (
	"context"
	"time"
)

// Limits reads what accounts may have, and what they store where that is limited. Between two runs a server counts
// what itself stores.
type Limits struct {
	Refresh func(ctx context.Context) error
}

// Run reads both.
func (l Limits) Run(ctx context.Context) error { return l.Refresh(ctx) }

// Unused deletes queues that nobody has used for so long.
type Unused struct {
	Expire func(ctx context.Context, after time.Duration, limit int) (int, error)
	After  time.Duration
	Batch  int
}

// Run deletes them, and notes what this server has used.
func (u Unused) Run(ctx context.Context) error {
	for {
		n, err := u.Expire(ctx, u.After, u.Batch)
		if err != nil || n < u.Batch {
			return err
		}
	}
}

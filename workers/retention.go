package workers

import "context"

// Retention gives back the space of messages past their retention period; receives skip those anyway.
type Retention struct {
	DeleteExpired func(ctx context.Context, limit int) (int, error) // the storage's
	Batch         int
}

// Run deletes all expired messages.
func (r Retention) Run(ctx context.Context) error { return inBatches(ctx, r.Batch, r.DeleteExpired) }

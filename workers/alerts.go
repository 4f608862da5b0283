package workers

import (
	"context"
	"errors"
)

// Alerts measures this server and evaluates the alerts, when no other server does.
type Alerts struct {
	Sample   func(ctx context.Context) error
	Evaluate func(ctx context.Context) error
}

// Run does both; what cannot be measured does not keep other alerts from being evaluated.
func (a Alerts) Run(ctx context.Context) error {
	return errors.Join(a.Sample(ctx), a.Evaluate(ctx))
}

// Notices tells people what alerts have found.
type Notices struct {
	Send func(ctx context.Context) error
}

// Run sends what is due.
func (n Notices) Run(ctx context.Context) error { return n.Send(ctx) }

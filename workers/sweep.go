package workers

import "context"

// Sweep looks for messages that receives would pass over, because word of their becoming visible
// was lost. The storage bounds the time that it takes.
type Sweep struct {
	Sweep func(ctx context.Context) error // the storage's
}

// Run sweeps once.
func (s Sweep) Run(ctx context.Context) error { return s.Sweep(ctx) }

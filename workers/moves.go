package workers

import "context"

// Moves goes on with the tasks that move dead letters away, where nobody does: the server that did may
// be gone. A server goes on by itself with the tasks that it was asked to start.
type Moves struct {
	GoOn func(ctx context.Context) error // the storage's
}

// Run does what is due.
func (m Moves) Run(ctx context.Context) error { return m.GoOn(ctx) }

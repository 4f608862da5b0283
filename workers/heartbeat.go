package workers

import "context"

// Heartbeat tells the other servers on the same database that this one is alive, and forgets
// those that are not: a lone server need not notify anybody.
type Heartbeat struct {
	Beat func(ctx context.Context) error // the storage's
}

// Run says so once.
func (h Heartbeat) Run(ctx context.Context) error { return h.Beat(ctx) }

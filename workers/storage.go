package workers

import "context"

// Storage gives back the space of purged and deleted queues, whose content nothing refers to any more.
type Storage struct {
	RemoveDropped func(ctx context.Context, limit int) (int, error) // the storage's
	Batch         int
}

// Run removes all dropped content.
func (s Storage) Run(ctx context.Context) error { return inBatches(ctx, s.Batch, s.RemoveDropped) }

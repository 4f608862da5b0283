package workers

import "context"

// DelayChanges gives messages of FIFO queues the new delays of their queues where nobody does: the server that was asked to may be gone.
type DelayChanges struct {
	Finish func(ctx context.Context, limit int) (int, error) // the storage's, of queues
	Batch  int
}

// Run finishes all of them.
func (d DelayChanges) Run(ctx context.Context) error { return inBatches(ctx, d.Batch, d.Finish) }

package workers

import "context"

// Counts folds the rows that sends and deletes append to the queues' counters, so that reading a
// counter adds up few of them. The counters are exact at any time.
type Counts struct {
	Fold  func(ctx context.Context, limit int) (int, error) // the storage's
	Batch int
}

// Run folds all there is.
func (c Counts) Run(ctx context.Context) error { return inBatches(ctx, c.Batch, c.Fold) }

package workers

import "context"

// Published removes messages that were published and that nobody waits for any more, as far as the end
// of the last delivery did not: a net, which looks at a part of them each time.
type Published struct {
	Remove func(ctx context.Context, limit int) error // the storage's
	Batch  int
}

// Run looks at one part.
func (p Published) Run(ctx context.Context) error { return p.Remove(ctx, p.Batch) }

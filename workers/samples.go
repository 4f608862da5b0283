package workers

import "context"

// Samples keeps what the server counts, for charts.
type Samples struct {
	Take func(ctx context.Context) error
}

// Run takes one sample.
func (s Samples) Run(ctx context.Context) error { return s.Take(ctx) }

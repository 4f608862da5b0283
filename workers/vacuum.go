package workers

import "context"

// Vacuum frees the space of rows that receives and deletes left behind, more often than a
// PostgreSQL whose settings are somebody else's would.
type Vacuum struct {
	Vacuum func(ctx context.Context) error // the storage's
}

// Run vacuums the tables that need it.
func (v Vacuum) Run(ctx context.Context) error { return v.Vacuum(ctx) }

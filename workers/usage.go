package workers

import "context"

// Usage writes what accounts have asked for, off the way of the requests.
type Usage struct {
	Write func(ctx context.Context) error
}

// Run writes what has gathered.
func (u Usage) Run(ctx context.Context) error { return u.Write(ctx) }

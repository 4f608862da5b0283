package workers

import (
	"context"
	"time"
)

// MessageLog writes what happened, to messages or in the control plane, off the way of the requests that did it.
type MessageLog struct {
	Flush func(ctx context.Context) error
}

// Run writes what has gathered.
func (l MessageLog) Run(ctx context.Context) error { return l.Flush(ctx) }

// LogDays makes room for the days of a log to come and drops those that are over.
type LogDays struct {
	Turn func(ctx context.Context, keep time.Duration) error
	Keep time.Duration
}

// Run turns the pages.
func (l LogDays) Run(ctx context.Context) error { return l.Turn(ctx, l.Keep) }

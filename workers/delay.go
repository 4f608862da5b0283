package workers

import "context"

// Delay wakes receives that wait, for messages that became visible without anybody saying so:
// a notification that was lost, a delay or visibility timeout that ran out. It is the slow poll
// under the notifications of the storage; where there are none, it is all there is.
type Delay struct {
	LookAhead func(ctx context.Context) error // core.Broker's
}

// Run looks once at all queues that are waited for.
func (d Delay) Run(ctx context.Context) error { return d.LookAhead(ctx) }

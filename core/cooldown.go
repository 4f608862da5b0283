package core

import (
	"context"
	"time"
)

// Cooldown is something that may not follow too soon on something else done to a queue's name.
// It belongs to the name, so it outlives the queue.
type Cooldown string

// The cooldowns, which a protocol may start and heed.
const (
	AfterDelete Cooldown = "delete" // before a queue of the name is made again
	AfterPurge  Cooldown = "purge"  // before the queue is purged again
)

// StartCooldown begins a cooldown of so long, and says false, changing nothing, where one is still
// under way.
func (b *Broker) StartCooldown(ctx context.Context, name QueueName, what Cooldown, length time.Duration) (started bool, err error) {
	if err := name.check(); err != nil {
		return false, err
	}
	return b.store.StartCooldown(ctx, name, what, length)
}

// CoolingDown says whether a cooldown is under way.
func (b *Broker) CoolingDown(ctx context.Context, name QueueName, what Cooldown) (bool, error) {
	if err := name.check(); err != nil {
		return false, err
	}
	return b.store.CoolingDown(ctx, name, what)
}

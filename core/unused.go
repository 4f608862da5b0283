package core

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// uses note which queues are used, where somebody wants to know.
type uses struct {
	on     atomic.Bool
	queues sync.Map // ids that were used since the last look
}

// NoteUses makes the Broker note which queues are sent to and received from, as ExpireUnused needs.
func (b *Broker) NoteUses() { b.uses.on.Store(true) }

// used notes that a queue was used.
func (b *Broker) used(queue *Queue) {
	if !b.uses.on.Load() {
		return
	}
	if _, noted := b.uses.queues.Load(queue.ID); !noted {
		b.uses.queues.Store(queue.ID, nil)
	}
}

// UnusedStore is the part of a Store that knows when queues were last used.
type UnusedStore interface {
	// NoteUses writes that the queues, by ID, were used, and that every queue of which nothing is known was: all
	// of them, when nobody has called it for a while.
	NoteUses(ctx context.Context, queues []int64) error
	// UnusedQueues gives queues that were last used that long ago, are empty, and that nothing refers to: no
	// subscription, no dead-letter policy and no move.
	UnusedQueues(ctx context.Context, unused time.Duration, limit int) ([]QueueName, error)
	// DeleteUnused deletes a queue if it is one of them still, and says whether it did.
	DeleteUnused(ctx context.Context, name QueueName, unused time.Duration) (bool, error)
}

// ExpireUnused deletes up to limit queues that were not used for so long, and gives how many. A queue is used
// when it is sent to, published to or received from; one that has messages, or that something refers to,
// stays however long that is ago.
func (b *Broker) ExpireUnused(ctx context.Context, unused time.Duration, limit int) (n int, err error) {
	var ids []int64
	b.uses.queues.Range(func(id, _ any) bool {
		b.uses.queues.Delete(id)
		ids = append(ids, id.(int64))
		return true
	})
	if err := b.store.NoteUses(ctx, ids); err != nil {
		for _, id := range ids {
			b.uses.queues.Store(id, nil)
		}
		return 0, fmt.Errorf("note which queues are used: %w", err)
	}
	names, err := b.store.UnusedQueues(ctx, unused, limit)
	if err != nil {
		return 0, fmt.Errorf("look for unused queues: %w", err)
	}
	for _, name := range names {
		deleted, err := b.store.DeleteUnused(ctx, name, unused)
		if err != nil {
			return n, fmt.Errorf("delete the unused queue %v: %w", name, err)
		}
		if !deleted { // somebody has come back to it
			continue
		}
		n++
		b.Audit(AuditEvent{
			ID: randomUUID(), Source: "polymq", Action: "ExpireUnusedQueue", Account: name.Account, Region: name.Region, Identity: PrincipalService,
			Resources: []string{"arn:aws:sqs:" + name.Region + ":" + name.Account + ":" + name.Name},
		})
	}
	return n, nil
}

func randomUUID() string {
	var id MessageID
	_, _ = rand.Read(id[:]) // never fails
	return id.UUID()
}

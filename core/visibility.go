package core

import (
	"context"
	"time"
)

// VisibilityChange hides the message of a handle for Timeout from now; 0 makes it visible.
type VisibilityChange struct {
	Handle  string
	Timeout time.Duration // 0 to MaxVisibilityTimeout
}

// ChangeVisibilityInput changes the visibility of messages of one queue.
type ChangeVisibilityInput struct {
	Queue    QueueName
	Changes  []VisibilityChange // at most MaxBatch
	Newest   bool               // as DeleteInput's
	Rotate   bool               // give out a new handle and make the old ones stale (MNS)
	MaxTotal time.Duration      // since the receive; 0: no limit

	DeadOnTime bool // as ReceiveInput's
}

// VisibilityResult is what became of one change.
type VisibilityResult struct {
	Handle    string // the message's newest one with Rotate, else as it was given
	VisibleAt time.Time
	Err       error
}

// ChangeVisibility changes when messages become visible again and gives a result per change,
// whose Err is as of DeleteMessages, or VisibilityTooLong. Without Newest a message that is
// visible already stays so, without an error (specs/sqs.md 6.6). The call as a whole fails with
// QueueNotFound or InvalidArgument.
func (b *Broker) ChangeVisibility(ctx context.Context, in ChangeVisibilityInput) ([]VisibilityResult, error) {
	if err := checkBatch(len(in.Changes)); err != nil {
		return nil, err
	}
	for _, c := range in.Changes {
		if c.Timeout < 0 || c.Timeout > MaxVisibilityTimeout {
			return nil, Errorf(InvalidArgument, "the visibility timeout must be 0 to %v, was %v", MaxVisibilityTimeout, c.Timeout)
		}
	}
	faults := b.inject(ctx, FaultVisibility, in.Queue.Account, in.Queue.Name)
	if err := faults.before(ctx); err != nil {
		return nil, err
	}
	var results []VisibilityResult
	err := b.withQueue(ctx, in.Queue, func(queue *Queue) (err error) {
		if results, err = b.store.ChangeVisibility(ctx, queue, in); err == nil {
			b.logVisibility(ctx, queue, in, results)
			for i := range results {
				if in.DeadOnTime && results[i].Err == nil {
					b.moveAfter(queue, []string{results[i].Handle}, in.Changes[i].Timeout)
				}
			}
		}
		return err
	})
	return results, faults.after(err)
}

func (b *Broker) logVisibility(ctx context.Context, queue *Queue, in ChangeVisibilityInput, results []VisibilityResult) {
	if !b.log.logs(queue) {
		return
	}
	handles := make([]string, len(in.Changes))
	for i := range in.Changes {
		handles[i] = in.Changes[i].Handle
	}
	b.logHandled(ctx, queue, EventVisibility, handles, func(i int, e *Event) bool {
		e.VisibleAt = results[i].VisibleAt
		if results[i].Handle != e.Handle {
			e.NewHandle = results[i].Handle
		}
		return results[i].Err == nil
	})
}

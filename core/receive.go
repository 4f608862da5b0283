package core

import (
	"context"
	"fmt"
	"time"
)

// ReceiveInput asks for messages of one queue.
type ReceiveInput struct {
	Queue             QueueName
	Limit             int            // 1 to MaxBatch
	VisibilityTimeout *time.Duration // 0 to MaxVisibilityTimeout; nil: the queue's
	Wait              *time.Duration // for a first message, 0 to MaxReceiveWait; nil: the queue's
	DeadOnTime        bool           // dead letters move when their visibility timeout ends (MNS), and not only when the next receive finds them
	Unbounded         bool           // also beyond MaxInFlight messages in flight (MNS)

	// Of FIFO queues, and without effect on others:
	AttemptID   string // a second receive with the same one within DeduplicationWindow gets the messages of the first, while they are as it left them; "": none
	OnePerGroup bool   // at most one message of a group (MNS)
}

// ReceiveMessages hands out up to in.Limit visible messages and hides them for the visibility
// timeout, waiting up to in.Wait for the first. An empty queue gives no messages and no error:
// how to say "nothing" is for each protocol to decide. When ctx ends, whoever asked is taken to
// be gone, and nothing stays received. QueueNotFound, also when the queue is deleted meanwhile,
// and InvalidArgument; InFlightLimit of a standard queue, when the receive does not wait.
func (b *Broker) ReceiveMessages(ctx context.Context, in ReceiveInput) ([]Message, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	start := time.Now()
	faults := b.inject(ctx, FaultReceive, in.Queue.Account, in.Queue.Name)
	if err := faults.before(ctx); err != nil {
		return nil, err
	}
	var messages []Message
	err := b.withQueue(ctx, in.Queue, func(queue *Queue) (err error) {
		b.used(queue)
		wait := orDefault(in.Wait, queue.ReceiveWait) - time.Since(start)
		if messages, err = b.receive(ctx, queue, in, wait); err == nil {
			b.traffic.countReceive(queue, len(messages))
			if len(messages) > 0 {
				if in.DeadOnTime {
					b.keepWorn(queue, messages, orDefault(in.VisibilityTimeout, queue.VisibilityTimeout))
				}
				b.logReceived(ctx, queue, messages)
				if b.tracer != nil {
					b.tracer.Received(ctx, queue.Name, start, messages)
				}
			}
			faults.received(ctx, queue, messages)
		}
		return err
	})
	if err == nil && len(messages) > 0 && ctx.Err() != nil {
		return nil, b.returnUnread(ctx, in.Queue, messages)
	}
	return messages, faults.after(err)
}

// returnTimeout bounds the return of messages whose receiver is gone.
const returnTimeout = 5 * time.Second

// returnUnread gives back what was received for a caller that has gone meanwhile, and says why.
func (b *Broker) returnUnread(ctx context.Context, queue QueueName, messages []Message) error {
	gone := ctx.Err()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), returnTimeout)
	defer cancel()
	if _, err := b.ReturnMessages(ctx, queue, messages); err != nil {
		return fmt.Errorf("return %d messages of a receiver that is gone: %w", len(messages), err)
	}
	return gone
}

func (in ReceiveInput) check() error {
	switch {
	case in.Limit < 1 || in.Limit > MaxBatch:
		return Errorf(InvalidArgument, "a receive asks for 1 to %d messages, this one for %d", MaxBatch, in.Limit)
	case in.VisibilityTimeout != nil && (*in.VisibilityTimeout < 0 || *in.VisibilityTimeout > MaxVisibilityTimeout):
		return Errorf(InvalidArgument, "the visibility timeout must be 0 to %v, was %v", MaxVisibilityTimeout, *in.VisibilityTimeout)
	case len(in.AttemptID) > MaxIDLength:
		return Errorf(InvalidArgument, "the id of a receive attempt has at most %d bytes", MaxIDLength)
	case in.Wait != nil && (*in.Wait < 0 || *in.Wait > MaxReceiveWait):
		return Errorf(InvalidArgument, "the receive wait must be 0 to %v, was %v", MaxReceiveWait, *in.Wait)
	}
	return nil
}

// receive looks, then waits for the next look, until there is something or the wait is over.
func (b *Broker) receive(ctx context.Context, queue *Queue, in ReceiveInput, wait time.Duration) ([]Message, error) {
	look := StoreReceive{Limit: in.Limit, Timeout: orDefault(in.VisibilityTimeout, queue.VisibilityTimeout), Unbounded: in.Unbounded}
	if queue.FIFO {
		look.AttemptID, look.OnePerGroup = in.AttemptID, in.OnePerGroup
	}
	if wait <= 0 || b.isDraining() {
		look.Exact = true
		messages, err := b.store.ReceiveMessages(ctx, queue, look)
		if queue.FIFO && CodeOf(err) == InFlightLimit {
			err = nil
		}
		return messages, err
	}
	w, first := b.lines.join(queue.ID, in.Limit) // before looking, or a message in between is missed
	defer b.lines.leave(w)
	var messages []Message
	var err error
	empty := true
	if first || look.AttemptID != "" {
		messages, err = b.store.ReceiveMessages(ctx, queue, look)
		if CodeOf(err) == InFlightLimit { // it may change while the poll waits
			empty, err = false, nil
		}
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for err == nil && len(messages) == 0 {
		if b.lines.idle(w, empty) {
			b.lookAheadSoon()
		}
		select {
		case <-w.wake:
		case <-timer.C:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-b.draining:
			return nil, nil
		}
		messages, err = b.store.ReceiveMessages(ctx, queue, look)
		empty = err == nil
		if code := CodeOf(err); code == Unavailable || code == InFlightLimit { // a long poll outlives a database that is away
			err = nil
		}
	}
	w.satisfied = len(messages) == in.Limit
	return messages, err
}

// ReturnMessages gives received messages back whose receiver is gone before it could read them:
// they are visible at once, and their receive count is what it was before. It gives an error for each that was not given back.
func (b *Broker) ReturnMessages(ctx context.Context, name QueueName, messages []Message) (results []error, err error) {
	handles := make([]string, len(messages))
	for i := range messages {
		handles[i] = messages[i].Handle
	}
	err = b.withQueue(ctx, name, func(queue *Queue) (err error) {
		if results, err = b.store.ReturnMessages(ctx, queue, handles); err == nil {
			b.logHandled(ctx, queue, EventReturned, handles, func(i int, _ *Event) bool { return results[i] == nil })
		}
		return err
	})
	return results, err
}

// PeekInput asks for messages without receiving them.
type PeekInput struct {
	Queue  QueueName
	Limit  int    // 1 to MaxBatch
	Hidden bool   // also those in flight and delayed
	After  string // the Next of the page before; "" starts
	Log    bool   // the queue's log tells of it: it is an operation of a client, and no look for a page
}

// PeekPage is one page of messages, in the order in which they would be received.
type PeekPage struct {
	Messages []Message
	Next     string // the After of the next page, "" when this is the last
}

// PeekMessages shows messages and changes nothing. QueueNotFound, InvalidArgument.
func (b *Broker) PeekMessages(ctx context.Context, in PeekInput) (PeekPage, error) {
	if in.Limit < 1 || in.Limit > MaxBatch {
		return PeekPage{}, Errorf(InvalidArgument, "a peek asks for 1 to %d messages, this one for %d", MaxBatch, in.Limit)
	}
	var page PeekPage
	err := b.withQueue(ctx, in.Queue, func(queue *Queue) (err error) {
		if page, err = b.store.PeekMessages(ctx, queue, in); err == nil && in.Log {
			b.logPeeked(ctx, queue, page.Messages)
		}
		return err
	})
	return page, err
}

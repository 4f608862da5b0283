package core

import (
	"context"
	"time"
)

// AwaitInput asks for a message of a queue without receiving it.
type AwaitInput struct {
	Queue   QueueName
	Matches func(*Message) bool
	Wait    time.Duration // 0 to MaxAwait
}

// Bounds of AwaitMessage.
const (
	MaxAwait   = 5 * time.Minute
	MaxAwaited = 10_000                 // messages that one look goes through
	awaitAgain = 250 * time.Millisecond // after which it looks again, told or not
)

// AwaitMessage gives the first message that matches, waiting up to in.Wait for one to be sent; nil when
// none was. It changes nothing: what is in flight or delayed is found too, what was deleted before it
// could be looked at is not. QueueNotFound, InvalidArgument.
func (b *Broker) AwaitMessage(ctx context.Context, in AwaitInput) (*Message, error) {
	if in.Wait < 0 || in.Wait > MaxAwait {
		return nil, Errorf(InvalidArgument, "the wait must be 0 to %v, was %v", MaxAwait, in.Wait)
	}
	queue, err := b.Queue(ctx, in.Queue)
	if err != nil {
		return nil, err
	}
	arrived := b.lines.watch(queue.ID)
	defer b.lines.unwatch(arrived)
	over := time.NewTimer(in.Wait)
	defer over.Stop()
	for {
		message, err := b.findMessage(ctx, in)
		if err != nil || message != nil {
			return message, err
		}
		select {
		case <-arrived:
		case <-time.After(awaitAgain):
		case <-over.C:
			return nil, nil
		case <-b.draining:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// findMessage looks through a queue for a message that matches.
func (b *Broker) findMessage(ctx context.Context, in AwaitInput) (*Message, error) {
	page := PeekInput{Queue: in.Queue, Limit: MaxBatch, Hidden: true}
	for looked := 0; looked < MaxAwaited; looked += MaxBatch {
		found, err := b.PeekMessages(ctx, page)
		if err != nil {
			return nil, err
		}
		for i := range found.Messages {
			if in.Matches(&found.Messages[i]) {
				return &found.Messages[i], nil
			}
		}
		if found.Next == "" {
			return nil, nil
		}
		page.After = found.Next
	}
	return nil, nil
}

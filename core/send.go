package core

import (
	"context"
	"slices"
	"time"
)

// SendInput is one call's messages to one queue.
type SendInput struct {
	Queue    QueueName
	Messages []NewMessage
}

// SendMessages stores the messages, all or none, and gives for each its id and times. The size
// limit of the queue is for the protocols to check, since each counts its own way. On a FIFO queue
// each message needs a group, and one whose deduplication id was sent within the DeduplicationWindow
// before is not stored again.
// QueueNotFound, MessageTooLong, InvalidArgument; Throttled where the account stores as much as it may.
func (b *Broker) SendMessages(ctx context.Context, in SendInput) (sent []Sent, err error) {
	if n := len(in.Messages); n < 1 || n > MaxBatch {
		return nil, Errorf(InvalidArgument, "a call sends 1 to %d messages, this one has %d", MaxBatch, n)
	}
	for i := range in.Messages {
		if err := in.Messages[i].check(); err != nil {
			return nil, err
		}
	}
	stored := 0
	if of := b.limits.of(in.Queue.Account); of != nil {
		size := in.size()
		if err := of.room(in.Queue.Account, size); err != nil {
			return nil, err
		}
		defer func() { of.settle(size, stored) }()
	}
	faults := b.inject(ctx, FaultSend, in.Queue.Account, in.Queue.Name)
	if err := faults.before(ctx); err != nil {
		return nil, err
	}
	err = b.withQueue(ctx, in.Queue, func(queue *Queue) (err error) {
		b.used(queue)
		if err := checkGroups(queue, in.Messages); err != nil {
			return err
		}
		messages := slices.Clone(in.Messages) // the caller's stay as they were
		for i := range messages {
			messages[i].Priority = max(messages[i].Priority, 0)
			if messages[i].Priority == 0 {
				messages[i].Priority = DefaultPriority
			}
			if messages[i].Delay == nil {
				messages[i].Delay = &queue.Delay
			}
		}
		messages = faults.sending(queue, messages)
		end := b.traceSend(ctx, queue.Name, messages)
		sent, err = b.store.SendMessages(ctx, queue, messages)
		if end(err); err == nil {
			stored = storedBytes(messages, sent)
			b.traffic.countSent(queue, len(sent))
			b.logSent(ctx, queue, messages, sent)
		}
		return err
	})
	if err = faults.after(err); err != nil {
		return nil, err
	}
	return sent[:len(in.Messages)], nil
}

// storedBytes gives the size of the messages that were stored, which duplicates were not.
func storedBytes(messages []NewMessage, sent []Sent) int {
	bytes := 0
	for i := range messages {
		if !sent[i].Duplicate {
			bytes += messages[i].Size()
		}
	}
	return bytes
}

// size is what the messages count together.
func (in *SendInput) size() int {
	size := 0
	for i := range in.Messages {
		size += in.Messages[i].Size()
	}
	return size
}

// DeduplicationWindow is how long a FIFO queue remembers the id of a message that was sent, whatever
// became of it, and of an attempt to receive.
const DeduplicationWindow = 5 * time.Minute

// MaxIDLength bounds the ids of groups, of deduplication and of attempts.
const MaxIDLength = 256

// checkGroups refuses messages that a FIFO queue cannot order.
func checkGroups(queue *Queue, messages []NewMessage) error {
	if !queue.FIFO {
		return nil
	}
	for i := range messages {
		if messages[i].GroupID == "" {
			return Errorf(InvalidArgument, "a message of a FIFO queue needs a message group id")
		}
	}
	return nil
}

func (m *NewMessage) check() error {
	switch {
	case m.Size() > MaxMessageBytes:
		return Errorf(MessageTooLong, "a message has at most %d bytes, this one has %d", MaxMessageBytes, m.Size())
	case m.Priority < 0 || m.Priority > MaxPriority:
		return Errorf(InvalidArgument, "the priority must be 1 to %d, was %d", MaxPriority, m.Priority)
	case len(m.GroupID) > MaxIDLength || len(m.DeduplicationID) > MaxIDLength:
		return Errorf(InvalidArgument, "the ids of a message group and of deduplication have at most %d bytes", MaxIDLength)
	case m.Delay != nil && (*m.Delay < 0 || *m.Delay > MaxDelay):
		return Errorf(InvalidArgument, "the delay must be 0 to %v, was %v", MaxDelay, *m.Delay)
	}
	return nil
}

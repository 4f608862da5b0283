package core

import (
	"context"
	"slices"
)

// SendInput is one call's messages to one queue.
type SendInput struct {
	Queue    QueueName
	Messages []NewMessage
}

// SendMessages stores the messages, all or none, and gives for each its id and times. The size
// limit of the queue is for the protocols to check, since each counts its own way.
// QueueNotFound, MessageTooLong, InvalidArgument.
func (b *Broker) SendMessages(ctx context.Context, in SendInput) ([]Sent, error) {
	if n := len(in.Messages); n < 1 || n > MaxBatch {
		return nil, Errorf(InvalidArgument, "a call sends 1 to %d messages, this one has %d", MaxBatch, n)
	}
	for i := range in.Messages {
		if err := in.Messages[i].check(); err != nil {
			return nil, err
		}
	}
	var sent []Sent
	err := b.withQueue(ctx, in.Queue, func(queue *Queue) (err error) {
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
		sent, err = b.store.SendMessages(ctx, queue, messages)
		return err
	})
	return sent, err
}

func (m *NewMessage) check() error {
	switch {
	case m.Size() > MaxMessageBytes:
		return Errorf(MessageTooLong, "a message has at most %d bytes, this one has %d", MaxMessageBytes, m.Size())
	case m.Priority < 0 || m.Priority > MaxPriority:
		return Errorf(InvalidArgument, "the priority must be 1 to %d, was %d", MaxPriority, m.Priority)
	case m.Delay != nil && (*m.Delay < 0 || *m.Delay > MaxDelay):
		return Errorf(InvalidArgument, "the delay must be 0 to %v, was %v", MaxDelay, *m.Delay)
	}
	return nil
}

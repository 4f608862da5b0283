package core

import (
	"context"
	"slices"
	"time"
)

// Tracer follows messages from who sends them to who receives them. It must not block.
type Tracer interface {
	// Send is told that messages are about to be stored, and may add to their System, by other maps only; end
	// is called when they are stored, or with why they are not.
	Send(ctx context.Context, queue QueueName, messages []NewMessage) (end func(error))
	// Publish is the same for a topic.
	Publish(ctx context.Context, topic TopicName, messages []NewPublication) (end func(error))
	// Received is told what was received since the receive began: one message or more.
	Received(ctx context.Context, queue QueueName, began time.Time, messages []Message)
}

// Trace sets the Tracer. Called once, before the first operation; without one nothing is traced, at no cost.
func (b *Broker) Trace(tracer Tracer) { b.tracer = tracer }

func untraced(error) {}

// traceSend begins to trace a send. The messages may be changed.
func (b *Broker) traceSend(ctx context.Context, queue QueueName, messages []NewMessage) (end func(error)) {
	if b.tracer == nil {
		return untraced
	}
	return b.tracer.Send(ctx, queue, messages)
}

// tracePublish begins to trace a publish, and gives the messages with what the tracer adds to them.
func (b *Broker) tracePublish(ctx context.Context, topic TopicName, messages []NewPublication) (traced []NewPublication, end func(error)) {
	if b.tracer == nil {
		return messages, untraced
	}
	traced = slices.Clone(messages) // the caller's stay as they were
	return traced, b.tracer.Publish(ctx, topic, traced)
}

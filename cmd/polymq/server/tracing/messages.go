package tracing

import (
	"context"
	"maps"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/polymq/polymq/core"
)

func notTraced(error) {}

// messaging gives the attributes of a span that is about messages.
func messaging(operation, destination string, n int) trace.SpanStartEventOption {
	return trace.WithAttributes(attribute.String("messaging.system", "polymq"), attribute.String("messaging.operation.type", operation),
		attribute.String("messaging.operation.name", operation), attribute.String("messaging.destination.name", destination),
		attribute.Int("messaging.batch.message_count", n))
}

// Send is of core.Tracer.
func (t *Tracer) Send(ctx context.Context, queue core.QueueName, messages []core.NewMessage) func(error) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return notTraced
	}
	_, span := t.tracer.Start(ctx, "send "+queue.Name, trace.WithSpanKind(trace.SpanKindProducer), messaging("send", queue.Name, len(messages)))
	for i := range messages {
		m := &messages[i]
		m.System = stamp(span, m.Attributes, m.System)
	}
	return ending(span)
}

// Publish is of core.Tracer.
func (t *Tracer) Publish(ctx context.Context, topic core.TopicName, messages []core.NewPublication) func(error) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return notTraced
	}
	_, span := t.tracer.Start(ctx, "publish "+topic.Name, trace.WithSpanKind(trace.SpanKindProducer), messaging("send", topic.Name, len(messages)))
	for i := range messages {
		m := &messages[i]
		m.System = stamp(span, m.Attributes, m.System)
	}
	return ending(span)
}

// stamp gives a message's system attributes, which tell who sent it: the span, where the message does not tell by
// itself. Otherwise the span is linked to who the message says it was.
func stamp(span trace.Span, attributes []core.Attribute, system map[string]string) map[string]string {
	if sender := senderOf(attributes, system); sender.IsValid() {
		span.AddLink(trace.Link{SpanContext: sender})
		return system
	}
	stamped := maps.Clone(system)
	if stamped == nil {
		stamped = make(map[string]string, 1)
	}
	writeW3C(span.SpanContext(), stamped)
	return stamped
}

func ending(span trace.Span) func(error) {
	return func(err error) {
		fail(span, err)
		span.End()
	}
}

// fail says of a span that what it is about failed, by the error's code: texts may hold what traces must not.
func fail(span trace.Span, err error) {
	if err != nil {
		code := string(core.CodeOf(err))
		span.SetAttributes(attribute.String("error.type", code))
		span.SetStatus(codes.Error, code)
	}
}

// Received is of core.Tracer.
func (t *Tracer) Received(ctx context.Context, queue core.QueueName, began time.Time, messages []core.Message) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return
	}
	_, span := t.tracer.Start(ctx, "receive "+queue.Name, trace.WithSpanKind(trace.SpanKindConsumer), trace.WithTimestamp(began), messaging("receive", queue.Name, len(messages)))
	for i := range messages {
		m := &messages[i]
		if sender := senderOf(m.Attributes, m.System); sender.IsValid() {
			span.AddLink(trace.Link{SpanContext: sender, Attributes: []attribute.KeyValue{attribute.String("messaging.message.id", m.ID.UUID())}})
		}
	}
	if len(messages) == 1 {
		span.SetAttributes(attribute.String("messaging.message.id", messages[0].ID.UUID()))
	}
	span.End()
}

// Pushed makes a span of an attempt to deliver, in the trace of who published.
func (t *Tracer) Pushed(o core.Outcome, took time.Duration) {
	d := o.Delivery
	sender := senderOf(d.Message.Attributes, d.Message.System)
	if !sender.IsSampled() {
		return
	}
	ended := time.Now()
	name := d.Subscription.Name.Name
	_, span := t.tracer.Start(trace.ContextWithRemoteSpanContext(context.Background(), sender), "push "+name, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithTimestamp(ended.Add(-took)), messaging("send", d.Topic.Name.Name, 1))
	span.SetAttributes(attribute.String("messaging.destination.subscription.name", name), attribute.String("messaging.message.id", d.Message.ID.UUID()),
		attribute.String("network.protocol.name", d.Subscription.Protocol), attribute.Int("polymq.attempt", d.Attempts+1))
	if o.Verdict != core.Delivered {
		span.SetStatus(codes.Error, "not delivered")
	}
	span.End(trace.WithTimestamp(ended))
}

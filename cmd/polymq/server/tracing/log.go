package tracing

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/trace"

	"github.com/polymq/polymq/core"
)

// Bounds of what waits to be exported of the message log. What does not fit is dropped, and counted; nothing waits for it.
const (
	maxWaiting = 20_000 // events
	maxAtOnce  = 1000   // of them in one request
)

// Log exports the message log as OpenTelemetry's log records.
type Log struct {
	logger   log.Logger
	records  []sdklog.Record // that the logger has made; of the one goroutine alone
	exporter sdklog.Exporter
	log      zerolog.Logger
	said     time.Time // when a failure was logged

	dropped atomic.Int64
	mu      sync.Mutex
	waiting []core.Event
	more    chan struct{} // there is something waiting
	closing chan struct{}
	closed  chan struct{}
}

// NewLog makes a Log, to be closed. The endpoint need not be there.
func NewLog(ctx context.Context, o Options) (*Log, error) {
	exporter, err := o.logExporter(ctx)
	if err != nil {
		return nil, fmt.Errorf("export the message log by OTLP: %w", err)
	}
	about, err := o.resource(ctx)
	if err != nil {
		return nil, err
	}
	l := &Log{exporter: exporter, log: o.Log, more: make(chan struct{}, 1), closing: make(chan struct{}), closed: make(chan struct{})}
	provider := sdklog.NewLoggerProvider(sdklog.WithResource(about), sdklog.WithProcessor((*keeper)(l)))
	l.logger = provider.Logger(scope, log.WithInstrumentationVersion(o.Version))
	go l.run()
	return l, nil
}

func (o Options) logExporter(ctx context.Context) (sdklog.Exporter, error) {
	if o.protocol(logsProtocolVariable) == GRPC {
		var to []otlploggrpc.Option
		if o.Endpoint != "" {
			to = append(to, otlploggrpc.WithEndpointURL(o.Endpoint))
		}
		return otlploggrpc.New(ctx, to...)
	}
	var to []otlploghttp.Option
	if o.Endpoint != "" {
		to = append(to, otlploghttp.WithEndpointURL(signalURL(o.Endpoint, "logs")))
	}
	return otlploghttp.New(ctx, to...)
}

// Export has events exported. It does not wait, and keeps none of the memory that it is given.
func (l *Log) Export(events []core.Event) {
	l.mu.Lock()
	room := min(maxWaiting-len(l.waiting), len(events))
	l.waiting = append(l.waiting, events[:room]...)
	l.mu.Unlock()
	l.dropped.Add(int64(len(events) - room))
	select {
	case l.more <- struct{}{}:
	default:
	}
}

// Dropped gives how many events were not exported: they came too fast, or nobody took them.
func (l *Log) Dropped() int64 { return l.dropped.Load() }

// Close exports what is left, until ctx ends, and stops.
func (l *Log) Close(ctx context.Context) error {
	close(l.closing)
	select {
	case <-l.closed:
	case <-ctx.Done():
	}
	return l.exporter.Shutdown(ctx) // which also ends an export that hangs
}

func (l *Log) run() {
	defer close(l.closed)
	for {
		select {
		case <-l.more:
			l.exportAll()
		case <-l.closing:
			l.exportAll()
			return
		}
	}
}

// exportAll exports until nothing waits.
func (l *Log) exportAll() {
	for {
		l.mu.Lock()
		n := min(len(l.waiting), maxAtOnce)
		events := l.waiting[:n:n]
		if l.waiting = l.waiting[n:]; len(l.waiting) == 0 {
			l.waiting = nil
		}
		l.mu.Unlock()
		if n == 0 {
			return
		}
		l.exportSome(events)
	}
}

func (l *Log) exportSome(events []core.Event) {
	l.records = l.records[:0]
	for i := range events {
		l.emit(&events[i])
	}
	ctx, cancel := context.WithTimeout(context.Background(), exportTimeout)
	defer cancel()
	err := l.exporter.Export(ctx, l.records)
	if err == nil {
		return
	}
	l.dropped.Add(int64(len(events)))
	if time.Since(l.said) > logEvery {
		l.said = time.Now()
		l.log.Warn().Err(err).Int("events", len(events)).Msg("could not export the message log; events are dropped")
	}
}

// emit makes a record of an event.
func (l *Log) emit(e *core.Event) {
	var r log.Record
	r.SetEventName("polymq.message." + string(e.Kind))
	r.SetTimestamp(e.Noted())
	r.SetObservedTimestamp(e.Noted())
	severity := log.SeverityInfo
	if e.Kind == core.EventPushFailed {
		severity = log.SeverityWarn
	}
	r.SetSeverity(severity)
	r.SetSeverityText(severity.String())
	r.SetBody(attribute.StringValue(strings.TrimSpace(string(e.Kind) + " " + e.Detail)))
	r.AddAttributes(attributesOf(e)...)
	l.logger.Emit(trace.ContextWithRemoteSpanContext(context.Background(), senderOf(e.Attributes, nil)), r)
}

// attributesOf gives what an event tells, under OpenTelemetry's names where it has them.
func attributesOf(e *core.Event) []attribute.KeyValue {
	all := []attribute.KeyValue{
		attribute.String("messaging.system", "polymq"), attribute.String("polymq.event", string(e.Kind)),
	}
	text := func(name, value string) {
		if value != "" {
			all = append(all, attribute.String(name, value))
		}
	}
	number := func(name string, value int) {
		if value != 0 {
			all = append(all, attribute.Int(name, value))
		}
	}
	if e.MessageID != (core.MessageID{}) {
		text("messaging.message.id", e.MessageID.UUID())
	}
	destination := e.Queue.Name
	if destination == "" {
		destination = e.Topic
	}
	text("messaging.destination.name", destination)
	text("messaging.destination.subscription.name", e.Subscription)
	text("polymq.account", e.Queue.Account)
	text("cloud.region", e.Queue.Region)
	text("polymq.topic", e.Topic)
	if e.Origin != (core.MessageID{}) {
		text("polymq.origin_id", e.Origin.UUID())
	}
	text("polymq.receipt_handle", e.Handle)
	text("polymq.new_receipt_handle", e.NewHandle)
	if !e.VisibleAt.IsZero() {
		text("polymq.visible_at", e.VisibleAt.UTC().Format(time.RFC3339Nano))
	}
	number("polymq.receive_count", e.ReceiveCount)
	number("polymq.attempt", e.Attempt)
	text("polymq.status", e.Status)
	if len(e.Matched) > 0 {
		all = append(all, attribute.StringSlice("polymq.matched", e.Matched))
	}
	if len(e.Filtered) > 0 {
		all = append(all, attribute.StringSlice("polymq.filtered", e.Filtered))
	}
	text("polymq.detail", e.Detail)
	text("rpc.service", e.Protocol)
	text("rpc.method", e.Action)
	text("polymq.access_key_id", e.AccessKeyID)
	if e.Address.IsValid() {
		text("client.address", e.Address.String())
	}
	text("polymq.request_id", e.RequestID)
	if e.Took > 0 {
		all = append(all, attribute.Float64("polymq.took_ms", float64(e.Took.Microseconds())/1000))
	}
	for _, a := range e.Attributes {
		if core.ValidText(a.Value) {
			text("polymq.attribute."+a.Name, string(a.Value))
		}
	}
	return all
}

// keeper is the processor that keeps what the logger makes, for the one goroutine that exports it: the library's own
// drops without a count.
type keeper Log

// OnEmit is of sdklog.Processor.
func (k *keeper) OnEmit(_ context.Context, r *sdklog.Record) error {
	k.records = append(k.records, r.Clone())
	return nil
}

// Enabled is of sdklog.Processor.
func (*keeper) Enabled(context.Context, sdklog.EnabledParameters) bool { return true }

// Shutdown is of sdklog.Processor.
func (*keeper) Shutdown(context.Context) error { return nil }

// ForceFlush is of sdklog.Processor.
func (*keeper) ForceFlush(context.Context) error { return nil }

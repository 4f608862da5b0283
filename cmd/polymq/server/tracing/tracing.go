package tracing

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/polymq/polymq/protocols/caller"
)

// Bounds of what waits to be exported. What does not fit is dropped; nothing waits for it.
const (
	maxQueued     = 4096 // spans
	maxExported   = 512  // spans at once
	exportTimeout = 10 * time.Second
	logEvery      = time.Minute // failures to export
)

// The variables that switch tracing on where no endpoint is set, off, and choose the sampler.
const (
	endpointVariable       = "OTEL_EXPORTER_OTLP_ENDPOINT"
	tracesEndpointVariable = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	logsEndpointVariable   = "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"
	protocolVariable       = "OTEL_EXPORTER_OTLP_PROTOCOL"
	tracesProtocolVariable = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
	logsProtocolVariable   = "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL"
	disabledVariable       = "OTEL_SDK_DISABLED"
	samplerVariable        = "OTEL_TRACES_SAMPLER"
)

// The protocols, as OpenTelemetry's variables call them.
const (
	HTTP = "http/protobuf"
	GRPC = "grpc"
)

// scope is who makes spans and records.
const scope = "github.com/polymq/polymq"

// Options say where spans go.
type Options struct {
	Endpoint string   // URL of a receiver of OTLP; "": as OpenTelemetry's variables say
	Protocol string   // HTTP or GRPC; "": likewise, else HTTP
	Ratio    *float64 // of the requests to trace whose sender does not say; nil, or 1: as the variables say, else all
	Version  string   // of the server
	Log      zerolog.Logger
}

// Wanted reports whether an endpoint is set, by the options or by OpenTelemetry's own variables.
func (o Options) Wanted() bool { return o.wanted(tracesEndpointVariable) }

// LogWanted is as Wanted, for the message log.
func (o Options) LogWanted() bool { return o.wanted(logsEndpointVariable) }

func (o Options) wanted(variable string) bool {
	if strings.EqualFold(os.Getenv(disabledVariable), "true") {
		return false
	}
	return o.Endpoint != "" || os.Getenv(endpointVariable) != "" || os.Getenv(variable) != ""
}

// protocol gives the one to speak; variable is that of what is exported.
func (o Options) protocol(variable string) string {
	return cmp.Or(o.Protocol, os.Getenv(variable), os.Getenv(protocolVariable), HTTP)
}

// resource describes the server.
func (o Options) resource(ctx context.Context) (*resource.Resource, error) {
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "polymq"), attribute.String("service.version", o.Version)),
		resource.WithTelemetrySDK(), resource.WithHost(), resource.WithFromEnv()) // the variables win
	if err != nil {
		return nil, fmt.Errorf("describe the server to OpenTelemetry: %w", err)
	}
	return about, nil
}

func (o Options) spanExporter(ctx context.Context) (sdktrace.SpanExporter, error) {
	if o.protocol(tracesProtocolVariable) == GRPC {
		var to []otlptracegrpc.Option
		if o.Endpoint != "" {
			to = append(to, otlptracegrpc.WithEndpointURL(o.Endpoint))
		}
		return otlptracegrpc.New(ctx, to...)
	}
	var to []otlptracehttp.Option
	if o.Endpoint != "" {
		to = append(to, otlptracehttp.WithEndpointURL(signalURL(o.Endpoint, "traces")))
	}
	return otlptracehttp.New(ctx, to...)
}

// Tracer makes spans. It is the core.Tracer, and through Answered the caller.Tracer, of a server.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// New makes a Tracer. The endpoint need not be there.
func New(ctx context.Context, o Options) (*Tracer, error) {
	exporter, err := o.spanExporter(ctx)
	if err != nil {
		return nil, fmt.Errorf("export traces by OTLP: %w", err)
	}
	about, err := o.resource(ctx)
	if err != nil {
		return nil, err
	}
	options := []sdktrace.TracerProviderOption{
		sdktrace.WithResource(about),
		sdktrace.WithBatcher(&quiet{SpanExporter: exporter, log: o.Log}, sdktrace.WithMaxQueueSize(maxQueued), sdktrace.WithMaxExportBatchSize(maxExported), sdktrace.WithExportTimeout(exportTimeout)),
	}
	if o.Ratio != nil && *o.Ratio != 1 {
		options = append(options, sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(*o.Ratio))))
	} else if os.Getenv(samplerVariable) == "" {
		options = append(options, sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.AlwaysSample())))
	}
	provider := sdktrace.NewTracerProvider(options...)
	return &Tracer{provider: provider, tracer: provider.Tracer(scope, trace.WithInstrumentationVersion(o.Version))}, nil
}

// signalURL gives the URL that traces or logs go to: endpoints are usually told without the path.
func signalURL(endpoint, signal string) string {
	endpoint = strings.TrimRight(endpoint, "/")
	for _, told := range []string{"/v1/traces", "/v1/logs"} {
		endpoint = strings.TrimSuffix(endpoint, told)
	}
	return endpoint + "/v1/" + signal
}

// Close exports what is left, until ctx ends, and stops.
func (t *Tracer) Close(ctx context.Context) error { return t.provider.Shutdown(ctx) }

// quiet logs that spans cannot be exported, but not each time.
type quiet struct {
	sdktrace.SpanExporter
	log    zerolog.Logger
	failed atomic.Int64 // when that was logged, in nanoseconds
}

func (q *quiet) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := q.SpanExporter.ExportSpans(ctx, spans)
	if last, now := q.failed.Load(), time.Now().UnixNano(); err != nil && now-last > int64(logEvery) && q.failed.CompareAndSwap(last, now) {
		q.log.Warn().Err(err).Int("spans", len(spans)).Msg("could not export traces; they are dropped")
	}
	return nil
}

// Handler makes a span of each request. What asks for no operation is not traced.
func (t *Tracer) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isOwn(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		ctx, span := t.tracer.Start(requestContext(r), r.Method, trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		if span.IsRecording() {
			span.SetAttributes(attribute.String("http.request.method", r.Method), attribute.String("url.path", r.URL.Path), attribute.String("server.address", r.Host))
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// isOwn says of a path that it is a page's, or one that machines look at all the time.
func isOwn(path string) bool {
	switch path {
	case "/metrics", "/healthz", "/readyz":
		return true
	}
	return path == "/console" || strings.HasPrefix(path, "/console/") || strings.HasPrefix(path, "/docs/") || strings.HasPrefix(path, "/_localstack/")
}

// Answered is a caller.Tracer: now it is known what a request was.
func (t *Tracer) Answered(ctx context.Context, c *caller.Caller, protocol, action, code string) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	span.SetName(protocol + " " + action)
	span.SetAttributes(attribute.String("rpc.service", protocol), attribute.String("rpc.method", action), attribute.String("polymq.request_id", c.RequestID),
		attribute.String("polymq.account", c.Account), attribute.String("cloud.region", c.Region))
	if code != "" && !c.Empty { // MNS answers an empty receive with an error
		span.SetAttributes(attribute.String("error.type", code))
		span.SetStatus(codes.Error, code)
	}
}

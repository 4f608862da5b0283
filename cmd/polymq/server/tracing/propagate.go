package tracing

import (
	"context"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/polymq/polymq/core"
)

// The names under which headers and messages tell of a trace.
const (
	traceParent   = "traceparent"
	awsHeader     = "X-Amzn-Trace-Id"
	awsAttribute  = "AWSTraceHeader"
	maxTraceState = 512
)

// w3c reads and writes traceparent and tracestate.
var w3c propagation.TraceContext

// requestContext gives the context of a request, in the trace that its headers name.
func requestContext(r *http.Request) context.Context {
	ctx := r.Context()
	if r.Header.Get(traceParent) != "" {
		return w3c.Extract(ctx, propagation.HeaderCarrier(r.Header))
	}
	if sender := readAWS(r.Header.Get(awsHeader)); sender.IsValid() {
		return trace.ContextWithRemoteSpanContext(ctx, sender)
	}
	return ctx
}

// writeW3C puts a span where a message tells of it.
func writeW3C(span trace.SpanContext, system map[string]string) {
	if len(span.TraceState().String()) > maxTraceState {
		span = span.WithTraceState(trace.TraceState{})
	}
	w3c.Inject(trace.ContextWithSpanContext(context.Background(), span), propagation.MapCarrier(system))
}

// senderOf gives the span that a message says it was sent in; one that is not valid where it says nothing.
func senderOf(attributes []core.Attribute, system map[string]string) trace.SpanContext {
	for _, a := range attributes {
		if a.Name == traceParent {
			return readW3C(propagation.MapCarrier{traceParent: string(a.Value)})
		}
	}
	if system[traceParent] != "" {
		return readW3C(propagation.MapCarrier(system))
	}
	return readAWS(system[awsAttribute])
}

func readW3C(carrier propagation.MapCarrier) trace.SpanContext {
	return trace.SpanContextFromContext(w3c.Extract(context.Background(), carrier))
}

// readAWS reads Root=1-EPOCH-ID;Parent=ID;Sampled=1, the form of X-Ray. Without a parent there is no span to name.
func readAWS(header string) trace.SpanContext {
	var config trace.SpanContextConfig
	for part := range strings.SplitSeq(header, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Root":
			if digits, ok := strings.CutPrefix(value, "1-"); ok {
				config.TraceID, _ = trace.TraceIDFromHex(strings.Replace(digits, "-", "", 1)) // else it is not valid
			}
		case "Parent":
			config.SpanID, _ = trace.SpanIDFromHex(value)
		case "Sampled":
			config.TraceFlags = config.TraceFlags.WithSampled(value == "1")
		}
	}
	config.Remote = true
	return trace.NewSpanContext(config)
}

package server

import (
	"context"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// receiver takes traces by OTLP.
type receiver struct {
	mu    sync.Mutex
	spans []*otlp.Span
}

func (rc *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var sent collector.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &sent) != nil {
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	rc.mu.Lock()
	defer rc.mu.Unlock()
	for _, resource := range sent.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			rc.spans = append(rc.spans, scope.Spans...)
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// named gives the only span of a name.
func (rc *receiver) named(t *testing.T, name string) *otlp.Span {
	t.Helper()
	rc.mu.Lock()
	defer rc.mu.Unlock()
	var found []*otlp.Span
	var names []string
	for _, span := range rc.spans {
		names = append(names, span.Name)
		if span.Name == name {
			found = append(found, span)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d spans are called %q, of %q", len(found), name, names)
	}
	return found[0]
}

// call makes a request with a header.
func call(t *testing.T, url, body, header, value string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(header, value)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= http.StatusBadRequest {
		t.Fatalf("status %d, %s, error %v", resp.StatusCode, answer, err)
	}
	return string(answer)
}

// startTraced starts a server that sends its traces to a receiver; stop makes it send the last ones.
func startTraced(t *testing.T, config Config) (srv *Server, traces *receiver, stop func()) {
	t.Helper()
	traces = &receiver{}
	to := httptest.NewServer(traces)
	t.Cleanup(to.Close)
	config.OTLPEndpoint = to.URL
	srv = start(t, config)
	return srv, traces, func() {
		t.Helper()
		if err := srv.tracer.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

const (
	sendersTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	sendersSpan  = "00f067aa0ba902b7"
)

// TestTraces sends in one trace and receives in another.
func TestTraces(t *testing.T) {
	t.Parallel()
	srv, traces, stop := startTraced(t, Config{})
	createQueue(t, srv, "orders")
	call(t, srv.URL()+"/api/v1/queues/orders/messages", `{"messages": [{"body": "hello"}]}`, "traceparent", "00-"+sendersTrace+"-"+sendersSpan+"-01")
	answer := call(t, srv.URL()+"/api/v1/queues/orders/messages:receive", `{}`, "X-Amzn-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")
	stop()
	request, send := traces.named(t, "api send-messages"), traces.named(t, "send orders")
	if got := hex.EncodeToString(request.TraceId) + hex.EncodeToString(request.ParentSpanId); got != sendersTrace+sendersSpan || request.Kind != otlp.Span_SPAN_KIND_SERVER {
		t.Errorf("the request is a %v below %s", request.Kind, got)
	}
	if hex.EncodeToString(send.TraceId) != sendersTrace || string(send.ParentSpanId) != string(request.SpanId) || send.Kind != otlp.Span_SPAN_KIND_PRODUCER {
		t.Errorf("the send is %v", send)
	}
	if want := "00-" + sendersTrace + "-" + hex.EncodeToString(send.SpanId) + "-01"; !strings.Contains(answer, want) {
		t.Errorf("no traceparent %s in %s", want, answer)
	}
	receive := traces.named(t, "receive orders")
	if got := hex.EncodeToString(receive.TraceId); got != "5759e988bd862e3fe1be46a994272793" || receive.Kind != otlp.Span_SPAN_KIND_CONSUMER {
		t.Errorf("the receive is a %v in trace %s", receive.Kind, got)
	}
	if len(receive.Links) != 1 || string(receive.Links[0].SpanId) != string(send.SpanId) {
		t.Errorf("the receive is linked to %v, not to the send", receive.Links)
	}
}

// TestTracesOfMessages has messages that say by themselves who sent them.
func TestTracesOfMessages(t *testing.T) {
	t.Parallel()
	parent := "00-" + sendersTrace + "-" + sendersSpan + "-01"
	for name, message := range map[string]string{
		"by an attribute":       `{"body": "x", "attributes": {"traceparent": {"type": "String", "value": "` + parent + `"}}}`,
		"by a system attribute": `{"body": "x", "system": {"traceparent": "` + parent + `"}}`,
		"by AWS's trace header": `{"body": "x", "system": {"AWSTraceHeader": "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=` + sendersSpan + `;Sampled=1"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, traces, stop := startTraced(t, Config{})
			createQueue(t, srv, "orders")
			call(t, srv.URL()+"/api/v1/queues/orders/messages", `{"messages": [`+message+`]}`, "X-None", "")
			call(t, srv.URL()+"/api/v1/queues/orders/messages:receive", `{}`, "X-None", "")
			stop()
			for _, span := range []*otlp.Span{traces.named(t, "send orders"), traces.named(t, "receive orders")} {
				if len(span.Links) != 1 || hex.EncodeToString(span.Links[0].TraceId)+hex.EncodeToString(span.Links[0].SpanId) != sendersTrace+sendersSpan {
					t.Errorf("%s is linked to %v", span.Name, span.Links)
				}
			}
		})
	}
}

// TestTraceRatio traces those alone whose sender says so.
func TestTraceRatio(t *testing.T) {
	t.Parallel()
	none := 0.0
	srv, traces, stop := startTraced(t, Config{TraceRatio: &none})
	createQueue(t, srv, "orders")
	url := srv.URL() + "/api/v1/queues/orders/messages"
	call(t, url, `{"messages": [{"body": "by nobody"}]}`, "X-None", "")
	call(t, url, `{"messages": [{"body": "not traced"}]}`, "traceparent", "00-"+sendersTrace+"-"+sendersSpan+"-00")
	if answer := call(t, url+":receive", `{"limit": 10}`, "X-None", ""); strings.Contains(answer, "traceparent") {
		t.Errorf("a message that is not traced has a traceparent: %s", answer)
	}
	call(t, url, `{"messages": [{"body": "traced"}]}`, "traceparent", "00-"+sendersTrace+"-"+sendersSpan+"-01")
	stop()
	traces.named(t, "send orders")
	if len(traces.spans) != 2 {
		t.Errorf("%d spans, want those of the request and the send", len(traces.spans))
	}
}

// TestTracesOfFailures tells errors, but an empty receive is none.
func TestTracesOfFailures(t *testing.T) {
	t.Parallel()
	srv, traces, stop := startTraced(t, Config{})
	resp, err := http.Get(srv.URL() + "/?Action=GetQueueUrl&QueueName=none")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	scrape(t, srv)
	stop()
	span := traces.named(t, "sqs GetQueueUrl")
	if got := span.Status.GetMessage(); got != "AWS.SimpleQueueService.NonExistentQueue" {
		t.Errorf("it ended with %q", got)
	}
	if len(traces.spans) != 1 {
		t.Errorf("the scrape was traced: %v", traces.spans)
	}
}

// TestTracesHoldNothingUp sends to a receiver that takes a connection and never answers.
func TestTracesHoldNothingUp(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(hanging.Close)
	t.Cleanup(func() { close(release) })
	srv := start(t, Config{OTLPEndpoint: hanging.URL})
	createQueue(t, srv, "orders")
	for range 50 {
		call(t, srv.URL()+"/api/v1/queues/orders/messages", `{"messages": [{"body": "hello"}]}`, "X-None", "")
	}
	ctx, cancel := context.WithTimeout(t.Context(), traceGrace+stopTimeout)
	defer cancel()
	began := time.Now()
	if err := srv.Stop(ctx); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > traceGrace+stopTimeout {
		t.Errorf("the stop took %v", took)
	}
}

// TestTracesOfPushes finds an attempt in the trace of who published.
func TestTracesOfPushes(t *testing.T) {
	t.Parallel()
	srv, traces, _ := startTraced(t, Config{})
	pushed := make(chan http.Header, 1)
	endpoint := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { pushed <- r.Header }))
	t.Cleanup(endpoint.Close)
	call(t, srv.URL()+"/api/v1/topics", `{"name": "alerts"}`, "X-None", "")
	call(t, srv.URL()+"/api/v1/topics/alerts/subscriptions", `{"name": "hook", "url": "`+endpoint.URL+`"}`, "X-None", "")
	call(t, srv.URL()+"/api/v1/topics/alerts/messages", `{"messages": [{"body": "disk full"}]}`, "traceparent", "00-"+sendersTrace+"-"+sendersSpan+"-01")
	select {
	case header := <-pushed:
		if header.Get("traceparent") != "" {
			t.Error("the push tells of the trace")
		}
	case <-time.After(pushPatience):
		t.Fatal("no push came")
	}
	if err := srv.Stop(t.Context()); err != nil { // which waits for the attempt
		t.Fatal(err)
	}
	publish, push := traces.named(t, "publish alerts"), traces.named(t, "push hook")
	if string(push.TraceId) != string(publish.TraceId) || string(push.ParentSpanId) != string(publish.SpanId) || hex.EncodeToString(publish.TraceId) != sendersTrace {
		t.Errorf("the push is %v, the publish %v", push, publish)
	}
	if push.Kind != otlp.Span_SPAN_KIND_CLIENT || push.EndTimeUnixNano < push.StartTimeUnixNano {
		t.Errorf("the push is a %v from %d to %d", push.Kind, push.StartTimeUnixNano, push.EndTimeUnixNano)
	}
}

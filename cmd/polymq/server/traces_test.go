package server

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	logsCollector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	logs "go.opentelemetry.io/proto/otlp/logs/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// receiver takes traces and logs by OTLP, over HTTP.
type receiver struct {
	mu      sync.Mutex
	spans   []*otlp.Span
	records []*logs.LogRecord
}

func (rc *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/x-protobuf")
	if r.URL.Path == "/v1/logs" {
		var sent logsCollector.ExportLogsServiceRequest
		if proto.Unmarshal(body, &sent) != nil {
			http.Error(w, "no logs", http.StatusBadRequest)
			return
		}
		rc.keepLogs(&sent)
		return
	}
	var sent collector.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &sent) != nil {
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	rc.keepSpans(&sent)
}

func (rc *receiver) keepSpans(sent *collector.ExportTraceServiceRequest) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	for _, resource := range sent.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			rc.spans = append(rc.spans, scope.Spans...)
		}
	}
}

func (rc *receiver) keepLogs(sent *logsCollector.ExportLogsServiceRequest) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	for _, resource := range sent.ResourceLogs {
		for _, scope := range resource.ScopeLogs {
			rc.records = append(rc.records, scope.LogRecords...)
		}
	}
}

// logged gives how many records of the log have come.
func (rc *receiver) logged() int {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	return len(rc.records)
}

// grpcTraces and grpcLogs take them over gRPC.
type grpcTraces struct {
	collector.UnimplementedTraceServiceServer
	to *receiver
}

func (g grpcTraces) Export(_ context.Context, sent *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	g.to.keepSpans(sent)
	return &collector.ExportTraceServiceResponse{}, nil
}

type grpcLogs struct {
	logsCollector.UnimplementedLogsServiceServer
	to *receiver
}

func (g grpcLogs) Export(_ context.Context, sent *logsCollector.ExportLogsServiceRequest) (*logsCollector.ExportLogsServiceResponse, error) {
	g.to.keepLogs(sent)
	return &logsCollector.ExportLogsServiceResponse{}, nil
}

// TestTelemetryOverBothProtocols sends traces and the message log to a receiver of HTTP, and to one of gRPC.
func TestTelemetryOverBothProtocols(t *testing.T) {
	t.Parallel()
	for protocol, begin := range map[string]func(*testing.T, *receiver) (url string){
		"http/protobuf": func(t *testing.T, to *receiver) string {
			t.Helper()
			server := httptest.NewServer(to)
			t.Cleanup(server.Close)
			return server.URL
		},
		"grpc": func(t *testing.T, to *receiver) string {
			t.Helper()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			server := grpc.NewServer()
			collector.RegisterTraceServiceServer(server, grpcTraces{to: to})
			logsCollector.RegisterLogsServiceServer(server, grpcLogs{to: to})
			go func() { _ = server.Serve(listener) }()
			t.Cleanup(server.Stop)
			return "http://" + listener.Addr().String()
		},
	} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			to := &receiver{}
			srv := start(t, Config{OTLPEndpoint: begin(t, to), OTLPProtocol: protocol, MessageLog: "all", MessageLogOTLP: true})
			createQueue(t, srv, "orders")
			call(t, srv.URL()+"/api/v1/queues/orders/messages", `{"messages": [{"body": "a needle", "attributes": {"traceparent": {"type": "String", "value": "00-`+sendersTrace+"-"+sendersSpan+`-01"}}}]}`, "X-None", "")
			call(t, srv.URL()+"/api/v1/queues/orders/messages:receive", `{}`, "X-None", "")
			if err := errors.Join(srv.broker.FlushLog(t.Context()), srv.tracer.Close(t.Context())); err != nil {
				t.Fatal(err)
			}
			to.named(t, "send orders")
			eventually(t, "the log is not exported", func() bool { return to.logged() >= 2 })
			if len(to.records) != 2 {
				t.Fatalf("got %d records: %v", len(to.records), to.records)
			}
			to.mu.Lock()
			defer to.mu.Unlock()
			if told := fmt.Sprint(to.records, to.spans); !strings.Contains(told, "send orders") || strings.Contains(told, "needle") {
				t.Errorf("what a message says is exported: %s", told)
			}
			sent, received := to.records[0], to.records[1]
			if sent.EventName != "polymq.message.sent" || hex.EncodeToString(sent.TraceId) != sendersTrace || sent.TimeUnixNano == 0 || sent.TimeUnixNano > received.TimeUnixNano {
				t.Errorf("sent: %v", sent)
			}
			told := map[string]string{}
			for _, a := range received.Attributes {
				told[a.Key] = a.Value.GetStringValue()
			}
			if received.EventName != "polymq.message.received" || told["messaging.destination.name"] != "orders" || told["rpc.method"] != "receive-messages" ||
				told["client.address"] != "127.0.0.1" || told["polymq.receipt_handle"] == "" || told["messaging.message.id"] == "" {
				t.Errorf("received: %v", received)
			}
		})
	}
}

// TestLogExportCountsWhatIsDropped exports to a receiver that refuses all: what it has not taken is counted.
func TestLogExportCountsWhatIsDropped(t *testing.T) {
	t.Parallel()
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }))
	t.Cleanup(refusing.Close)
	srv := start(t, Config{OTLPEndpoint: refusing.URL, MessageLog: "all", MessageLogOTLP: true})
	createQueue(t, srv, "orders")
	for range 5 {
		call(t, srv.URL()+"/api/v1/queues/orders/messages", `{"messages": [{"body": "hello"}]}`, "X-None", "")
	}
	if err := srv.broker.FlushLog(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what is dropped is not counted", func() bool {
		return strings.Contains(scrape(t, srv), "\npolymq_message_log_export_dropped_total 5\n")
	})
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
	resp, err := httpClient.Do(r)
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
	resp, err := httpClient.Get(srv.URL() + "/?Action=GetQueueUrl&QueueName=none")
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
	srv, traces, stop := startTraced(t, Config{})
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
	untilAttempted(t, srv)
	stop()
	publish, push := traces.named(t, "publish alerts"), traces.named(t, "push hook")
	if string(push.TraceId) != string(publish.TraceId) || string(push.ParentSpanId) != string(publish.SpanId) || hex.EncodeToString(publish.TraceId) != sendersTrace {
		t.Errorf("the push is %v, the publish %v", push, publish)
	}
	if push.Kind != otlp.Span_SPAN_KIND_CLIENT || push.EndTimeUnixNano < push.StartTimeUnixNano {
		t.Errorf("the push is a %v from %d to %d", push.Kind, push.StartTimeUnixNano, push.EndTimeUnixNano)
	}
}

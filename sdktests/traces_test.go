package sdktests

import (
	"bytes"
	"context"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/pg/pgtest"
)

// spans takes a server's traces.
type spans struct {
	mu  sync.Mutex
	all []*otlp.Span
}

func (s *spans) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var sent collector.ExportTraceServiceRequest
	if err != nil || proto.Unmarshal(body, &sent) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, resource := range sent.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			s.all = append(s.all, scope.Spans...)
		}
	}
}

// named gives the one span of a name.
func (s *spans) named(t *testing.T, name string) *otlp.Span {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []*otlp.Span
	for _, span := range s.all {
		if span.Name == name {
			found = append(found, span)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d spans are called %q", len(found), name)
	}
	return found[0]
}

// startTraced gives a server that is traced; stop ends it, and gives its spans.
func startTraced(t *testing.T) (p polymq, stop func() *spans) {
	t.Helper()
	taken := &spans{}
	endpoint := httptest.NewServer(taken)
	t.Cleanup(endpoint.Close)
	srv, err := server.Start(t.Context(), server.Config{
		Listen: []string{"127.0.0.1:0"}, DatabaseURL: pgtest.DatabaseURL(t), LogLevel: "error", OTLPEndpoint: endpoint.URL,
	})
	if err != nil {
		t.Fatal(err)
	}
	end := sync.OnceValue(func() error { return srv.Stop(context.Background()) })
	t.Cleanup(func() { _ = end() })
	return polymq{srv.URL(), accessKey}, func() *spans {
		t.Helper()
		if err := end(); err != nil {
			t.Fatal(err)
		}
		return taken
	}
}

// headers has a client's requests tell of the span that they are made in, as instrumented clients' do, or of another one in X-Ray's form.
type headers struct{ xRay bool }

const xRayTrace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"

func (h headers) Do(r *http.Request) (*http.Response, error) {
	if h.xRay {
		r.Header.Set("X-Amzn-Trace-Id", xRayTrace)
	} else {
		propagation.TraceContext{}.Inject(r.Context(), propagation.HeaderCarrier(r.Header))
	}
	return httpClient.Do(r)
}

// A journey is a way of a message from one client to another.
type journey struct {
	p    polymq
	ctx  context.Context // in the sender's span
	http headers
	url  string // of the queue orders
}

func (j *journey) sqs() *sqs.Client {
	return j.p.sqs(func(o *sqs.Options) { o.HTTPClient = j.http })
}

func (j *journey) sendSQS(t *testing.T, in sqs.SendMessageInput) {
	t.Helper()
	in.QueueUrl, in.MessageBody = &j.url, aws.String("hello")
	if _, err := j.sqs().SendMessage(j.ctx, &in); err != nil {
		t.Fatal(err)
	}
}

// attribute is what OpenTelemetry's instrumentation of SQS puts into a message.
func (j *journey) attribute() string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(j.ctx, carrier)
	return carrier["traceparent"]
}

func (j *journey) publishSNS(t *testing.T, in sns.PublishInput, subscription map[string]string) {
	t.Helper()
	news := topic(t, j.p.sns(), "news", nil)
	subscribedQueue(t, j.p, news, "orders", subscription)
	client := sns.New(j.p.sns().Options(), func(o *sns.Options) { o.HTTPClient = j.http })
	in.TopicArn, in.Message = news, aws.String("hello")
	if _, err := client.Publish(j.ctx, &in); err != nil {
		t.Fatal(err)
	}
}

// mns makes a request of MNS's.
func (j *journey) mns(ctx context.Context, t *testing.T, method, path, body string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, j.p.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("x-mns-version", "2015-06-06")
	resp, err := j.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		t.Fatalf("%s %s: %s %s %v", method, path, resp.Status, answer, err)
	}
	return answer
}

func (j *journey) sendMNS(t *testing.T, properties string) {
	t.Helper()
	j.mns(j.ctx, t, "POST", "/queues/orders/messages", `<Message xmlns="http://mns.aliyuncs.com/doc/v1"><MessageBody>hello</MessageBody>`+properties+`</Message>`)
}

// receiveSQS gives what a receiver reads of the trace.
func (j *journey) receiveSQS(t *testing.T) map[string]string {
	t.Helper()
	got := receive(t, j.p.sqs(), j.url, func(in *sqs.ReceiveMessageInput) {
		in.MessageAttributeNames, in.MessageSystemAttributeNames = []string{"All"}, []types.MessageSystemAttributeName{"All"}
	})
	if len(got) != 1 {
		t.Fatalf("received %d messages", len(got))
	}
	told := map[string]string{"AWSTraceHeader": got[0].Attributes["AWSTraceHeader"]}
	if a, ok := got[0].MessageAttributes["traceparent"]; ok {
		told["traceparent"] = *a.StringValue
	}
	return told
}

func (j *journey) receiveMNS(t *testing.T) map[string]string {
	t.Helper()
	var message struct {
		Properties []struct{ Name, Value string } `xml:"SystemProperties>SystemPropertyValue"`
	}
	if err := xml.Unmarshal(j.mns(context.Background(), t, "GET", "/queues/orders/messages", ""), &message); err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, p := range message.Properties {
		told[p.Name] = p.Value
	}
	return told
}

// TestTracesGoFromSenderToReceiver sends messages in a trace, and looks for it where they are received.
func TestTracesGoFromSenderToReceiver(t *testing.T) {
	t.Parallel()
	none := func(*testing.T, map[string]string) {}
	readable := func(t *testing.T, told map[string]string) { // a receiver's instrumentation finds the sender
		t.Helper()
		if !trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier(told))).IsValid() {
			t.Errorf("the receiver is told %v", told)
		}
	}
	xRay := func(t *testing.T, told map[string]string) {
		t.Helper()
		if told["AWSTraceHeader"] != xRayTrace {
			t.Errorf("the receiver is told %v", told)
		}
	}
	for name, tt := range map[string]struct {
		http    headers
		send    func(*journey, *testing.T)
		receive func(*journey, *testing.T) map[string]string
		check   func(*testing.T, map[string]string)
	}{
		"SQS to SQS, by the request's header": {headers{}, func(j *journey, t *testing.T) { j.sendSQS(t, sqs.SendMessageInput{}) }, (*journey).receiveSQS, none},
		"SQS to MNS, by the request's header": {headers{}, func(j *journey, t *testing.T) { j.sendSQS(t, sqs.SendMessageInput{}) }, (*journey).receiveMNS, readable},
		"SQS to SQS, by an attribute": {headers{}, func(j *journey, t *testing.T) {
			j.sendSQS(t, sqs.SendMessageInput{MessageAttributes: map[string]types.MessageAttributeValue{"traceparent": {DataType: aws.String("String"), StringValue: aws.String(j.attribute())}}})
		}, (*journey).receiveSQS, readable},
		"SQS to SQS, by X-Ray's header": {headers{xRay: true}, func(j *journey, t *testing.T) { j.sendSQS(t, sqs.SendMessageInput{}) }, (*journey).receiveSQS, xRay},
		"SQS to SQS, by AWSTraceHeader": {headers{}, func(j *journey, t *testing.T) {
			j.sendSQS(t, sqs.SendMessageInput{MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String(xRayTrace)}}})
		}, (*journey).receiveSQS, xRay},
		"MNS to SQS, by the request's header": {headers{}, func(j *journey, t *testing.T) { j.sendMNS(t, "") }, (*journey).receiveSQS, none},
		"MNS to MNS, by a system property": {headers{}, func(j *journey, t *testing.T) {
			j.sendMNS(t, `<SystemProperties><SystemPropertyValue><Name>traceparent</Name><Value>`+j.attribute()+`</Value><Type>STRING</Type></SystemPropertyValue></SystemProperties>`)
		}, (*journey).receiveMNS, readable},
		"SNS to SQS, by the request's header": {headers{}, func(j *journey, t *testing.T) { j.publishSNS(t, sns.PublishInput{}, nil) }, (*journey).receiveSQS, none},
		"SNS to MNS, by the request's header": {headers{}, func(j *journey, t *testing.T) { j.publishSNS(t, sns.PublishInput{}, nil) }, (*journey).receiveMNS, readable},
		"SNS to SQS, by an attribute": {headers{}, func(j *journey, t *testing.T) {
			j.publishSNS(t, sns.PublishInput{MessageAttributes: map[string]snstypes.MessageAttributeValue{"traceparent": {DataType: aws.String("String"), StringValue: aws.String(j.attribute())}}}, map[string]string{"RawMessageDelivery": "true"})
		}, (*journey).receiveSQS, readable},
		"SNS to SQS, by X-Ray's header": {headers{xRay: true}, func(j *journey, t *testing.T) { j.publishSNS(t, sns.PublishInput{}, nil) }, (*journey).receiveSQS, xRay},
		"MNS's topic to MNS": {headers{}, func(j *journey, t *testing.T) {
			j.mns(context.Background(), t, "PUT", "/topics/news", `<Topic xmlns="http://mns.aliyuncs.com/doc/v1"/>`)
			j.mns(context.Background(), t, "PUT", "/topics/news/subscriptions/s", `<Subscription xmlns="http://mns.aliyuncs.com/doc/v1"><Endpoint>acs:mns:us-east-1:000000000000:queues/orders</Endpoint></Subscription>`)
			j.mns(j.ctx, t, "POST", "/topics/news/messages", `<Message xmlns="http://mns.aliyuncs.com/doc/v1"><MessageBody>hello</MessageBody></Message>`)
		}, (*journey).receiveMNS, readable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, stop := startTraced(t)
			queue, err := p.sqs().CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("orders")})
			if err != nil {
				t.Fatal(err)
			}
			ctx, span := sdktrace.NewTracerProvider().Tracer("shop").Start(t.Context(), "checkout")
			j := &journey{p, ctx, tt.http, *queue.QueueUrl}
			tt.send(j, t)
			span.End()
			told := tt.receive(j, t)
			tt.check(t, told)
			want := span.SpanContext().TraceID().String()
			if told["AWSTraceHeader"] != "" {
				want = "5759e988bd862e3fe1be46a994272793"
			}
			if parent := told["traceparent"]; parent != "" && !strings.Contains(parent, want) {
				t.Errorf("the receiver is told %s of the trace %s", parent, want)
			}
			received := stop().named(t, "receive orders")
			if len(received.Links) != 1 || trace.TraceID(received.Links[0].TraceId).String() != want {
				t.Errorf("the receive is linked to %v, not to the trace %s", received.Links, want)
			}
		})
	}
}

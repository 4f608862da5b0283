package sdktests

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/pg/pgtest"
)

// sns gives a client of the AWS SDK. An error shows at once: it does not try again.
func (p polymq) sns() *sns.Client {
	return sns.New(sns.Options{
		BaseEndpoint: aws.String(p.url), Region: "us-east-1", Retryer: aws.NopRetryer{}, HTTPClient: httpClient,
		Credentials: credentials.NewStaticCredentialsProvider(p.accessKey, "test", ""),
	})
}

// startBehindTLS gives a server whose messages name the certificate under an https address, as
// validators of signatures demand. The front stands for the DNS entry and the proxy of the recipe.
func startBehindTLS(t *testing.T) (polymq, *httptest.Server) {
	t.Helper()
	var backend atomic.Pointer[url.URL]
	front := httptest.NewTLSServer(&httputil.ReverseProxy{Transport: ownTransport(), Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(backend.Load()) }})
	t.Cleanup(front.Close)
	p := startWithCertHost(t, front.Listener.Addr().String())
	to, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	backend.Store(to)
	return p, front
}

// startWithCertHost gives a server whose messages name the certificate at that host.
func startWithCertHost(t *testing.T, host string) polymq {
	t.Helper()
	srv, err := server.Start(t.Context(), server.Config{
		Listen: []string{"127.0.0.1:0"}, DatabaseURL: pgtest.DatabaseURL(t), LogLevel: "error", TestMode: true, SNSCertHost: host,
	})
	if err != nil {
		t.Fatalf("start the server: %v", err)
	}
	t.Cleanup(func() {
		if err := srv.Stop(context.Background()); err != nil {
			t.Errorf("stop the server: %v", err)
		}
	})
	return polymq{srv.URL(), accessKey}
}

// snsPrograms check SNS with the SDKs of other languages, and signatures with those languages' validators.
var snsPrograms = []program{
	pythonProgram("python", "requirements.txt", []string{"sns"}),
	nodeProgram("node", []string{"sns"}),
}

func TestSNSPrograms(t *testing.T) {
	t.Parallel()
	srv, front := startBehindTLS(t)
	authority := filepath.Join(t.TempDir(), "authority.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range snsPrograms {
		t.Run(p.name, func(t *testing.T) {
			if !p.available(t) {
				t.SkipNow() // not to count as passed
			}
			p.env = []string{"NODE_EXTRA_CA_CERTS=" + authority, "SSL_CERT_FILE=" + authority}
			p.check(t, srv)
		})
	}
}

// The message manager of Java's SDK accepts certificates of SNS's own host only.
func TestSNSJava(t *testing.T) {
	t.Parallel()
	p := snsProgram()
	if !p.available(t) {
		t.SkipNow() // not to count as passed
	}
	p.check(t, startWithCertHost(t, "sns.{region}.amazonaws.com"))
}

func topic(t *testing.T, client *sns.Client, name string, attributes map[string]string) *string {
	t.Helper()
	out, err := client.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: &name, Attributes: attributes})
	if err != nil {
		t.Fatalf("create the topic: %v", err)
	}
	return out.TopicArn
}

// subscribedQueue makes a queue, subscribes it, and gives its URL.
func subscribedQueue(t *testing.T, p polymq, topic *string, name string, attributes map[string]string) string {
	t.Helper()
	settings := map[string]string{}
	if strings.HasSuffix(name, ".fifo") {
		settings["FifoQueue"] = "true"
	}
	queue, err := p.sqs().CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: settings})
	if err != nil {
		t.Fatalf("create the queue: %v", err)
	}
	_, err = p.sns().Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: topic, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:us-east-1:000000000000:" + name), Attributes: attributes,
	})
	if err != nil {
		t.Fatalf("subscribe: %v", err)
	}
	return *queue.QueueUrl
}

func publish(t *testing.T, client *sns.Client, in *sns.PublishInput) *sns.PublishOutput {
	t.Helper()
	out, err := client.Publish(t.Context(), in)
	if err != nil {
		t.Fatalf("publish: %v", err)
	}
	return out
}

func TestSNSPublishToQueues(t *testing.T) {
	t.Parallel()
	p := start(t)
	client := p.sns()
	orders := topic(t, client, "orders", nil)
	wrapped := subscribedQueue(t, p, orders, "wrapped", nil)
	raw := subscribedQueue(t, p, orders, "raw", map[string]string{"RawMessageDelivery": "true"})
	filtered := subscribedQueue(t, p, orders, "filtered", map[string]string{"FilterPolicy": `{"kind":["refund"]}`})
	for _, text := range texts {
		out := publish(t, client, &sns.PublishInput{TopicArn: orders, Message: &text, MessageAttributes: map[string]types.MessageAttributeValue{
			"kind": {DataType: aws.String("String"), StringValue: aws.String("order")},
		}})
		got := receive(t, p.sqs(), raw, func(in *sqs.ReceiveMessageInput) { in.MessageAttributeNames = []string{"All"} })
		if len(got) != 1 || *got[0].Body != text || *got[0].MessageAttributes["kind"].StringValue != "order" {
			t.Errorf("raw: got %+v, want %q", got, text)
		}
		got = receive(t, p.sqs(), wrapped)
		var envelope struct{ Type, MessageId, Message string }
		if len(got) != 1 || json.Unmarshal([]byte(*got[0].Body), &envelope) != nil || envelope.Message != text || envelope.MessageId != *out.MessageId {
			t.Errorf("wrapped: got %+v, want %q", got, text)
		}
	}
	if got := receive(t, p.sqs(), filtered); len(got) > 0 {
		t.Errorf("the filter let through %v", got)
	}
}

func TestSNSPublishBatchInOrder(t *testing.T) {
	t.Parallel()
	p := start(t)
	client := p.sns()
	orders := topic(t, client, "orders.fifo", map[string]string{"FifoTopic": "true", "ContentBasedDeduplication": "true"})
	queue := subscribedQueue(t, p, orders, "orders.fifo", map[string]string{"RawMessageDelivery": "true"})
	var entries []types.PublishBatchRequestEntry
	var want []string
	for i := range 10 {
		id := fmt.Sprintf("m%d", i)
		want = append(want, id)
		entries = append(entries, types.PublishBatchRequestEntry{Id: &id, Message: &id, MessageGroupId: aws.String("g")})
	}
	out, err := client.PublishBatch(t.Context(), &sns.PublishBatchInput{TopicArn: orders, PublishBatchRequestEntries: entries})
	if err != nil || len(out.Successful) != 10 || len(out.Failed) != 0 {
		t.Fatalf("got %+v and %v", out, err)
	}
	publish(t, client, &sns.PublishInput{TopicArn: orders, Message: aws.String("m3"), MessageGroupId: aws.String("g")}) // a duplicate
	var got []string
	for _, message := range receive(t, p.sqs(), queue, upTo(10)) {
		got = append(got, *message.Body)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSNSErrorsHaveTheirTypes(t *testing.T) {
	t.Parallel()
	client := start(t).sns()
	missing := aws.String("arn:aws:sns:us-east-1:000000000000:none")
	_, err := client.Publish(t.Context(), &sns.PublishInput{TopicArn: missing, Message: aws.String("x")})
	if notFound := (*types.NotFoundException)(nil); !errors.As(err, &notFound) {
		t.Errorf("got %v, want NotFoundException", err)
	}
	_, err = client.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("a b")})
	if invalid := (*types.InvalidParameterException)(nil); !errors.As(err, &invalid) {
		t.Errorf("got %v, want InvalidParameterException", err)
	}
	orders := topic(t, client, "orders", nil)
	_, err = client.Publish(t.Context(), &sns.PublishInput{TopicArn: orders, Message: aws.String("x"), MessageAttributes: map[string]types.MessageAttributeValue{
		"a": {DataType: aws.String("Date"), StringValue: aws.String("x")},
	}})
	if invalid := (*types.InvalidParameterValueException)(nil); !errors.As(err, &invalid) {
		t.Errorf("got %v, want InvalidParameterValueException", err)
	}
}

// receiver is an HTTP endpoint that verifies what it gets and confirms its subscription.
type receiver struct {
	*httptest.Server
	messages chan map[string]string
}

func newReceiver(t *testing.T, certificates *http.Client) *receiver {
	t.Helper()
	r := &receiver{messages: make(chan map[string]string, 16)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		var message map[string]string
		if err == nil {
			err = json.Unmarshal(body, &message)
		}
		if err == nil {
			err = verified(certificates, message)
		}
		if err == nil && message["Type"] != req.Header.Get("x-amz-sns-message-type") {
			err = fmt.Errorf("the header says %s", req.Header.Get("x-amz-sns-message-type"))
		}
		if err != nil {
			message = map[string]string{"fault": err.Error()}
		}
		r.messages <- message
	}))
	t.Cleanup(r.Close)
	return r
}

// next gives the next message that the endpoint got.
func (r *receiver) next(t *testing.T) map[string]string {
	t.Helper()
	select {
	case message := <-r.messages:
		if fault := message["fault"]; fault != "" {
			t.Fatal(fault)
		}
		return message
	case <-time.After(time.Minute):
		t.Fatal("the endpoint got nothing")
		return nil
	}
}

// verified checks a message's signature by the certificate that it names.
func verified(certificates *http.Client, message map[string]string) error {
	resp, err := certificates.Get(message["SigningCertURL"])
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	served, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s, %w", message["SigningCertURL"], resp.Status, err)
	}
	block, _ := pem.Decode(served)
	if block == nil {
		return fmt.Errorf("no certificate at %s: %s", message["SigningCertURL"], served)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	var signed strings.Builder
	for _, name := range []string{"Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"} {
		if value, there := message[name]; there {
			signed.WriteString(name + "\n" + value + "\n")
		}
	}
	signature, err := base64.StdEncoding.DecodeString(message["Signature"])
	if err != nil {
		return err
	}
	key, text := certificate.PublicKey.(*rsa.PublicKey), []byte(signed.String())
	if message["SignatureVersion"] == "1" {
		digest := sha1.Sum(text)
		return rsa.VerifyPKCS1v15(key, crypto.SHA1, digest[:], signature)
	}
	digest := sha256.Sum256(text)
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature)
}

// An endpoint confirms, gets what is published, and ends its subscription, all by the links in messages.
func TestSNSHTTPEndpoint(t *testing.T) {
	t.Parallel()
	p, front := startBehindTLS(t)
	for _, version := range []string{"1", "2"} {
		t.Run("signature version "+version, func(t *testing.T) { testSNSHTTPEndpoint(t, p.sns(), front.Client(), version) })
	}
}

func testSNSHTTPEndpoint(t *testing.T, client *sns.Client, certificates *http.Client, version string) {
	orders := topic(t, client, "orders-"+version, map[string]string{"SignatureVersion": version})
	endpoint := newReceiver(t, certificates)
	out, err := client.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: orders, Protocol: aws.String("http"), Endpoint: &endpoint.URL})
	if err != nil || *out.SubscriptionArn != "pending confirmation" {
		t.Fatalf("got %+v and %v", out, err)
	}
	follow := func(link string) {
		t.Helper()
		resp, err := httpClient.Get(link)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", link, resp.Status)
		}
	}
	asked := endpoint.next(t)
	if asked["Type"] != "SubscriptionConfirmation" || asked["SignatureVersion"] != version {
		t.Fatalf("got %v", asked)
	}
	follow(asked["SubscribeURL"])
	sent := publish(t, client, &sns.PublishInput{TopicArn: orders, Message: aws.String(texts["unicode"]), Subject: aws.String("About")})
	got := endpoint.next(t)
	if got["Type"] != "Notification" || got["Message"] != texts["unicode"] || got["Subject"] != "About" || got["MessageId"] != *sent.MessageId || got["SignatureVersion"] != version {
		t.Errorf("got %v", got)
	}
	got["Message"] = "another"
	if verified(certificates, got) == nil {
		t.Error("what was changed is verified")
	}
	follow(got["UnsubscribeURL"])
	if got := endpoint.next(t); got["Type"] != "UnsubscribeConfirmation" {
		t.Errorf("got %v", got)
	}
}

// A queue of MNS can be subscribed to a topic of SNS, and reads the text as it was published.
func TestSNSPublishToMNSQueue(t *testing.T) {
	t.Parallel()
	p := start(t)
	queue := p.mnsQueue(t, "orders")
	orders := topic(t, p.sns(), "orders", nil)
	_, err := p.sns().Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: orders, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:us-east-1:000000000000:orders"),
		Attributes: map[string]string{"RawMessageDelivery": "true"},
	})
	if err != nil {
		t.Fatalf("subscribe: %v", err)
	}
	publish(t, p.sns(), &sns.PublishInput{TopicArn: orders, Message: aws.String(texts["unicode"])})
	if got := mnsReceived(t, queue); got.MessageBody != texts["unicode"] {
		t.Errorf("got %q, want %q", got.MessageBody, texts["unicode"])
	}
}

// What an endpoint does not take goes to the dead-letter queue once its retries are over, however
// long that takes.
func TestSNSHTTPEndpointDown(t *testing.T) {
	t.Parallel()
	p := start(t)
	client := p.sns()
	orders := topic(t, client, "orders", nil)
	dead := subscribedQueue(t, p, orders, "dead", map[string]string{"FilterPolicy": `{"never":["x"]}`})
	var down atomic.Bool
	links, attempts := make(chan string, 4), make(chan struct{}, 64)
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			attempts <- struct{}{}
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var message struct{ SubscribeURL string }
		if err := json.NewDecoder(r.Body).Decode(&message); err == nil {
			links <- message.SubscribeURL
		}
	}))
	t.Cleanup(endpoint.Close)
	_, err := client.Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: orders, Protocol: aws.String("http"), Endpoint: &endpoint.URL, Attributes: map[string]string{
			"RawMessageDelivery": "true", "RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead"}`,
			"DeliveryPolicy": `{"healthyRetryPolicy":{"numRetries":2,"minDelayTarget":600,"maxDelayTarget":600}}`,
		},
	})
	if err != nil {
		t.Fatalf("subscribe: %v", err)
	}
	resp, err := httpClient.Get(<-links)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	down.Store(true)
	publish(t, client, &sns.PublishInput{TopicArn: orders, Message: aws.String("hello")})
	deadline := time.After(time.Minute)
	for made := 0; made < 3; {
		select {
		case <-attempts:
			made++
		case <-time.After(200 * time.Millisecond): // an attempt is written down after it was made
			p.advance(t, 10*time.Minute)
		case <-deadline:
			t.Fatalf("%d attempts were made, want 3", made)
		}
	}
	got := receive(t, p.sqs(), dead, waiting(20))
	if len(got) != 1 || *got[0].Body != "hello" {
		t.Errorf("the dead-letter queue has %+v", got)
	}
}

package sdktests

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/aliyun-mns-go-sdk"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// mnsTopic creates a topic with MNS's defaults.
func (p polymq) mnsTopic(t *testing.T, name string) ali_mns.AliMNSTopic {
	t.Helper()
	client := p.mns(accessKey)
	if err := ali_mns.NewMNSTopicManager(client).CreateSimpleTopic(name); err != nil {
		t.Fatalf("create topic %s: %v", name, err)
	}
	return ali_mns.NewMNSTopic(name, client)
}

func mnsSubscribe(t *testing.T, topic ali_mns.AliMNSTopic, name string, request ali_mns.MessageSubsribeRequest) {
	t.Helper()
	if err := topic.Subscribe(name, request); err != nil {
		t.Fatalf("subscribe %s: %v", name, err)
	}
}

func mnsPublish(t *testing.T, topic ali_mns.AliMNSTopic, body, tag string) ali_mns.MessageSendResponse {
	t.Helper()
	out, err := topic.PublishMessage(ali_mns.MessagePublishRequest{MessageBody: body, MessageTag: tag})
	if err != nil {
		t.Fatalf("publish: %v", err)
	}
	return out
}

func TestMNSTopics(t *testing.T) {
	t.Parallel()
	srv := start(t)
	manager := ali_mns.NewMNSTopicManager(srv.mns(accessKey))
	for _, name := range []string{"news-1", "news-2", "other"} {
		if err := manager.CreateTopic(name, 2048, true); err != nil {
			t.Fatalf("create %s: %v", name, err)
		}
	}
	wantMNS(t, manager.CreateTopic("other", 2048, true), ali_mns.ERR_MNS_TOPIC_ALREADY_EXIST_AND_HAVE_SAME_ATTR)
	wantMNS(t, manager.CreateTopic("other", 2049, true), ali_mns.ERR_MNS_TOPIC_ALREADY_EXIST)
	wantMNS(t, manager.CreateSimpleTopic("-other"), ali_mns.ERR_MNS_INVALID_TOPIC_NAME)
	if err := manager.SetTopicAttributes("other", 4096, false); err != nil {
		t.Fatalf("set attributes: %v", err)
	}
	got, err := manager.GetTopicAttributes("other")
	if err != nil || got.TopicName != "other" || got.MaxMessageSize != 4096 || got.MessageRetentionPeriod != 86400 || got.LoggingEnabled {
		t.Errorf("got %+v, %v", got, err)
	}
	list, err := manager.ListTopicDetail("", 10, "news-")
	if err != nil || len(list.Attrs) != 2 || list.Attrs[0].TopicName != "news-1" {
		t.Errorf("got %+v, %v", list, err)
	}
	if err := manager.DeleteTopic("other"); err != nil {
		t.Fatalf("delete: %v", err)
	}
	_, err = manager.GetTopicAttributes("other")
	wantMNS(t, err, ali_mns.ERR_MNS_TOPIC_NOT_EXIST)
}

func TestMNSSubscriptions(t *testing.T) {
	t.Parallel()
	topic := start(t).mnsTopic(t, "news")
	request := ali_mns.MessageSubsribeRequest{Endpoint: "http://example.com/a?b=c", FilterTag: "red", NotifyContentFormat: ali_mns.SIMPLIFIED}
	mnsSubscribe(t, topic, "all", request)
	wantMNS(t, topic.Subscribe("all", request), ali_mns.ERR_MNS_SUBSCRIPTION_ALREADY_EXIST_AND_HAVE_SAME_ATTR)
	wantMNS(t, topic.Subscribe("other", ali_mns.MessageSubsribeRequest{Endpoint: "ftp://example.com"}), ali_mns.ERR_MNS_INVALID_ENDPOINT)
	request.FilterTag = "blue"
	wantMNS(t, topic.Subscribe("all", request), ali_mns.ERR_MNS_SUBSCRIPTION_ALREADY_EXIST)
	if err := topic.SetSubscriptionAttributes("all", ali_mns.EXPONENTIAL_DECAY_RETRY); err != nil {
		t.Fatalf("set attributes: %v", err)
	}
	got, err := topic.GetSubscriptionAttributes("all")
	if err != nil || got.Endpoint != "http://example.com/a?b=c" || got.FilterTag != "red" || got.NotifyStrategy != ali_mns.EXPONENTIAL_DECAY_RETRY ||
		got.NotifyContentFormat != ali_mns.SIMPLIFIED || got.TopicName != "news" || got.SubscriptionName != "all" {
		t.Errorf("got %+v, %v", got, err)
	}
	list, err := topic.ListSubscriptionDetailByTopic("", 10, "a")
	if err != nil || len(list.Attrs) != 1 || list.Attrs[0].SubscriptionName != "all" {
		t.Errorf("got %+v, %v", list, err)
	}
	if err := topic.Unsubscribe("all"); err != nil {
		t.Fatalf("unsubscribe: %v", err)
	}
	_, err = topic.GetSubscriptionAttributes("all")
	if err == nil || !strings.Contains(err.Error(), "SubscriptionNotExist") { // a code that this SDK has no error of its own for
		t.Errorf("get attributes of what is gone: got %v", err)
	}
}

// The SDK composes the queue's endpoint itself.
func TestMNSPublishToQueues(t *testing.T) {
	t.Parallel()
	srv := start(t)
	topic := srv.mnsTopic(t, "news")
	all, red := srv.mnsQueue(t, "all"), srv.mnsQueue(t, "red")
	mnsSubscribe(t, topic, "all", ali_mns.MessageSubsribeRequest{Endpoint: topic.GenerateQueueEndpoint("all"), NotifyContentFormat: ali_mns.XML})
	mnsSubscribe(t, topic, "red", ali_mns.MessageSubsribeRequest{Endpoint: topic.GenerateQueueEndpoint("red"), FilterTag: "red", NotifyContentFormat: ali_mns.SIMPLIFIED})
	mnsPublish(t, topic, "untagged", "")
	published := mnsPublish(t, topic, "hello <&>", "red")
	if got := mnsReceived(t, red).MessageBody; got != "hello <&>" {
		t.Errorf("the queue of the tag has %q", got)
	}
	_, err := mnsReceive(red)
	wantMNS(t, err, ali_mns.ERR_MNS_MESSAGE_NOT_EXIST)
	first, second := mnsReceived(t, all).MessageBody, mnsReceived(t, all).MessageBody
	if !strings.Contains(first+second, "<Message>hello &lt;&amp;&gt;</Message>") || !strings.Contains(first+second, "<MessageId>"+published.MessageId+"</MessageId>") {
		t.Errorf("the queue of all has %s and %s", first, second)
	}
}

// pushes is an HTTP endpoint that verifies what is pushed to it, as the manual has it.
type pushes struct {
	url    string
	bodies chan string
}

// receivePushes answers the first pushes with the statuses, and all later ones with 204.
func receivePushes(t *testing.T, statuses ...int) pushes {
	t.Helper()
	p := pushes{bodies: make(chan string, 100)}
	seen := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read a push: %v", err)
		}
		if err := verifyPush(r); err != nil {
			t.Errorf("verify a push: %v", err)
		}
		status := http.StatusNoContent
		if seen < len(statuses) {
			status = statuses[seen]
		}
		seen++
		w.WriteHeader(status)
		p.bodies <- fmt.Sprintf("%d %s", status, body)
	}))
	t.Cleanup(server.Close)
	p.url = server.URL + "/notify?a=b"
	return p
}

// verifyPush does what the manual tells receivers to do, with the certificate that the push names.
func verifyPush(r *http.Request) error {
	lines := []string{r.Method, r.Header.Get("Content-Md5"), r.Header.Get("Content-Type"), r.Header.Get("Date")}
	var own []string
	for name, values := range r.Header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-mns-") {
			own = append(own, lower+":"+values[0])
		}
	}
	slices.Sort(own)
	text := strings.Join(append(append(lines, own...), r.URL.RequestURI()), "\n")
	address, err := base64.StdEncoding.DecodeString(r.Header.Get("x-mns-signing-cert-url"))
	if err != nil {
		return fmt.Errorf("decode the certificate's URL: %w", err)
	}
	resp, err := httpClient.Get(string(address))
	if err != nil {
		return fmt.Errorf("fetch the certificate: %w", err)
	}
	defer resp.Body.Close()
	served, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("fetch the certificate: status %d, %w", resp.StatusCode, err)
	}
	block, _ := pem.Decode(served)
	if block == nil {
		return fmt.Errorf("the certificate is no PEM: %s", served)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return fmt.Errorf("read the certificate: %w", err)
	}
	signature, err := base64.StdEncoding.DecodeString(r.Header.Get("Authorization"))
	if err != nil {
		return fmt.Errorf("decode the signature: %w", err)
	}
	digest := sha1.Sum([]byte(text))
	return rsa.VerifyPKCS1v15(certificate.PublicKey.(*rsa.PublicKey), crypto.SHA1, digest[:], signature)
}

func TestMNSPushes(t *testing.T) {
	t.Parallel()
	srv := start(t)
	topic, endpoint := srv.mnsTopic(t, "news"), receivePushes(t)
	mnsSubscribe(t, topic, "all", ali_mns.MessageSubsribeRequest{Endpoint: endpoint.url, NotifyContentFormat: ali_mns.SIMPLIFIED})
	mnsPublish(t, topic, "hello", "red")
	if got := within(t, endpoint.bodies, "the push"); got != "204 hello" {
		t.Errorf("got %s", got)
	}
}

// The SDK verifies pushes in an example, a program: that is what checks one here, fed with what an endpoint got.
func TestMNSPushesPassTheVerificationOfTheSDK(t *testing.T) {
	t.Parallel()
	verify := sdksVerification(t)
	got := make(chan pushRequest, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers := map[string]string{}
		for name, values := range r.Header {
			headers[strings.ToLower(name)] = values[0]
		}
		w.WriteHeader(http.StatusNoContent)
		got <- pushRequest{r.Method, r.URL.RequestURI(), headers}
	}))
	t.Cleanup(server.Close)
	topic := start(t).mnsTopic(t, "news")
	for _, format := range []ali_mns.NotifyContentFormatType{ali_mns.XML, ali_mns.SIMPLIFIED, "JSON"} {
		mnsSubscribe(t, topic, strings.ToLower(string(format)), ali_mns.MessageSubsribeRequest{Endpoint: server.URL + "/notify?a=b", NotifyContentFormat: format, FilterTag: string(format)})
		mnsPublish(t, topic, "hello <&>", string(format))
		pushed := within(t, got, "the push")
		if !verify(pushed) {
			t.Errorf("%s: the SDK refuses %+v", format, pushed)
		}
		pushed.Headers["x-mns-message-tag"] = "another"
		if verify(pushed) {
			t.Errorf("%s: the SDK verifies what was changed", format)
		}
	}
}

// pushRequest is a push as the SDK's example wants it, with names in lower case.
type pushRequest struct {
	Method, Path string
	Headers      map[string]string
}

// sdksVerification builds the SDK's example into a program that says whether a push is genuine.
func sdksVerification(t *testing.T) func(pushRequest) bool {
	t.Helper()
	module, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aliyun/aliyun-mns-go-sdk").Output()
	if err != nil {
		t.Fatalf("find the SDK: %v", err)
	}
	example, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(module)), "example", "http_authorization.go"))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, source := range map[string]string{
		"go.mod":     "module verification\n\ngo 1.24\n",
		"example.go": strings.Replace(string(example), "func main()", "func example()", 1),
		"main.go": `package main

import (
	"encoding/json"
	"os"
)

func main() {
	var push struct {
		Method, Path string
		Headers      map[string]string
	}
	if err := json.NewDecoder(os.Stdin).Decode(&push); err != nil || !authenticateWithHeaderMap(push.Method, push.Path, push.Headers) {
		os.Exit(1)
	}
}
`,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := runIn(folder, []string{"go", "build", "-o", "verification", "."}); err != nil {
		t.Fatal(err)
	}
	return func(p pushRequest) bool {
		t.Helper()
		document, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		command := exec.CommandContext(t.Context(), filepath.Join(folder, "verification"))
		command.Stdin = bytes.NewReader(document)
		output, err := command.CombinedOutput()
		if refused := (*exec.ExitError)(nil); err != nil && !errors.As(err, &refused) {
			t.Fatalf("%v: %s", err, output)
		}
		return err == nil
	}
}

// What the endpoint does not take is pushed again by the subscription's schedule.
func TestMNSPushesAreTriedAgain(t *testing.T) {
	t.Parallel()
	srv := start(t)
	topic, endpoint := srv.mnsTopic(t, "news"), receivePushes(t, http.StatusInternalServerError, http.StatusFound, http.StatusBadRequest)
	mnsSubscribe(t, topic, "all", ali_mns.MessageSubsribeRequest{Endpoint: endpoint.url, NotifyContentFormat: ali_mns.SIMPLIFIED, NotifyStrategy: ali_mns.BACKOFF_RETRY})
	mnsPublish(t, topic, "hello", "")
	if got := within(t, endpoint.bodies, "the push"); got != "500 hello" {
		t.Errorf("got %s", got)
	}
	for _, want := range []string{"302 hello", "400 hello", "204 hello"} {
		if got := pushAfter(t, srv, endpoint, 20*time.Second); got != want { // the longest of the schedule's delays
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// pushAfter moves time until there is another push. Once may not be enough: what has become of the push before may
// not be written down yet, and the delay begins then.
func pushAfter(t *testing.T, srv polymq, endpoint pushes, delay time.Duration) string {
	t.Helper()
	for range 20 {
		srv.advance(t, delay)
		select {
		case got := <-endpoint.bodies:
			return got
		case <-time.After(time.Second):
		}
	}
	t.Error("there is no other push")
	return ""
}

// A queue of MNS subscribed to a topic of SNS, and a queue of SQS to one of MNS: each topic's own form.
func TestCrossTopics(t *testing.T) {
	t.Parallel()
	srv := start(t)
	client := sns.New(sns.Options{
		BaseEndpoint: aws.String(srv.url), Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider(accessKey, "test", ""), Retryer: aws.NopRetryer{},
	})
	made, err := client.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("from-sns")})
	if err != nil {
		t.Fatalf("create topic: %v", err)
	}
	queue := srv.mnsQueue(t, "of-mns")
	_, err = client.Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: made.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:us-east-1:000000000000:of-mns"),
		Attributes: map[string]string{"RawMessageDelivery": "true"},
	})
	if err != nil {
		t.Fatalf("subscribe: %v", err)
	}
	if _, err := client.Publish(t.Context(), &sns.PublishInput{TopicArn: made.TopicArn, Message: aws.String("hello of SNS")}); err != nil {
		t.Fatalf("publish: %v", err)
	}
	if got := mnsReceived(t, queue, 5).MessageBody; got != "hello of SNS" {
		t.Errorf("MNS's queue has %q", got)
	}

	url := createQueue(t, srv.sqs(), "of-sqs")
	topic := ali_mns.NewMNSTopic("from-sns", srv.mns(accessKey)) // the same topic, by MNS
	mnsSubscribe(t, topic, "to-sqs", ali_mns.MessageSubsribeRequest{Endpoint: topic.GenerateQueueEndpoint("of-sqs"), NotifyContentFormat: ali_mns.SIMPLIFIED})
	mnsPublish(t, topic, "hello of MNS", "")
	if got := receive(t, srv.sqs(), url); len(got) != 1 || *got[0].Body != "hello of MNS" {
		t.Errorf("SQS's queue has %+v", got)
	}
	if got := mnsReceived(t, queue, 5).MessageBody; got != "hello of MNS" {
		t.Errorf("SNS's subscriber has %q of MNS's publish", got)
	}
}

// A subscription's filter is in the language of whoever made it: the other protocol neither shows nor changes it.
func TestCrossFilters(t *testing.T) {
	t.Parallel()
	srv := start(t)
	client := sns.New(sns.Options{
		BaseEndpoint: aws.String(srv.url), Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider(accessKey, "test", ""), Retryer: aws.NopRetryer{},
	})
	made, err := client.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("filtered")})
	if err != nil {
		t.Fatalf("create topic: %v", err)
	}
	policyOf := func(arn string) (string, bool) {
		got, err := client.GetSubscriptionAttributes(t.Context(), &sns.GetSubscriptionAttributesInput{SubscriptionArn: aws.String(arn)})
		if err != nil {
			t.Fatalf("get subscription attributes: %v", err)
		}
		policy, ok := got.Attributes["FilterPolicy"]
		return policy, ok
	}
	byMNS := func(method, name, document string, want int) string {
		status, answer, err := speak(strings.TrimPrefix(srv.url, "http://"), method+" /topics/filtered/subscriptions/"+name+"\n\n"+document)
		if err != nil || status != want {
			t.Errorf("%s %s %s: got %d %v, want %d:\n%s", method, name, document, status, err, want, answer)
		}
		return answer
	}

	const policy = `{"a":["b"]}`
	ofSNS, err := client.Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: made.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:us-east-1:000000000000:any"),
		Attributes: map[string]string{"FilterPolicy": policy},
	})
	if err != nil {
		t.Fatalf("subscribe: %v", err)
	}
	change := (*ofSNS.SubscriptionArn)[strings.LastIndexByte(*ofSNS.SubscriptionArn, ':')+1:] + "?metaoverride=true"
	byMNS("PUT", change, "<Subscription><FilterTag>red</FilterTag></Subscription>", 400)
	byMNS("PUT", change, `<Subscription><FilterTag>{"a":["c"]}</FilterTag></Subscription>`, 400)
	byMNS("PUT", change, "<Subscription><FilterTag></FilterTag><NotifyStrategy>BACKOFF_RETRY</NotifyStrategy></Subscription>", 204) // as it was shown
	if got, _ := policyOf(*ofSNS.SubscriptionArn); got != policy {
		t.Errorf("SNS's subscription has the policy %q", got)
	}

	byMNS("PUT", "tagged", "<Subscription><Endpoint>acs:mns:0:127:queues/any</Endpoint><FilterTag>red</FilterTag></Subscription>", 201)
	tagged := *made.TopicArn + ":tagged"
	if got, ok := policyOf(tagged); ok {
		t.Errorf("MNS's subscription has the policy %q", got)
	}
	for name, value := range map[string]string{"FilterPolicy": policy, "FilterPolicyScope": "MessageBody"} {
		_, err := client.SetSubscriptionAttributes(t.Context(), &sns.SetSubscriptionAttributesInput{SubscriptionArn: aws.String(tagged), AttributeName: aws.String(name), AttributeValue: aws.String(value)})
		var refused *types.InvalidParameterException
		if !errors.As(err, &refused) {
			t.Errorf("%s of MNS's subscription: got %v", name, err)
		}
	}
	if answer := byMNS("GET", "tagged", "", 200); !strings.Contains(answer, "<FilterTag>red</FilterTag>") {
		t.Errorf("MNS's subscription has another tag:\n%s", answer)
	}
}

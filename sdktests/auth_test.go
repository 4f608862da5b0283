package sdktests

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aliyun/aliyun-mns-go-sdk"
	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

// Keys that the tests of signatures use.
const (
	rootKey, rootSecret = "AKIDROOT", "rootSecret+/=0123456789"
	testMasterKey       = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
)

// verifying is a server that verifies signatures.
type verifying struct {
	polymq
	server *server.Server
	log    *syncBuffer
}

// syncBuffer is written by a server and read by a test.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// startVerifying starts such a server on a database, "" for one of its own.
func startVerifying(t *testing.T, databaseURL string) *verifying {
	t.Helper()
	if databaseURL == "" {
		databaseURL = pgtest.DatabaseURL(t)
	}
	log := new(syncBuffer)
	srv, err := server.Start(t.Context(), server.Config{
		Listen: []string{"127.0.0.1:0"}, DatabaseURL: databaseURL, LogLevel: "trace", LogFormat: "json", LogOutput: log,
		TestMode: true, Auth: "verify", MasterKey: testMasterKey, AdminKey: rootKey + ":" + rootSecret,
	})
	if err != nil {
		t.Fatalf("start the server: %v", err)
	}
	t.Cleanup(func() { _ = srv.Stop(context.Background()) })
	return &verifying{polymq{srv.URL(), rootKey}, srv, log}
}

// key makes an access key.
func (v *verifying) key(t *testing.T, in core.NewKey) core.Key {
	t.Helper()
	key, err := v.server.Broker().CreateKey(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// with makes a client of SQS's sign with that key.
func with(id, secret, token string) func(*sqs.Options) {
	return func(o *sqs.Options) { o.Credentials = credentials.NewStaticCredentialsProvider(id, secret, token) }
}

var asRoot = with(rootKey, rootSecret, "")

// through makes a client's requests pass a function on their way.
func through(change func(*http.Request)) func(*sqs.Options) {
	return func(o *sqs.Options) { o.HTTPClient = changing(change) }
}

type changing func(*http.Request)

func (change changing) Do(r *http.Request) (*http.Response, error) {
	change(r)
	return httpClient.Do(r)
}

func errorCode(err error) string {
	var known smithy.APIError
	if errors.As(err, &known) {
		return known.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func TestSQSVerifiesSignatures(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	url := createQueue(t, v.sqs(asRoot), "orders")
	disabled := v.key(t, core.NewKey{Account: "000000000000"})
	if _, err := v.server.Broker().DisableKey(t.Context(), disabled.ID, true); err != nil {
		t.Fatal(err)
	}
	setBody := func(body string) func(*http.Request) {
		return func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
			r.Header.Set("Content-Length", fmt.Sprint(len(body)))
		}
	}
	tests := map[string]struct {
		as   func(*sqs.Options)
		way  func(*http.Request)
		want string
	}{
		"signed":             {asRoot, nil, ""},
		"a wrong secret":     {with(rootKey, "wrong", ""), nil, "SignatureDoesNotMatch"},
		"an unknown key":     {with("AKIDNONE", "wrong", ""), nil, "InvalidClientTokenId"},
		"an account as key":  {with("111122223333", "test", ""), nil, "InvalidClientTokenId"},
		"a disabled key":     {with(disabled.ID, string(disabled.Secret), ""), nil, "InvalidClientTokenId"},
		"a token too many":   {with(rootKey, rootSecret, "token"), nil, "InvalidClientTokenId"},
		"body changed":       {asRoot, setBody(`{"QueueUrl":"orders","MessageBody":"changed"}`), "SignatureDoesNotMatch"},
		"operation changed":  {asRoot, func(r *http.Request) { r.Header.Set("X-Amz-Target", "AmazonSQS.PurgeQueue") }, "SignatureDoesNotMatch"},
		"signature stripped": {asRoot, func(r *http.Request) { r.Header.Del("Authorization") }, "MissingAuthenticationToken"},
		"scope changed": {asRoot, func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "us-east-1", "eu-west-1", 1))
		}, "SignatureDoesNotMatch"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			options := []func(*sqs.Options){tt.as}
			if tt.way != nil {
				options = append(options, through(tt.way))
			}
			_, err := v.sqs(options...).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("hello")})
			if got := errorCode(err); got != tt.want {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
		})
	}
	if received := bodiesIn(t, v.sqs(asRoot), url, 10); len(received) != 1 {
		t.Errorf("%d messages were stored, want the one that was signed", len(received))
	}
}

// bodiesIn receives what there is.
func bodiesIn(t *testing.T, client *sqs.Client, url string, limit int32) []string {
	t.Helper()
	out, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: limit})
	if err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, m := range out.Messages {
		bodies = append(bodies, *m.Body)
	}
	return bodies
}

// A request that was recorded is good for a quarter of an hour, and only as it was.
func TestSQSRefusesOldSignatures(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	tests := map[string]struct {
		age  time.Duration
		body string // "": as it was signed
		want int
		code string
	}{
		"now":                {0, "", 200, ""},
		"a little old":       {14 * time.Minute, "", 200, ""},
		"too old":            {16 * time.Minute, "", 403, "InvalidSignatureException"},
		"from the future":    {-16 * time.Minute, "", 403, "InvalidSignatureException"},
		"with another body":  {0, `{"QueueNamePrefix":"a"}`, 403, "InvalidSignatureException"},
		"with no body":       {0, " ", 403, "InvalidSignatureException"},
		"with half the body": {0, `{`, 403, "InvalidSignatureException"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			const body = `{}`
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, v.url+"/", nil)
			r.Header.Set("X-Amz-Target", "AmazonSQS.ListQueues")
			r.Header.Set("Content-Type", "application/x-amz-json-1.0")
			sum := sha256.Sum256([]byte(body))
			err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: rootKey, SecretAccessKey: rootSecret}, r, hex.EncodeToString(sum[:]),
				"sqs", "us-east-1", time.Now().Add(-tt.age))
			if err != nil {
				t.Fatal(err)
			}
			sent := tt.body
			if sent == "" {
				sent = body
			}
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(sent)), int64(len(sent))
			response, err := httpClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			answer, _ := io.ReadAll(response.Body)
			if response.StatusCode != tt.want || !strings.Contains(string(answer), tt.code) {
				t.Errorf("got %d %s, want %d %s", response.StatusCode, answer, tt.want, tt.code)
			}
		})
	}
}

// Each protocol refuses who does not say who it is in its own words, and does nothing.
func TestUnsignedRequestsAreRefused(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	const form = "application/x-www-form-urlencoded"
	tests := map[string]struct {
		method, path, body string
		header             []string
		status             int
		want               string
	}{
		"SQS, JSON":        {"POST", "/", `{"QueueName":"q"}`, []string{"X-Amz-Target", "AmazonSQS.CreateQueue"}, 403, `"__type":"com.amazon.coral.service#MissingAuthenticationTokenException"`},
		"SQS, query":       {"POST", "/", "Action=CreateQueue&QueueName=q", []string{"Content-Type", form}, 403, "<Code>MissingAuthenticationToken</Code>"},
		"SQS, a link":      {"GET", "/?Action=CreateQueue&QueueName=q", "", nil, 403, "<Code>MissingAuthenticationToken</Code>"},
		"SQS, signature 2": {"GET", "/?Action=CreateQueue&QueueName=q&AWSAccessKeyId=" + rootKey + "&SignatureVersion=2&Signature=x", "", nil, 403, "<Code>InvalidSecurity</Code>"},
		"SQS, its form":    {"POST", "/", "Action=CreateQueue&QueueName=q&AWSAccessKeyId=" + rootKey + "&SignatureVersion=2&Signature=x", []string{"Content-Type", form}, 403, "<Code>InvalidSecurity</Code>"},
		"STS":              {"POST", "/", "Action=GetCallerIdentity&Version=2011-06-15", []string{"Content-Type", form}, 403, "<Code>MissingAuthenticationToken</Code>"},
		"SNS":              {"POST", "/", "Action=CreateTopic&Name=t&Version=2010-03-31", []string{"Content-Type", form}, 403, "<Code>MissingAuthenticationToken</Code>"},
		"SMQ":              {"POST", "/?Action=CreateQueue&Version=2022-01-19&QueueName=q&SignatureMethod=HMAC-SHA1", "", nil, 400, `"Code":"MissingAccessKeyId"`},
		"MNS":              {"PUT", "/queues/q", "<Queue/>", []string{"x-mns-version", "2015-06-06"}, 400, "<Code>MissingAuthorizationHeader</Code>"},
		"MNS, no version":  {"GET", "/queues", "", nil, 400, "<Code>MissingAuthorizationHeader</Code>"},
		"JSON API":         {"POST", "/api/v1/queues", `{"name":"q"}`, nil, 401, `"code":"Unauthenticated"`},
		"health":           {"GET", "/healthz", "", nil, 200, `"ok"`},
		"readiness":        {"GET", "/readyz", "", nil, 200, `"ready"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, _ := http.NewRequestWithContext(t.Context(), tt.method, v.url+tt.path, strings.NewReader(tt.body))
			for i := 0; i < len(tt.header); i += 2 {
				r.Header.Set(tt.header[i], tt.header[i+1])
			}
			response, err := httpClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			answer, _ := io.ReadAll(response.Body)
			if response.StatusCode != tt.status || !strings.Contains(string(answer), tt.want) {
				t.Errorf("got %d %s, want %d %s", response.StatusCode, answer, tt.status, tt.want)
			}
		})
	}
	if out, err := v.sqs(asRoot).ListQueues(t.Context(), &sqs.ListQueuesInput{}); err != nil || len(out.QueueUrls) > 0 {
		t.Errorf("queues %v were made, %v", out, err)
	}
}

// A role's session outlives the server, and ends when it is over.
func TestSessionsOutliveTheServer(t *testing.T) {
	t.Parallel()
	database := pgtest.DatabaseURL(t)
	first := startVerifying(t, database)
	client := sts.New(sts.Options{BaseEndpoint: &first.url, Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider(rootKey, rootSecret, "")})
	role, err := client.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::111122223333:role/worker"), RoleSessionName: aws.String("build")})
	if err != nil {
		t.Fatal(err)
	}
	c := role.Credentials
	session := with(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	url := createQueue(t, first.sqs(session), "orders")
	if !strings.HasSuffix(url, "/111122223333/orders") {
		t.Errorf("the session made %s", url)
	}
	if err := first.server.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	second := startVerifying(t, database)
	list := func() string {
		_, err := second.sqs(session).ListQueues(t.Context(), &sqs.ListQueuesInput{})
		return errorCode(err)
	}
	if got := list(); got != "" {
		t.Errorf("after a restart: %s", got)
	}
	if _, err := second.server.Broker().AdvanceClock(t.Context(), "111122223333", time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := list(); got != "ExpiredToken" {
		t.Errorf("after an hour: got %q, want ExpiredToken", got)
	}
}

// What another account may not do to a queue, whatever its policy says.
func TestOtherAccountsQueues(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	url := createQueue(t, v.sqs(asRoot), "orders")
	other := v.key(t, core.NewKey{Account: "111122223333"})
	client := v.sqs(with(other.ID, string(other.Secret), ""))
	attributes := map[string]string{"DelaySeconds": "5"}
	arn := aws.String("arn:aws:sqs:us-east-1:000000000000:orders")
	calls := map[string]func() error{
		"SetQueueAttributes": func() error {
			_, err := client.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: attributes})
			return err
		},
		"TagQueue": func() error {
			_, err := client.TagQueue(t.Context(), &sqs.TagQueueInput{QueueUrl: &url, Tags: map[string]string{"a": "b"}})
			return err
		},
		"UntagQueue": func() error {
			_, err := client.UntagQueue(t.Context(), &sqs.UntagQueueInput{QueueUrl: &url, TagKeys: []string{"a"}})
			return err
		},
		"ListQueueTags": func() error {
			_, err := client.ListQueueTags(t.Context(), &sqs.ListQueueTagsInput{QueueUrl: &url})
			return err
		},
		"AddPermission": func() error {
			_, err := client.AddPermission(t.Context(), &sqs.AddPermissionInput{QueueUrl: &url, Label: aws.String("l"), AWSAccountIds: []string{"111122223333"}, Actions: []string{"SendMessage"}})
			return err
		},
		"RemovePermission": func() error {
			_, err := client.RemovePermission(t.Context(), &sqs.RemovePermissionInput{QueueUrl: &url, Label: aws.String("l")})
			return err
		},
		"StartMessageMoveTask": func() error {
			_, err := client.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: arn})
			return err
		},
		"ListMessageMoveTasks": func() error {
			_, err := client.ListMessageMoveTasks(t.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: arn})
			return err
		},
		"DeleteQueue": func() error {
			_, err := client.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: &url})
			return err
		},
	}
	for action, call := range calls {
		if got := errorCode(call()); !strings.HasPrefix(got, "AccessDenied") {
			t.Errorf("%s: got %q, want AccessDenied", action, got)
		}
	}
	out, err := v.sqs(asRoot).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"DelaySeconds", "Policy"}})
	if err != nil || out.Attributes["DelaySeconds"] != "0" || out.Attributes["Policy"] != "" {
		t.Errorf("the queue is now %v, %v", out, err)
	}
	if list, err := client.ListQueues(t.Context(), &sqs.ListQueuesInput{}); err != nil || len(list.QueueUrls) > 0 {
		t.Errorf("the other account sees %v, %v", list, err)
	}
}

func TestMNSVerifiesSignatures(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	key := v.key(t, core.NewKey{Account: "111122223333"})
	tests := map[string]struct{ id, secret, want string }{
		"signed":         {key.ID, string(key.Secret), ""},
		"a wrong secret": {key.ID, "wrong", "SignatureDoesNotMatch"},
		"an unknown key": {"LTAINONE", "wrong", "InvalidAccessKeyId"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			client := ali_mns.NewAliMNSClientWithConfig(ali_mns.AliMNSClientConfig{EndPoint: v.url + "/.", AccessKeyId: tt.id, AccessKeySecret: tt.secret})
			queues := ali_mns.NewMNSQueueManager(client)
			err := queues.CreateSimpleQueue("orders")
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			if err == nil {
				mnsSigned(t, client)
				queue := ali_mns.NewMNSQueue("orders", client)
				if _, err := queue.SendMessage(ali_mns.MessageSendRequest{MessageBody: "hello"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	sqsClient := v.sqs(with(key.ID, string(key.Secret), ""))
	if bodies := bodiesIn(t, sqsClient, v.url+"/111122223333/orders", 1); len(bodies) != 1 {
		t.Errorf("by SQS, with the same key: %v", bodies)
	}
}

// mnsSigned does what is signed in other ways than a send: batches, a list, handles in the query, and topics.
func mnsSigned(t *testing.T, client ali_mns.MNSClient) {
	t.Helper()
	queue, topics := ali_mns.NewMNSQueue("orders", client), ali_mns.NewMNSTopicManager(client)
	if _, err := queue.BatchSendMessage(ali_mns.MessageSendRequest{MessageBody: "one"}, ali_mns.MessageSendRequest{MessageBody: "two"}); err != nil {
		t.Errorf("batch send: %v", err)
	}
	got, err := mnsAnswer(func(answers chan ali_mns.BatchMessageReceiveResponse, errs chan error) {
		queue.BatchReceiveMessage(answers, errs, 16, 1)
	})
	if err != nil || len(got.Messages) != 2 {
		t.Fatalf("batch receive: %+v, %v", got, err)
	}
	changed, err := queue.ChangeMessageVisibility(got.Messages[0].ReceiptHandle, 60)
	if err != nil {
		t.Errorf("change visibility: %v", err)
	}
	if _, err := queue.BatchDeleteMessage(changed.ReceiptHandle, got.Messages[1].ReceiptHandle); err != nil {
		t.Errorf("batch delete: %v", err)
	}
	if page, err := ali_mns.NewMNSQueueManager(client).ListQueue("", 10, "or"); err != nil || len(page.Queues) != 1 {
		t.Errorf("list: %+v, %v", page, err)
	}
	if err := topics.CreateSimpleTopic("news"); err != nil {
		t.Errorf("create topic: %v", err)
	}
	topic := ali_mns.NewMNSTopic("news", client)
	mnsSubscribe(t, topic, "all", ali_mns.MessageSubsribeRequest{Endpoint: topic.GenerateQueueEndpoint("elsewhere")})
	mnsPublish(t, topic, "hello", "red")
}

// TestMNSSDKsSignEverything has all that the MNS SDKs check once more on a server that verifies what they sign, and what
// they are told of wrong signatures: batches have bodies and digests of them, lists have headers of MNS's own, and Java's
// SDK signs in two versions.
func TestMNSSDKsSignEverything(t *testing.T) {
	t.Parallel()
	v := startGuarded(t, server.Config{PushAllow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	for _, p := range programs {
		if !slices.Contains(p.checks, "mns") || !p.available(t) {
			continue
		}
		p.checks = slices.DeleteFunc(slices.Clone(p.checks), func(group string) bool { return group != "mns" && group != "mns_topics" })
		p.checks = append(p.checks, "mns_auth")
		p.env = append(slices.Clone(p.env), "POLYMQ_SECRET_KEY="+rootSecret)
		t.Run(p.name, func(t *testing.T) { p.check(t, v.polymq) })
	}
}

// The SDKs of each language sign so that the server believes them, and with another secret it does not.
func TestSDKsSign(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	for _, p := range programs {
		if len(p.talkers) == 0 || !p.available(t) {
			continue
		}
		for _, sdk := range p.talkers {
			t.Run(p.name+"-"+sdk.sdk, func(t *testing.T) {
				queue := strings.ReplaceAll(p.name+"-"+sdk.sdk, ".", "-")
				createQueue(t, v.sqs(asRoot), queue)
				for secret, believed := range map[string]bool{rootSecret: true, rootSecret + "x": false} {
					with := p
					with.env = append(slices.Clone(p.env), "POLYMQ_SECRET_KEY="+secret)
					talker := with.talker(t, v.polymq, sdk)
					if err := talker.send(queue, "hello"); (err == nil) != believed {
						t.Errorf("send with the secret %s: %v", secret, err)
					}
					if got, err := talker.receive(queue); (err == nil) != believed || believed && got != "hello" {
						t.Errorf("receive with the secret %s: %q, %v", secret, got, err)
					}
				}
			})
		}
	}
}

// Where nothing is verified, a known key still says whose the queues are.
func TestKnownKeysChooseTheAccount(t *testing.T) {
	t.Parallel()
	database := pgtest.DatabaseURL(t)
	key := startVerifying(t, database).key(t, core.NewKey{Account: "111122223333"})
	srv, err := server.Start(t.Context(), server.Config{Listen: []string{"127.0.0.1:0"}, DatabaseURL: database, LogLevel: "error"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Stop(context.Background()) })
	off := polymq{srv.URL(), key.ID}
	if url := createQueue(t, off.sqs(), "orders"); !strings.HasSuffix(url, "/111122223333/orders") {
		t.Errorf("by SQS: %s", url)
	}
	if err := ali_mns.NewMNSQueueManager(off.mns(key.ID)).CreateSimpleQueue("more"); err != nil {
		t.Fatal(err)
	}
	out, err := off.sqs().ListQueues(t.Context(), &sqs.ListQueuesInput{})
	if err != nil || len(out.QueueUrls) != 2 {
		t.Errorf("the account's queues: %v, %v", out, err)
	}
}

// Neither the log, at its most talkative, nor an answer shows a secret or a token.
func TestSecretsAreNotLogged(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	session := v.key(t, core.NewKey{Account: "000000000000", Lasts: time.Hour})
	const wrong = "wrongSecret0123456789"
	var answers strings.Builder
	for _, as := range []func(*sqs.Options){asRoot, with(rootKey, wrong, ""), with(session.ID, string(session.Secret), string(session.Token)), with(session.ID, string(session.Secret), wrong)} {
		_, err := v.sqs(as).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("a b")})
		fmt.Fprintln(&answers, err)
	}
	for _, bearer := range []string{rootKey + ":" + rootSecret, rootKey + ":" + wrong, wrong} {
		for _, path := range []string{"/api/v1/keys", "/api/v1/queues/none", "/api/v1/none"} {
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, v.url+path, nil)
			r.Header.Set("Authorization", "Bearer "+bearer)
			response, err := httpClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(&answers, response.Body)
			_ = response.Body.Close()
		}
	}
	_, err := server.Start(t.Context(), server.Config{DatabaseURL: pgtest.DatabaseURL(t), Auth: "verify", MasterKey: wrong, AdminKey: rootKey + ":" + rootSecret, LogOutput: v.log, Listen: []string{"127.0.0.1:0"}})
	fmt.Fprintln(&answers, err)
	if err == nil {
		t.Error("a bad master key is taken")
	}
	if log := v.log.String(); !strings.Contains(log, `"protocol":"sqs"`) || !strings.Contains(log, `"admin-key":"***"`) {
		t.Fatalf("the log is not what it should be:\n%s", log)
	}
	for _, secret := range []string{rootSecret, testMasterKey, wrong, string(session.Secret), string(session.Token)} {
		if strings.Contains(v.log.String(), secret) || strings.Contains(answers.String(), secret) {
			t.Errorf("%.8s… is shown", secret)
		}
	}
}

// boto3 of today, which speaks JSON, and of 2023, which speaks the query protocol.
func TestBotoSignatures(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	for _, p := range programs {
		if p.folder != "python" || !slices.Contains(p.checks, "sqs") {
			continue
		}
		if !p.available(t) {
			t.SkipNow() // not to count as passed
		}
		t.Run(p.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
			defer cancel()
			cmd := p.command(ctx, t, v.polymq, "check", "auth", "sqs")
			cmd.Env = append(cmd.Env, "POLYMQ_SECRET_KEY="+rootSecret)
			out, err := cmd.Output()
			if passed, failed := subtests(t, bytes.NewReader(out)); err != nil && failed == 0 || passed < 8 {
				t.Errorf("%d checks passed, and the program ended with %v", passed, err)
			}
		})
	}
}

// Where policies are not enforced, a viewer may look at queues by the clouds' protocols too, and no more: messages have
// bodies. No session makes more of it.
func TestViewersReceiveNothing(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	root, viewer := v.key(t, core.NewKey{Account: accountA}), v.viewer(t)
	url := createQueue(t, v.sqs(by(root)), "orders")
	send(t, v.sqs(by(root)), url, "the body")
	session, err := v.sts(viewer).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	ofSession := core.Key{ID: *session.Credentials.AccessKeyId, Secret: core.Secret(*session.Credentials.SecretAccessKey), Token: core.Secret(*session.Credentials.SessionToken)}
	for name, key := range map[string]core.Key{"a viewer": viewer, "its session": ofSession} {
		client := v.sqs(with(key.ID, string(key.Secret), string(key.Token)))
		topics := sns.New(sns.Options{HTTPClient: http.DefaultClient, Region: "us-east-1", BaseEndpoint: &v.url, Credentials: signed(key)})
		_, lists := client.ListQueues(t.Context(), &sqs.ListQueuesInput{})
		_, counts := client.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
		if lists != nil || counts != nil {
			t.Errorf("%s looks: %v, %v", name, lists, counts)
		}
		_, receives := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url})
		_, purges := client.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &url})
		_, publishes := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("copies")})
		_, assumes := v.sts(key).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + accountA + ":role/any"), RoleSessionName: aws.String("more")})
		_, federates := v.sts(key).GetFederationToken(t.Context(), &sts.GetFederationTokenInput{Name: aws.String("more")})
		for does, err := range map[string]error{"receives": receives, "purges": purges, "makes a topic": publishes, "assumes a role": assumes, "makes another session": federates} {
			if code := errorCode(err); code != "AccessDenied" && code != "AuthorizationError" {
				t.Errorf("%s %s: %v", name, does, err)
			}
		}
		if _, err := mnsReceive(ali_mns.NewMNSQueue("orders", v.mnsBy(key))); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
			t.Errorf("%s receives by MNS: %v", name, err)
		}
	}
	worker := v.user(t, accountA, "worker", core.AWS, `{"Effect":"Deny","Action":"sqs:*","Resource":"*"}`)
	if got := bodiesIn(t, v.sqs(by(worker)), url, 1); len(got) != 1 {
		t.Errorf("a user of programs receives %v, want the message: its policies are not enforced", got)
	}
}

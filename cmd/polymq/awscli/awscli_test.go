package awscli

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols"
)

// shell runs command lines against a server of its own.
type shell struct {
	t   *testing.T
	url string
}

func newShell(t *testing.T) shell {
	t.Helper()
	srv := httptest.NewServer(protocols.New(pgtest.Broker(t), protocols.Options{Log: zerolog.Nop()}))
	t.Cleanup(srv.Close)
	return shell{t, srv.URL}
}

func (s shell) try(args ...string) (string, error) {
	var out strings.Builder
	environment := map[string]string{"AWS_ENDPOINT_URL": s.url}
	err := Run(s.t.Context(), args, func(name string) string { return environment[name] }, &out)
	return out.String(), err
}

func (s shell) run(args ...string) string {
	s.t.Helper()
	out, err := s.try(args...)
	if err != nil {
		s.t.Fatalf("%q: %v", args, err)
	}
	return out
}

func TestQueueLife(t *testing.T) {
	t.Parallel()
	sh := newShell(t)
	url := strings.TrimSpace(sh.run("sqs", "create-queue", "--queue-name", "orders", "--attributes", "DelaySeconds=0,VisibilityTimeout=60",
		"--tags", "team=a", "--query", "QueueUrl", "--output", "text"))
	if want := sh.url + "/000000000000/orders"; url != want {
		t.Fatalf("got %q, want %q", url, want)
	}
	if got := sh.run("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "VisibilityTimeout", "DelaySeconds",
		"--query", "Attributes.[VisibilityTimeout,DelaySeconds]", "--output=text"); got != "60\t0\n" {
		t.Errorf("got %q", got)
	}
	sh.run("sqs", "send-message", "--queue-url", url, "--message-body", "it's {fine}, a=b",
		"--message-attributes", `{"kind": {"DataType": "String", "StringValue": "x"}}`, "--delay-seconds", "0")
	sh.run("sqs", "send-message-batch", "--queue-url", url, "--entries", "Id=1,MessageBody=one", `Id=2,MessageBody='a, b',MessageAttributes={n={DataType=Number,StringValue=2}}`)
	got := sh.run("sqs", "receive-message", "--queue-url", url, "--max-number-of-messages", "10", "--message-attribute-names", "All")
	for _, want := range []string{`"Body": "it's {fine}, a=b"`, `"Body": "a, b"`, `"StringValue": "2"`, `        {`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	if got := sh.run("sqs", "receive-message", "--queue-url", url); got != "" {
		t.Errorf("an empty receive prints %q", got)
	}
	if got := sh.run("sqs", "list-queues", "--output", "text"); got != "QUEUEURLS\t"+url+"\n" {
		t.Errorf("got %q", got)
	}
	sh.run("sqs", "delete-queue", "--queue-url", url)
}

func TestAttributesFromAFile(t *testing.T) {
	t.Parallel()
	sh := newShell(t)
	path := filepath.Join(t.TempDir(), "attributes.json")
	if err := os.WriteFile(path, []byte(`{"VisibilityTimeout": "7", "DelaySeconds": 3}`), 0o600); err != nil {
		t.Fatal(err)
	}
	url := strings.TrimSpace(sh.run("sqs", "create-queue", "--queue-name", "orders", "--attributes", "file://"+path, "--query", "QueueUrl", "--output", "text"))
	if got := sh.run("sqs", "get-queue-attributes", "--queue-url", url, "--attribute-names", "All", "--query", "Attributes.DelaySeconds"); got != "\"3\"\n" {
		t.Errorf("got %q", got)
	}
}

// The official command line calls the endpoint of a subscription by another name, since --endpoint would pass for --endpoint-url.
func TestSubscribe(t *testing.T) {
	t.Parallel()
	sh := newShell(t)
	sh.run("sqs", "create-queue", "--queue-name", "orders")
	topic := strings.TrimSpace(sh.run("sns", "create-topic", "--name", "news", "--query", "TopicArn", "--output", "text"))
	sh.run("sns", "subscribe", "--topic-arn", topic, "--protocol", "sqs", "--notification-endpoint", "arn:aws:sqs:us-east-1:000000000000:orders",
		"--attributes", "RawMessageDelivery=true")
	sh.run("sns", "publish", "--topic-arn", topic, "--message", "hello")
	if got := sh.run("sqs", "receive-message", "--queue-url", sh.url+"/000000000000/orders", "--query", "Messages[].Body", "--output", "text"); got != "hello\n" {
		t.Errorf("got %q", got)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	sh := newShell(t)
	tests := map[string]struct {
		args string
		want string
	}{
		"of the service":     {"sqs get-queue-url --queue-name none", "an error occurred (AWS.SimpleQueueService.NonExistentQueue) when calling the GetQueueUrl operation: The specified queue does not exist."},
		"unknown service":    {"s3 ls", "argument service"},
		"unknown command":    {"sqs make-queue", `sqs has no command "make-queue"`},
		"unknown option":     {"sqs create-queue --name x", "unknown options: --name"},
		"option of no value": {"sqs create-queue --queue-name", "expected one argument"},
		"number":             {"sqs receive-message --queue-url x --max-number-of-messages x", "--max-number-of-messages"},
		"shorthand":          {"sqs create-queue --queue-name x --attributes DelaySeconds", "expected '='"},
		"query":              {"sqs list-queues --query [", "--query"},
		"nothing":            {"", "usage"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := sh.try(strings.Fields(tt.args)...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q and error %v, want %s", out, err, tt.want)
			}
		})
	}
}

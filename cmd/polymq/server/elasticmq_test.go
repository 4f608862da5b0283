package server

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const elasticMQConfig = `
include classpath("application.conf")
node-address { protocol = http, host = "*", port = 9324, context-path = "" }
queues {
    orders {
        defaultVisibilityTimeout = 10 seconds
        delay = 5 seconds
        receiveMessageWait = 0 seconds
        deadLettersQueue { name = "orders-dead", maxReceiveCount = 3 }
        tags { team = "a" }
    }
    "payments.fifo" { fifo = true, contentBasedDeduplication = true }
    refunds { fifo = true, defaultVisibilityTimeout = ${?POLYMQ_TEST_UNSET} }
}
aws { region = eu-west-1, accountId = 000000000042 }
`

func TestElasticMQConfig(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "elasticmq.conf")
	if err := os.WriteFile(path, []byte(elasticMQConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	srv := start(t, Config{ElasticMQConfig: path})
	if err := srv.declareQueues(t.Context()); err != nil { // as at the next start
		t.Fatal(err)
	}
	tests := map[string]string{
		"orders":        `<Name>VisibilityTimeout</Name><Value>10</Value>|<Name>DelaySeconds</Name><Value>5</Value>|arn:aws:sqs:eu-west-1:000000000042:orders-dead`,
		"orders-dead":   `<Name>VisibilityTimeout</Name><Value>30</Value>`,
		"payments.fifo": `<Name>ContentBasedDeduplication</Name><Value>true</Value>`,
		"refunds.fifo":  `<Name>ContentBasedDeduplication</Name><Value>false</Value>`,
	}
	for name, wants := range tests {
		got := query(t, srv, url.Values{"Action": {"GetQueueAttributes"}, "AttributeName.1": {"All"}, "QueueUrl": {"http://x/000000000042/" + name}}, "eu-west-1")
		for want := range strings.SplitSeq(wants, "|") {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %s is not in %s", name, want, got)
			}
		}
	}
	if got := query(t, srv, url.Values{"Action": {"ListQueueTags"}, "QueueUrl": {"http://x/000000000042/orders"}}, "eu-west-1"); !strings.Contains(got, "<Key>team</Key><Value>a</Value>") {
		t.Errorf("tags: %s", got)
	}
}

func TestElasticMQConfigFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`queues { a { delay = soon } }`:             "delay",
		`queues { a { copyTo = b } }`:               "copyTo is not implemented",
		`queues { a = 1 }`:                          "queue a",
		`queues { a { `:                             "elasticmq.conf",
		`queues { a { delay = 10 hours } }`:         "make queue a",
		`queues { "a b" { } }`:                      "make queue a b",
		`queues { a { deadLettersQueue { name=b}}}`: "make queue a",
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "elasticmq.conf")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			srv := start(t, Config{})
			srv.config.ElasticMQConfig = path
			if err := srv.declareQueues(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}

func TestAutoCreateQueues(t *testing.T) {
	t.Parallel()
	srv := start(t, Config{AutoCreateQueues: true})
	for _, name := range []string{"orders", "orders.fifo"} {
		got := query(t, srv, url.Values{"Action": {"SendMessage"}, "QueueUrl": {name}, "MessageBody": {"x"}, "MessageGroupId": {"g"}}, "us-east-1")
		if !strings.Contains(got, "<MessageId>") {
			t.Errorf("%s: got %s", name, got)
		}
	}
	if got := query(t, srv, url.Values{"Action": {"DeleteQueue"}, "QueueUrl": {"none"}}, "us-east-1"); !strings.Contains(got, "NonExistentQueue") {
		t.Errorf("a deletion made a queue: %s", got)
	}
}

// query makes a request in SQS's query protocol.
func query(t *testing.T, srv *Server, form url.Values, region string) string {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, srv.URL(), strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=test/20260101/%s/sqs/aws4_request, SignedHeaders=host, Signature=00", region))
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

package server

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gurkankaymak/hocon"

	"github.com/polymq/polymq/pg/pgtest"
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
	srv := start(t, Config{ElasticMQConfig: writeConfig(t, elasticMQConfig)})
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

// writeConfig gives a file with a configuration.
func writeConfig(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "elasticmq.conf")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Names may begin with a digit, as in ElasticMQ's own example, also in files that are included.
func TestElasticMQNamesWithDigits(t *testing.T) {
	t.Parallel()
	path := writeConfig(t, `
include "more.conf"
include "missing.conf"
aws { region = us-east-1, accountId = 000000000000 }
queues {
  01-simple-queue { }

  02-queue-with-dead-letter {
    defaultVisibilityTimeout = 10 seconds
    deadLettersQueue { name = 03-dead-letter-queue, maxReceiveCount = 3 }
  }
  03-dead-letter-queue { }, 04-fifo-queue { fifo = true }
}`)
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "more.conf"), []byte("queues {\n 05-included { delay = 7s }\n}"), 0o600); err != nil {
		t.Fatal(err)
	}
	srv := start(t, Config{ElasticMQConfig: path})
	got := query(t, srv, url.Values{"Action": {"ListQueues"}}, "us-east-1")
	for _, name := range []string{"01-simple-queue", "02-queue-with-dead-letter", "03-dead-letter-queue", "04-fifo-queue.fifo", "05-included"} {
		if !strings.Contains(got, "/000000000000/"+name+"<") {
			t.Errorf("%s is not in %s", name, got)
		}
	}
	if strings.Count(got, "<QueueUrl>") != 5 {
		t.Errorf("want 5 queues, got %s", got)
	}
	for _, want := range []struct{ queue, attribute, value string }{
		{"02-queue-with-dead-letter", "VisibilityTimeout", "10"}, {"05-included", "DelaySeconds", "7"},
	} {
		if value := attribute(t, srv, want.queue, want.attribute, "us-east-1"); value != want.value {
			t.Errorf("%s: %s is %s, want %s", want.queue, want.attribute, value, want.value)
		}
	}
	if policy := attribute(t, srv, "02-queue-with-dead-letter", "RedrivePolicy", "us-east-1"); !strings.Contains(policy, ":03-dead-letter-queue") {
		t.Errorf("dead letters: %s", policy)
	}
}

// ElasticMQ looks at no credentials: whatever region they name, and whatever key it is, the queues are the same.
func TestElasticMQHasOneAccountAndRegion(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ config, arn string }{
		"as it is by itself": {`queues { orders { } }`, "arn:aws:sqs:elasticmq:000000000000:orders"},
		"as its configuration says": {`queues { orders { } }
aws { region = eu-west-1, accountId = 000000000042 }`, "arn:aws:sqs:eu-west-1:000000000042:orders"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := start(t, Config{ElasticMQConfig: writeConfig(t, tt.config)})
			for _, region := range []string{"elasticmq", "us-east-1", "ap-south-1"} {
				url := textOfElement(query(t, srv, url.Values{"Action": {"GetQueueUrl"}, "QueueName": {"orders"}}, region), "QueueUrl")
				if got := attribute(t, srv, url, "QueueArn", region); got != tt.arn {
					t.Errorf("%s: %q is %s, want %s", region, url, got, tt.arn)
				}
			}
		})
	}
}

// attribute gives an attribute of a queue.
func attribute(t *testing.T, srv *Server, queueURL, name, region string) string {
	t.Helper()
	return textOfElement(query(t, srv, url.Values{"Action": {"GetQueueAttributes"}, "QueueUrl": {queueURL}, "AttributeName.1": {name}}, region), "Value")
}

// textOfElement gives the text of the first element of a name.
func textOfElement(answer, name string) string {
	_, behind, _ := strings.Cut(answer, "<"+name+">")
	text, _, _ := strings.Cut(behind, "<")
	return text
}

func TestElasticMQMakesMissedQueues(t *testing.T) {
	t.Parallel()
	srv := start(t, Config{ElasticMQConfig: writeConfig(t, `
auto-create-queues {
    enabled = true
    template {
        defaultVisibilityTimeout = 7 seconds
        deadLettersQueue { name = dead, maxReceiveCount = 3 }
        tags { env = dev }
    }
}`)})
	for name, wants := range map[string][]string{
		"orders":      {"<Name>VisibilityTimeout</Name><Value>7</Value>", ":dead"},
		"orders.fifo": {"<Name>VisibilityTimeout</Name><Value>7</Value>", "<Name>ContentBasedDeduplication</Name><Value>true</Value>"},
		"dead":        {"<Name>VisibilityTimeout</Name><Value>30</Value>"},
	} {
		got := query(t, srv, url.Values{"Action": {"GetQueueAttributes"}, "AttributeName.1": {"All"}, "QueueUrl": {name}}, "us-east-1")
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %s is not in %s", name, want, got)
			}
		}
	}
	if got := query(t, srv, url.Values{"Action": {"ListQueueTags"}, "QueueUrl": {"orders"}}, "us-east-1"); !strings.Contains(got, "<Key>env</Key><Value>dev</Value>") {
		t.Errorf("tags: %s", got)
	}
	off := start(t, Config{ElasticMQConfig: writeConfig(t, `auto-create-queues { enabled = false, template { delay = 1 second } }`)})
	if got := query(t, off, url.Values{"Action": {"SendMessage"}, "QueueUrl": {"orders"}, "MessageBody": {"x"}}, "us-east-1"); !strings.Contains(got, "NonExistentQueue") {
		t.Errorf("switched off: %s", got)
	}
}

// The server also answers where ElasticMQ would, and its page is there.
func TestElasticMQPorts(t *testing.T) {
	t.Parallel()
	var queues, page string
	var err error
	for range 5 { // another program may take a port in between, but not each time
		var srv *Server
		_, queues, _ = net.SplitHostPort(freeAddress(t))
		_, page, _ = net.SplitHostPort(freeAddress(t))
		if srv, err = Start(t.Context(), Config{Listen: []string{"127.0.0.1:0"}, DatabaseURL: pgtest.DatabaseURL(t), DatabasePoolSize: pgtest.PoolSize, LogLevel: "warn", LogOutput: t.Output(), ElasticMQConfig: writeConfig(t, fmt.Sprintf(`
rest-sqs { bind-port = %s, bind-hostname = "127.0.0.1" }
rest-stats { enabled = true, bind-port = %s, bind-hostname = "127.0.0.1" }`, queues, page))}); err == nil {
			t.Cleanup(func() { _ = srv.Stop(context.Background()) })
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"http://127.0.0.1:" + queues + "/health", "http://127.0.0.1:" + page + "/console/"} {
		resp, err := httpClient.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		if _ = resp.Body.Close(); resp.StatusCode != http.StatusOK {
			t.Errorf("%s: got %s", url, resp.Status)
		}
	}
}

// What does nothing is said, and nothing is said of what does as it does there.
func TestElasticMQSettingsThatDoNothing(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`node-address { host = "*", port = 9324 }`:               "",
		`node-address { host = "queues.internal" }`:              "node-address",
		`rest-sqs { enabled = true, sqs-limits = relaxed }`:      "rest-sqs.sqs-limits",
		`rest-sqs { enabled = true, sqs-limits = strict }`:       "",
		`messages-storage { enabled = true, uri = "jdbc:h2:x" }`: "messages-storage",
		`queues-storage { enabled = false }`:                     "",
		`pekko { loglevel = "DEBUG" }`:                           "pekko",
		`generate-node-address = false, aws { region = "a" }`:    "",
	} {
		config, err := hocon.ParseString(text)
		if err != nil {
			t.Fatal(err)
		}
		e, err := newElasticMQ(config)
		got := ""
		if err == nil && len(e.unused) > 0 {
			got = e.unused[0].setting
		}
		if err != nil || got != want || len(e.unused) > 1 {
			t.Errorf("%s: got %v and %v, want %q", text, e.unused, err, want)
		}
	}
}

func TestElasticMQConfigFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`queues { a { delay = soon } }`:     "delay",
		`queues { a { copyTo = b } }`:       "copyTo is not implemented",
		`queues { a = 1 }`:                  "queue a",
		`queues { a { `:                     "elasticmq.conf",
		`queues { a { delay = 10 hours } }`: "make queue a",
		`queues { "a b" { } }`:              "make queue a b",
		`auto-create-queues { enabled = true, template { delay = soon } }`: "auto-create-queues.template",
		`queues { a { deadLettersQueue { name=b}}}`:                        "make queue a",
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			path := writeConfig(t, text)
			srv := start(t, Config{})
			srv.config.ElasticMQConfig = path
			if err := cmp.Or(srv.readElasticMQ(), srv.declareQueues(t.Context())); err == nil || !strings.Contains(err.Error(), want) {
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
	resp, err := httpClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return bodyOf(t, resp)
}

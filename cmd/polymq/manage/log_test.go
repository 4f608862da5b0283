package manage_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// logged gives what a log tells as JSON lines, each as "kind message's number".
func (s *shell) logged(ids []string, args ...string) (told []string) {
	s.t.Helper()
	for line := range strings.Lines(s.must(append([]string{"log", "--json"}, args...)...)) {
		var e struct {
			Kind      string `json:"kind"`
			MessageID string `json:"message_id"`
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			s.t.Fatalf("%q is no JSON: %v", line, err)
		}
		told = append(told, strings.TrimSpace(e.Kind+" "+[]string{"", "1", "2"}[1+slices.Index(ids, e.MessageID)]))
	}
	return told
}

// Who sends chooses what logs tell of it: none of that reaches the terminal as more than a text.
func TestTerminalsAreSpared(t *testing.T) {
	t.Parallel()
	s := start(t)
	const escape = "\x1b[2J\nnew line"
	s.must("queue", "create", "orders", "--logging")
	s.must("alert", "create", "late", "--metric", "depth", "--above", "1", "--description", escape)
	tailed, end := s.background("tail", "orders", "--count", "1")
	followed, stop := s.background("log", "orders", "--follow")
	sent := url.Values{"Action": {"SendMessage"}, "MessageBody": {"x"}, "AWSAccessKeyId": {escape}}
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(patience); tailed.String() == "" || followed.String() == ""; <-poll.C {
		response, err := http.Get(s.server.URL() + "/000000000000/orders?" + sent.Encode())
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if time.Now().After(deadline) {
			t.Fatal("nothing is shown")
		}
	}
	end()
	stop()
	for name, out := range map[string]string{"tail": tailed.String(), "log --follow": followed.String(), "log": s.must("log", "orders"), "alert show": s.must("alert", "show", "late")} {
		if strings.Contains(out, "\x1b") || !strings.Contains(out, "\uFFFD[2J") {
			t.Errorf("%s prints %q", name, out)
		}
	}
	if out := s.must("log", "orders", "--limit", "1"); strings.Count(out, "\n") != 2 {
		t.Errorf("more than a header and a row: %q", out)
	}
}

// TestLogCommand asks for a log by message, by queue and time, and by an attribute.
func TestLogCommand(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must("queue", "create", "orders", "--logging")
	s.must("topic", "create", "news", "--logging")
	s.must("subscription", "create", "news", "--queue", "orders", "--name", "to-orders")
	ids := []string{
		strings.TrimSpace(s.must("message", "send", "orders", "a", "--attribute", "customer=7")),
		strings.TrimSpace(s.must("message", "send", "orders", "b", "--attribute", "customer=8")),
	}
	s.must("message", "receive", "orders", "--limit", "1", "--delete")
	s.must("queue", "purge", "orders", "--yes")
	sns := strings.ToUpper(strings.ReplaceAll(ids[0], "-", ""))
	for name, tt := range map[string]struct {
		args []string
		want []string
	}{
		"by a message":                    {[]string{ids[0]}, []string{"sent 1", "received 1", "deleted 1"}},
		"by a message, as MNS shows it":   {[]string{sns}, []string{"sent 1", "received 1", "deleted 1"}},
		"by a message that was purged":    {[]string{ids[1]}, []string{"sent 2", "purged"}},
		"by a queue":                      {[]string{"orders"}, []string{"sent 1", "sent 2", "received 1", "deleted 1", "purged"}},
		"by a queue, up to a limit":       {[]string{"orders", "--limit", "2"}, []string{"sent 1", "sent 2"}},
		"by a queue, lately":              {[]string{"orders", "--since", "1h"}, []string{"sent 1", "sent 2", "received 1", "deleted 1", "purged"}},
		"by a queue, long ago":            {[]string{"orders", "--until", "1h"}, nil},
		"by a queue, in time to come":     {[]string{"orders", "--since", "2099-01-01T00:00:00Z"}, nil},
		"by an attribute":                 {[]string{"orders", "--attribute", "customer=8"}, []string{"sent 2"}},
		"by an attribute, and in a span":  {[]string{"orders", "--attribute", "customer=8", "--since", "1h", "--until", "2099-01-01T00:00:00Z"}, []string{"sent 2"}},
		"by an attribute's other value":   {[]string{"orders", "--attribute", "customer=9"}, nil},
		"by a message in a queue":         {[]string{"orders", "--id", ids[1]}, []string{"sent 2", "purged"}},
		"by a topic that nothing came by": {[]string{"--topic", "news"}, nil},
	} {
		if got := s.logged(ids, tt.args...); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	long := strings.Repeat("long ", 20) + "end"
	if told := s.must("log", strings.TrimSpace(s.must("message", "send", "orders", "c", "--attribute", "note="+long))); !strings.Contains(told, long) {
		t.Errorf("what is told of a message is cut:\n%s", told)
	}
	s.must("queue", "create", "silent")
	for about, want := range map[string]string{"nothing": `there is no queue "nothing"`, "silent": "A log is kept where", "--topic=nothing": `there is no topic "nothing"`, "--topic=news": "keeps a log"} {
		if got := s.run(t.Context(), "", "log", about); got.err != nil || !strings.Contains(got.errors, want) {
			t.Errorf("%s: %v, %q", about, got.err, got.errors)
		}
	}
	table := s.must("log", ids[1])
	for _, part := range []string{"AT ", "WHAT", "sent", "purged", "orders", "api send-messages from 127.0.0.1", "customer=8", "all messages of the queue were removed"} {
		if !strings.Contains(table, part) {
			t.Errorf("%q is not in\n%s", part, table)
		}
	}
}

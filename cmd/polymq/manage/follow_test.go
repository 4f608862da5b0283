package manage_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for what should happen at once.
const patience = 30 * time.Second

// output gathers what a command prints while it runs.
type output struct {
	mu   sync.Mutex
	text strings.Builder
	grew chan struct{}
}

func newOutput() *output { return &output{grew: make(chan struct{}, 1)} }

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.grew <- struct{}{}:
	default:
	}
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// until waits until the output has a text.
func (o *output) until(t *testing.T, text string) {
	t.Helper()
	deadline := time.After(patience)
	for !strings.Contains(o.String(), text) {
		select {
		case <-o.grew:
		case <-deadline:
			t.Fatalf("%q is not in\n%s", text, o.String())
		}
	}
}

// background runs a command until the test ends it.
func (s *shell) background(args ...string) (out *output, end func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	out = newOutput()
	done := make(chan error, 1)
	go func() { done <- s.runTo(ctx, out, args...) }()
	return out, func() {
		s.t.Helper()
		cancel()
		if err := <-done; err != nil {
			s.t.Errorf("polymq %s: %v", strings.Join(args, " "), err)
		}
	}
}

// started sends messages until one of them is seen, so that what follows surely is.
func (s *shell) started(out *output, queue string) {
	s.t.Helper()
	s.sendUntil(queue, func() bool { return strings.Contains(out.String(), "first") })
}

// sendUntil sends messages, a few a second, until something holds.
func (s *shell) sendUntil(queue string, holds func() bool) {
	s.t.Helper()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(patience); !holds(); <-poll.C {
		if time.Now().After(deadline) {
			s.t.Fatal("what is sent is not shown")
		}
		s.must("message", "send", queue, "first")
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	for name, logging := range map[string]string{"with the log": "--logging=true", "by looking": "--logging=false"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			s.must("queue", "create", "orders", logging)
			s.must("message", "send", "orders", "from before")
			out, end := s.background("tail", "orders")
			s.started(out, "orders")
			s.must("message", "send", "orders", "hello")
			out.until(t, "hello")
			s.must("message", "receive", "orders", "--limit", "100", "--visibility-timeout", "1h")
			out.until(t, "receive 1")
			s.must("queue", "purge", "orders")
			id := strings.TrimSpace(s.must("message", "send", "orders", "the last"))
			out.until(t, id)
			end()
			if strings.Contains(out.String(), "from before") {
				t.Errorf("what was there before is shown:\n%s", out)
			}
			if got := s.must("queue", "show", "orders"); !strings.Contains(got, "Visible:             1\n") {
				t.Errorf("the tail has taken something:\n%s", got)
			}
		})
	}
}

// A queue may go between the list of all and the look at it.
func TestTailOfAllQueuesThatGo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lists := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/queues" {
			if lists++; lists == 2 {
				cancel()
			}
			fmt.Fprint(w, `{"queues": [{"name": "gone"}]}`)
			return
		}
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"code": "QueueNotFound", "detail": "queue \"gone\" does not exist"}`)
	}))
	defer srv.Close()
	s := &shell{t: t, environ: []string{"POLYMQ_ENDPOINT=" + srv.URL}}
	if r := s.run(ctx, "", "tail", "--all"); r.err != nil || lists != 2 {
		t.Errorf("ended after %d lists: %v", lists, r.err)
	}
}

func TestTailOfAllQueues(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must("queue", "create", "orders")
	out, end := s.background("tail", "--all", "--json")
	s.started(out, "orders")
	s.must("queue", "create", "later")
	s.must("message", "send", "later", "in a new queue")
	out.until(t, "in a new queue")
	s.must("queue", "delete", "later")
	s.must("message", "send", "orders", "after a deletion")
	out.until(t, "after a deletion")
	end()
	for line := range strings.Lines(out.String()) {
		var h struct {
			Queue, Kind string
			MessageID   string `json:"message_id"`
		}
		if err := json.Unmarshal([]byte(line), &h); err != nil || h.Queue == "" || h.Kind == "" || h.MessageID == "" {
			t.Errorf("line %s, %v", line, err)
		}
	}
}

func TestTailEndsAfterACount(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must("queue", "create", "orders")
	out := newOutput()
	done := make(chan error, 1)
	go func() { done <- s.runTo(t.Context(), out, "tail", "orders", "--count", "1") }()
	s.started(out, "orders")
	if err := <-done; err != nil || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("%v after\n%s", err, out)
	}
}

func TestLogFollow(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.must("queue", "create", "orders", "--logging")
	before := strings.TrimSpace(s.must("message", "send", "orders", "before"))
	if log := s.must("log", "orders"); !strings.Contains(log, before) { // it is written now
		t.Fatalf("the log has\n%s", log)
	}
	out, end := s.background("log", "orders", "--follow", "--json")
	all, endAll := s.background("log", "orders", "--follow", "--from", "1h")
	all.until(t, before)
	s.sendUntil("orders", func() bool { return out.String() != "" })
	id := strings.TrimSpace(s.must("message", "send", "orders", "last"))
	out.until(t, id)
	all.until(t, id)
	end()
	endAll()
	if strings.Contains(out.String(), before) {
		t.Errorf("what was before is shown:\n%s", out)
	}
	for _, o := range []*output{out, all} {
		if n := strings.Count(o.String(), id); n != 1 {
			t.Errorf("the last message is shown %d times:\n%s", n, o)
		}
	}
}

package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A ledger numbers the messages that are sent to one queue and remembers what was acknowledged.
type ledger struct {
	mu       sync.Mutex
	next     int
	messages map[string]*entry // by body
	wrong    []string          // what must not happen
}

// entry is what is known of one message.
type entry struct {
	sent     bool      // acknowledged
	deleting bool      // a delete was tried, so it may be gone
	deleted  time.Time // when its delete was acknowledged
}

func newLedger() *ledger { return &ledger{messages: map[string]*entry{}} }

// body gives a new message's body.
func (l *ledger) body() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next++
	body := fmt.Sprintf("message %d", l.next)
	l.messages[body] = &entry{}
	return body
}

// change changes the entry of a message.
func (l *ledger) change(body string, do func(*entry)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.messages[body]; e != nil {
		do(e)
	}
}

// arrived notes a message that came with a receive that began at the given moment. One whose delete
// was acknowledged before must not come.
func (l *ledger) arrived(body string, began time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.messages[body]
	switch {
	case e == nil:
		l.wrong = append(l.wrong, fmt.Sprintf("%q was never sent", body))
	case !e.deleted.IsZero() && e.deleted.Before(began):
		l.wrong = append(l.wrong, fmt.Sprintf("%q came again after its delete was acknowledged", body))
	}
}

// sent is how many sends were acknowledged, deleted how many deletes.
func (l *ledger) acknowledged() (sent, deleted int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.messages {
		if e.sent {
			sent++
		}
		if !e.deleted.IsZero() {
			deleted++
		}
	}
	return sent, deleted
}

// lost lists the messages whose send was acknowledged and that nobody can have deleted, for use when
// the queue is empty.
func (l *ledger) lost() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lost []string
	for body, e := range l.messages {
		if e.sent && !e.deleting {
			lost = append(lost, body)
		}
	}
	slices.Sort(lost)
	return lost
}

// A load sends, receives and deletes until it is stopped, by several clients at once.
type load struct {
	*ledger
	ctx     context.Context // of the requests: they are never cut off
	stopped chan struct{}
	workers sync.WaitGroup
	ok      atomic.Int64 // requests that succeeded

	mu       sync.Mutex
	failures []failure
	lastOK   time.Time
	watchers []watcher
}

// failure is a request that failed.
type failure struct {
	protocol string
	err      error
	at       time.Time // when it was known
	took     time.Duration
}

// watcher waits for the first success of a request that began after some moment.
type watcher struct {
	after time.Time
	first chan time.Time
}

// startLoad starts a sender and two receivers for each client.
func startLoad(t *testing.T, ledger *ledger, clients ...client) *load {
	t.Helper()
	l := &load{ledger: ledger, ctx: context.WithoutCancel(t.Context()), stopped: make(chan struct{})}
	for _, c := range clients {
		l.workers.Go(func() { l.repeat(c, l.send) })
		for range 2 {
			l.workers.Go(func() { l.repeat(c, l.receive) })
		}
	}
	t.Cleanup(l.stop)
	return l
}

// stop lets the requests under way end.
func (l *load) stop() {
	select {
	case <-l.stopped:
	default:
		close(l.stopped)
	}
	l.workers.Wait()
}

// repeat does one thing after the other until the load is stopped, more slowly while it fails.
func (l *load) repeat(c client, do func(client) error) {
	for {
		var pause time.Duration
		if do(c) != nil {
			pause = 20 * time.Millisecond
		}
		select {
		case <-l.stopped:
			return
		case <-time.After(pause):
		}
	}
}

func (l *load) send(c client) error {
	body, began := l.body(), time.Now()
	err := c.send(l.ctx, body)
	if err == nil {
		l.change(body, func(e *entry) { e.sent = true })
	}
	return l.done(c, began, err)
}

func (l *load) receive(c client) error {
	began := time.Now()
	messages, err := c.receive(l.ctx, time.Second)
	for _, m := range messages {
		l.arrived(m.body, began)
		_ = l.delete(c, m) // it comes again
	}
	return l.done(c, began, err)
}

func (l *load) delete(c client, m message) error {
	began := time.Now()
	l.change(m.body, func(e *entry) { e.deleting = true })
	err := c.delete(l.ctx, m.handle)
	var refused refusal
	switch {
	case err == nil:
		l.change(m.body, func(e *entry) { e.deleted = time.Now() })
	case errors.As(err, &refused) && refused != unavailable[c.protocol()]:
		l.change(m.body, func(e *entry) { e.deleting = false })
	}
	return l.done(c, began, err)
}

// done notes how a request ended.
func (l *load) done(c client, began time.Time, err error) error {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failures = append(l.failures, failure{c.protocol(), err, now, now.Sub(began)})
		return err
	}
	l.ok.Add(1)
	l.lastOK = now
	l.watchers = slices.DeleteFunc(l.watchers, func(w watcher) bool {
		if began.Before(w.after) {
			return false
		}
		w.first <- now
		return true
	})
	return nil
}

// run waits until 300 more requests have succeeded.
func (l *load) run(t *testing.T) {
	t.Helper()
	enough := l.ok.Load() + 300
	eventually(t, "requests succeed", func() error {
		if got := l.ok.Load(); got < enough {
			return fmt.Errorf("%d of %d requests: %w", got, enough, l.lastFailure())
		}
		return nil
	})
}

// fail waits until some more requests have failed.
func (l *load) fail(t *testing.T) {
	t.Helper()
	count := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.failures)
	}
	enough := count() + 5
	eventually(t, "requests fail", func() error {
		if got := count(); got < enough {
			return fmt.Errorf("%d of %d failures", got, enough)
		}
		return nil
	})
}

func (l *load) lastFailure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.failures) == 0 {
		return errors.New("no request has failed")
	}
	return l.failures[len(l.failures)-1].err
}

// failed gives the failures so far, and forgets them.
func (l *load) failed() []failure {
	l.mu.Lock()
	defer l.mu.Unlock()
	failures := l.failures
	l.failures = nil
	return failures
}

// firstSuccess gives a channel for the moment at which a request succeeded that began after now.
func (l *load) firstSuccess() <-chan time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := make(chan time.Time, 1)
	l.watchers = append(l.watchers, watcher{time.Now(), first})
	return first
}

// mustBeRetryable fails the test unless every failure is the protocol's way to say "try again", in time.
func mustBeRetryable(t *testing.T, failures []failure) {
	t.Helper()
	var slowest time.Duration
	wrong := map[string]int{}
	for _, f := range failures {
		slowest = max(slowest, f.took)
		if !errors.Is(f.err, unavailable[f.protocol]) {
			wrong[f.protocol+": "+f.err.Error()]++
		}
	}
	t.Logf("%d requests failed, the slowest after %v", len(failures), slowest.Round(time.Millisecond))
	for text, times := range wrong {
		t.Errorf("%d times %s, want %v", times, text, unavailable)
	}
	if slowest > inTime {
		t.Errorf("a request failed after %v, want at most %v", slowest, inTime)
	}
}

// mustNotRefuse fails the test if a server answered a request with an error. Not to answer, as one that is
// killed does, is no error of its own.
func mustNotRefuse(t *testing.T, failures []failure) {
	t.Helper()
	for _, f := range failures {
		if refused := (refusal{}); errors.As(f.err, &refused) {
			t.Errorf("%s: %v after %v", f.protocol, refused, f.took)
		}
	}
}

// settle stops the load, lets the visibility timeouts pass and empties the queue. Then it fails the
// test if anything was lost, came again after its delete, or is counted and not there.
func (l *load) settle(t *testing.T, api *apiClient) {
	t.Helper()
	l.stop()
	eventually(t, "move time", func() error { return api.advance(t.Context(), visibilityTimeout+time.Second) })
	drain(t, "empty the queue", func() (int, error) {
		began := time.Now()
		messages, err := api.receive(t.Context(), 0)
		for _, m := range messages {
			l.arrived(m.body, began)
			err = errors.Join(err, l.delete(api, m))
		}
		return len(messages), err
	})
	left, err := api.counts(t.Context())
	if err != nil || left != (counts{}) {
		t.Errorf("the queue is empty, but its counts are %+v, %v", left, err)
	}
	sent, deleted := l.acknowledged()
	t.Logf("%d messages, %d sends and %d deletes acknowledged", l.next, sent, deleted)
	if lost := l.lost(); len(lost) > 0 {
		t.Errorf("%d acknowledged messages are lost: %s …", len(lost), strings.Join(lost[:min(len(lost), 10)], ", "))
	}
	for _, wrong := range l.wrong[:min(len(l.wrong), 10)] {
		t.Error(wrong)
	}
}

package faults

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// pair gives two servers on one database, each of which knows of the other.
func pair(t *testing.T) (a, b *process) {
	t.Helper()
	database := testDatabase(t)
	a = serve(t, "--database-url", database)
	return a, serve(t, "--database-url", database)
}

// prompt is what takes a few milliseconds may take on a busy machine. Without a notification it takes seconds.
const prompt = time.Second

// mustBePrompt logs times and fails the test if half of them are too long.
func mustBePrompt(t *testing.T, what string, times []time.Duration) {
	t.Helper()
	slices.Sort(times)
	median := times[len(times)/2]
	t.Logf("%s: median %v, longest %v of %d", what, median.Round(time.Microsecond), times[len(times)-1].Round(time.Microsecond), len(times))
	if median > prompt {
		t.Errorf("%s: the median is %v, want at most %v", what, median, prompt)
	}
}

// A message sent through one server wakes who waits at the other.
func TestPairWakes(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	createQueue(t, a.url, "orders")
	sender, waiter := newAPI(a.url, "orders"), newAPI(b.url, "orders")
	var times []time.Duration
	for range 30 {
		arrival := arrives(t, waiter)
		began := time.Now()
		mustSend(t, sender)
		times = append(times, (<-arrival).Sub(began))
	}
	mustBePrompt(t, "from a send here to the waiting receive there", times)
}

// A delayed message, and one whose visibility timeout ends, reach who waits at the other server when they
// are due.
func TestPairRipens(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	createQueue(t, a.url, "orders")
	sender, waiter := newAPI(a.url, "orders"), newAPI(b.url, "orders")
	var delayed, hidden []time.Duration
	for range 3 {
		arrival := arrives(t, waiter)
		var sent struct {
			Messages []struct {
				VisibleAt time.Time `json:"visible_at"`
			} `json:"messages"`
		}
		message := map[string]any{"body": "hello", "delay_seconds": 1}
		if err := sender.call(t.Context(), http.MethodPost, "/queues/orders/messages", map[string]any{"messages": []any{message}}, &sent); err != nil {
			t.Fatal(err)
		}
		delayed = append(delayed, (<-arrival).Sub(sent.Messages[0].VisibleAt))

		mustSend(t, sender)
		received := sent
		receive := map[string]any{"visibility_timeout_seconds": 1}
		if err := sender.call(t.Context(), http.MethodPost, "/queues/orders/messages:receive", receive, &received); err != nil || len(received.Messages) != 1 {
			t.Fatalf("received %d messages, %v", len(received.Messages), err)
		}
		hidden = append(hidden, (<-arrives(t, waiter)).Sub(received.Messages[0].VisibleAt))
	}
	mustBePrompt(t, "from the end of the delay to the receive at the other server", delayed)
	mustBePrompt(t, "from the end of the visibility timeout to the receive at the other server", hidden)
}

// arrives begins to wait for a message, and gives the moment at which it was there and deleted.
func arrives(t *testing.T, queue *apiClient) <-chan time.Time {
	t.Helper()
	arrival := make(chan time.Time, 1)
	ctx, wrote := traced(t)
	go func() {
		messages, err := queue.receive(ctx, longestPoll)
		at := time.Now()
		for _, m := range messages {
			if err == nil {
				err = queue.delete(context.WithoutCancel(t.Context()), m.handle)
			}
		}
		if err != nil || len(messages) != 1 {
			t.Errorf("got %d messages, %v", len(messages), err)
		}
		arrival <- at
	}()
	awaitUnderway(t, queue, wrote)
	return arrival
}

// What one server does to a queue holds at the other with the next request.
func TestPairAgrees(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	here, there := newAPI(a.url, "orders"), newAPI(b.url, "orders")
	ctx := t.Context()
	for range 5 {
		createQueue(t, a.url, "orders")
		mustSend(t, there)
		for _, delay := range []int{900, 0} {
			if err := here.call(ctx, http.MethodPatch, "/queues/orders", map[string]int{"delay_seconds": delay}, nil); err != nil {
				t.Fatal(err)
			}
			mustSend(t, there)
			if got, err := there.counts(ctx); err != nil || got.Delayed != 1 || delay == 0 && got.Visible != 2 {
				t.Errorf("after a send with the new delay of %d s: %+v, %v", delay, got, err)
			}
		}
		if err := here.call(ctx, http.MethodPost, "/queues/orders/messages:purge", nil, nil); err != nil {
			t.Fatal(err)
		}
		if messages, err := there.receive(ctx, 0); err != nil || len(messages) != 0 {
			t.Errorf("a purged queue gives %v, %v", messages, err)
		}
		if err := here.call(ctx, http.MethodDelete, "/queues/orders", nil, nil); err != nil {
			t.Fatal(err)
		}
		gone := refusal{http.StatusNotFound, "QueueNotFound"}
		if err := there.send(ctx, "hello"); !errors.Is(err, gone) {
			t.Errorf("a send to a deleted queue gives %v, want %v", err, gone)
		}
		if _, err := there.receive(ctx, longestPoll); !errors.Is(err, gone) {
			t.Errorf("a receive from a deleted queue gives %v, want %v", err, gone)
		}
	}
}

// A size limit, which the protocols check before they ask the database, holds at the other server when it
// has heard of it.
func TestPairAgreesOnLimits(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	createQueue(t, a.url, "orders")
	here, there := newAPI(a.url, "orders"), newAPI(b.url, "orders")
	var times []time.Duration
	for i := range 20 {
		limit := 1024 << (i % 2 * 2) // 1 KiB and 4 KiB in turn
		began := time.Now()
		if err := here.call(t.Context(), http.MethodPatch, "/queues/orders", map[string]int{"max_message_bytes": limit}, nil); err != nil {
			t.Fatal(err)
		}
		eventually(t, "hear of the limit", func() error {
			err := there.send(t.Context(), strings.Repeat("x", 2048))
			if tooLong := errors.Is(err, refusal{http.StatusRequestEntityTooLarge, "MessageTooLong"}); tooLong != (limit < 2048) {
				return fmt.Errorf("with a limit of %d: %w", limit, err)
			}
			return nil
		})
		times = append(times, time.Since(began))
	}
	mustBePrompt(t, "from a change of the limit to its effect at the other server", times)
}

// A server whose listening connection is lost makes a new one and misses nothing.
func TestPairListenerLost(t *testing.T) {
	t.Parallel()
	database := testDatabase(t)
	a, b := serve(t, "--database-url", database), serve(t, "--database-url", database)
	createQueue(t, a.url, "orders")
	sender, waiter := newAPI(a.url, "orders"), newAPI(b.url, "orders")
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for range 3 {
		arrival := arrives(t, waiter)
		var ended int
		if err := conn.QueryRow(t.Context(), "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'").Scan(&ended); err != nil || ended == 0 {
			t.Fatalf("ended %d sessions that listen, %v", ended, err)
		}
		began := time.Now()
		mustSend(t, sender)
		took := (<-arrival).Sub(began)
		t.Logf("%d listening connections lost, the message came after %v", ended, took.Round(time.Millisecond))
		if took > longestPoll/2 {
			t.Errorf("the message came after %v", took)
		}
		awaitListeners(t, conn, 2)
	}
}

// awaitListeners waits until so many sessions listen.
func awaitListeners(t *testing.T, conn *pgx.Conn, want int) {
	t.Helper()
	eventually(t, "listen again", func() error {
		var listening int
		err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'").Scan(&listening)
		if err == nil && listening != want {
			err = fmt.Errorf("%d servers listen, want %d", listening, want)
		}
		return err
	})
}

// A long poll ends when its queue is deleted through the other server.
func TestPairEndsPolls(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	createQueue(t, a.url, "orders")
	here, there := newAPI(a.url, "orders"), newAPI(b.url, "orders")
	ended := make(chan error, 1)
	ctx, wrote := traced(t)
	go func() {
		_, err := there.receive(ctx, longestPoll)
		ended <- err
	}()
	awaitUnderway(t, there, wrote)
	began := time.Now()
	if err := here.call(t.Context(), http.MethodDelete, "/queues/orders", nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, refusal{http.StatusNotFound, "QueueNotFound"}) {
		t.Errorf("the long poll ended with %v", err)
	}
	if took := time.Since(began); took > longestPoll/2 {
		t.Errorf("the long poll ended %v after the queue was deleted", took)
	}
}

// One of two servers may be killed while both are used.
func TestPairKilled(t *testing.T) {
	t.Parallel()
	a, b := pair(t)
	createQueue(t, a.url, "orders")
	load := startLoad(t, newLedger(), append(clients(a.url, "orders"), clients(b.url, "orders")...)...)
	load.run(t)
	a.kill()
	load.run(t)
	a.start(t)
	load.run(t)
	b.kill()
	load.run(t)
	mustNotRefuse(t, load.failed())
	load.settle(t, newAPI(a.url, "orders"))
}

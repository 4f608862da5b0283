package pg_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// newFIFOTopic makes a FIFO topic with a FIFO queue and a standard one.
func newFIFOTopic(t testing.TB, scope core.DeduplicationScope) *core.Broker {
	t.Helper()
	return newFIFOTopicOn(t, pgtest.New(t), scope)
}

func newFIFOTopicOn(t testing.TB, store *pg.Store, scope core.DeduplicationScope) *core.Broker {
	t.Helper()
	broker := topicBroker(t, store)
	ctx := context.Background()
	settings := core.DefaultTopicSettings()
	settings.DeduplicationScope = scope
	if _, _, err := broker.CreateTopic(ctx, core.NewTopic{Name: alerts, FIFO: true, Settings: settings}); err != nil {
		t.Fatal(err)
	}
	ordered := pgtest.Name("ordered")
	if _, _, err := broker.CreateQueue(ctx, core.NewQueue{Name: ordered, FIFO: true, Settings: core.DefaultSettings()}); err != nil {
		t.Fatal(err)
	}
	subscribe(t, broker, func(in *core.NewSubscription) {
		in.Protocol, in.Endpoint, in.Queue, in.Raw = "queue", "ordered", ordered, true
	})
	subscribeQueue(t, broker, "standard")
	return broker
}

func publishFIFO(t *testing.T, broker *core.Broker, group, deduplication string, bodies ...string) []core.Published {
	t.Helper()
	in := core.PublishInput{Topic: alerts}
	for _, body := range bodies {
		in.Messages = append(in.Messages, core.NewPublication{Body: []byte(body), GroupID: group, DeduplicationID: deduplication})
	}
	published, err := broker.Publish(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	return published
}

func TestPublishFIFOKeepsTheOrder(t *testing.T) {
	t.Parallel()
	broker := newFIFOTopic(t, "")
	var publishers sync.WaitGroup
	const groups, each = 3, 8
	for g := range groups {
		publishers.Go(func() {
			for i := range each {
				in := core.PublishInput{Topic: alerts, Messages: []core.NewPublication{{Body: fmt.Appendf(nil, "%d", i), GroupID: fmt.Sprint(g)}}}
				if _, err := broker.Publish(context.Background(), in); err != nil {
					t.Error(err)
				}
			}
		})
	}
	publishers.Wait()
	next := map[string]int{}
	for total := 0; total < groups*each; {
		messages := pgtest.Receive(t, broker, pgtest.Name("ordered"), 10)
		if len(messages) == 0 {
			t.Fatalf("only %d messages", total)
		}
		handles := make([]string, len(messages))
		for i, m := range messages {
			handles[i] = m.Handle
			if want := fmt.Sprint(next[m.GroupID]); string(m.Body) != want {
				t.Fatalf("group %s: got %s, want %s", m.GroupID, m.Body, want)
			}
			next[m.GroupID]++
			total++
		}
		if _, err := broker.DeleteMessages(context.Background(), core.DeleteInput{Queue: pgtest.Name("ordered"), Handles: handles}); err != nil {
			t.Fatal(err)
		}
	}
	if got := len(receivedBodies(t, broker, "standard")); got != groups*each {
		t.Errorf("the standard queue has %d messages", got)
	}
}

func TestPublishFIFODropsDuplicates(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		scope     core.DeduplicationScope
		group     string
		after     time.Duration
		duplicate bool
	}{
		"at once":                       {"", "a", 0, true},
		"in another group":              {"", "b", 0, true},
		"in another group, by group":    {core.DeduplicateInGroup, "b", 0, false},
		"in the same group, by group":   {core.DeduplicateInGroup, "a", 0, true},
		"just before the window closes": {"", "a", core.DeduplicationWindow - 30*time.Second, true},
		"when the window has closed":    {"", "a", core.DeduplicationWindow, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broker := newFIFOTopic(t, tt.scope)
			first := publishFIFO(t, broker, "a", "id", "one")[0]
			if tt.after > 0 {
				pgtest.Advance(t, broker, tt.after)
			}
			second := publishFIFO(t, broker, tt.group, "id", "two")[0]
			if second.Duplicate != tt.duplicate || (second.ID == first.ID) != tt.duplicate || (second.Sequence == first.Sequence) != tt.duplicate {
				t.Errorf("first %+v, then %+v", first, second)
			}
			if !tt.duplicate && second.Sequence <= first.Sequence || len(second.Sequence) != 20 {
				t.Errorf("sequences %s, %s", first.Sequence, second.Sequence)
			}
			want := []string{"one", "two"}
			if tt.duplicate {
				want = want[:1]
			}
			if got := receivedBodies(t, broker, "standard"); !slices.Equal(got, want) {
				t.Errorf("the standard queue has %q, want %q", got, want)
			}
		})
	}
}

func TestPublishFIFOBatch(t *testing.T) {
	t.Parallel()
	broker := newFIFOTopic(t, "")
	published := publishFIFO(t, broker, "a", "same", "one", "two")
	if published[0].Duplicate || !published[1].Duplicate || published[1].ID != published[0].ID {
		t.Errorf("the same id twice in a batch: %+v", published)
	}
	_, err := broker.Publish(context.Background(), core.PublishInput{Topic: alerts, Messages: []core.NewPublication{{Body: []byte("x")}}})
	if core.CodeOf(err) != core.InvalidArgument {
		t.Errorf("without a group: %v", err)
	}
	if messages := pgtest.Receive(t, broker, pgtest.Name("ordered"), 10); len(messages) != 1 || messages[0].DeduplicationID != "same" || messages[0].GroupID != "a" {
		t.Errorf("received %+v", messages)
	}
	if n, err := broker.DescribeTopic(context.Background(), alerts); err != nil || n.Counts.Messages != 0 {
		t.Errorf("counts %+v, %v", n.Counts, err)
	}
}

// Callers that wait for a topic leave connections to those of others.
func TestPublishFIFOWaitsAlone(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	broker := topicBroker(t, store)
	ctx := context.Background()
	other := alerts
	other.Name = "other"
	for _, name := range []core.TopicName{alerts, other} {
		if _, _, err := broker.CreateTopic(ctx, core.NewTopic{Name: name, FIFO: true, Settings: core.DefaultTopicSettings()}); err != nil {
			t.Fatal(err)
		}
	}
	message := []core.NewPublication{{Body: []byte("hello"), GroupID: "g"}}
	if _, err := broker.Publish(ctx, core.PublishInput{Topic: alerts, Messages: message}); err != nil {
		t.Fatal(err)
	}
	admin, watch := database(t, store.URL()), database(t, store.URL())
	whileLocked := func(do func()) {
		execute(t, admin, `BEGIN`)
		execute(t, admin, `SELECT FROM topics WHERE name = 'alerts' FOR UPDATE`)
		var publishers sync.WaitGroup
		var begun, ended atomic.Int64
		const callers = 4 * pgtest.PoolSize
		for range callers {
			publishers.Go(func() {
				begun.Add(1)
				if _, err := broker.Publish(ctx, core.PublishInput{Topic: alerts, Messages: message}); err != nil {
					t.Error(err)
				}
				ended.Add(1)
			})
		}
		eventually(t, "publishers wait for the topic", func() bool { return begun.Load() == callers && locksAwaited(t, watch) > 0 })
		do()
		if n := ended.Load(); n > 0 {
			t.Errorf("%d publishers have not waited for the topic", n)
		}
		execute(t, admin, `ROLLBACK`)
		publishers.Wait()
	}
	timesBeside(t, 50, whileLocked, func() {
		if _, err := broker.Publish(ctx, core.PublishInput{Topic: other, Messages: message}); err != nil {
			t.Fatalf("to a topic beside the one that is locked: %v", err)
		}
	})
}

// More callers at a time than there are connections must not wait for each other's.
func TestPublishFIFOByMany(t *testing.T) {
	t.Parallel()
	broker := newFIFOTopic(t, "")
	var publishers sync.WaitGroup
	const callers = 8 * pgtest.PoolSize
	for i := range callers {
		publishers.Go(func() {
			in := core.PublishInput{Topic: alerts, Messages: []core.NewPublication{{Body: []byte("hello"), GroupID: fmt.Sprint(i)}}}
			if _, err := broker.Publish(context.Background(), in); err != nil {
				t.Error(err)
			}
		})
	}
	publishers.Wait()
	if got := len(receivedBodies(t, broker, "standard")); got != callers {
		t.Errorf("the standard queue has %d messages, want %d", got, callers)
	}
}

// What waits for a topic goes together: duplicates among it are found, a message that cannot be published fails its own caller alone, and
// who has gone is not published for.
func TestPublishFIFOTogether(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	broker := newFIFOTopicOn(t, store, "")
	ctx := context.Background()
	admin, watch := database(t, store.URL()), database(t, store.URL())
	execute(t, admin, `BEGIN`)
	execute(t, admin, `SELECT FROM topics FOR UPDATE`)
	gone, leave := context.WithCancel(ctx)
	type answer struct {
		published []core.Published
		err       error
	}
	answers := map[string]chan answer{}
	waiting := 0
	for _, call := range []struct {
		name, id string
		ctx      context.Context
	}{{"first", "", ctx}, {"one", "same", ctx}, {"again", "same", ctx}, {"bad", "", ctx}, {"gone", "", gone}, {"last", "", ctx}} {
		done := make(chan answer, 1)
		answers[call.name] = done
		messages := []core.NewPublication{{Body: []byte(call.name), GroupID: "g", DeduplicationID: call.id}}
		go func() {
			var a answer
			if call.name == "bad" {
				a.published, a.err = publishBadly(ctx, store, messages)
			} else {
				a.published, a.err = broker.Publish(call.ctx, core.PublishInput{Topic: alerts, Messages: messages})
			}
			done <- a
		}()
		if call.name != "first" { // which is under way, and waits for the lock
			waiting++
		}
		eventually(t, call.name+" waits for the topic", func() bool {
			return locksAwaited(t, watch) > 0 && pg.WaitingPublishes(store) == waiting
		})
	}
	leave()
	if a := <-answers["gone"]; a.err == nil {
		t.Errorf("who had gone got %+v", a.published)
	}
	execute(t, admin, `ROLLBACK`)
	one, again, last := <-answers["one"], <-answers["again"], <-answers["last"]
	if one.err != nil || again.err != nil || last.err != nil || (<-answers["first"]).err != nil {
		t.Fatalf("got %v, %v, %v", one.err, again.err, last.err)
	}
	if (<-answers["bad"]).err == nil {
		t.Error("a message that cannot be routed was published")
	}
	if one.published[0].Duplicate || !again.published[0].Duplicate || again.published[0].ID != one.published[0].ID || again.published[0].Sequence != one.published[0].Sequence ||
		last.published[0].Sequence <= one.published[0].Sequence {
		t.Errorf("got %+v, %+v, %+v", one.published, again.published, last.published)
	}
	if got := receivedBodies(t, broker, "standard"); !slices.Equal(got, []string{"first", "one", "last"}) {
		t.Errorf("the standard queue has %q", got)
	}
	var ordered []string
	for range 3 {
		ordered = append(ordered, pgtest.Bodies(pgtest.Receive(t, broker, pgtest.Name("ordered"), 10))...)
	}
	if !slices.Equal(ordered, []string{"first", "one", "last"}) {
		t.Errorf("the FIFO queue has %q", ordered)
	}
}

// publishBadly publishes messages that cannot be routed.
func publishBadly(ctx context.Context, store *pg.Store, messages []core.NewPublication) ([]core.Published, error) {
	routes, err := store.Routes(ctx, alerts)
	if err != nil {
		return nil, err
	}
	return store.PublishFIFO(ctx, routes, messages, func(*core.PublishedMessage) (core.Publication, error) {
		return core.Publication{}, errors.New("no route")
	})
}

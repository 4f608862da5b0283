package pg_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// noisyMessages is how many messages the tenant has waiting who must not delay the others.
const noisyMessages = 10_000

// sendToGroups sends messages to groups, at most a batch at a time. Their bodies say which group's which they are.
func (q *testQueue) sendToGroups(messages int, groups ...string) (sent []core.Sent) {
	q.t.Helper()
	var batch []core.NewMessage
	for i := range messages {
		for _, group := range groups {
			batch = append(batch, core.NewMessage{Body: fmt.Appendf(nil, "%s-%d", group, i), GroupID: group})
		}
	}
	for part := range slices.Chunk(batch, core.MaxBatch) {
		sent = append(sent, q.sendMessages(part...)...)
	}
	return sent
}

// heardOf waits until a server looks where these messages of the queue stand, which another one may have sent.
func (q *testQueue) heardOf(store *pg.Store, sent []core.Sent) {
	q.t.Helper()
	storage := q.describe().Storage
	first := slices.MinFunc(sent, func(a, b core.Sent) int { return a.VisibleAt.Compare(b.VisibleAt) }).VisibleAt
	eventually(q.t, "who receives has heard of it", func() bool { return !pg.MarkOf(store, storage).After(first) })
}

// receivesUntil counts the receives of ten messages each until the group has got that many.
func (q *testQueue) receivesUntil(group string, messages, most int) int {
	q.t.Helper()
	for receives := 1; receives <= most; receives++ {
		for _, m := range q.receive(10) {
			if m.GroupID == group {
				messages--
			}
		}
		if messages <= 0 {
			return receives
		}
	}
	q.t.Fatalf("%d messages of %q are not among the first %d", messages, group, 10*most)
	return 0
}

// TestFairQueue lets one tenant fill a queue: the others' messages are received all the same, whoever sends and receives them.
func TestFairQueue(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	stores := []*pg.Store{open(t, pg.Options{URL: url}), open(t, pg.Options{URL: url})}
	for _, store := range stores {
		if err := store.Heartbeat(context.Background()); err != nil { // they learn of each other
			t.Fatal(err)
		}
	}
	one, other := newBroker(t, stores[0]), newBroker(t, stores[1])
	storeOf := map[*core.Broker]*pg.Store{one: stores[0], other: stores[1]}
	const noticed = 100 // receives while another server's view of the line is stale; of a thousand that it would take
	tests := map[string]struct {
		noisy, quiet, receives *core.Broker
		most                   int
	}{
		"one server":                           {one, one, one, 1},
		"quiet groups send to another":         {one, other, one, noticed},
		"noisy groups send to another":         {other, one, one, 1},
		"receives go to another":               {one, one, other, noticed},
		"the noisy group's server receives":    {other, one, other, noticed},
		"the quiet groups' server only learns": {other, other, one, noticed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			noisy := newQueue(t, tt.noisy)
			quiet, receives := noisy.through(tt.quiet), noisy.through(tt.receives)
			noisy.sendToGroups(noisyMessages, "noisy")
			receives.heardOf(storeOf[tt.receives], quiet.sendToGroups(1, "first"))
			if n := receives.receivesUntil("first", 1, tt.most+2); n > tt.most+1 { // before it stand ten of the noisy group's
				t.Errorf("the first message took %d receives", n)
			}
			for range 20 {
				receives.receive(10)
			}
			receives.heardOf(storeOf[tt.receives], quiet.sendToGroups(1, "single"))
			receives.receivesUntil("single", 1, tt.most)
			noisy.sendToGroups(100, "noisy")
			receives.heardOf(storeOf[tt.receives], quiet.sendToGroups(10, "three", "quiet", "groups"))
			receives.receivesUntil("groups", 10, tt.most+3)
		})
	}
}

// TestFairQueueOrder: among groups that are alike messages are received in the order of sending, and in that order
// with the messages of no group as well.
func TestFairQueueOrder(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	queue := newQueue(t, newBroker(t, store))
	var groups []string
	for i := range 30 {
		groups = append(groups, fmt.Sprintf("g%02d", i))
	}
	queue.sendToGroups(9, groups...)
	var got, want []string
	for i := range 9 {
		for _, group := range groups {
			want = append(want, fmt.Sprintf("%s-%d", group, i))
		}
	}
	for range 27 {
		for _, m := range queue.receive(10) {
			got = append(got, string(m.Body))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("received %v, want %v", got, want)
	}
}

// TestFairQueueBurst: only what a group has waiting beyond the first hundred goes to the end of the line, and once
// most of it is received the group passes the others again.
func TestFairQueueBurst(t *testing.T) {
	t.Parallel()
	queue := newQueue(t, newBroker(t, pgtest.New(t)))
	queue.sendToGroups(2000, "noisy")
	queue.sendToGroups(300, "burst")
	ahead := 0
	for range 30 {
		for _, m := range queue.receive(10) {
			if m.GroupID == "burst" {
				ahead++
			}
		}
	}
	if ahead != 100 {
		t.Errorf("%d messages of the burst are among the first 300, want 100", ahead)
	}
	queue.sendToGroups(1, "burst")
	if n := queue.receivesUntil("burst", 201, 250); n < 190 {
		t.Errorf("the burst was received after %d receives, before what had come before it", n)
	}
	queue.sendToGroups(500, "noisy")
	queue.sendToGroups(1, "burst")
	queue.receivesUntil("burst", 1, 2) // behind the first ten of the other group
}

// TestFairQueueDelay: a place in line makes no delayed message visible, nor one of another priority.
func TestFairQueueDelay(t *testing.T) {
	t.Parallel()
	queue := newQueue(t, newBroker(t, pgtest.New(t)))
	delay := 10 * time.Second
	queue.sendToGroups(10, "noisy")
	queue.sendMessages(
		core.NewMessage{Body: []byte("delayed"), GroupID: "quiet", Delay: &delay},
		core.NewMessage{Body: []byte("less urgent"), GroupID: "quiet", Priority: 9},
	)
	var got []string
	for _, m := range queue.receive(20) {
		got = append(got, string(m.Body))
	}
	if n := len(got); n != 11 || got[10] != "less urgent" {
		t.Errorf("received %v", got)
	}
	queue.advance(delay)
	if got := queue.receive(1); len(got) != 1 || string(got[0].Body) != "delayed" {
		t.Errorf("received %v after the delay", got)
	}
}

// TestFairQueueOfATopic: messages that a topic puts into a queue get their places too.
func TestFairQueueOfATopic(t *testing.T) {
	t.Parallel()
	broker := topicBroker(t, pgtest.New(t))
	newTopic(t, broker)
	subscribeQueue(t, broker, "orders")
	queue := &testQueue{t, broker, pgtest.Name("orders")}
	queue.sendToGroups(1000, "noisy")
	queue.receive(10)
	published := core.PublishInput{Topic: alerts, Messages: []core.NewPublication{{Body: []byte("a"), GroupID: "quiet"}, {Body: []byte("b"), GroupID: "quiet"}}}
	if _, err := broker.Publish(context.Background(), published); err != nil {
		t.Fatal(err)
	}
	if got := bodies(queue.receive(2)); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("received %q first", got)
	}
}

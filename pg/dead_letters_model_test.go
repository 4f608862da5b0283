package pg_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
)

// deadMessage is what the model of dead letters knows of a message.
type deadMessage struct {
	body   string
	here   int    // receives in the present queue
	total  int    // receives that readers see
	source string // the name of the queue that it was moved from, "" for none
}

// deadModel is a chain of queues, each but the last with the next one as its dead-letter queue, in memory and
// beside it the real one that two servers serve. Receives take all there is and hide it for no time.
type deadModel struct {
	queues   [3][2]*testQueue // by their place in the chain, and by the server
	most     [2]int           // receives that the policies allow
	policy   [2]bool          // the queue has one
	there    [3]bool          // the queue exists
	messages [3][]*deadMessage
	received [3][]core.Message // by the last receive of each queue, whose handles are the newest
	sent     int
}

func (m *deadModel) queue(t *rapid.T, place int) *testQueue {
	return m.queues[place][rapid.IntRange(0, 1).Draw(t, "server")]
}

func (m *deadModel) place(t *rapid.T) int {
	place := rapid.IntRange(0, 2).Draw(t, "queue")
	if !m.there[place] {
		t.Skip("it is deleted")
	}
	return place
}

func (m *deadModel) send(t *rapid.T) {
	m.sent++
	body := fmt.Sprintf("%04d", m.sent)
	m.queue(t, 0).sendMessages(core.NewMessage{Body: []byte(body), Priority: rapid.SampledFrom([]int{1, 8, 16}).Draw(t, "priority")})
	m.messages[0] = append(m.messages[0], &deadMessage{body: body})
}

func (m *deadModel) receive(t *rapid.T) {
	place := m.place(t)
	queue := m.queue(t, place)
	var want, kept []*deadMessage
	for _, d := range m.messages[place] {
		if place < 2 && m.policy[place] && m.there[place+1] && d.here >= m.most[place] {
			d.here, d.source = 0, queue.name.String()
			m.messages[place+1] = append(m.messages[place+1], d)
			continue
		}
		d.here, d.total = d.here+1, d.total+1
		want, kept = append(want, d), append(kept, d)
	}
	m.messages[place] = kept
	got := queue.receiveFor(core.MaxBatch, 0)
	if len(got) != len(want) {
		t.Fatalf("received %q from %s, want %d", bodies(got), queue.name, len(want))
	}
	for _, r := range got {
		i := slices.IndexFunc(want, func(d *deadMessage) bool { return d.body == string(r.Body) })
		if i < 0 || r.ReceiveCount != want[i].total || r.Source != want[i].source {
			t.Fatalf("received %s with count %d and source %q, it is not one of %d, or not like that", r.Body, r.ReceiveCount, r.Source, len(want))
		}
	}
	m.received[place] = got
}

// giveBack undoes a part of the last receive.
func (m *deadModel) giveBack(t *rapid.T) {
	place := m.place(t)
	if len(m.received[place]) == 0 {
		t.Skip("nothing to give back")
	}
	r := m.received[place][0]
	m.received[place] = m.received[place][1:]
	i := slices.IndexFunc(m.messages[place], func(d *deadMessage) bool { return d.body == string(r.Body) })
	if _, err := m.queue(t, place).broker.ReturnMessages(context.Background(), m.queues[place][0].name, []core.Message{r}); err != nil {
		t.Fatal(err)
	}
	if i >= 0 {
		m.messages[place][i].here--
		m.messages[place][i].total--
	}
}

// toggle deletes a dead-letter queue, or makes it again.
func (m *deadModel) toggle(t *rapid.T) {
	place := rapid.IntRange(1, 2).Draw(t, "dead-letter queue")
	queue := m.queue(t, place)
	if m.there[place] {
		if err := queue.broker.DeleteQueue(context.Background(), queue.name); err != nil {
			t.Fatal(err)
		}
	} else {
		in := core.NewQueue{Name: queue.name, Settings: core.DefaultSettings()}
		if _, _, err := queue.broker.CreateQueue(context.Background(), in); err != nil {
			t.Fatal(err)
		}
		if place == 1 && m.there[2] {
			queue.deadTo(m.queues[2][0], m.most[1])
		}
		if place == 1 {
			m.policy[1] = m.there[2]
		}
	}
	m.there[place] = !m.there[place]
	m.messages[place], m.received[place] = nil, nil
}

// move moves what is in a dead-letter queue back to the queue before it.
func (m *deadModel) move(t *rapid.T) {
	place := m.place(t)
	direct := func(d *deadMessage) bool { return d.source == "" } // moved back to a dead-letter queue, and new there
	if place == 0 || !m.there[place-1] || !m.policy[place-1] || slices.ContainsFunc(m.messages[place], direct) {
		t.Skip("no dead letters of a queue that is there")
	}
	queue := m.queue(t, place)
	queue.startMove(core.StartMove{})
	queue.wantMoved(core.MoveCompleted, int64(len(m.messages[place])))
	for _, d := range m.messages[place] {
		*d = deadMessage{body: d.body}
		m.messages[place-1] = append(m.messages[place-1], d)
	}
	m.messages[place], m.received[place] = nil, nil
}

func (m *deadModel) check(t *rapid.T) {
	for place, queues := range m.queues {
		if m.there[place] {
			n := int64(len(m.messages[place]))
			queues[0].wantCounts(n, 0, 0, 4*n)
		}
	}
}

// TestDeadLetterModel runs random operations on two servers beside the model.
func TestDeadLetterModel(t *testing.T) {
	t.Parallel()
	if err := fewChecks(); err != nil {
		t.Fatal(err)
	}
	_, _, brokers := servers(t, pg.Options{})
	rapid.Check(t, func(r *rapid.T) {
		m := &deadModel{most: [2]int{rapid.IntRange(1, 3).Draw(r, "first limit"), rapid.IntRange(1, 3).Draw(r, "second limit")}, policy: [2]bool{true, true}, there: [3]bool{true, true, true}}
		long := func(s *core.Settings) { s.Retention = core.MaxRetention }
		first := newQueue(fatal{t, r}, brokers[0], long)
		for place, q := range []*testQueue{first, first.beside("second", long), first.beside("third", long)} {
			m.queues[place] = [2]*testQueue{q, q.through(brokers[1])}
		}
		for place, most := range m.most {
			m.queues[place][0].deadTo(m.queues[place+1][0], most)
		}
		r.Repeat(map[string]func(*rapid.T){
			"send": m.send, "receive": m.receive, "receive more": m.receive, "receive again": m.receive, "give back": m.giveBack,
			"delete or make": m.toggle, "move": m.move,
			"advance": func(t *rapid.T) { m.queue(t, 0).advance(time.Minute) },
			"":        m.check,
		})
	})
}

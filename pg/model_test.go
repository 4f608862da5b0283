package pg_test

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
)

// modelClock is the time of a queue's account, which stands still: it moves when the model does, however long the test takes.
type modelClock struct {
	conn    *pgx.Conn
	account string
	now     time.Duration // since the clock was made
}

// stopClocks makes the clocks of a database such that modelClocks can stop them.
func stopClocks(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn := database(t, url)
	execute(t, conn, `DROP TABLE clocks`)
	execute(t, conn, `CREATE TABLE stopped (account text PRIMARY KEY, at timestamptz NOT NULL)`)
	execute(t, conn, `CREATE VIEW clocks AS SELECT account, at - now() AS ahead FROM stopped`)
	return conn
}

func stopClock(t testing.TB, conn *pgx.Conn, account string) *modelClock {
	t.Helper()
	execute(t, conn, `INSERT INTO stopped VALUES ($1, now())`, account)
	return &modelClock{conn: conn, account: account}
}

func (c *modelClock) move(t *rapid.T, by time.Duration) {
	c.now += by
	if _, err := c.conn.Exec(context.Background(), `UPDATE stopped SET at = at + $1 WHERE account = $2`, by, c.account); err != nil {
		t.Fatal(err)
	}
}

// tick makes the next operation a little later than those before.
func (c *modelClock) tick(t *rapid.T) { c.move(t, time.Millisecond) }

// modelMessage is what the model knows of one message.
type modelMessage struct {
	body     string
	priority int
	visible  time.Duration // when it is, on the model's clock
	count    int           // receives
	newest   string        // the newest handle, "" when it has none
	handles  []string      // all handles, for those of its operations that take any
	sent     time.Duration
}

// model is a standard queue in memory, beside the real one that two servers serve.
type model struct {
	*modelClock
	servers  [2]*testQueue
	messages []*modelMessage
	bodies   int
	purged   []string // handles of content that was purged
	deleted  []string
}

// The times of the models are multiples of these, and the ticks of a run are far less, so that much is due at nearly the same time, each by a
// tick behind the other.
const (
	modelTimeout = time.Minute
	modelStep    = 20 * time.Second
)

func (m *model) server(t *rapid.T) *testQueue {
	return m.servers[rapid.IntRange(0, 1).Draw(t, "server")]
}

func (m *model) timeout(t *rapid.T, label string) time.Duration {
	return time.Duration(rapid.IntRange(0, 4).Draw(t, label)) * modelTimeout
}

func (m *model) send(t *rapid.T) {
	m.tick(t)
	n := rapid.IntRange(1, 4).Draw(t, "messages")
	messages := make([]core.NewMessage, n)
	for i := range messages {
		m.bodies++
		body := fmt.Sprintf("%04d", m.bodies)
		priority := rapid.SampledFrom([]int{1, 8, 8, 8, 16}).Draw(t, "priority")
		delay := time.Duration(0)
		if rapid.IntRange(0, 3).Draw(t, "delayed") == 0 {
			delay = m.timeout(t, "delay")
		}
		messages[i] = core.NewMessage{Body: []byte(body), Priority: priority, Delay: &delay}
		m.messages = append(m.messages, &modelMessage{body: body, priority: priority, visible: m.now + delay, sent: m.now})
	}
	for i, sent := range m.server(t).sendMessages(messages...) {
		message := m.messages[len(m.messages)-n+i]
		if (sent.Handle != "") != (message.visible > m.now) {
			t.Fatalf("handle %q of a message with a delay of %v", sent.Handle, message.visible-m.now)
		}
		if sent.Handle != "" {
			message.newest, message.handles = sent.Handle, []string{sent.Handle}
		}
	}
}

func (m *model) receive(t *rapid.T) {
	m.tick(t)
	limit, timeout := rapid.IntRange(1, 5).Draw(t, "limit"), m.timeout(t, "timeout")
	due := m.due()
	got := m.server(t).receiveFor(limit, timeout)
	if len(got) != min(limit, len(due)) {
		t.Fatalf("received %q, want %d of %s", bodies(got), min(limit, len(due)), describe(due))
	}
	received := map[string]bool{}
	var last *modelMessage
	for i, r := range got {
		place := slices.IndexFunc(due, func(d *modelMessage) bool { return d.body == string(r.Body) })
		if place < 0 || received[string(r.Body)] || due[place].order(due[i]) != 0 {
			t.Fatalf("received %q as number %d of %s", r.Body, i, describe(due))
		}
		if last != nil && last.order(due[place]) == 0 && last.sent > due[place].sent {
			t.Fatalf("received %q before %q, which was sent earlier and became visible at the same time", last.body, r.Body)
		}
		last, received[string(r.Body)] = due[place], true
	}
	for _, r := range got {
		d := due[slices.IndexFunc(due, func(d *modelMessage) bool { return d.body == string(r.Body) })]
		d.count++
		if r.ReceiveCount != d.count || r.Priority != d.priority {
			t.Fatalf("%s was received %d times with priority %d, want %d and %d", d.body, r.ReceiveCount, r.Priority, d.count, d.priority)
		}
		d.visible, d.newest = m.now+timeout, r.Handle
		d.handles = append(d.handles, r.Handle)
	}
}

// due gives what can be received, in order; of what one operation made visible at the same time a receive may find any.
func (m *model) due() (due []*modelMessage) {
	for _, message := range m.messages {
		if message.visible <= m.now {
			due = append(due, message)
		}
	}
	slices.SortStableFunc(due, (*modelMessage).order)
	return due
}

func (d *modelMessage) order(other *modelMessage) int {
	return cmp.Or(d.priority-other.priority, cmp.Compare(d.visible, other.visible))
}

func describe(messages []*modelMessage) (list []string) {
	for _, m := range messages {
		list = append(list, fmt.Sprintf("%s/%d/%v", m.body, m.priority, m.visible))
	}
	return list
}

// handle draws a handle and says whose it is; nil for those of messages that are gone.
func (m *model) handle(t *rapid.T) (handle string, of *modelMessage) {
	gone := slices.Concat(m.deleted, m.purged)
	all := slices.Clone(gone)
	for _, message := range m.messages {
		all = append(all, message.handles...)
	}
	if len(all) == 0 {
		t.Skip("no handles yet")
	}
	handle = rapid.SampledFrom(all).Draw(t, "handle")
	for _, message := range m.messages {
		if slices.Contains(message.handles, handle) {
			return handle, message
		}
	}
	return handle, nil
}

// refusal is what an operation that asks for the newest handle, or not, is answered.
func (m *model) refusal(handle string, of *modelMessage, newest bool) core.Code {
	switch {
	case of == nil:
		return core.MessageNotFound
	case newest && handle != of.newest:
		return core.ReceiptHandleSuperseded
	case newest && of.visible <= m.now:
		return core.ReceiptHandleExpired
	}
	return ""
}

func (m *model) delete(t *rapid.T) {
	handle, of := m.handle(t)
	newest := rapid.Bool().Draw(t, "newest")
	want := m.refusal(handle, of, newest)
	if got := m.server(t).delete(newest, handle); got[0] != want {
		t.Fatalf("delete: %q, want %q", got[0], want)
	}
	if want == "" {
		m.messages = slices.DeleteFunc(m.messages, func(message *modelMessage) bool { return message == of })
		m.deleted = append(m.deleted, of.handles...)
	}
}

func (m *model) changeVisibility(t *rapid.T) {
	m.tick(t)
	handle, of := m.handle(t)
	timeout, newest, rotate := m.timeout(t, "timeout"), rapid.Bool().Draw(t, "newest"), rapid.Bool().Draw(t, "rotate")
	want := m.refusal(handle, of, newest)
	got := m.server(t).change(core.ChangeVisibilityInput{Changes: []core.VisibilityChange{{Handle: handle, Timeout: timeout}}, Newest: newest, Rotate: rotate})[0]
	if code := codes([]error{got.Err})[0]; code != want {
		t.Fatalf("change visibility: %q, want %q", code, want)
	}
	if want != "" || of.visible <= m.now { // a visible message stays as it is
		return
	}
	of.visible = m.now + timeout
	if rotate {
		of.newest = got.Handle
		of.handles = append(of.handles, got.Handle)
	}
}

func (m *model) giveBack(t *rapid.T) {
	m.tick(t)
	handle, of := m.handle(t)
	m.server(t).giveBack(core.Message{Handle: handle})
	if of == nil || handle != of.newest || of.count == 0 {
		return
	}
	of.visible, of.newest = m.now, ""
	of.count--
}

func (m *model) purge(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "rarely") != 0 {
		t.Skip("not now")
	}
	m.server(t).purge()
	for _, message := range m.messages {
		m.purged = append(m.purged, message.handles...)
	}
	m.purged = append(m.purged, m.deleted...)
	m.messages, m.deleted = nil, nil
}

func (m *model) moveTime(t *rapid.T) {
	m.move(t, time.Duration(rapid.IntRange(1, 12).Draw(t, "steps"))*modelStep)
}

func (m *model) peek(t *rapid.T) {
	want := m.due()
	got := peekAll(m.server(t), false)
	if len(got) != len(want) {
		t.Fatalf("peeked at %q, want %s", bodies(got), describe(want))
	}
	for i, p := range got {
		place := slices.IndexFunc(want, func(d *modelMessage) bool { return d.body == string(p.Body) })
		if place < 0 || want[place].order(want[i]) != 0 || p.ReceiveCount != want[place].count {
			t.Fatalf("peeked at %q as number %d of %s", p.Body, i, describe(want))
		}
	}
}

func (m *model) fold(t *rapid.T, store *pg.Store) {
	if _, err := pg.FoldAllCounts(store); err != nil {
		t.Fatal(err)
	}
}

// check compares the counts.
func (m *model) check(t *rapid.T) {
	var want core.QueueCounts
	for _, message := range m.messages {
		want.Bytes += int64(len(message.body))
		switch {
		case message.visible <= m.now:
			want.Visible++
		case message.count > 0:
			want.InFlight++
		default:
			want.Delayed++
		}
	}
	if got := m.server(t).describe().Counts; got != want {
		t.Fatalf("counts %+v, want %+v", got, want)
	}
}

// fewChecks has the models take a few seconds; the seed of a failure is printed.
var fewChecks = sync.OnceValue(func() error {
	return errors.Join(flag.Set("rapid.checks", "40"), flag.Set("rapid.nofailfile", "true"))
})

// TestModel runs random operations on two servers beside the model.
func TestModel(t *testing.T) {
	t.Parallel()
	if err := fewChecks(); err != nil {
		t.Fatal(err)
	}
	url, stores, brokers := servers(t, pg.Options{})
	clocks := stopClocks(t, url)
	rapid.Check(t, func(r *rapid.T) {
		q := newQueue(fatal{t, r}, brokers[0], func(s *core.Settings) { s.Retention = core.MaxRetention })
		m := &model{modelClock: stopClock(t, clocks, q.name.Account), servers: [2]*testQueue{q, q.through(brokers[1])}}
		r.Repeat(map[string]func(*rapid.T){
			"send": m.send, "send more": m.send, "receive": m.receive, "receive more": m.receive, "delete": m.delete,
			"change visibility": m.changeVisibility, "give back": m.giveBack, "purge": m.purge, "move time": m.moveTime,
			"peek": m.peek, "fold": func(t *rapid.T) { m.fold(t, stores[0]) },
			"": m.check,
		})
	})
}

// fatal is a test whose failures are rapid's, so that it can look for a smaller one.
type fatal struct {
	testing.TB
	rapid *rapid.T
}

func (f fatal) Fatalf(format string, args ...any) { f.rapid.Fatalf(format, args...) }
func (f fatal) Fatal(args ...any)                 { f.rapid.Fatal(args...) }
func (f fatal) Errorf(format string, args ...any) { f.rapid.Errorf(format, args...) }
func (f fatal) Error(args ...any)                 { f.rapid.Error(args...) }
func (fatal) Helper()                             {}

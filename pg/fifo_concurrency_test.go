package pg_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// groupWatch checks what consumers get of the groups of a FIFO queue.
type groupWatch struct {
	t       *testing.T
	mu      sync.Mutex
	held    map[string]bool // groups of which somebody holds messages
	next    map[string]int  // the next number that a group is to delete
	deleted int
}

// take takes note of what one receive got: whole groups that nobody else holds, each from its first message on.
func (w *groupWatch) take(messages []core.Message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	expected := map[string]int{}
	for _, m := range messages {
		number, _ := strconv.Atoi(strings.TrimLeft(string(m.Body), "g0123456789:")[1:])
		want, begun := expected[m.GroupID]
		if !begun {
			if w.held[m.GroupID] {
				w.t.Errorf("%s was received while another holds messages of its group", m.Body)
			}
			w.held[m.GroupID], want = true, w.next[m.GroupID]
		}
		if number != want {
			w.t.Errorf("%s was received, want number %d of its group", m.Body, want)
		}
		expected[m.GroupID] = number + 1
	}
}

// TestFIFOUnderLoad has many senders and receivers on two servers, of which some give back what they got, and
// some never say anything of it again.
func TestFIFOUnderLoad(t *testing.T) {
	t.Parallel()
	const groups, perGroup, consumers, senders = 12, 40, 12, 6
	_, _, brokers := servers(t, pg.Options{})
	q := newFIFO(t, brokers[0], func(s *core.Settings) { s.VisibilityTimeout = time.Hour })
	w := &groupWatch{t: t, held: map[string]bool{}, next: map[string]int{}}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var sending, receiving sync.WaitGroup
	for s := range senders {
		sending.Go(func() { // a group has one sender, or there would be no order to check
			to := q.through(brokers[s%2])
			for n := 0; n < perGroup; n += 2 {
				for g := s; g < groups; g += senders {
					message := func(n int) core.NewMessage {
						body := fmt.Sprintf("g%d:#%d", g, n)
						return core.NewMessage{Body: []byte(body), GroupID: fmt.Sprint("g", g), DeduplicationID: body}
					}
					to.sendMessages(message(n), message(n), message(n+1))
				}
			}
		})
	}
	for c := range consumers {
		receiving.Go(func() {
			r := rand.New(rand.NewPCG(uint64(c), 1))
			from := q.through(brokers[c%2])
			for !w.done(groups * perGroup) {
				messages, err := from.broker.ReceiveMessages(ctx, core.ReceiveInput{Queue: q.name, Limit: 1 + r.IntN(6), Wait: ptr(200 * time.Millisecond)})
				if err != nil {
					t.Errorf("receive: %v", err)
					return
				}
				w.take(messages)
				w.consume(from, r, messages)
			}
		})
	}
	sending.Wait()
	receiving.Wait()
	if got := q.describe().Counts; got != (core.QueueCounts{}) {
		t.Errorf("counts %+v when all is deleted", got)
	}
}

func (w *groupWatch) done(all int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.deleted == all || w.t.Failed()
}

// consume deletes some of the messages of each group, in order, and gives the rest back.
func (w *groupWatch) consume(q *testQueue, r *rand.Rand, messages []core.Message) {
	for len(messages) > 0 {
		n := 1
		for n < len(messages) && messages[n].GroupID == messages[0].GroupID {
			n++
		}
		kept := r.IntN(n + 1)
		var handles []string
		for _, m := range messages[:kept] {
			handles = append(handles, m.Handle)
		}
		w.release(messages[0].GroupID, kept, kept == n)
		if kept > 0 {
			for i, code := range q.delete(false, handles...) {
				if code != "" {
					w.t.Errorf("delete %s: %s", messages[i].Body, code)
				}
			}
		}
		if kept < n { // the last first, so that the group opens when all are back
			w.release(messages[0].GroupID, 0, true)
			for i := n - 1; i >= kept; i-- {
				if r.IntN(2) == 0 {
					q.giveBack(messages[i])
				} else {
					q.hide(messages[i].Handle, 0)
				}
			}
		}
		messages = messages[n:]
	}
}

// release says that so many messages of a group are about to be deleted, and whether the group is then free. It comes
// before the deletes, after which others may have the group at once.
func (w *groupWatch) release(group string, deleted int, free bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next[group] += deleted
	w.deleted += deleted
	if free {
		delete(w.held, group)
	}
}

// TestFIFOCoalescedReceive gives each of the callers that wait together a group of its own.
func TestFIFOCoalescedReceive(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	q := newFIFO(t, newBroker(t, store))
	const callers = 8
	for g := range callers + 2 {
		q.sendTo(fmt.Sprint("g", g), "a", "b", "c")
	}
	release := pg.HoldTrains(store)
	results := make(chan []core.Message, callers)
	for range callers {
		go func() { results <- q.receive(5) }()
	}
	eventually(t, "all wait", func() bool { return pg.Waiting(store) == callers })
	release()
	seen, filled := map[string]bool{}, 0
	for range callers {
		messages := <-results
		inOne := map[string]bool{}
		for _, m := range messages {
			inOne[m.GroupID] = true
		}
		for group := range inOne {
			if seen[group] {
				t.Errorf("group %s went to two callers", group)
			}
			seen[group] = true
		}
		if len(inOne) == 2 {
			filled++
		}
		if len(messages) != 3 && len(messages) != 5 {
			t.Errorf("a caller got %d messages", len(messages))
		}
	}
	if len(seen) != callers+2 || filled != 2 {
		t.Errorf("%d groups went to %d callers, %d of whom got two", len(seen), callers, filled)
	}
}

// TestFIFOReceiverIsGone gives what a caller that is gone would have got to another, or back.
func TestFIFOReceiverIsGone(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	q := newFIFO(t, newBroker(t, store))
	q.sendTo("g", "a", "b", "c")
	release := pg.HoldTrains(store)
	ctx, leave := context.WithCancel(context.Background())
	gone := make(chan error)
	go func() {
		_, err := q.broker.ReceiveMessages(ctx, core.ReceiveInput{Queue: q.name, Limit: 2, Wait: ptr(time.Duration(0))})
		gone <- err
	}()
	eventually(t, "it waits", func() bool { return pg.Waiting(store) == 1 })
	leave()
	if err := <-gone; err == nil {
		t.Error("who is gone was answered")
	}
	release()
	eventually(t, "its train is back", func() bool { return pg.Waiting(store) == 0 })
	m := q.receiveWith(core.ReceiveInput{Limit: 10, Wait: ptr(core.MaxReceiveWait)})
	if len(m) < 2 || string(m[0].Body) != "a" || m[0].ReceiveCount != 1 {
		t.Errorf("received %q", bodies(m))
	}
}

// TestAttemptOfWhoIsGone gives what an attempt was to get to another once its caller is gone: who attempts
// it again gets something else.
func TestAttemptOfWhoIsGone(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	q := newFIFO(t, newBroker(t, store))
	q.sendTo("g", "a")
	release := pg.HoldTrains(store)
	ctx, leave := context.WithCancel(context.Background())
	gone := make(chan error)
	go func() {
		_, err := q.broker.ReceiveMessages(ctx, core.ReceiveInput{Queue: q.name, Limit: 1, AttemptID: "1", Wait: ptr(time.Duration(0))})
		gone <- err
	}()
	eventually(t, "it waits", func() bool { return pg.Waiting(store) == 1 })
	other := make(chan []core.Message)
	go func() { other <- q.receiveWith(core.ReceiveInput{Limit: 1, Wait: ptr(core.MaxReceiveWait)}) }()
	eventually(t, "another waits behind it", func() bool { return pg.Waiting(store) == 2 })
	leave()
	<-gone
	release()
	if got := <-other; len(got) != 1 {
		t.Errorf("the other received %d messages", len(got))
	}
	if got := q.attempt("1", 1, time.Minute); len(got) != 0 {
		t.Errorf("the attempt got %q, which another has", bodies(got))
	}
}

// TestFIFOManyLockedGroups receives while half of many groups are locked: it looks at few of them.
func TestFIFOManyLockedGroups(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	q := newFIFO(t, newBroker(t, store))
	q.sendTo("first", "a")
	q.receiveFor(1, time.Hour)
	const groups = 100_000
	conn := database(t, store.URL())
	var storage int64
	if err := conn.QueryRow(context.Background(), `SELECT storage_id FROM queues`).Scan(&storage); err != nil {
		t.Fatal(err)
	}
	execute(t, conn, `INSERT INTO groups (storage_id, group_key, due, head)
		SELECT $1, i, now() + CASE WHEN i % 2 = 0 THEN interval '1 hour' ELSE - i * interval '1 millisecond' END, 1000000 + i FROM generate_series(1, $2::bigint) i`, storage, groups)
	execute(t, conn, `INSERT INTO fifo_messages (storage_id, group_key, sequence, id, visible_at, sent_at, size, priority, form, group_id, body)
		SELECT storage_id, group_key, head, head, due, now() - interval '1 minute', 1, 8, 0, group_key::text, 'a' FROM groups WHERE group_key BETWEEN 1 AND $1`, groups)
	execute(t, conn, `ANALYZE groups, fifo_messages`)
	reads := func() (rows int64) {
		t.Helper()
		err := conn.QueryRow(context.Background(), `SELECT sum(idx_tup_fetch + seq_tup_read)::bigint FROM pg_stat_xact_user_tables`).Scan(&rows)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	execute(t, conn, `BEGIN`)
	for name, value := range pg.SessionSettings() {
		execute(t, conn, `SELECT set_config($1, $2, true)`, name, strings.ReplaceAll(value, `"`, ""))
	}
	before := reads()
	var id, version int64
	if err := conn.QueryRow(context.Background(), `SELECT id, version FROM queues`).Scan(&id, &version); err != nil {
		t.Fatal(err)
	}
	sql, names := pg.Positional(pg.ReceiveFIFOSQL)
	args := map[string]any{
		"queue": []int64{id}, "version": []int64{version}, "first": []int32{0}, "callers": []int32{1}, "wanted": []int64{10}, "per_group": []int64{100},
		"mark": []time.Time{{}}, "timeout": []int64{30_000_000}, "limit": []int64{10}, "attempt": [][]byte{nil}, "window": core.DeduplicationWindow,
	}
	values := make([]any, len(names))
	for i, name := range names {
		values[i] = args[name]
	}
	rows, _ := conn.Query(context.Background(), sql, values...) // CollectRows returns its error
	got, err := pgx.CollectRows(rows, func(pgx.CollectableRow) (struct{}, error) { return struct{}{}, nil })
	if err != nil || len(got) != 21 { // the lane, and ten groups with a message each
		t.Fatalf("%d rows: %v", len(got), err)
	}
	if read := reads() - before; read > 200 {
		t.Errorf("the receive of ten messages read %d rows", read)
	}
	execute(t, conn, `ROLLBACK`)
	other := q.through(newBroker(t, pgtest.Open(t, store.URL()))) // whose mark does not stand behind what was inserted
	if got := other.receive(10); len(got) != 10 {
		t.Errorf("received %d messages", len(got))
	}
}

package pg_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// inBothModes runs a test on a store of its own with prepared statements, and on one that keeps
// nothing in its sessions, as behind a pooler.
func inBothModes(t *testing.T, test func(t *testing.T, store *pg.Store)) {
	t.Helper()
	t.Parallel()
	for name, pooled := range map[string]bool{"direct": false, "pooled": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.DatabaseURL(t)
			test(t, open(t, pg.Options{URL: url, DirectURL: url, Pooled: pooled}))
		})
	}
}

// open gives a store, closed after the test.
func open(t testing.TB, opts pg.Options) *pg.Store {
	t.Helper()
	opts.PoolSize = pgtest.PoolSize
	opts.Log = zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel)
	store, err := pg.Open(context.Background(), opts)
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(store.Close)
	return store
}

// another gives a store on the same database that reaches it in the same way.
func another(t testing.TB, store *pg.Store) *pg.Store {
	t.Helper()
	return open(t, pg.Options{URL: store.URL(), DirectURL: store.URL(), Pooled: pg.IsPooled(store)})
}

// newBroker gives a broker on a store, closed after the test.
func newBroker(t testing.TB, store *pg.Store) *core.Broker {
	t.Helper()
	broker := core.NewBroker(store)
	t.Cleanup(broker.Close)
	return broker
}

// testQueue is a queue and the test that uses it: what must not fail fails the test.
type testQueue struct {
	t      testing.TB
	broker *core.Broker
	name   core.QueueName
}

var accounts atomic.Int64

// newQueue makes a queue in an account of its own, whose time moves alone.
func newQueue(t testing.TB, broker *core.Broker, settings ...func(*core.Settings)) *testQueue {
	t.Helper()
	in := core.NewQueue{
		Name:     core.QueueName{Account: fmt.Sprintf("%012d", accounts.Add(1)), Region: pgtest.Region, Name: "orders"},
		Settings: core.DefaultSettings(),
	}
	for _, set := range settings {
		set(&in.Settings)
	}
	if _, created, err := broker.CreateQueue(context.Background(), in); err != nil || !created {
		t.Fatalf("create queue %s: %v, created %v", in.Name, err, created)
	}
	return &testQueue{t, broker, in.Name}
}

// through gives the same queue as another server sees it.
func (q *testQueue) through(broker *core.Broker) *testQueue { return &testQueue{q.t, broker, q.name} }

func (q *testQueue) send(bodies ...string) []core.Sent {
	q.t.Helper()
	messages := make([]core.NewMessage, len(bodies))
	for i, body := range bodies {
		messages[i].Body = []byte(body)
	}
	return q.sendMessages(messages...)
}

func (q *testQueue) sendMessages(messages ...core.NewMessage) []core.Sent {
	q.t.Helper()
	sent, err := q.broker.SendMessages(context.Background(), core.SendInput{Queue: q.name, Messages: messages})
	if err != nil {
		q.t.Fatalf("send: %v", err)
	}
	return sent
}

// receive receives what is there, hiding it for the queue's visibility timeout.
func (q *testQueue) receive(limit int) []core.Message {
	q.t.Helper()
	return q.receiveWith(core.ReceiveInput{Limit: limit, Wait: ptr(time.Duration(0))})
}

func (q *testQueue) receiveFor(limit int, timeout time.Duration) []core.Message {
	q.t.Helper()
	return q.receiveWith(core.ReceiveInput{Limit: limit, VisibilityTimeout: &timeout, Wait: ptr(time.Duration(0))})
}

func (q *testQueue) receiveWith(in core.ReceiveInput) []core.Message {
	q.t.Helper()
	in.Queue = q.name
	messages, err := q.broker.ReceiveMessages(context.Background(), in)
	if err != nil {
		q.t.Fatalf("receive: %v", err)
	}
	return messages
}

// one receives the single message that is there.
func (q *testQueue) one() core.Message {
	q.t.Helper()
	messages := q.receive(10)
	if len(messages) != 1 {
		q.t.Fatalf("received %d messages, want one", len(messages))
	}
	return messages[0]
}

// wantReceive fails unless a receive finds just these bodies, in this order.
func (q *testQueue) wantReceive(want ...string) []core.Message {
	q.t.Helper()
	messages := q.receive(core.MaxBatch)
	if got := pgtest.Bodies(messages); !slices.Equal(got, want) {
		q.t.Errorf("received %q, want %q", got, want)
	}
	return messages
}

// delete deletes by handles and gives a code for each, "" for those deleted.
func (q *testQueue) delete(newest bool, handles ...string) []core.Code {
	q.t.Helper()
	errs, err := q.broker.DeleteMessages(context.Background(), core.DeleteInput{Queue: q.name, Handles: handles, Newest: newest})
	if err != nil {
		q.t.Fatalf("delete: %v", err)
	}
	return codes(errs)
}

func codes(errs []error) []core.Code {
	list := make([]core.Code, len(errs))
	for i, err := range errs {
		if err != nil {
			list[i] = core.CodeOf(err)
		}
	}
	return list
}

func (q *testQueue) change(in core.ChangeVisibilityInput) []core.VisibilityResult {
	q.t.Helper()
	in.Queue = q.name
	results, err := q.broker.ChangeVisibility(context.Background(), in)
	if err != nil {
		q.t.Fatalf("change visibility: %v", err)
	}
	return results
}

// hide changes the visibility of one message by any of its handles.
func (q *testQueue) hide(handle string, timeout time.Duration) core.VisibilityResult {
	q.t.Helper()
	return q.change(core.ChangeVisibilityInput{Changes: []core.VisibilityChange{{Handle: handle, Timeout: timeout}}})[0]
}

func (q *testQueue) alter(change core.QueueChange) {
	q.t.Helper()
	if _, err := q.broker.AlterQueue(context.Background(), q.name, change); err != nil {
		q.t.Fatalf("alter: %v", err)
	}
}

func (q *testQueue) purge() {
	q.t.Helper()
	if err := q.broker.PurgeQueue(context.Background(), q.name); err != nil {
		q.t.Fatalf("purge: %v", err)
	}
}

// recreate deletes the queue and makes another one of its name.
func (q *testQueue) recreate() {
	q.t.Helper()
	if err := q.broker.DeleteQueue(context.Background(), q.name); err != nil {
		q.t.Fatalf("delete queue: %v", err)
	}
	if _, _, err := q.broker.CreateQueue(context.Background(), core.NewQueue{Name: q.name, Settings: core.DefaultSettings()}); err != nil {
		q.t.Fatalf("create queue: %v", err)
	}
}

func (q *testQueue) advance(by time.Duration) {
	q.t.Helper()
	if _, err := q.broker.AdvanceClock(context.Background(), q.name.Account, by); err != nil {
		q.t.Fatalf("advance the clock: %v", err)
	}
}

func (q *testQueue) describe() core.Queue {
	q.t.Helper()
	queue, err := q.broker.DescribeQueue(context.Background(), q.name)
	if err != nil {
		q.t.Fatalf("describe: %v", err)
	}
	return queue
}

// wantCounts fails unless the queue's counts are these.
func (q *testQueue) wantCounts(visible, inFlight, delayed, bytes int64) {
	q.t.Helper()
	if got, want := q.describe().Counts, (core.QueueCounts{Visible: visible, InFlight: inFlight, Delayed: delayed, Bytes: bytes}); got != want {
		q.t.Errorf("counts %+v, want %+v", got, want)
	}
}

// database connects to a store's database as somebody else would, on polymq's schema.
func database(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	execute(t, conn, `SET search_path = polymq`)
	return conn
}

func execute(t testing.TB, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// today gives the database's day. Tests of days look at it before and after: only where midnight came in between may they find it.
func today(t testing.TB, conn *pgx.Conn) (day time.Time) {
	t.Helper()
	if err := conn.QueryRow(context.Background(), `SELECT (now() AT TIME ZONE 'UTC')::date`).Scan(&day); err != nil {
		t.Fatalf("read the day: %v", err)
	}
	return day
}

// locksAwaited says how many sessions of conn's database wait for a lock. The tests' databases share one PostgreSQL, whose other sessions
// do not count; conn must be in no transaction, which would go on seeing its first answer.
func locksAwaited(t testing.TB, conn *pgx.Conn) (n int) {
	t.Helper()
	err := conn.QueryRow(context.Background(), `SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`).Scan(&n)
	if err != nil {
		t.Fatalf("count who waits for a lock: %v", err)
	}
	return n
}

func handlesOf(messages []core.Message) []string {
	handles := make([]string, len(messages))
	for i := range messages {
		handles[i] = messages[i].Handle
	}
	return handles
}

func ptr[T any](v T) *T { return &v }

func repeat[T any](v T, n int) []T { return slices.Repeat([]T{v}, n) }

// deadline bounds what a test waits for; it is never reached by one that passes.
const deadline = 20 * time.Second

// eventually polls until the condition holds. It gives up when the deadline has passed and it has polled
// for a while as well, for the machine may have stood still in between.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	const enough = 500 // polls
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.Now().Add(deadline)
	for polls := 0; !condition(); polls++ {
		if polls > enough && time.Now().After(end) {
			t.Fatalf("%v have passed, and still not: %s", deadline, what)
		}
		<-tick.C
	}
}

package pg_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// TestCounts follows messages through all states. The counts are right after each step, also when
// the counters have been folded in between.
func TestCounts(t *testing.T) {
	type want struct{ visible, inFlight, delayed, bytes int64 }
	steps := []struct {
		name string
		do   func(q *testQueue, handles map[string]string)
		want want
	}{
		{"nothing", func(*testQueue, map[string]string) {}, want{}},
		{"sent", func(q *testQueue, _ map[string]string) {
			q.sendMessages(core.NewMessage{Body: []byte("12345"), Attributes: []core.Attribute{{Name: "n", Type: "String", Value: []byte("v")}}})
			q.send("a", "b", "c", "d")
		}, want{5, 0, 0, 17}},
		{"sent with other priorities", func(q *testQueue, _ map[string]string) {
			q.sendMessages(core.NewMessage{Body: []byte("urgent"), Priority: 1}, core.NewMessage{Body: []byte("idle"), Priority: 16})
		}, want{7, 0, 0, 27}},
		{"sent with delays", func(q *testQueue, handles map[string]string) {
			for _, hours := range []int{1, 60, 61, 62} {
				handles[fmt.Sprint(hours)] = q.sendMessages(core.NewMessage{Body: []byte("d"), Priority: 16, Delay: ptr(time.Duration(hours) * time.Hour)})[0].Handle
			}
		}, want{7, 0, 4, 31}},
		{"received", func(q *testQueue, handles map[string]string) {
			for i, m := range q.receiveFor(4, 30*time.Minute) { // urgent, 12345, a, b
				handles[fmt.Sprint("m", i)] = m.Handle
			}
		}, want{3, 4, 4, 31}},
		{"received without hiding", func(q *testQueue, _ map[string]string) { q.receiveFor(2, 0) }, want{3, 4, 4, 31}},
		{"deleted in flight", func(q *testQueue, handles map[string]string) { q.delete(true, handles["m0"]) }, want{3, 3, 4, 25}},
		{"deleted twice", func(q *testQueue, handles map[string]string) { q.delete(false, handles["m0"]) }, want{3, 3, 4, 25}},
		{"deleted while delayed", func(q *testQueue, handles map[string]string) { q.delete(true, handles["60"]) }, want{3, 3, 3, 24}},
		{"hidden for longer", func(q *testQueue, handles map[string]string) { q.hide(handles["m1"], 2*time.Hour) }, want{3, 3, 3, 24}},
		{"made visible", func(q *testQueue, handles map[string]string) { q.hide(handles["m2"], 0) }, want{4, 2, 3, 24}},
		{"hidden again in vain", func(q *testQueue, handles map[string]string) { q.hide(handles["m2"], time.Hour) }, want{4, 2, 3, 24}},
		{"made visible before its delay was over", func(q *testQueue, handles map[string]string) { q.hide(handles["61"], 0) }, want{5, 2, 2, 24}},
		{"back after the visibility timeout", func(q *testQueue, _ map[string]string) { q.advance(30 * time.Minute) }, want{6, 1, 2, 24}},
		{"deleted when back", func(q *testQueue, handles map[string]string) { q.delete(false, handles["m3"]) }, want{5, 1, 2, 23}},
		{"after the delay", func(q *testQueue, _ map[string]string) { q.advance(30 * time.Minute) }, want{6, 1, 1, 23}},
		{"back after the longer timeout", func(q *testQueue, _ map[string]string) { q.advance(time.Hour) }, want{7, 0, 1, 23}},
		{"all received", func(q *testQueue, handles map[string]string) {
			for i, m := range q.receiveFor(100, time.Hour) {
				handles[fmt.Sprint("n", i)] = m.Handle
			}
		}, want{0, 7, 1, 23}},
		{"given back", func(q *testQueue, handles map[string]string) {
			q.giveBack(core.Message{Handle: handles["n0"]}, core.Message{Handle: handles["n1"]})
		}, want{2, 5, 1, 23}},
		{"given back twice", func(q *testQueue, handles map[string]string) { q.giveBack(core.Message{Handle: handles["n0"]}) }, want{2, 5, 1, 23}},
		{"past its retention", func(q *testQueue, _ map[string]string) { q.advance(4 * 24 * time.Hour) }, want{0, 0, 0, 0}},
		{"sent and purged", func(q *testQueue, _ map[string]string) {
			q.send("a")
			q.purge()
			q.send("b")
		}, want{1, 0, 0, 1}},
	}
	folds := map[string]int{"never folded": 0, "folded after each step": 1, "folded now and then": 3}
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		for name, every := range folds {
			t.Run(name, func(t *testing.T) {
				q, handles := newQueue(t, broker), map[string]string{}
				for i, step := range steps {
					step.do(q, handles)
					if every > 0 && i%every == 0 {
						if _, err := pg.FoldAllCounts(store); err != nil {
							t.Fatal(err)
						}
					}
					got := q.describe().Counts
					if got := (want{got.Visible, got.InFlight, got.Delayed, got.Bytes}); got != step.want {
						t.Fatalf("%s: %+v, want %+v", step.name, got, step.want)
					}
				}
			})
		}
	})
}

// What becomes visible within the present second is counted one by one.
func TestCountsWithinASecond(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		var sent []core.Sent
		for i := range 30 {
			sent = append(sent, q.sendMessages(core.NewMessage{Body: []byte("a"), Delay: ptr(3*time.Second + time.Duration(i)*100*time.Millisecond)})...)
		}
		for step := range 40 {
			before := q.now()
			got := q.describe().Counts
			after := q.now()
			visible := func(now time.Time) (n int64) {
				for _, s := range sent {
					if !s.VisibleAt.After(now) {
						n++
					}
				}
				return n
			}
			if low, high := visible(before), visible(after); got.Visible < low || got.Visible > high || got.Visible+got.Delayed != 30 {
				t.Errorf("step %d: %+v, want %d to %d visible and 30 in all", step, got, low, high)
			}
			q.advance(150 * time.Millisecond)
		}
		q.wantCounts(30, 0, 0, 30)
	})
}

// now gives the time of the queue's account.
func (q *testQueue) now() time.Time {
	q.t.Helper()
	now, err := q.broker.AdvanceClock(context.Background(), q.name.Account, 0)
	if err != nil {
		q.t.Fatal(err)
	}
	return now
}

// Folding keeps few rows: one of the past and one for each second in which something becomes visible.
func TestFoldCounts(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		conn := database(t, store.URL())
		rows := func() (n int) {
			t.Helper()
			if err := conn.QueryRow(context.Background(), `SELECT count(*) FROM counts`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		for range 30 {
			q.send("a", "b")
			q.receiveFor(1, time.Hour)
		}
		if n := rows(); n < 60 {
			t.Errorf("%d rows before folding, want at least 60", n)
		}
		if n, err := store.FoldCounts(context.Background(), 10); n != 10 || err != nil {
			t.Errorf("folded %d rows, %v; want no more than asked for", n, err)
		}
		q.wantCounts(30, 30, 0, 60)
		if _, err := pg.FoldAllCounts(store); err != nil {
			t.Fatal(err)
		}
		if n := rows(); n > 31+8 {
			t.Errorf("%d rows after folding", n)
		}
		q.wantCounts(30, 30, 0, 60)
		q.advance(time.Hour)
		q.delete(false, handlesOf(q.receive(60))...)
		execute(t, conn, `UPDATE counts SET bucket = bucket - interval '3 hours'`) // what lies in the past by the database's clock
		if _, err := pg.FoldAllCounts(store); err != nil {
			t.Fatal(err)
		}
		q.wantCounts(0, 0, 0, 0)
		if n := rows(); n > 8 {
			t.Errorf("%d rows of an empty queue", n)
		}
	})
}

// A server folds what it has written itself as soon as it is much, without looking at all there is.
func TestFoldCountsOfItsOwn(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		busy, idle := newQueue(t, broker), newQueue(t, broker)
		pg.FoldedAll(store)
		fold := func(want int) {
			t.Helper()
			if n, err := store.FoldCounts(context.Background(), 1000); n != want || err != nil {
				t.Errorf("folded %d rows, %v; want %d", n, err, want)
			}
		}
		for i := range pg.FoldFrom {
			if i == pg.FoldFrom-1 {
				fold(0)
			}
			busy.send("a")
		}
		idle.send("a")
		fold(pg.FoldFrom)
		fold(0)
		busy.wantCounts(pg.FoldFrom, 0, 0, pg.FoldFrom)
		idle.wantCounts(1, 0, 0, 1)
	})
}

// What was sent, received and deleted leaves nothing, also while it would still be hidden.
func TestFoldCountsOfWholeCycles(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		const cycles = 20
		for i := range cycles {
			q.send("a")
			q.delete(false, handlesOf(q.receiveFor(1, time.Hour+time.Duration(i)*time.Minute))...)
		}
		q.wantCounts(0, 0, 0, 0)
		if n, err := pg.FoldAllCounts(store); n != 3*cycles || err != nil {
			t.Errorf("folded %d rows, %v; want all %d", n, err, 3*cycles)
		}
		var left int
		if err := database(t, store.URL()).QueryRow(t.Context(), `SELECT count(*) FROM counts`).Scan(&left); left != 0 || err != nil {
			t.Errorf("%d rows left, %v", left, err)
		}
		q.wantCounts(0, 0, 0, 0)
	})
}

// What needs the rows that it has is left as it is. A queue with many more than it needs is found among them.
func TestFoldCountsWhereItIsWorthIt(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		conn := database(t, store.URL())
		execute(t, conn, `INSERT INTO counts (storage_id, bucket, in_flight) SELECT 900 + i % 100, now() + (1000 + i) * interval '1 second', 1 FROM generate_series(1, 500) AS i`)
		fold := func(want int) {
			t.Helper()
			if n, err := pg.FoldAllCounts(store); n != want || err != nil {
				t.Errorf("folded %d rows, %v; want %d", n, err, want)
			}
		}
		fold(0)
		pg.FoldedAll(store)
		for range pg.FoldFrom - 1 {
			q.send("a")
		}
		execute(t, conn, `INSERT INTO counts (storage_id, bucket, messages) VALUES ($1, '-infinity', 1)`, q.describe().Storage) // another server's
		fold(0)
		execute(t, conn, `INSERT INTO counts (storage_id, bucket, messages) VALUES ($1, '-infinity', 1)`, q.describe().Storage)
		fold(500 + pg.FoldFrom + 1)
		q.wantCounts(pg.FoldFrom+1, 0, 0, pg.FoldFrom-1)
		fold(0)
	})
}

// All there is is gone through once, in batches: what is written behind the place that was reached waits for the next time.
func TestFoldCountsGoesThroughOnce(t *testing.T) {
	store := pgtest.Open(t, pgtest.DatabaseURL(t))
	q := newQueue(t, newBroker(t, store))
	const rows = 40
	for range rows {
		q.send("a")
	}
	pg.ForgetFolded(store)
	conn := database(t, store.URL())
	others := func(want int) {
		t.Helper()
		var n int
		if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM counts WHERE storage_id = 999`).Scan(&n); n != want || err != nil {
			t.Errorf("%d rows of others, %v; want %d", n, err, want)
		}
	}
	for i, batch := range []int{rows / 4, rows / 4, rows} { // each leaves a row with the sum of those that it took
		n, err := store.FoldCounts(t.Context(), batch)
		if want := min(batch, rows/2+2); n != want || err != nil {
			t.Errorf("batch %d folded %d rows, %v; want %d", i, n, err, want)
		}
		execute(t, conn, `VACUUM counts`) // frees the places of the rows that were folded
		execute(t, conn, `INSERT INTO counts (storage_id, bucket, messages) SELECT 999, '-infinity', 1 FROM generate_series(1, $1)`, rows/4)
		others((i + 1) * rows / 4)
	}
	if n, err := store.FoldCounts(t.Context(), rows); n != 0 || err != nil {
		t.Errorf("folded %d rows more, %v", n, err)
	}
	others(3 * rows / 4)
	q.wantCounts(rows, 0, 0, rows)
	if n, err := pg.FoldAllCounts(store); n != 3*rows/4+1 || err != nil {
		t.Errorf("folded %d rows the next time, %v", n, err)
	}
	others(1)
	q.wantCounts(rows, 0, 0, rows)
}

// Counts add up while others send, receive, delete, change and fold.
func TestCountsUnderLoad(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	stores := []*pg.Store{pgtest.Open(t, url), pgtest.Open(t, url)}
	brokers := []*core.Broker{newBroker(t, stores[0]), newBroker(t, stores[1])}
	q := newQueue(t, brokers[0])
	const workers, each = 16, 25
	var mu sync.Mutex
	sent, deleted := 0, 0
	var load, watch sync.WaitGroup
	for i := range workers {
		load.Go(func() {
			q := q.through(brokers[i%2])
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for range each {
				n := 1 + random.IntN(5)
				q.sendMessages(repeat(core.NewMessage{Body: []byte("ab"), Priority: 1 + random.IntN(3)}, n)...)
				received := q.receive(1 + random.IntN(5))
				gone := 0
				for j, m := range received {
					switch (i + j) % 4 {
					case 0, 1:
						gone += len(slices.DeleteFunc(q.delete(j%2 == 0, m.Handle), func(c core.Code) bool { return c != "" }))
					case 2:
						q.hide(m.Handle, time.Duration(random.IntN(3))*time.Hour)
					case 3:
						q.giveBack(m)
					}
				}
				mu.Lock()
				sent, deleted = sent+n, deleted+gone
				mu.Unlock()
			}
		})
	}
	loaded := make(chan struct{})
	for _, store := range stores {
		watch.Go(func() {
			for {
				select {
				case <-loaded:
					return
				default:
				}
				pg.ForgetFolded(store)
				if _, err := store.FoldCounts(context.Background(), 500); err != nil {
					t.Errorf("fold: %v", err)
				}
				if c := q.describe().Counts; c.Visible < 0 || c.InFlight < 0 || c.Delayed != 0 || c.Bytes != 2*(c.Visible+c.InFlight) {
					t.Errorf("counts %+v", c)
				}
			}
		})
	}
	load.Wait()
	close(loaded)
	watch.Wait()
	var visible, inFlight int64
	err := database(t, url).QueryRow(context.Background(), `SELECT count(*) FILTER (WHERE visible_at <= now()), count(*) FILTER (WHERE visible_at > now()) FROM messages`).Scan(&visible, &inFlight)
	if err != nil || visible+inFlight != int64(sent-deleted) {
		t.Fatalf("%d and %d rows, %v; sent %d and deleted %d", visible, inFlight, err, sent, deleted)
	}
	q.wantCounts(visible, inFlight, 0, 2*(visible+inFlight))
}

// A large queue, half of it in flight, is counted about as fast as a small one.
func TestCountsOfALargeQueue(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	q := newQueue(t, newBroker(t, store))
	storage := q.describe().Storage
	conn := database(t, store.URL())
	const messages = 300_000
	execute(t, conn, fillSQL, storage, messages)
	execute(t, conn, `INSERT INTO counts (storage_id, bucket, messages, bytes) VALUES ($1, '-infinity', $2, $2)`, storage, messages)
	execute(t, conn, `INSERT INTO counts (storage_id, bucket, in_flight) SELECT storage_id, date_bin('1 second', visible_at, '2000-01-01'), count(*)
		FROM messages WHERE visible_at > now() GROUP BY 1, 2`)
	var took []time.Duration
	for range 30 {
		start := time.Now()
		counts := q.describe().Counts
		took = append(took, time.Since(start))
		if counts.Visible+counts.InFlight != messages || counts.InFlight < messages/2*9/10 {
			t.Fatalf("counts %+v", counts)
		}
	}
	slices.Sort(took)
	t.Logf("p50 %v, p90 %v, max %v", took[len(took)/2], took[len(took)*9/10], took[len(took)-1])
	if fastest := took[0]; fastest > 50*time.Millisecond { // it took 200 ms to count the index, now less than 1 ms
		t.Errorf("counting took %v at least", fastest)
	}
}

// fillSQL puts messages of one byte into a storage: half of them visible for up to a day, the others
// becoming visible during the next quarter of an hour, all of the same priority.
const fillSQL = `
INSERT INTO messages (storage_id, id, visible_at, sent_at, receive_count, handle_version, size, priority, form, body)
SELECT $1, i, now() + CASE WHEN i % 2 = 0 THEN -i * interval '0.2 seconds' ELSE (i % 900 + 60) * interval '1 second' END,
    now() - interval '1 day', i % 2, i % 2, 1, 8, 0, 'a'
FROM generate_series(1, $2) AS i`

package pg_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

func TestCreateQueueKeepsEverything(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		in := core.NewQueue{
			Name: core.QueueName{Account: "000000000042", Region: "cn-hangzhou", Name: "Orders-1_a.fifo"},
			FIFO: true,
			Settings: core.Settings{
				Delay: 7 * time.Second, VisibilityTimeout: time.Hour, Retention: core.MaxRetention, ReceiveWait: 3 * time.Second,
				MaxMessageSize: 1234, Logging: true, Bodies: core.BodyText,
			},
			Attributes: map[string]string{"sqs.Policy": `{"a":"'é"}`},
			Tags:       map[string]string{"empty": "", "team": "größe"},
		}
		made, created, err := broker.CreateQueue(context.Background(), in)
		if err != nil || !created {
			t.Fatalf("created %v, %v", created, err)
		}
		cached, err := broker.Queue(context.Background(), in.Name)
		if err != nil {
			t.Fatal(err)
		}
		described, err := broker.DescribeQueue(context.Background(), in.Name)
		if err != nil {
			t.Fatal(err)
		}
		for name, got := range map[string]core.Queue{"made": made, "cached": *cached, "described": described} {
			if got.Name != in.Name || got.FIFO != in.FIFO || got.Settings != in.Settings || !maps.Equal(got.Attributes, in.Attributes) || !maps.Equal(got.Tags, in.Tags) {
				t.Errorf("%s: %+v, want %+v", name, got, in)
			}
			if got.ID != made.ID || got.Version != 1 || got.CreatedAt.IsZero() || !got.ModifiedAt.Equal(got.CreatedAt) || got.Counts != (core.QueueCounts{}) {
				t.Errorf("%s: %+v", name, got)
			}
		}
	})
}

func TestCreateQueueThatExists(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		other := core.DefaultSettings()
		other.Delay = time.Minute
		got, created, err := q.broker.CreateQueue(context.Background(), core.NewQueue{Name: q.name, Settings: other})
		if err != nil || created || got.Settings != core.DefaultSettings() {
			t.Errorf("created %v, %v, settings %+v; want the queue as it was", created, err, got.Settings)
		}
	})
}

func TestCreateQueueAtOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	brokers := []*core.Broker{newBroker(t, pgtest.Open(t, url)), newBroker(t, pgtest.Open(t, url))}
	var mu sync.Mutex
	ids := map[int64]bool{}
	made := 0
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			queue, created, err := brokers[i%2].CreateQueue(context.Background(), core.NewQueue{Name: pgtest.Name("orders"), Settings: core.DefaultSettings()})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("create: %v", err)
			}
			ids[queue.ID] = true
			if created {
				made++
			}
		})
	}
	all.Wait()
	if len(ids) != 1 || made != 1 {
		t.Errorf("%d queues, %d of them created, want one", len(ids), made)
	}
}

func TestAlterQueue(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		before := q.describe()
		q.advance(time.Hour)
		q.alter(core.QueueChange{Delay: ptr(time.Minute), Tags: map[string]*string{"team": ptr("a")}, Attributes: map[string]*string{"sqs.Policy": ptr("{}")}})
		q.alter(core.QueueChange{Bodies: ptr(core.BodyBase64), Tags: map[string]*string{"team": nil}})
		got := q.describe()
		want := before.Settings
		want.Delay, want.Bodies = time.Minute, core.BodyBase64
		if got.Settings != want || len(got.Tags) != 0 || !maps.Equal(got.Attributes, map[string]string{"sqs.Policy": "{}"}) {
			t.Errorf("altered to %+v, %v, %v", got.Settings, got.Tags, got.Attributes)
		}
		if got.ID != before.ID || got.Version != before.Version+2 || !got.CreatedAt.Equal(before.CreatedAt) || got.ModifiedAt.Sub(before.ModifiedAt) < time.Hour {
			t.Errorf("%+v after %+v", got, before)
		}
	})
}

// Changes made at the same moment are all made.
func TestAlterQueueAtOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	brokers := []*core.Broker{newBroker(t, pgtest.Open(t, url)), newBroker(t, pgtest.Open(t, url))}
	q := newQueue(t, brokers[0])
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			q.through(brokers[i%2]).alter(core.QueueChange{Tags: map[string]*string{fmt.Sprint(i): ptr("")}})
		})
	}
	all.Wait()
	if tags := q.describe().Tags; len(tags) != 20 {
		t.Errorf("%d tags, want 20", len(tags))
	}
}

func TestQueueNotFound(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		ctx := context.Background()
		for _, region := range []string{"us-east-1", "eu-west-1"} {
			name := core.QueueName{Account: "000000000042", Region: region, Name: "elsewhere"}
			if _, _, err := broker.CreateQueue(ctx, core.NewQueue{Name: name, Settings: core.DefaultSettings()}); err != nil {
				t.Fatal(err)
			}
		}
		for queue, hints := range map[core.QueueName][]string{
			{Account: "000000000042", Region: "us-east-1", Name: "nowhere"}:     nil,
			{Account: "000000000042", Region: "cn-hangzhou", Name: "elsewhere"}: {"us-east-1", "eu-west-1", "cn-hangzhou"},
			{Account: "000000000043", Region: "us-east-1", Name: "elsewhere"}:   nil, // another account's are nobody's business
		} {
			for operation, do := range map[string]func() error{
				"queue":    func() error { _, err := broker.Queue(ctx, queue); return err },
				"describe": func() error { _, err := broker.DescribeQueue(ctx, queue); return err },
				"alter":    func() error { _, err := broker.AlterQueue(ctx, queue, core.QueueChange{}); return err },
				"purge":    func() error { return broker.PurgeQueue(ctx, queue) },
				"delete":   func() error { return broker.DeleteQueue(ctx, queue) },
			} {
				err := do()
				if core.CodeOf(err) != core.QueueNotFound || strings.Contains(core.MessageOf(err), "region") {
					t.Errorf("%s %s: %v", operation, queue, err)
				}
				var e *core.Error
				if errors.As(err, &e) && (e.Err == nil) != (hints == nil) {
					t.Errorf("%s %s: cause %v, want one: %v", operation, queue, e.Err, hints != nil)
				}
				for _, hint := range hints {
					if !strings.Contains(err.Error(), hint) {
						t.Errorf("%s %s: %q does not name %s", operation, queue, err, hint)
					}
				}
			}
		}
	})
}

func TestListQueues(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		ctx := context.Background()
		const account, region = "000000000042", "us-east-1"
		all := []string{"A", "Z", "a", "a-", "a.", "a.fifo", "a1", "a_", "ab", "abc", "b", "zz", "zzz"}
		for i, name := range slices.Backward(all) {
			for _, q := range []core.QueueName{{Account: account, Region: region, Name: name}, {Account: account, Region: "eu-west-1", Name: fmt.Sprintf("a-other-%d", i)}, {Account: "000000000043", Region: region, Name: "a-other"}} {
				if _, _, err := broker.CreateQueue(ctx, core.NewQueue{Name: q, Settings: core.DefaultSettings()}); err != nil {
					t.Fatal(err)
				}
			}
		}
		tests := map[string]struct {
			prefix string
			limit  int
			want   []string
		}{
			"all on one page":            {"", 1000, all},
			"one page exactly":           {"", len(all), all},
			"one more than a page":       {"", len(all) - 1, all},
			"one a page":                 {"", 1, all},
			"a prefix":                   {"a", 3, []string{"a", "a-", "a.", "a.fifo", "a1", "a_", "ab", "abc"}},
			"a prefix that is a name":    {"ab", 1, []string{"ab", "abc"}},
			"a prefix with a wild card":  {"a_", 10, []string{"a_"}},
			"a prefix of capitals":       {"Z", 10, []string{"Z"}},
			"a prefix at the end":        {"zz", 1, []string{"zz", "zzz"}},
			"a prefix that nothing has":  {"q", 10, nil},
			"a prefix beyond all bounds": {"\x7f", 10, nil},
		}
		for name, tt := range tests {
			for _, counts := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/counts=%v", name, counts), func(t *testing.T) {
					in := core.ListQueuesInput{Account: account, Region: region, Prefix: tt.prefix, Limit: tt.limit, Counts: counts}
					var got []string
					for {
						page, err := broker.ListQueues(ctx, in)
						if err != nil {
							t.Fatal(err)
						}
						for _, queue := range page.Queues {
							got = append(got, queue.Name.Name)
						}
						if len(page.Queues) > tt.limit || len(page.Queues) < tt.limit && page.Next != "" {
							t.Errorf("a page of %d, next %q", len(page.Queues), page.Next)
						}
						if page.Next == "" {
							break
						}
						in.After = page.Next
					}
					if !slices.Equal(got, tt.want) {
						t.Errorf("listed %q, want %q", got, tt.want)
					}
				})
			}
		}
	})
}

// A page by its number, of those queues that are of a type or have tags.
func TestListQueuesByNumber(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		for i, tags := range []map[string]string{nil, {"env": "dev"}, {"env": "prod", "team": "a"}, {"team": ""}, {"env": "dev", "team": "b"}} {
			name := core.QueueName{Account: pgtest.Account, Region: pgtest.Region, Name: fmt.Sprintf("q%d", i)}
			if _, _, err := broker.CreateQueue(t.Context(), core.NewQueue{Name: name, FIFO: i == 4, Settings: core.DefaultSettings(), Tags: tags}); err != nil {
				t.Fatal(err)
			}
		}
		yes, no := true, false
		tests := map[string]struct {
			in    core.ListQueuesInput
			want  string
			total int
		}{
			"first page":          {core.ListQueuesInput{Limit: 2}, "q0 q1", 5},
			"second page":         {core.ListQueuesInput{Limit: 2, Listed: core.Listed{Skip: 2}}, "q2 q3", 5},
			"last page":           {core.ListQueuesInput{Limit: 2, Listed: core.Listed{Skip: 4}}, "q4", 5},
			"beyond":              {core.ListQueuesInput{Limit: 2, Listed: core.Listed{Skip: 6}}, "", 5},
			"behind a name":       {core.ListQueuesInput{Limit: 2, After: "q1", Listed: core.Listed{Skip: 1}}, "q3 q4", 3},
			"prefix":              {core.ListQueuesInput{Limit: 2, Prefix: "q3"}, "q3", 1},
			"FIFO":                {core.ListQueuesInput{Limit: 9, Listed: core.Listed{FIFO: &yes}}, "q4", 1},
			"not FIFO":            {core.ListQueuesInput{Limit: 9, Listed: core.Listed{FIFO: &no, Skip: 1}}, "q1 q2 q3", 4},
			"tag":                 {core.ListQueuesInput{Limit: 1, Listed: core.Listed{Tags: map[string]string{"env": "dev"}, Skip: 1}}, "q4", 2},
			"tag of any value":    {core.ListQueuesInput{Limit: 9, Listed: core.Listed{Tags: map[string]string{"team": ""}}}, "q2 q3 q4", 3},
			"tags":                {core.ListQueuesInput{Limit: 9, Listed: core.Listed{Tags: map[string]string{"team": "", "env": "prod"}}}, "q2", 1},
			"tag that none has":   {core.ListQueuesInput{Limit: 9, Listed: core.Listed{Tags: map[string]string{"Env": "dev"}}}, "", 0},
			"tag without a name":  {core.ListQueuesInput{Limit: 9, Listed: core.Listed{Tags: map[string]string{"": ""}}}, "", 0},
			"tag with wild cards": {core.ListQueuesInput{Limit: 9, Listed: core.Listed{Tags: map[string]string{"env": "d%"}}}, "", 0},
		}
		for name, tt := range tests {
			for _, counts := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/counts=%v", name, counts), func(t *testing.T) {
					tt.in.Account, tt.in.Region, tt.in.Counts, tt.in.Total = pgtest.Account, pgtest.Region, counts, true
					page, err := broker.ListQueues(t.Context(), tt.in)
					if err != nil {
						t.Fatal(err)
					}
					var names []string
					for _, queue := range page.Queues {
						names = append(names, queue.Name.Name)
					}
					if got := strings.Join(names, " "); got != tt.want || page.Total != tt.total {
						t.Errorf("got %q of %d, want %q of %d", got, page.Total, tt.want, tt.total)
					}
				})
			}
		}
	})
}

func TestListQueuesWithCounts(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		for i, name := range []string{"a", "b", "c"} {
			queue := pgtest.Queue(t, broker, name)
			pgtest.Send(t, broker, queue, repeat("xy", i+2)...)
			pgtest.Receive(t, broker, queue, i+1)
		}
		page, err := broker.ListQueues(context.Background(), core.ListQueuesInput{Account: pgtest.Account, Region: pgtest.Region, Limit: 10, Counts: true})
		if err != nil || len(page.Queues) != 3 {
			t.Fatalf("%d queues, %v", len(page.Queues), err)
		}
		for i, queue := range page.Queues {
			if want := (core.QueueCounts{Visible: 1, InFlight: int64(i + 1), Bytes: int64(2 * (i + 2))}); queue.Counts != want {
				t.Errorf("%s: %+v, want %+v", queue.Name.Name, queue.Counts, want)
			}
		}
	})
}

func TestPurge(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		q.send("in flight")
		q.receive(1)
		q.sendMessages(core.NewMessage{Body: []byte("delayed"), Delay: ptr(time.Minute)}, core.NewMessage{Body: []byte("urgent"), Priority: 1})
		q.send("visible")
		q.wantCounts(2, 1, 1, 29)
		before := q.describe()
		q.purge()
		q.wantCounts(0, 0, 0, 0)
		if got := peekAll(q, true); len(got) != 0 {
			t.Errorf("peeked at %d messages", len(got))
		}
		q.advance(time.Hour)
		q.wantReceive()
		q.sendMessages(core.NewMessage{Body: []byte("b"), Priority: 2})
		q.send("c")
		q.wantReceive("b", "c")
		if got := q.describe(); got.ID != before.ID || got.Storage == before.Storage || got.Version <= before.Version {
			t.Errorf("%+v after %+v", got, before)
		}
	})
}

// Purging and deleting take no longer for a million messages: they touch none.
func TestPurgeAndDeleteLeaveTheMessagesToAWorker(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		purged, deleted, kept := newQueue(t, broker), newQueue(t, broker), newQueue(t, broker)
		conn := database(t, store.URL())
		for _, q := range []*testQueue{purged, deleted, kept} {
			for range 3 {
				q.send(repeat("a", 50)...)
			}
			q.receive(20)
		}
		purged.purge()
		if err := broker.DeleteQueue(context.Background(), deleted.name); err != nil {
			t.Fatal(err)
		}
		wantRows := func(want int) {
			t.Helper()
			var got int
			if err := conn.QueryRow(context.Background(), `SELECT count(*) FROM messages`).Scan(&got); err != nil || got != want {
				t.Errorf("%d rows, %v; want %d", got, err, want)
			}
		}
		wantRows(450)
		left := 300
		for left > 0 { // in batches
			n, err := store.RemoveDropped(context.Background(), 70)
			if err != nil || n != min(70, left) {
				t.Fatalf("removed %d, %v; want %d", n, err, min(70, left))
			}
			left -= n
			wantRows(150 + left)
		}
		if n, err := store.RemoveDropped(context.Background(), 70); n != 0 || err != nil {
			t.Errorf("removed %d more, %v", n, err)
		}
		kept.wantCounts(130, 20, 0, 150)
		var foreign int
		if err := conn.QueryRow(context.Background(), `SELECT count(*) FROM counts WHERE storage_id <> $1`, kept.describe().Storage).Scan(&foreign); err != nil || foreign != 0 {
			t.Errorf("%d rows of counters of nobody, %v", foreign, err)
		}
	})
}

// A send that had begun before a purge may commit long after it.
func TestLateRowsOfDroppedContentAreRemoved(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		old := q.describe().Storage
		conn := database(t, store.URL())
		q.purge()
		remove := func(want int) {
			t.Helper()
			if n, err := store.RemoveDropped(context.Background(), 10); n != want || err != nil {
				t.Errorf("removed %d, %v; want %d", n, err, want)
			}
		}
		late := `INSERT INTO messages (storage_id, id, visible_at, sent_at, size, priority, form, body) VALUES ($1, $2, now(), now(), 1, 8, 0, 'a')`
		remove(0)
		execute(t, conn, late, old, 1)
		execute(t, conn, `INSERT INTO counts (storage_id, bucket, messages) VALUES ($1, '-infinity', 1)`, old)
		remove(1)
		execute(t, conn, `UPDATE dropped_storages SET dropped_at = now() - interval '6 minutes'`)
		execute(t, conn, late, old, 2)
		remove(1)
		remove(0) // nothing is left of it, and it is forgotten
		var dropped, counted int
		if err := conn.QueryRow(context.Background(), `SELECT (SELECT count(*) FROM dropped_storages), (SELECT count(*) FROM counts)`).Scan(&dropped, &counted); err != nil || dropped != 0 || counted != 0 {
			t.Errorf("%d dropped storages, %d counts, %v", dropped, counted, err)
		}
	})
}

func TestPurgeAtOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	store := pgtest.Open(t, url)
	brokers := []*core.Broker{newBroker(t, store), newBroker(t, pgtest.Open(t, url))}
	q := newQueue(t, brokers[0])
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			q.through(brokers[i%2]).send("a")
			q.through(brokers[i%2]).purge()
		})
	}
	all.Wait()
	q.purge()
	q.wantCounts(0, 0, 0, 0)
	if n, err := store.RemoveDropped(context.Background(), 100); n != 20 || err != nil {
		t.Errorf("removed %d messages, %v; want 20", n, err)
	}
}

func TestQueueThatIsDeletedAndMadeAnewIsEmpty(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		q := newQueue(t, newBroker(t, store))
		q.alter(core.QueueChange{VisibilityTimeout: ptr(time.Hour)})
		q.send("a")
		before := q.describe()
		q.recreate()
		q.wantCounts(0, 0, 0, 0)
		q.wantReceive()
		if got := q.describe(); got.ID == before.ID || got.Storage == before.Storage || got.VisibilityTimeout != 30*time.Second {
			t.Errorf("%+v after %+v", got, before)
		}
	})
}

// Each priority that is used for the first time changes the queue; many at once get there all.
func TestPrioritiesFirstUsedAtOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	brokers := []*core.Broker{newBroker(t, pgtest.Open(t, url)), newBroker(t, pgtest.Open(t, url))}
	q := newQueue(t, brokers[0])
	var all sync.WaitGroup
	for _, broker := range brokers {
		for p := 1; p <= core.MaxPriority; p++ {
			all.Go(func() {
				q.through(broker).sendMessages(core.NewMessage{Body: []byte{byte('a' + p)}, Priority: p})
			})
		}
	}
	all.Wait()
	got := bodies(q.receive(100))
	if len(got) != 32 || !slices.IsSorted(got) {
		t.Errorf("received %q", got)
	}
}

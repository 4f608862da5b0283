package pg_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// search goes through the whole queue, page by page, and gives what it found and how much it looked at.
func (q *testQueue) search(text string, limit int) (found []string, searched int) {
	q.t.Helper()
	in := core.SearchInput{Queue: q.name, Text: text, Limit: limit}
	for {
		page, err := q.broker.SearchMessages(context.Background(), in)
		if err != nil {
			q.t.Fatalf("search for %q: %v", text, err)
		}
		if len(page.Messages) > limit || page.Searched > core.MaxSearched {
			q.t.Fatalf("a page with %d messages, %d looked at", len(page.Messages), page.Searched)
		}
		found, searched = append(found, bodies(page.Messages)...), searched+page.Searched
		if page.Next == "" {
			return found, searched
		}
		in.After = page.Next
	}
}

func TestSearch(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		for name, fifo := range map[string]bool{"standard": false, "fifo": true} {
			t.Run(name, func(t *testing.T) {
				q := &testQueue{t, newBroker(t, store), pgtest.Name("search-" + name)}
				settings := core.DefaultSettings()
				settings.Retention = time.Hour
				if _, _, err := q.broker.CreateQueue(t.Context(), core.NewQueue{Name: q.name, FIFO: fifo, Settings: settings}); err != nil {
					t.Fatal(err)
				}
				message := func(body string) core.NewMessage { return core.NewMessage{Body: []byte(body), GroupID: "g"} }
				encoded := func(body string) core.NewMessage {
					return core.NewMessage{Body: []byte(base64.StdEncoding.EncodeToString([]byte(body))), Form: core.FormBase64, GroupID: "g"}
				}
				tagged := message("tagged")
				tagged.Attributes = []core.Attribute{{Name: "customer", Type: "String", Value: []byte(`<"needle">`)}}
				var plain []core.NewMessage
				for i := range 40 {
					plain = append(plain, message(fmt.Sprintf("plain %d", i)))
				}
				q.sendMessages(plain...)
				sent := q.sendMessages(message("a needle in hay"), message("Needle"), tagged, encoded("xneedle"), encoded("xxneedle"), encoded("xxxneedle"), encoded("hay"))
				q.receiveFor(10, time.Minute) // hidden ones are found as well
				text := func(body string) string { return base64.StdEncoding.EncodeToString([]byte(body)) }
				for _, limit := range []int{1, 2, 100} {
					found, searched := q.search("needle", limit)
					want := []string{"a needle in hay", "tagged", text("xneedle"), text("xxneedle"), text("xxxneedle")}
					if !slices.Equal(found, want) || searched != 47 {
						t.Errorf("by %d: found %q in %d, want %q in 47", limit, found, searched, want)
					}
				}
				if found, _ := q.search(`<"needle">`, 10); !slices.Equal(found, []string{"tagged"}) {
					t.Errorf("quotes in an attribute: found %q", found)
				}
				if found, _ := q.search("customer", 10); !slices.Equal(found, []string{"tagged"}) {
					t.Errorf("an attribute's name: found %q", found)
				}
				if found, searched := q.search("nowhere", 10); len(found) != 0 || searched != 47 {
					t.Errorf("what is nowhere: found %q in %d", found, searched)
				}
				if m, err := q.broker.FindMessage(t.Context(), q.name, sent[0].ID); err != nil || m == nil || string(m.Body) != "a needle in hay" {
					t.Errorf("by id: got %+v and %v", m, err)
				}
				if m, err := q.broker.FindMessage(t.Context(), q.name, core.MessageID{1}); err != nil || m != nil {
					t.Errorf("by an id that is none: got %+v and %v", m, err)
				}
				if _, err := q.broker.AdvanceClock(t.Context(), q.name.Account, 2*time.Hour); err != nil {
					t.Fatal(err)
				}
				if found, _ := q.search("needle", 10); len(found) != 0 {
					t.Errorf("past the retention: found %q", found)
				}
			})
		}
	})
}

func TestSearchIsRefused(t *testing.T) {
	t.Parallel()
	q := newQueue(t, pgtest.Broker(t))
	for name, in := range map[string]core.SearchInput{
		"no text":       {Queue: q.name, Limit: 1},
		"no page":       {Queue: q.name, Text: "a"},
		"a long text":   {Queue: q.name, Text: string(make([]byte, core.MaxSearchText+1)), Limit: 1},
		"a wrong place": {Queue: q.name, Text: "a", Limit: 1, After: "x"},
	} {
		if _, err := q.broker.SearchMessages(t.Context(), in); core.CodeOf(err) != core.InvalidArgument {
			t.Errorf("%s: got %v", name, err)
		}
	}
	in := core.SearchInput{Queue: pgtest.Name("nobody"), Text: "a", Limit: 1}
	if _, err := q.broker.SearchMessages(t.Context(), in); core.CodeOf(err) != core.QueueNotFound {
		t.Errorf("no queue: got %v", err)
	}
}

func TestServersAndScopes(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		servers, err := broker.Servers(t.Context())
		if err != nil || len(servers) != 1 || !servers[0].Self || servers[0].ID == "" || servers[0].StartedAt.IsZero() {
			t.Errorf("servers: got %+v and %v", servers, err)
		}
		if scopes, err := broker.Scopes(t.Context()); err != nil || len(scopes) != 0 {
			t.Errorf("of nothing: got %v and %v", scopes, err)
		}
		for _, name := range []core.QueueName{
			{Account: "222222222222", Region: "eu-west-1", Name: "a"}, {Account: "111111111111", Region: "us-east-1", Name: "a"},
			{Account: "111111111111", Region: "us-east-1", Name: "b"}, {Account: "111111111111", Region: "cn-hangzhou", Name: "a"},
		} {
			if _, _, err := broker.CreateQueue(t.Context(), core.NewQueue{Name: name, Settings: core.DefaultSettings()}); err != nil {
				t.Fatal(err)
			}
		}
		topic := core.NewTopic{Name: core.TopicName{Account: "333333333333", Region: "us-east-1", Name: "t"}, Settings: core.DefaultTopicSettings()}
		if _, _, err := broker.CreateTopic(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
		var want []core.Scope
		for _, in := range [][2]string{{"111111111111", "cn-hangzhou"}, {"111111111111", "us-east-1"}, {"222222222222", "eu-west-1"}, {"333333333333", "us-east-1"}} {
			want = append(want, core.Scope{Account: in[0], Region: in[1]})
		}
		if scopes, err := broker.Scopes(t.Context()); err != nil || !slices.Equal(scopes, want) {
			t.Errorf("got %v and %v, want %v", scopes, err, want)
		}
		page, err := broker.ListQueues(t.Context(), core.ListQueuesInput{Account: "111111111111", Region: "us-east-1", Part: "B", Limit: 10})
		if err != nil || len(page.Queues) != 1 || page.Queues[0].Name.Name != "b" {
			t.Errorf("queues with a B in their names: got %v and %v", page.Queues, err)
		}
	})
}

func TestTraffic(t *testing.T) {
	t.Parallel()
	q := newQueue(t, pgtest.Broker(t))
	q.send("a", "b", "c")
	received := q.receive(2)
	q.delete(false, received[0].Handle)
	q.receive(10)
	q.receive(10)
	want := core.Traffic{Sent: 3, Received: 3, Deleted: 1, EmptyReceives: 1}
	if got := q.broker.Traffic(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// A page of a search ends in time however much there is to look through, and however large the messages are.
func TestSearchEndsInTime(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ messages, bytes int }{"small": {60_000, 1000}, "large": {150, 1 << 20}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.DatabaseURL(t)
			admin := database(t, url)
			q := newQueue(t, newBroker(t, pgtest.Open(t, url)))
			execute(t, admin, `INSERT INTO messages (storage_id, id, visible_at, sent_at, size, priority, form, body)
				SELECT q.storage_id, i, now(), now(), $2, 8, 0, convert_to(rpad('hay ' || i, $2, '.'), 'UTF8') FROM queues q, generate_series(1, $1) i WHERE q.name = $3`, tt.messages, tt.bytes, q.name.Name)
			execute(t, admin, `INSERT INTO counts (storage_id, bucket, messages, bytes) SELECT storage_id, '-infinity', $1, $1::bigint * $2 FROM queues WHERE name = $3`, tt.messages, tt.bytes, q.name.Name)
			execute(t, admin, `VACUUM ANALYZE messages`)
			fastest, searched := time.Hour, 0
			for range 5 {
				began := time.Now()
				page, err := q.broker.SearchMessages(t.Context(), core.SearchInput{Queue: q.name, Text: "nowhere", Limit: 10})
				if err != nil || page.Searched == 0 || page.Searched > core.MaxSearched || page.Searched < tt.messages && page.Next == "" {
					t.Fatalf("searched %d, next %q, %v", page.Searched, page.Next, err)
				}
				fastest, searched = min(fastest, time.Since(began)), max(searched, page.Searched)
			}
			t.Logf("a page looks at %d messages in %v", searched, fastest)
			if fastest > 2*time.Second { // it stops after core.MaxSearchTime, and what it has begun; a machine may be slow
				t.Errorf("a page took %v", fastest)
			}
			if found, all := q.search("hay "+fmt.Sprint(tt.messages), 10); len(found) != 1 || all != tt.messages {
				t.Errorf("found %d of 1, in %d of %d messages", len(found), all, tt.messages)
			}
		})
	}
}

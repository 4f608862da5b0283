package pg_test

import (
	"context"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

func limited(t *testing.T, broker *core.Broker, name string) error {
	t.Helper()
	_, _, err := broker.CreateQueue(t.Context(), core.NewQueue{Name: core.QueueName{Account: pgtest.Account, Region: pgtest.Region, Name: name}, Settings: core.DefaultSettings()})
	return err
}

func TestLimitsOfAccounts(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		ctx := context.Background()
		broker.LimitAccounts(core.Limits{Queues: 2, Topics: 1, Bytes: 1000})
		for name, want := range map[string]core.Code{"a": "", "b": ""} {
			if err := limited(t, broker, name); core.CodeOf(err) != core.Internal || err != nil {
				t.Errorf("%s: %v, want %q", name, err, want)
			}
		}
		if err := limited(t, broker, "c"); core.CodeOf(err) != core.EntityLimit {
			t.Errorf("a third queue: %v", err)
		}
		if err := limited(t, broker, "a"); err != nil {
			t.Errorf("a queue that is there already: %v", err)
		}
		other := core.NewQueue{Name: core.QueueName{Account: "111122223333", Region: pgtest.Region, Name: "c"}, Settings: core.DefaultSettings()}
		if _, _, err := broker.CreateQueue(ctx, other); err != nil {
			t.Errorf("another account's queue: %v", err)
		}
		topic := func(name string) error {
			_, _, err := broker.CreateTopic(ctx, core.NewTopic{Name: core.TopicName{Account: pgtest.Account, Region: pgtest.Region, Name: name}, Settings: core.DefaultTopicSettings()})
			return err
		}
		if err := topic("t1"); err != nil {
			t.Fatal(err)
		}
		if err := topic("t2"); core.CodeOf(err) != core.EntityLimit {
			t.Errorf("a second topic: %v", err)
		}
		if err := topic("t1"); err != nil {
			t.Errorf("a topic that is there already: %v", err)
		}
		three := 3
		if err := broker.SetAccountLimits(ctx, core.AccountLimits{Account: pgtest.Account, Queues: &three}); err != nil {
			t.Fatal(err)
		}
		if err := limited(t, broker, "c"); err != nil {
			t.Errorf("the third of three queues: %v", err)
		}
		if err := limited(t, broker, "d"); core.CodeOf(err) != core.EntityLimit {
			t.Errorf("the fourth of three queues: %v", err)
		}
		own, holds, use, err := broker.AccountLimits(ctx, pgtest.Account)
		if err != nil || own.Topics != nil || *own.Queues != 3 || holds != (core.Limits{Queues: 3, Topics: 1, Bytes: 1000}) || use != (core.AccountUse{Queues: 3, Topics: 1}) {
			t.Errorf("own %+v, holds %+v, use %+v, %v", own, holds, use, err)
		}
		if err := broker.SetAccountLimits(ctx, core.AccountLimits{Account: pgtest.Account}); err != nil {
			t.Fatal(err)
		}
		if set, err := store.ListAccountLimits(ctx); err != nil || len(set) != 0 {
			t.Errorf("after a reset %v are set, %v", set, err)
		}
		for _, bad := range []core.AccountLimits{{Account: "1"}, {Account: pgtest.Account, Queues: new(-1)}} {
			if err := broker.SetAccountLimits(ctx, bad); core.CodeOf(err) != core.InvalidArgument {
				t.Errorf("%+v: %v", bad, err)
			}
		}
	})
}

// What an account may ask in a second is for all servers together.
func TestServersShareTheRequests(t *testing.T) {
	t.Parallel()
	here, there, store, _ := newKeeper(t)
	eventually(t, "both servers know of each other", func() bool { return store.LiveServers() == 2 })
	const most = 1000
	for _, broker := range []*core.Broker{here, there} {
		broker.LimitAccounts(core.Limits{Requests: most})
	}
	if err := there.Admit(pgtest.Account); err != nil {
		t.Fatal(err)
	}
	began, admitted := time.Now(), 0
	for range 2 * most {
		if there.Admit(pgtest.Account) == nil {
			admitted++
		}
	}
	if took := time.Since(began); admitted < most/2-1 || admitted > most/2+int(took.Seconds()*most/2)+1 {
		t.Errorf("one of two servers let %d requests of %d pass in %v", admitted, most, took)
	}
}

// A share of less than one request lets one pass all the same, now and then.
func TestLimitOfRequestsBelowTheServers(t *testing.T) {
	t.Parallel()
	here, _, store, _ := newKeeper(t)
	eventually(t, "both servers know of each other", func() bool { return store.LiveServers() == 2 })
	here.LimitAccounts(core.Limits{Requests: 1})
	began, admitted := time.Now(), 0
	const requests = 10_000
	for n := range requests {
		switch err := here.Admit(pgtest.Account); {
		case err == nil:
			admitted++
		case n == 0 || core.CodeOf(err) != core.Throttled:
			t.Fatalf("request %d: %v", n, err)
		}
	}
	if took := time.Since(began); admitted > 1+int(took.Seconds()) {
		t.Errorf("%d of %d requests were let pass in %v", admitted, requests, took)
	}
}

// Who stores too much is refused, whichever server stored it, until there is room again.
func TestLimitOfStoredBytes(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker, other := newBroker(t, store), core.NewBroker(store)
		t.Cleanup(other.Close)
		ctx := context.Background()
		if err := limited(t, broker, "a"); err != nil {
			t.Fatal(err)
		}
		name := core.QueueName{Account: pgtest.Account, Region: pgtest.Region, Name: "a"}
		send := func(broker *core.Broker, bytes int) error {
			_, err := broker.SendMessages(ctx, core.SendInput{Queue: name, Messages: []core.NewMessage{{Body: make([]byte, bytes)}}})
			return err
		}
		for _, b := range []*core.Broker{broker, other} {
			b.LimitAccounts(core.Limits{Bytes: 1000})
		}
		if err := send(broker, 1000); err != nil { // the one that reaches the limit
			t.Fatal(err)
		}
		if err := send(broker, 1); core.CodeOf(err) != core.Throttled {
			t.Errorf("on the server that stored it: %v", err)
		}
		if err := send(other, 10); err != nil {
			t.Errorf("on another, before it counts: %v", err)
		}
		refresh := func() {
			t.Helper()
			for _, b := range []*core.Broker{broker, other} {
				if err := b.RefreshLimits(ctx); err != nil {
					t.Fatal(err)
				}
			}
		}
		refresh()
		if err := send(other, 10); core.CodeOf(err) != core.Throttled {
			t.Errorf("on another, after it counted: %v", err)
		}
		if _, err := broker.Publish(ctx, core.PublishInput{Topic: core.TopicName{Account: pgtest.Account, Region: pgtest.Region, Name: "t"}, Messages: []core.NewPublication{{Body: []byte("x")}}}); core.CodeOf(err) != core.Throttled {
			t.Errorf("a publish: %v", err)
		}
		if err := broker.PurgeQueue(ctx, name); err != nil {
			t.Fatal(err)
		}
		refresh()
		if err := send(broker, 10); err != nil {
			t.Errorf("when there is room again: %v", err)
		}
		none := int64(0)
		if err := broker.SetAccountLimits(ctx, core.AccountLimits{Account: pgtest.Account, Bytes: &none}); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if err := send(broker, 900); err != nil {
				t.Errorf("without a limit: %v", err)
			}
		}
	})
}

// A queue that nobody uses goes; one that is used, holds something or is needed by something else stays.
func TestUnusedQueuesExpire(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	broker := newBroker(t, store)
	broker.RegisterPusher("plain", plain{})
	broker.NoteUses()
	ctx := t.Context()
	const long = 3 * 24 * time.Hour
	named := func(name string) core.QueueName {
		return core.QueueName{Account: pgtest.Account, Region: pgtest.Region, Name: name}
	}
	for _, name := range []string{"idle", "polled", "full", "dead", "subscribed", "source"} {
		in := core.NewQueue{Name: named(name), Settings: core.DefaultSettings()}
		in.Settings.Retention = 14 * 24 * time.Hour
		if name == "source" {
			in.Settings.DeadLetter = core.DeadLetterPolicy{Target: "dead", MaxReceives: 3}
		}
		if _, _, err := broker.CreateQueue(ctx, in); err != nil {
			t.Fatal(err)
		}
	}
	topic := core.TopicName{Account: pgtest.Account, Region: pgtest.Region, Name: "news"}
	if _, _, err := broker.CreateTopic(ctx, core.NewTopic{Name: topic, Settings: core.DefaultTopicSettings()}); err != nil {
		t.Fatal(err)
	}
	subscribed := named("subscribed")
	if _, _, err := broker.Subscribe(ctx, core.NewSubscription{Name: core.SubscriptionName{Topic: topic, Name: "s"}, Format: "plain", Protocol: "sqs", Endpoint: "arn:subscribed", Queue: subscribed}); err != nil {
		t.Fatal(err)
	}
	use := func(names ...string) {
		t.Helper()
		for _, name := range names {
			if _, err := broker.ReceiveMessages(ctx, core.ReceiveInput{Queue: named(name), Limit: 1}); err != nil {
				t.Fatal(err)
			}
		}
	}
	expire := func(want int) {
		t.Helper()
		if n, err := broker.ExpireUnused(ctx, long, 100); err != nil || n != want {
			t.Errorf("%d queues were deleted, %v, want %d", n, err, want)
		}
	}
	advance := func(by time.Duration) {
		t.Helper()
		pgtest.Advance(t, broker, by)
	}
	expire(0) // they are as good as used now
	if _, err := broker.SendMessages(ctx, core.SendInput{Queue: named("full"), Messages: []core.NewMessage{{Body: []byte("x")}}}); err != nil {
		t.Fatal(err)
	}
	expire(0)
	advance(long - time.Hour)
	use("polled", "source")
	expire(0)
	advance(2 * time.Hour)
	expire(1)
	left := func() string {
		page, err := broker.ListQueues(ctx, core.ListQueuesInput{Account: pgtest.Account, Region: pgtest.Region, Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		names := ""
		for _, q := range page.Queues {
			names += q.Name.Name + " "
		}
		return names
	}
	if got := left(); got != "dead full polled source subscribed " {
		t.Errorf("left are %s", got)
	}
	advance(long)
	expire(2) // polled and source
	expire(1) // and then dead, which nothing names any more
	if got := left(); got != "full subscribed " {
		t.Errorf("left are %s", got)
	}
	audited, err := broker.ListAudit(ctx, core.ListAuditInput{Resource: "idle", Limit: 10})
	if err != nil || len(audited.Events) != 1 || audited.Events[0].Identity != core.PrincipalService {
		t.Errorf("audited: %+v, %v", audited.Events, err)
	}
}

// meddledStore does something between a look for unused queues and what follows.
type meddledStore struct {
	*pg.Store
	meddle func()
}

func (s meddledStore) UnusedQueues(ctx context.Context, unused time.Duration, limit int) ([]core.QueueName, error) {
	names, err := s.Store.UnusedQueues(ctx, unused, limit)
	s.meddle()
	return names, err
}

// TestUnusedQueueThatIsSentTo: what is sent while unused queues are looked for is not lost with its queue.
func TestUnusedQueueThatIsSentTo(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	client := newBroker(t, store)
	queue := newQueue(t, client)
	broker := core.NewBroker(meddledStore{store, func() { queue.send("a") }})
	t.Cleanup(broker.Close)
	if n, err := client.ExpireUnused(context.Background(), time.Hour, 10); err != nil || n != 0 {
		t.Fatalf("%d queues were deleted at first, %v", n, err)
	}
	queue.advance(2 * time.Hour)
	if n, err := broker.ExpireUnused(context.Background(), time.Hour, 10); err != nil || n != 0 {
		t.Errorf("%d queues were deleted, %v", n, err)
	}
	queue.wantReceive("a")
}

// TestUnusedWhenNobodyLooked: a queue may have been used while no server wrote it down.
func TestUnusedWhenNobodyLooked(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	broker := newBroker(t, store)
	newQueue(t, broker)
	expire := func(want int) {
		t.Helper()
		if n, err := broker.ExpireUnused(context.Background(), time.Hour, 10); err != nil || n != want {
			t.Fatalf("%d queues were deleted, %v, want %d", n, err, want)
		}
	}
	expire(0)
	pgtest.Execute(t, store.URL(), `UPDATE queue_uses SET used_at = used_at - interval '3 days'`)
	expire(0)
	pgtest.Execute(t, store.URL(), `UPDATE queue_uses SET used_at = used_at - interval '3 days' WHERE queue_id > 0`)
	expire(1)
}

// What stores nothing takes none of an account's room: duplicates, and what is published to nobody's queue.
func TestDuplicatesTakeNoRoom(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, pgtest.New(t))
	broker.RegisterPusher("plain", plain{})
	ctx := t.Context()
	fifo, standard := pgtest.Name("orders.fifo"), pgtest.Queue(t, broker, "orders")
	if _, _, err := broker.CreateQueue(ctx, core.NewQueue{Name: fifo, FIFO: true, Settings: core.DefaultSettings()}); err != nil {
		t.Fatal(err)
	}
	topics := map[bool]core.TopicName{}
	for name, ordered := range map[string]bool{"alerts": false, "steps.fifo": true} {
		settings := core.DefaultTopicSettings()
		topics[ordered] = core.TopicName{Account: pgtest.Account, Region: pgtest.Region, Name: name}
		if _, _, err := broker.CreateTopic(ctx, core.NewTopic{Name: topics[ordered], FIFO: ordered, Settings: settings}); err != nil {
			t.Fatal(err)
		}
	}
	body := make([]byte, 1000)
	send := func(deduplication string) error {
		_, err := broker.SendMessages(ctx, core.SendInput{Queue: fifo, Messages: []core.NewMessage{{Body: body, GroupID: "g", DeduplicationID: deduplication}}})
		return err
	}
	publish := func(ordered bool, deduplication string) error {
		m := core.NewPublication{Body: body}
		if ordered {
			m.GroupID, m.DeduplicationID = "g", deduplication
		}
		_, err := broker.Publish(ctx, core.PublishInput{Topic: topics[ordered], Messages: []core.NewPublication{m}})
		return err
	}
	subscribe := func(ordered bool, queue core.QueueName) {
		t.Helper()
		in := core.NewSubscription{Name: core.SubscriptionName{Topic: topics[ordered]}, Format: "plain", Protocol: "queue", Endpoint: queue.Name, Queue: queue}
		if _, _, err := broker.Subscribe(ctx, in); err != nil {
			t.Fatal(err)
		}
	}
	broker.LimitAccounts(core.Limits{Bytes: 3500}) // nothing is counted anew
	for i, step := range []struct {
		do   func() error
		want bool
	}{
		{func() error { return send("a") }, true}, // 1000
		{func() error { return send("a") }, true},
		{func() error { return send("a") }, true},
		{func() error { return publish(false, "") }, true},                        // to nobody
		{func() error { return publish(true, "x") }, true},                        // likewise
		{func() error { subscribe(true, fifo); return publish(true, "b") }, true}, // 2000
		{func() error { return publish(true, "b") }, true},
		{func() error { subscribe(false, standard); return publish(false, "") }, true}, // 3000
		{func() error { return publish(true, "b") }, true},
		{func() error { return send("c") }, true}, // 4000
		{func() error { return send("c") }, false},
	} {
		if err := step.do(); (err == nil) != step.want || err != nil && core.CodeOf(err) != core.Throttled {
			t.Errorf("step %d: %v", i, err)
		}
	}
}

package pg_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

const day = 24 * time.Hour

// archiveTest is a FIFO topic that keeps what it publishes for a day, with one FIFO queue.
type archiveTest struct {
	t      *testing.T
	store  *pg.Store
	broker *core.Broker
	queue  core.QueueName
	sub    core.Subscription
}

func newArchive(t *testing.T, more ...func(*core.NewSubscription)) *archiveTest {
	t.Helper()
	a := &archiveTest{t: t, store: pgtest.New(t), queue: pgtest.Name("ordered")}
	a.broker = topicBroker(t, a.store)
	settings := core.DefaultTopicSettings()
	settings.Archive = day
	a.must2(a.broker.CreateTopic(context.Background(), core.NewTopic{Name: alerts, FIFO: true, Settings: settings}))
	a.must2(a.broker.CreateQueue(context.Background(), core.NewQueue{Name: a.queue, FIFO: true, Settings: core.DefaultSettings()}))
	a.sub = subscribe(t, a.broker, append([]func(*core.NewSubscription){func(in *core.NewSubscription) {
		in.Protocol, in.Endpoint, in.Queue, in.Raw = "queue", "ordered", a.queue, true
	}}, more...)...)
	return a
}

func (a *archiveTest) must(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

func (a *archiveTest) must2(_, _ any, err error) { a.t.Helper(); a.must(err) }

// publish publishes to the group g.
func (a *archiveTest) publish(bodies ...string) []core.Published {
	a.t.Helper()
	var all []core.Published
	for _, body := range bodies {
		all = append(all, publishFIFO(a.t, a.broker, "g", body, body)...)
	}
	return all
}

// begin begins a replay.
func (a *archiveTest) begin(replay core.Replay) {
	a.t.Helper()
	sub, err := a.broker.AlterSubscription(context.Background(), a.sub.Name, core.SubscriptionChange{Replay: &replay})
	a.must(err)
	a.sub = sub
}

// run replays until there is nothing more to do.
func (a *archiveTest) run() {
	a.t.Helper()
	for found := true; found; {
		var err error
		found, err = a.broker.FanOut(context.Background())
		a.must(err)
	}
}

// attempt attempts what is due, of one lane.
func (a *archiveTest) attempt() []*core.Delivery {
	a.t.Helper()
	lanes, err := a.broker.DueLanes(context.Background(), 0)
	if err != nil || len(lanes) != 1 {
		a.t.Fatalf("lanes %v, %v", lanes, err)
	}
	deliveries, err := a.broker.ClaimDeliveries(context.Background(), []core.LaneClaim{{Lane: lanes[0].Lane, Limit: 10}})
	a.must(err)
	for _, d := range deliveries {
		outcome, err := a.broker.Attempt(context.Background(), d, nil)
		a.must(err)
		a.must(a.broker.Settle(context.Background(), []core.Outcome{outcome}))
	}
	return deliveries
}

// wantDrained takes everything out of the queue.
func (a *archiveTest) wantDrained(what string, want ...string) {
	a.t.Helper()
	var got []string
	for {
		messages := pgtest.Receive(a.t, a.broker, a.queue, 10)
		if len(messages) == 0 {
			break
		}
		got = append(got, pgtest.Bodies(messages)...)
		_, err := a.broker.DeleteMessages(context.Background(), core.DeleteInput{Queue: a.queue, Handles: handlesOf(messages)})
		a.must(err)
	}
	if !slices.Equal(got, want) {
		a.t.Fatalf("%s: got %q, want %q", what, got, want)
	}
}

func (a *archiveTest) status() core.ReplayStatus {
	a.t.Helper()
	sub, err := a.broker.Subscription(context.Background(), a.sub.Name)
	a.must(err)
	return sub.Replay
}

func (a *archiveTest) alter(archive time.Duration) {
	a.t.Helper()
	_, err := a.broker.AlterTopic(context.Background(), alerts, core.TopicChange{Archive: &archive})
	a.must(err)
}

func numbered(from, to int) (bodies []string) {
	for i := from; i < to; i++ {
		bodies = append(bodies, fmt.Sprintf("%03d", i))
	}
	return bodies
}

func TestReplay(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.publish("1", "2", "3")
	a.wantDrained("published", "1", "2", "3")
	a.begin(core.Replay{From: time.Now().Add(-time.Hour)})
	if a.sub.Replay != core.ReplayPending || a.status() != core.ReplayPending {
		t.Errorf("a replay that was begun is %q, %q", a.sub.Replay, a.status())
	}
	a.publish("4")
	a.wantDrained("before the replay")
	if found, err := a.broker.FanOut(context.Background()); !found || err != nil {
		t.Fatalf("%v, %v", found, err)
	}
	if a.status() != core.Replaying {
		t.Errorf("a replay under way is %q", a.status())
	}
	a.publish("5")
	a.run()
	if a.status() != core.NoReplay {
		t.Errorf("a replay that is over is %q", a.status())
	}
	a.publish("6")
	a.wantDrained("replayed", "1", "2", "3", "4", "5", "6")
	if found, err := a.broker.FanOut(context.Background()); found || err != nil {
		t.Errorf("more to do: %v, %v", found, err)
	}
}

// Replayed messages are marked, and go into a queue that knows their deduplication ids; those published since are not.
func TestReplayMarks(t *testing.T) {
	t.Parallel()
	a := newArchive(t, func(in *core.NewSubscription) { in.Raw = false })
	first := a.publish("1")[0]
	a.wantDrained("published", first.ID.UUID()+"||1")
	a.begin(core.Replay{From: first.PublishedAt})
	second := a.publish("2")[0]
	a.run()
	messages := pgtest.Receive(t, a.broker, a.queue, 10)
	if len(messages) != 2 || messages[0].DeduplicationID != "1" || messages[0].GroupID != "g" {
		t.Fatalf("received %+v", messages)
	}
	if got, want := pgtest.Bodies(messages), []string{first.ID.UUID() + "||1|replayed", second.ID.UUID() + "||2"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReplaySpans(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		span func(at []time.Time) core.Replay
		want []string
	}{
		"from the second":   {func(at []time.Time) core.Replay { return core.Replay{From: at[1]} }, []string{"2", "3", "4"}},
		"behind the second": {func(at []time.Time) core.Replay { return core.Replay{From: at[1].Add(time.Microsecond)} }, []string{"3", "4"}},
		"up to the third":   {func(at []time.Time) core.Replay { return core.Replay{From: at[0], To: at[2]} }, []string{"1", "2", "3"}},
		"before the third":  {func(at []time.Time) core.Replay { return core.Replay{From: at[0], To: at[2].Add(-time.Microsecond)} }, []string{"1", "2"}},
		"between two":       {func(at []time.Time) core.Replay { return core.Replay{From: at[1].Add(1000), To: at[2].Add(-1000)} }, nil},
		"before all": {func(at []time.Time) core.Replay {
			return core.Replay{From: at[0].Add(-time.Hour), To: at[0].Add(-1000)}
		}, nil},
		"from later on":        {func(at []time.Time) core.Replay { return core.Replay{From: at[3].Add(time.Hour)} }, nil},
		"up to later on":       {func(at []time.Time) core.Replay { return core.Replay{From: at[2], To: at[3].Add(time.Hour)} }, []string{"3", "4"}},
		"longer than archived": {func(at []time.Time) core.Replay { return core.Replay{From: at[0].Add(-400 * day)} }, []string{"1", "2", "3", "4"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newArchive(t)
			var at []time.Time
			for _, p := range a.publish("1", "2", "3", "4") {
				at = append(at, p.PublishedAt)
			}
			a.wantDrained("published", "1", "2", "3", "4")
			a.begin(tt.span(at))
			a.publish("5")
			a.run()
			a.wantDrained("replayed", append(tt.want, "5")...)
		})
	}
}

// Only what a filter lets through is replayed, and a message that the queue does not take becomes a dead letter.
func TestReplayFilters(t *testing.T) {
	t.Parallel()
	a := newArchive(t, withFilter("red"))
	for i, tag := range []string{"red", "blue", "red"} {
		_, err := a.broker.Publish(context.Background(), core.PublishInput{Topic: alerts, Messages: []core.NewPublication{
			{Body: fmt.Append(nil, i), GroupID: "g", Tag: tag},
		}})
		a.must(err)
	}
	a.wantDrained("published", "0", "2")
	a.begin(core.Replay{From: time.Now().Add(-time.Hour)})
	a.run()
	a.wantDrained("replayed", "0", "2")
}

// A replay of several chunks, with publishers at work, is carried on by another server, and nothing is missed or comes twice.
func TestReplayGoesOnElsewhere(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	const archived, since = 250, 60
	publishFIFOAll(t, a.broker, numbered(0, archived))
	a.wantDrained("published", numbered(0, archived)...)
	a.begin(core.Replay{From: time.Now().Add(-time.Hour)})
	if found, err := a.broker.FanOut(context.Background()); !found || err != nil {
		t.Fatalf("%v, %v", found, err)
	}
	var publisher sync.WaitGroup
	publisher.Go(func() { publishFIFOAll(t, a.broker, numbered(archived, archived+since)) })
	other := topicBroker(t, pgtest.Open(t, a.store.URL()))
	for found := true; found; {
		var err error
		found, err = other.FanOut(context.Background())
		a.must(err)
	}
	publisher.Wait()
	a.run()
	a.wantDrained("replayed", numbered(0, archived+since)...)
	if a.status() != core.NoReplay {
		t.Errorf("a replay that is over is %q", a.status())
	}
}

// publishFIFOAll publishes in calls of ten.
func publishFIFOAll(t *testing.T, broker *core.Broker, bodies []string) {
	t.Helper()
	for batch := range slices.Chunk(bodies, 10) {
		in := core.PublishInput{Topic: alerts}
		for _, body := range batch {
			in.Messages = append(in.Messages, core.NewPublication{Body: []byte(body), GroupID: "g"})
		}
		if _, err := broker.Publish(context.Background(), in); err != nil {
			t.Error(err)
		}
	}
}

func TestReplayAnewAndEnd(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	at := a.publish(numbered(0, 150)...)
	a.wantDrained("published", numbered(0, 150)...)
	a.begin(core.Replay{From: at[0].PublishedAt})
	if found, err := a.broker.FanOut(context.Background()); !found || err != nil { // of the first hundred
		t.Fatalf("%v, %v", found, err)
	}
	a.publish("150")
	a.begin(core.Replay{From: at[140].PublishedAt, To: at[142].PublishedAt})
	a.run()
	a.wantDrained("one that replaces another", append(numbered(0, 100), "140", "141", "142", "150")...)
	a.begin(core.Replay{From: at[0].PublishedAt})
	a.publish("151")
	a.begin(core.Replay{})
	a.run()
	a.wantDrained("one that was ended", "151")
}

func TestArchiveKeepsItsTime(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	began, err := a.broker.DescribeTopic(context.Background(), alerts)
	a.must(err)
	a.publish("old")
	pgtest.Advance(t, a.broker, 20*time.Hour)
	a.publish("new")
	pgtest.Advance(t, a.broker, 5*time.Hour)
	a.wantDrained("published", "old", "new")
	a.begin(core.Replay{From: began.CreatedAt})
	a.run()
	a.wantDrained("replayed", "new")
	topic, err := a.broker.DescribeTopic(context.Background(), alerts)
	a.must(err)
	if moved := topic.ArchiveBegins.Sub(began.ArchiveBegins); moved < time.Hour || moved > time.Hour+time.Minute {
		t.Errorf("after 25 hours the archive of a day begins %v later than at first", moved)
	}
	for want := range 2 {
		if n, err := a.store.ExpireArchived(context.Background(), 10); err != nil || n != 1-want {
			t.Errorf("expired %d, %v", n, err)
		}
	}
}

func TestArchiveGivenUp(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	ctx := context.Background()
	if err := a.broker.DeleteTopic(ctx, alerts); core.CodeOf(err) != core.TopicArchives {
		t.Errorf("delete a topic with an archive: %v", err)
	}
	a.publish("1")
	a.wantDrained("published", "1")
	a.begin(core.Replay{From: time.Now().Add(-time.Hour)})
	a.alter(0)
	if n, err := a.store.ExpireArchived(ctx, 10); err != nil || n != 0 {
		t.Errorf("removed %d messages that are being replayed, %v", n, err)
	}
	a.publish("2")
	a.run()
	a.wantDrained("a replay under way", "1", "2")
	if n, err := a.store.ExpireArchived(ctx, 10); err != nil || n != 2 {
		t.Errorf("removed %d messages of an archive that was given up, %v", n, err)
	}
	_, err := a.broker.AlterSubscription(ctx, a.sub.Name, core.SubscriptionChange{Replay: &core.Replay{From: time.Now()}})
	if core.CodeOf(err) != core.InvalidArgument {
		t.Errorf("replay without an archive: %v", err)
	}
	a.publish("3")
	a.alter(day)
	a.publish("4")
	a.wantDrained("published", "3", "4")
	a.begin(core.Replay{From: time.Now().Add(-time.Hour)})
	a.run()
	a.wantDrained("a new archive", "4")
	a.alter(0)
	a.must(a.broker.DeleteTopic(ctx, alerts))
	if n, err := a.store.ExpireArchived(ctx, 10); err != nil || n != 1 {
		t.Errorf("removed %d messages of a topic that is gone, %v", n, err)
	}
}

func TestReplayFromTheBeginning(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.publish("1", "2")
	other := pgtest.Name("other")
	a.must2(a.broker.CreateQueue(context.Background(), core.NewQueue{Name: other, FIFO: true, Settings: core.DefaultSettings()}))
	subscribe(t, a.broker, func(in *core.NewSubscription) {
		in.Protocol, in.Endpoint, in.Queue, in.Raw = "queue", "other", other, true
		in.Replay = &core.Replay{From: time.Now().Add(-time.Hour)}
	})
	a.publish("3")
	a.run()
	a.wantDrained("the old subscriber", "1", "2", "3")
	a.queue = other
	a.wantDrained("the new subscriber", "1", "2", "3")
}

// A message that cannot be read is left out, and a subscription that is gone ends its replay.
func TestReplayOfTheUnreadable(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.publish("1", "2", "3")
	a.wantDrained("published", "1", "2", "3")
	pgtest.Execute(t, a.store.URL(), `UPDATE archived SET content = 'x' WHERE sequence = (SELECT min(sequence) FROM archived)`)
	a.begin(core.Replay{From: time.Now().Add(-time.Hour)})
	a.run()
	a.wantDrained("replayed", "2", "3")
	a.begin(core.Replay{From: time.Now().Add(-time.Hour)})
	_, err := a.broker.Unsubscribe(context.Background(), a.sub.Name)
	a.must(err)
	a.run()
	a.wantDrained("unsubscribed")
}

// A replay to a queue that is gone makes dead letters of its messages.
func TestReplayDeadLetters(t *testing.T) {
	t.Parallel()
	dead := pgtest.Name("dead")
	a := newArchive(t, func(in *core.NewSubscription) { in.DeadLetter = dead })
	a.must2(a.broker.CreateQueue(context.Background(), core.NewQueue{Name: dead, FIFO: true, Settings: core.DefaultSettings()}))
	a.publish("1", "2")
	a.wantDrained("published", "1", "2")
	a.must(a.broker.DeleteQueue(context.Background(), a.queue))
	a.begin(core.Replay{From: time.Now().Add(-time.Hour)})
	a.run()
	for _, d := range a.attempt() {
		if !d.Message.Replayed {
			t.Error("the message is not marked")
		}
	}
	a.queue = dead
	a.wantDrained("dead letters", "1", "2")
}

// What a FIFO queue was not there to take does not come behind what it has taken since, when it is made again.
func TestQueueMadeAgainKeepsOrder(t *testing.T) {
	t.Parallel()
	dead := pgtest.Name("dead")
	a := newArchive(t, func(in *core.NewSubscription) { in.DeadLetter = dead })
	ordered := core.NewQueue{Name: dead, FIFO: true, Settings: core.DefaultSettings()}
	a.must2(a.broker.CreateQueue(context.Background(), ordered))
	a.must(a.broker.DeleteQueue(context.Background(), a.queue))
	a.publish("1", "2")
	ordered.Name = a.queue
	a.must2(a.broker.CreateQueue(context.Background(), ordered))
	a.publish("3")
	a.attempt()
	a.wantDrained("made again", "3")
	a.queue = dead
	a.wantDrained("dead letters", "1", "2")
}

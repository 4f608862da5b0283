package pg_test

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// fifoWithDeadLetters gives a FIFO queue and its dead-letter queue.
func fifoWithDeadLetters(t *testing.T, broker *core.Broker, receives int) (queue, dead *testQueue) {
	t.Helper()
	queue = newFIFO(t, broker)
	in := core.NewQueue{Name: queue.name, FIFO: true, Settings: core.DefaultSettings()}
	in.Name.Name = "dead.fifo"
	if _, created, err := broker.CreateQueue(context.Background(), in); err != nil || !created {
		t.Fatalf("create the dead-letter queue: %v, created %v", err, created)
	}
	dead = &testQueue{t, broker, in.Name}
	queue.deadTo(dead, receives)
	return queue, dead
}

func TestFIFODeadLetter(t *testing.T) { // specs/sqs.md 8.1 and 8.2
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		queue, dead := fifoWithDeadLetters(t, newBroker(t, store), 1)
		sent := queue.sendID("g", "d", "a")
		first := queue.one()
		queue.advance(30 * time.Second)
		queue.wantReceive()
		queue.wantCounts(0, 0, 0, 0)
		dead.wantCounts(1, 0, 0, 1)
		m := dead.one()
		if m.ID != sent.ID || string(m.Body) != "a" || m.GroupID != "g" || m.ReceiveCount != 2 || m.Source != queue.name.String() ||
			!m.FirstReceivedAt.Equal(first.FirstReceivedAt) {
			t.Errorf("dead letter %+v", m)
		}
		if m.Sequence <= sent.Sequence || !m.SentAt.After(sent.SentAt.Add(20*time.Second)) || m.DeduplicationID != sent.ID.UUID() {
			t.Errorf("sent at %v with sequence %s and id %q, then moved: at %v with %s and %q", sent.SentAt, sent.Sequence, "d", m.SentAt, m.Sequence, m.DeduplicationID)
		}
		if again := queue.sendID("g", "d", "b"); !again.Duplicate {
			t.Error("the move forgot what was sent")
		}
	})
}

func TestFIFODeadLetterUnlocksItsGroup(t *testing.T) { // localstack#10107
	t.Parallel()
	queue, dead := fifoWithDeadLetters(t, pgtest.Broker(t), 1)
	queue.sendTo("g", "a", "b", "c")
	queue.receive(1)
	queue.advance(30 * time.Second)
	queue.wantReceive("b", "c") // the receive goes on behind what it moved
	queue.advance(30 * time.Second)
	queue.wantReceive()
	dead.wantReceive("a", "b", "c")
	queue.sendTo("g", "d")
	queue.wantReceive("d")
}

func TestFIFODeadLetterMovesTheHeadOnly(t *testing.T) {
	t.Parallel()
	queue, dead := fifoWithDeadLetters(t, pgtest.Broker(t), 1)
	queue.sendTo("g", "a", "b")
	queue.receive(1)
	queue.advance(30 * time.Second)
	if got := queue.receive(1); len(got) != 1 || string(got[0].Body) != "b" { // room was made for by the move
		t.Errorf("received %q, want b", bodies(got))
	}
	dead.wantReceive("a")
}

func TestFIFODeadLettersOfManyGroups(t *testing.T) {
	t.Parallel()
	queue, dead := fifoWithDeadLetters(t, pgtest.Broker(t), 2)
	for g := range 30 {
		queue.sendTo(fmt.Sprint("g", g), "a", "b")
	}
	queue.wear(2, 60)
	queue.wantReceive()
	queue.wantCounts(0, 0, 0, 0)
	got := dead.receive(core.MaxBatch)
	if len(got) != 60 {
		t.Fatalf("%d messages are dead", len(got))
	}
	for i := 0; i < len(got); i += 2 {
		if got[i].GroupID != got[i+1].GroupID || string(got[i].Body)+string(got[i+1].Body) != "ab" {
			t.Errorf("received %s of %s, then %s of %s", got[i].Body, got[i].GroupID, got[i+1].Body, got[i+1].GroupID)
		}
	}
}

func TestFIFODeadLetterChain(t *testing.T) {
	t.Parallel()
	queue, dead := fifoWithDeadLetters(t, pgtest.Broker(t), 1)
	in := core.NewQueue{Name: queue.name, FIFO: true, Settings: core.DefaultSettings()}
	in.Name.Name = "last.fifo"
	if _, _, err := queue.broker.CreateQueue(context.Background(), in); err != nil {
		t.Fatal(err)
	}
	last := &testQueue{t, queue.broker, in.Name}
	dead.deadTo(last, 2)
	queue.sendTo("g", "a")
	queue.wear(1, 1)
	queue.wantReceive()
	dead.wear(2, 1) // its own receives count
	dead.wantReceive()
	if m := last.one(); m.ReceiveCount != 4 || m.Source != dead.name.String() {
		t.Errorf("received %d times, from %s", m.ReceiveCount, m.Source)
	}
}

func TestFIFODeadLetterWithoutATarget(t *testing.T) {
	t.Parallel()
	queue, dead := fifoWithDeadLetters(t, pgtest.Broker(t), 1)
	queue.sendTo("g", "a", "b")
	queue.wear(1, 2)
	if err := queue.broker.DeleteQueue(context.Background(), dead.name); err != nil {
		t.Fatal(err)
	}
	queue.wantReceive("a", "b") // they stay
	queue.wantCounts(0, 2, 0, 2)
}

func TestFIFODeadLetterWakesItsReceivers(t *testing.T) {
	t.Parallel()
	_, _, brokers := servers(t, pg.Options{})
	queue, dead := fifoWithDeadLetters(t, brokers[0], 1)
	queue.sendTo("g", "a")
	queue.wear(1, 1)
	got := make(chan []core.Message)
	go func() {
		got <- dead.through(brokers[1]).receiveWith(core.ReceiveInput{Limit: 1, Wait: ptr(core.MaxReceiveWait)})
	}()
	queue.wantReceive()
	if m := <-got; len(m) != 1 {
		t.Errorf("who waited got %d messages", len(m))
	}
}

// TestFIFODeadLetterMoveDies: a server that dies between a receive and the move of the dead letters that it found leaves their
// group as it was. Nobody has received anything of it, and it goes on a little later, whatever the visibility timeout.
func TestFIFODeadLetterMoveDies(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	queue, dead := fifoWithDeadLetters(t, newBroker(t, store), 1)
	queue.alter(core.QueueChange{VisibilityTimeout: ptr(12 * time.Hour)})
	queue.sendTo("g", "a", "b")
	queue.wear(1, 2)
	queue.sendTo("g", "c", "d")
	conn := database(t, store.URL())
	execute(t, conn, `CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'`)
	execute(t, conn, `CREATE TRIGGER die BEFORE DELETE ON fifo_messages EXECUTE FUNCTION die()`)
	queue.wantReceive()
	dead.wantReceive()
	execute(t, conn, `DROP TRIGGER die ON fifo_messages`)
	queue.advance(pg.MoveTime)
	for _, m := range queue.wantReceive("c", "d") {
		if m.ReceiveCount != 1 {
			t.Errorf("%s was received %d times", m.Body, m.ReceiveCount)
		}
	}
	for _, m := range dead.wantReceive("a", "b") {
		if m.ReceiveCount != 2 {
			t.Errorf("%s was received %d times, want once there and once here", m.Body, m.ReceiveCount)
		}
	}
}

// TestFIFODeadLetterFillsUp: a receive gives as many messages as were asked for, also of the group whose dead letters it moved.
func TestFIFODeadLetterFillsUp(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		queue, dead := fifoWithDeadLetters(t, newBroker(t, store), 1)
		queue.sendTo("g", "a", "b")
		queue.wear(1, 2)
		queue.sendTo("g", "c", "d", "e", "f")
		got := queue.receive(3)
		if !slices.Equal(bodies(got), []string{"c", "d", "e"}) {
			t.Errorf("received %q behind the dead letters", bodies(got))
		}
		for _, m := range got {
			if m.ReceiveCount != 1 {
				t.Errorf("%s was received %d times", m.Body, m.ReceiveCount)
			}
		}
		dead.wantReceive("a", "b")
		queue.wantCounts(1, 3, 0, 4)
		queue.advance(30 * time.Second)
		queue.sendTo("g", "g")
		if got := bodies(queue.attempt("id", 10, time.Minute)); !slices.Equal(got, []string{"f", "g"}) { // with an attempt too
			t.Errorf("received %q behind dead letters", got)
		}
		if got := bodies(queue.attempt("id", 10, time.Minute)); !slices.Equal(got, []string{"f", "g"}) {
			t.Errorf("the attempt repeated gives %q", got)
		}
	})
}

// TestFIFODeadLetterThatCannotBeMoved is handed to nobody, and nobody is told that it was moved.
func TestFIFODeadLetterThatCannotBeMoved(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	queue, dead := fifoWithDeadLetters(t, newBroker(t, store), 1)
	var moved atomic.Int32
	store.Observe(func(*core.Queue) bool { return true }, func(queue *core.Queue, e core.Event) {
		if queue.DeadLetter.Target != "" && e.Kind == core.EventMoved {
			moved.Add(1)
		}
	})
	queue.sendTo("g", "a")
	queue.wear(1, 1)
	conn := database(t, store.URL())
	execute(t, conn, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$`)
	execute(t, conn, `CREATE TRIGGER refuse BEFORE INSERT ON fifo_messages FOR EACH ROW WHEN (NEW.source IS NOT NULL) EXECUTE FUNCTION refuse()`)
	queue.wantReceive()
	queue.wantCounts(0, 1, 0, 1)
	if n := moved.Load(); n != 0 {
		t.Errorf("%d moves were told of", n)
	}
	execute(t, conn, `DROP TRIGGER refuse ON fifo_messages`)
	queue.advance(pg.MoveTime)
	queue.wantReceive()
	dead.wantReceive("a")
	if n := moved.Load(); n != 1 {
		t.Errorf("%d moves were told of", n)
	}
}

package pg_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// bury gives the queue's bodies to its dead-letter queue, by a policy that lets each be received once.
func (q *testQueue) bury(bodies ...string) {
	q.t.Helper()
	for chunk := range slices.Chunk(bodies, core.MaxBatch) {
		q.send(chunk...)
		q.wear(1, len(chunk))
		q.wantReceive()
	}
}

func (q *testQueue) startMove(in core.StartMove) core.MoveTask {
	q.t.Helper()
	in.Source = q.name
	task, err := q.broker.StartMove(context.Background(), in)
	if err != nil {
		q.t.Fatalf("start a move from %s: %v", q.name, err)
	}
	return task
}

// move gives the newest task of the queue.
func (q *testQueue) move() core.MoveTask {
	q.t.Helper()
	tasks, err := q.broker.ListMoves(context.Background(), q.name, 1)
	if err != nil || len(tasks) != 1 {
		q.t.Fatalf("list the moves from %s: %d, %v", q.name, len(tasks), err)
	}
	return tasks[0]
}

// ended waits for the end of the newest task, and gives it. How much it has moved is told only then: a step may be under way.
func (q *testQueue) ended() core.MoveTask {
	q.t.Helper()
	eventually(q.t, "the move ends", func() bool {
		status := q.move().Status
		return status != core.MoveRunning && status != core.MoveCancelling
	})
	return q.move()
}

// wantMoved waits for the end of the newest task, and fails unless it is this one.
func (q *testQueue) wantMoved(want core.MoveStatus, moved int64) core.MoveTask {
	q.t.Helper()
	task := q.ended()
	if task.Status != want || task.Moved != moved || task.EndedAt.IsZero() {
		q.t.Errorf("the move is %+v, want %s after %d", task, want, moved)
	}
	return task
}

func TestMoveGivesMessagesBackToTheirSources(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		first, dead := withDeadLetters(t, newBroker(t, store), 1)
		second := first.beside("second")
		second.deadTo(dead, 1)
		first.bury("a", "b")
		second.bury("c")
		first.bury("d")
		before := dead.describe().Counts
		task := dead.startMove(core.StartMove{})
		if task.Status != core.MoveRunning || task.ToMove != 4 || task.Source != dead.name || task.StartedAt.IsZero() {
			t.Errorf("started %+v of %+v", task, before)
		}
		if ended := dead.wantMoved(core.MoveCompleted, 4); ended.ID != task.ID || ended.ToMove != 4 {
			t.Errorf("got %+v, want the end of %+v", ended, task)
		}
		dead.wantCounts(0, 0, 0, 0)
		first.wantCounts(3, 0, 0, 3)
		second.wantCounts(1, 0, 0, 1)
		first.wantReceive("a", "b", "d")
		second.wantReceive("c")
	})
}

// What was moved back is a new message: only what the sender gave is as it was.
func TestMovedMessagesAreNew(t *testing.T) {
	t.Parallel()
	queue, dead := withDeadLetters(t, newBroker(t, pgtest.New(t)), 1)
	message := core.NewMessage{
		Body: []byte("body"), Form: core.FormBase64, GroupID: "g", Sender: "me", Priority: 3,
		Attributes: []core.Attribute{{Name: "n", Type: "Number.int", Value: []byte("7")}},
		System:     map[string]string{"AWSTraceHeader": "Root=1"},
	}
	sent := queue.sendMessages(message)[0]
	was := queue.receiveFor(1, 0)[0]
	queue.wantReceive()
	queue.advance(time.Hour)
	dead.startMove(core.StartMove{})
	dead.wantMoved(core.MoveCompleted, 1)
	m := queue.one()
	if m.ID == sent.ID || m.SentAt.Before(sent.SentAt.Add(time.Hour)) || m.FirstReceivedAt.Before(m.SentAt) || m.ReceiveCount != 1 || m.Source != "" {
		t.Errorf("%+v is not a new message", m)
	}
	want := was
	want.ID, want.Handle, want.SentAt, want.FirstReceivedAt, want.VisibleAt = m.ID, m.Handle, m.SentAt, m.FirstReceivedAt, m.VisibleAt
	if fmt.Sprintf("%+v", m) != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %+v\nwant %+v", m, want)
	}
	queue.advance(30 * time.Second) // it is a dead letter again when its receives are used up once more
	queue.wantReceive()
	if m := dead.one(); m.ReceiveCount != 2 {
		t.Errorf("count %d, want 2", m.ReceiveCount)
	}
}

// A destination takes messages of any origin, of priorities that it has never seen, and wakes its readers.
func TestMoveToADestination(t *testing.T) {
	t.Parallel()
	queue, dead := withDeadLetters(t, newBroker(t, pgtest.New(t)), 1)
	other := queue.beside("other")
	queue.bury("a")
	dead.sendMessages(core.NewMessage{Body: []byte("b"), Priority: 1}, core.NewMessage{Body: []byte("c"), Priority: 16})
	dead.sendMessages(core.NewMessage{Body: []byte("later"), Delay: ptr(time.Hour)})
	polled := make(chan []core.Message, 1)
	go func() { polled <- other.receiveWith(core.ReceiveInput{Limit: 1, Wait: ptr(core.MaxReceiveWait)}) }()
	task := dead.startMove(core.StartMove{Destination: "other", Rate: 500})
	if task.Destination != "other" || task.Rate != 500 || task.ToMove != 3 {
		t.Errorf("started %+v", task)
	}
	dead.wantMoved(core.MoveCompleted, 3)
	got := pgtest.Bodies(append(<-polled, other.receive(10)...))
	slices.Sort(got)
	if !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("the destination got %q", got)
	}
	dead.wantCounts(0, 0, 1, 5)
}

func TestMoveFails(t *testing.T) {
	tests := map[string]struct {
		prepare func(queue, dead, other *testQueue)
		to      string
		want    core.MoveFailure
		moved   int64
	}{
		"a message that was sent to the dead-letter queue": {func(queue, dead, _ *testQueue) {
			queue.bury("a")
			dead.send("b")
		}, "", core.MoveSourceUnknown, 1},
		"the source of a message is gone": {func(queue, dead, other *testQueue) {
			other.deadTo(dead, 1)
			other.bury("b")
			queue.bury("a")
			if err := other.broker.DeleteQueue(context.Background(), other.name); err != nil {
				other.t.Fatal(err)
			}
		}, "", core.MoveDestinationGone, 1},
	}
	t.Parallel()
	store := pgtest.New(t)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			queue, dead := withDeadLetters(t, newBroker(t, store), 1)
			tt.prepare(queue, dead, queue.beside("other"))
			dead.startMove(core.StartMove{Destination: tt.to})
			if task := dead.wantMoved(core.MoveFailed, tt.moved); task.Failure != tt.want {
				t.Errorf("failed for %q, want %q", task.Failure, tt.want)
			}
			dead.wantCounts(1, 0, 0, 1)
		})
	}
}

// A task with a rate moves no more than that, and notices that its destination is deleted.
func TestMoveRate(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	queue, dead := withDeadLetters(t, newBroker(t, store), 1)
	other := queue.beside("other")
	queue.bury(repeat("a", 50)...)
	dead.startMove(core.StartMove{Destination: "other", Rate: 1})
	moved := func(n int64) func() bool {
		return func() bool {
			if err := store.RunMoves(soon(t)); err != nil {
				t.Error(err)
			}
			return dead.move().Moved >= n
		}
	}
	eventually(t, "the first is moved at once", moved(1))
	queue.advance(time.Second)
	eventually(t, "another is moved a second later", moved(2))
	m := dead.move()
	now, err := dead.broker.AdvanceClock(t.Context(), dead.name.Account, 0)
	if most := 1 + int64(now.Sub(m.StartedAt)/time.Second); err != nil || m.Moved > most || most < 50 && m.Status != core.MoveRunning {
		t.Errorf("%+v at %v, %v; want at most %d moved at a rate of 1 a second", m, now, err, most)
	}
	if err := other.broker.DeleteQueue(t.Context(), other.name); err != nil {
		t.Fatal(err)
	}
	queue.advance(time.Second)
	task := dead.ended()
	if task.Status != core.MoveFailed || task.Failure != core.MoveDestinationGone || task.Moved < m.Moved {
		t.Errorf("the move is %+v, want it failed for %q", task, core.MoveDestinationGone)
	}
	dead.wantCounts(50-task.Moved, 0, 0, 50-task.Moved)
}

// soon gives a context for one look at the tasks.
func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestCancelMove(t *testing.T) {
	t.Parallel()
	queue, dead := withDeadLetters(t, newBroker(t, pgtest.New(t)), 1)
	queue.bury(repeat("a", 50)...)
	task := dead.startMove(core.StartMove{Rate: 1})
	cancelled, err := dead.broker.CancelMove(t.Context(), dead.name, task.ID)
	if err != nil || cancelled.ID != task.ID || cancelled.Status != core.MoveCancelling {
		t.Fatalf("cancel gave %+v, %v", cancelled, err)
	}
	eventually(t, "the task stands", func() bool { return dead.move().Status == core.MoveCancelled })
	moved := dead.move().Moved
	if moved < cancelled.Moved || moved == 50 {
		t.Errorf("%d were moved, %d when it was cancelled", moved, cancelled.Moved)
	}
	dead.wantCounts(50-moved, 0, 0, 50-moved)
	for name, tt := range map[string]struct {
		source core.QueueName
		id     string
		want   core.Code
	}{
		"a task that has ended": {dead.name, task.ID, core.MoveEnded},
		"another queue's":       {queue.name, task.ID, core.MoveNotFound},
		"none":                  {dead.name, "11111111-1111-1111-1111-111111111111", core.MoveNotFound},
		"no id":                 {dead.name, "x", core.MoveNotFound},
		"a queue that is gone":  {core.QueueName{Account: dead.name.Account, Region: dead.name.Region, Name: "gone"}, task.ID, core.QueueNotFound},
	} {
		if _, err := dead.broker.CancelMove(t.Context(), tt.source, tt.id); core.CodeOf(err) != tt.want {
			t.Errorf("cancel %s: %v, want %s", name, err, tt.want)
		}
	}
	dead.startMove(core.StartMove{}) // the next one finishes what is left
	dead.wantMoved(core.MoveCompleted, 50-moved)
}

func TestStartMoveRefuses(t *testing.T) {
	t.Parallel()
	queue, dead := withDeadLetters(t, newBroker(t, pgtest.New(t)), 1)
	fifo := core.NewQueue{Name: queue.name, FIFO: true, Settings: core.DefaultSettings()}
	fifo.Name.Name = "other.fifo"
	if _, _, err := queue.broker.CreateQueue(t.Context(), fifo); err != nil {
		t.Fatal(err)
	}
	gone := dead.name
	gone.Name = "gone"
	tests := map[string]struct {
		in   core.StartMove
		want core.Code
	}{
		"source missing":      {core.StartMove{Source: gone}, core.QueueNotFound},
		"destination missing": {core.StartMove{Source: dead.name, Destination: "gone"}, core.MoveDestinationNotFound},
		"both missing":        {core.StartMove{Source: gone, Destination: "gone"}, core.QueueNotFound},
		"no dead letters":     {core.StartMove{Source: queue.name}, core.NotDeadLetterQueue},
		"to itself":           {core.StartMove{Source: dead.name, Destination: "dead"}, core.InvalidArgument},
		"another type":        {core.StartMove{Source: dead.name, Destination: "other.fifo"}, core.QueueTypeMismatch},
		"rate too low":        {core.StartMove{Source: dead.name, Rate: -1}, core.InvalidArgument},
		"rate too high":       {core.StartMove{Source: dead.name, Rate: core.MaxMoveRate + 1}, core.InvalidArgument},
	}
	for name, tt := range tests {
		if _, err := queue.broker.StartMove(t.Context(), tt.in); core.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	if tasks, err := queue.broker.ListMoves(t.Context(), dead.name, 10); err != nil || len(tasks) != 0 {
		t.Errorf("%d tasks, %v; want none", len(tasks), err)
	}
	for _, limit := range []int{0, core.MaxMovesListed + 1} {
		if _, err := queue.broker.ListMoves(t.Context(), dead.name, limit); core.CodeOf(err) != core.InvalidArgument {
			t.Errorf("list of %d: %v", limit, err)
		}
	}
}

func TestActiveMovesAreFew(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	queue, dead := withDeadLetters(t, newBroker(t, store), 1)
	queue.bury(repeat("a", 1000)...) // which take a thousand seconds
	dead.startMove(core.StartMove{Rate: 1})
	if _, err := dead.broker.StartMove(t.Context(), core.StartMove{Source: dead.name}); core.CodeOf(err) != core.MoveActive {
		t.Errorf("a second task: %v, want %s", err, core.MoveActive)
	}
	conn := database(t, store.URL())
	execute(t, conn, `INSERT INTO move_tasks (id, account, source_id, destination, rate, status, to_move, started_at, next_at)
		SELECT gen_random_uuid(), $1, -n, '', 0, 'RUNNING', 0, now(), 'infinity' FROM generate_series(1, $2::int) n`, queue.name.Account, core.MaxActiveMoves-2)
	second := queue.beside("second")
	queue.beside("source").deadTo(second, 1)
	third := queue.beside("third")
	queue.beside("source3").deadTo(third, 1)
	second.startMove(core.StartMove{}) // the last one allowed; it has nothing to do
	second.wantMoved(core.MoveCompleted, 0)
	execute(t, conn, `UPDATE move_tasks SET status = 'RUNNING', next_at = 'infinity' WHERE source_id = $1`, second.describe().ID)
	if _, err := third.broker.StartMove(t.Context(), core.StartMove{Source: third.name}); core.CodeOf(err) != core.TooManyMoves {
		t.Errorf("a task too many: %v, want %s", err, core.TooManyMoves)
	}
}

func TestEndedMovesAreForgotten(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	_, dead := withDeadLetters(t, newBroker(t, store), 1)
	var ids []string
	for range core.MaxMovesListed + 2 {
		ids = append(ids, dead.startMove(core.StartMove{}).ID)
		dead.wantMoved(core.MoveCompleted, 0)
		dead.advance(time.Minute)
	}
	if n, err := store.RemoveMoves(t.Context(), 100); err != nil || n != 2 {
		t.Errorf("removed %d, %v; want 2", n, err)
	}
	tasks, err := dead.broker.ListMoves(t.Context(), dead.name, core.MaxMovesListed)
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, task := range tasks {
		listed = append(listed, task.ID)
	}
	slices.Reverse(listed)
	if !slices.Equal(listed, ids[2:]) {
		t.Errorf("listed %q, want %q, the newest first", listed, ids[2:])
	}
	dead.recreate()
	if tasks, err := dead.broker.ListMoves(t.Context(), dead.name, 10); err != nil || len(tasks) != 0 {
		t.Errorf("the new queue has %d tasks, %v", len(tasks), err)
	}
	if n, err := store.RemoveMoves(t.Context(), 100); err != nil || n != core.MaxMovesListed {
		t.Errorf("removed %d of a queue that is gone, %v; want %d", n, err, core.MaxMovesListed)
	}
}

func TestMoveEndsAfterTooLong(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	queue, dead := withDeadLetters(t, newBroker(t, store), 1)
	queue.alter(core.QueueChange{Retention: ptr(core.MaxRetention)})
	dead.alter(core.QueueChange{Retention: ptr(core.MaxRetention)})
	queue.bury(repeat("a", 50)...)
	dead.startMove(core.StartMove{Rate: 1})
	eventually(t, "it has begun", func() bool { return dead.move().Moved > 0 })
	dead.advance(core.MaxMoveTime + time.Second)
	task := dead.ended()
	if task.Status != core.MoveFailed || task.Failure != core.MoveTookTooLong || task.Moved == 0 || task.Moved == 50 {
		t.Errorf("the move is %+v, want it failed for %q", task, core.MoveTookTooLong)
	}
}

// Two servers share a task, one of whose steps dies half-way: every message is moved once.
func TestMoveOutlivesItsServers(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	const messages = 2000
	first, second := pgtest.Open(t, url), pgtest.Open(t, url)
	queue, dead := withDeadLetters(t, newBroker(t, first), 1)
	var bodies []string
	for n := range messages {
		bodies = append(bodies, fmt.Sprint(n))
	}
	queue.bury(bodies...)
	conn := database(t, url)
	execute(t, conn, `CREATE SEQUENCE deaths`)
	execute(t, conn, `CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		IF OLD.moved > 0 AND nextval('deaths') <= 3 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
		RETURN NEW; END $$`)
	execute(t, conn, `CREATE TRIGGER die BEFORE UPDATE ON move_tasks FOR EACH ROW EXECUTE FUNCTION die()`)
	dead.startMove(core.StartMove{})
	eventually(t, "the move is complete", func() bool {
		for _, store := range []*pg.Store{second, first} {
			if err := store.RunMoves(t.Context()); err != nil && core.CodeOf(err) != core.Unavailable {
				t.Errorf("go on: %v", err)
			}
		}
		return dead.move().Status == core.MoveCompleted
	})
	dead.wantMoved(core.MoveCompleted, messages)
	dead.wantCounts(0, 0, 0, 0)
	seen := map[string]int{}
	for {
		got := queue.receive(core.MaxBatch)
		if len(got) == 0 {
			break
		}
		for _, m := range got {
			seen[string(m.Body)]++
		}
	}
	for _, body := range bodies {
		if seen[body] != 1 {
			t.Errorf("%s is there %d times", body, seen[body])
		}
	}
}

// Of a FIFO queue, each group's messages are moved in order, up to the first one that is hidden.
func TestMoveFIFO(t *testing.T) {
	inBothModes(t, func(t *testing.T, store *pg.Store) {
		broker := newBroker(t, store)
		queue := newFIFO(t, broker)
		in := core.NewQueue{Name: queue.name, FIFO: true, Settings: core.DefaultSettings()}
		in.Name.Name = "dead.fifo"
		if _, _, err := broker.CreateQueue(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		dead := &testQueue{t, broker, in.Name}
		queue.deadTo(dead, 1)
		queue.sendTo("g1", "a1", "a2", "a3")
		queue.sendTo("g2", "b1", "b2")
		queue.wear(1, 5)
		queue.wantReceive()
		dead.wantCounts(5, 0, 0, 10)
		held := dead.receive(1) // a group's first: nothing of the group can go
		bodies := map[string][]string{"g1": {"a1", "a2", "a3"}, "g2": {"b1", "b2"}}
		here, there := bodies[held[0].GroupID], bodies[map[string]string{"g1": "g2", "g2": "g1"}[held[0].GroupID]]
		if task := dead.startMove(core.StartMove{}); task.ToMove != 4 {
			t.Errorf("%d to move, want the 4 that count as visible", task.ToMove)
		}
		dead.wantMoved(core.MoveCompleted, int64(len(there)))
		queue.wantReceive(there...)
		dead.wantCounts(int64(len(here))-1, 1, 0, int64(2*len(here)))
		dead.hide(held[0].Handle, 0)
		dead.startMove(core.StartMove{})
		dead.wantMoved(core.MoveCompleted, int64(len(here)))
		got := queue.wantReceive(here...)
		if m := got[0]; m.ID == held[0].ID || m.ReceiveCount != 1 || m.Source != "" || m.GroupID != held[0].GroupID || m.Sequence <= held[0].Sequence {
			t.Errorf("%+v is not a new message of its group", m)
		}
		dead.wantCounts(0, 0, 0, 0)
		queue.wantCounts(0, 5, 0, 10)
	})
}

func TestMoveFIFOFails(t *testing.T) {
	t.Parallel()
	broker := newBroker(t, pgtest.New(t))
	queue := newFIFO(t, broker)
	in := core.NewQueue{Name: queue.name, FIFO: true, Settings: core.DefaultSettings()}
	in.Name.Name = "dead.fifo"
	if _, _, err := broker.CreateQueue(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	dead := &testQueue{t, broker, in.Name}
	queue.deadTo(dead, 1)
	queue.sendTo("g", "a")
	queue.wear(1, 1)
	queue.wantReceive()
	dead.sendTo("g", "b")
	dead.startMove(core.StartMove{})
	if task := dead.wantMoved(core.MoveFailed, 1); task.Failure != core.MoveSourceUnknown {
		t.Errorf("failed for %q, want %q", task.Failure, core.MoveSourceUnknown)
	}
	queue.wantReceive("a")
	dead.wantReceive("b")
}

// TestMoveThatKeepsFailing holds up no other task, and goes on once it can.
func TestMoveThatKeepsFailing(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	broker := newBroker(t, store)
	poisoned, sick := withDeadLetters(t, broker, 1)
	well := newQueue(t, broker)
	wellDead := well.beside("dead")
	well.deadTo(wellDead, 1)
	poisoned.bury("a", "b")
	well.bury("c")
	conn := database(t, store.URL())
	execute(t, conn, `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$`)
	execute(t, conn, fmt.Sprintf(`CREATE TRIGGER refuse BEFORE INSERT ON messages FOR EACH ROW WHEN (NEW.storage_id = %d) EXECUTE FUNCTION refuse()`, poisoned.describe().Storage))

	sick.startMove(core.StartMove{})
	wellDead.startMove(core.StartMove{})
	wellDead.wantMoved(core.MoveCompleted, 1)
	well.wantReceive("c")
	if task := sick.move(); task.Status != core.MoveRunning || task.Moved != 0 {
		t.Errorf("the task that fails: %+v", task)
	}
	execute(t, conn, `DROP TRIGGER refuse ON messages`)
	eventually(t, "it is over", func() bool {
		sick.advance(10 * time.Second)
		if err := store.RunMoves(context.Background()); err != nil {
			t.Fatal(err)
		}
		return sick.move().Status == core.MoveCompleted
	})
	poisoned.wantCounts(2, 0, 0, 2)
	sick.wantCounts(0, 0, 0, 0)
}

// A task whose account is reset, and with it the account's time, is not left behind: it would wait for a step in the future, and count as active.
func TestMoveEndsWithItsAccount(t *testing.T) {
	t.Parallel()
	store := pgtest.New(t)
	source, dead := withDeadLetters(t, newBroker(t, store), 1)
	source.bury("a", "b")
	dead.advance(24 * time.Hour)
	dead.startMove(core.StartMove{Rate: 1})
	if err := dead.broker.ResetAccount(context.Background(), dead.name.Account); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := database(t, store.URL()).QueryRow(context.Background(), `SELECT count(*) FROM move_tasks`).Scan(&left); err != nil || left > 0 {
		t.Errorf("%d tasks are left, %v", left, err)
	}
}

// Tasks that are started and cancelled while another goes on gather no goroutines. It counts those of all stores, and so is run alone.
func TestMovesLeaveFewWaiting(t *testing.T) {
	queue, dead := withDeadLetters(t, newBroker(t, pgtest.New(t)), 1)
	queue.bury(repeat("a", 50)...)
	dead.startMove(core.StartMove{Rate: 1})
	other := dead.beside("other")
	queue.beside("source").deadTo(other, 1)
	for range 10 {
		task := other.startMove(core.StartMove{})
		if _, err := other.broker.CancelMove(t.Context(), other.name, task.ID); err != nil && core.CodeOf(err) != core.MoveEnded {
			t.Fatal(err)
		}
		other.ended()
	}
	stacks := make([]byte, 8<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	if most, n := pg.MaxNextMoves+1, bytes.Count(stacks, []byte("pg.(*Store).moveSoon.func1(")); n > most {
		t.Errorf("%d goroutines go on with move tasks, want %d at the most", n, most)
	}
	if task := dead.move(); task.Status != core.MoveRunning {
		t.Errorf("the task that the others went beside is %+v", task)
	}
}

package core_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/polymq/polymq/core"
)

// deadStore is a stub that knows of dead letters as much as the Broker's rules need.
type deadStore struct{ *stubStore }

func (s deadStore) DescribeQueue(ctx context.Context, name core.QueueName) (core.Queue, error) {
	queue, err := s.Queue(ctx, name)
	if err != nil {
		return core.Queue{}, err
	}
	return *queue, nil
}

func (s deadStore) DeadLetterSources(_ context.Context, name core.QueueName, _ string, limit int) (page core.QueuePage, err error) {
	for _, queue := range s.queues {
		if queue.DeadLetter.Target == name.Name && len(page.Queues) < limit {
			page.Queues = append(page.Queues, *queue)
		}
	}
	return page, nil
}

func (s deadStore) StartMove(_ context.Context, source *core.Queue, in core.StartMove) (core.MoveTask, error) {
	return core.MoveTask{ID: "1", Source: source.Name, Destination: in.Destination, Rate: in.Rate}, nil
}

func (s deadStore) ListMoves(_ context.Context, source *core.Queue, limit int) ([]core.MoveTask, error) {
	return make([]core.MoveTask, limit), nil
}

func (s deadStore) CancelMove(_ context.Context, source *core.Queue, id string) (core.MoveTask, error) {
	return core.MoveTask{ID: id, Source: source.Name}, nil
}

// newDead gives a broker with the queue orders, whose dead-letter queue is dead, and some others.
func newDead(t *testing.T) *core.Broker {
	t.Helper()
	stub := newStub()
	for i, in := range []core.Queue{
		{Name: orders, Settings: core.Settings{DeadLetter: core.DeadLetterPolicy{Target: "dead", MaxReceives: 1}}},
		{Name: named("dead")},
		{Name: named("dead.fifo"), FIFO: true},
		{Name: named("closed"), Settings: core.Settings{DeadLetterSources: core.NoSource}},
		{Name: named("ours"), Settings: core.Settings{DeadLetterSources: core.Sources("x", "orders")}},
		{Name: named("theirs"), Settings: core.Settings{DeadLetterSources: core.Sources("x")}},
	} {
		in.ID = int64(i + 1)
		stub.queues[in.Name] = &in
	}
	broker := core.NewBroker(deadStore{stub})
	t.Cleanup(broker.Close)
	return broker
}

func named(name string) core.QueueName {
	return core.QueueName{Account: orders.Account, Region: orders.Region, Name: name}
}

func TestDeadLetterPolicies(t *testing.T) {
	tests := map[string]struct {
		policy core.DeadLetterPolicy
		fifo   core.Code // what a FIFO queue is told
		want   core.Code
	}{
		"none":                 {core.DeadLetterPolicy{}, "", ""},
		"one receive":          {core.DeadLetterPolicy{Target: "dead", MaxReceives: 1}, core.QueueTypeMismatch, ""},
		"the most receives":    {core.DeadLetterPolicy{Target: "dead", MaxReceives: core.MaxReceivesBound}, core.QueueTypeMismatch, ""},
		"no receive":           {core.DeadLetterPolicy{Target: "dead"}, core.InvalidArgument, core.InvalidArgument},
		"more receives":        {core.DeadLetterPolicy{Target: "dead", MaxReceives: core.MaxReceivesBound + 1}, core.InvalidArgument, core.InvalidArgument},
		"receives without one": {core.DeadLetterPolicy{MaxReceives: 3}, core.InvalidArgument, core.InvalidArgument},
		"not a name":           {core.DeadLetterPolicy{Target: "a b", MaxReceives: 3}, core.InvalidArgument, core.InvalidArgument},
		"missing":              {core.DeadLetterPolicy{Target: "x", MaxReceives: 3}, core.DeadLetterQueueNotFound, core.DeadLetterQueueNotFound},
		"a FIFO queue":         {core.DeadLetterPolicy{Target: "dead.fifo", MaxReceives: 3}, "", core.QueueTypeMismatch},
		"closed":               {core.DeadLetterPolicy{Target: "closed", MaxReceives: 3}, core.QueueTypeMismatch, core.DeadLetterDenied},
		"open to it":           {core.DeadLetterPolicy{Target: "ours", MaxReceives: 3}, core.QueueTypeMismatch, ""},
		"open to others":       {core.DeadLetterPolicy{Target: "theirs", MaxReceives: 3}, core.QueueTypeMismatch, core.DeadLetterDenied},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			broker := newDead(t)
			in := core.NewQueue{Name: orders, Settings: core.DefaultSettings()}
			in.Settings.DeadLetter = tt.policy
			_, _, err := broker.CreateQueue(t.Context(), in)
			checkCode(t, err, tt.want)
			in.FIFO = true
			_, _, err = broker.CreateQueue(t.Context(), in)
			checkCode(t, err, tt.fifo)
			_, err = broker.AlterQueue(t.Context(), orders, core.QueueChange{DeadLetter: &tt.policy})
			checkCode(t, err, tt.want)
		})
	}
	_, err := newDead(t).AlterQueue(t.Context(), named("dead"), core.QueueChange{DeadLetter: &core.DeadLetterPolicy{Target: "dead", MaxReceives: 1}})
	checkCode(t, err, core.InvalidArgument) // its own
}

func TestSourceRules(t *testing.T) {
	var many []string
	for i := range core.MaxListedSources + 1 {
		many = append(many, fmt.Sprint("q", i))
	}
	tests := map[string]struct {
		rule   core.SourceRule
		names  []string
		allows string // of "a b c", those that it allows
		want   core.Code
	}{
		"any":             {core.AnySource, nil, "a b c", ""},
		"none":            {core.NoSource, nil, "", ""},
		"no names":        {core.Sources(), nil, "", ""},
		"names":           {core.Sources("c", "a", "c"), []string{"a", "c"}, "a c", ""},
		"the most names":  {core.Sources(many[1:]...), slices.Sorted(slices.Values(many[1:])), "", ""},
		"more names":      {core.Sources(many...), slices.Sorted(slices.Values(many)), "", core.InvalidArgument},
		"not a name":      {core.Sources("a/b"), []string{"a/b"}, "", core.InvalidArgument},
		"a name too long": {core.Sources(strings.Repeat("n", core.MaxNameLength+1)), []string{strings.Repeat("n", core.MaxNameLength+1)}, "", core.InvalidArgument},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := tt.rule.Names(); !slices.Equal(got, tt.names) {
				t.Errorf("names %q, want %q", got, tt.names)
			}
			var allowed []string
			for _, source := range []string{"a", "b", "c"} {
				if tt.rule.Allows(source) {
					allowed = append(allowed, source)
				}
			}
			if got := strings.Join(allowed, " "); got != tt.allows {
				t.Errorf("allows %q, want %q", got, tt.allows)
			}
			_, err := newDead(t).AlterQueue(t.Context(), orders, core.QueueChange{DeadLetterSources: &tt.rule})
			checkCode(t, err, tt.want)
		})
	}
}

func TestStartMoveValidates(t *testing.T) {
	tests := map[string]struct {
		in   core.StartMove
		want core.Code
	}{
		"back to the sources":  {core.StartMove{Source: named("dead")}, ""},
		"to a destination":     {core.StartMove{Source: named("dead"), Destination: "ours"}, ""},
		"at the highest rate":  {core.StartMove{Source: named("dead"), Rate: core.MaxMoveRate}, ""},
		"a higher rate":        {core.StartMove{Source: named("dead"), Rate: core.MaxMoveRate + 1}, core.InvalidArgument},
		"a negative rate":      {core.StartMove{Source: named("dead"), Rate: -1}, core.InvalidArgument},
		"from nowhere":         {core.StartMove{Source: named("x"), Destination: "y"}, core.QueueNotFound},
		"from no dead letters": {core.StartMove{Source: orders}, core.NotDeadLetterQueue},
		"to nowhere":           {core.StartMove{Source: orders, Destination: "x"}, core.MoveDestinationNotFound},
		"to no name":           {core.StartMove{Source: named("dead"), Destination: "a b"}, core.MoveDestinationNotFound},
		"to itself":            {core.StartMove{Source: named("dead"), Destination: "dead"}, core.InvalidArgument},
		"to another type":      {core.StartMove{Source: named("dead"), Destination: "dead.fifo"}, core.QueueTypeMismatch},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			task, err := newDead(t).StartMove(t.Context(), tt.in)
			checkCode(t, err, tt.want)
			if err == nil && (task.Source != tt.in.Source || task.Destination != tt.in.Destination || task.Rate != tt.in.Rate) {
				t.Errorf("started %+v for %+v", task, tt.in)
			}
		})
	}
}

func TestMovesAreOfAQueue(t *testing.T) {
	broker := newDead(t)
	for limit, want := range map[int]core.Code{0: core.InvalidArgument, 1: "", core.MaxMovesListed: "", core.MaxMovesListed + 1: core.InvalidArgument} {
		tasks, err := broker.ListMoves(t.Context(), named("dead"), limit)
		checkCode(t, err, want)
		if err == nil && len(tasks) != limit {
			t.Errorf("%d tasks, asked for %d", len(tasks), limit)
		}
	}
	_, err := broker.ListMoves(t.Context(), named("x"), 1)
	checkCode(t, err, core.QueueNotFound)
	_, err = broker.CancelMove(t.Context(), named("x"), "1")
	checkCode(t, err, core.QueueNotFound)
	task, err := broker.CancelMove(t.Context(), named("dead"), "7")
	checkCode(t, err, "")
	if task.ID != "7" {
		t.Errorf("cancelled %+v", task)
	}
}

// fullStore is a stub whose queue has as many messages in flight as it may have, for as long as full is set.
type fullStore struct {
	*stubStore
	full atomic.Bool
}

func (s *fullStore) ReceiveMessages(ctx context.Context, queue *core.Queue, in core.StoreReceive) ([]core.Message, error) {
	if s.full.Load() {
		return nil, core.Errorf(core.InFlightLimit, "full")
	}
	return s.stubStore.ReceiveMessages(ctx, queue, in)
}

func TestReceiveWhenTooMuchIsInFlight(t *testing.T) { // specs/sqs.md 6.7
	tests := map[string]struct {
		fifo  bool
		wait  time.Duration
		frees time.Duration // when there is room again and somebody says so; 0: never
		want  core.Code
		took  time.Duration
		got   int
	}{
		"short poll":                {false, 0, 0, core.InFlightLimit, 0, 0},
		"short poll of FIFO":        {true, 0, 0, "", 0, 0},
		"long poll":                 {false, 5 * time.Second, 0, "", 5 * time.Second, 0},
		"long poll of FIFO":         {true, 5 * time.Second, 0, "", 5 * time.Second, 0},
		"long poll until it is not": {false, 5 * time.Second, 2 * time.Second, "", 2 * time.Second, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &fullStore{stubStore: newStub()}
				store.queues[orders] = &core.Queue{ID: 1, Version: 1, Name: orders, FIFO: tt.fifo, Settings: core.DefaultSettings()}
				store.put(1, 1)
				store.full.Store(true)
				broker := core.NewBroker(store)
				defer broker.Close()
				if tt.frees > 0 {
					time.AfterFunc(tt.frees, func() {
						store.full.Store(false)
						store.arrive(core.Arrival{Queue: 1, Messages: 1})
					})
				}
				start := time.Now()
				got, err := broker.ReceiveMessages(t.Context(), core.ReceiveInput{Queue: orders, Limit: 1, Wait: &tt.wait})
				checkCode(t, err, tt.want)
				if took := time.Since(start); took != tt.took || len(got) != tt.got {
					t.Errorf("got %d after %v, want %d after %v", len(got), took, tt.got, tt.took)
				}
			})
		})
	}
}

// wornStore hands out one message that counts so many receives, and notes what it is asked to move.
type wornStore struct {
	*stubStore
	receives int
	moved    *atomic.Int64
}

func (s wornStore) ReceiveMessages(context.Context, *core.Queue, core.StoreReceive) ([]core.Message, error) {
	return []core.Message{{Handle: "1-a", ReceiveCount: s.receives}}, nil
}

func (s wornStore) ChangeVisibility(context.Context, *core.Queue, core.ChangeVisibilityInput) ([]core.VisibilityResult, error) {
	return []core.VisibilityResult{{Handle: "1-b"}}, nil
}

func (s wornStore) MoveDeadLetters(_ context.Context, _ *core.Queue, handles []string) error {
	s.moved.Add(int64(len(handles)))
	return nil
}

func (s wornStore) AdvanceClock(context.Context, string, time.Duration) (time.Time, error) {
	return time.Time{}, nil
}

// What was received for the last time is moved when its visibility timeout ends, for those who ask for that.
func TestDeadLettersMoveOnTime(t *testing.T) {
	t.Parallel()
	const timeout, gap = time.Minute, 100 * time.Millisecond
	policy := core.DeadLetterPolicy{Target: "dead", MaxReceives: 3}
	receive := func(b *core.Broker, onTime bool) error {
		_, err := b.ReceiveMessages(context.Background(), core.ReceiveInput{Queue: orders, Limit: 1, VisibilityTimeout: new(timeout), DeadOnTime: onTime})
		return err
	}
	tests := map[string]struct {
		policy   core.DeadLetterPolicy
		fifo     bool
		receives int
		do       func(*core.Broker) error
		after    time.Duration
		want     int64
	}{
		"at the timeout":             {policy, false, 3, func(b *core.Broker) error { return receive(b, true) }, timeout + gap, 1},
		"not before":                 {policy, false, 3, func(b *core.Broker) error { return receive(b, true) }, timeout, 0},
		"received more often":        {policy, false, 4, func(b *core.Broker) error { return receive(b, true) }, timeout + gap, 1},
		"received once too few":      {policy, false, 2, func(b *core.Broker) error { return receive(b, true) }, 2 * timeout, 0},
		"no policy":                  {core.DeadLetterPolicy{}, false, 3, func(b *core.Broker) error { return receive(b, true) }, 2 * timeout, 0},
		"a FIFO queue":               {policy, true, 3, func(b *core.Broker) error { return receive(b, true) }, 2 * timeout, 0},
		"only by the next receive":   {policy, false, 3, func(b *core.Broker) error { return receive(b, false) }, 2 * timeout, 0},
		"the server shuts down":      {policy, false, 3, func(b *core.Broker) error { defer b.Drain(); return receive(b, true) }, 2 * timeout, 0},
		"time is moved, and its end": {policy, false, 3, func(b *core.Broker) error { return errors.Join(receive(b, true), advance(b)) }, 2 * timeout, 2},
		"time is moved":              {policy, false, 3, func(b *core.Broker) error { return errors.Join(receive(b, true), advance(b)) }, 0, 1},
		"made visible": {policy, false, 3, func(b *core.Broker) error {
			_, err := b.ChangeVisibility(context.Background(), core.ChangeVisibilityInput{Queue: orders, Changes: []core.VisibilityChange{{Handle: "1-a"}}, DeadOnTime: true})
			return err
		}, 0, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stub, moved := newStub(), new(atomic.Int64)
				stub.queues[orders] = &core.Queue{ID: 1, Version: 1, Name: orders, FIFO: tt.fifo, Settings: core.Settings{DeadLetter: tt.policy}}
				broker := core.NewBroker(wornStore{stub, tt.receives, moved})
				defer broker.Close()
				if err := tt.do(broker); err != nil {
					t.Fatal(err)
				}
				time.Sleep(tt.after)
				synctest.Wait()
				if got := moved.Load(); got != tt.want {
					t.Errorf("%d messages were to be moved, want %d", got, tt.want)
				}
			})
		})
	}
}

func advance(b *core.Broker) error {
	_, err := b.AdvanceClock(context.Background(), orders.Account, time.Second)
	return err
}

package core_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/polymq/polymq/core"
)

// received is how a waiting receive ended.
type received struct {
	who      int
	messages int
	err      error
	after    time.Duration // since it began
}

// waiters are receives that wait in one bubble, and how they ended.
type waiters struct {
	broker *core.Broker
	mu     sync.Mutex
	ended  []received
}

// wait begins a receive and gives it the time to begin to wait.
func (w *waiters) wait(ctx context.Context, who, limit int, wait time.Duration) {
	start := time.Now()
	go func() {
		messages, err := w.broker.ReceiveMessages(ctx, core.ReceiveInput{Queue: orders, Limit: limit, Wait: &wait})
		w.mu.Lock()
		defer w.mu.Unlock()
		w.ended = append(w.ended, received{who, len(messages), err, time.Since(start)})
	}()
	synctest.Wait()
}

// take gives how receives ended since the last call, when everything has come to rest.
func (w *waiters) take() []received {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	ended := w.ended
	w.ended = nil
	return ended
}

// waiting runs a test in a bubble whose time only moves when all wait.
func waiting(t *testing.T, test func(t *testing.T, w *waiters, stub *stubStore)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		broker, stub := newBroker(t)
		test(t, &waiters{broker: broker}, stub)
		broker.Close()
	})
}

const long = 20 * time.Second

func TestWaitersAreServedFirstComeFirst(t *testing.T) {
	waiting(t, func(t *testing.T, w *waiters, stub *stubStore) {
		for who := range 4 {
			w.wait(t.Context(), who, 1, long)
		}
		for want := range 4 {
			stub.put(1, 1)
			stub.arrive(core.Arrival{Queue: 1, Messages: 1})
			if got := w.take(); len(got) != 1 || got[0].who != want || got[0].messages != 1 {
				t.Fatalf("message %d: %+v", want, got)
			}
		}
	})
}

func TestAsManyWaitersLookAsThereAreMessages(t *testing.T) {
	tests := map[string]struct {
		limit, messages int
		wantLooks       int // who got all that it asked for sends the next one, for there may be more
	}{
		"one message":              {1, 1, 1 + 1},
		"three messages":           {1, 3, 3 + 3},
		"one asks for all":         {10, 3, 1},
		"one asks for just enough": {10, 10, 1 + 1},
		"two ask for enough":       {10, 11, 2 + 1},
		"more than are waiting":    {1, 50, 20},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			waiting(t, func(t *testing.T, w *waiters, stub *stubStore) {
				for who := range 20 {
					w.wait(t.Context(), who, tt.limit, long)
				}
				before := stub.lookCount()
				stub.put(1, tt.messages)
				stub.arrive(core.Arrival{Queue: 1, Messages: tt.messages})
				got := 0
				for _, r := range w.take() {
					got += r.messages
				}
				if looks := stub.lookCount() - before; got != min(tt.messages, 20*tt.limit) || looks > tt.wantLooks {
					t.Errorf("%d looks found %d messages, want at most %d looks and all messages", looks, got, tt.wantLooks)
				}
			})
		})
	}
}

func TestSatisfiedWaiterPassesOn(t *testing.T) {
	waiting(t, func(t *testing.T, w *waiters, stub *stubStore) {
		for who := range 3 {
			w.wait(t.Context(), who, 1, long)
		}
		stub.put(1, 3) // of which only one was heard of
		stub.arrive(core.Arrival{Queue: 1, Messages: 1})
		if got := w.take(); len(got) != 3 {
			t.Errorf("%d receives returned, want all 3: %+v", len(got), got)
		}
	})
}

// A receive that joins a line would find what those found who wait already. It looks by itself where it may find more: in a
// queue that nobody has looked into, and once something may have arrived.
func TestFirstLooks(t *testing.T) {
	arrive := func(a core.Arrival) func(*testing.T, *waiters, *stubStore) {
		return func(_ *testing.T, _ *waiters, stub *stubStore) { stub.arrive(a) }
	}
	tests := map[string]struct {
		before func(*testing.T, *waiters, *stubStore) // after a receive has waited in vain
		want   int
	}{
		"nothing arrived":        {func(*testing.T, *waiters, *stubStore) {}, 0},
		"of another queue":       {arrive(core.Arrival{Queue: 2, Messages: 1}), 0},
		"not visible yet":        {arrive(core.Arrival{Queue: 1, Messages: 1, In: time.Second}), 0},
		"a message arrived":      {arrive(core.Arrival{Queue: 1, Messages: 1}), 1},
		"the queue changed":      {arrive(core.Arrival{Queue: 1}), 1},
		"anything may have":      {arrive(core.Arrival{}), 1},
		"it was a long time ago": {func(*testing.T, *waiters, *stubStore) { time.Sleep(long) }, 1},
		"a message became visible": {func(_ *testing.T, _ *waiters, stub *stubStore) {
			stub.arrive(core.Arrival{Queue: 1, Messages: 1, In: time.Second})
			time.Sleep(2 * time.Second)
		}, 1},
		"the database was away at the last look": {func(t *testing.T, w *waiters, stub *stubStore) {
			w.wait(t.Context(), 1, 1, time.Second)
			stub.change(func() { stub.away = true })
			stub.arrive(core.Arrival{Queue: 1, Messages: 1})
			time.Sleep(time.Second)
			stub.change(func() { stub.away = false })
		}, 1},
		"somebody got less than was there": {func(t *testing.T, w *waiters, stub *stubStore) {
			stub.put(1, 2)
			stub.arrive(core.Arrival{Queue: 1, Messages: 2})
			w.wait(t.Context(), 1, 1, time.Second)
			w.take()
		}, 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			waiting(t, func(t *testing.T, w *waiters, stub *stubStore) {
				w.wait(t.Context(), 0, 1, time.Second)
				time.Sleep(time.Second)
				tt.before(t, w, stub)
				synctest.Wait()
				before := stub.lookCount()
				w.wait(t.Context(), 9, 1, long)
				if got := stub.lookCount() - before; got != tt.want {
					t.Errorf("looked %d times before it waited, want %d", got, tt.want)
				}
				w.take()
				stub.put(1, 1)
				stub.arrive(core.Arrival{Queue: 1, Messages: 1})
				if got := w.take(); tt.want == 0 && (len(got) != 1 || got[0].messages != 1) {
					t.Errorf("got %+v, want the message", got)
				}
			})
		})
	}
}

// A message may arrive when a look has already read the queue and not yet returned.
func TestArrivalDuringALookIsNotMissed(t *testing.T) {
	waiting(t, func(t *testing.T, w *waiters, stub *stubStore) {
		hold := make(chan struct{})
		stub.change(func() { stub.hold = hold })
		w.wait(t.Context(), 0, 1, long)
		stub.change(func() { stub.hold = nil })
		stub.put(1, 1)
		stub.arrive(core.Arrival{Queue: 1, Messages: 1})
		close(hold)
		if got := w.take(); len(got) != 1 || got[0].messages != 1 {
			t.Errorf("got %+v, want the message at once", got)
		}
	})
}

// A wake-up may come to a waiter that turns out not to need it.
func TestUnusedWakeUpIsPassedOn(t *testing.T) {
	tests := map[string]func(stub *stubStore, leave context.CancelFunc){
		"it had found something": func(stub *stubStore, _ context.CancelFunc) {},
		"it was going away":      func(_ *stubStore, leave context.CancelFunc) { leave() },
	}
	for name, end := range tests {
		t.Run(name, func(t *testing.T) {
			waiting(t, func(t *testing.T, w *waiters, stub *stubStore) {
				ctx, leave := context.WithCancel(t.Context())
				hold := make(chan struct{})
				stub.change(func() { stub.hold = hold })
				if name == "it had found something" {
					stub.put(1, 1)
				}
				w.wait(ctx, 0, 10, long) // its look is under way
				stub.change(func() { stub.hold = nil })
				w.wait(t.Context(), 1, 10, long) // found nothing and is idle: it gets the first wake-up
				stub.arrive(core.Arrival{Queue: 1, Messages: 1})
				synctest.Wait() // ... and found nothing again
				stub.change(func() { stub.hold = hold })
				stub.arrive(core.Arrival{Queue: 1, Messages: 1}) // waiter 1 looks, and is held up
				synctest.Wait()
				stub.arrive(core.Arrival{Queue: 1, Messages: 1}) // all are looking: waiter 0 keeps this one
				stub.change(func() { stub.hold = nil })
				stub.put(1, 1)
				end(stub, leave)
				close(hold)
				got := w.take()
				if i := slices.IndexFunc(got, func(r received) bool { return r.who == 1 }); i < 0 || got[i].messages != 1 {
					t.Errorf("got %+v, want the second waiter to receive the message", got)
				}
			})
		})
	}
}

func TestWaitOver(t *testing.T) {
	tests := map[string]struct {
		wait *time.Duration // nil: the queue's
		want time.Duration
	}{
		"as asked":    {ptr(3 * time.Second), 3 * time.Second},
		"not at all":  {ptr(time.Duration(0)), 0},
		"the queue's": {nil, 7 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			waiting(t, func(t *testing.T, w *waiters, stub *stubStore) {
				stub.queues[orders].ReceiveWait = 7 * time.Second
				start := time.Now()
				messages, err := w.broker.ReceiveMessages(t.Context(), core.ReceiveInput{Queue: orders, Limit: 1, Wait: tt.wait})
				if err != nil || len(messages) != 0 || time.Since(start) != tt.want {
					t.Errorf("got %d messages, %v after %v; want none after %v", len(messages), err, time.Since(start), tt.want)
				}
			})
		})
	}
}

func ptr[T any](v T) *T { return &v }

func TestCallerGoesAwayWhileWaiting(t *testing.T) {
	waiting(t, func(t *testing.T, w *waiters, stub *stubStore) {
		ctx, leave := context.WithCancel(t.Context())
		w.wait(ctx, 0, 1, long)
		w.wait(t.Context(), 1, 1, long)
		leave()
		if got := w.take(); len(got) != 1 || got[0].who != 0 || !errors.Is(got[0].err, context.Canceled) {
			t.Fatalf("got %+v, want that one to end with its context's error", got)
		}
		stub.put(1, 1)
		stub.arrive(core.Arrival{Queue: 1, Messages: 1})
		if got := w.take(); len(got) != 1 || got[0].who != 1 || got[0].messages != 1 {
			t.Errorf("got %+v, want the other one to receive", got)
		}
	})
}

// A message may be on its way to a caller that goes away.
func TestCallerGoesAwayDuringALook(t *testing.T) {
	waiting(t, func(t *testing.T, w *waiters, stub *stubStore) {
		ctx, leave := context.WithCancel(t.Context())
		stub.put(1, 2)
		hold := make(chan struct{})
		stub.change(func() { stub.hold = hold })
		w.wait(ctx, 0, 2, long)
		stub.change(func() { stub.hold = nil })
		w.wait(t.Context(), 1, 2, long)
		leave()
		close(hold)
		got := w.take()
		slices.SortFunc(got, func(a, b received) int { return a.who - b.who })
		if len(got) != 2 || !errors.Is(got[0].err, context.Canceled) || got[1].messages != 2 || stub.returned != 2 {
			t.Errorf("got %+v and %d messages returned, want both to go to the other one", got, stub.returned)
		}
	})
}

func TestDrain(t *testing.T) {
	waiting(t, func(t *testing.T, w *waiters, stub *stubStore) {
		for who := range 3 {
			w.wait(t.Context(), who, 1, long)
		}
		w.broker.Drain()
		w.broker.Drain()
		for _, r := range w.take() {
			if r.err != nil || r.messages != 0 || r.after != 0 {
				t.Errorf("waiting receive: %+v, want nothing at once", r)
			}
		}
		stub.put(1, 1)
		w.wait(t.Context(), 3, 1, long)
		w.wait(t.Context(), 4, 1, long)
		if got := w.take(); len(got) != 2 || got[0].messages != 1 || got[1].messages != 0 || got[1].after != 0 {
			t.Errorf("later receives: %+v, want what there is, at once", got)
		}
	})
}

func TestWaitSurvivesAnAbsentDatabase(t *testing.T) {
	waiting(t, func(t *testing.T, w *waiters, stub *stubStore) {
		w.wait(t.Context(), 0, 1, long)
		stub.change(func() { stub.away = true })
		stub.arrive(core.Arrival{})
		w.wait(t.Context(), 1, 1, long)
		if got := w.take(); len(got) != 1 || got[0].who != 1 || core.CodeOf(got[0].err) != core.Unavailable {
			t.Fatalf("got %+v, want the first look of a receive to fail, and the wait to go on", got)
		}
		stub.change(func() { stub.away = false })
		stub.put(1, 1)
		stub.arrive(core.Arrival{})
		if got := w.take(); len(got) != 1 || got[0].who != 0 || got[0].messages != 1 {
			t.Errorf("got %+v, want the message", got)
		}
	})
}

func TestQueueChangesWhileWaiting(t *testing.T) {
	tests := map[string]struct {
		change func(stub *stubStore)
		want   received // after 5 s of waiting
	}{
		"altered": {func(stub *stubStore) {
			altered := *stub.queues[orders]
			altered.Version++
			altered.VisibilityTimeout = time.Hour
			stub.queues[orders] = &altered
		}, received{messages: 0, after: long}},
		"deleted": {func(stub *stubStore) { delete(stub.queues, orders) }, received{err: core.Errorf(core.QueueNotFound, ""), after: 5 * time.Second}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			waiting(t, func(t *testing.T, w *waiters, stub *stubStore) {
				w.wait(t.Context(), 0, 1, long)
				time.Sleep(5 * time.Second)
				stub.change(func() { tt.change(stub) })
				stub.arrive(core.Arrival{Queue: 1})
				time.Sleep(long)
				got := w.take()
				if len(got) != 1 || got[0].messages != tt.want.messages || got[0].after != tt.want.after {
					t.Fatalf("got %+v, want %+v", got, tt.want)
				}
				if tt.want.err != nil {
					checkCode(t, got[0].err, core.QueueNotFound)
				} else if last := stub.timeouts[len(stub.timeouts)-1]; got[0].err != nil || last != time.Hour {
					t.Errorf("error %v, timeout %v; want the altered queue's", got[0].err, last)
				}
			})
		})
	}
}

func TestArrivalsWakeWhomTheyConcern(t *testing.T) {
	tests := map[string]struct {
		arrival   core.Arrival
		wantLooks int
	}{
		"another queue":      {core.Arrival{Queue: 2, Messages: 5}, 0},
		"one message":        {core.Arrival{Queue: 1, Messages: 1}, 1},
		"the queue changed":  {core.Arrival{Queue: 1}, 3},
		"any queue":          {core.Arrival{}, 3},
		"beyond the horizon": {core.Arrival{Queue: 1, Messages: 5, In: core.ArrivalHorizon + 1}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			waiting(t, func(t *testing.T, w *waiters, stub *stubStore) {
				for who := range 3 {
					w.wait(t.Context(), who, 1, long)
				}
				before := stub.lookCount()
				stub.arrive(tt.arrival)
				time.Sleep(core.ArrivalHorizon + time.Second)
				if looks := stub.lookCount() - before; looks != tt.wantLooks {
					t.Errorf("%d looks, want %d", looks, tt.wantLooks)
				}
			})
		})
	}
}

func TestRipeningMessagesWakeWhenTheyAreDue(t *testing.T) {
	const in = 1500 * time.Millisecond
	waiting(t, func(t *testing.T, w *waiters, stub *stubStore) {
		for who := range 3 {
			w.wait(t.Context(), who, 1, long)
		}
		for range 2 { // two messages that are due together
			stub.arrive(core.Arrival{Queue: 1, Messages: 1, In: in})
		}
		due := time.Now().Add(in)
		time.AfterFunc(in, func() { stub.put(1, 2) })
		time.Sleep(in - time.Nanosecond)
		if got := w.take(); len(got) > 0 {
			t.Fatalf("woken early: %+v", got)
		}
		time.Sleep(5 * time.Millisecond)
		got := w.take()
		if len(got) != 2 || got[0].messages != 1 || got[1].messages != 1 {
			t.Fatalf("%v after they were due: %+v, want two messages", time.Since(due), got)
		}
	})
}

// Receives that begin to wait together share one look ahead; its arrivals are acted upon.
func TestLookAheadOfFreshQueues(t *testing.T) {
	waiting(t, func(t *testing.T, w *waiters, stub *stubStore) {
		other := core.QueueName{Account: orders.Account, Region: orders.Region, Name: "other"}
		stub.queues[other] = &core.Queue{ID: 2, Version: 1, Name: other, Settings: core.DefaultSettings()}
		stub.upcoming[1] = []core.Arrival{{Queue: 1, Messages: 1, In: time.Second}}
		w.wait(t.Context(), 0, 1, long)
		w.wait(t.Context(), 1, 1, long)
		go func() {
			_, _ = w.broker.ReceiveMessages(t.Context(), core.ReceiveInput{Queue: other, Limit: 1, Wait: ptr(time.Second)})
		}()
		time.Sleep(10 * time.Millisecond)
		if asked := stub.lookedAhead(); len(asked) != 1 || !slices.Equal(asked[0], []int64{1, 2}) {
			t.Fatalf("looked ahead for %v, want once for 1 and 2", asked)
		}
		stub.put(1, 1)
		time.Sleep(time.Second)
		if got := w.take(); len(got) != 1 || got[0].messages != 1 {
			t.Errorf("got %+v, want the message when it is due", got)
		}
		w.wait(t.Context(), 2, 1, time.Second)
		time.Sleep(time.Second)
		if asked := stub.lookedAhead(); len(asked) != 1 {
			t.Errorf("looked ahead again for a queue whose future is known: %v", asked)
		}
	})
}

// After a queue changed, or time was moved, what was known of its future may be wrong.
func TestLookAheadAgainAfterAChange(t *testing.T) {
	tests := map[string]struct {
		arrival core.Arrival
		want    int
	}{
		"the queue changed":  {core.Arrival{Queue: 1}, 1},
		"anything may have":  {core.Arrival{}, 1},
		"a message arrived":  {core.Arrival{Queue: 1, Messages: 1}, 0},
		"another queue":      {core.Arrival{Queue: 2}, 0},
		"a message is to be": {core.Arrival{Queue: 1, Messages: 1, In: time.Second}, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			waiting(t, func(t *testing.T, w *waiters, stub *stubStore) {
				for who := range 3 {
					w.wait(t.Context(), who, 1, long)
				}
				time.Sleep(time.Second)
				before := len(stub.lookedAhead())
				stub.arrive(tt.arrival)
				time.Sleep(2 * time.Second)
				if got := len(stub.lookedAhead()) - before; got != tt.want {
					t.Errorf("looked ahead %d times, want %d", got, tt.want)
				}
			})
		})
	}
}

func TestLookAheadCoversLinesUntilTheyHaveBeenEmptyForAWhile(t *testing.T) {
	tests := map[string]struct {
		after time.Duration // since the last receive ended
		want  int
	}{
		"somebody waits":     {-time.Second, 1},
		"just left":          {4 * time.Second, 1},
		"left some time ago": {6 * time.Second, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			waiting(t, func(t *testing.T, w *waiters, stub *stubStore) {
				w.wait(t.Context(), 0, 1, 2*time.Second)
				time.Sleep(2*time.Second + tt.after)
				before := len(stub.lookedAhead())
				if err := w.broker.LookAhead(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := len(stub.lookedAhead()) - before; got != tt.want {
					t.Errorf("asked %d times, want %d", got, tt.want)
				}
			})
		})
	}
}

// Somebody who comes back within a moment finds the timers of the line still running.
func TestLineOutlivesItsLastWaiterForAMoment(t *testing.T) {
	waiting(t, func(t *testing.T, w *waiters, stub *stubStore) {
		w.wait(t.Context(), 0, 1, time.Second)
		stub.arrive(core.Arrival{Queue: 1, Messages: 1, In: 4 * time.Second})
		time.AfterFunc(4*time.Second, func() { stub.put(1, 1) })
		time.Sleep(2 * time.Second) // the wait is over, the message is not due
		w.take()
		w.wait(t.Context(), 1, 1, long)
		time.Sleep(2*time.Second + 5*time.Millisecond)
		if got := w.take(); len(got) != 1 || got[0].messages != 1 {
			t.Errorf("got %+v, want the message when it is due", got)
		}
	})
}

func TestManyWaitersLoseNoWakeUp(t *testing.T) {
	waiting(t, func(t *testing.T, w *waiters, stub *stubStore) {
		const callers, each = 50, 40
		var got sync.WaitGroup
		for who := range callers {
			got.Go(func() {
				for range each {
					messages, err := w.broker.ReceiveMessages(t.Context(), core.ReceiveInput{Queue: orders, Limit: 1 + who%3, Wait: ptr(long)})
					if err != nil || len(messages) == 0 {
						t.Errorf("receive: %d messages, %v", len(messages), err)
						return
					}
				}
			})
		}
		for range 3 * callers * each {
			stub.put(1, 1)
			stub.arrive(core.Arrival{Queue: 1, Messages: 1})
			time.Sleep(time.Microsecond)
		}
		got.Wait()
	})
}

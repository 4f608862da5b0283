package core_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
)

// stubStore is a Store in memory with as much as the Broker's rules need: queues by name, and for
// each queue's ID how many messages are visible. What it does not define panics.
type stubStore struct {
	core.Store
	arrive func(core.Arrival)

	mu       sync.Mutex
	queues   map[core.QueueName]*core.Queue
	visible  map[int64]int
	upcoming map[int64][]core.Arrival
	asked    [][]int64       // the queues of each call of Upcoming
	looks    int             // calls of ReceiveMessages
	away     bool            // the database cannot be reached
	hold     chan struct{}   // not nil: a look, once it has read, takes as long as this is open
	timeouts []time.Duration // of the receives
	sent     []core.NewMessage
	returned int // messages given back
	changes  int // how many more operations find their queue changed
}

func newStub() *stubStore {
	return &stubStore{queues: map[core.QueueName]*core.Queue{}, visible: map[int64]int{}, upcoming: map[int64][]core.Arrival{}}
}

var orders = core.QueueName{Account: "000000000000", Region: "us-east-1", Name: "orders"}

// newBroker gives a Broker on a stub with the queue orders, whose ID is 1.
func newBroker(t *testing.T) (*core.Broker, *stubStore) {
	t.Helper()
	stub := newStub()
	stub.queues[orders] = &core.Queue{ID: 1, Version: 1, Name: orders, Settings: core.DefaultSettings()}
	broker := core.NewBroker(stub)
	t.Cleanup(broker.Close)
	return broker, stub
}

func (s *stubStore) Notify(arrive func(core.Arrival)) { s.arrive = arrive }

func (s *stubStore) Observe(func(*core.Queue) bool, func(*core.Queue, core.Event)) {}

func (s *stubStore) Queue(_ context.Context, name core.QueueName) (*core.Queue, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if queue := s.queues[name]; queue != nil {
		return queue, nil
	}
	return nil, core.Errorf(core.QueueNotFound, "queue %q does not exist", name.Name)
}

// ReceiveMessages hands out visible messages; they have no bodies.
func (s *stubStore) ReceiveMessages(_ context.Context, queue *core.Queue, in core.StoreReceive) ([]core.Message, error) {
	s.mu.Lock()
	s.looks++
	s.timeouts = append(s.timeouts, in.Timeout)
	hold := s.hold
	n, err := min(in.Limit, s.visible[queue.ID]), s.fault(queue)
	if err == nil {
		s.visible[queue.ID] -= n
	}
	s.mu.Unlock()
	if hold != nil {
		<-hold
	}
	if err != nil {
		return nil, err
	}
	return make([]core.Message, n), nil
}

// ReturnMessages makes received messages visible again, and tells.
func (s *stubStore) ReturnMessages(_ context.Context, queue *core.Queue, handles []string) ([]error, error) {
	s.put(queue.ID, len(handles))
	s.change(func() { s.returned += len(handles) })
	s.arrive(core.Arrival{Queue: queue.ID, Messages: len(handles)})
	return make([]error, len(handles)), nil
}

// fault is what an operation on the queue fails with. The caller holds s.mu.
func (s *stubStore) fault(queue *core.Queue) error {
	if s.away {
		return core.Errorf(core.Unavailable, "the database cannot be reached")
	}
	if s.changes > 0 {
		s.changes--
		return core.ErrQueueChanged
	}
	if s.queues[queue.Name] != queue {
		return core.ErrQueueChanged
	}
	return nil
}

func (s *stubStore) SendMessages(_ context.Context, queue *core.Queue, messages []core.NewMessage) ([]core.Sent, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.fault(queue); err != nil {
		return nil, err
	}
	s.sent = append(s.sent, messages...)
	return make([]core.Sent, len(messages)), nil
}

func (s *stubStore) Upcoming(_ context.Context, queues []int64, _ time.Duration) ([]core.Arrival, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, queues)
	var arrivals []core.Arrival
	for _, id := range queues {
		arrivals = append(arrivals, s.upcoming[id]...)
	}
	return arrivals, nil
}

func (s *stubStore) CreateQueue(_ context.Context, in core.NewQueue) (core.Queue, bool, error) {
	return core.Queue{Name: in.Name, Settings: in.Settings}, true, nil
}

func (s *stubStore) AlterQueue(_ context.Context, name core.QueueName, change core.QueueChange) (core.Queue, error) {
	return change.Apply(core.Queue{Name: name}), nil
}

func (s *stubStore) ListQueues(_ context.Context, in core.ListQueuesInput) (core.QueuePage, error) {
	return core.QueuePage{Queues: make([]core.Queue, in.Limit)}, nil
}

func (s *stubStore) DeleteMessages(_ context.Context, _ *core.Queue, handles []string, _ bool) ([]error, error) {
	return make([]error, len(handles)), nil
}

func (s *stubStore) ChangeVisibility(_ context.Context, _ *core.Queue, in core.ChangeVisibilityInput) ([]core.VisibilityResult, error) {
	return make([]core.VisibilityResult, len(in.Changes)), nil
}

func (s *stubStore) PeekMessages(context.Context, *core.Queue, core.PeekInput) (core.PeekPage, error) {
	return core.PeekPage{}, nil
}

// change runs f on the stub while nobody else uses it.
func (s *stubStore) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// put makes messages visible without telling anybody.
func (s *stubStore) put(queue int64, messages int) {
	s.change(func() { s.visible[queue] += messages })
}

// lookCount gives the number of receives so far.
func (s *stubStore) lookCount() (n int) {
	s.change(func() { n = s.looks })
	return n
}

// lookedAhead gives the queues of each call of Upcoming so far, sorted.
func (s *stubStore) lookedAhead() (calls [][]int64) {
	s.change(func() {
		for _, queues := range s.asked {
			calls = append(calls, slices.Sorted(slices.Values(queues)))
		}
	})
	return calls
}

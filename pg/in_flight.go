package pg

import (
	"context"

	"github.com/polymq/polymq/core"
)

// A queue has at most so many messages in flight. To count them with each receive would cost more
// than the receive, so a server counts once and then knows how many more it may receive before it has
// to count again: a share of what was left, since other servers receive as well. Of a storage that it has not
// counted yet, it receives a tenth of the limit first.
const (
	uncountedShare = 10
	maxFullLooks   = 3 // after countings that found room, which others were quicker to use
)

var errInFlightLimit = core.Errorf(core.InFlightLimit, "the queue has as many messages in flight as it may have")

// room gives how many messages may be received before those in flight are to be counted.
func (m *marks) room(storage int64) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.of(storage).room
}

// room gives how many messages a receive may take, as far as is known.
func (s *Store) room(o *receiveOp) int {
	if o.unbounded {
		return o.limit
	}
	return s.marks.room(o.queue.Storage)
}

// took takes note of messages that are now in flight.
func (m *marks) took(storage int64, messages int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sm := m.of(storage)
	sm.room = max(0, sm.room-messages)
}

// counted takes note of how many more may be in flight.
func (m *marks) counted(storage int64, left int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of(storage).room = left
}

// countInFlight counts a queue's messages in flight, for the receives that follow. InFlightLimit when
// there are too many already.
func (s *Store) countInFlight(ctx context.Context, queue *core.Queue) error {
	current, err := s.DescribeQueue(ctx, queue.Name)
	if err != nil {
		return err
	}
	left := s.opts.inFlightLimit() - int(current.Counts.InFlight)
	if left <= 0 {
		return errInFlightLimit
	}
	servers := 1 + int(s.peers.others.Load())
	s.marks.counted(current.Storage, max(1, left/servers))
	return nil
}

func (o Options) inFlightLimit() int {
	if o.InFlightLimit == 0 {
		return core.MaxInFlight
	}
	return o.InFlightLimit
}

package pg

import (
	"sync"
	"time"
)

// marks keeps, per storage and priority, a time before which nothing is visible as far as this
// server knows, so that a receive does not walk over the index entries that earlier receives
// left behind (DESIGN.md 3). Whatever makes a message visible lowers the mark, here after its
// commit and elsewhere by notification, for which receives wait where it matters (listening.go);
// sweeps find what slipped through.
type marks struct {
	mu        sync.Mutex
	byStorage map[int64]*storageMarks
	nextSweep time.Time
	uncounted int // the room of a storage whose messages in flight were never counted
}

type storageMarks struct {
	low       [17]time.Time // by priority; zero: not known, scan from the start
	retention time.Duration // for which they hold: a longer one may bring back what receives have passed
	lowered   time.Time     // the lowest mark set while a receive is under way; zero: none was
	moved     time.Time     // when one was last raised; zero: too long ago for something to have come behind it since it was swept
	meanSize  float64       // bytes of the messages received, a moving average; 0: none was
	room      int           // messages that may be received before those in flight are to be counted
}

// markMargin is how far before the mark a scan starts while other servers write to the same
// database: a commit of theirs may be slower than that of what was sent after it, and its
// notification takes a moment.
const markMargin = 100 * time.Millisecond

// lateCommit is for how long after a mark has moved sweeps look behind it, for transactions that began before and of whose end
// nobody tells.
const lateCommit = 10 * time.Second

// maxMarks bounds the memory; forgetting costs one scan from the start per storage.
const maxMarks = 100_000

func (m *marks) init() { m.byStorage = map[int64]*storageMarks{} }

// of gives the storage's marks. The caller holds m.mu.
func (m *marks) of(storage int64) *storageMarks {
	sm := m.byStorage[storage]
	if sm == nil {
		if len(m.byStorage) >= maxMarks {
			clear(m.byStorage)
		}
		sm = &storageMarks{room: m.uncounted}
		m.byStorage[storage] = sm
	}
	return sm
}

// start gives the marks to scan from, for the priorities in use, and begins to note what is
// lowered meanwhile. One receive per storage may be under way.
func (m *marks) start(storage int64, retention time.Duration, priorities []int16, margin time.Duration, low []time.Time) []time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	sm := m.of(storage)
	if retention > sm.retention {
		clear(sm.low[:])
	}
	sm.retention = retention
	sm.lowered = time.Time{}
	for _, p := range priorities {
		mark := sm.low[p]
		if !mark.IsZero() {
			mark = mark.Add(-margin)
		}
		low = append(low, mark)
	}
	return low
}

// advance moves a mark to where a receive's scan ended, unless something was put behind it since.
func (m *marks) advance(storage int64, priority int16, to time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sm := m.of(storage)
	if !sm.lowered.IsZero() && sm.lowered.Before(to) {
		to = sm.lowered
	}
	if to.After(sm.low[priority]) {
		sm.low[priority] = to
		sm.moved = time.Now()
	}
}

// lower makes receives look again from the given time on, at the latest.
func (m *marks) lower(storage int64, to time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if sm := m.byStorage[storage]; sm != nil { // else nothing is known, so nothing can be wrong
		sm.lower(to)
	}
}

func (sm *storageMarks) lower(to time.Time) {
	if sm.lowered.IsZero() || to.Before(sm.lowered) {
		sm.lowered = to
	}
	for p := range sm.low {
		if sm.low[p].After(to) {
			sm.low[p] = to
		}
	}
}

// forget drops one storage's marks.
func (m *marks) forget(storage int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.byStorage, storage)
}

// reset makes receives look from the start again.
func (m *marks) reset(storage int64) { m.lower(storage, time.Unix(0, 0)) }

// resetAll does so for all storages, after notifications may have been missed.
func (m *marks) resetAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, sm := range m.byStorage {
		sm.lower(time.Unix(0, 0))
	}
}

// sized takes note of the size of a received message.
func (m *marks) sized(storage int64, size int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	sm := m.of(storage)
	if sm.meanSize == 0 {
		sm.meanSize = float64(size)
	}
	sm.meanSize += (float64(size) - sm.meanSize) / 16
}

// rowsWithin gives how many messages of the storage fit into the given bytes, at least one, or
// unknown where none was received yet.
func (m *marks) rowsWithin(storage int64, bytes float64, unknown int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if mean := m.of(storage).meanSize; mean > 0 {
		return int(max(1, min(bytes/mean, bytes)))
	}
	return unknown
}

// lowest gives the mark that all of the storage's priorities are at or above; zero: not known.
func (m *marks) lowest(storage int64, retention time.Duration, priorities []int16, margin time.Duration) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	sm := m.byStorage[storage]
	if sm == nil || len(priorities) == 0 || retention > sm.retention {
		return time.Time{}
	}
	low := sm.low[priorities[0]]
	for _, p := range priorities[1:] {
		if sm.low[p].Before(low) {
			low = sm.low[p]
		}
	}
	if low.IsZero() {
		return low
	}
	return low.Add(-margin)
}

// maxSwept bounds the marks that one sweep looks behind.
const maxSwept = 20_000

// toSweep gives the marks behind which something may be: those that have moved since they were last swept, or so lately that a
// transaction which began before may have ended after that sweep. None before nextSweep.
func (m *marks) toSweep() (storages []int64, priorities []int16, low []time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if time.Now().Before(m.nextSweep) {
		return nil, nil, nil
	}
	for storage, sm := range m.byStorage {
		if sm.moved.IsZero() {
			continue
		}
		if len(storages) >= maxSwept {
			break
		}
		for p, mark := range sm.low {
			if !mark.IsZero() {
				storages, priorities, low = append(storages, storage), append(priorities, int16(p)), append(low, mark)
			}
		}
	}
	return storages, priorities, low
}

// lookedBehind takes note that a sweep that began then has looked behind the marks of storages.
func (m *marks) lookedBehind(storages []int64, began time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, storage := range storages {
		if sm := m.byStorage[storage]; sm != nil && began.Sub(sm.moved) > lateCommit {
			sm.moved = time.Time{}
		}
	}
}

func (m *marks) swept(next time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.nextSweep = next
}

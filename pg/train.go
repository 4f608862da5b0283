package pg

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/polymq/polymq/core"
)

// Bounds of trains (DESIGN.md 2).
const (
	maxTrains      = 2       // in flight at once per station
	secondTrain    = 32      // callers that must wait before a second train leaves
	maxTrainRows   = 256     // of one kind
	maxPublishRows = 1024    // messages and deliveries of the publishes, which have one statement for all their queues
	maxTrainBytes  = 4 << 20 // of bodies sent
	bulkBytes      = 256 << 10
	minCallTimeout = 300 * time.Millisecond // of a train whose callers have waited long
	maxAttempts    = 4                      // of a train that lost to a deadlock or a serialization failure
)

// op is one caller's operation of one kind. The station answers it once, after the commit that
// carried it, or with the error that kept it from happening.
type op struct {
	since time.Time
	done  chan struct{}
	err   error
}

func newOp() op { return op{since: time.Now(), done: make(chan struct{})} }

// answer tells the caller. What the operation found has been written into it before.
func (o *op) answer(err error) {
	o.err = err
	close(o.done)
}

// fail tells the caller that the operation failed.
func (o *op) fail(err error) { o.answer(err) }

// overdue reports whether the caller has waited as long as a call may take.
func (o *op) overdue(now time.Time) bool { return now.Sub(o.since) >= callTimeout }

// wait waits for the answer, or for the caller to go away: then the operation happens all the same.
func (o *op) wait(ctx context.Context) error {
	select {
	case <-o.done:
		return o.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// train is what leaves together: all that waited at a moment, in this order, pipelined, one commit.
type train struct {
	deletes   []*deleteOp
	changes   []*changeOp
	sends     []*sendOp
	publishes []*publishOp
	receives  []*receiveOp

	fifo *fifoPart // what the last attempt sent for FIFO queues, nil for nothing
	sent bool      // something was
}

// station collects the operations that wait and sends them off in trains. A lone caller's leaves
// at once; while a train is under way the next one fills, and a second one leaves only when many wait.
type station struct {
	store *Store
	max   int

	mu       sync.Mutex
	waiting  train
	lanes    map[int64]*lane // receives by queue
	turn     []*lane         // lanes with callers, in order; those under way are passed over
	ready    int             // callers that wait and could leave
	underway int
}

// lane is the line of receives of one queue. One at a time is under way: overlapping ones would
// see each other's rows locked and take the queue for empty.
type lane struct {
	queue   int64
	callers []*receiveCall
	busy    bool
}

func newStation(store *Store, trains int) *station {
	return &station{store: store, max: trains, lanes: map[int64]*lane{}}
}

func (st *station) send(o *sendOp) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.waiting.sends = append(st.waiting.sends, o)
	st.added()
}

func (st *station) publish(o *publishOp) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.waiting.publishes = append(st.waiting.publishes, o)
	st.added()
}

func (st *station) delete(o *deleteOp) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.waiting.deletes = append(st.waiting.deletes, o)
	st.added()
}

func (st *station) change(o *changeOp) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.waiting.changes = append(st.waiting.changes, o)
	st.added()
}

func (st *station) receive(call *receiveCall) {
	st.mu.Lock()
	defer st.mu.Unlock()
	ln := st.lanes[call.queue.ID]
	if ln == nil {
		ln = &lane{queue: call.queue.ID}
		st.lanes[call.queue.ID] = ln
	}
	if len(ln.callers) == 0 {
		st.turn = append(st.turn, ln)
	}
	ln.callers = append(ln.callers, call)
	if !ln.busy {
		st.added()
	}
}

// added sends a train if one may leave. The caller holds st.mu.
func (st *station) added() {
	st.ready++
	if st.underway == 0 || st.underway < st.max && st.ready >= secondTrain {
		st.underway++
		st.store.running.Go(st.drive)
	}
}

// drive sends trains until nothing waits that could leave.
func (st *station) drive() {
	for {
		runtime.Gosched() // requests that have arrived get on first
		t := st.load()
		if t == nil {
			return
		}
		st.store.run(t)
		st.arrived(t)
	}
}

// load takes a train's worth of what waits; nil ends the driver.
func (st *station) load() *train {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.dropOverdue(time.Now())
	t := &train{}
	if st.underway == 1 || st.ready >= secondTrain {
		t.deletes, st.waiting.deletes = takeRows(st.waiting.deletes, (*deleteOp).rows)
		t.changes, st.waiting.changes = takeChanges(st.waiting.changes)
		t.sends, st.waiting.sends = takeSends(st.waiting.sends)
		t.publishes, st.waiting.publishes = takePublishes(st.waiting.publishes)
		t.receives = st.takeReceives()
	}
	n := t.callers()
	if n == 0 {
		st.underway--
		return nil
	}
	st.ready -= n
	return t
}

var errOverdue = core.Errorf(core.Unavailable, "the database does not keep up at the moment")

// dropOverdue answers those who have waited too long for a train: it would take them no nearer to
// an answer, and hold up those behind them. The caller holds st.mu.
func (st *station) dropOverdue(now time.Time) {
	st.waiting.deletes = dropOverdue(st, st.waiting.deletes, now)
	st.waiting.changes = dropOverdue(st, st.waiting.changes, now)
	st.waiting.sends = dropOverdue(st, st.waiting.sends, now)
	st.waiting.publishes = dropOverdue(st, st.waiting.publishes, now)
	st.turn = slices.DeleteFunc(st.turn, func(ln *lane) bool {
		if ln.busy {
			return false // its turn comes when its train is back
		}
		ln.callers = dropOverdue(st, ln.callers, now)
		if len(ln.callers) > 0 {
			return false
		}
		delete(st.lanes, ln.queue)
		return true
	})
}

// dropOverdue drops the first of a line, as far as they are overdue.
func dropOverdue[T interface {
	overdue(now time.Time) bool
	fail(err error)
}](st *station, line []T, now time.Time) []T {
	for len(line) > 0 && line[0].overdue(now) {
		line[0].fail(errOverdue)
		line = line[1:]
		st.ready--
	}
	return line
}

// takeReceives takes from each lane that is free the callers that ask alike.
func (st *station) takeReceives() []*receiveOp {
	var receives []*receiveOp
	rows := 0
	rest := st.turn[:0]
	for _, ln := range st.turn {
		if ln.busy || rows >= maxTrainRows {
			rest = append(rest, ln)
			continue
		}
		o := ln.take(maxTrainRows - rows)
		st.ready -= len(ln.callers) // who is left waits for this one to come back
		rows += o.limit
		receives = append(receives, o)
		if len(ln.callers) > 0 {
			rest = append(rest, ln)
		}
	}
	clear(st.turn[len(rest):])
	st.turn = rest
	return receives
}

// take makes one receive of the first caller and those behind it with the same timeout and the
// same view of the queue.
func (ln *lane) take(room int) *receiveOp {
	first := ln.callers[0]
	o := &receiveOp{lane: ln, queue: first.queue, timeout: first.timeout, unbounded: first.unbounded, onePerGroup: first.onePerGroup}
	rest := ln.callers[:0]
	for _, call := range ln.callers {
		if o.carries(call) && (o.limit == 0 || o.limit+call.limit <= room) {
			o.insist = append(o.insist, call.insist...)
			o.calls = append(o.calls, call)
			o.limit += call.limit
		} else {
			rest = append(rest, call)
		}
	}
	clear(ln.callers[len(rest):])
	ln.callers = rest
	ln.busy = true
	return o
}

// carries reports whether a caller asks like the others of a receive. The attempts of one id are kept apart, so
// that the second one finds what the first one was given.
func (o *receiveOp) carries(call *receiveCall) bool {
	return call.timeout == o.timeout && call.queue == o.queue && call.unbounded == o.unbounded && call.onePerGroup == o.onePerGroup &&
		(call.attempt == nil || !slices.ContainsFunc(o.calls, func(other *receiveCall) bool {
			return other.attempt != nil && *other.attempt == *call.attempt
		}))
}

// arrived frees the lanes of a train that is back.
func (st *station) arrived(t *train) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, o := range t.receives {
		o.lane.busy = false
		st.ready += len(o.lane.callers)
		if len(o.lane.callers) == 0 {
			delete(st.lanes, o.lane.queue)
		}
	}
}

func (t *train) callers() int {
	n := len(t.deletes) + len(t.changes) + len(t.sends) + len(t.publishes)
	for _, o := range t.receives {
		n += len(o.calls)
	}
	return n
}

// since is when the caller that has waited longest began to.
func (t *train) since() time.Time {
	since := time.Now()
	earlier := func(o *op) {
		if o.since.Before(since) {
			since = o.since
		}
	}
	if len(t.deletes) > 0 {
		earlier(&t.deletes[0].op)
	}
	if len(t.changes) > 0 {
		earlier(&t.changes[0].op)
	}
	if len(t.sends) > 0 {
		earlier(&t.sends[0].op)
	}
	if len(t.publishes) > 0 {
		earlier(&t.publishes[0].op)
	}
	for _, o := range t.receives {
		earlier(&o.calls[0].op)
	}
	return since
}

// takeRows takes operations up to a train's rows, at least one.
func takeRows[T any](waiting []T, rows func(T) int) (taken, rest []T) {
	sum := 0
	for i, o := range waiting {
		if sum += rows(o); sum > maxTrainRows && i > 0 {
			return waiting[:i:i], waiting[i:]
		}
	}
	return waiting, nil
}

func takeSends(waiting []*sendOp) (taken, rest []*sendOp) {
	rows, bytes := 0, 0
	for i, o := range waiting {
		rows, bytes = rows+len(o.messages), bytes+o.bytes
		if i > 0 && (rows > maxTrainRows || bytes > maxTrainBytes) {
			return waiting[:i:i], waiting[i:]
		}
	}
	return waiting, nil
}

func takePublishes(waiting []*publishOp) (taken, rest []*publishOp) {
	rows, bytes := 0, 0
	for i, o := range waiting {
		rows, bytes = rows+o.count(), bytes+o.bytes
		if i > 0 && (rows > maxPublishRows || bytes > maxTrainBytes) {
			return waiting[:i:i], waiting[i:]
		}
	}
	return waiting, nil
}

// takeChanges also stops where a message would be changed twice by one statement.
func takeChanges(waiting []*changeOp) (taken, rest []*changeOp) {
	seen := map[rowKey]bool{}
	rows := 0
	for i, o := range waiting {
		if rows += len(o.changes); i > 0 && (rows > maxTrainRows || o.touches(seen)) {
			return waiting[:i:i], waiting[i:]
		}
		for _, c := range o.changes {
			seen[rowKey{c.handle.storage, c.handle.id}] = true
		}
	}
	return waiting, nil
}

// rowKey is the primary key of a message.
type rowKey struct{ storage, id int64 }

// run sends a train and answers its callers.
func (s *Store) run(t *train) {
	s.trains.Add(1)
	s.operations.Add(int64(t.callers()))
	began := time.Now()
	err := s.commit(t)
	if s.onTrain != nil {
		s.onTrain(t.callers(), time.Since(began))
	}
	switch {
	case err == nil:
		t.settle(s, s.isLate(began))
	case isRowError(err) && t.splits():
		for _, part := range t.split() {
			s.run(part)
		}
	default:
		if t.sent && isUnknown(err) {
			s.lookAnew(t)
		}
		s.complain(err)
		t.fail(translate(err))
	}
}

// OnTrain sets the function that is told of each train: how many operations it carried, and how long it was
// under way. Called once, before any other method; the function does not block.
func (s *Store) OnTrain(observe func(operations int, took time.Duration)) { s.onTrain = observe }

// Trains gives how many trains have left and how many operations they carried.
func (s *Store) Trains() (trains, operations int64) { return s.trains.Load(), s.operations.Load() }

// commit runs the train's statements as one transaction. What was not sent for want of a
// connection, and what the database undid by itself, is tried again while there is time; what may have happened is not.
func (s *Store) commit(t *train) error {
	limit := max(time.Until(t.since().Add(callTimeout)), minCallTimeout)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for attempt := 1; ; attempt++ {
		err := s.attempt(ctx, t)
		if err == nil || attempt == maxAttempts || ctx.Err() != nil || !isUndone(err) {
			return err
		}
	}
}

func (s *Store) attempt(ctx context.Context, t *train) error {
	standard, fifo := t.byKind()
	if t.fifo = fifo; fifo != nil {
		if err := s.beginLocking(ctx); err != nil {
			return err
		}
		defer s.endLocking()
	}
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer s.release(conn)
	batch := s.newBatch()
	s.queueDeletes(batch, standard.deletes)
	s.queueChanges(batch, standard.changes)
	s.queueSends(batch, standard.sends)
	s.queuePublishes(batch, standard.publishes)
	s.queueReceives(batch, standard.receives)
	s.queueFIFO(batch, fifo)
	t.sent = true
	return s.outcome(ctx, conn, conn.SendBatch(ctx, batch).Close())
}

// isUndone reports whether the transaction was rolled back through no fault of its own.
func isUndone(err error) bool {
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		return false
	}
	switch server.Code {
	case "40001", "40P01", // serialization failure, deadlock
		"55P03",   // lock timeout
		cancelled, // by somebody else
		"0A000":   // a prepared plan met a migrated table
		return true
	}
	return false
}

// isRowError reports whether something about a row was wrong, so that its neighbours can go on
// without it.
func isRowError(err error) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && (server.Code[:2] == "22" || server.Code[:2] == "23")
}

// splits reports whether there is more than one operation to tell apart.
func (t *train) splits() bool {
	return len(t.deletes)+len(t.changes)+len(t.sends)+len(t.publishes)+len(t.receives) > 1
}

// split parts a train by kind, or a kind in half.
func (t *train) split() []*train {
	var parts []*train
	for _, part := range []*train{{deletes: t.deletes}, {changes: t.changes}, {sends: t.sends}, {publishes: t.publishes}, {receives: t.receives}} {
		if part.callers() > 0 {
			parts = append(parts, part)
		}
	}
	if len(parts) > 1 {
		return parts
	}
	var a, b train
	a.deletes, b.deletes = halve(t.deletes)
	a.changes, b.changes = halve(t.changes)
	a.sends, b.sends = halve(t.sends)
	a.publishes, b.publishes = halve(t.publishes)
	a.receives, b.receives = halve(t.receives)
	return []*train{&a, &b}
}

func halve[T any](ops []T) (a, b []T) { return ops[:len(ops)/2], ops[len(ops)/2:] }

// fail answers everyone with the same error.
func (t *train) fail(err error) {
	for _, o := range t.deletes {
		o.fail(err)
	}
	for _, o := range t.changes {
		o.fail(err)
	}
	for _, o := range t.sends {
		o.fail(err)
	}
	for _, o := range t.publishes {
		o.fail(err)
	}
	for _, o := range t.receives {
		for _, call := range o.calls {
			call.fail(err)
		}
	}
}

// settle answers everyone after the commit. What became visible is made known first: marks are
// lowered before any caller can act on the answer. Where receives through other servers need to have heard of it to find it, others are
// told before the answer too.
func (t *train) settle(s *Store, late bool) {
	s.unfolded.add(t.counted())
	t.announce(s)
	if late {
		s.assure(t.shownIn())
	}
	for _, o := range t.deletes {
		o.answer(o.stale(s))
	}
	for _, o := range t.changes {
		o.answer(o.stale(s))
	}
	var placed []*op
	heard := s.peers.listening.Load() > 0
	for _, o := range t.sends {
		if err := o.stale(s); err == nil && heard && hasPlace(o.places) {
			placed = append(placed, &o.op)
		} else {
			o.answer(err)
		}
	}
	for _, o := range t.publishes {
		if err := o.stale(s); err == nil && heard && hasPlace(o.places) {
			placed = append(placed, &o.op)
		} else {
			o.answer(err)
		}
	}
	if len(placed) > 0 {
		s.running.Go(func() { s.answerTold(placed) })
	}
	for _, o := range t.receives {
		s.settleReceive(o)
	}
}

// announce makes known what became visible, but for what receives do.
func (t *train) announce(s *Store) {
	if t.fifo != nil {
		t.fifo.settle(s)
	}
	for _, o := range t.changes {
		s.announceChanges(o)
	}
	for _, o := range t.sends {
		s.announceSend(o)
	}
	for _, o := range t.publishes {
		s.announcePublish(o)
	}
}

// shownIn gives the queues whose messages the train may have made visible.
func (t *train) shownIn() (queues []int64) {
	for _, o := range t.deletes {
		if o.queue.FIFO { // what stands behind it in its group
			queues = append(queues, o.queue.ID)
		}
	}
	for _, o := range t.changes {
		queues = append(queues, o.queue.ID)
	}
	for _, o := range t.sends {
		queues = append(queues, o.queue.ID)
	}
	for _, o := range t.publishes {
		for _, d := range o.rows {
			queues = append(queues, d.Queue.ID)
		}
	}
	return queues
}

// counted gives the storages for which the train wrote counters; one may come more than once.
func (t *train) counted() (storages []int64) {
	t.eachQueue(func(queue *core.Queue) {
		if n := len(storages); n == 0 || storages[n-1] != queue.Storage {
			storages = append(storages, queue.Storage)
		}
	})
	return storages
}

// eachQueue tells of the queues that the train's operations change; one may come more than once.
func (t *train) eachQueue(tell func(*core.Queue)) {
	for _, o := range t.deletes {
		tell(o.queue)
	}
	for _, o := range t.changes {
		tell(o.queue)
	}
	for _, o := range t.sends {
		tell(o.queue)
	}
	for _, o := range t.publishes {
		for _, d := range o.rows {
			tell(d.Queue)
		}
	}
	for _, o := range t.receives {
		if len(o.rows) > 0 {
			tell(o.queue)
		}
	}
}

// connect takes a connection, trying again while the database restarts, since nothing was sent yet.
func (s *Store) connect(ctx context.Context) (*pgxpool.Conn, error) {
	for {
		conn, err := s.pool.Acquire(ctx)
		if err == nil || ctx.Err() != nil {
			return conn, err
		}
		var server *pgconn.PgError
		if errors.As(err, &server) && !isAway(err) {
			return nil, err // refused for good: wrong password, no such database
		}
		select {
		case <-time.After(reconnectPause):
		case <-ctx.Done():
			return nil, err
		}
	}
}

const reconnectPause = 100 * time.Millisecond

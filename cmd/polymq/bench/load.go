package bench

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// A load is a set of workers that use the same queues.
type load struct {
	*options
	ledger   *ledger
	queues   []queue
	workers  []*worker
	recorder atomic.Pointer[recorder] // of the phase that runs
	searches int                      // that are made while it is measured
	poll     *pollState               // of the mode of that name
	topics   *topicState              // of the modes with topics
}

// A worker has one connection and does one thing after another.
type worker struct {
	*load
	client   client
	endpoint *url.URL
	id       int
	turn     int // how often it has picked a queue
	batch    []message
	stop     <-chan struct{}
	pause    *time.Timer
}

// newLoad makes the workers, spread over the endpoints; it connects nothing yet.
func newLoad(o *options, ledger *ledger, endpoints ...*url.URL) *load {
	n := o.workers()
	l := &load{options: o, ledger: ledger, poll: new(pollState), topics: new(topicState)}
	l.recorder.Store(newRecorder(0))
	transport := newTransport(n)
	for i := range n {
		w := &worker{load: l, endpoint: endpoints[i%len(endpoints)], id: i, pause: time.NewTimer(0)}
		if o.via != nil && i == 0 {
			w.endpoint = o.via
		}
		c := &conn{transport: transport, endpoint: w.endpoint, timeout: o.Timeout}
		w.client = o.protocol.client(c, o, ledger)
		l.workers = append(l.workers, w)
	}
	return l
}

// within makes ctx the one that ends the workers' later requests.
func (l *load) within(ctx context.Context) {
	for _, w := range l.workers {
		w.client.within(ctx)
	}
}

// setupWorkers is how many workers share what is not measured: enough to be quick, few enough
// not to trouble a server that is meant to be measured with idle connections.
const setupWorkers = 64

// spread calls do for 0 to n-1, workers sharing the numbers; it stops at the first error.
func (l *load) spread(ctx context.Context, n int, do func(w *worker, i int) error) error {
	l.within(ctx)
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for _, w := range l.workers[:min(n, len(l.workers), setupWorkers)] {
		w.stop = ctx.Done()
		group.Go(func() error {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				if interrupted(ctx) {
					return context.Cause(ctx)
				}
				if err := do(w, int(i)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// createQueues creates the queues; the first one alone, for a server that is not there is told
// by one request.
func (l *load) createQueues(ctx context.Context, prefix string) error {
	create := func(w *worker, i int) error {
		name := prefix
		if len(l.queues) > 1 {
			name = fmt.Sprintf("%s-%d", prefix, i)
		}
		q, err := w.client.createQueue(name)
		if err != nil {
			return explain(err, w.endpoint)
		}
		l.queues[i] = q
		return nil
	}
	l.queues = make([]queue, l.Queues)
	if len(l.queues) == 0 {
		return nil
	}
	l.within(ctx)
	if err := create(l.workers[0], 0); err != nil {
		return err
	}
	return l.spread(ctx, len(l.queues)-1, func(w *worker, i int) error { return create(w, i+1) })
}

// deleteQueues deletes the queues that were created.
func (l *load) deleteQueues(ctx context.Context) error {
	return l.spread(ctx, len(l.queues), func(w *worker, i int) error {
		if l.queues[i].url == "" {
			return nil
		}
		if err := w.client.deleteQueue(l.queues[i]); err != nil {
			return fmt.Errorf("delete queue %s: %w", l.queues[i].name, err)
		}
		return nil
	})
}

// preload puts at least n more messages into the queues, in full batches.
func (l *load) preload(ctx context.Context, n int) error {
	size := l.protocol.batch
	return l.spread(ctx, (n+size-1)/size, func(w *worker, i int) error {
		var err error
		for range preloadTries {
			if err = w.sendBatch(w.queues[i%len(w.queues)], min(size, n-i*size)); err == nil {
				return nil
			}
			w.rest(afterError)
		}
		return err
	})
}

const preloadTries = 5

// sendBatch sends n new messages outside of a measurement; it fails if one of them does.
func (w *worker) sendBatch(q queue, n int) error {
	w.newBatch(n)
	if err := w.client.send(q, w.batch); err != nil {
		return err
	}
	for _, m := range w.batch {
		if m.failed != "" {
			return fmt.Errorf("an entry of the batch was refused: %s", m.failed)
		}
		w.ledger.acknowledge(m.number)
	}
	return nil
}

// measure lets the workers work: a warm-up, then the measured phase, which it returns. The phase
// ends after the duration, or when limit messages are done, or with ctx; if ctx ends before it,
// there is none.
func (l *load) measure(ctx context.Context, m *mode, warmup time.Duration, limit uint64) (_ round, ok bool) {
	requests, cut := context.WithCancel(context.Background())
	defer cut()
	l.within(requests)
	l.recorder.Store(newRecorder(limit))
	stop := make(chan struct{})
	var group sync.WaitGroup
	for _, w := range l.workers {
		w.stop = stop
		group.Go(func() { m.work(w) })
	}
	for range l.searches {
		s := l.newSearch()
		group.Go(func() { s.run(requests, stop) })
	}
	if warmup > 0 {
		pause(ctx, warmup, nil)
		l.recorder.Store(newRecorder(limit))
	}
	measured := l.recorder.Load()
	ok = !interrupted(ctx)
	pause(ctx, l.Duration, measured.reached)
	if m.topics {
		return l.deliverRest(ctx, measured, stop, &group), ok
	}
	took := measured.end()
	l.recorder.Store(newLateRecorder()) // what completes from here on is too late
	close(stop)
	switch {
	case m.idle: // what waits in a long poll has nothing to lose
		cut()
	case interrupted(ctx):
		defer time.AfterFunc(interruptGrace, cut).Stop()
	}
	group.Wait()
	return round{measured, took}, ok
}

// deliverRest ends a phase of publishing. What was published by then belongs to it, and so does the time until it is
// delivered, which a server may do later.
func (l *load) deliverRest(ctx context.Context, measured *recorder, stop chan struct{}, group *sync.WaitGroup) round {
	close(stop)
	group.Wait()
	l.awaitDeliveries(ctx, l.Timeout)
	took := measured.end()
	l.recorder.Store(newRecorder(0))
	return round{measured, took}
}

func interrupted(ctx context.Context) bool { return ctx.Err() != nil }

// interruptGrace is how long requests in flight may still take after Ctrl-C.
const interruptGrace = 2 * time.Second

// pause waits for d, the context's end or done, whichever is first.
func pause(ctx context.Context, d time.Duration, done <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-done:
	}
}

// verify empties the queues: once, for what came back; and again until each acknowledged message
// has arrived, or those that have not can only be lost, since the queues stayed empty for longer
// than a visibility timeout. It reports whether it came to one of these ends before the limit.
func (l *load) verify(ctx context.Context, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	l.within(ctx)
	l.recorder.Store(newRecorder(0))
	quiet := time.Duration(l.Visibility)*time.Second + time.Second
	start := time.Now()
	var arrived atomic.Int64 // when something last did, in nanoseconds since start
	share := min(len(l.workers), setupWorkers)
	var group sync.WaitGroup
	for _, w := range l.workers[:share] {
		w.stop = ctx.Done()
		group.Go(func() {
			for !interrupted(ctx) && time.Since(start)-time.Duration(arrived.Load()) < quiet {
				for i := w.id % len(l.queues); i < len(l.queues); i += share {
					for w.receiveRest(l.queues[i]) {
						arrived.Store(int64(time.Since(start)))
					}
				}
				if l.ledger.missing() == 0 {
					return
				}
				pause(ctx, 100*time.Millisecond, nil)
			}
		})
	}
	group.Wait()
	return l.ledger.missing() == 0 || !interrupted(ctx)
}

// receiveRest receives and deletes one batch. It reports whether there was one, or whether that
// could not be told.
func (w *worker) receiveRest(q queue) bool {
	var err error
	if w.batch, err = w.client.receive(q, w.batch[:0], w.protocol.batch, 0); err != nil {
		w.failed(opReceive, err)
		return !w.stopped()
	}
	if len(w.batch) == 0 {
		return false
	}
	w.settle(opReceive, w.ledger.arrive)
	w.delete(q)
	return true
}

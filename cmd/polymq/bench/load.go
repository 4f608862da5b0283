package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// A load is a set of workers that use the same queues.
type load struct {
	*options
	ledger   *ledger
	queues   []queue
	workers  []*worker
	recorder atomic.Pointer[recorder]
}

// A worker has one connection and does one thing after another.
type worker struct {
	*load
	client client
	id     int
	turn   int // how often it has picked a queue
	batch  []message
	stop   <-chan struct{}
	pause  *time.Timer
}

// newLoad connects nothing yet; ctx ends every request.
func newLoad(ctx context.Context, o *options, endpoints []*url.URL, l *ledger) *load {
	load := &load{options: o, ledger: l}
	load.recorder.Store(newRecorder(0))
	transport := newTransport(o.Connections)
	for i := range o.Connections {
		c := newConn(ctx, transport, endpoints[i%len(endpoints)], o.Timeout)
		load.workers = append(load.workers, &worker{load: load, client: newClient(c, o, l), id: i, pause: time.NewTimer(0)})
	}
	return load
}

// createQueues creates the queues, all workers at once.
func (l *load) createQueues(prefix string) error {
	l.queues = make([]queue, l.Queues)
	return l.spread(len(l.queues), func(w *worker, i int) (err error) {
		name := prefix
		if l.Queues > 1 {
			name = fmt.Sprintf("%s-%d", prefix, i)
		}
		l.queues[i], err = w.client.createQueue(name)
		return explain(err, l.endpoints[w.id%len(l.endpoints)])
	})
}

// explain adds to an error of the first request what can be done about it.
func explain(err error, endpoint *url.URL) error {
	var refused *refusal
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens on %s: start the server (polymq serve), or name another one with --endpoint: %w", endpoint, err)
	case errors.As(err, &refused) && (refused.status == http.StatusForbidden || refused.status == http.StatusUnauthorized):
		return fmt.Errorf("%s wants credentials: give --sign, --access-key and --secret-key: %w", endpoint, err)
	default:
		return fmt.Errorf("create a queue at %s: %w", endpoint, err)
	}
}

// deleteQueues deletes the queues that were created.
func (l *load) deleteQueues() error {
	return l.spread(len(l.queues), func(w *worker, i int) error {
		if l.queues[i].url == "" {
			return nil
		}
		return w.client.deleteQueue(l.queues[i])
	})
}

// spread calls do for 0 to n-1, the workers sharing the numbers; it stops at the first error.
func (l *load) spread(n int, do func(w *worker, i int) error) error {
	var next atomic.Int64
	var group errgroup.Group
	var failed atomic.Bool
	for _, w := range l.workers[:min(n, len(l.workers))] {
		group.Go(func() error {
			for i := next.Add(1) - 1; i < int64(n) && !failed.Load(); i = next.Add(1) - 1 {
				if err := do(w, int(i)); err != nil {
					failed.Store(true)
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// measure runs the mode: warm-up, then the measured phase, whose recorder it returns with its
// length. It ends early with ctx.
func (l *load) measure(ctx context.Context, mode mode, watch func(*recorder)) (*recorder, time.Duration) {
	stop := make(chan struct{})
	var group sync.WaitGroup
	l.recorder.Store(newRecorder(0))
	for _, w := range l.workers {
		w.stop = stop
		group.Go(func() { mode(w) })
	}
	wait(ctx, l.Warmup, nil)
	measured := newRecorder(l.Messages)
	l.recorder.Store(measured)
	watch(measured)
	wait(ctx, l.Duration, measured.reached)
	l.recorder.Store(newRecorder(0)) // what completes from here on is too late
	took := time.Since(measured.start)
	measured.alive() // a stall may have lasted to the end
	close(stop)
	group.Wait()
	return measured, took
}

// wait waits for d, the context's end or done, whichever is first.
func wait(ctx context.Context, d time.Duration, done <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-done:
	}
}

// stopped says whether the worker shall end.
func (w *worker) stopped() bool {
	select {
	case <-w.stop:
		return true
	default:
		return false
	}
}

// nextQueue picks the worker's queues in turn, such that all workers together use all of them.
func (w *worker) nextQueue() queue {
	i := (w.id + w.turn*len(w.workers)) % len(w.queues)
	w.turn++
	return w.queues[i]
}

// afterError keeps a worker from spinning when each request fails at once.
const afterError = 20 * time.Millisecond

// failed records a failed request and pauses.
func (w *worker) failed(op operation, err error) {
	w.recorder.Load().fail(op, kindOf(err), err.Error())
	w.pause.Reset(afterError)
	select {
	case <-w.pause.C:
	case <-w.stop:
	}
}

// send sends one batch of new messages and says how many were acknowledged.
func (w *worker) send(q queue) int {
	w.batch = w.batch[:0]
	for range w.Batch {
		w.batch = append(w.batch, message{number: w.ledger.number()})
	}
	begin := time.Now()
	if err := w.client.send(q, w.batch); err != nil {
		w.failed(opSend, err)
		return 0
	}
	w.recorder.Load().done(opSend, time.Since(begin))
	return w.settle(opSend, w.ledger.acknowledge)
}

// receive receives one batch into w.batch and says how many came.
func (w *worker) receive(q queue) int {
	begin := time.Now()
	var err error
	if w.batch, err = w.client.receive(q, w.batch[:0], w.Batch, w.Wait); err != nil {
		w.failed(opReceive, err)
		return 0
	}
	if len(w.batch) == 0 {
		w.recorder.Load().empty.Add(1)
		return 0
	}
	w.recorder.Load().done(opReceive, time.Since(begin))
	return w.settle(opReceive, w.ledger.arrive)
}

// delete deletes what w.batch holds and says how many messages that were.
func (w *worker) delete(q queue) int {
	begin := time.Now()
	if err := w.client.delete(q, w.batch); err != nil {
		w.failed(opDelete, err)
		return 0
	}
	w.recorder.Load().done(opDelete, time.Since(begin))
	return w.settle(opDelete, w.ledger.remove)
}

// settle enters a batch's outcome in the ledger and counts the entries that did not fail.
func (w *worker) settle(op operation, enter func(n uint64)) int {
	count := 0
	for i := range w.batch {
		m := &w.batch[i]
		switch {
		case m.failed != "":
			w.recorder.Load().fail(op, "entry refused: "+m.failed, m.failed)
			continue
		case op == opSend || m.known:
			enter(m.number)
		}
		count++
	}
	return count
}

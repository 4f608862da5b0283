package bench

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// arrivalTimeout is how long poll waits for a message to wake a long poll.
const arrivalTimeout = 5 * time.Second

// A pollState is what the sender of mode poll and the waiting workers share.
type pollState struct {
	waiting atomic.Int64 // workers that have begun to poll
	flight  atomic.Pointer[flight]
}

// A flight is the one message that is on its way.
type flight struct {
	number  uint64
	begin   time.Time // of its send
	arrived chan struct{}
}

// poll makes the first worker send a message now and then, and the others wait for them.
func poll(w *worker) {
	if w.id == 0 {
		wakeOthers(w)
		return
	}
	w.poll.waiting.Add(1)
	defer w.poll.waiting.Add(-1)
	q := w.queues[(w.id-1)%len(w.queues)]
	for !w.stopped() {
		if waitForMessages(w, q) {
			w.recorder.Load().handled(w.delete(q))
		}
	}
}

// waitForMessages is one long poll. If it brings the message in flight, the wake-up took from
// the begin of its send to now.
func waitForMessages(w *worker, q queue) bool {
	var err error
	w.batch, err = w.client.receive(q, w.batch[:0], w.Batch, w.wait())
	now := time.Now()
	switch {
	case err != nil:
		w.failed(opReceive, err)
		return false
	case len(w.batch) == 0:
		w.recorder.Load().nothing()
		return false
	}
	f := w.poll.flight.Load()
	for _, m := range w.batch {
		if f != nil && m.known && m.number == f.number && w.poll.flight.CompareAndSwap(f, nil) {
			w.recorder.Load().observe(opWake, now.Sub(f.begin))
			close(f.arrived)
		}
	}
	return w.settle(opReceive, w.ledger.arrive) > 0
}

// wakeOthers sends a message to a queue at random, waits until it has arrived and rests, again
// and again, once all the other workers wait.
func wakeOthers(w *worker) {
	for w.poll.waiting.Load() < int64(len(w.workers)-1) && !w.stopped() {
		w.rest(10 * time.Millisecond)
	}
	for !w.stopped() {
		w.newBatch(1)
		f := &flight{number: w.batch[0].number, begin: time.Now(), arrived: make(chan struct{})}
		w.poll.flight.Store(f)
		if err := w.client.send(w.queues[rand.IntN(len(w.queues))], w.batch); err != nil {
			w.failed(opSend, err)
			continue
		}
		w.recorder.Load().done(opSend, time.Since(f.begin))
		w.recorder.Load().sent.Add(uint64(w.settle(opSend, w.ledger.acknowledge)))
		w.await(f)
		w.rest(w.Interval)
	}
}

// await waits until a message has arrived.
func (w *worker) await(f *flight) {
	w.pause.Reset(arrivalTimeout)
	select {
	case <-f.arrived:
	case <-w.stop:
	case <-w.pause.C:
		w.recorder.Load().fail(opWake, kindOf(errNotArrived), errNotArrived.Error())
	}
}

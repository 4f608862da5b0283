package bench

import "time"

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

// send sends one batch of new messages and says how many were acknowledged.
func (w *worker) send(q queue) int {
	w.newBatch(w.Batch)
	begin := time.Now()
	if err := w.client.send(q, w.batch); err != nil {
		w.failed(opSend, err)
		return 0
	}
	w.recorder.Load().done(opSend, time.Since(begin))
	n := w.settle(opSend, w.ledger.acknowledge)
	w.recorder.Load().sent.Add(uint64(n))
	return n
}

// newBatch fills w.batch with n new messages.
func (w *worker) newBatch(n int) {
	w.batch = w.batch[:0]
	for range n {
		w.batch = append(w.batch, message{number: w.ledger.number()})
	}
}

// receive receives one batch into w.batch and says how many came.
func (w *worker) receive(q queue) int {
	begin := time.Now()
	var err error
	if w.batch, err = w.client.receive(q, w.batch[:0], w.Batch, w.wait()); err != nil {
		w.failed(opReceive, err)
		return 0
	}
	if len(w.batch) == 0 {
		w.recorder.Load().nothing()
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
	n := w.settle(opDelete, w.ledger.remove)
	w.recorder.Load().deleted.Add(uint64(n))
	return n
}

// settle enters a batch's outcome in the ledger and counts the entries that did not fail.
func (w *worker) settle(op operation, enter func(n uint64)) int {
	count := 0
	for _, m := range w.batch {
		if m.failed != "" {
			w.recorder.Load().fail(op, "entry "+m.failed, "an entry of a batch was refused: "+m.failed)
			continue
		}
		if op == opSend || m.known {
			enter(m.number)
		}
		count++
	}
	return count
}

// afterError keeps a worker from spinning when each request fails at once.
const afterError = 20 * time.Millisecond

// failed records a failed request and pauses.
func (w *worker) failed(op operation, err error) {
	w.recorder.Load().fail(op, kindOf(err), err.Error())
	w.rest(afterError)
}

// rest does nothing for d, or until the worker is stopped.
func (w *worker) rest(d time.Duration) {
	w.pause.Reset(d)
	select {
	case <-w.pause.C:
	case <-w.stop:
	}
}

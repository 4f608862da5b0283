package bench

// A mode is one way to load the queues.
type mode struct {
	name  string
	about string
	work  func(w *worker) // what each worker does until it is stopped
	drain bool            // each measurement begins with the backlog, and ends when it is gone
	idle  bool            // nearly all requests only wait
	sends bool            // nothing is received, so that nothing can be missing

	topics bool // messages are published
}

var (
	sendMode  = &mode{name: "send", about: "each connection sends", work: send, sends: true}
	drainMode = &mode{name: "drain", about: "each connection receives and deletes what --backlog put there", work: drain, drain: true}
	cycleMode = &mode{name: "cycle", about: "each connection sends, receives and deletes in turn", work: cycle}
	mixedMode = &mode{name: "mixed", about: "--producers connections send, --consumers receive and delete", work: mixed}
	pollMode  = &mode{name: "poll", about: "connections wait in long polls; now and then one gets a message", work: poll, idle: true}

	publishMode = &mode{name: "publish", about: "each connection publishes to a topic with one queue, to compare with send", work: publish, topics: true}
	fanOutMode  = &mode{name: "fan-out", about: "each connection publishes to a topic with --subscriptions queues", work: publish, topics: true}
	pushMode    = &mode{name: "push", about: "each connection publishes to a topic with --endpoints HTTP endpoints, and waits until they have it", work: push, topics: true}

	modes = []*mode{sendMode, drainMode, cycleMode, mixedMode, pollMode, publishMode, fanOutMode, pushMode}
)

func findMode(name string) *mode {
	for _, m := range modes {
		if m.name == name {
			return m
		}
	}
	return nil
}

// send sends one batch after another. Messages count when they are acknowledged.
func send(w *worker) {
	for !w.stopped() {
		w.recorder.Load().handled(w.send(w.nextQueue()))
	}
}

// drain receives and deletes. Messages count when they are deleted, here and below.
func drain(w *worker) {
	for !w.stopped() {
		q := w.nextQueue()
		if w.receive(q) > 0 {
			w.recorder.Load().handled(w.delete(q))
		}
	}
}

// cycle sends, receives and deletes in turn, each with one request. What a receive leaves
// behind, a later one gets.
func cycle(w *worker) {
	for !w.stopped() {
		q := w.nextQueue()
		if w.send(q) == 0 || w.receive(q) == 0 {
			continue
		}
		if n := w.delete(q); n > 0 {
			w.recorder.Load().cycles.Add(1)
			w.recorder.Load().handled(n)
		}
	}
}

// mixed makes the first workers producers and the others consumers.
func mixed(w *worker) {
	if w.id >= w.Producers {
		drain(w)
		return
	}
	for !w.stopped() {
		w.send(w.nextQueue())
	}
}

package bench

// A mode is what each worker does until it is stopped.
type mode func(w *worker)

var modes = map[string]mode{
	"send":  sendMode,
	"cycle": cycleMode,
}

// sendMode sends one batch after another.
func sendMode(w *worker) {
	for !w.stopped() {
		n := w.send(w.nextQueue())
		w.recorder.Load().handled(n)
	}
}

// cycleMode sends, receives and deletes in turn, each with one request. Messages count when
// they are deleted. What a receive leaves behind, a later one gets.
func cycleMode(w *worker) {
	for !w.stopped() {
		q := w.nextQueue()
		if w.send(q) == 0 || w.receive(q) == 0 {
			continue
		}
		if n := w.delete(q); n > 0 {
			w.recorder.Load().handled(n)
			w.recorder.Load().cycles.Add(1)
		}
	}
}

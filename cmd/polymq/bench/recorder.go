package bench

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// An operation is a kind of request whose latency is reported.
type operation int

const (
	opSend operation = iota
	opReceive
	opDelete
	opWake    // from the begin of a send until its message wakes a long poll
	opDeliver // from the begin of a publish until an endpoint has its message
	opSearch  // a page of the console's search
	operations
)

func (o operation) String() string {
	return [operations]string{"send", "receive", "delete", "wake", "deliver", "search"}[o]
}

const (
	slowest      = time.Minute            // latencies beyond it count as it
	stallLength  = 250 * time.Millisecond // a gap longer than this is a stall
	exampleCount = 3                      // of each kind of error
)

// A recorder counts what happens during one phase of a run.
type recorder struct {
	start     time.Time
	latencies [operations]latency
	limit     uint64        // messages after which reached is closed; 0 for none
	reached   chan struct{} // closed when limit messages are done
	late      bool          // of what completes after the time is over

	requests atomic.Uint64 // that did what they were for, or found nothing
	empty    atomic.Uint64 // receives that found nothing
	failures atomic.Uint64 // failed requests and refused entries of batches
	sent     atomic.Uint64 // messages acknowledged
	deleted  atomic.Uint64 // messages deleted
	messages atomic.Uint64 // that went all the way the mode takes them
	cycles   atomic.Uint64 // of send, receive and delete

	last   atomic.Int64 // when something last completed, in nanoseconds since start
	mu     sync.Mutex   // guards what follows
	stalls stalls
	errors map[string]*failure
}

type latency struct {
	mu        sync.Mutex
	histogram *hdrhistogram.Histogram
}

// stalls are the gaps in which no request at all completed.
type stalls struct {
	count   int
	total   time.Duration
	longest time.Duration
}

// A failure is one kind of failed request.
type failure struct {
	Kind     string   `json:"kind"`
	Count    uint64   `json:"count"`
	Examples []string `json:"examples"`
}

func newRecorder(limit uint64) *recorder {
	r := &recorder{start: time.Now(), limit: limit, reached: make(chan struct{}), errors: map[string]*failure{}}
	for i := range r.latencies {
		r.latencies[i].histogram = newHistogram()
	}
	return r
}

// newLateRecorder records what nobody counts.
func newLateRecorder() *recorder {
	r := newRecorder(0)
	r.late = true
	return r
}

// newHistogram returns a histogram of microseconds with three digits.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, slowest.Microseconds(), 3)
}

// end ends the phase, and with it a stall that lasted until now; it says how long the phase was.
func (r *recorder) end() time.Duration {
	r.alive()
	return time.Since(r.start)
}

// done records a request that did what it was for.
func (r *recorder) done(op operation, took time.Duration) {
	r.observe(op, took)
	r.requests.Add(1)
	r.alive()
}

// nothing records a receive that found nothing; it says little about the server's speed, so its
// latency does not count.
func (r *recorder) nothing() {
	r.requests.Add(1)
	r.empty.Add(1)
}

// observe records a latency.
func (r *recorder) observe(op operation, took time.Duration) {
	l := &r.latencies[op]
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.histogram.RecordValue(min(took, slowest).Microseconds()) // within its range
}

// handled records messages that have gone all the way the mode takes them.
func (r *recorder) handled(n int) {
	total := r.messages.Add(uint64(n))
	if r.limit > 0 && total >= r.limit && total-uint64(n) < r.limit {
		close(r.reached)
	}
}

// fail records a request, or an entry of a batch, that failed.
func (r *recorder) fail(op operation, kind, text string) {
	r.failures.Add(1)
	kind = op.String() + ": " + kind
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failure(kind).add(1, text)
}

// failure returns the failure of a kind, a new one if need be.
func (r *recorder) failure(kind string) *failure {
	f := r.errors[kind]
	if f == nil {
		f = &failure{Kind: kind}
		r.errors[kind] = f
	}
	return f
}

// add counts n more, with different examples as far as there is room.
func (f *failure) add(n uint64, examples ...string) {
	f.Count += n
	for _, text := range examples {
		if len(f.Examples) < exampleCount && !slices.Contains(f.Examples, text) {
			f.Examples = append(f.Examples, text)
		}
	}
}

// alive notes that something completed just now.
func (r *recorder) alive() {
	now := int64(time.Since(r.start))
	gap := time.Duration(now - r.last.Swap(now))
	if gap <= stallLength {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stalls.count++
	r.stalls.total += gap
	r.stalls.longest = max(r.stalls.longest, gap)
}

// failed returns the errors, most frequent first.
func (r *recorder) failed() []failure {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := []failure{}
	for _, f := range slices.Collect(maps.Values(r.errors)) {
		all = append(all, *f)
	}
	slices.SortFunc(all, func(a, b failure) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind))
	})
	return all
}

// merge adds what another recorder, whose phase is over, has counted of latencies, stalls and errors.
func (r *recorder) merge(other *recorder) {
	for op := range r.latencies {
		other.latencies[op].mu.Lock()
		r.latencies[op].histogram.Merge(other.latencies[op].histogram)
		other.latencies[op].mu.Unlock()
	}
	for _, f := range other.failed() {
		r.failure(f.Kind).add(f.Count, f.Examples...)
	}
	r.stalls.count += other.stalls.count
	r.stalls.total += other.stalls.total
	r.stalls.longest = max(r.stalls.longest, other.stalls.longest)
}

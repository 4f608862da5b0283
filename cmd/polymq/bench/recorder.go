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
	operations
)

func (o operation) String() string { return [operations]string{"send", "receive", "delete"}[o] }

const (
	slowest     = time.Minute            // latencies beyond it count as it
	stallLength = 250 * time.Millisecond // a gap longer than this is a stall
	examples    = 3                      // of each kind of error
)

// A recorder counts what happens during one phase of a run.
type recorder struct {
	start     time.Time
	latencies [operations]latency
	limit     uint64        // messages after which reached is closed; 0 for none
	reached   chan struct{} // closed when limit messages are done

	requests, messages, cycles, empty, failures atomic.Uint64

	last   atomic.Int64 // when something last completed, in nanoseconds since start
	mu     sync.Mutex
	stalls stalls
	errors map[string]*failure
}

type latency struct {
	mu        sync.Mutex
	histogram *hdrhistogram.Histogram
}

// stalls are the gaps in which no request at all completed.
type stalls struct {
	Count   int
	Longest time.Duration
	Total   time.Duration
}

// A failure is one kind of failed request.
type failure struct {
	Kind     string   `json:"kind"`
	Count    uint64   `json:"count"`
	Examples []string `json:"examples"`
}

func newRecorder(limit int) *recorder {
	r := &recorder{start: time.Now(), limit: uint64(limit), reached: make(chan struct{}), errors: map[string]*failure{}}
	for i := range r.latencies {
		r.latencies[i].histogram = newHistogram()
	}
	return r
}

// newHistogram returns a histogram of microseconds with three digits.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, slowest.Microseconds(), 3)
}

// done records a request that did what it was for.
func (r *recorder) done(op operation, took time.Duration) {
	l := &r.latencies[op]
	l.mu.Lock()
	_ = l.histogram.RecordValue(min(took, slowest).Microseconds()) // in range
	l.mu.Unlock()
	r.requests.Add(1)
	r.alive()
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
	f := r.errors[kind]
	if f == nil {
		f = &failure{Kind: kind}
		r.errors[kind] = f
	}
	f.Count++
	if len(f.Examples) < examples && !slices.Contains(f.Examples, text) {
		f.Examples = append(f.Examples, text)
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
	r.stalls.Count++
	r.stalls.Total += gap
	r.stalls.Longest = max(r.stalls.Longest, gap)
}

// failed returns the errors, most frequent first.
func (r *recorder) failed() []failure {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []failure
	for _, f := range slices.Collect(maps.Values(r.errors)) {
		all = append(all, *f)
	}
	slices.SortFunc(all, func(a, b failure) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind))
	})
	return all
}

// add adds the latencies and errors of another recorder, whose phase is over.
func (r *recorder) add(other *recorder) {
	for op := range r.latencies {
		other.latencies[op].mu.Lock()
		r.latencies[op].histogram.Merge(other.latencies[op].histogram)
		other.latencies[op].mu.Unlock()
	}
	for _, f := range other.failed() {
		sum := r.errors[f.Kind]
		if sum == nil {
			sum = &failure{Kind: f.Kind}
			r.errors[f.Kind] = sum
		}
		sum.Count += f.Count
		sum.Examples = append(sum.Examples, f.Examples...)
		sum.Examples = sum.Examples[:min(examples, len(sum.Examples))]
	}
}

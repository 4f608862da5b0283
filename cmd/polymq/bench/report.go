package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"time"
)

// A report is what a run found. Its JSON form is what --json writes.
type report struct {
	Run      settings     `json:"run"`
	Rounds   []roundRates `json:"rounds"`
	NoOp     *figures     `json:"noop,omitempty"`
	Calm     *figures     `json:"without_searches,omitempty"`
	Result   *figures     `json:"result,omitempty"`
	Ratio    float64      `json:"ratio,omitempty"` // requests/s, result to no-op: the rounds' median
	Messages *outcome     `json:"messages,omitempty"`
}

// settings are the options that the figures depend on.
type settings struct {
	ID          string   `json:"id"`
	Mode        string   `json:"mode"`
	Protocol    string   `json:"protocol"`
	Endpoints   []string `json:"endpoints,omitempty"`
	Via         string   `json:"via,omitempty"`
	Connections int      `json:"connections"`
	Batch       int      `json:"batch"`
	BodySize    int      `json:"body_size"`
	Queues      int      `json:"queues"`
	Backlog     int      `json:"backlog"`
	FIFO        bool     `json:"fifo"`
	Priorities  int      `json:"priorities,omitempty"`
	Signed      bool     `json:"signed"`
	Signature   int      `json:"signature,omitempty"` // its version, where there are several
	Interrupted bool     `json:"interrupted"`

	Receivers     int  `json:"receivers,omitempty"`
	DeadReceivers int  `json:"dead_receivers,omitempty"`
	Scheduled     int  `json:"scheduled,omitempty"`
	Raw           bool `json:"raw,omitempty"`

	Searches int `json:"searches,omitempty"`
}

// roundRates are the rates of one round.
type roundRates struct {
	NoOp     float64 `json:"noop_requests_per_second,omitempty"`
	Requests float64 `json:"requests_per_second,omitempty"`
	Messages float64 `json:"messages_per_second,omitempty"`
	Ratio    float64 `json:"ratio,omitempty"`
}

// figures are what was measured of one server. Rates are medians where there were several
// rounds; all else covers all rounds.
type figures struct {
	Seconds           float64       `json:"seconds"`
	RequestsPerSecond float64       `json:"requests_per_second"`
	SentPerSecond     float64       `json:"sent_per_second"`
	DeletedPerSecond  float64       `json:"deleted_per_second"`
	MessagesPerSecond float64       `json:"messages_per_second"` // sent, deleted or delivered, by the mode
	CyclesPerSecond   float64       `json:"cycles_per_second"`
	Requests          uint64        `json:"requests"`
	EmptyReceives     uint64        `json:"empty_receives"`
	Failures          uint64        `json:"failures"`
	Errors            []failure     `json:"errors"`
	Latencies         []percentiles `json:"latencies"`
	Stalls            stallFigures  `json:"stalls"`
}

// percentiles are the latencies of one operation.
type percentiles struct {
	Operation string  `json:"operation"`
	Count     int64   `json:"count"`
	P50       float64 `json:"p50_ms"`
	P95       float64 `json:"p95_ms"`
	P99       float64 `json:"p99_ms"`
	Max       float64 `json:"max_ms"`
}

// stallFigures are the stalls of all rounds.
type stallFigures struct {
	Count   int     `json:"count"`
	Total   float64 `json:"total_ms"`
	Longest float64 `json:"longest_ms"`
}

// A round is one measurement of one server.
type round struct {
	*recorder
	took time.Duration
}

// rate says how many n of this round are a second.
func (r round) rate(n uint64) float64 { return float64(n) / r.took.Seconds() }

func newReport(b *bench, interrupted bool) *report {
	r := &report{
		Run: settings{ID: b.id, Mode: b.Mode, Protocol: b.Protocol, Connections: b.workers(), Batch: b.Batch,
			BodySize: b.BodySize, Queues: b.Queues, Backlog: b.Backlog, FIFO: b.FIFO, Priorities: b.Priorities, Signed: b.Sign, Interrupted: interrupted},
		Rounds: make([]roundRates, max(len(b.noops), len(b.results))),
		NoOp:   newFigures(b.noops),
		Calm:   newFigures(b.calm),
		Result: newFigures(b.results),
	}
	if b.Sign && b.Protocol == "mns" {
		r.Run.Signature = b.Signature
	}
	if b.mode == pushMode {
		r.Run.Receivers, r.Run.DeadReceivers = b.Receivers, b.DeadReceivers
	}
	r.Run.Scheduled, r.Run.Raw, r.Run.Searches = b.Scheduled, b.Raw, b.Searches
	if b.target != nil {
		r.Run.Endpoints, r.Run.Via = b.Endpoints, b.Via
	}
	for i, n := range b.noops {
		r.Rounds[i].NoOp = n.rate(n.requests.Load())
	}
	var ratios []float64
	for i, n := range b.results {
		r.Rounds[i].Requests, r.Rounds[i].Messages = n.rate(n.requests.Load()), n.rate(n.messages.Load())
		if noop := r.Rounds[i].NoOp; noop > 0 {
			r.Rounds[i].Ratio = r.Rounds[i].Requests / noop
			ratios = append(ratios, r.Rounds[i].Ratio)
		}
	}
	r.Ratio = median(ratios)
	if b.mode.idle && r.Result != nil {
		r.Result.Stalls = stallFigures{} // nothing completes while all wait
	}
	return r
}

// newFigures sums up the rounds of one server; it returns nil for none.
func newFigures(rounds []round) *figures {
	if len(rounds) == 0 {
		return nil
	}
	median := func(of func(r round) uint64) float64 {
		var rates []float64
		for _, r := range rounds {
			rates = append(rates, r.rate(of(r)))
		}
		return median(rates)
	}
	f := &figures{
		RequestsPerSecond: median(func(r round) uint64 { return r.requests.Load() }),
		SentPerSecond:     median(func(r round) uint64 { return r.sent.Load() }),
		DeletedPerSecond:  median(func(r round) uint64 { return r.deleted.Load() }),
		MessagesPerSecond: median(func(r round) uint64 { return r.messages.Load() }),
		CyclesPerSecond:   median(func(r round) uint64 { return r.cycles.Load() }),
	}
	all := newRecorder(0)
	for _, r := range rounds {
		f.Seconds += r.took.Seconds()
		f.Requests += r.requests.Load()
		f.EmptyReceives += r.empty.Load()
		f.Failures += r.failures.Load()
		all.merge(r.recorder)
	}
	f.Errors, f.Latencies = all.failed(), all.percentiles()
	f.Stalls = stallFigures{all.stalls.count, milliseconds(all.stalls.total), milliseconds(all.stalls.longest)}
	return f
}

// percentiles returns the latencies of the operations that occurred.
func (r *recorder) percentiles() []percentiles {
	all := []percentiles{}
	for op := range operations {
		h := r.latencies[op].histogram
		if h.TotalCount() == 0 {
			continue
		}
		at := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1000 }
		all = append(all, percentiles{op.String(), h.TotalCount(), at(50), at(95), at(99), float64(h.Max()) / 1000})
	}
	return all
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// median returns the middle of the values, 0 for none.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// write writes the report as JSON to a file if one is named, and as a table to out; for the
// name - it writes only the JSON, to out.
func (r *report) write(out io.Writer, file string) error {
	if file == "" {
		return r.print(out)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the report: %w", err)
	}
	text = append(text, '\n')
	if file == "-" {
		_, err := out.Write(text)
		return err
	}
	if err := os.WriteFile(file, text, 0o644); err != nil { //nolint:gosec // nothing in it is secret
		return fmt.Errorf("write the report: %w", err)
	}
	return r.print(out)
}

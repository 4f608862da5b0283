package bench

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A report is what a run found; its JSON form is the output of --json.
type report struct {
	Run      settings  `json:"run"`
	Noop     *figures  `json:"noop,omitempty"`
	Result   *figures  `json:"result,omitempty"`
	Ratio    float64   `json:"ratio,omitempty"` // requests/s: result to no-op, the median of the rounds
	Messages *delivery `json:"messages,omitempty"`
}

// settings are the options that the figures depend on.
type settings struct {
	ID          string   `json:"id"`
	Mode        string   `json:"mode"`
	Protocol    string   `json:"protocol"`
	Endpoints   []string `json:"endpoints,omitempty"`
	Connections int      `json:"connections"`
	Batch       int      `json:"batch"`
	BodySize    int      `json:"body_size"`
	Queues      int      `json:"queues"`
	Backlog     int      `json:"backlog"`
	Signed      bool     `json:"signed"`
	Rounds      int      `json:"rounds"`
}

// figures are what was measured; rates are medians where there were several rounds, all else is summed.
type figures struct {
	Seconds           float64       `json:"seconds"`
	RequestsPerSecond float64       `json:"requests_per_second"`
	MessagesPerSecond float64       `json:"messages_per_second"`
	CyclesPerSecond   float64       `json:"cycles_per_second,omitempty"`
	RoundRequests     []float64     `json:"rounds_requests_per_second"`
	Requests          uint64        `json:"requests"`
	Messages          uint64        `json:"messages"`
	EmptyReceives     uint64        `json:"empty_receives"`
	Failures          uint64        `json:"failures"`
	Latencies         []percentiles `json:"latencies"`
	Errors            []failure     `json:"errors"`
	Stalls            int           `json:"stalls"`
	LongestStall      float64       `json:"longest_stall_ms"`
}

// percentiles are an operation's latencies in milliseconds.
type percentiles struct {
	Operation string  `json:"operation"`
	Count     int64   `json:"count"`
	P50       float64 `json:"p50_ms"`
	P95       float64 `json:"p95_ms"`
	P99       float64 `json:"p99_ms"`
	Max       float64 `json:"max_ms"`
}

// delivery is what became of the messages.
type delivery struct {
	Acknowledged uint64 `json:"acknowledged"` // sends
	Received     uint64 `json:"received"`     // distinct messages
	Deleted      uint64 `json:"deleted"`
	Lost         uint64 `json:"lost"`
	Checked      bool   `json:"lost_checked"` // else Lost says nothing, since not all was received
	Duplicated   uint64 `json:"duplicated"`   // received again
	AfterDelete  uint64 `json:"after_delete"` // of these, received again although its delete was acknowledged
	Damaged      uint64 `json:"damaged"`
	Foreign      uint64 `json:"foreign"`
}

// A round is one measurement.
type round struct {
	recorder *recorder
	took     time.Duration
}

// per says how many n of this round are a second.
func (r round) per(n uint64) float64 { return float64(n) / r.took.Seconds() }

// summarize makes the figures of all rounds.
func summarize(rounds []round) *figures {
	f := &figures{Errors: []failure{}, Latencies: []percentiles{}}
	all := newRecorder(0)
	var messages, cycles []float64
	for _, r := range rounds {
		rec := r.recorder
		f.Seconds += r.took.Seconds()
		f.Requests += rec.requests.Load() + rec.empty.Load()
		f.Messages += rec.messages.Load()
		f.EmptyReceives += rec.empty.Load()
		f.Failures += rec.failures.Load()
		f.Stalls += rec.stalls.Count
		f.LongestStall = max(f.LongestStall, milliseconds(rec.stalls.Longest))
		f.RoundRequests = append(f.RoundRequests, r.per(rec.requests.Load()+rec.empty.Load()))
		messages = append(messages, r.per(rec.messages.Load()))
		cycles = append(cycles, r.per(rec.cycles.Load()))
		all.add(rec)
	}
	f.RequestsPerSecond, f.MessagesPerSecond, f.CyclesPerSecond = median(f.RoundRequests), median(messages), median(cycles)
	f.Errors = append(f.Errors, all.failed()...)
	for op := range operations {
		if h := all.latencies[op].histogram; h.TotalCount() > 0 {
			f.Latencies = append(f.Latencies, newPercentiles(op, h))
		}
	}
	return f
}

func newPercentiles(op operation, h *hdrhistogram.Histogram) percentiles {
	at := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1000 }
	return percentiles{Operation: op.String(), Count: h.TotalCount(), P50: at(50), P95: at(95), P99: at(99), Max: float64(h.Max()) / 1000}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// table writes the report for people.
func (r *report) table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\trequests/s\tmessages/s\tcycles/s\t\n")
	if r.Noop != nil {
		fmt.Fprintf(t, "no-op\t%.0f\t%.0f\t\t\n", r.Noop.RequestsPerSecond, r.Noop.MessagesPerSecond)
	}
	if r.Result != nil {
		fmt.Fprintf(t, "%s\t%.0f\t%.0f\t%.0f\t\n", r.Run.Mode, r.Result.RequestsPerSecond, r.Result.MessagesPerSecond, r.Result.CyclesPerSecond)
	}
	fmt.Fprintf(t, "\t\t\t\t\nlatency in ms\tcount\tp50\tp95\tp99\tmax\t\n")
	for _, f := range []*figures{r.Noop, r.Result} {
		if f == nil {
			continue
		}
		for _, l := range f.Latencies {
			name := l.Operation
			if f == r.Noop {
				name = "no-op"
			}
			fmt.Fprintf(t, "%s\t%d\t%.2f\t%.2f\t%.2f\t%.2f\t\n", name, l.Count, l.P50, l.P95, l.P99, l.Max)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if r.Ratio > 0 {
		fmt.Fprintf(w, "\n%.2f of no-op\n", r.Ratio)
	}
	if f := r.Result; f != nil {
		fmt.Fprintf(w, "\n%d requests failed, %d receives were empty, %d stalls (longest %.0f ms)\n", f.Failures, f.EmptyReceives, f.Stalls, f.LongestStall)
		for _, e := range f.Errors {
			fmt.Fprintf(w, "  %d × %s\n", e.Count, e.Kind)
			for _, example := range e.Examples {
				fmt.Fprintf(w, "      %s\n", example)
			}
		}
	}
	if m := r.Messages; m != nil {
		fmt.Fprintf(w, "%+v\n", *m)
	}
	return nil
}

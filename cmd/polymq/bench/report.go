package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// A report is what a run found. Its JSON form is what --json writes.
type report struct {
	Run      settings     `json:"run"`
	Rounds   []roundRates `json:"rounds"`
	NoOp     *figures     `json:"noop,omitempty"`
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
	Signed      bool     `json:"signed"`
	Interrupted bool     `json:"interrupted"`
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
	MessagesPerSecond float64       `json:"messages_per_second"` // sent or deleted, by the mode
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
			BodySize: b.BodySize, Queues: b.Queues, Backlog: b.Backlog, FIFO: b.FIFO, Signed: b.Sign, Interrupted: interrupted},
		Rounds: make([]roundRates, max(len(b.noops), len(b.results))),
		NoOp:   newFigures(b.noops),
		Result: newFigures(b.results),
	}
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

// print writes the report as tables.
func (r *report) print(out io.Writer) error {
	var b strings.Builder
	r.printSettings(&b)
	r.printRounds(&b)
	r.printRates(&b)
	r.printLatencies(&b)
	for _, f := range []*figures{r.NoOp, r.Result} {
		if f != nil {
			f.printErrors(&b)
		}
	}
	if r.Messages != nil {
		r.Messages.print(&b)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (r *report) printSettings(b *strings.Builder) {
	s := r.Run
	fmt.Fprintf(b, "%s, %d connections, batch %d, %d-byte bodies, %s queues, backlog %s", s.Protocol, s.Connections, s.Batch, s.BodySize,
		count(s.Queues), count(s.Backlog))
	if s.FIFO {
		b.WriteString(", FIFO")
	}
	if s.Signed {
		b.WriteString(", signed")
	}
	if len(s.Endpoints) > 0 {
		b.WriteString(", " + strings.Join(s.Endpoints, " "))
	}
	if s.Via != "" {
		b.WriteString(", sent via " + s.Via)
	}
	if s.Interrupted {
		b.WriteString(" (interrupted)")
	}
	b.WriteByte('\n')
}

// table returns a writer of right-aligned columns; cells end in tabs.
func table(b *strings.Builder) *tabwriter.Writer {
	b.WriteByte('\n')
	return tabwriter.NewWriter(b, 0, 0, 3, ' ', tabwriter.AlignRight)
}

func (r *report) printRounds(b *strings.Builder) {
	if len(r.Rounds) < 2 {
		return
	}
	t := table(b)
	fmt.Fprintf(t, "round\tno-op requests/s\t%s requests/s\tratio\t\n", r.Run.Mode)
	for i, n := range r.Rounds {
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t\n", i+1, some(n.NoOp), some(n.Requests), ratio(n.Ratio))
	}
	_ = t.Flush() // a Builder takes everything
}

func (r *report) printRates(b *strings.Builder) {
	t := table(b)
	fmt.Fprintf(t, "\trequests/s\tsent/s\tdeleted/s\tcycles/s\t\n")
	if f := r.NoOp; f != nil {
		fmt.Fprintf(t, "no-op\t%s\t\t\t\t\n", some(f.RequestsPerSecond))
	}
	if f := r.Result; f != nil {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t\n", r.Run.Mode, some(f.RequestsPerSecond), some(f.SentPerSecond), some(f.DeletedPerSecond), some(f.CyclesPerSecond))
	}
	_ = t.Flush()
	if r.Ratio > 0 {
		fmt.Fprintf(b, "\n%s of no-op (requests/s)\n", ratio(r.Ratio))
	}
}

func (r *report) printLatencies(b *strings.Builder) {
	t := table(b)
	fmt.Fprintf(t, "latency, ms\tcount\tp50\tp95\tp99\tmax\t\n")
	row := func(name string, p percentiles) {
		fmt.Fprintf(t, "%s\t%s\t%.2f\t%.2f\t%.2f\t%.2f\t\n", name, count(p.Count), p.P50, p.P95, p.P99, p.Max)
	}
	if r.NoOp != nil {
		for _, p := range r.NoOp.Latencies {
			row("no-op", p)
		}
	}
	if r.Result != nil {
		for _, p := range r.Result.Latencies {
			row(p.Operation, p)
		}
	}
	_ = t.Flush()
}

func (f *figures) printErrors(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s failed, %s empty receives", count(f.Failures), count(f.EmptyReceives))
	if f.Stalls.Count > 0 {
		fmt.Fprintf(b, ", %d stalls of %.0f ms together, the longest %.0f ms", f.Stalls.Count, f.Stalls.Total, f.Stalls.Longest)
	}
	b.WriteByte('\n')
	for _, e := range f.Errors {
		fmt.Fprintf(b, "  %s × %s\n", count(e.Count), e.Kind)
		for _, example := range e.Examples {
			fmt.Fprintf(b, "      %s\n", example)
		}
	}
}

// some writes a rate, or nothing for none.
func some(n float64) string {
	if n == 0 {
		return ""
	}
	return count(n)
}

func ratio(n float64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", n)
}

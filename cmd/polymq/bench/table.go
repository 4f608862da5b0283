package bench

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// print writes the report for people.
func (r *report) print(out io.Writer) error {
	var b strings.Builder
	b.WriteString(r.Run.String())
	r.printRounds(&b)
	r.printRates(&b)
	r.printLatencies(&b)
	if r.NoOp != nil && r.NoOp.Failures > 0 {
		r.NoOp.printFailures(&b, "no-op")
	}
	if r.Result != nil {
		r.Result.printFailures(&b, r.Run.Mode)
	}
	if r.Messages != nil {
		b.WriteString(r.Messages.String())
	}
	_, err := io.WriteString(out, b.String())
	return err
}

func (s settings) String() string {
	parts := []string{s.Protocol, plural(s.Connections, "connection"), plural(s.Queues, "queue"), fmt.Sprintf("batch %d", s.Batch), plural(s.BodySize, "byte") + " a body"}
	if s.Backlog > 0 {
		parts = append(parts, "backlog "+count(s.Backlog))
	}
	if s.FIFO {
		parts = append(parts, "FIFO")
	}
	if s.Priorities > 0 {
		parts = append(parts, "priorities 1 to "+count(s.Priorities))
	}
	if s.Receivers > 0 {
		parts = append(parts, plural(s.Receivers, "endpoint"), plural(s.DeadReceivers, "dead one"))
	}
	if s.Scheduled > 0 {
		parts = append(parts, count(s.Scheduled)+" deliveries scheduled")
	}
	if s.Searches > 0 {
		parts = append(parts, "searched by "+count(s.Searches)+" at a time")
	}
	if s.Raw {
		parts = append(parts, "raw")
	}
	if s.Signed {
		signed := "signed"
		if s.Signature > 0 {
			signed += fmt.Sprintf(" (version %d)", s.Signature)
		}
		parts = append(parts, signed)
	}
	parts = append(parts, s.Endpoints...)
	if s.Via != "" {
		parts = append(parts, "sent via "+s.Via)
	}
	if s.Interrupted {
		parts = append(parts, "interrupted")
	}
	return strings.Join(parts, ", ") + "\n"
}

// table returns a writer of right-aligned columns, each cell of which ends in a tab.
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
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t\n", i+1, rate(n.NoOp), rate(n.Requests), ratio(n.Ratio))
	}
	_ = t.Flush() // a Builder takes everything
}

func (r *report) printRates(b *strings.Builder) {
	t := table(b)
	title := ""
	if len(r.Rounds) > 1 {
		title = "median"
	}
	if m := findMode(r.Run.Mode); m != nil && m.topics && r.Result != nil {
		fmt.Fprintf(t, "%s\trequests/s\tpublished/s\tdeliveries/s\t\n", title)
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t\n", r.Run.Mode, rate(r.Result.RequestsPerSecond), rate(r.Result.SentPerSecond), rate(r.Result.MessagesPerSecond))
		_ = t.Flush()
		return
	}
	fmt.Fprintf(t, "%s\trequests/s\tsent/s\tdeleted/s\tcycles/s\t\n", title)
	row := func(name string, f *figures) {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t\n", name, rate(f.RequestsPerSecond), rate(f.SentPerSecond), rate(f.DeletedPerSecond), rate(f.CyclesPerSecond))
	}
	if r.NoOp != nil {
		row("no-op", r.NoOp)
	}
	if r.Calm != nil {
		row("not searched", r.Calm)
	}
	if r.Result != nil {
		row(r.Run.Mode, r.Result)
	}
	_ = t.Flush()
	if r.Ratio > 0 {
		fmt.Fprintf(b, "\n%s of no-op\n", ratio(r.Ratio))
	}
}

func (r *report) printLatencies(b *strings.Builder) {
	t := table(b)
	fmt.Fprintf(t, "latency in ms\tcount\tp50\tp95\tp99\tmax\t\n")
	row := func(name string, p percentiles) {
		fmt.Fprintf(t, "%s\t%s\t%.2f\t%.2f\t%.2f\t%.2f\t\n", name, count(p.Count), p.P50, p.P95, p.P99, p.Max)
	}
	if r.NoOp != nil {
		for _, p := range r.NoOp.Latencies {
			row("no-op", p)
		}
	}
	if r.Calm != nil {
		for _, p := range r.Calm.Latencies {
			row(p.Operation+", not searched", p)
		}
	}
	if r.Result != nil {
		for _, p := range r.Result.Latencies {
			row(p.Operation, p)
		}
	}
	_ = t.Flush()
	if r.Calm != nil && r.Result != nil && len(r.Calm.Latencies) > 0 && len(r.Result.Latencies) > 0 {
		fmt.Fprintf(b, "\n%s of the p99 of not searched\n", ratio(r.Result.Latencies[0].P99/r.Calm.Latencies[0].P99))
	}
}

func (f *figures) printFailures(b *strings.Builder, name string) {
	fmt.Fprintf(b, "\n%s: %s, %s", name, plural(f.Failures, "error"), plural(f.EmptyReceives, "empty receive"))
	if s := f.Stalls; s.Count > 0 {
		fmt.Fprintf(b, ", %s of %.0f ms together, the longest %.0f ms", plural(s.Count, "stall"), s.Total, s.Longest)
	}
	b.WriteByte('\n')
	for _, e := range f.Errors {
		fmt.Fprintf(b, "  %s × %s\n", count(e.Count), e.Kind)
		for _, example := range e.Examples {
			fmt.Fprintf(b, "      %s\n", example)
		}
	}
}

func (o *outcome) String() string {
	lost := count(o.Missing) + " not received (not checked whether lost)"
	if o.Checked {
		lost = count(o.Lost) + " lost"
	}
	if o.Expected > 0 {
		return fmt.Sprintf("messages: %s published, %s deliveries, %s, %s delivered again\n", count(o.Acknowledged), count(o.Delivered), lost, count(o.Again))
	}
	text := fmt.Sprintf("messages: %s acknowledged, %s received, %s deleted, %s, %s received again (%s after their delete)\n",
		count(o.Acknowledged), count(o.Received), count(o.Deleted), lost, count(o.Again), count(o.AfterDelete))
	if o.Damaged+o.Foreign > 0 {
		text += fmt.Sprintf("  bodies: %s damaged, %s of others than this run\n", count(o.Damaged), count(o.Foreign))
	}
	return text
}

// number is what count and plural take.
type number interface {
	int | int64 | uint64 | float64
}

// count writes a number with its thousands apart.
func count[N number](n N) string {
	digits := fmt.Sprintf("%.0f", float64(n))
	var b strings.Builder
	for i, digit := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	return b.String()
}

// plural counts a noun.
func plural[N number](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}

// rate writes a rate: its whole part where that says enough, nothing for none.
func rate(n float64) string {
	switch {
	case n == 0:
		return ""
	case n < 100:
		return fmt.Sprintf("%.1f", n)
	default:
		return count(n)
	}
}

// ratio writes a ratio, nothing for none.
func ratio(n float64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", n)
}

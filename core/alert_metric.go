package core

import (
	"math"
	"regexp"
	"slices"
	"time"
)

// AlertMetric is something that alerts can watch.
type AlertMetric struct {
	Name     string
	Unit     string // "s", "/s", "B"; "": a number
	Help     string
	OfQueues bool // each queue has a series

	of      func(*QueueDepth) (float64, bool) // of queues; not every queue has all
	family  string                            // of servers: its name in /metrics; of queues: that of a count, whose rate it is
	by      string                            // the label whose values are apart
	without map[string][]string               // labels with the values that do not count
	orZero  bool                              // what was never counted is zero
}

// AlertMetrics are the metrics with names of their own. A name of /metrics is as good: counters are watched
// by their rate in a second, over the last minute and all servers; gauges by the largest of any server, and
// histograms by what 99 of 100 stay below.
var AlertMetrics = []AlertMetric{
	{Name: "depth", OfQueues: true, Help: "Messages of the queue", of: number(func(d *QueueDepth) int64 { return d.Messages })},
	{Name: "visible", OfQueues: true, Help: "Messages that can be received", of: number(visibleMessages)},
	{Name: "in_flight", OfQueues: true, Help: "Messages that are received and not deleted", of: number(func(d *QueueDepth) int64 { return d.InFlight })},
	{Name: "delayed", OfQueues: true, Help: "Messages that are not visible yet", of: number(func(d *QueueDepth) int64 { return d.Delayed })},
	{Name: "bytes", OfQueues: true, Unit: "B", Help: "Size of the queue's messages", of: number(func(d *QueueDepth) int64 { return d.Bytes })},
	{Name: metricOldest, OfQueues: true, Unit: "s", Help: "Age of the oldest message", of: func(d *QueueDepth) (float64, bool) { return d.Oldest.Seconds(), true }},
	{Name: "dead_letter_depth", OfQueues: true, Help: "Messages of the queue's dead-letter queue", of: func(d *QueueDepth) (float64, bool) { return float64(d.DeadLetters), d.HasDeadLetters }},
	{Name: "queue_sent_rate", OfQueues: true, Unit: "/s", Help: "Messages sent into the queue", family: QueueSentTotal},
	{Name: "queue_received_rate", OfQueues: true, Unit: "/s", Help: "Messages received from the queue", family: QueueReceivedTotal},
	{Name: "queue_deleted_rate", OfQueues: true, Unit: "/s", Help: "Messages deleted by receivers of the queue", family: QueueDeletedTotal},
	{Name: "queue_empty_receive_rate", OfQueues: true, Unit: "/s", Help: "Receives that got nothing from the queue", family: QueueEmptyReceivesTotal},
	{Name: "sent_rate", Unit: "/s", Help: "Messages sent into queues", family: "polymq_messages_sent_total", orZero: true},
	{Name: "received_rate", Unit: "/s", Help: "Messages received", family: "polymq_messages_received_total", orZero: true},
	{Name: "deleted_rate", Unit: "/s", Help: "Messages deleted", family: "polymq_messages_deleted_total", orZero: true},
	{Name: "published_rate", Unit: "/s", Help: "Messages published to topics", family: "polymq_messages_published_total", orZero: true},
	{Name: "empty_receive_rate", Unit: "/s", Help: "Receives that got nothing", family: "polymq_empty_receives_total", orZero: true},
	{Name: "delivery_failure_rate", Unit: "/s", Help: "Attempts to deliver to subscriptions that failed", family: "polymq_deliveries_total", without: map[string][]string{"result": {"delivered"}}, orZero: true},
	{Name: "request_rate", Unit: "/s", Help: "Requests, by protocol", family: "polymq_requests_total", by: "protocol", orZero: true},
	{Name: "error_rate", Unit: "/s", Help: "Requests that ended in an error, by protocol", family: "polymq_requests_total", by: "protocol", without: map[string][]string{"code": {"", "MessageNotExist"}}, orZero: true},
	{Name: "latency_p99", Unit: "s", Help: "What 99 of 100 requests stay below, by protocol; receives, which wait, do not count", family: "polymq_request_seconds", by: "protocol", without: map[string][]string{"action": {"ReceiveMessage", "BatchReceiveMessage", "receive-messages", "wait-for-message"}}},
	{Name: "commit_p99", Unit: "s", Help: "What 99 of 100 transactions with messages stay below", family: "polymq_train_seconds"},
	{Name: "pool_busy", Help: "Connections to the database that are in use", family: "polymq_database_connections_busy"},
	{Name: "pool_wait_rate", Unit: "/s", Help: "Times that an operation had to wait for a connection", family: "polymq_database_waits_total", orZero: true},
	{Name: "database_lag", Unit: "s", Help: "How far the slowest standby is behind", family: "polymq_database_replication_lag_seconds"},
	{Name: "database_sessions", Help: "Sessions of the database", family: "polymq_database_sessions"},
	{Name: "database_oldest_transaction", Unit: "s", Help: "Age of the oldest open transaction", family: "polymq_database_oldest_transaction_seconds"},
}

// The names of what is counted of single queues while alerts watch it. /metrics does not show them: their labels have no bound.
const (
	QueueSentTotal          = "polymq_queue_sent_total"
	QueueReceivedTotal      = "polymq_queue_received_total"
	QueueDeletedTotal       = "polymq_queue_deleted_total"
	QueueEmptyReceivesTotal = "polymq_queue_empty_receives_total"
)

const (
	metricOldest        = "oldest_message_age"
	metricQueueMessages = "polymq_queue_messages"
	metricQueueOldest   = "polymq_queue_oldest_message_seconds"
)

func number(of func(*QueueDepth) int64) func(*QueueDepth) (float64, bool) {
	return func(d *QueueDepth) (float64, bool) { return float64(of(d)), true }
}

func visibleMessages(d *QueueDepth) int64 { return d.Messages - d.InFlight - d.Delayed }

// queueMessages are the messages of polymq_queue_messages by the label state.
var queueMessages = map[string]func(*QueueDepth) int64{
	"visible":   visibleMessages,
	"in_flight": func(d *QueueDepth) int64 { return d.InFlight },
	"delayed":   func(d *QueueDepth) int64 { return d.Delayed },
}

// shownMetric is a name that /metrics may show.
var shownMetric = regexp.MustCompile(`^(polymq|go|process)_[a-z0-9_]{1,100}$`)

// metricOf finds a metric.
func metricOf(name string) (AlertMetric, bool) {
	for _, m := range AlertMetrics {
		if m.Name == name {
			return m, true
		}
	}
	switch name {
	case metricQueueMessages:
		return AlertMetric{Name: name, OfQueues: true, of: number(func(d *QueueDepth) int64 { return d.Messages })}, true
	case "polymq_queue_bytes":
		return AlertMetric{Name: name, Unit: "B", OfQueues: true, of: number(func(d *QueueDepth) int64 { return d.Bytes })}, true
	case metricQueueOldest:
		return AlertMetric{Name: name, Unit: "s", OfQueues: true, of: func(d *QueueDepth) (float64, bool) { return d.Oldest.Seconds(), true }}, true
	}
	for _, m := range AlertMetrics {
		if m.OfQueues && m.family == name && name != "" {
			m.Name = name
			return m, true
		}
	}
	return AlertMetric{Name: name, family: name}, shownMetric.MatchString(name)
}

// IsMetricOfQueues reports whether a metric has a series for each queue; others are of the servers.
func IsMetricOfQueues(name string) bool {
	m, _ := metricOf(name)
	return m.OfQueues
}

// UnitOf gives the unit of a metric, "" where it is a number or is not known.
func UnitOf(name string) string {
	m, _ := metricOf(name)
	return m.Unit
}

func alertMetricNames() []string {
	names := make([]string, len(AlertMetrics))
	for i, m := range AlertMetrics {
		names[i] = m.Name
	}
	return names
}

// QueueDepth is how much a queue holds.
type QueueDepth struct {
	Queue          QueueName
	Messages       int64
	Bytes          int64
	InFlight       int64
	Delayed        int64
	Oldest         time.Duration // since its oldest message was sent; 0 without one
	DeadLetters    int64         // messages of its dead-letter queue
	HasDeadLetters bool
}

// QueueDepthsInput says which queues are looked at.
type QueueDepthsInput struct {
	Accounts []string
	Oldest   bool
	Limit    int
}

// MaxWatchedQueues bounds the queues of an evaluation of alerts.
const MaxWatchedQueues = 100_000

// Sample is a series of a server's metrics.
type Sample struct {
	Family string
	Labels map[string]string
	Kind   SampleKind
	Value  float64  // a counter's rate in a second, or a gauge's value
	Bounds []Bucket // of a histogram, by their bound
}

// SampleKind is how a sample's value is meant.
type SampleKind string

// The kinds.
const (
	Counter   SampleKind = "counter"
	Gauge     SampleKind = "gauge"
	Histogram SampleKind = "histogram"
)

// Bucket is how many in a second were up to a bound, those of the buckets before it included.
type Bucket struct{ UpTo, Rate float64 }

// Bounds of samples.
const (
	MaxSamples    = 2000             // of a server
	MaxQueueRates = 5000             // besides them, of queues: the largest ones
	SampleWindow  = time.Minute      // over which rates are taken
	SamplesFresh  = 30 * time.Second // after which a server's samples are not believed
)

// Families gives the names in /metrics of what the metrics are of.
func Families(metrics []string) []string {
	var families []string
	for _, name := range metrics {
		if m, ok := metricOf(name); ok && m.family != "" && !slices.Contains(families, m.family) {
			families = append(families, m.family)
		}
	}
	return families
}

// rates gives the rates of the queues of a scope by name.
func (m *measured) rates(family string, scope Scope) map[string]float64 {
	rates := map[string]float64{}
	for _, samples := range m.servers {
		for i := range samples {
			if s := &samples[i]; s.Family == family && s.Labels["account"] == scope.Account && s.Labels["region"] == scope.Region {
				rates[s.Labels["queue"]] += s.Value
			}
		}
	}
	return rates
}

// valuesOf gives the values of the series of an alert that is about servers.
func (a *Alert) valuesOf(metric AlertMetric, m *measured) map[string]float64 {
	by := a.By
	if by == "" {
		by = metric.by
	}
	values, histograms := map[string]float64{}, map[string][]Bucket{}
	for _, samples := range append(m.servers[:len(m.servers):len(m.servers)], m.database) {
		for i := range samples {
			s := &samples[i]
			if s.Family != metric.family || !a.wants(metric, s.Labels) {
				continue
			}
			name := s.Labels[by]
			had, known := values[name]
			switch {
			case s.Kind == Histogram:
				histograms[name] = addBuckets(histograms[name], s.Bounds)
			case s.Kind == Counter:
				values[name] = had + s.Value
			case !known || s.Value > had:
				values[name] = s.Value
			}
		}
	}
	for name, buckets := range histograms {
		if p99, ok := quantile(buckets, 0.99); ok {
			values[name] = p99
		}
	}
	if len(values) == 0 && metric.orZero && by == "" && len(m.servers) > 0 {
		values[""] = 0
	}
	return values
}

// wants reports whether a sample with these labels counts.
func (a *Alert) wants(metric AlertMetric, labels map[string]string) bool {
	for name, value := range a.Labels {
		if labels[name] != value {
			return false
		}
	}
	for name, values := range metric.without {
		if slices.Contains(values, labels[name]) {
			return false
		}
	}
	return true
}

func addBuckets(sum, more []Bucket) []Bucket {
	if len(sum) != len(more) {
		return slices.Clone(more)
	}
	for i := range more {
		sum[i].Rate += more[i].Rate
	}
	return sum
}

// quantile gives what a part of all stays below, as if values were spread evenly within a bucket; false where
// there were none.
func quantile(buckets []Bucket, part float64) (float64, bool) {
	if len(buckets) == 0 || !(buckets[len(buckets)-1].Rate > 0) {
		return 0, false
	}
	rank := part * buckets[len(buckets)-1].Rate
	below := Bucket{}
	for _, b := range buckets {
		if b.Rate >= rank {
			if math.IsInf(b.UpTo, 1) || b.Rate == below.Rate {
				return below.UpTo, true
			}
			return below.UpTo + (b.UpTo-below.UpTo)*(rank-below.Rate)/(b.Rate-below.Rate), true
		}
		below = b
	}
	return below.UpTo, true
}

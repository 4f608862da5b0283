package server

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
)

// Bounds of the metrics.
const (
	maxMeasuredQueues = 1000             // with gauges of their own; the largest
	depthsFresh       = 10 * time.Second // for which gauges of queues are not read anew
	depthsTimeout     = 4 * time.Second
)

// metrics are what /metrics shows, in Prometheus' format.
type metrics struct {
	registry   *prometheus.Registry // of what the database is asked for
	own        *prometheus.Registry // of what this server knows by itself
	requests   *prometheus.CounterVec
	seconds    *prometheus.HistogramVec
	deliveries *prometheus.CounterVec
	pushes     *prometheus.HistogramVec
	trains     prometheus.Histogram
	commits    prometheus.Histogram
	depths     *depthCollector // nil before watch
}

// secondsBuckets are those of all durations.
var secondsBuckets = []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .25, .5, 1, 5, 20}

// newMetrics makes the metrics of requests; watch adds those of the store.
func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		own:      prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "polymq_requests_total", Help: "Requests by protocol, action and how they ended: the protocol's code, empty for well.",
		}, []string{"protocol", "action", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "polymq_request_seconds", Help: "Duration of requests, the wait of long polls included.",
			Buckets: secondsBuckets,
		}, []string{"protocol", "action"}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "polymq_deliveries_total", Help: "Attempts to deliver to subscriptions, by what came of them: delivered (or kept in the outbox), retry, given-up.",
		}, []string{"protocol", "result"}),
		pushes: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "polymq_delivery_seconds", Help: "Duration of attempts to deliver.", Buckets: secondsBuckets,
		}, []string{"protocol"}),
		trains: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "polymq_train_size", Help: "Operations on messages that one transaction carried.", Buckets: prometheus.ExponentialBuckets(1, 2, 10),
		}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "polymq_train_seconds", Help: "Duration of transactions that carried operations on messages, the commit included.", Buckets: secondsBuckets,
		}),
	}
	m.own.MustRegister(m.requests, m.seconds, m.deliveries, m.pushes, m.trains, m.commits, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// observe is a caller.Observer.
func (m *metrics) observe(protocol, action, code string, took time.Duration) {
	m.requests.WithLabelValues(protocol, action, code).Inc()
	m.seconds.WithLabelValues(protocol, action).Observe(took.Seconds())
}

// observeTrain is told of each train.
func (m *metrics) observeTrain(operations int, took time.Duration) {
	m.trains.Observe(float64(operations))
	m.commits.Observe(took.Seconds())
}

var results = map[core.Verdict]string{core.Delivered: "delivered", core.Retry: "retry", core.GiveUp: "given-up"}

// observeDelivery is told of each attempt to deliver that came to something.
func (m *metrics) observeDelivery(o core.Outcome, took time.Duration) {
	protocol := o.Delivery.Subscription.Protocol
	m.deliveries.WithLabelValues(protocol, results[o.Verdict]).Inc()
	m.pushes.WithLabelValues(protocol).Observe(took.Seconds())
}

// watch adds what the store knows.
func (m *metrics) watch(store *pg.Store, broker *core.Broker, exportDropped func() float64) {
	store.OnTrain(m.observeTrain)
	counter := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value)
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	m.depths = &depthCollector{readDepths: store.Depths, readHealth: store.Health}
	traffic := func(of func(core.Traffic) int64) func() float64 {
		return func() float64 { return float64(of(broker.Traffic())) }
	}
	m.registry.MustRegister(m.depths)
	m.own.MustRegister(
		counter("polymq_messages_sent_total", "Messages sent into queues, by senders and by topics.", traffic(func(t core.Traffic) int64 { return t.Sent })),
		counter("polymq_messages_received_total", "Messages received.", traffic(func(t core.Traffic) int64 { return t.Received })),
		counter("polymq_messages_deleted_total", "Messages deleted by receivers.", traffic(func(t core.Traffic) int64 { return t.Deleted })),
		counter("polymq_messages_published_total", "Messages published to topics.", traffic(func(t core.Traffic) int64 { return t.Published })),
		counter("polymq_empty_receives_total", "Receives that got nothing.", traffic(func(t core.Traffic) int64 { return t.EmptyReceives })),
		counter("polymq_trains_total", "Transactions that carried operations on messages.", func() float64 { n, _ := store.Trains(); return float64(n) }),
		counter("polymq_train_operations_total", "Operations on messages that they carried.", func() float64 { _, n := store.Trains(); return float64(n) }),
		counter("polymq_message_log_dropped_total", "Events of the message log that came too fast to be written, or that the database refused.", func() float64 { return float64(broker.LogDropped()) }),
		counter("polymq_message_log_export_dropped_total", "Events of the message log that were written, but not exported.", exportDropped),
		counter("polymq_audit_dropped_total", "Events of the audit log that could not be kept.", func() float64 { return float64(broker.AuditDropped()) }),
		gauge("polymq_database_connections", "Connections to the database.", func() float64 { open, _, _, _ := store.PoolStat(); return float64(open) }),
		gauge("polymq_database_connections_busy", "Those of them in use.", func() float64 { _, busy, _, _ := store.PoolStat(); return float64(busy) }),
		counter("polymq_database_waits_total", "Times that an operation had to wait for a connection.", func() float64 { _, _, waits, _ := store.PoolStat(); return float64(waits) }),
		counter("polymq_database_wait_seconds_total", "How long they waited.", func() float64 { _, _, _, waited := store.PoolStat(); return waited.Seconds() }),
	)
}

// handler answers a scrape.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(prometheus.Gatherers{m.own, m.registry}, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// The gauges of queues.
var (
	queueLabels  = []string{"account", "region", "queue"}
	messagesDesc = prometheus.NewDesc("polymq_queue_messages", "Messages of a queue: visible, in_flight or delayed. The largest 1000 queues are shown.",
		append(queueLabels[:3:3], "state"), nil)
	bytesDesc  = prometheus.NewDesc("polymq_queue_bytes", "Bytes of a queue's bodies and attributes.", queueLabels, nil)
	oldestDesc = prometheus.NewDesc("polymq_queue_oldest_message_seconds", "Age of a queue's oldest message.", queueLabels, nil)
)

// The gauges of the database.
var (
	upDesc          = prometheus.NewDesc("polymq_database_up", "1 when the gauges of queues and tables could be read.", nil, nil)
	sessionsDesc    = prometheus.NewDesc("polymq_database_sessions", "Sessions of the database, those of all its users.", nil, nil)
	maxSessionsDesc = prometheus.NewDesc("polymq_database_sessions_max", "Sessions that PostgreSQL allows, over all its databases.", nil, nil)
	transactionDesc = prometheus.NewDesc("polymq_database_oldest_transaction_seconds", "Age of the oldest open transaction, as far as polymq's role may see.", nil, nil)
	tableBytesDesc  = prometheus.NewDesc("polymq_database_table_bytes", "Size of a table with its indexes.", []string{"table"}, nil)
	deadRowsDesc    = prometheus.NewDesc("polymq_database_table_dead_rows", "Estimate of a table's rows that vacuum has yet to remove.", []string{"table"}, nil)
)

// depthCollector reads how much queues hold, and how the database is, no more often than depthsFresh.
type depthCollector struct {
	readDepths func(ctx context.Context, limit int) ([]pg.Depth, error)
	readHealth func(ctx context.Context) (pg.Health, error)

	mu     sync.Mutex
	at     time.Time
	took   time.Duration // to read them last
	depths []pg.Depth
	health pg.Health
	up     float64
}

// Describe is of prometheus.Collector.
func (c *depthCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{messagesDesc, bytesDesc, oldestDesc, upDesc, sessionsDesc, maxSessionsDesc, transactionDesc, tableBytesDesc, deadRowsDesc} {
		ch <- desc
	}
}

// Collect is of prometheus.Collector.
func (c *depthCollector) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.at) > depthsFresh {
		c.refresh()
	}
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	gauge(upDesc, c.up)
	if c.health.MaxSessions > 0 {
		gauge(sessionsDesc, float64(c.health.Sessions))
		gauge(maxSessionsDesc, float64(c.health.MaxSessions))
		gauge(transactionDesc, c.health.OldestTransaction.Seconds())
	}
	for _, t := range c.health.Tables {
		gauge(tableBytesDesc, float64(t.Bytes), t.Name)
		gauge(deadRowsDesc, float64(t.DeadRows), t.Name)
	}
	for _, d := range c.depths {
		labels := []string{d.Queue.Account, d.Queue.Region, d.Queue.Name}
		for state, n := range map[string]int64{"visible": d.Messages - d.InFlight - d.Delayed, "in_flight": d.InFlight, "delayed": d.Delayed} {
			gauge(messagesDesc, float64(n), append(labels[:3:3], state)...)
		}
		gauge(bytesDesc, float64(d.Bytes), labels...)
		gauge(oldestDesc, d.Oldest.Seconds(), labels...)
	}
}

func (c *depthCollector) refresh() {
	ctx, cancel := context.WithTimeout(context.Background(), depthsTimeout)
	defer cancel()
	began := time.Now()
	depths, err := c.readDepths(ctx, maxMeasuredQueues)
	health, healthErr := c.readHealth(ctx)
	c.at, c.up = time.Now(), 0
	c.took = c.at.Sub(began)
	if err == nil && healthErr == nil {
		c.depths, c.health, c.up = depths, health, 1
	}
}

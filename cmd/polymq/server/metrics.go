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
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

// newMetrics makes the metrics of requests; watch adds those of the store.
func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "polymq_requests_total", Help: "Requests by protocol, action and how they ended: the protocol's code, empty for well.",
		}, []string{"protocol", "action", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "polymq_request_seconds", Help: "Duration of requests, the wait of long polls included.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .25, .5, 1, 5, 20},
		}, []string{"protocol", "action"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// observe is a caller.Observer.
func (m *metrics) observe(protocol, action, code string, took time.Duration) {
	m.requests.WithLabelValues(protocol, action, code).Inc()
	m.seconds.WithLabelValues(protocol, action).Observe(took.Seconds())
}

// watch adds what the store knows.
func (m *metrics) watch(store *pg.Store, broker *core.Broker) {
	counter := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value)
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	m.registry.MustRegister(
		counter("polymq_trains_total", "Transactions that carried operations on messages.", func() float64 { n, _ := store.Trains(); return float64(n) }),
		counter("polymq_train_operations_total", "Operations on messages that they carried.", func() float64 { _, n := store.Trains(); return float64(n) }),
		counter("polymq_message_log_dropped_total", "Events of the message log that came too fast to be written.", func() float64 { return float64(broker.LogDropped()) }),
		counter("polymq_audit_dropped_total", "Events of the audit log that could not be kept.", func() float64 { return float64(broker.AuditDropped()) }),
		gauge("polymq_database_connections", "Connections to the database.", func() float64 { open, _, _, _ := store.PoolStat(); return float64(open) }),
		gauge("polymq_database_connections_busy", "Those of them in use.", func() float64 { _, busy, _, _ := store.PoolStat(); return float64(busy) }),
		counter("polymq_database_waits_total", "Times that an operation had to wait for a connection.", func() float64 { _, _, waits, _ := store.PoolStat(); return float64(waits) }),
		counter("polymq_database_wait_seconds_total", "How long they waited.", func() float64 { _, _, _, waited := store.PoolStat(); return waited.Seconds() }),
		&depthCollector{read: store.Depths},
	)
}

// handler answers a scrape.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// The gauges of queues.
var (
	queueLabels  = []string{"account", "region", "queue"}
	messagesDesc = prometheus.NewDesc("polymq_queue_messages", "Messages of a queue: visible, in_flight or delayed. The largest 1000 queues are shown.",
		append(queueLabels[:3:3], "state"), nil)
	bytesDesc  = prometheus.NewDesc("polymq_queue_bytes", "Bytes of a queue's bodies and attributes.", queueLabels, nil)
	oldestDesc = prometheus.NewDesc("polymq_queue_oldest_message_seconds", "Age of a queue's oldest message.", queueLabels, nil)
	upDesc     = prometheus.NewDesc("polymq_database_up", "1 when the gauges of queues could be read.", nil, nil)
)

// depthCollector reads how much queues hold, no more often than depthsFresh.
type depthCollector struct {
	read func(ctx context.Context, limit int) ([]pg.Depth, error)

	mu     sync.Mutex
	at     time.Time
	depths []pg.Depth
	up     float64
}

// Describe is of prometheus.Collector.
func (c *depthCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- messagesDesc
	ch <- bytesDesc
	ch <- oldestDesc
	ch <- upDesc
}

// Collect is of prometheus.Collector.
func (c *depthCollector) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.at) > depthsFresh {
		c.refresh()
	}
	ch <- prometheus.MustNewConstMetric(upDesc, prometheus.GaugeValue, c.up)
	for _, d := range c.depths {
		labels := []string{d.Queue.Account, d.Queue.Region, d.Queue.Name}
		for state, n := range map[string]int64{"visible": d.Messages - d.InFlight - d.Delayed, "in_flight": d.InFlight, "delayed": d.Delayed} {
			ch <- prometheus.MustNewConstMetric(messagesDesc, prometheus.GaugeValue, float64(n), append(labels[:3:3], state)...)
		}
		ch <- prometheus.MustNewConstMetric(bytesDesc, prometheus.GaugeValue, float64(d.Bytes), labels...)
		ch <- prometheus.MustNewConstMetric(oldestDesc, prometheus.GaugeValue, d.Oldest.Seconds(), labels...)
	}
}

func (c *depthCollector) refresh() {
	ctx, cancel := context.WithTimeout(context.Background(), depthsTimeout)
	defer cancel()
	depths, err := c.read(ctx, maxMeasuredQueues)
	c.at, c.up = time.Now(), 0
	if err == nil {
		c.depths, c.up = depths, 1
	}
}

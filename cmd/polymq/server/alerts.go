package server

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/workers"
	"github.com/polymq/polymq/workers/notice"
)

// How often a server measures itself and looks whether it is time to evaluate, and whether there is somebody to
// tell. In test mode time may be moved at any moment.
const (
	alertsEvery     = 5 * time.Second
	noticesEvery    = 2 * time.Second
	alertsTestEvery = 500 * time.Millisecond
	alertsTimeout   = 30 * time.Second
	noticesTimeout  = 5 * time.Minute
)

// watchAlerts evaluates alerts and sends what they find.
func (s *Server) watchAlerts() {
	sender := &notice.Sender{Push: s.client.Do, Publish: s.broker.Publish, Send: s.broker.SendMessages}
	if *s.config.Console {
		sender.Console = strings.TrimSuffix(cmp.Or(s.config.PublicURL, s.URL()), "/") + "/console"
	}
	s.broker.OnNotices(sender.Deliver)
	queues := prometheus.NewRegistry()
	queues.MustRegister(queueTraffic(s.broker.QueueTraffic))
	measure := &sampler{gather: prometheus.Gatherers{s.metrics.own, queues}}
	look, tell := alertsEvery, noticesEvery
	if s.config.TestMode {
		look, tell = alertsTestEvery, alertsTestEvery
	}
	s.workers.Add("alerts", workers.Every(look), alertsTimeout, workers.Alerts{
		Sample:   func(ctx context.Context) error { return s.broker.SampleServer(ctx, measure.take) },
		Evaluate: s.broker.EvaluateAlerts,
	})
	s.workers.Add("notices", workers.Every(tell), noticesTimeout, workers.Notices{Send: s.broker.SendNotices})
}

// The counts of single queues, which alerts watch and /metrics does not show.
var (
	queueSentDesc     = prometheus.NewDesc(core.QueueSentTotal, "Messages sent into a queue.", queueLabels, nil)
	queueReceivedDesc = prometheus.NewDesc(core.QueueReceivedTotal, "Messages received from a queue.", queueLabels, nil)
	queueDeletedDesc  = prometheus.NewDesc(core.QueueDeletedTotal, "Messages of a queue deleted by receivers.", queueLabels, nil)
	queueEmptyDesc    = prometheus.NewDesc(core.QueueEmptyReceivesTotal, "Receives that got nothing from a queue.", queueLabels, nil)
)

// queueTraffic collects them.
type queueTraffic func() []core.QueueTraffic

// Describe is of prometheus.Collector.
func (queueTraffic) Describe(ch chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{queueSentDesc, queueReceivedDesc, queueDeletedDesc, queueEmptyDesc} {
		ch <- desc
	}
}

// Collect is of prometheus.Collector.
func (read queueTraffic) Collect(ch chan<- prometheus.Metric) {
	for _, t := range read() {
		for desc, count := range map[*prometheus.Desc]int64{queueSentDesc: t.Sent, queueReceivedDesc: t.Received, queueDeletedDesc: t.Deleted, queueEmptyDesc: t.EmptyReceives} {
			ch <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, float64(count), t.Queue.Account, t.Queue.Region, t.Queue.Name)
		}
	}
}

// ofQueues are their names: each has as many series as there are queues.
var ofQueues = []string{core.QueueSentTotal, core.QueueReceivedTotal, core.QueueDeletedTotal, core.QueueEmptyReceivesTotal}

// sampler measures what alerts watch of this server: what /metrics shows, with rates in the place of counts.
type sampler struct {
	gather prometheus.Gatherer
	past   []totals // within the window, the oldest first
}

// totals are counts at one moment.
type totals struct {
	at     time.Time
	counts map[string]float64   // by family and labels
	bounds map[string][]float64 // of histograms
}

// take measures the families. A first look has no rates yet.
func (s *sampler) take(families []string) ([]core.Sample, error) {
	gathered, err := s.gather.Gather()
	if err != nil {
		return nil, fmt.Errorf("gather metrics: %w", err)
	}
	now := totals{time.Now(), map[string]float64{}, map[string][]float64{}}
	for len(s.past) > 1 && now.at.Sub(s.past[1].at) >= core.SampleWindow {
		s.past = s.past[1:]
	}
	var before *totals
	if len(s.past) > 0 && now.at.Sub(s.past[len(s.past)-1].at) < core.SampleWindow { // else nobody has looked for a while
		before = &s.past[0]
	} else {
		s.past = nil
	}
	var samples, rates []core.Sample
	for _, family := range gathered {
		if !slices.Contains(families, family.GetName()) {
			continue
		}
		for _, m := range family.GetMetric() {
			sample, ok := now.add(family.GetName(), m, before)
			switch {
			case slices.Contains(ofQueues, sample.Family):
				if sample.Value > 0 {
					rates = append(rates, sample)
				}
			case ok && len(samples) < core.MaxSamples:
				samples = append(samples, sample)
			}
		}
	}
	s.past = append(s.past, now)
	if before == nil {
		samples = slices.DeleteFunc(samples, func(s core.Sample) bool { return s.Kind != core.Gauge })
	}
	slices.SortFunc(rates, func(a, b core.Sample) int { return cmp.Compare(b.Value, a.Value) })
	return append(samples, rates[:min(len(rates), core.MaxQueueRates)]...), nil
}

// add notes a metric, and gives the sample of it; false for a kind that is not watched.
func (t *totals) add(family string, m *dto.Metric, before *totals) (core.Sample, bool) {
	sample := core.Sample{Family: family, Labels: map[string]string{}}
	key := family
	for _, label := range m.GetLabel() {
		sample.Labels[label.GetName()] = label.GetValue()
		key += "\x00" + label.GetName() + "\x00" + label.GetValue()
	}
	switch {
	case m.GetGauge() != nil:
		sample.Kind, sample.Value = core.Gauge, m.GetGauge().GetValue()
	case m.GetCounter() != nil:
		sample.Kind = core.Counter
		t.counts[key] = m.GetCounter().GetValue()
		if before != nil {
			sample.Value = (t.counts[key] - before.counts[key]) / t.at.Sub(before.at).Seconds()
		}
	case m.GetHistogram() != nil:
		sample.Kind = core.Histogram
		sample.Bounds = t.addHistogram(key, m.GetHistogram(), before)
	default:
		return sample, false
	}
	return sample, true
}

func (t *totals) addHistogram(key string, h *dto.Histogram, before *totals) []core.Bucket {
	var buckets []core.Bucket
	for _, b := range h.GetBucket() {
		t.bounds[key] = append(t.bounds[key], float64(b.GetCumulativeCount()))
		buckets = append(buckets, core.Bucket{UpTo: b.GetUpperBound()})
	}
	if n := len(buckets); n == 0 || !math.IsInf(buckets[n-1].UpTo, 1) {
		t.bounds[key] = append(t.bounds[key], float64(h.GetSampleCount()))
		buckets = append(buckets, core.Bucket{UpTo: math.Inf(1)})
	}
	if before == nil {
		return buckets
	}
	for i, count := range t.bounds[key] {
		if old := before.bounds[key]; i < len(old) {
			count -= old[i]
		}
		buckets[i].Rate = count / t.at.Sub(before.at).Seconds()
	}
	return buckets
}

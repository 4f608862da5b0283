package server

import (
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/polymq/polymq/core"
)

// A whole server evaluates alerts, and tells a webhook what they find.
func TestServerTellsOfAlerts(t *testing.T) {
	bodies := make(chan string, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies <- string(body)
	}))
	t.Cleanup(receiver.Close)
	srv := start(t, Config{TestMode: true})
	call := func(path, body string) {
		t.Helper()
		if status, answer, err := post(srv, path, body); err != nil || status >= 300 {
			t.Fatalf("%s: %d %s %v", path, status, answer, err)
		}
	}
	type event struct {
		Alert, State, URL string
		Changes           []struct{ Series string }
	}
	meanwhile := func() {} // what is done again and again until somebody is told
	next := func() (event event) {
		t.Helper()
		deadline := time.After(3 * pushPatience)
		for {
			select {
			case body := <-bodies:
				if err := json.Unmarshal([]byte(body), &event); err != nil {
					t.Fatalf("%q: %v", body, err)
				}
				return event
			case <-time.After(time.Second): // the evaluation may have come before what it should see
				meanwhile()
				call("/clock", `{"advance_seconds": 15}`)
			case <-deadline:
				t.Fatal("nobody was told")
			}
		}
	}
	to := `"to": [{"type": "webhook", "target": "` + receiver.URL + `"}]`
	call("/queues", `{"name": "orders"}`)
	call("/alerts", `{"name": "deep", "metric": "depth", "queue": "orders", "threshold": 1, "for_seconds": 60, `+to+`}`)
	call("/queues/orders/messages", `{"messages": [{"body": "a"}, {"body": "b"}]}`)
	if got := next(); got.Alert != "deep" || got.State != "firing" || got.URL != srv.URL()+"/console/000000000000/us-east-1/alerts/deep" {
		t.Errorf("told %+v", got)
	}
	call("/queues/orders/messages:purge", "")
	if got := next(); got.Alert != "deep" || got.State != "ok" {
		t.Errorf("told %+v", got)
	}
	call("/alerts", `{"name": "crowd", "metric": "go_goroutines", "threshold": 1, `+to+`}`)
	if got := next(); got.Alert != "crowd" || got.State != "firing" {
		t.Errorf("told %+v", got)
	}
	call("/queues", `{"name": "bills"}`)
	call("/queues", `{"name": "cards"}`)
	call("/alerts", `{"name": "busy", "metric": "queue_sent_rate", "queue": "b*", "threshold": 0, `+to+`}`)
	meanwhile = func() { // for what is sent before it is counted, or before the first look, makes no rate
		call("/queues/cards/messages", `{"messages": [{"body": "a"}]}`)
		call("/queues/bills/messages", `{"messages": [{"body": "a"}]}`)
	}
	if got := next(); got.Alert != "busy" || got.State != "firing" || len(got.Changes) != 1 || got.Changes[0].Series != "bills" {
		t.Errorf("told %+v", got)
	}
	if got := scrape(t, srv); !strings.Contains(got, "polymq_messages_sent_total") || strings.Contains(got, core.QueueSentTotal) {
		t.Errorf("what was sent is not in\n%s", got)
	}
}

func TestSampler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		requests := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "requests"}, []string{"protocol"})
		took := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "took", Buckets: []float64{1, 2}})
		open := prometheus.NewGauge(prometheus.GaugeOpts{Name: "open"})
		registry.MustRegister(requests, took, open)
		requests.WithLabelValues("sqs").Add(100)
		open.Set(3)
		s := &sampler{gather: registry}
		take := func() map[string]core.Sample {
			t.Helper()
			samples, err := s.take([]string{"requests", "took", "open"})
			if err != nil {
				t.Fatal(err)
			}
			found := map[string]core.Sample{}
			for _, sample := range samples {
				found[sample.Family] = sample
			}
			return found
		}
		if first := take(); len(first) != 1 || first["open"].Value != 3 {
			t.Errorf("at first: %v, want the gauge alone", first)
		}
		time.Sleep(10 * time.Second) // of the bubble's clock
		requests.WithLabelValues("sqs").Add(50)
		for _, seconds := range []float64{0.5, 0.5, 1.5, 9} {
			took.Observe(seconds)
		}
		second := take()
		if got := second["requests"]; got.Value != 5 || got.Labels["protocol"] != "sqs" || got.Kind != core.Counter {
			t.Errorf("50 in ten seconds are %+v", got)
		}
		rates := []float64{}
		for _, b := range second["took"].Bounds {
			rates = append(rates, math.Round(b.Rate*10))
		}
		if !slices.Equal(rates, []float64{2, 3, 4}) {
			t.Errorf("up to 1, 2 and any seconds: %v in ten seconds", rates)
		}
		time.Sleep(55 * time.Second)
		if got := take()["requests"]; math.Abs(got.Value-50/65.) > 1e-9 {
			t.Errorf("over a window of a minute: %+v", got)
		}
		time.Sleep(2 * time.Minute)
		if late := take(); len(late) != 1 {
			t.Errorf("after a pause: %v, want the gauge alone", late)
		}
	})
}

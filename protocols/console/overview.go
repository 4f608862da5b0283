package console

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// overviewPage is the data of overview.html.
type overviewPage struct {
	Now     nowValues // of all accounts; zero for who may not see those
	Busiest []Depth
	Empty   bool // the account has no queues
}

// nowValues are what the tiles of the overview show.
type nowValues struct {
	Sent, Received, Deleted, Published float64 // a second, over the last samples
	EmptyShare                         float64 // of receives, in percent
	HasReceives                        bool
	Messages, InFlight                 int64
}

// rateOver is how far back the tiles look.
const rateOver = 10 * time.Second

// maxBusiest is how many queues the overview shows.
const maxBusiest = 10

func (s *Server) overview(x *exchange) overviewPage {
	var data overviewPage
	if x.session.grants.Everywhere {
		data.Now = nowOf(s.samples())
	}
	if s.options.Depths != nil {
		for _, depth := range s.options.Depths() {
			if depth.Queue.Account == x.account && depth.Queue.Region == x.region && len(data.Busiest) < maxBusiest {
				data.Busiest = append(data.Busiest, depth)
			}
		}
	}
	return data
}

func (s *Server) samples() []Sample {
	if s.options.Samples == nil {
		return nil
	}
	return s.options.Samples()
}

// nowOf gives the rates between the last sample and one some seconds before it.
func nowOf(samples []Sample) nowValues {
	if len(samples) == 0 {
		return nowValues{}
	}
	last := samples[len(samples)-1]
	now := nowValues{Messages: last.Messages, InFlight: last.InFlight}
	first := last
	for i := len(samples) - 2; i >= 0 && last.At.Sub(samples[i].At) <= rateOver; i-- {
		first = samples[i]
	}
	took := last.At.Sub(first.At).Seconds()
	if took <= 0 {
		return now
	}
	rate := func(after, before int64) float64 { return float64(after-before) / took }
	now.Sent, now.Received = rate(last.Traffic.Sent, first.Traffic.Sent), rate(last.Traffic.Received, first.Traffic.Received)
	now.Deleted, now.Published = rate(last.Traffic.Deleted, first.Traffic.Deleted), rate(last.Traffic.Published, first.Traffic.Published)
	empty := last.Traffic.EmptyReceives - first.Traffic.EmptyReceives
	if all := empty + last.Traffic.Received - first.Traffic.Received; all > 0 {
		now.EmptyShare, now.HasReceives = 100*float64(empty)/float64(all), true
	}
	return now
}

// showOverview shows what goes on.
func (s *Server) showOverview(x *exchange) error {
	data := s.overview(x)
	first, err := s.queuesOf(x, "", "", 1, false)
	if err != nil {
		return err
	}
	data.Empty = len(first.Queues) == 0
	return s.show(x, "overview.html", &page{Title: "Overview", Active: "overview", Data: data, Snippets: overviewSnippets(x)})
}

// showBusiest shows the part of the overview that changes all the time.
func (s *Server) showBusiest(x *exchange) error {
	return s.part(x, "overview.html", "now", s.overview(x))
}

// chartData is what the charts draw: columns of the same length.
type chartData struct {
	At       []int64   `json:"at"` // seconds since 1970
	Sent     []float64 `json:"sent"`
	Received []float64 `json:"received"`
	Deleted  []float64 `json:"deleted"`
	Messages []int64   `json:"messages"`
	InFlight []int64   `json:"in_flight"`
}

// serveSamples gives the charts what they draw.
func (s *Server) serveSamples(x *exchange) error {
	samples := s.samples()
	data := chartData{At: []int64{}, Sent: []float64{}, Received: []float64{}, Deleted: []float64{}, Messages: []int64{}, InFlight: []int64{}}
	for i := 1; i < len(samples); i++ {
		before, now := samples[i-1], samples[i]
		took := now.At.Sub(before.At).Seconds()
		if took <= 0 {
			continue
		}
		data.At = append(data.At, now.At.Unix())
		data.Sent = append(data.Sent, float64(now.Traffic.Sent-before.Traffic.Sent)/took)
		data.Received = append(data.Received, float64(now.Traffic.Received-before.Traffic.Received)/took)
		data.Deleted = append(data.Deleted, float64(now.Traffic.Deleted-before.Traffic.Deleted)/took)
		data.Messages, data.InFlight = append(data.Messages, now.Messages), append(data.InFlight, now.InFlight)
	}
	x.w.Header().Set("Content-Type", "application/json")
	x.w.Header().Set("Cache-Control", "no-store")
	x.w.WriteHeader(http.StatusOK)
	if err := json.NewEncoder(x.w).Encode(data); err != nil {
		return fmt.Errorf("write the samples: %w", err)
	}
	return nil
}

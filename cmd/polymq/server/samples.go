package server

import (
	"context"
	"sync"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/console"
)

// The console's charts reach half an hour back.
const (
	sampleEvery = 2 * time.Second
	maxSamples  = 900
)

// samples are what the server counted lately, for the console's charts.
type samples struct {
	traffic func() core.Traffic
	depths  func() []console.Depth

	mu   sync.Mutex
	ring []console.Sample // a ring once it is full
	next int              // the oldest, then
}

// take adds a sample. It is a worker's chore.
func (s *samples) take(context.Context) error {
	sample := console.Sample{At: time.Now(), Traffic: s.traffic()}
	for _, depth := range s.depths() {
		sample.Messages += depth.Messages
		sample.InFlight += depth.InFlight
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ring) < maxSamples {
		s.ring = append(s.ring, sample)
		return nil
	}
	s.ring[s.next] = sample
	s.next = (s.next + 1) % maxSamples
	return nil
}

// all gives the samples, the oldest first.
func (s *samples) all() []console.Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(append(make([]console.Sample, 0, len(s.ring)), s.ring[s.next:]...), s.ring[:s.next]...)
}

// depthsShare is the part of the time that may be spent on reading depths for charts, one in so many.
const depthsShare = 50

// latest gives what the collector of metrics has read; it is read anew as often as that is cheap.
func (c *depthCollector) latest() []console.Depth {
	c.mu.Lock()
	defer c.mu.Unlock()
	if since := time.Since(c.at); since > depthsFresh || since > depthsShare*c.took {
		c.refresh()
	}
	depths := make([]console.Depth, len(c.depths))
	for i, d := range c.depths {
		depths[i] = console.Depth{Queue: d.Queue, Messages: d.Messages, InFlight: d.InFlight, Oldest: d.Oldest}
	}
	return depths
}

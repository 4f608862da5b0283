package server

import (
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/console"
)

func TestSamplesAreARing(t *testing.T) {
	t.Parallel()
	sent := int64(0)
	s := &samples{
		traffic: func() core.Traffic { sent++; return core.Traffic{Sent: sent} },
		depths:  func() []console.Depth { return []console.Depth{{Messages: 2, InFlight: 1}, {Messages: 3}} },
	}
	for range maxSamples + 5 {
		if err := s.take(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	all := s.all()
	if len(all) != maxSamples || all[0].Traffic.Sent != 6 || all[maxSamples-1].Traffic.Sent != maxSamples+5 {
		t.Errorf("got %d samples from %d to %d", len(all), all[0].Traffic.Sent, all[len(all)-1].Traffic.Sent)
	}
	if last := all[maxSamples-1]; last.Messages != 5 || last.InFlight != 1 {
		t.Errorf("got %+v", last)
	}
}

package pg

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/polymq/polymq/core"
)

func TestPayloadsStayWithinTheLimit(t *testing.T) {
	tests := map[string]struct{ entries, want int }{"none": {0, 0}, "one": {1, 1}, "many": {1000, 3}}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var entries, got []string
			for i := range tt.entries {
				entries = append(entries, fmt.Sprintf("a,%d,2,3,4,5555555555", i))
			}
			payloads := pack("server", entries)
			for _, payload := range payloads {
				sender, rest, _ := strings.Cut(payload, ";")
				if sender != "server" || len(payload) > maxPayload {
					t.Errorf("a payload of %d bytes from %q", len(payload), sender)
				}
				got = append(got, strings.Split(rest, ";")...)
			}
			if len(payloads) != tt.want || strings.Join(got, ";") != strings.Join(entries, ";") {
				t.Errorf("%d payloads with %d entries", len(payloads), len(got))
			}
		})
	}
}

// telling gives a store that only has an outbox.
func telling() *Store {
	s := &Store{}
	s.marks.init()
	s.peers.listening.Store(1)
	s.peers.sending = true // as if somebody did
	return s
}

// What arrives together is told with the time of the last, since a wake-up for the first would be too early.
func TestArrivalsToldTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := telling()
		queue := &core.Queue{ID: 1, Storage: 2}
		start := time.Unix(1000, 0)
		s.announce(queue, 1, time.Second, start.Add(time.Second))
		time.Sleep(time.Millisecond)
		s.announce(queue, 2, time.Second, start.Add(time.Second+time.Millisecond))
		s.announce(queue, 5, 0, start.Add(time.Millisecond))
		s.announce(queue, 1, core.ArrivalHorizon+1, start.Add(time.Hour))
		payloads, _ := s.peers.takeOutbox("me")
		payload := strings.Join(payloads, "|")
		for _, entry := range []string{"a,1,2,3,1000000,1001000000", "a,1,2,5,0,1000001000"} {
			if !strings.Contains(payload, entry) {
				t.Errorf("%q lacks %q", payload, entry)
			}
		}
		if n := strings.Count(payload, ";"); n != 2 {
			t.Errorf("%d entries in %q, want 2", n, payload)
		}
	})
}

// More than can be told becomes "look at everything".
func TestOutboxIsBounded(t *testing.T) {
	s := telling()
	for i := range int64(maxOutbox + 1) {
		s.announce(&core.Queue{ID: i, Storage: i}, 1, 0, time.Now())
	}
	if got, _ := s.peers.takeOutbox("me"); len(got) != 1 || got[0] != "me;l" {
		t.Errorf("%d payloads", len(got))
	}
	if got, _ := s.peers.takeOutbox("me"); len(got) != 0 || s.peers.sending {
		t.Errorf("then %q", got)
	}
}

// What could not be told is made up for, so that no message stays behind others' marks until they sweep; and who waited for it to be told
// goes on.
func TestWhatIsNotToldIsMadeUpFor(t *testing.T) {
	s := telling()
	var err error
	if s.pool, err = pgxpool.New(context.Background(), "host=/nowhere"); err != nil {
		t.Fatal(err)
	}
	defer s.pool.Close()
	ended, end := context.WithCancel(context.Background())
	end()
	s.background = ended // so that it is tried once
	s.announce(&core.Queue{ID: 1, Storage: 2}, 1, 0, time.Unix(1000, 0))
	told := make(chan struct{})
	s.peers.told = told
	s.sendOutbox()
	<-told
	if got, _ := s.peers.takeOutbox("me"); len(got) != 1 || got[0] != "me;l" {
		t.Errorf("%q is told next", got)
	}
}

func TestHeard(t *testing.T) {
	all := core.Arrival{}
	tests := map[string]struct {
		payload string
		want    []core.Arrival
	}{
		"messages":            {"x;a,1,2,3,4000,5", []core.Arrival{{Queue: 1, Messages: 3, In: 4 * time.Millisecond}}},
		"an application's":    {";a,1,2,3,0,5", []core.Arrival{{Queue: 1, Messages: 3}}},
		"a change":            {"x;c,7", []core.Arrival{{Queue: 7}}},
		"several":             {"x;c,7;a,1,2,3,0,5", []core.Arrival{{Queue: 7}, {Queue: 1, Messages: 3}}},
		"look at everything":  {"x;l", []core.Arrival{all}},
		"an entry of later":   {"x;z,1", []core.Arrival{all}},
		"a longer arrival":    {"x;a,1,2,3,4,5,6", []core.Arrival{all}},
		"a shorter arrival":   {"x;a,1", []core.Arrival{all}},
		"numbers that aren't": {"x;c,seven", []core.Arrival{all}},
		"nothing":             {"x", []core.Arrival{all}},
		"its own":             {"00000000-0000-0000-0000-000000000000;l", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := &Store{}
			s.marks.init()
			s.queues.init()
			var got []core.Arrival
			s.Notify(func(a core.Arrival) { got = append(got, a) })
			s.heard(tt.payload)
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("heard %v, want %v", got, tt.want)
			}
		})
	}
}

// Whoever hears that everything is to be looked at may have missed anything.
func TestLookAtEverythingForgets(t *testing.T) {
	s := &Store{}
	s.marks.init()
	s.queues.init()
	s.queues.put(&core.Queue{ID: 1})
	s.marks.start(1, 0, []int16{8}, 0, nil)
	s.marks.advance(1, 8, time.Now())
	s.heard("x;l")
	if s.queues.ofID(1) != nil {
		t.Error("a queue is still taken to be known")
	}
	if got := s.marks.start(1, 0, []int16{8}, 0, nil)[0]; got.After(time.Unix(0, 0)) {
		t.Errorf("scans still start at %v", got)
	}
}

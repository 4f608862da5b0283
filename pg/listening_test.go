package pg_test

import (
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
)

// deafness has a server hear nothing of what the other one tells, as if its connection were slow.
type deafness struct {
	bell      *testQueue
	deaf, end chan struct{}
}

func newDeafness(t *testing.T, store *pg.Store, other *core.Broker) *deafness {
	t.Helper()
	d := &deafness{newQueue(t, other), make(chan struct{}), make(chan struct{})}
	id := d.bell.describe().ID
	store.Notify(func(a core.Arrival) { // by whoever hears, who hears nothing else meanwhile
		if a.Queue == id {
			d.deaf <- struct{}{}
			<-d.end
		}
	})
	return d
}

// begin returns when the server hears nothing more, until end is called or the test ends.
func (d *deafness) begin() (end func()) {
	d.bell.t.Helper()
	ended := false
	end = func() {
		if !ended {
			ended = true
			d.end <- struct{}{}
		}
	}
	d.bell.t.Cleanup(end)
	d.bell.send("listen to this")
	<-d.deaf
	return end
}

// TestReceiveFindsWhatIsKeptLonger: a longer retention brings back what receives through another server have passed, which has not heard of
// the change.
func TestReceiveFindsWhatIsKeptLonger(t *testing.T) {
	t.Parallel()
	url, stores, brokers := servers(t, pg.Options{})
	deafness := newDeafness(t, stores[1], brokers[0])
	q := newQueue(t, brokers[0], func(s *core.Settings) { s.Retention = time.Minute })
	other := q.through(brokers[1])
	q.send("old")
	execute(t, database(t, url), `UPDATE messages SET sent_at = sent_at - interval '1 hour', visible_at = visible_at - interval '1 hour'`)
	other.wantReceive()
	hear := deafness.begin()
	q.alter(core.QueueChange{Retention: ptr(24 * time.Hour)})
	other.wantReceive("old")
	hear()
}

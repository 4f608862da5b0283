package server

import (
	"time"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/workers"
)

// How often the chores run, and how much they do in one statement.
const (
	lookEvery      = 2 * time.Second        // under notifications, for the lost ones
	lookOftenEvery = 250 * time.Millisecond // without notifications
	foldEvery      = time.Second
	retainEvery    = time.Minute
	removeEvery    = 5 * time.Second
	sweepEvery     = time.Second // at most; the store keeps it to its share of the time
	vacuumEvery    = 15 * time.Second

	shortChore = 10 * time.Second
	longChore  = 10 * time.Minute

	batch = 1000
)

// newWorkers makes the background work of one server.
func newWorkers(store *pg.Store, broker *core.Broker, log zerolog.Logger) *workers.Runner {
	look := func() time.Duration {
		if store.Listens() {
			return lookEvery
		}
		return lookOftenEvery
	}
	r := workers.NewRunner(log)
	r.Add("delay", workers.Interval(look), shortChore, workers.Delay{LookAhead: broker.LookAhead})
	r.Add("heartbeat", workers.Every(pg.HeartbeatTime), shortChore, workers.Heartbeat{Beat: store.Heartbeat})
	r.Add("counts", workers.Every(foldEvery), shortChore, workers.Counts{Fold: store.FoldCounts, Batch: batch})
	r.Add("retention", workers.Every(retainEvery), longChore, workers.Retention{DeleteExpired: store.ExpireMessages, Batch: batch})
	r.Add("storage", workers.Every(removeEvery), longChore, workers.Storage{RemoveDropped: store.RemoveDropped, Batch: batch})
	r.Add("sweep", workers.Every(sweepEvery), shortChore, workers.Sweep{Sweep: store.Sweep})
	r.Add("vacuum", workers.Every(vacuumEvery), longChore, workers.Vacuum{Vacuum: store.Vacuum})
	return r
}

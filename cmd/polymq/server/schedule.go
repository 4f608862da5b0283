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
	usageEvery     = 5 * time.Second
	limitsEvery    = 2 * time.Second
	logEvery       = 500 * time.Millisecond
	pushEvery      = time.Second // under word of what is due, for the lost one and for what waited long
	publishedEvery = 10 * time.Second
	moveEvery      = time.Second
	expireEvery    = 10 * time.Minute // keys of sessions; they are refused before

	shortChore = 10 * time.Second
	longChore  = 10 * time.Minute

	batch     = 1000
	foldBatch = 10_000 // rows of cycles that cancel each other out stand near each other: the more at once, the fewer are left
)

// chore is a row of the schedule.
type chore struct {
	name    string
	every   workers.Interval
	timeout time.Duration
	do      workers.Chore
}

// schedule is the background work of one server.
func schedule(store *pg.Store, broker *core.Broker, pushes *workers.Push, config Config) []chore {
	look := lookEvery
	if !store.Listens() {
		look = lookOftenEvery
	}
	chores := []chore{
		{"delay", workers.Every(look), shortChore, workers.Delay{LookAhead: broker.LookAhead}},
		{"heartbeat", workers.Every(pg.HeartbeatTime), shortChore, workers.Heartbeat{Beat: store.Heartbeat}},
		{"sweep", workers.Every(sweepEvery), shortChore, workers.Sweep{Sweep: store.Sweep}},
		{"counts", workers.Every(foldEvery), shortChore, workers.Counts{Fold: store.FoldCounts, Batch: foldBatch}},
		{"retention", workers.Every(retainEvery), longChore, workers.Retention{DeleteExpired: store.ExpireMessages, Batch: batch}},
		{"keys", workers.Every(expireEvery), longChore, workers.Retention{DeleteExpired: store.ExpireKeys, Batch: batch}},
		{"deduplication", workers.Every(retainEvery), longChore, workers.Retention{DeleteExpired: store.RemoveIDs, Batch: batch}},
		{"delay changes", workers.Every(retainEvery), longChore, workers.DelayChanges{Finish: store.FinishDelays, Batch: 10}},
		{"storage", workers.Every(removeEvery), longChore, workers.Storage{RemoveDropped: store.RemoveDropped, Batch: batch}},
		{"push", workers.Every(pushEvery), shortChore, pushes},
		{"published", workers.Every(publishedEvery), shortChore, workers.Published{Remove: store.RemovePublished, Batch: batch}},
		{"deliveries", workers.Every(retainEvery), longChore, workers.Retention{DeleteExpired: broker.ExpireDeliveries, Batch: core.MaxClaim}},
		{"subscriptions", workers.Every(retainEvery), longChore, workers.Retention{DeleteExpired: store.ForgetSubscriptions, Batch: batch}},
		{"attempts", workers.Every(retainEvery), longChore, workers.Retention{DeleteExpired: store.ForgetAttempts, Batch: batch}},
		{"outbox", workers.Every(retainEvery), longChore, workers.Retention{DeleteExpired: store.ForgetKept, Batch: batch}},
		{"topic deduplication", workers.Every(retainEvery), longChore, workers.Retention{DeleteExpired: store.ForgetDeduplications, Batch: batch}},
		{"ended faults", workers.Every(retainEvery), longChore, workers.Retention{DeleteExpired: store.ForgetFaults, Batch: batch}},
		{"archives", workers.Every(retainEvery), longChore, workers.Retention{DeleteExpired: store.ExpireArchived, Batch: batch}},
		{"moves", workers.Every(moveEvery), longChore, workers.Moves{GoOn: store.RunMoves}},
		{"ended moves", workers.Every(retainEvery), longChore, workers.Retention{DeleteExpired: store.RemoveMoves, Batch: batch}},
		{"message log", workers.Every(logEvery), shortChore, workers.MessageLog{Flush: broker.FlushLog}},
		{"log days", workers.Every(retainEvery), shortChore, workers.LogDays{Turn: store.TurnLog, Keep: config.MessageLogRetention}},
		{"audit log", workers.Every(logEvery), shortChore, workers.MessageLog{Flush: broker.FlushAudit}},
		{"audit days", workers.Every(retainEvery), shortChore, workers.LogDays{Turn: store.TurnAudit, Keep: config.AuditRetention}},
		{"limits", workers.Every(limitsEvery), shortChore, workers.Limits{Refresh: broker.RefreshLimits}},
		{"vacuum", workers.Every(vacuumEvery), longChore, workers.Vacuum{Vacuum: store.Vacuum}},
	}
	if config.ExpireUnusedQueues > 0 {
		chores = append(chores, chore{"unused queues", workers.Every(retainEvery), longChore, workers.Unused{Expire: broker.ExpireUnused, After: config.ExpireUnusedQueues, Batch: batch}})
	}
	return chores
}

// newWorkers makes a runner of the schedule.
func newWorkers(store *pg.Store, broker *core.Broker, pushes *workers.Push, config Config, log zerolog.Logger) *workers.Runner {
	r := workers.NewRunner(log)
	for _, c := range schedule(store, broker, pushes, config) {
		r.Add(c.name, c.every, c.timeout, c.do)
	}
	return r
}

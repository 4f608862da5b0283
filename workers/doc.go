// Package workers does what must happen again and again in the background: waking receives that
// wait, giving back space, folding counters, vacuuming.
//
// A chore may run late, twice, or on every server at once, and the answers that clients get stay
// right: a message's visible_at decides whether it can be received, its queue's retention whether
// it still counts. Chores only wake, tidy and speed up, so no server has to lead.
//
// Each chore is a small struct whose function fields the wiring fills in (cmd/polymq/server); the
// Runner knows when each runs, gives it a timeout and logs what went wrong.
//
// # Decisions
//
// 2026-11-21: schedules are cron.Schedule values of our own (Interval) instead of "@every" specs,
// which cron rounds to whole seconds: a server that hears no notifications looks every 250 ms.
//
// 2026-11-21: Stop ends the chores under way instead of letting them finish. All of them can be
// ended at any moment by design, and a vacuum of a large table must not hold up a shutdown.
//
// 2026-11-21: a chore that keeps failing is logged when it begins to fail and when it works
// again; in between the log stays readable while a database is away for an hour.
package workers

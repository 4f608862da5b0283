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
// Push is more than a chore: it delivers what was published all the time, and its Run is the net under it.
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
//
// 2026-11-21: attempts have no common queue in the server. Each endpoint has a lane with a concurrency of its own, which doubles with
// success and halves with failure, and all lanes that have not just worked share half of the room: a thousand endpoints that hang
// leave the other half to those that answer.
//
// 2026-11-21: a pause before an endpoint that keeps failing delays its deliveries beyond their schedule, as the services say of
// their own pushes (specs/mns.md 5.2). A pause is a minute at the most, and one delivery is attempted after each: where many wait
// for the endpoint, each waits for its turn. Moving time ends all pauses.
//
// 2026-11-22: what has outlived its topic's retention, or its topic, is given up by a chore that asks no lane. Only attempts looked at the
// retention before, of which an endpoint that keeps failing gets one in a minute: what was published faster was never given up.
//
// 2026-11-21: a server that stops, as in a rolling upgrade, finishes the claim under way and attempts what it got. Cut short, the
// claim may have been committed, and its deliveries waited a minute for it to run out: late, and lost to whoever stops looking
// before. Nothing else of two versions side by side delays or drops one: claims, lanes and the tables of deliveries are the same
// in both, and a server reads the topic's version before it judges a subscription (pg, routesByID).
//
// 2026-11-21: an attempt is claimed before and settled after it, in batches. When a server dies in between, or cannot settle, the
// delivery is attempted again when the claim has run out: at least once, as the protocols promise.
package workers

// Package core holds the rules of queues: what a send, a receive, a delete means, whichever
// protocol asked for it. It knows no HTTP, no wire format and no SQL; what lasts is behind Store.
//
// A message goes through these states; visible_at alone tells them apart:
//
//	send, no delay ──────────────▶ visible ──receive──▶ in flight ──delete──▶ gone
//	send, delay ──▶ delayed ──T──▶    ▲                    │
//	                                  └── visible_at = T ──┘  (timeout, change of visibility, give back)
//	any state ── older than the queue's retention ──▶ gone
//
// In a FIFO queue a message that is visible can be received only when every message before it in its
// group can be, or is received with it:
//
//	group:  in flight | visible  visible            gives nothing
//	group:  visible  visible | in flight  visible   gives the first two, in order
//	group:  visible | delayed  visible              gives the first
//
// A receive goes through the groups in the order in which they became available, and takes from each what is to be had
// before it goes on to the next. A group becomes available, behind the others, when its first message is visible again,
// or the one before it was deleted, moved away or dropped.
//
// A receive that finds nothing waits in the Broker and holds no connection (waiting.go). Three
// things wake it: a message that became visible through this server, a notification from
// another, and the clock, for messages that become due. Under all three lies a slow poll.
//
// # Decisions
//
// 2026-11-21: the Broker hands a Store the Queue it read from the Store's cache, and the Store
// answers ErrQueueChanged when that is no longer current. The alternative, a Store that repeats
// the call by itself, would apply defaults (delay, visibility timeout) that were computed from
// the old settings.
//
// 2026-11-21: an existing queue is no error of CreateQueue: SQS compares only the attributes
// that were given, MNS all of them, so each protocol compares what it was handed.
//
// 2026-11-21: results of batches are slices of the batch's length, with an error per entry where
// entries can fail on their own. A type that is either a value or an error per entry was tried
// on paper and read worse at every call site.
//
// 2026-11-21: a FIFO queue remembers deduplication ids from when a message is stored and not from its
// duplicates; a purge forgets them, and so does a change of the scope, at once. SQS documents neither: for a purge LocalStack
// and ElasticMQ forget, and recordings of SQS show a changed scope taking hold only after a while.
//
// 2026-11-21: on a FIFO queue only a message's newest handle deletes it, and only until its visibility timeout is
// over, whatever the protocol asks for: behind it the group goes on.
package core

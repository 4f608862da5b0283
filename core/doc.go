// Package core holds the rules of queues: what a send, a receive, a delete means, whichever
// protocol asked for it. It knows no HTTP, no wire format and no SQL; what lasts is behind Store.
//
// A message goes through these states; visible_at alone tells them apart:
//
//	send, no delay ──────────────▶ visible ──receive──▶ in flight ──delete──▶ gone
//	send, delay ──▶ delayed ──T──▶    ▲                    │
//	                                  └── visible_at = T ──┘  (timeout, change of visibility, give back)
//	any state ── older than the queue's retention ──▶ gone
//	visible ── a receive more than the dead-letter policy allows ──▶ visible in the dead-letter queue
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
// In a standard queue groups order nothing and hide nothing. A queue that has some is a fair queue: messages of a group that
// has few waiting pass those of groups that have many, and those of no group, so that who sends much delays nobody else.
//
// A receive that finds nothing waits in the Broker and holds no connection (waiting.go). Three
// things wake it: a message that became visible through this server, a notification from
// another, and the clock, for messages that become due. Under all three lies a slow poll.
//
// # Topics
//
// A publish goes to the confirmed subscriptions whose filters let it through. What goes where is decided once,
// when it is published (publish.go):
//
//	            ┌ subscribed queues, in the transaction that publishes ─────────▶ messages
//	publish ────┤
//	            └ everything else: deliveries ──attempt──▶ delivered, or kept in the outbox
//	                                  ▲           │
//	                                  └──T: retry─┤
//	                                              └──▶ given up: dead-letter queue, or dropped
//
// More than MaxFanOut subscriptions are fanned out in chunks behind the publish, each chunk once. A protocol is a
// Pusher (push.go): it compiles filters, puts messages into its envelope and judges answers. A subscription is spoken
// to in the format of the protocol that made it, whichever publishes.
//
// # Decisions
//
// 2026-11-21: limits of accounts are looked at where something is asked for, and counted in the background: what an
// account stores is what the counters said two seconds ago and what this server stored since, so that a limit is
// overshot by what other servers store in that time. Requests are counted by each server for itself, which
// gives out as many as there are for one of those that live; a client that talks to one of three has a third. Counting
// exactly would cost every send a statement, for bounds that exist to protect and not to bill.
//
// 2026-11-21: a queue expires as unused when nobody has sent to it or received from it, it is empty and nothing
// names it: dead-letter queues are idle and empty most of their lives.
//
// 2026-11-21: the audit log has the time of the database and not that of the account, which a test may advance:
// it tells when somebody did something. Events wait in memory for half a second at most; a server that is
// killed loses those, one that is stopped none. To write each by itself was rejected: every call of the control
// plane would wait for a commit of its own.
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
//
// 2026-11-21: filters of a topic are handed to the protocol all at once and give one Matcher, kept with the Routes
// that they were read with: what drops the topic from the cache drops what was compiled. A Matcher per
// subscription would make a publish as slow as the topic has subscriptions.
//
// 2026-11-21: a topic's version rises with each change of its subscriptions as well, and a publish that was routed by an
// older one is routed again. So a message never misses a subscription that was made before it, on whatever server.
//
// 2026-11-21: a filter that cannot be compiled, since its format is not spoken any more, keeps the topic from being
// published to. To leave out the subscription would lose messages without a word.
//
// 2026-11-23: a filter that its format refuses now and took in an older version lets nothing through, and the topic's others get what is theirs:
// that a message had been meant for it cannot be known, and to refuse the publish would make all pay for one. The log says so once, and who
// looks at the subscription is told why.
//
// 2026-11-21: what cannot be put into a subscribed queue (it is gone, the message is too large for it) becomes a delivery
// like any other, whose failure is recorded and dead-lettered in one place.
//
// 2026-11-21: a subscription that is gone stays readable for 48 hours: SNS shows those of a deleted topic, and an
// unsubscribed endpoint may come back.
//
// 2026-11-22: a subscription that nobody confirms ends with its token, 48 hours after that was made, and leaves nothing: it could not come
// back. The account's clock counts, so each statement that reads subscriptions says which of them are gone; a worker removes their rows.
//
// 2026-11-21: an answer that means "try again" past the end of the schedule, or past the topic's retention, is a GiveUp;
// only notifications are dead-lettered, since the others concern nobody but the endpoint.
//
// 2026-11-23: where nobody answers at an endpoint (no answer, 502, 503, 504), after several failures in a row, an attempt is one of everything that
// is due there at that moment: so each delivery goes through its schedule without a request of its own, and ends with it. Before, ten messages with three
// retries ended after 24 minutes, with one attempt a minute, and a thousand after days. Nothing is failed for what was learned before it was due. Where
// somebody answers that he failed, it may be for the message's sake: each has its own attempts, one a second. Of either kind, a delivery
// ends when it has waited, and its endpoint has failed at everything, for as long as its schedule would have taken. What failed with another is recorded
// where it ends: more would push what happened out of the list of attempts.
//
// 2026-11-21: a subscription that is being replayed to gets nothing else. What is published meanwhile waits in the archive and
// follows, unmarked: so the order is kept, and nothing is missed or comes twice. A replay that begins anew, or is
// ended, leaves out what it would have repeated, and never what is new.
//
// 2026-11-21: an archive that is given up while replays go on is kept until they are over, and a replay is never given up:
// it would take what was published since with it.
//
// 2026-11-21: what is replayed goes into FIFO queues that still remember its deduplication ids. Whoever asks for a
// message again within five minutes wants it.
//
// 2026-11-21: what a server has no format for becomes a delivery and is tried again by a schedule, up to the topic's
// retention: another server may speak it. To refuse the publish would make all subscribers pay for one.
//
// 2026-11-21: a dead-letter policy counts the receives in its own queue, while clients see the sum over
// all queues that the message went through. With one count for both, a chain of queues with the same
// limit would pass a message on without ever handing it out. A policy names its target, which may be deleted
// and made again; what is checked (existence, type, the target's SourceRule) is checked when it is set, and a
// message whose target is missing is handed out as if there were no policy.
//
// 2026-11-21: fault rules disturb the operations of this package, not the protocols' requests: in one place, and
// each protocol says an error of a rule as it says any other. A hit is counted in the database, where the rule's
// count is kept by all servers together; whether a call is hit is drawn from numbers of the rule's own, so that a
// test with one client sees the same each time. A rule that has had its hits or its time holds for nobody; it is shown for a day, or until the
// account makes so many others that there would be more than it may have.
//
// 2026-11-21: a SourceRule is text and not a slice, so that Settings can be compared with ==.
//
// 2026-11-21: a move task moves what is visible when it starts, and not what arrives later: else messages
// that fail again at once would go round for ever, and a task would never be complete.
//
// 2026-11-21: too many messages in flight are an error only of a receive of a standard queue that does not
// wait; who waits is woken by the slow poll, for deletes announce nothing.
//
// 2026-11-22: that a FIFO topic delivers to queues only, and one of large messages to few subscribers that take as much, is a rule of the core
// and not of SNS: a topic has never a subscription that it cannot deliver to, whichever protocol made it. The store asks under the topic's lock.
//
// 2026-11-23: what a FIFO topic could not put into a FIFO queue in its turn (the queue was not there, its policy did not let it) is not put there later, but
// is a dead letter or gone, as what was attempted before the queue was made always was. Before, messages that were still to be attempted came
// behind those that had been published since, in a group out of order, also in a replay.
package core

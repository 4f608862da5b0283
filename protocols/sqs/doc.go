// Package sqs speaks Amazon SQS: all its actions, in AWS JSON 1.0 and in the query protocol. Every
// action is a function on structures (typed), whose fields' tags say how they travel
// (protocols/aws); wire.go holds all that differs between the two. What specs/sqs.md records of the
// real service are the tests named Facts, each run on both.
//
// Bodies are text. One that another protocol took as bytes, and that has characters that SQS
// cannot carry, is handed out as its base64, which MD5OfBody then is of. Queues of other protocols
// show as they are: with settings outside of SQS's ranges, and under names with a dot. Their
// dead-letter settings show as RedrivePolicy and RedriveAllowPolicy; a policy that was set here
// comes back in its own words for as long as it says what holds.
//
// Where signatures are verified, eleven actions are refused to all accounts but the queue's own
// (specs/sqs.md 1.8). Others may do
// what the queue's policy allows them, and see nothing of a queue that does not (authorize.go); where policies are
// enforced, an account's own users need policies, too.
//
// Different from AWS, for it serves tests and developers better:
//
//   - A queue can be made again at once after it was deleted, and purged again at once. With
//     Options.SixtySecondRules it cannot, as in AWS.
//   - Counters are exact, changes of attributes take effect at once.
//   - A receive gives as many messages as there are, up to what was asked for; of big ones about 8 MiB.
//   - SenderId is the account.
//   - Policies come back as they were set; AWS rewrites some.
//   - A FIFO queue has no limit of throughput; FifoThroughputLimit is kept and shown.
//   - A purge forgets the deduplication ids of a FIFO queue.
//   - A change of DeduplicationScope holds at once, for ids that are sent from then on.
//   - Fair queues go by how many messages of a group wait, not by how many are in flight.
//   - Keys of KMS are kept and shown, and encrypt nothing.
//   - ReceiveRequestAttemptId on a standard queue is passed over, for frameworks send it.
//   - ALL asks a receive for all attributes as All does, for kombu makes the one of the other.
//
// CBOR is refused: no SDK speaks it to SQS unless it is told to.
//
// # Decisions
//
// 2026-11-21: permissions, tags and attributes are edited on the queue as the database has it
// (core.Broker.EditQueue), and again where another server was faster. A lock in the server, as
// before, lost what two servers did at the same time.
//
// 2026-11-21: the 60 seconds after a deletion begin once the queue is gone, in a statement of their
// own. A server that dies between the two forgets them. The other order would refuse the name of a
// queue that was never deleted.
//
// 2026-11-21: a FIFO queue's handle that has expired, or is not the newest, cannot change the
// visibility of its message: the message may be another receiver's by then. AWS has not been
// recorded there; the text is that for a message which is gone.
//
// 2026-11-21: the twelve hours that a receive can hide a message are counted in whole seconds, as timeouts are: a change to all of them is
// good in the second of the receive. Counted in milliseconds no client could ever have set what the manual calls the most.
//
// 2026-11-21: content-based deduplication ids are made here and not in the core: they are the
// SHA-256 of the text that SQS's client sent, which clients may compute too.
//
// 2026-11-21: both lists of a receive's system attributes count together in JSON; in the query
// protocol AttributeNames alone does where it is given (specs/sqs.md 6.2).
//
// 2026-11-22: the handles of messages whose body an extended client has put into S3 are written with dots for dashes: AWS's
// extended client for Python sends back what follows a handle's last dash, so that such messages could be neither deleted nor hidden
// for longer. All handles in that form would need no list of attributes, but while servers are upgraded an old one would refuse
// everybody's.
//
// 2026-11-22: how long a data key is used is shown of queues that have a KMS key only: without one the real service
// ignores it, so that Terraform waited in vain to read it back.
package sqs

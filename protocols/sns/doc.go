// Package sns speaks Amazon SNS in the query protocol, which is the only one that it has. Every
// action is a function on structures (typed), whose fields' tags say how they travel
// (protocols/aws).
//
// The Server is also the core.Pusher of the subscriptions that are made through it: it compiles
// their filter policies (package filter), puts messages into SNS's envelope (envelope.go), signs
// them (signer.go) and knows the schedules of retries (delivery_policy.go). What is published
// through another protocol reaches SNS's subscribers in the same way.
//
//	Publish ─▶ core.Broker.Publish ─▶ CompileFilters/Match ─▶ Render ─┬▶ QueueMessage: queues
//	                                                                  └▶ Push: HTTP, mail, functions, outbox
//
// Links in messages lead to the server as whoever subscribed had reached it, or to its public URL.
//
// Different from AWS, for it serves tests and developers better:
//
//   - Changes of attributes and filter policies take effect at once.
//   - The number of topics, of subscriptions and of filter policies of a topic is bounded by the
//     core's bounds, not by quotas.
//   - SMS, mobile pushes and Firehose records are kept in the outbox. Sandbox numbers are verified
//     by a code that is found there. A phone is opted out through the JSON API, as its owner could.
//   - Data protection policies are kept and shown, and not acted on; so are the roles of delivery
//     status logs: attempts are read through the JSON API.
//
// Where signatures are verified, another account may do what a topic's policy allows it, and sees nothing of
// the rest (authorize.go); where policies are enforced, an account's own users need policies, too.
//
// A replay begins with the archive where it asks for what was before it, and its messages go into FIFO queues
// that still remember their deduplication ids. What is delivered raw does not show that it was replayed.
//
// # Decisions
//
// 2026-11-21: the key that signs has 2048 bits, as SNS's own. Signing takes longer than all else of
// a publish to a queue; raw delivery and FIFO topics do without. Signatures made lately are kept, so
// that a message to a thousand endpoints is signed once, also when many ask for it at once.
//
// 2026-11-21: nothing makes a signature cheaper: 0.61 ms of a processor with the key kept ready, of which the check that crypto/rsa
// makes of its own work takes 0.02 ms; OpenSSL takes 0.66 ms there, math/big 0.64 ms. Where all processors are busy that is 1.3 ms
// of a publish's latency, and some 1,400 enveloped publishes a second are the most of two processors.
//
// 2026-11-21: a queue of another account must confirm its subscription, by a message that is put
// into it, as documented; emulators use to confirm it by themselves.
//
// 2026-11-21: of the two documented readings of 4xx answers, they are not tried again but go to the
// dead-letter queue (specs/sns.md 7.4); 429 is tried again.
//
// 2026-11-21: Publish to a phone that has opted out succeeds, and the SMS is lost: the action's model has no error for it, and
// the real service tells of it in delivery status logs. What a topic sends to such a phone fails, which its attempts show.
//
// 2026-11-21: PublishBatch fails as a whole where one entry is wrong, as recorded; but an entry with a wrong subject, and
// one without text, fails by itself, as a suite that runs against the real service has it.
//
// 2026-11-22: a message of more than ten attributes cannot be delivered raw to a queue, and so not to a dead-letter queue either. There it
// goes in its envelope, which holds them all: to lose it would be the only other choice.
//
// 2026-11-22: the bounds of topics with large messages are the model's, the words of their errors our own.
//
// 2026-11-22: who asks too often, or has stored too much, is answered Throttling with 400, as by STS and IAM. The model's own
// Throttled with 429 is tried again by botocore and by the SDK of JavaScript, but not by that of Go.
//
// 2026-11-22: a delivery policy of a subscription that is not pushed by HTTP is kept and shown, as Terraform's acceptance tests
// against the real service have it. Those that were stored without a member that is demanded now go on as they are.
//
// 2026-11-22: events of functions say SignatureVersion "1", as recorded, whatever the topic's; but where that is 2 they are signed
// with SHA-256, as recorded answers verify.
//
// 2026-11-22: the policy of a topic may have the documented actions, "*", and names with wildcards, but not "sns:*", which
// the real service is reported to refuse; of other wildcards no report was found.
//
// 2026-11-22: where signatures are verified, Unsubscribe without one ends subscriptions only whose name is a UUID, as all that SNS
// makes have: to know it is the proof that the link was sent to one. Names that somebody chose, by MNS or the JSON API, can be
// guessed; for those the link in an envelope is refused, and the owner ends the subscription.
package sns

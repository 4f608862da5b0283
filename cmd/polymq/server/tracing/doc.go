// Package tracing makes OpenTelemetry traces of requests and of messages, and log records of what the message log
// tells, and sends them by OTLP, over HTTP or gRPC.
//
//	request ─▶ span "sqs SendMessage" (SERVER; child of the traceparent or X-Amzn-Trace-Id header)
//	              └▶ "send orders" (PRODUCER; until the commit that carries it) ─▶ the message's traceparent
//	request ─▶ span "mns ReceiveMessage"
//	              └▶ "receive orders" (CONSUMER; a link to who sent each message)
//	push    ─▶ span "push SUBSCRIPTION" (CLIENT; child of who published)
//
// A message tells who sent it by its attribute traceparent, as instrumented SDKs set it, by its system attribute
// of that name (MNS) or by AWSTraceHeader. Where it tells nothing, and the request is traced, polymq adds the
// system attribute, which MNS and the JSON API show to receivers; SQS knows no such name, and does not.
//
// # Decisions
//
// 2026-11-21: pushes carry no header of a trace: endpoints of SNS and MNS get what these clouds send, no more.
//
// 2026-11-21: a receive links to senders, and is no child of one: it may have messages of many. A push is a child,
// and there is none in traces of messages that nobody sent in one.
//
// 2026-11-21: AWS's trace header is read here: the library's propagator is no longer maintained.
//
// 2026-11-21: the errors of the exporter are logged by a wrapper, since the library has one handler of them for
// the whole process.
//
// 2026-11-21: the message log is exported with bounds and a counter of our own: the library's batches drop what does
// not fit without telling. Times are those of this server's clock, not of accounts that have moved theirs.
package tracing

// Package mns speaks MNS, which is also called SMQ: Alibaba's queue service, over HTTP with XML,
// version 2015-06-06, or for messages with JSON, version 2026-04-09 (specs/mns.md).
//
// A request is read whole (request.go), found in the table of actions by its method, path, query and
// root element (server.go), and its parameters are put into the action's struct (bind.go, json.go).
// The action answers with a struct that writes itself (answer.go), in the form that was asked in.
//
// Where the server verifies signatures, requests need one of version 2 or 4, and a Date within 15 minutes
// of the server's clock (signature.go); otherwise neither is looked at. The codes that wrong security tokens
// are answered with are our choice of the service's: it publishes none. Content-MD5 is compared where it is
// given, and only it protects a body: MNS's signatures do not cover one.
//
// # Between protocols
//
// Queues of other protocols can be used under their own names, with '_' and '.fifo' too, and show
// their own values where MNS could not have set them. Only what MNS creates follows MNS's rules.
// When a queue is created that is there already, values beyond MNS's ranges count as the nearest
// that MNS has: a queue with SQS's defaults, whose messages may have 1 MiB, is no conflict.
//
// MessageBody is kept and given back byte for byte between MNS clients. Some SDKs encode bodies to
// base64, and decode them, by themselves; they are known by their User-Agent, and what they send is
// marked so that other protocols show the text in it, and what others sent goes to them encoded
// (core.EncodeBody). A body with characters that XML cannot carry, which only other protocols can
// send, goes to every MNS client as base64. MessageBodyMD5 is that of the body as the request or the
// answer carries it.
//
// User properties are message attributes elsewhere: STRING is String, NUMBER is Number, BINARY is
// Binary, BOOLEAN is String.Boolean. The other way round labels are dropped, but for that one, and a
// string with characters that XML cannot carry is BINARY. Of the system properties, traceparent,
// tracestate and baggage pass; AWSTraceHeader does not, for clients fail on names they do not know.
//
// # Topics
//
// A subscription made here delivers in MNS's form, whichever protocol made the topic or publishes to it (pusher.go):
// XML, JSON or SIMPLIFIED, to queues of any protocol, to HTTP endpoints signed by a key whose certificate
// is served at CertificatePath, by mail. SMS and mobile pushes are kept. Account and region in a queue's
// endpoint are not looked at: clients make them of the host name that they were given, and queues of other
// accounts cannot be subscribed. A message's properties go with it into queues. A filter that another protocol
// made is no tag: it is neither shown nor changed here.
//
// Whoever receives a push fetches the certificate from the server's public URL, or else from the one by which the
// subscriber reached it.
//
// # Decisions
//
// 2026-11-21: an XML scanner of our own instead of encoding/xml. It refuses document types, bounds
// the depth, keeps carriage returns as they were sent (XML has them read as line feeds, but a body
// is to come back byte for byte), and tells text from elements, so that an unescaped '<' in a body
// is an error and not a loss. A message of 200 bytes takes it a sixth of the time, one of 64 KiB a
// twelfth (2.5 µs and 15 µs; 0.13 ms and 1.6 ms). A fuzz test compares what it accepts with encoding/xml.
//
// 2026-11-21: of the JSON form only requests and the answers to sends are published; the rest is
// inferred from the clients' models. Names are those of XML's elements; a batch is one member of the
// root element's name; UserProperties is an object by name, and so is SystemProperties, which no
// client knows; errors are the same, as JSON, and a body that is no JSON of the action's form is
// InvalidArgument, for no code of its own is known. Only actions on messages have a JSON form.
//
// 2026-11-21: of pushes, inferred: all x-mns headers go with every format; JSON is text/plain; Content-md5 is
// upper-case hexadecimal, as newer captures have it; statuses beyond 2xx are tried again, whatever they are
// (Options has the other choice of both); the namespace of a notification ends in a slash, as the manual's sample has it.
//
// 2026-11-22: the manual asks no more of a queue that subscribes than that its messages may be as long as the topic's. So what
// counts for its size is the published body, without the notification around it and the properties beside it.
//
// 2026-11-21: mail needs the message's DirectMail attributes, or those of the subscription; without them the
// delivery fails, as in the cloud. SMS is kept without them too, since nothing is sent anyway.
//
// 2026-11-21: of dead letters, inferred: DLQMessageType is QueueMessage, DLQSourceArn names the queue as a
// subscription's endpoint does, DLQOriginMessageId is the message's id, which a move keeps.
//
// 2026-11-22: a message that MNS has received as often as its queue allows is moved when its visibility timeout ends, as the
// manual has it, so that who waits at the dead-letter queue alone sees it. The server that received it does so, a tenth of a
// second later; one that is killed meanwhile leaves it to the next receive, which also moves what SQS received last,
// and the dead letters of FIFO queues.
//
// 2026-11-21: a batch receive of a FIFO queue has at most one message of a group: while one is with a receiver,
// no other of its group is handed out. MNS has no deduplication ids, so that equal messages are all kept.
//
// 2026-11-22: no number of messages in flight ends the receives of MNS, whose manual states no limit. What they take
// counts for SQS's, which has one.
//
// 2026-11-21: the rate that the control plane sets for a queue counts calls of receive, by each server for
// itself. Who may use the endpoint is remembered for five seconds, so that requests do not read it.
//
// 2026-11-21: unknown parameters of a query are refused, as the service's manual has it
// (InvalidQueryString), while unknown elements are passed over, as newer clients send them.
package mns

// Package bench is "polymq bench", a load generator for queue servers. It knows nothing of
// polymq's inside: it speaks SQS (AWS JSON), MNS (XML) or the JSON API to any server of them.
//
// # How numbers are measured
//
// The load is closed: each connection has one request in flight and sends the next one when the
// answer has been read whole and decoded. A latency runs from before the request is encoded until
// then; so it contains what this process costs, and its waiting for a processor.
//
// A run creates its queues, fills them (--backlog), and then measures --rounds times. A round has a
// warm-up, whose counts are thrown away without the load stopping, and the measured phase. What
// completes after the phase's end does not count. Rates are completed requests or messages by the
// phase's length; receives that found nothing count as requests, but not in the latencies, and the
// report says how many they were. A batch is one request with one latency.
//
// Percentiles come from an HDR histogram in microseconds with three digits. In mode poll, "wake"
// runs from the begin of a message's send until a waiting receive has brought it. A gap of more
// than 250 ms in which no connection at all completed anything is a stall; it is reported apart,
// since percentiles of a closed load hide it: as long as it lasts, no requests are made that could
// be slow.
//
// Every body carries the run's id and a number, and the ledger notes for each number whether its
// send was acknowledged, whether it arrived, and whether its delete was acknowledged. After the
// measurement the queues are emptied until nothing is missing, or until they have stayed empty for a
// visibility timeout and a second; what is missing then is lost. A message that arrives again before
// its delete is no fault of a queue that promises "at least once"; one that arrives after it is
// reported apart. A message that arrives though its send failed is neither.
//
// Modes with topics count deliveries. Into queues, a delivery counts when its publish is acknowledged, and the phase lasts
// until the queues' numbers of messages show that all have arrived; what they show in the end tells what was lost or came
// twice. To endpoints, which this process serves on one port of the loopback, it counts when it arrives, by the number in
// the body; "deliver" runs from the begin of the publish until then, and a connection publishes again when all live endpoints
// have its message. An endpoint has a path of its own, not a connection.
//
// The no-op server (--noop) is this program once more, in a process of its own as a real server
// would be: Gin, which answers each request with what the protocol answers to a send. The load is
// that of mode send, with the same connections, batches and bodies and through the same code. Its
// rate is an upper bound for a server on the same machine, and the ratio to it says more than a
// rate: it does not depend on the machine as much. Both are measured in turn in each round, and the
// ratio printed is the median of the rounds' ratios, since a machine's speed drifts.
//
// # Decisions
//
// 2026-11-21: net/http's client, its connections in one pool. A request costs it about 30 µs of a
// processor, a third of that for system calls; encoding, decoding and bookkeeping add 2 µs. A
// client of our own on the bare connection would cost less, but no SDK could reach what it measured.
//
// 2026-11-21: one context and timer for a connection, renewed only when it has gone off. One for
// each request costs 16 % more of a processor (51 instead of 44 µs, medians of seven runs in turn on
// a busy machine). The garbage collector at 400 % saves 5 %.
//
// 2026-11-21: the no-op answers sends alone, also beside mode cycle. A no-op for each kind of
// request would give each mode a baseline of its own, and figures of two modes could not be compared.
//
// 2026-11-21: one processor for the load (GOMAXPROCS) was rejected: it saves 6 to 8 % of the load's own time, for goroutines
// then wake each other without waking a thread, but no more than 2 % of all, nothing of the no-op's, and is too little on larger machines.
// Of what a message costs in batches of 10, numbering, encoding and looking for it take a twelfth; the rest is HTTP.
//
// 2026-11-21: received messages are decoded by looking for the two members of interest. For one
// message of 200 bytes encoding/xml took 45 µs, more than all else of a request, and encoding/json
// 6 µs; this takes about 1 µs.
package bench

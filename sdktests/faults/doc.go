// Package faults checks what outlives what: polymq processes and a PostgreSQL of their own are
// killed, stopped, cut off and slowed down while clients of all protocols send, receive and delete,
// and a ledger of what was acknowledged says whether anything was lost, or delivered again after its
// delete.
//
//	crash_test.go         polymq or PostgreSQL is killed with kill -9
//	fifo_test.go          the same, with FIFO queues: order, locks and deduplication hold
//	dead_letters_test.go  the same, with dead letters and move tasks
//	topics_test.go        the same, with fan-outs and deliveries to endpoints, which may be down or silent
//	away_test.go          PostgreSQL is gone, silent, slow, or loses its connections
//	vanish_test.go        clients close their connection while they receive
//	pair_test.go          two servers on one database
//	monitoring_test.go    logs, alerts and the console hold nobody up, whatever holds them up
//	upgrade_test.go       servers are replaced by another version, one after the other
//	login_test.go         TLS to PostgreSQL, a password that changes
//	shutdown_test.go      SIGTERM
//	input_test.go         requests that are wrong, huge or slow
//
// Everything is real: the program as it is built, its PostgreSQL, TCP. Times are logged, and bounded
// by what holds on a busy machine too; `polymq bench` is what measures. For a longer look:
//
//	go test ./sdktests/faults -v -run Killed -kills 50
//	go test ./sdktests/faults -v -run Away -away 30s
//	go test ./sdktests/faults -v -run Upgrade -older /the/release/before/polymq
package faults

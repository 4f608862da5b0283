// Package transport is what lies between a TCP port and HTTP: TLS with certificates from files (Files) or of an
// authority of polymq's own (Authority), plain and encrypted connections on the same port (Split), and long polls
// that wait without what net/http keeps for a connection (Parking).
//
// # Decisions
//
// 2026-11-21: the first byte of a connection tells TLS (22, a handshake record) from HTTP, whose methods begin with
// a letter. A library for such multiplexing (soheilhy/cmux) was looked at: it matches any protocol by any reader, has
// not been released since 2021, and net/http does not see the *tls.Conn behind its connections unless they are
// wrapped in a certain order. One byte needs none of it.
//
// 2026-11-21: the authority's key and certificate are made by the first server and kept in the database, encrypted
// under the master key; every server signs certificates of its own for the names that it is asked for. What a
// client has to trust is one certificate, for as long as the database lives.
//
// 2026-11-21: HTTP/1.1 only, as the clouds' own endpoints of these services speak. Long polls end with their
// connection, which is how a receive notices that nobody waits for its messages any more.
//
// 2026-11-21: where many polls wait, others are parked: their connections are hijacked, and accepted again with the next request.
// 5,000 polls on 5,000 queues took 239 MiB resident once they had been answered and had come again (201 before), and 252 at most; now 183
// (169), and 195 to 200 while they come again all at once. Of these 40 are the program itself, 57 the stacks of two goroutines for each poll. Given
// back are the 8 to 10 KiB that net/http reads and writes a connection through, and which nobody can take from it otherwise. Handlers do not notice. Not from the
// first poll on: it costs a poll more processor time (a wave of 5,000 that came again took 1.2 to 1.3 s instead of 0.9 on a machine
// that was busy with other things), and net/http has seen more clients. Polls of the query protocol, whose action stands in their body, and of TLS are not
// parked. What would be left to save are the stacks: one watcher for all connections (20 MiB), and
// polls that wait in a table and not in their handlers (40).
package transport

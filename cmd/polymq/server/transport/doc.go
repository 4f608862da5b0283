// Package transport is what lies between a TCP port and HTTP: TLS with certificates from files (Files) or of an
// authority of polymq's own (Authority), and plain and encrypted connections on the same port (Split).
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
package transport

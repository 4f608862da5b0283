// Command polymq is a server that speaks the queue protocols of several clouds, with everything
// that lasts in PostgreSQL.
//
//	polymq serve             start the server, with a PostgreSQL of its own
//	polymq migrate status    what the schema of a database is at
//	polymq doctor            what a database or a server lacks
//	polymq queue list        and the like: what a server has (package manage)
//	polymq seed FILE         make a server have what a file declares (package seed)
//	polymq bench             measure a server
//	polymq version
//
// Everything that can be set is a flag, an environment variable and a key of a YAML file, of the
// same name and in this order of precedence; see `polymq serve --help`.
//
// # Decisions
//
// 2026-11-21: no profile-guided optimization. With a profile of all kinds of requests, of the server and of the load generator
// (22 s of processor time), a cycle of single requests took 437 us of processor time instead of 434, a message in
// batches of 10 98 instead of 95, and a request to the no-op as much as before (medians of six runs in turn, of the no-op three): the time goes
// into system calls, memory and the change from one goroutine to the next, which inlining does not touch. It would compile everything twice for whoever
// runs and tests.
//
// 2026-11-21: the ballast is not made larger. Of a message in batches of 10 the collector takes 1.2 us of the server's 36 (one
// collection for 3,300 messages); twice the ballast would save half of that for 20 MiB. Go's monitor thread takes 9 % of the server's
// time and as much of the load generator's: while anything is to be done it looks every 20 us,
// and nothing but the timer slack with which the process is started would make it look less often.
//
// 2026-11-22: at first and while it rests, the server gives back what it does not use (memory.go). Half of what Linux counts as its own when
// idle were 40 MiB of pages of its program's file, most of them code that only the start runs: a process of 57 MiB takes 39. The code that is
// run again comes back from the system's memory for files, in a few hundred faults of some microseconds.
package main

// Package manage holds the commands that people and scripts manage a server's queues, topics and messages
// with, on any server that they can reach, by its JSON API:
//
//	polymq queue list
//	polymq message send orders 'hello'
//	polymq tail orders
//	polymq export orders orders.jsonl.gz
//
// A command prints a table, or with --json, and in a pipe, what the server answered: lists as JSON lines, so that a
// script reads them as they come. Its exit code says what kind of failure there was (package client).
// Names of queues and topics complete themselves in the shell.
//
// A new kind of resource is a new file here: a function that makes its command, with a Session's flags
// bound to it, and a line in Commands.
//
// # Decisions
//
// 2026-11-21: flags are turned into the API's own fields by one table per resource, and the server checks
// them. A second set of rules here would differ from it one day.
//
// 2026-11-21: what is destructive asks only where it reads from a terminal. A script means what it says.
//
// 2026-11-21: exported messages are the JSON API's own, one on each line; what it leaves out, as when the
// message was received, has no meaning in another queue.
//
// 2026-11-21: an import keeps a file beside its own with the number of lines that are sent. It is written
// after each batch, so that an import that was killed repeats one batch at most, and loses none.
package manage

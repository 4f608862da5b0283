// Package pg is core.Store on PostgreSQL.
//
// All that waits at a moment leaves as one train: deletes, changes of visibility, sends, receives,
// pipelined in one transaction with one commit (train.go). A message is one row until it is deleted:
//
//	visible     visible_at <= now
//	delayed     visible_at >  now, receive_count = 0
//	in flight   visible_at >  now, receive_count > 0
//
// where now is the database's clock plus the account's advance, read in each statement. Receives
// walk the index on (storage_id, priority, visible_at) from a mark below which nothing is visible
// (marks.go). Counters are rows of deltas, written by the statement that changes what they count
// and added up by a worker (counts.go). Servers that share a database tell each other what became
// visible (notify.go).
package pg

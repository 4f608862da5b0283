package core

import "sync"

// reads puts in order what is read again and again, by a worker and by who has just changed it: what a read gives is kept
// unless that of one that began later is kept already. Else a read that began before a change could end after it, and undo
// what whoever made the change has been told.
type reads struct {
	mu          sync.Mutex
	begun, kept int // reads, by when they began
}

// begin gives the place of a read that begins now.
func (r *reads) begin() (read int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun++
	return r.begun
}

// keep keeps what a read gave, if nothing newer is kept.
func (r *reads) keep(read int, keep func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if read > r.kept {
		r.kept = read
		keep()
	}
}

package core

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// gathered are entries of a log that wait in memory until a worker writes them. To add one never waits and
// never fails: what comes when there is no room is dropped, and counted.
type gathered[E any] struct {
	most, mostBytes, batch int // bounds: entries, bytes of them, entries written at once
	size                   func(*E) int
	dropped                atomic.Int64

	mu      sync.Mutex
	entries []E
	bytes   int
	writing sync.Mutex // one write at a time, so that the order stays
}

// add adds an entry; mu is held.
func (g *gathered[E]) add(e E) {
	size := g.size(&e)
	if len(g.entries) >= g.most || g.bytes+size > g.mostBytes {
		g.dropped.Add(1)
		return
	}
	g.entries = append(g.entries, e)
	g.bytes += size
}

// oldest gives the entries to write next, up to a batch. They stay where they are.
func (g *gathered[E]) oldest() []E {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.entries), g.batch)
	return g.entries[:n:n]
}

// forget drops the n oldest.
func (g *gathered[E]) forget(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range n {
		g.bytes -= g.size(&g.entries[i])
	}
	clear(g.entries[:n])
	if g.entries = g.entries[n:]; len(g.entries) == 0 {
		g.entries = nil
	}
}

// flush writes what has gathered, by a function as WriteEvents of Store. Entries wait for a database that
// cannot be reached; those that it will not have are dropped, and counted.
func (g *gathered[E]) flush(ctx context.Context, write func(context.Context, []E) (done, refused int, err error)) error {
	g.writing.Lock()
	defer g.writing.Unlock()
	var faults []error
	for {
		entries := g.oldest()
		if len(entries) == 0 {
			return errors.Join(faults...)
		}
		done, refused, err := write(ctx, entries)
		g.dropped.Add(int64(refused))
		g.forget(done)
		if err != nil {
			faults = append(faults, err)
		}
		if done < len(entries) {
			return errors.Join(faults...)
		}
	}
}

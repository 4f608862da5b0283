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
	writing chan struct{} // has a place for one write at a time, so that the order stays; nil before the first
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

// writes gives the place of who writes.
func (g *gathered[E]) writes() chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.writing == nil {
		g.writing = make(chan struct{}, 1)
	}
	return g.writing
}

// flush writes what has gathered, by a function as WriteEvents of Store. Entries wait for a database that
// cannot be reached; those that it will not have are dropped, and counted.
func (g *gathered[E]) flush(ctx context.Context, write func(context.Context, []E) (done, refused int, err error)) error {
	writing := g.writes()
	select {
	case writing <- struct{}{}:
		defer func() { <-writing }()
	case <-ctx.Done():
		return Wrap(Unavailable, ctx.Err(), "the log cannot be written at the moment")
	}
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

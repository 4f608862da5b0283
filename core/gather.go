package core

import (
	"context"
	"errors"
	"slices"
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
	batches [][]E // in the order of their entries; all but the last are full
	done    int   // entries of the first one that need not be written any more
	spare   []E   // memory of a batch that was written
	count   int
	bytes   int
	writing chan struct{} // has a place for one write at a time, so that the order stays; nil before the first
}

// add adds an entry that begins as blank does and is completed by fill, unless fill says that there is none;
// mu is held.
func (g *gathered[E]) add(blank *E, fill func(*E) bool) {
	if g.count >= g.most {
		if e := *blank; fill(&e) {
			g.dropped.Add(1)
		}
		return
	}
	last := g.open()
	*last = append(*last, *blank)
	e := &(*last)[len(*last)-1] // where it stays: entries are large
	if wanted := fill(e); wanted {
		size := g.size(e)
		if g.bytes+size <= g.mostBytes {
			g.count++
			g.bytes += size
			return
		}
		g.dropped.Add(1)
	}
	clear((*last)[len(*last)-1:])
	*last = (*last)[:len(*last)-1]
}

// open gives the batch that has room for another entry.
func (g *gathered[E]) open() *[]E {
	n := len(g.batches)
	if n == 0 || len(g.batches[n-1]) == g.batch {
		if g.spare == nil {
			g.spare = make([]E, 0, g.batch)
		}
		g.batches, g.spare = append(g.batches, g.spare), nil
		n++
	}
	return &g.batches[n-1]
}

// oldest gives the entries to write next, up to a batch. They stay where they are.
func (g *gathered[E]) oldest() []E {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.count == 0 {
		return nil
	}
	return slices.Clip(g.batches[0][g.done:])
}

// forget drops the n oldest, which are of one batch.
func (g *gathered[E]) forget(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n == 0 {
		return
	}
	first := g.batches[0]
	for i := range n {
		g.bytes -= g.size(&first[g.done+i])
	}
	clear(first[g.done : g.done+n])
	g.count -= n
	if g.done += n; g.done == len(first) {
		g.batches, g.spare, g.done = slices.Delete(g.batches, 0, 1), first[:0], 0
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

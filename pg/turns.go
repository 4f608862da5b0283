package pg

import (
	"context"
	"sync"
)

// turns lets callers who want the same row go one after another, in the order in which they came, so that only one of
// them holds a connection while it waits for the row's lock.
type turns struct {
	mu   sync.Mutex
	byID map[int64]*turn
}

type turn struct {
	taken   chan struct{}
	callers int // who have it or wait for it
}

func (t *turns) init() { t.byID = map[int64]*turn{} }

// take waits for the caller's turn, until ctx ends; done ends it.
func (t *turns) take(ctx context.Context, id int64) (done func(), err error) {
	t.mu.Lock()
	own := t.byID[id]
	if own == nil {
		own = &turn{taken: make(chan struct{}, 1)}
		t.byID[id] = own
	}
	own.callers++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if own.callers--; own.callers == 0 {
			delete(t.byID, id)
		}
	}
	select {
	case own.taken <- struct{}{}:
		return func() { <-own.taken; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}

package pg

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/singleflight"

	"github.com/polymq/polymq/core"
)

// fairLines finds places in the lines of standard queues for messages that belong to a group, so that a group with many
// messages does not delay the others (fair queues). Receives know nothing of it: they go by visible_at, and a message that
// is to stand further ahead than at the end of its line gets an earlier one than the present (that other servers find it: listening.go):
//
//	                                                front                       now
//	1st to 10th of each group │ … │ 91st to 100th     │ all others, by time       │
//
// The front is where this server's receives have come to in the line, or where it has found the line to begin. How many messages
// of a group wait is an estimate too: of those that this server has sent, how far receives have come tells which are left.
type fairLines struct {
	used  atomic.Bool // there are lines
	mu    sync.Mutex
	lines map[lineKey]*fairLine
	size  int // groups in all lines
	looks singleflight.Group
}

// lineKey names a line: the messages of one priority of a storage.
type lineKey struct {
	storage  int64
	priority int
}

type fairLine struct {
	front   time.Time            // by the account's clock; it only moves ahead
	reached time.Time            // how far receives have come: nothing waits before it
	seen    time.Time            // when that was found out, by this server's clock
	now     time.Time            // and by the account's
	listens time.Time            // when receives were last known to listen for what has a place, by this server's clock
	steps   [fairSteps]time.Time // the last place given in each
	groups  map[string]*waitingGroup
}

// waitingGroup is what this server has sent to a group and has not been received, as far as it knows.
type waitingGroup struct {
	first, last time.Time // between which they stand
	count       float64
	late        bool // there were too many: they go to the end of the line until few are left
}

// Places in a line.
const (
	fairStep  = 10                     // messages of a group that stand together
	fairSteps = 10                     // how often they do; those behind them go to the end of the line
	fairWidth = 100 * time.Microsecond // from one step to the next
	fairGap   = time.Microsecond       // between messages, as within a train
)

// Bounds of fairLines: when there is more, it starts anew, and takes all groups for quiet.
const (
	maxFairGroups = 100_000
	maxFairLines  = 10_000
	frontLife     = time.Second // for which a front is believed while nothing is received here
)

func (f *fairLines) init() { f.lines = map[lineKey]*fairLine{} }

// line gives a line, a new one where there is none. The caller holds f.mu.
func (f *fairLines) line(key lineKey) *fairLine {
	ln := f.lines[key]
	if ln == nil {
		if len(f.lines) >= maxFairLines {
			f.forget()
		}
		ln = &fairLine{groups: map[string]*waitingGroup{}}
		f.lines[key] = ln
		f.used.Store(true)
	}
	return ln
}

// moved says how far receives have come.
func (f *fairLines) moved(key lineKey, reached, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ln := f.lines[key]; ln != nil {
		ln.front, ln.reached, ln.now, ln.seen = latest(ln.front, reached), reached, now, time.Now()
	}
}

// known gives how far receives had come when it was last known, and whether that is to be believed still; and whether receives listen
// for what has a place.
func (f *fairLines) known(key lineKey) (reached time.Time, fresh, listened bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ln := f.line(key)
	return ln.reached, time.Since(ln.seen) < frontLife, time.Since(ln.listens) < listenAgain
}

// listened says that receives listen for what has a place in a line.
func (f *fairLines) listened(key lineKey) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.line(key).listens = time.Now()
}

// place gives the next message of a group its place in a line, nil for the line's end.
func (f *fairLines) place(key lineKey, group string) *time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	ln := f.line(key)
	if ln.front.IsZero() || time.Since(ln.listens) >= listenPlaced/2 {
		return nil
	}
	g := ln.groups[group]
	if g == nil {
		if f.size >= maxFairGroups {
			f.forget()
			return nil
		}
		g = &waitingGroup{}
		ln.groups[group] = g
		f.size++
	}
	g.advance(ln.reached)
	if g.late {
		g.add(ln.now.Add(time.Since(ln.seen)))
		return nil
	}
	step := int(g.count) / fairStep
	at := latest(ln.front.Add(time.Duration(step-fairSteps)*fairWidth), ln.steps[step].Add(fairGap), g.last.Add(fairGap))
	ln.steps[step] = at
	if at.Before(ln.reached) {
		ln.reached = at
	}
	g.add(at)
	return &at
}

// forget starts anew. The caller holds f.mu.
func (f *fairLines) forget() {
	clear(f.lines)
	f.size = 0
}

// advance takes note of what has been received since: all before that point, and of what stands on both sides of
// it as much as if it stood evenly.
func (g *waitingGroup) advance(reached time.Time) {
	switch {
	case reached.After(g.last):
		*g = waitingGroup{}
	case reached.After(g.first):
		g.count *= float64(g.last.Sub(reached)) / float64(g.last.Sub(g.first))
		g.first = reached
	}
	if g.count >= fairStep*fairSteps {
		g.late = true
	} else if g.count < fairStep {
		g.late = false
	}
}

func (g *waitingGroup) add(at time.Time) {
	if g.count == 0 {
		g.first = at
	}
	g.count++
	g.last = latest(g.last, at)
}

func latest(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if t.After(first) {
			first = t
		}
	}
	return first
}

// frontSQL finds where a line begins: with its first message that is visible, or now.
const frontSQL = `
SELECT COALESCE(m.visible_at, q.now), q.now
FROM (SELECT now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = @account), '0') AS now) q
LEFT JOIN LATERAL (
    SELECT m.visible_at FROM messages m
    WHERE m.storage_id = @storage AND m.priority = @priority AND m.visible_at >= @from AND m.visible_at <= q.now
    ORDER BY m.visible_at LIMIT 1
) m ON true`

// placeMessages gives messages that belong to groups their places in the lines of a standard queue, nil for the end of the
// line, where others go. What is delayed has none, nor has anything where not all servers hear of what becomes visible
// behind their marks.
func (s *Store) placeMessages(ctx context.Context, queue *core.Queue, messages []core.NewMessage) (places []*time.Time) {
	if queue.FIFO || s.peers.others.Load() != s.peers.listening.Load() {
		return nil
	}
	for i := range messages {
		m := &messages[i]
		if m.GroupID == "" || *m.Delay > 0 {
			continue
		}
		if places == nil {
			places = make([]*time.Time, len(messages))
		}
		key := lineKey{queue.Storage, m.Priority}
		if err := s.prepareLine(ctx, queue, key); err != nil {
			s.log.Debug().Err(err).Str("queue", queue.Name.String()).Msg("could not look at the line; a message group may wait its turn")
		}
		places[i] = s.fair.place(key, m.GroupID)
	}
	return places
}

// hasPlace reports whether one of the messages stands further ahead than at the end of its line.
func hasPlace(places []*time.Time) bool {
	return slices.ContainsFunc(places, func(place *time.Time) bool { return place != nil })
}

// prepareLine sees to what a line needs before places in it are given: receives listen for what has one (listening.go), and the front is
// known. Without that messages go to the end.
func (s *Store) prepareLine(ctx context.Context, queue *core.Queue, key lineKey) error {
	reached, fresh, listened := s.fair.known(key)
	if fresh && listened {
		return nil
	}
	_, err, _ := s.fair.looks.Do(fmt.Sprint(key), func() (_ any, err error) {
		ctx := context.WithoutCancel(ctx)
		if !listened {
			if listened, err = s.haveListened(ctx, []int64{queue.ID}, listenPlaced); listened {
				s.fair.listened(key)
			}
		}
		if listened && !fresh {
			err = s.lookForFront(ctx, queue, key, reached)
		}
		return nil, err
	})
	return err
}

// lookForFront finds the front of a line from which this server has not received lately.
func (s *Store) lookForFront(ctx context.Context, queue *core.Queue, key lineKey, reached time.Time) error {
	var now time.Time
	err := s.do(ctx, frontSQL, pgx.StrictNamedArgs{
		"account": queue.Name.Account, "storage": key.storage, "priority": int16(key.priority), "from": reached,
	}, func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&reached, &now}, func() error { return nil })
		return err
	})
	if err == nil {
		s.fair.moved(key, reached, now)
	}
	return err
}

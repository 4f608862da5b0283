package pg

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// Messages may become visible further behind the marks of other servers than these look (markMargin): those that have a place in a
// line (fair.go), and those whose transaction took long. Their queue's row then says for a while, before anybody is told that they are
// there, that receives are to listen, and other servers were told. A receive on such a queue that came back short, and that nobody wakes
// when there is news, makes sure that its server has heard all that was told before, and looks again if that has lowered its marks:
//
//	placed or late    row: listen_until ─ commit ─ NOTIFY ─ answer
//	receive           ─ looks, and reads listen_until ─ NOTIFY to itself ─ hears it, and so all that was told before ─ looks again
const (
	listenPlaced = 24 * time.Hour         // for how long receives listen after a place was given
	listenLate   = time.Minute            // and after a late commit; other servers hear of that within milliseconds
	listenAgain  = time.Hour              // after which a server that gives places looks whether they still do
	hearTimeout  = 500 * time.Millisecond // for a notification to itself; marks are not believed when it is not heard
	lateTimeout  = 500 * time.Millisecond // for telling of what is late
)

// listenSQL has receives on queues listen, and gives the queues where they do for half of the time at least. Who
// changes a queue, or deletes it, is not waited for.
const listenSQL = `
WITH asked AS MATERIALIZED (
    SELECT q.id, q.listen_until >= now() + @time::interval / 2 AS listening
    FROM unnest(@queue::bigint[]) AS a(id)
    CROSS JOIN LATERAL (SELECT q.id, q.listen_until FROM queues q WHERE q.id = a.id LIMIT 1) q
), wanting AS MATERIALIZED (
    SELECT q.id FROM asked a
    CROSS JOIN LATERAL (SELECT q.id FROM queues q WHERE q.id = a.id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED) q
    WHERE NOT a.listening
), told AS (
    UPDATE queues q SET listen_until = now() + @time::interval FROM wanting w WHERE q.id = ANY (ARRAY[w.id]) RETURNING q.id
)
SELECT id FROM asked WHERE listening UNION ALL SELECT id FROM told`

// haveListened has receives on queues, each named once, listen, and reports whether they do on all of them.
func (s *Store) haveListened(ctx context.Context, queues []int64, length time.Duration) (all bool, err error) {
	err = s.do(ctx, listenSQL, pgx.StrictNamedArgs{"queue": queues, "time": length}, func(rows pgx.Rows) error {
		listening, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		all = len(listening) == len(queues)
		return err
	})
	return all, err
}

// isLate reports whether what was begun then may lie behind other servers' marks by more than the margin.
func (s *Store) isLate(began time.Time) bool {
	return s.peers.any() && time.Since(began) > markMargin
}

// assure returns when receives through any server find what was announced late on queues.
func (s *Store) assure(queues []int64) {
	slices.Sort(queues)
	if queues = slices.Compact(queues); len(queues) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lateTimeout)
	defer cancel()
	if _, err := s.haveListened(ctx, queues, listenLate); err != nil {
		s.log.Debug().Err(err).Msg("could not have receives listen to other servers")
	}
	s.untilTold(ctx)
}

// answerTold answers operations once others have been told of them.
func (s *Store) answerTold(placed []*op) {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	s.untilTold(ctx)
	for _, o := range placed {
		o.answer(nil)
	}
}

// hearing is what this server tells itself, to know that it has heard what others told before.
type hearing struct {
	turn sync.Mutex // held while one notification is under way: those who come meanwhile share the next one

	mu      sync.Mutex
	next    *echo // not sent yet; nil: nobody waits for one
	current *echo
	number  int64
}

// echo is a notification to oneself. heard is closed when it has come back.
type echo struct{ heard chan struct{} }

var errNotHeard = errors.New("a notification to itself was not heard in time")

// hearOthers returns when this server has heard all that was told before the call. Where it does not hear, the storage's marks are reset.
func (s *Store) hearOthers(ctx context.Context, storage int64) {
	if !s.peers.any() {
		return
	}
	if !s.Listens() {
		s.marks.reset(storage)
		return
	}
	if err := s.awaitEcho(ctx); err != nil && ctx.Err() == nil {
		s.log.Debug().Err(err).Msg("may not have heard of what other servers did; a receive looks from the start")
		s.marks.reset(storage)
	}
}

func (s *Store) awaitEcho(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, hearTimeout, errNotHeard)
	defer cancel()
	h := &s.hearing
	h.mu.Lock()
	e := h.next
	if e == nil {
		e = &echo{make(chan struct{})}
		h.next = e
		s.running.Go(s.sendEcho)
	}
	h.mu.Unlock()
	select {
	case <-e.heard:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// sendEcho sends the next notification to this server, and waits until it is heard.
func (s *Store) sendEcho() {
	h := &s.hearing
	h.turn.Lock()
	defer h.turn.Unlock()
	h.mu.Lock()
	e := h.next
	h.next, h.current = nil, e
	h.number++
	number := strconv.FormatInt(h.number, 10)
	h.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), hearTimeout)
	defer cancel()
	if err := s.sendNotifications(ctx, s.id.String(), []string{number}); err != nil {
		s.log.Debug().Err(err).Msg("could not notify itself")
		return
	}
	select {
	case <-e.heard:
	case <-ctx.Done():
	}
}

// cameBack takes in a notification to oneself.
func (h *hearing) cameBack(number string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current != nil && number == strconv.FormatInt(h.number, 10) {
		close(h.current.heard)
		h.current = nil
	}
}

// hasNews reports whether something became visible behind what a receive has looked through to the end, as this server knows once it has
// heard all.
func (s *Store) hasNews(ctx context.Context, queue *core.Queue, call *receiveCall) bool {
	s.hearOthers(ctx, queue.Storage)
	return s.marks.lowest(queue.Storage, queue.Retention, prioritiesOf(queue), 0).Before(call.now)
}

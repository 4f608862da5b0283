package pg

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// changeOp changes the visibility of one caller's messages of one queue, or gives them back.
type changeOp struct {
	op
	queue    *core.Queue
	newest   bool
	rotate   bool
	giveBack bool
	maxTotal time.Duration
	changes  []change
	results  []core.VisibilityResult // by the caller's order

	live      int // rows whose storage is still the queue's
	announced []shown
}

// change is one message to change, with its place in the caller's list.
type change struct {
	numbered
	timeout time.Duration
}

// shown is a message that is to become visible.
type shown struct {
	in time.Duration
	at time.Time
}

func (o *changeOp) touches(seen map[rowKey]bool) bool {
	for _, c := range o.changes {
		if seen[rowKey{c.storage, c.id}] {
			return true
		}
	}
	return false
}

// changeSQL changes the visibility of a train's messages, locking them in the order of their keys.
// A message that is visible stays so. Giving back also undoes what the receive counted, of messages too
// that have become visible meanwhile.
const changeSQL = `
WITH input AS (
    SELECT i.*, i.timeout * interval '1 microsecond' AS hide, i.max_total * interval '1 microsecond' AS total,
        now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now
    FROM unnest(@queue::bigint[], @storage::bigint[], @id::bigint[], @version::integer[], @timeout::bigint[], @max_total::bigint[],
        @newest::boolean[], @rotate::boolean[], @give_back::boolean[])
        WITH ORDINALITY AS i(queue, storage, id, version, timeout, max_total, newest, rotate, give_back, ord)
    CROSS JOIN LATERAL (SELECT q.account FROM queues q WHERE q.id = i.queue AND q.storage_id = i.storage LIMIT 1) q
), found AS MATERIALIZED (
    SELECT i.*, m.visible_at AS was, m.handle_version, m.receive_count,
        max_total > 0 AND m.received_at IS NOT NULL AND i.now + i.hide > m.received_at + i.total AS too_long
    FROM input i CROSS JOIN LATERAL (
        SELECT m.visible_at, m.handle_version, m.receive_count, m.received_at FROM messages m
        WHERE m.storage_id = i.storage AND m.id = i.id LIMIT 1 FOR UPDATE
    ) m
), changed AS (
    UPDATE messages m
    SET visible_at = f.now + f.hide,
        handle_version = m.handle_version + (f.rotate OR f.give_back)::integer,
        receive_count = m.receive_count - f.give_back::integer,
        first_received_at = CASE WHEN f.give_back AND m.receive_count = 1 THEN NULL ELSE m.first_received_at END
    FROM found f
    WHERE m.storage_id = ANY (ARRAY[f.storage]) AND m.id = f.id AND CASE WHEN f.give_back THEN f.receive_count > 0 ELSE f.was > f.now END
        AND NOT f.too_long AND (NOT f.newest OR f.handle_version = f.version)
    RETURNING f.ord, f.now, f.was, f.hide, f.receive_count, m.storage_id, m.visible_at, m.handle_version
), counted AS (
    INSERT INTO counts (storage_id, bucket, in_flight, delayed)
    SELECT storage_id, date_bin('1 second', was, '2000-01-01'), -count(*) FILTER (WHERE receive_count > 0), -count(*) FILTER (WHERE receive_count = 0)
    FROM changed WHERE was > now GROUP BY 1, 2
    UNION ALL
    SELECT storage_id, date_bin('1 second', visible_at, '2000-01-01'), count(*) FILTER (WHERE receive_count > 0), count(*) FILTER (WHERE receive_count = 0)
    FROM changed WHERE hide > '0' GROUP BY 1, 2
)
SELECT ord, 0, 0, now, false, false FROM input
UNION ALL
SELECT ord, 1, handle_version, was, was > now, too_long FROM found
UNION ALL
SELECT ord, 2, handle_version, visible_at, true, false FROM changed`

var changeStatement = prepare(changeSQL)

// The kinds of rows that changeSQL returns.
const (
	changeLive = iota
	changeFound
	changeDone
)

// ChangeVisibility is of core.Store.
func (s *Store) ChangeVisibility(ctx context.Context, queue *core.Queue, in core.ChangeVisibilityInput) ([]core.VisibilityResult, error) {
	o := &changeOp{op: newOp(), queue: queue, newest: in.Newest, rotate: in.Rotate, maxTotal: in.MaxTotal, results: make([]core.VisibilityResult, 0, len(in.Changes))}
	for _, c := range in.Changes {
		s.addChange(o, c)
	}
	if err := s.change(ctx, o); err != nil {
		return nil, err
	}
	return o.results, nil
}

// ReturnMessages is of core.Store.
func (s *Store) ReturnMessages(ctx context.Context, queue *core.Queue, handles []string) ([]error, error) {
	o := &changeOp{op: newOp(), queue: queue, newest: true, giveBack: true, results: make([]core.VisibilityResult, 0, len(handles))}
	for _, handle := range handles {
		s.addChange(o, core.VisibilityChange{Handle: handle})
	}
	if err := s.change(ctx, o); err != nil {
		return nil, err
	}
	errs := make([]error, len(handles))
	for i := range errs {
		errs[i] = o.results[i].Err
	}
	return errs, nil
}

// addChange adds a change to those that an operation asks for.
func (s *Store) addChange(o *changeOp, c core.VisibilityChange) {
	h, err := s.keys.parse(o.queue.ID, c.Handle)
	if err == nil && h.storage != o.queue.Storage {
		err = errMessageGone // purged
	}
	if err == nil {
		o.changes = append(o.changes, change{numbered{h, len(o.results)}, c.Timeout})
	}
	o.results = append(o.results, core.VisibilityResult{Handle: c.Handle, Err: err})
}

func (s *Store) change(ctx context.Context, o *changeOp) error {
	if len(o.changes) == 0 {
		return s.confirm(ctx, o.queue)
	}
	s.stationOf(o.queue).change(o)
	return o.wait(ctx)
}

// changeRow is one row of a train's changes.
type changeRow struct {
	*changeOp
	change
}

func (s *Store) queueChanges(batch *pgx.Batch, ops []*changeOp) {
	if len(ops) == 0 {
		return
	}
	all := changeRows(ops)
	changeStatement.queue(batch, changeArgs(all)).Query(func(rows pgx.Rows) error { return s.readChanges(rows, all) })
}

// changeRows gives the messages that a train changes, in the order of their keys.
func changeRows(ops []*changeOp) (all []changeRow) {
	for _, o := range ops {
		o.live, o.announced = 0, nil
		for _, c := range o.changes {
			o.results[c.place].Err = errMessageGone // until the statement says otherwise
			all = append(all, changeRow{o, c})
		}
	}
	slices.SortFunc(all, func(a, b changeRow) int {
		return cmp.Or(cmp.Compare(a.storage, b.storage), cmp.Compare(a.id, b.id))
	})
	return all
}

func changeArgs(all []changeRow) pgx.StrictNamedArgs {
	var (
		queues    = make([]int64, len(all))
		storages  = make([]int64, len(all))
		ids       = make([]int64, len(all))
		versions  = make([]int32, len(all))
		timeouts  = make([]int64, len(all))
		maxTotals = make([]int64, len(all))
		newest    = make([]bool, len(all))
		rotate    = make([]bool, len(all))
		giveBack  = make([]bool, len(all))
	)
	for i, r := range all {
		queues[i], storages[i], ids[i], versions[i] = r.queue.ID, r.storage, r.id, r.version
		timeouts[i], maxTotals[i] = r.timeout.Microseconds(), r.maxTotal.Microseconds()
		newest[i], rotate[i], giveBack[i] = r.newest, r.rotate, r.giveBack
	}
	return pgx.StrictNamedArgs{
		"queue": queues, "storage": storages, "id": ids, "version": versions, "timeout": timeouts, "max_total": maxTotals,
		"newest": newest, "rotate": rotate, "give_back": giveBack,
	}
}

func (s *Store) readChanges(rows pgx.Rows, all []changeRow) error {
	var ord int64
	var kind, version int32
	var at time.Time
	var hidden, tooLong bool
	_, err := pgx.ForEachRow(rows, []any{&ord, &kind, &version, &at, &hidden, &tooLong}, func() error {
		r := all[ord-1]
		switch result := &r.results[r.place]; kind {
		case changeLive:
			r.live++
		case changeFound:
			result.VisibleAt, result.Err = at, r.refusal(version, hidden, tooLong)
			if !hidden { // a receive that met the lock of this statement has passed it by
				r.announced = append(r.announced, shown{0, at})
			}
		case changeDone:
			result.VisibleAt, result.Err = at, nil
			if r.rotate {
				result.Handle = s.keys.format(r.queue.ID, handle{storage: r.storage, id: r.id, version: version, group: r.group, fifo: r.fifo, message: r.message})
			}
			r.announced = append(r.announced, shown{r.timeout, at})
		}
		return nil
	})
	return err
}

// refusal says why a message that exists was not changed, should it turn out so.
func (r changeRow) refusal(version int32, hidden, tooLong bool) error {
	switch {
	case r.newest && version != r.version:
		return errHandleSuperseded
	case r.newest && !hidden:
		return errHandleExpired
	case tooLong && hidden:
		return errTooLong
	}
	return nil
}

// stale gives ErrQueueChanged for an operation whose queue was purged or deleted meanwhile.
func (o *changeOp) stale(s *Store) error {
	if o.live == len(o.changes) {
		return nil
	}
	s.queues.forget(o.queue)
	return core.ErrQueueChanged
}

// announceChanges makes known when the messages become visible.
func (s *Store) announceChanges(o *changeOp) {
	if o.queue.FIFO { // whose groups are made known
		return
	}
	for _, m := range o.announced {
		s.announce(o.queue, 1, m.in, m.at)
	}
}

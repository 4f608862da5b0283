package pg

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// deleteOp deletes one caller's messages of one queue.
type deleteOp struct {
	op
	queue   *core.Queue
	newest  bool
	handles []numbered
	results []error // by the caller's order

	view int32 // of the queue, in the statement's list
	gone bool  // the storage is no longer the queue's
}

// numbered is a handle with its place in the caller's list.
type numbered struct {
	handle
	place int
}

func (o *deleteOp) rows() int { return len(o.handles) }

// deleteSQL deletes a train's messages in the order of their keys, which is the order in which rows
// are locked.
const deleteSQL = deleteQueuesSQL + `, input AS (
    SELECT (SELECT array_agg(storage ORDER BY ord) FROM queue)[i.place] AS storage,
        (SELECT array_agg(now ORDER BY ord) FROM queue)[i.place] AS now, i.id, i.ord
    FROM unnest(@place::integer[], @id::bigint[]) WITH ORDINALITY AS i(place, id, ord)
), deleted AS (
    DELETE FROM messages m USING input i
    WHERE i.now IS NOT NULL AND m.storage_id = ANY (ARRAY[i.storage]) AND m.id = i.id
` + deletedSQL

// deleteNewestSQL does it for a train in which some must be their message's newest handle. These are
// then looked at once more, in the snapshot of the statement, to tell why they did not delete.
const deleteNewestSQL = deleteQueuesSQL + `, input AS (
    SELECT (SELECT array_agg(storage ORDER BY ord) FROM queue)[i.place] AS storage,
        (SELECT array_agg(now ORDER BY ord) FROM queue)[i.place] AS now, i.id, i.version, i.newest, i.ord
    FROM unnest(@place::integer[], @id::bigint[], @version::integer[], @newest::boolean[])
        WITH ORDINALITY AS i(place, id, version, newest, ord)
), deleted AS (
    DELETE FROM messages m USING input i
    WHERE i.now IS NOT NULL AND m.storage_id = ANY (ARRAY[i.storage]) AND m.id = i.id
        AND (NOT i.newest OR m.handle_version = i.version AND m.visible_at > i.now)
` + deletedSQL + `
UNION ALL
SELECT i.ord, 2, m.handle_version FROM input i
CROSS JOIN LATERAL (SELECT m.handle_version FROM messages m WHERE m.storage_id = i.storage AND m.id = i.id LIMIT 1) m
WHERE i.newest AND i.now IS NOT NULL`

// What both begin and end with.
const (
	deleteQueuesSQL = `
WITH queue AS MATERIALIZED (
    SELECT a.ord, a.storage, q.now
    FROM unnest(@queue::bigint[], @storage::bigint[]) WITH ORDINALITY AS a(queue, storage, ord)
    LEFT JOIN LATERAL (
        SELECT now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now
        FROM queues q WHERE q.id = a.queue AND q.storage_id = a.storage LIMIT 1
    ) q ON true
)`
	deletedSQL = `    RETURNING i.ord, i.now, m.storage_id, m.visible_at, m.receive_count, m.size
), counted AS (
    INSERT INTO counts (storage_id, bucket, messages, bytes, in_flight, delayed)
    SELECT storage_id, CASE WHEN visible_at > now THEN date_bin('1 second', visible_at, '2000-01-01') ELSE '-infinity' END, -count(*), -sum(size),
        -count(*) FILTER (WHERE visible_at > now AND receive_count > 0), -count(*) FILTER (WHERE visible_at > now AND receive_count = 0)
    FROM deleted GROUP BY 1, 2
)
SELECT ord, 0, 0 FROM queue WHERE now IS NULL
UNION ALL
SELECT ord, 1, 0 FROM deleted`
)

var deleteStatement, deleteNewestStatement = prepare(deleteSQL), prepare(deleteNewestSQL)

// The kinds of rows that the statements return; the first are numbered by queue, the others by message.
const (
	deleteGone = iota
	deleteDone
	deleteSeen
)

// DeleteMessages is of core.Store.
func (s *Store) DeleteMessages(ctx context.Context, queue *core.Queue, handles []string, newest bool) ([]error, error) {
	o := &deleteOp{op: newOp(), queue: queue, newest: newest, handles: make([]numbered, 0, len(handles)), results: make([]error, len(handles))}
	for i, text := range handles {
		h, err := s.keys.parse(queue.ID, text)
		switch {
		case err != nil:
			o.results[i] = err
		case h.storage != queue.Storage:
			o.results[i] = errMessageGone // purged
		default:
			o.handles = append(o.handles, numbered{h, i})
		}
	}
	if len(o.handles) == 0 {
		return o.results, s.confirm(ctx, queue)
	}
	s.stationOf(queue).delete(o)
	if err := o.wait(ctx); err != nil {
		return nil, err
	}
	return o.results, nil
}

// confirm checks that a cached queue is current where no statement of the operation would have.
func (s *Store) confirm(ctx context.Context, queue *core.Queue) error {
	current, err := s.readQueue(ctx, queue.Name)
	if err == nil && (current.ID != queue.ID || current.Version != queue.Version) {
		s.queues.forget(queue)
		return core.ErrQueueChanged
	}
	return err
}

// deleteRow is one row of a train's deletes.
type deleteRow struct {
	*deleteOp
	numbered
}

func (s *Store) queueDeletes(batch *pgx.Batch, ops []*deleteOp) {
	if len(ops) == 0 {
		return
	}
	queues, all := deleteRows(ops)
	var (
		views    = make([]int32, len(all))
		ids      = make([]int64, len(all))
		versions = make([]int32, len(all))
		newest   = make([]bool, len(all))
	)
	statement := deleteStatement
	for i, r := range all {
		views[i], ids[i], versions[i], newest[i] = r.view, r.id, r.version, r.newest
		if r.newest {
			statement = deleteNewestStatement
		}
	}
	statement.queue(batch, pgx.StrictNamedArgs{
		"queue": queues.ids, "storage": queues.versions, "place": views, "id": ids, "version": versions, "newest": newest,
	}).Query(func(rows pgx.Rows) error { return readDeletes(rows, ops, all) })
}

// deleteRows gives the messages that a train deletes, in the order of their keys, and their queues.
func deleteRows(ops []*deleteOp) (queues viewList, all []deleteRow) {
	rows := 0
	for _, o := range ops {
		rows += o.rows()
	}
	all = make([]deleteRow, 0, rows)
	for _, o := range ops {
		o.gone, o.view = false, queues.place(o.queue.ID, o.queue.Storage)
		for _, h := range o.handles {
			o.results[h.place] = errMessageGone // until the statement says otherwise
			all = append(all, deleteRow{o, h})
		}
	}
	slices.SortFunc(all, func(a, b deleteRow) int {
		return cmp.Or(cmp.Compare(a.storage, b.storage), cmp.Compare(a.id, b.id))
	})
	return queues, all
}

func readDeletes(rows pgx.Rows, ops []*deleteOp, all []deleteRow) error {
	var ord int64
	var kind, version int32
	_, err := pgx.ForEachRow(rows, []any{&ord, &kind, &version}, func() error {
		if kind == deleteGone {
			for _, o := range ops {
				o.gone = o.gone || int64(o.view) == ord
			}
			return nil
		}
		r := all[ord-1]
		switch result := &r.results[r.place]; {
		case kind == deleteDone:
			*result = nil
		case *result == nil, deletedBeside(all, int(ord-1)): // seen in the snapshot, and deleted
		case version != r.version:
			*result = errHandleSuperseded
		default:
			*result = errHandleExpired
		}
		return nil
	})
	return err
}

// deletedBeside reports whether another row of the same train has deleted the message of a row.
func deletedBeside(all []deleteRow, i int) bool {
	same := func(j int) bool { return all[j].storage == all[i].storage && all[j].id == all[i].id }
	for j := i - 1; j >= 0 && same(j); j-- {
		if all[j].results[all[j].place] == nil {
			return true
		}
	}
	for j := i + 1; j < len(all) && same(j); j++ {
		if all[j].results[all[j].place] == nil {
			return true
		}
	}
	return false
}

// stale gives ErrQueueChanged for an operation whose queue was purged or deleted meanwhile.
func (o *deleteOp) stale(s *Store) error {
	if !o.gone {
		return nil
	}
	s.queues.forget(o.queue)
	return core.ErrQueueChanged
}

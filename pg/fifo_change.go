package pg

import "github.com/jackc/pgx/v5"

// deleteFIFOSQL deletes a train's messages of FIFO queues. There a message's newest handle deletes it, and
// only while the message is hidden by the receive that gave it out: what is deleted later may be somebody
// else's by then. The locks of the groups have been taken.
const deleteFIFOSQL = `
WITH queue AS MATERIALIZED (
    SELECT a.ord, a.storage, q.now
    FROM unnest(@queue::bigint[], @storage::bigint[]) WITH ORDINALITY AS a(queue, storage, ord)
    LEFT JOIN LATERAL (
        SELECT now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now
        FROM queues q WHERE q.id = a.queue AND q.storage_id = a.storage LIMIT 1
    ) q ON true
), input AS (
    SELECT (SELECT array_agg(storage ORDER BY ord) FROM queue)[i.place] AS storage,
        (SELECT array_agg(now ORDER BY ord) FROM queue)[i.place] AS now, i.group_key, i.sequence, i.version, i.ord
    FROM unnest(@place::integer[], @group::bigint[], @sequence::bigint[], @version::integer[]) WITH ORDINALITY AS i(place, group_key, sequence, version, ord)
), deleted AS (
    DELETE FROM fifo_messages m USING input i
    WHERE i.now IS NOT NULL AND m.storage_id = ANY (ARRAY[i.storage]) AND m.group_key = i.group_key AND m.sequence = i.sequence
        AND m.handle_version = i.version AND m.visible_at > i.now
    RETURNING i.ord, i.now, m.storage_id, m.visible_at, m.receive_count, m.size
), counted AS (
    INSERT INTO counts (storage_id, bucket, messages, bytes, in_flight, delayed)
    SELECT storage_id, '-infinity', -count(*), -sum(size), 0, 0 FROM deleted GROUP BY 1
    UNION ALL
    SELECT storage_id, visible_at, 0, 0, -count(*) FILTER (WHERE receive_count > 0), -count(*) FILTER (WHERE receive_count = 0)
    FROM deleted GROUP BY 1, 2
)
SELECT ord, 0, 0 FROM queue WHERE now IS NULL
UNION ALL
SELECT ord, 1, 0 FROM deleted
UNION ALL
SELECT i.ord, 2, m.handle_version FROM input i
CROSS JOIN LATERAL (
    SELECT m.handle_version FROM fifo_messages m WHERE m.storage_id = i.storage AND m.group_key = i.group_key AND m.sequence = i.sequence LIMIT 1
) m
WHERE i.now IS NOT NULL`

var deleteFIFOStatement = prepare(deleteFIFOSQL)

func (s *Store) queueFIFODeletes(batch *pgx.Batch, ops []*deleteOp) {
	if len(ops) == 0 {
		return
	}
	queues, all := deleteRows(ops)
	var (
		places    = make([]int32, len(all))
		groups    = make([]int64, len(all))
		sequences = make([]int64, len(all))
		versions  = make([]int32, len(all))
	)
	for i, r := range all {
		places[i], groups[i], sequences[i], versions[i] = r.view, r.group, r.id, r.version
	}
	deleteFIFOStatement.queue(batch, pgx.StrictNamedArgs{
		"queue": queues.ids, "storage": queues.versions, "place": places, "group": groups, "sequence": sequences, "version": versions,
	}).Query(func(rows pgx.Rows) error { return readDeletes(rows, ops, all) })
}

// changeFIFOSQL changes the visibility of a train's messages of FIFO queues, as changeSQL does. The locks of
// the groups have been taken.
const changeFIFOSQL = `
WITH input AS (
    SELECT i.*, i.timeout * interval '1 microsecond' AS hide, i.max_total * interval '1 microsecond' AS total,
        now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now
    FROM unnest(@queue::bigint[], @storage::bigint[], @group::bigint[], @sequence::bigint[], @version::integer[], @timeout::bigint[], @max_total::bigint[],
        @newest::boolean[], @rotate::boolean[], @give_back::boolean[])
        WITH ORDINALITY AS i(queue, storage, group_key, sequence, version, timeout, max_total, newest, rotate, give_back, ord)
    CROSS JOIN LATERAL (SELECT q.account FROM queues q WHERE q.id = i.queue AND q.storage_id = i.storage LIMIT 1) q
), found AS MATERIALIZED (
    SELECT i.*, m.visible_at AS was, m.handle_version, m.receive_count,
        max_total > 0 AND m.received_at IS NOT NULL AND i.now + i.hide > m.received_at + i.total AS too_long
    FROM input i CROSS JOIN LATERAL (
        SELECT m.visible_at, m.handle_version, m.receive_count, m.received_at FROM fifo_messages m
        WHERE m.storage_id = i.storage AND m.group_key = i.group_key AND m.sequence = i.sequence LIMIT 1
    ) m
), changed AS (
    UPDATE fifo_messages m
    SET visible_at = f.now + f.hide,
        handle_version = m.handle_version + (f.rotate OR f.give_back)::integer,
        receive_count = m.receive_count - f.give_back::integer,
        first_received_at = CASE WHEN f.give_back AND m.receive_count = 1 THEN NULL ELSE m.first_received_at END
    FROM found f
    WHERE m.storage_id = ANY (ARRAY[f.storage]) AND m.group_key = f.group_key AND m.sequence = f.sequence
        AND CASE WHEN f.give_back THEN f.receive_count > 0 ELSE f.was > f.now END
        AND NOT f.too_long AND (NOT f.newest OR f.handle_version = f.version)
    RETURNING f.ord, f.now, f.was, f.hide, f.receive_count, m.storage_id, m.visible_at, m.handle_version
), counted AS (
    INSERT INTO counts (storage_id, bucket, in_flight, delayed)
    SELECT storage_id, was, -count(*) FILTER (WHERE receive_count > 0), -count(*) FILTER (WHERE receive_count = 0)
    FROM changed WHERE was > now GROUP BY 1, 2
    UNION ALL
    SELECT storage_id, visible_at, count(*) FILTER (WHERE receive_count > 0), count(*) FILTER (WHERE receive_count = 0)
    FROM changed WHERE hide > '0' GROUP BY 1, 2
)
SELECT ord, 0, 0, now, false, false FROM input
UNION ALL
SELECT ord, 1, handle_version, was, was > now, too_long FROM found
UNION ALL
SELECT ord, 2, handle_version, visible_at, true, false FROM changed`

var changeFIFOStatement = prepare(changeFIFOSQL)

func (s *Store) queueFIFOChanges(batch *pgx.Batch, ops []*changeOp) {
	if len(ops) == 0 {
		return
	}
	all := changeRows(ops)
	args := changeArgs(all)
	groups := make([]int64, len(all))
	for i, r := range all {
		groups[i] = r.group
	}
	args["group"], args["sequence"] = groups, args["id"]
	changeFIFOStatement.queue(batch, args).Query(func(rows pgx.Rows) error { return s.readChanges(rows, all) })
}

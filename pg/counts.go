package pg

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// countsOfQueue joins a queue q with the sums of its storage's counts: messages, bytes, in flight,
// delayed. What is hidden until a later second stands in the counts under that second; of the
// present second, whose messages become visible one by one, the index is counted. The time is that of
// the reading: by now(), the transaction's start, a message sent since would be one that is delayed.
const countsOfQueue = `
CROSS JOIN LATERAL (SELECT clock_timestamp() + COALESCE((SELECT ahead FROM clocks c WHERE c.account = q.account), '0') AS now) t
CROSS JOIN LATERAL (
    SELECT COALESCE(sum(messages), 0)::bigint AS messages, COALESCE(sum(bytes), 0)::bigint AS bytes,
        COALESCE(sum(in_flight) FILTER (WHERE bucket > t.now), 0)::bigint AS in_flight,
        COALESCE(sum(delayed) FILTER (WHERE bucket > t.now), 0)::bigint AS delayed
    FROM counts WHERE storage_id = q.storage_id
) later
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE m.receive_count > 0) AS in_flight, count(*) FILTER (WHERE m.receive_count = 0) AS delayed
    FROM generate_series(1, 16) AS p(priority) CROSS JOIN LATERAL (
        SELECT m.receive_count FROM messages m WHERE m.storage_id = q.storage_id AND m.priority = p.priority
            AND m.visible_at > t.now AND m.visible_at < date_bin('1 second', t.now, '2000-01-01') + interval '1 second'
        ORDER BY m.visible_at OFFSET 0
    ) m
    WHERE q.priorities & (1 << p.priority) <> 0
) present
CROSS JOIN LATERAL (
    SELECT later.messages, later.bytes, later.in_flight + present.in_flight, later.delayed + present.delayed
) n`

// foldCountsSQL adds up counts: what lies in the past in one row per storage, what is hidden in one
// per second. now() without the account's advance keeps more seconds apart than it must, and so does a
// past that begins a minute ago, for a reader may have begun before. Rows that another server folds at
// the moment are left to it.
const foldCountsSQL = `
WITH busy AS (
    SELECT storage_id FROM counts GROUP BY storage_id
    HAVING count(*) - count(DISTINCT CASE WHEN bucket > now() - interval '1 minute' THEN bucket ELSE '-infinity' END) > @slack
), folded AS (
    DELETE FROM counts WHERE ctid = ANY (ARRAY(
        SELECT c.place FROM busy b CROSS JOIN LATERAL (
            SELECT c.ctid AS place FROM counts c WHERE c.storage_id = b.storage_id LIMIT @limit FOR UPDATE SKIP LOCKED
        ) c LIMIT @limit))
    RETURNING storage_id, bucket, messages, bytes, in_flight, delayed
), summed AS (
    SELECT storage_id, CASE WHEN hidden THEN bucket ELSE '-infinity' END AS bucket, sum(messages) AS messages, sum(bytes) AS bytes,
        COALESCE(sum(in_flight) FILTER (WHERE hidden), 0) AS in_flight, COALESCE(sum(delayed) FILTER (WHERE hidden), 0) AS delayed
    FROM (SELECT *, bucket > now() - interval '1 minute' AS hidden FROM folded) f
    GROUP BY 1, 2
), kept AS (
    INSERT INTO counts (storage_id, bucket, messages, bytes, in_flight, delayed)
    SELECT storage_id, bucket, messages, bytes, in_flight, delayed FROM summed
    WHERE messages <> 0 OR bytes <> 0 OR in_flight <> 0 OR delayed <> 0
)
SELECT storage_id FROM folded`

// countsSlack is how many rows more than needed a storage may have before they are folded.
const countsSlack = 8

// FoldCounts adds up to limit rows of the counters and gives how many they were.
func (s *Store) FoldCounts(ctx context.Context, limit int) (int, error) {
	return s.exec(ctx, foldCountsSQL, pgx.StrictNamedArgs{"slack": countsSlack, "limit": limit})
}

package pg

import (
	"context"
	"sync"
	"time"

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

// foldSQL adds up the rows of the counters that the CTE places names, and that it has locked: what they say of messages and bytes goes
// into one row for each storage, what is hidden into one for each second. now() without the account's advance keeps more seconds
// apart than it must, and so does a past that begins a minute ago, for a reader may have begun before.
const foldSQL = `, folded AS (
    DELETE FROM counts WHERE ctid = ANY (ARRAY(SELECT place FROM places))
    RETURNING storage_id, bucket, messages, bytes, in_flight, delayed
), kept AS (
    INSERT INTO counts (storage_id, bucket, messages, bytes, in_flight, delayed)
    SELECT storage_id, '-infinity'::timestamptz, sum(messages), sum(bytes), 0, 0
    FROM folded WHERE messages <> 0 OR bytes <> 0
    GROUP BY storage_id HAVING sum(messages) <> 0 OR sum(bytes) <> 0
    UNION ALL
    SELECT storage_id, bucket, 0, 0, sum(in_flight), sum(delayed)
    FROM folded WHERE (in_flight <> 0 OR delayed <> 0) AND bucket > now() - interval '1 minute'
    GROUP BY storage_id, bucket HAVING sum(in_flight) <> 0 OR sum(delayed) <> 0
)
SELECT storage_id FROM folded`

// foldStoragesSQL folds rows of storages, foldPlacesSQL those between two places. Rows that another server folds at the moment
// are left to it.
const foldStoragesSQL = `
WITH places AS (
    SELECT c.place FROM unnest(@storage::bigint[]) AS b(storage_id) CROSS JOIN LATERAL (
        SELECT c.ctid AS place FROM counts c WHERE c.storage_id = b.storage_id LIMIT @limit FOR UPDATE SKIP LOCKED
    ) c LIMIT @limit
)` + foldSQL

const foldPlacesSQL = `
WITH places AS (
    SELECT ctid AS place FROM counts WHERE ctid > (@after::text)::tid AND ctid <= (@last::text)::tid LIMIT @limit FOR UPDATE SKIP LOCKED
)` + foldSQL

// unfoldedSQL looks at the rows that come next by their places: which is the last, how many they are, and whether adding
// them up leaves a fifth less, or many less of one storage.
const unfoldedSQL = `
SELECT COALESCE(max(last)::text, ''), COALESCE(sum(rows), 0)::integer, COALESCE(sum(more) >= sum(rows) * 0.2 OR max(more) >= @many, false)
FROM (
    SELECT max(last) AS last, sum(rows) AS rows, sum(rows) - count(*) AS more
    FROM (
        SELECT storage_id, max(place) AS last, count(*) AS rows
        FROM (SELECT ctid AS place, storage_id, bucket FROM counts WHERE ctid > (@after::text)::tid LIMIT @limit) c
        GROUP BY storage_id, CASE WHEN bucket > now() - interval '1 minute' THEN bucket ELSE '-infinity' END
    ) c
    GROUP BY storage_id
) s`

const (
	foldFrom     = 100         // trains after which this server folds what they wrote for a storage
	foldAllEvery = time.Minute // how often it goes through all rows, for what others have written, or few of its own
	firstPlace   = "(0,0)"     // before all rows
)

// FoldCounts adds up rows of the counters, up to limit with a statement, and gives how many they were: fewer than
// limit only when there is nothing more to fold.
func (s *Store) FoldCounts(ctx context.Context, limit int) (folded int, err error) {
	if storages := s.unfolded.take(limit); len(storages) > 0 {
		folded, err = s.exec(ctx, foldStoragesSQL, pgx.StrictNamedArgs{"storage": storages, "limit": limit})
	}
	for err == nil && folded < limit {
		after := s.unfolded.next()
		if after == "" {
			break
		}
		var n int
		n, err = s.foldBehind(ctx, after, limit)
		folded += n
	}
	return folded, err
}

// foldBehind adds up the next limit rows behind a place, if that is worth while.
func (s *Store) foldBehind(ctx context.Context, after string, limit int) (folded int, err error) {
	last, rows, worth := "", 0, false
	err = s.do(ctx, unfoldedSQL, pgx.StrictNamedArgs{"after": after, "limit": limit, "many": foldFrom}, func(found pgx.Rows) error {
		_, err := pgx.ForEachRow(found, []any{&last, &rows, &worth}, func() error { return nil })
		return err
	})
	if err == nil && worth {
		folded, err = s.exec(ctx, foldPlacesSQL, pgx.StrictNamedArgs{"after": after, "last": last, "limit": limit})
	}
	if err != nil {
		return folded, err
	}
	if rows < limit {
		last = ""
	}
	s.unfolded.reach(last)
	return folded, nil
}

// unfolded knows which storages' counters are to be folded, of how many trains of this server they have rows
// since they last were, and how far it is in going through all there is.
type unfolded struct {
	mu      sync.Mutex
	trains  map[int64]int
	ripe    map[int64]int // trains of storages that have enough of them
	began   time.Time     // when it last began to go through all
	reached string        // the place up to which it has, "" at the end
}

func (u *unfolded) init() { u.trains, u.ripe = map[int64]int{}, map[int64]int{} }

// add counts a train for each of the storages.
func (u *unfolded) add(storages []int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, storage := range storages {
		u.trains[storage]++
		if u.trains[storage] >= foldFrom {
			u.ripe[storage] += u.trains[storage]
			delete(u.trains, storage)
		}
	}
}

// take gives storages to which at least so many trains have written, where there are as many, and
// forgets these trains.
func (u *unfolded) take(rows int) (storages []int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for storage, n := range u.ripe {
		if rows <= 0 {
			break
		}
		storages = append(storages, storage)
		if n > rows {
			u.ripe[storage] = n - rows
		} else {
			delete(u.ripe, storage)
		}
		rows -= n
	}
	return storages
}

// next gives the place behind which to go on through all rows, "" when that is over for the time being.
func (u *unfolded) next() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.reached == "" && time.Since(u.began) >= foldAllEvery {
		u.began, u.reached = time.Now(), firstPlace
		clear(u.trains)
	}
	return u.reached
}

func (u *unfolded) reach(place string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.reached = place
}

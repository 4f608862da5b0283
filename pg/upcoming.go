package pg

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// upcomingSQL finds, for queues that are waited for, what is visible and what will be soon, summed
// up by 5 ms. It reads at most 10,000 index entries per priority. Most queues that are waited for have
// nothing to come: whether there is anything is asked first, which costs a fifth of summing up nothing.
const upcomingSQL = `
SELECT i.ord, d.messages, d.ripe
FROM unnest(@queue::bigint[], @storage::bigint[], @priority::smallint[], @mark::timestamptz[])
    WITH ORDINALITY AS i(queue, storage, priority, mark, ord)
LEFT JOIN LATERAL (
    SELECT q.id, q.storage_id, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now
    FROM queues q WHERE q.id = i.queue AND q.storage_id = i.storage LIMIT 1
) q ON true
LEFT JOIN LATERAL (
    SELECT true AS some FROM messages m
    WHERE m.storage_id = q.storage_id AND m.priority = i.priority
        AND m.visible_at >= i.mark AND m.visible_at <= q.now + @within::interval
    ORDER BY m.visible_at LIMIT 1
) first ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS messages, (extract(epoch FROM max(m.visible_at) - q.now) * 1000000)::bigint AS ripe
    FROM (
        SELECT m.visible_at FROM messages m
        WHERE m.storage_id = q.storage_id AND m.priority = i.priority
            AND m.visible_at >= i.mark AND m.visible_at <= q.now + @within::interval
        ORDER BY m.visible_at LIMIT 10000
    ) m
    GROUP BY CASE WHEN m.visible_at > q.now THEN floor(extract(epoch FROM m.visible_at) * 200) ELSE 0 END
) d ON first.some
WHERE i.priority > 0 AND (q.id IS NULL OR first.some)`

// upcomingGroupsSQL is upcomingSQL for FIFO queues, of which it counts the groups.
const upcomingGroupsSQL = `
SELECT i.ord, d.groups, d.ripe
FROM unnest(@queue::bigint[], @storage::bigint[], @priority::smallint[], @mark::timestamptz[])
    WITH ORDINALITY AS i(queue, storage, priority, mark, ord)
LEFT JOIN LATERAL (
    SELECT q.id, q.storage_id, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now
    FROM queues q WHERE q.id = i.queue AND q.storage_id = i.storage LIMIT 1
) q ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS groups, (extract(epoch FROM max(g.due) - q.now) * 1000000)::bigint AS ripe
    FROM (
        SELECT g.due FROM groups g
        WHERE g.storage_id = q.storage_id AND g.head >= 0 AND g.due >= i.mark AND g.due <= q.now + @within::interval
        ORDER BY g.due LIMIT 10000
    ) g
    GROUP BY CASE WHEN g.due > q.now THEN floor(extract(epoch FROM g.due) * 200) ELSE 0 END
) d ON true
WHERE i.priority = 0 AND (q.id IS NULL OR d.groups IS NOT NULL)`

// Upcoming is of core.Store.
func (s *Store) Upcoming(ctx context.Context, queues []int64, within time.Duration) ([]core.Arrival, error) {
	var (
		arrivals   []core.Arrival
		ids        = make([]int64, 0, len(queues)) // most have one priority
		storages   = make([]int64, 0, len(queues))
		priorities = make([]int16, 0, len(queues))
		low        = make([]time.Time, 0, len(queues))
	)
	byID, err := s.queuesByID(ctx, queues)
	if err != nil {
		return nil, err
	}
	margin := s.peers.margin()
	for _, id := range queues {
		queue := byID[id]
		if queue == nil { // deleted: who waits for it must be told
			arrivals = append(arrivals, core.Arrival{Queue: id})
			continue
		}
		used := prioritiesOf(queue)
		mark := s.marks.lowest(queue.Storage, queue.Retention, used, margin)
		for _, p := range used {
			ids, storages, priorities, low = append(ids, id), append(storages, queue.Storage), append(priorities, p), append(low, mark)
		}
	}
	args := pgx.StrictNamedArgs{"queue": ids, "storage": storages, "priority": priorities, "mark": low, "within": within}
	read := func(rows pgx.Rows) error {
		var ord int64
		var messages, ripe *int64
		_, err := pgx.ForEachRow(rows, []any{&ord, &messages, &ripe}, func() error {
			arrival := core.Arrival{Queue: ids[ord-1]}
			if messages != nil {
				arrival.Messages, arrival.In = int(*messages), time.Duration(*ripe)*time.Microsecond
			} else {
				s.queues.forgetID(arrival.Queue)
			}
			arrivals = append(arrivals, arrival)
			return nil
		})
		return err
	}
	err = s.do(ctx, upcomingSQL, args, read)
	if err == nil && slices.Contains(priorities, groupsMark[0]) {
		err = s.do(ctx, upcomingGroupsSQL, args, read)
	}
	return arrivals, err
}

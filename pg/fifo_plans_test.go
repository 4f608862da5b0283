package pg_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

// fifoStatements names ten messages each, where it names any, of ten groups of a queue with ten messages in each
// group: sequence 1 to 10 are those of group 1, which are in flight, as those of all groups of odd number.
func fifoStatements(queue, storage int64) map[string]plannedStatement {
	const n = 10
	groups, even, sequences, numbers := make([]int64, n), make([]int64, n), make([]int64, n), make([]int32, n)
	digests := make([][]byte, n)
	for i := range n {
		groups[i], even[i], sequences[i], numbers[i] = int64(2*i+1), int64(2*i+2), int64(20*i+1), int32(i+1)
		digests[i] = fmt.Appendf(nil, "%016d", i)
	}
	queues, storages, places := repeat(queue, n), repeat(storage, n), repeat(int32(1), n)
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	return map[string]plannedStatement{
		"lock groups": {pg.LockGroupsSQL, pgx.NamedArgs{
			"queue": []int64{queue}, "version": []int64{1}, "storage": storages, "group": groups, "place": places, "delay": repeat(time.Duration(0), n),
			"mixed": repeat(false, n), "head": 0, "sends": true,
		}, 100},
		"remember sent": {pg.RememberSentSQL, pgx.NamedArgs{
			"queue": []int64{queue}, "version": []int64{1}, "place": places, "digest": digests, "id": sequences, "number": numbers, "window": core.DeduplicationWindow,
		}, 100},
		"send": {pg.SendFIFOSQL, pgx.NamedArgs{
			"queue": []int64{queue}, "version": []int64{1}, "place": places, "storage": storages, "group_key": groups, "number": numbers, "id": sequences,
			"digest": digests, "delay": repeat(time.Duration(0), n), "size": repeat(int32(1), n), "priority": repeat(int16(8), n), "form": repeat(int16(0), n),
			"group": repeat("g", n), "deduplication": repeat("d", n), "sender": repeat("", n), "attributes": repeat([]byte(nil), n), "body": repeat([]byte("a"), n),
			"twice_storage": storages, "twice_group": even, "window": core.DeduplicationWindow,
		}, 300},
		"delete": {pg.DeleteFIFOSQL, pgx.NamedArgs{
			"queue": []int64{queue}, "storage": []int64{storage}, "place": places, "group": groups, "sequence": sequences, "version": repeat(int32(1), n),
		}, 200},
		"change visibility": {pg.ChangeFIFOSQL, pgx.NamedArgs{
			"queue": queues, "storage": storages, "group": groups, "sequence": sequences, "version": repeat(int32(1), n), "timeout": repeat(int64(1), n),
			"max_total": repeat(int64(0), n), "newest": repeat(false, n), "rotate": repeat(true, n), "give_back": repeat(false, n),
		}, 200},
		"refresh groups": {pg.RefreshGroupsSQL, pgx.NamedArgs{
			"queue": []int64{queue}, "storage": storages, "group": groups, "place": places, "force": repeat(true, n),
		}, 200},
		"receive": {pg.ReceiveFIFOSQL, pgx.NamedArgs{
			"queue": []int64{queue, queue + 1}, "version": []int64{1, 1}, "first": []int32{0, 2}, "callers": []int32{2, 1}, "wanted": []int64{2 * n, n},
			"per_group": []int64{100, 100}, "mark": []time.Time{start, start}, "timeout": []int64{30_000_000, 0}, "limit": []int64{n, n, n},
			"attempt": [][]byte{nil, digests[0], nil}, "window": core.DeduplicationWindow, "move_time": pg.MoveTime,
		}, 400},
		"move": {pg.MoveFIFOSQL, pgx.NamedArgs{
			"queue": []int64{queue + 1}, "queue_version": []int64{1}, "storage": storages, "source": "s", "group": groups, "sequence": sequences,
			"version": repeat(int32(1), n), "id": sequences, "place": places, "target": repeat(storage+1, n), "deduplication": repeat("", n),
		}, 200},
		"peek": {pg.PeekFIFOSQL, pgx.NamedArgs{"queue": queue, "version": 1, "hidden": true, "after": 500, "limit": n}, 100},
		"upcoming": {pg.UpcomingGroupsSQL, pgx.NamedArgs{
			"queue": []int64{queue, queue + 1}, "storage": []int64{storage, storage + 1}, "priority": []int16{0, 0},
			"mark": []time.Time{time.Now(), start}, "within": 5 * time.Second,
		}, 200},
		"sweep": {pg.SweepGroupsSQL, pgx.NamedArgs{
			"storage": []int64{storage, storage + 1}, "priority": []int16{0, 0}, "mark": []time.Time{time.Now(), time.Now()},
		}, 10},
		"expire":         {pg.ExpiredGroupsSQL, pgx.NamedArgs{"limit": n}, 3*grownQueues + 100}, // every queue, and its first message
		"expire groups":  {pg.ExpireFIFOSQL, pgx.NamedArgs{"queue": queues, "storage": storages, "group": groups, "limit": n}, 300},
		"remove dropped": {pg.RemoveDroppedFIFOSQL, pgx.NamedArgs{"limit": n}, 200},
		"remove ids":     {pg.RemoveIDsSQL, pgx.NamedArgs{"limit": n, "window": core.DeduplicationWindow}, 100},
		"attempt":        {pg.AttemptSQL, pgx.NamedArgs{"queue": queue, "version": 1, "digest": digests[0]}, 10},
		"delay page":     {pg.DelayPageSQL, pgx.NamedArgs{"queue": queue, "before": 500, "limit": n}, 50},
		"delay":          {pg.DelayFIFOSQL, pgx.NamedArgs{"queue": queue, "storages": storages, "group": groups, "sequence": sequences}, 100},
		"idle delays":    {pg.IdleDelaysSQL, pgx.NamedArgs{"idle": time.Minute, "limit": n}, 50},
		"repeat": {pg.RepeatSQL, pgx.NamedArgs{
			"group": groups, "sequence": sequences, "version": repeat(int32(1), n), "storage": storage, "digest": digests[0],
			"visible_at": start, "now": time.Now(), "timeout": time.Minute,
		}, 200},
	}
}

// TestFIFOPlans is TestPlans for FIFO queues.
func TestFIFOPlans(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	admin := database(t, url)
	for _, table := range []string{"queues", "groups", "fifo_messages", "deduplication", "receive_attempts", "counts"} {
		execute(t, admin, `ALTER TABLE `+table+` SET (autovacuum_enabled = off)`)
	}
	queue, storage := grownQueue(t, admin)
	execute(t, admin, `UPDATE queues SET fifo = true`)
	statements := fifoStatements(queue, storage)
	execute(t, admin, `ANALYZE`)
	small := planned(t, url, statements)
	grow := func() {
		t.Helper()
		execute(t, admin, `INSERT INTO groups (storage_id, group_key, due, head)
			SELECT $1::bigint, g, now() + CASE WHEN g % 2 = 0 THEN -interval '1 hour' ELSE interval '1 hour' END + g * interval '1 millisecond', (g - 1) * 10 + 1
			FROM generate_series(1, $2::bigint / 10) g UNION ALL SELECT s, 1, now(), 1 FROM generate_series($1::bigint + 1, $3) s`, storage, grownRows, grownQueues)
		execute(t, admin, `INSERT INTO fifo_messages (storage_id, group_key, sequence, id, visible_at, sent_at, receive_count, handle_version, size, priority, form, group_id, body)
			SELECT storage_id, group_key, head + i, head + i, due, now() - interval '1 hour', 1, 1, 1, 8, 0, 'g', 'a' FROM groups, generate_series(0, 9) i`)
		execute(t, admin, `INSERT INTO deduplication (storage_id, digest, id, sequence, expires_at) SELECT $1, convert_to(lpad(i::text, 16, '0'), 'UTF8'), i, i, now() + interval '1 minute' FROM generate_series(5, $2) i`, storage, grownRows)
		execute(t, admin, `INSERT INTO receive_attempts (storage_id, digest, groups, sequences, versions, visible_at, expires_at) SELECT $1, convert_to(lpad(i::text, 16, '0'), 'UTF8'), '{}', '{}', '{}', now(), now() + interval '1 minute' FROM generate_series(5, $2) i`, storage, grownRows/10)
	}
	execute(t, admin, `INSERT INTO queues (account, region, name, fifo, delay, visibility_timeout, retention, receive_wait, max_message_size, logging, bodies,
		priorities, attributes, tags, created_at, modified_at)
		SELECT 'grown', 'r', 'q' || i, true, '0', '30 seconds', '1 minute', '0', 1, false, '', 256, '{}', '{}', now(), now() FROM generate_series(2, $1) i`, grownQueues)
	execute(t, admin, `INSERT INTO dropped_storages SELECT 1 + $1 / 2`, grownQueues)
	grow()
	small.check(t, "planned when small")
	planned(t, url, statements).check(t, "planned without statistics")
	execute(t, admin, `ANALYZE`)
	planned(t, url, statements).check(t, "planned with statistics")
	for _, table := range []string{"groups", "fifo_messages", "deduplication", "receive_attempts"} {
		execute(t, admin, `DELETE FROM `+table)
		execute(t, admin, `VACUUM (ANALYZE, TRUNCATE off) `+table)
	}
	drained := planned(t, url, statements)
	grow()
	drained.check(t, "planned when drained")
}

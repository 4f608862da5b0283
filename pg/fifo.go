package pg

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// groupKey names a message group: the storage of its queue and a hash of its id.
type groupKey struct{ storage, key int64 }

func compareGroups(a, b groupKey) int {
	return cmp.Or(cmp.Compare(a.storage, b.storage), cmp.Compare(a.key, b.key))
}

func groupKeyOf(storage int64, id string) groupKey {
	sum := sha256.Sum256([]byte(id))
	return groupKey{storage, int64(binary.BigEndian.Uint64(sum[:8]))}
}

// Sequence numbers have 20 digits, of which the first is a one, so that they compare alike as numbers and as texts.
func sequenceText(sequence int64) string { return fmt.Sprintf("1%019d", sequence) }

// fifoPart is what a train carries for FIFO queues. Its statements are sent behind those for standard
// queues: the locks of all groups whose messages are sent, deleted or changed; the deletes and the changes,
// and what follows from them for the groups; the sends; the receives.
type fifoPart struct {
	train
	groups  []*touchedGroup // by key, the order in which they are locked
	byGroup map[groupKey]*touchedGroup
}

// touchedGroup is a group that a train changes.
type touchedGroup struct {
	groupKey
	queue   *core.Queue
	sent    bool          // messages are sent to it
	delay   time.Duration // of the first of them
	mixed   bool          // others have another, and the first may turn out to be a duplicate
	changed bool          // some of its messages are deleted or changed
	force   bool          // messages that a receive may have seen as visible are changed: its snapshot must be told from this state

	opened bool    // it had no messages before
	stored bool    // and has some now
	shown  []shown // when its first message is visible, if that has changed
}

// stationOf gives the station of small operations on a queue.
func (s *Store) stationOf(queue *core.Queue) *station {
	if queue.FIFO {
		return s.fifo
	}
	return s.hot
}

// beginLocking waits for a place among the transactions that lock message groups. There are fewer places than connections: an
// application that holds a group for long in a transaction of its own (polymq.send) must not take them away from standard queues.
func (s *Store) beginLocking(ctx context.Context) error {
	wait, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	select {
	case s.locking <- struct{}{}:
		return nil
	case <-wait.Done():
		return wait.Err()
	}
}

func (s *Store) endLocking() { <-s.locking }

// lockingTransaction is a transaction that locks message groups.
func (s *Store) lockingTransaction(ctx context.Context, do func(pgx.Tx) error) error {
	if err := s.beginLocking(ctx); err != nil {
		return translate(err)
	}
	defer s.endLocking()
	return s.transaction(ctx, do)
}

// sendLocking runs a batch that locks message groups as one transaction.
func (s *Store) sendLocking(ctx context.Context, batch *pgx.Batch) error {
	if err := s.beginLocking(ctx); err != nil {
		return err
	}
	defer s.endLocking()
	return s.send(ctx, batch)
}

// byKind parts a train by the kind of its queues. A train without FIFO queues is left as it is.
func (t *train) byKind() (standard *train, fifo *fifoPart) {
	if !t.hasFIFO() {
		return t, nil
	}
	rest := *t
	rest.deletes, rest.changes, rest.sends, rest.receives = nil, nil, nil, nil
	standard, fifo = &rest, &fifoPart{byGroup: map[groupKey]*touchedGroup{}}
	part(&standard.deletes, &fifo.deletes, t.deletes, func(o *deleteOp) bool { return o.queue.FIFO })
	part(&standard.changes, &fifo.changes, t.changes, func(o *changeOp) bool { return o.queue.FIFO })
	part(&standard.sends, &fifo.sends, t.sends, func(o *sendOp) bool { return o.queue.FIFO })
	part(&standard.receives, &fifo.receives, t.receives, func(o *receiveOp) bool { return o.queue.FIFO })
	return standard, fifo
}

func part[T any](standard, fifo *[]T, all []T, isFIFO func(T) bool) {
	for _, o := range all {
		if isFIFO(o) {
			*fifo = append(*fifo, o)
		} else {
			*standard = append(*standard, o)
		}
	}
}

func (t *train) hasFIFO() bool {
	return slices.ContainsFunc(t.deletes, func(o *deleteOp) bool { return o.queue.FIFO }) ||
		slices.ContainsFunc(t.changes, func(o *changeOp) bool { return o.queue.FIFO }) ||
		slices.ContainsFunc(t.sends, func(o *sendOp) bool { return o.queue.FIFO }) ||
		slices.ContainsFunc(t.receives, func(o *receiveOp) bool { return o.queue.FIFO })
}

// queueFIFO sends the statements for FIFO queues, none where there are no such operations.
func (s *Store) queueFIFO(batch *pgx.Batch, f *fifoPart) {
	if f == nil {
		return
	}
	f.touch()
	s.queueLocks(batch, f)
	s.queueFIFODeletes(batch, f.deletes)
	s.queueFIFOChanges(batch, f.changes)
	s.queueRefresh(batch, f)
	s.queueFIFOSends(batch, f)
	s.queueFIFOReceives(batch, f.receives)
}

// touch gathers the groups to lock.
func (f *fifoPart) touch() {
	for _, o := range f.deletes {
		for _, h := range o.handles {
			f.group(o.queue, h.group).changed = true
		}
	}
	for _, o := range f.changes {
		for _, c := range o.changes {
			g := f.group(o.queue, c.group)
			g.changed, g.force = true, true
		}
	}
	for _, o := range f.sends {
		for i := range o.messages {
			g := f.group(o.queue, o.group(i))
			delay := visibleAfter(*o.messages[i].Delay, len(o.messages)-i)
			if !g.sent {
				g.sent, g.delay = true, delay
			}
			g.mixed = g.mixed || max(delay, 0) != max(g.delay, 0)
			if o.queue.Version > g.queue.Version { // who sees the queue as it was is left out
				g.queue = o.queue
			}
		}
	}
	for _, o := range f.receives {
		for _, key := range o.insist {
			f.group(o.queue, key).changed = true // nothing has, but a row without messages goes
		}
	}
	f.sort()
}

func (f *fifoPart) sort() {
	slices.SortFunc(f.groups, func(a, b *touchedGroup) int { return compareGroups(a.groupKey, b.groupKey) })
}

func (f *fifoPart) group(queue *core.Queue, key int64) *touchedGroup {
	k := groupKey{queue.Storage, key}
	g := f.byGroup[k]
	if g == nil {
		g = &touchedGroup{groupKey: k, queue: queue}
		f.byGroup[k] = g
		f.groups = append(f.groups, g)
	}
	return g
}

// group gives the group of a message to a FIFO queue.
func (o *sendOp) group(i int) int64 {
	if o.groups == nil {
		o.groups = make([]int64, len(o.messages))
		for i := range o.messages {
			o.groups[i] = groupKeyOf(o.queue.Storage, o.messages[i].GroupID).key
		}
	}
	return o.groups[i]
}

// lockGroupsSQL locks the rows of groups in the order of their keys, and makes those that messages are sent
// to and that are not there. The statements behind it see what everyone has done who held the locks before,
// since each takes its snapshot when it begins. A condition that never holds keeps rows as they are, which
// are locked all the same. The number that the train's messages get their sequence numbers from is taken last.
const lockGroupsSQL = `
WITH queue AS MATERIALIZED (
    SELECT array_agg(q.now ORDER BY a.ord) AS nows
    FROM unnest(@queue::bigint[], @version::bigint[]) WITH ORDINALITY AS a(queue, version, ord)
    LEFT JOIN LATERAL (
        SELECT now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now
        FROM queues q WHERE q.id = a.queue AND q.version = a.version LIMIT 1
    ) q ON true
), locked AS (
    INSERT INTO groups AS g (storage_id, group_key, due, head)
    SELECT storage, group_key, CASE WHEN mixed THEN 'infinity' ELSE COALESCE((SELECT nows FROM queue)[queue] + delay, 'infinity') END, @head
    FROM unnest(@storage::bigint[], @group::bigint[], @place::integer[], @delay::interval[], @mixed::boolean[]) AS i(storage, group_key, queue, delay, mixed)
    WHERE (SELECT nows FROM queue)[queue] IS NOT NULL
        OR EXISTS (SELECT FROM groups e WHERE e.storage_id = i.storage AND e.group_key = i.group_key)
    ON CONFLICT (storage_id, group_key) DO UPDATE SET head = g.head WHERE false
    RETURNING storage_id, group_key, due
)
SELECT storage_id, group_key FROM locked WHERE due < 'infinity'
UNION ALL
SELECT 0, nextval('sequence_blocks') FROM (SELECT count(*) FROM locked) AS all_of_them WHERE @sends`

var lockGroupsStatement = prepare(lockGroupsSQL)

func (s *Store) queueLocks(batch *pgx.Batch, f *fifoPart) {
	if len(f.groups) == 0 {
		return
	}
	var (
		queues   viewList
		storages = make([]int64, len(f.groups))
		keys     = make([]int64, len(f.groups))
		places   = make([]int32, len(f.groups))
		delays   = make([]time.Duration, len(f.groups))
		mixed    = make([]bool, len(f.groups))
	)
	for i, g := range f.groups {
		storages[i], keys[i], delays[i], mixed[i] = g.storage, g.key, g.delay, g.mixed
		if g.sent {
			places[i] = queues.place(g.queue.ID, g.queue.Version)
		}
	}
	lockGroupsStatement.queue(batch, pgx.StrictNamedArgs{
		"queue": queues.ids, "version": queues.versions, "storage": storages, "group": keys, "place": places, "delay": delays, "mixed": mixed,
		"head": s.lastSequence.Load(), "sends": len(f.sends) > 0,
	}).Query(func(rows pgx.Rows) error {
		var key groupKey
		_, err := pgx.ForEachRow(rows, []any{&key.storage, &key.key}, func() error {
			if g := f.byGroup[key]; g != nil {
				g.opened = true
			}
			return nil
		})
		return err
	})
}

// refreshGroupsSQL brings the rows of groups, whose locks an earlier statement took, in line with their
// messages: a group is due when its first message is visible or past its retention, or since it became available, and is gone
// without messages. It tells of those that are due at another time than before. Rows that must not pass for
// what a receive has seen are written anew in any case.
const refreshGroupsSQL = `
WITH queue AS MATERIALIZED (
    SELECT array_agg(q.now ORDER BY a.ord) AS nows, array_agg(q.retention ORDER BY a.ord) AS retentions
    FROM unnest(@queue::bigint[]) WITH ORDINALITY AS a(queue, ord)
    LEFT JOIN LATERAL (
        SELECT now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now, q.retention
        FROM queues q WHERE q.id = a.queue LIMIT 1
    ) q ON true
), input AS (
    SELECT i.ord, i.storage, i.group_key, i.force, COALESCE((SELECT nows FROM queue)[i.queue], now()) AS now, (SELECT retentions FROM queue)[i.queue] AS retention
    FROM unnest(@storage::bigint[], @group::bigint[], @place::integer[], @force::boolean[]) WITH ORDINALITY AS i(storage, group_key, queue, force, ord)
), state AS MATERIALIZED (
    SELECT i.*, g.due AS was, m.sequence, CASE WHEN m.visible_at > i.now THEN m.visible_at WHEN g.due <= i.now THEN g.due ELSE i.now END AS due
    FROM input i
    CROSS JOIN LATERAL (SELECT g.due, g.head FROM groups g WHERE g.storage_id = i.storage AND g.group_key = i.group_key LIMIT 1) g
    LEFT JOIN LATERAL (
        SELECT m.sequence, least(m.visible_at, m.sent_at + i.retention) AS visible_at FROM fifo_messages m
        WHERE m.storage_id = i.storage AND m.group_key = i.group_key AND m.sequence >= g.head ORDER BY m.sequence LIMIT 1
    ) m ON true
), emptied AS (
    DELETE FROM groups g USING state s
    WHERE s.sequence IS NULL AND g.storage_id = ANY (ARRAY[s.storage]) AND g.group_key = s.group_key
), moved AS (
    UPDATE groups g SET due = s.due, head = s.sequence FROM state s
    WHERE s.sequence IS NOT NULL AND (s.due <> s.was OR s.force) AND g.storage_id = ANY (ARRAY[s.storage]) AND g.group_key = s.group_key
    RETURNING s.ord, s.was, s.due, s.now
)
SELECT ord, due, now FROM moved WHERE due <> was`

var refreshGroupsStatement = prepare(refreshGroupsSQL)

// queueRefresh refreshes the groups of a train whose messages are deleted or changed.
func (s *Store) queueRefresh(batch *pgx.Batch, f *fifoPart) {
	var changed []*touchedGroup
	for _, g := range f.groups {
		if g.changed {
			changed = append(changed, g)
		}
	}
	if len(changed) > 0 {
		refreshGroups(batch, changed)
	}
}

func refreshGroups(batch *pgx.Batch, groups []*touchedGroup) {
	var (
		queues   viewList
		storages = make([]int64, len(groups))
		keys     = make([]int64, len(groups))
		places   = make([]int32, len(groups))
		force    = make([]bool, len(groups))
	)
	for i, g := range groups {
		storages[i], keys[i], places[i], force[i] = g.storage, g.key, queues.place(g.queue.ID, 0), g.force
	}
	refreshGroupsStatement.queue(batch, pgx.StrictNamedArgs{"queue": queues.ids, "storage": storages, "group": keys, "place": places, "force": force}).
		Query(func(rows pgx.Rows) error {
			var ord int64
			var due, now time.Time
			_, err := pgx.ForEachRow(rows, []any{&ord, &due, &now}, func() error {
				g := groups[ord-1]
				g.shown = append(g.shown, shown{due.Sub(now), due})
				return nil
			})
			return err
		})
}

// settle makes known which groups became available, or when they will.
func (f *fifoPart) settle(s *Store) { announceGroups(s, f.groups) }

// announceGroups makes known when groups are due.
func announceGroups(s *Store, groups []*touchedGroup) {
	for _, g := range groups {
		for _, m := range g.shown {
			s.announce(g.queue, 1, m.in, m.at)
		}
	}
}

// tidy removes what has expired of groups, and the groups that are empty.
func (s *Store) tidy(groups []*touchedGroup) {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	if _, err := s.tidyGroups(ctx, groups); err != nil {
		s.log.Warn().Err(err).Int("groups", len(groups)).Msg("could not tidy message groups; receives look at them again")
	}
}

package pg

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// digest stands for an id that a FIFO queue remembers.
type digest [16]byte

// bytes gives nil for no digest.
func (d *digest) bytes() []byte {
	if d == nil {
		return nil
	}
	return d[:]
}

func digestOf(parts ...string) digest {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0}) // no id has it
	}
	return digest(h.Sum(nil)[:16])
}

// deduplicationDigest gives what a message's deduplication id is remembered by, nil for a message without one and for one that
// is repeated.
func deduplicationDigest(queue *core.Queue, m *core.NewMessage) *digest {
	if m.DeduplicationID == "" || m.Repeated {
		return nil
	}
	d := digestOf(m.DeduplicationID)
	if queue.DeduplicationScope == core.DeduplicateInGroup {
		d = digestOf(m.GroupID, m.DeduplicationID)
	}
	return &d
}

// rememberSentSQL remembers what a train sends to FIFO queues, in the order of the keys. Who remembers an id that is
// remembered already waits for the other to commit, and leaves it alone unless it has expired: the statement
// behind this one sees whose it is.
const rememberSentSQL = `
WITH queue AS MATERIALIZED (
    SELECT array_agg(q.storage_id ORDER BY a.ord) AS storages, array_agg(q.now ORDER BY a.ord) AS nows
    FROM unnest(@queue::bigint[], @version::bigint[]) WITH ORDINALITY AS a(queue, version, ord)
    LEFT JOIN LATERAL (
        SELECT q.storage_id, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now
        FROM queues q WHERE q.id = a.queue AND q.version = a.version LIMIT 1
    ) q ON true
)
INSERT INTO deduplication AS d (storage_id, digest, id, sequence, expires_at)
SELECT (SELECT storages FROM queue)[queue], digest, id, (SELECT currval('sequence_blocks')) * 1024 + number, (SELECT nows FROM queue)[queue] + @window::interval
FROM unnest(@place::integer[], @digest::bytea[], @id::bigint[], @number::integer[]) AS i(queue, digest, id, number)
WHERE (SELECT storages FROM queue)[queue] IS NOT NULL
ON CONFLICT (storage_id, digest) DO UPDATE
SET id = excluded.id, sequence = excluded.sequence, expires_at = excluded.expires_at, written_at = excluded.written_at
WHERE d.expires_at <= excluded.expires_at - @window::interval`

var rememberSentStatement = prepare(rememberSentSQL)

// sendFIFOSQL stores those of a train's messages that are not remembered as others, with the sequence
// numbers that the train has taken. A group that has none yet begins with the first of them; most
// were made when their groups were locked, and those made for what turned out to be duplicates go again. A queue may have
// changed since its messages were remembered: then they are forgotten.
const sendFIFOSQL = `
WITH queue AS MATERIALIZED (
    SELECT array_agg(q.storage_id ORDER BY a.ord) AS storages, array_agg(q.now ORDER BY a.ord) AS nows
    FROM unnest(@queue::bigint[], @version::bigint[]) WITH ORDINALITY AS a(queue, version, ord)
    LEFT JOIN LATERAL (
        SELECT q.storage_id, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = q.account), '0') AS now
        FROM queues q WHERE q.id = a.queue AND q.version = a.version LIMIT 1
    ) q ON true
), fate AS MATERIALIZED (
    SELECT i.ord, i.queue, i.storage, i.group_key, i.id AS own, d.id, d.sequence, d.expires_at - @window::interval AS sent_at
    FROM unnest(@place::integer[], @storage::bigint[], @group_key::bigint[], @digest::bytea[], @id::bigint[])
        WITH ORDINALITY AS i(queue, storage, group_key, digest, id, ord)
    LEFT JOIN LATERAL (
        SELECT d.id, d.sequence, d.expires_at FROM deduplication d WHERE d.storage_id = i.storage AND d.digest = i.digest LIMIT 1
    ) d ON true
), originals AS MATERIALIZED (
    SELECT array_agg(id ORDER BY ord) AS ids FROM fate
), sent AS (
    INSERT INTO fifo_messages (storage_id, group_key, sequence, id, visible_at, sent_at, size, priority, form,
        group_id, deduplication_id, sender, attributes, body)
    SELECT storage, group_key, (SELECT currval('sequence_blocks')) * 1024 + number, id, (SELECT nows FROM queue)[queue] + delay,
        (SELECT nows FROM queue)[queue], size, priority, form, group_id, NULLIF(deduplication_id, ''), NULLIF(sender, ''), attributes, body
    FROM unnest(@place::integer[], @storage::bigint[], @group_key::bigint[], @number::integer[], @id::bigint[], @delay::interval[], @size::integer[],
        @priority::smallint[], @form::smallint[], @group::text[], @deduplication::text[], @sender::text[], @attributes::bytea[], @body::bytea[])
        WITH ORDINALITY AS i(queue, storage, group_key, number, id, delay, size, priority, form, group_id, deduplication_id, sender, attributes, body, ord)
    WHERE (SELECT storages FROM queue)[queue] = storage AND COALESCE((SELECT ids FROM originals)[ord] = id, true)
    RETURNING storage_id, group_key, sequence, id, visible_at, sent_at, size
), opened AS (
    INSERT INTO groups AS g (storage_id, group_key, due, head)
    SELECT storage_id, group_key, (array_agg(visible_at ORDER BY sequence))[1], min(sequence)
    FROM sent GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (storage_id, group_key) DO UPDATE SET due = excluded.due, head = excluded.head WHERE g.due = 'infinity'
    RETURNING storage_id, group_key
), closed AS (
    DELETE FROM groups g USING (
        SELECT storage, group_key FROM fate WHERE id <> own OR (SELECT storages FROM queue)[queue] IS DISTINCT FROM storage
        UNION SELECT storage, group_key FROM unnest(@twice_storage::bigint[], @twice_group::bigint[]) AS twice(storage, group_key)
    ) i
    WHERE g.storage_id = ANY (ARRAY[i.storage]) AND g.group_key = i.group_key
        AND NOT EXISTS (SELECT FROM fifo_messages m WHERE m.storage_id = i.storage AND m.group_key = i.group_key AND m.sequence >= g.head)
        AND NOT EXISTS (SELECT FROM sent s WHERE s.storage_id = i.storage AND s.group_key = i.group_key)
), forgotten AS (
    DELETE FROM deduplication d USING unnest(@place::integer[], @storage::bigint[], @digest::bytea[], @id::bigint[]) AS i(queue, storage, digest, id)
    WHERE (SELECT storages FROM queue)[i.queue] IS DISTINCT FROM i.storage
        AND d.storage_id = ANY (ARRAY[i.storage]) AND d.digest = i.digest AND d.id = i.id
), counted AS (
    INSERT INTO counts (storage_id, bucket, messages, bytes, delayed)
    SELECT storage_id, '-infinity', count(*), sum(size), 0 FROM sent GROUP BY 1
    UNION ALL
    SELECT storage_id, visible_at, 0, 0, count(*) FROM sent WHERE visible_at > sent_at GROUP BY 1, 2
)
SELECT 0, storage_id, group_key, NULL::timestamptz, NULL::timestamptz FROM opened
UNION ALL
SELECT 1, id, sequence, visible_at, sent_at FROM sent
UNION ALL
SELECT 1 + ord, id, sequence, sent_at, sent_at FROM fate
WHERE id IS NOT NULL AND (SELECT storages FROM queue)[queue] = storage`

var sendFIFOStatement = prepare(sendFIFOSQL)

// fifoSend is one message that a train sends to a FIFO queue.
type fifoSend struct {
	*sendOp
	index  int // among the caller's
	place  int32
	number int32 // among the train's to the queue, from one
	digest *digest

	duplicates []*fifoSend // that came behind it with the same deduplication id
}

func (f *fifoSend) id() int64                 { return f.first + int64(f.index) }
func (f *fifoSend) group() int64              { return f.sendOp.group(f.index) }
func (f *fifoSend) message() *core.NewMessage { return &f.messages[f.index] }

// queueFIFOSends sends what a train carries for FIFO queues, all but duplicates of each other.
func (s *Store) queueFIFOSends(batch *pgx.Batch, f *fifoPart) {
	if len(f.sends) == 0 {
		return
	}
	var queues viewList
	type remembered struct {
		place int32
		digest
	}
	var sends []*fifoSend
	var twice []groupKey // of duplicates
	first := map[remembered]*fifoSend{}
	numbers := map[int64]int32{} // of each storage's messages; a call has no more for one than there are numbers
	for _, o := range f.sends {
		o.stored = 0
		place := queues.place(o.queue.ID, o.queue.Version)
		for i := range o.messages {
			numbers[o.queue.Storage]++
			send := &fifoSend{sendOp: o, index: i, place: place, number: numbers[o.queue.Storage], digest: deduplicationDigest(o.queue, &o.messages[i])}
			if send.digest != nil {
				key := remembered{place, *send.digest}
				if original := first[key]; original != nil {
					original.duplicates = append(original.duplicates, send)
					twice = append(twice, groupKey{o.queue.Storage, send.group()})
					continue
				}
				first[key] = send
			}
			sends = append(sends, send)
		}
	}
	s.queueDeduplication(batch, &queues, sends)
	s.queueFIFORows(batch, f, &queues, sends, twice)
}

func (s *Store) queueDeduplication(batch *pgx.Batch, queues *viewList, all []*fifoSend) {
	var sends []*fifoSend
	for _, send := range all {
		if send.digest != nil {
			sends = append(sends, send)
		}
	}
	if len(sends) == 0 {
		return
	}
	slices.SortFunc(sends, func(a, b *fifoSend) int {
		return cmp.Or(cmp.Compare(a.queue.Storage, b.queue.Storage), bytes.Compare(a.digest[:], b.digest[:]))
	})
	var (
		places  = make([]int32, len(sends))
		digests = make([][]byte, len(sends))
		ids     = make([]int64, len(sends))
		numbers = make([]int32, len(sends))
	)
	for i, send := range sends {
		places[i], digests[i], ids[i], numbers[i] = send.place, send.digest.bytes(), send.id(), send.number
	}
	rememberSentStatement.queue(batch, pgx.StrictNamedArgs{
		"queue": queues.ids, "version": queues.versions, "place": places, "digest": digests, "id": ids, "number": numbers,
		"window": core.DeduplicationWindow,
	})
}

func (s *Store) queueFIFORows(batch *pgx.Batch, f *fifoPart, queues *viewList, sends []*fifoSend, twice []groupKey) {
	var (
		n              = len(sends)
		places         = make([]int32, n)
		storages       = make([]int64, n)
		keys           = make([]int64, n)
		numbers        = make([]int32, n)
		ids            = make([]int64, n)
		digests        = make([][]byte, n)
		delays         = make([]time.Duration, n)
		sizes          = make([]int32, n)
		priorities     = make([]int16, n)
		forms          = make([]int16, n)
		groups         = make([]string, n)
		deduplications = make([]string, n)
		senders        = make([]string, n)
		attributes     = make([][]byte, n)
		bodies         = make([][]byte, n)
		twiceStorages  = make([]int64, len(twice))
		twiceGroups    = make([]int64, len(twice))
	)
	for i, g := range twice {
		twiceStorages[i], twiceGroups[i] = g.storage, g.key
	}
	for i, send := range sends {
		m := send.message()
		places[i], storages[i], keys[i], numbers[i] = send.place, send.queue.Storage, send.group(), send.number
		ids[i], digests[i], delays[i] = send.id(), send.digest.bytes(), visibleAfter(*m.Delay, n-i)
		sizes[i], priorities[i], forms[i] = int32(m.Size()), int16(m.Priority), int16(m.Form)
		groups[i], deduplications[i], senders[i] = m.GroupID, m.DeduplicationID, m.Sender
		attributes[i], bodies[i] = send.codes[send.index], notNull(m.Body)
	}
	sendFIFOStatement.queue(batch, pgx.StrictNamedArgs{
		"queue": queues.ids, "version": queues.versions, "place": places, "storage": storages, "group_key": keys, "number": numbers, "id": ids,
		"digest": digests, "delay": delays, "size": sizes, "priority": priorities, "form": forms, "group": groups,
		"deduplication": deduplications, "sender": senders, "attributes": attributes, "body": bodies, "twice_storage": twiceStorages, "twice_group": twiceGroups, "window": core.DeduplicationWindow,
	}).Query(func(rows pgx.Rows) error { return s.readFIFOSends(rows, f, sends) })
}

func (s *Store) readFIFOSends(rows pgx.Rows, f *fifoPart, sends []*fifoSend) error {
	byID := make(map[int64]*fifoSend, len(sends))
	for _, send := range sends {
		byID[send.id()] = send
	}
	var kind, id, sequence int64
	var visibleAt, sentAt *time.Time
	_, err := pgx.ForEachRow(rows, []any{&kind, &id, &sequence, &visibleAt, &sentAt}, func() error {
		switch kind {
		case 0:
			f.byGroup[groupKey{id, sequence}].opened = true
		case 1:
			send := byID[id]
			send.is(s, id, sequence, *visibleAt, *sentAt, false)
			s.sequenceIs(sequence)
			f.byGroup[groupKey{send.queue.Storage, send.group()}].began(*visibleAt, *sentAt)
		default:
			if send := sends[kind-2]; send.id() != id {
				send.is(s, id, sequence, *visibleAt, *sentAt, true)
			}
		}
		return nil
	})
	return err
}

// is says what became of a message, and so of its duplicates.
func (f *fifoSend) is(s *Store, id, sequence int64, visibleAt, sentAt time.Time, duplicate bool) {
	sent := &f.sent[f.index]
	*sent = core.Sent{ID: s.keys.messageID(id), Sequence: sequenceText(sequence), SentAt: sentAt, VisibleAt: visibleAt, Duplicate: duplicate}
	if visibleAt.After(sentAt) {
		sent.Handle = s.keys.format(f.queue.ID, handle{storage: f.queue.Storage, id: sequence, group: f.group(), fifo: true, message: s.loggedID(f.queue, id)})
	}
	f.stored++
	for _, d := range f.duplicates {
		d.is(s, id, sequence, sentAt, sentAt, true)
	}
}

// began says that a group got a message; the first one of a group that had none makes it available.
func (g *touchedGroup) began(visibleAt, sentAt time.Time) {
	if g.opened && !g.stored {
		g.shown = append(g.shown, shown{visibleAt.Sub(sentAt), visibleAt})
	}
	g.stored = true
}

// sequenceIs takes note of a sequence number that is in use. All that are taken later are greater.
func (s *Store) sequenceIs(sequence int64) {
	for {
		last := s.lastSequence.Load()
		if sequence <= last || s.lastSequence.CompareAndSwap(last, sequence) {
			return
		}
	}
}

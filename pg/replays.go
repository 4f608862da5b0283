package pg

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// Bounds of one chunk of a replay.
const (
	replayChunk = 100
	replayBytes = 4 << 20
)

// archives reports whether what is published to the topic is kept. While a replay is under way it is, also when the archive has
// been given up: what is published meanwhile reaches the subscription from there.
func archives(routes *core.Routes) bool {
	if routes.Topic.Archive > 0 {
		return true
	}
	for i := range routes.Subscriptions {
		if routes.Subscriptions[i].Replay != core.NoReplay {
			return true
		}
	}
	return false
}

// archiveRows are messages that a transaction adds to an archive.
type archiveRows struct {
	ids, sequences []int64
	contents       [][]byte
}

func (a *archiveRows) add(id, sequence int64, m *core.PublishedMessage) error {
	content, err := encodePublished(m)
	a.ids, a.sequences, a.contents = append(a.ids, id), append(a.sequences, sequence), append(a.contents, content)
	return err
}

const archiveSQL = `
INSERT INTO archived (topic_id, sequence, published_id, published_at, content)
SELECT @topic, sequence, id, @at, content FROM unnest(@sequence::bigint[], @id::bigint[], @content::bytea[]) AS i(sequence, id, content)`

func (a *archiveRows) queue(batch *pgx.Batch, topic int64, at time.Time) {
	if len(a.ids) > 0 {
		queue(batch, archiveSQL, pgx.StrictNamedArgs{"topic": topic, "at": at, "sequence": a.sequences, "id": a.ids, "content": a.contents})
	}
}

// beginReplaySQL begins a replay, the topic being locked. One under way ends: what it has delivered that was not from the
// archive belongs to the archive for the new one, and what it has not is still to come.
const beginReplaySQL = `
WITH topic AS MATERIALIZED (
    SELECT t.id, t.sequence, t.archived_after,
        GREATEST(@from::timestamptz, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = t.account), '0') - t.archive) AS begins
    FROM topics t WHERE t.id = @topic
), span AS MATERIALIZED (
    SELECT t.id, t.sequence, COALESCE((
            SELECT a.sequence FROM archived a WHERE a.topic_id = t.id AND a.published_at >= t.begins AND a.sequence > t.archived_after
            ORDER BY a.published_at, a.sequence LIMIT 1
        ), t.sequence + 1) AS first,
        CASE WHEN @to::timestamptz IS NULL THEN t.sequence ELSE COALESCE((
            SELECT a.sequence FROM archived a WHERE a.topic_id = t.id AND a.published_at <= @to ORDER BY a.published_at DESC, a.sequence DESC LIMIT 1
        ), 0) END AS last
    FROM topic t
)
INSERT INTO replays AS r (subscription_id, topic_id, next_sequence, last_sequence, live_sequence)
SELECT @subscription, id, first, last, sequence FROM span
ON CONFLICT (subscription_id) DO UPDATE SET begun = false, failures = 0, due_at = now(),
    live_sequence = GREATEST(r.live_sequence, r.next_sequence - 1),
    last_sequence = LEAST(excluded.last_sequence, GREATEST(r.live_sequence, r.next_sequence - 1)),
    next_sequence = LEAST(excluded.next_sequence, GREATEST(r.live_sequence, r.next_sequence - 1) + 1)`

// endReplaySQL leaves out what is still to be replayed; what was published since follows.
const endReplaySQL = `UPDATE replays SET next_sequence = GREATEST(next_sequence, live_sequence + 1), due_at = now() WHERE subscription_id = @subscription`

// beginReplay begins a replay within a transaction that has locked the topic, or ends the one under way.
func beginReplay(ctx context.Context, tx pgx.Tx, topic *core.Topic, sub *core.Subscription, replay *core.Replay) error {
	if *replay == (core.Replay{}) {
		_, err := tx.Exec(ctx, endReplaySQL, pgx.StrictNamedArgs{"subscription": sub.ID})
		return err
	}
	if topic.Archive == 0 {
		return core.Errorf(core.InvalidArgument, "topic %q keeps no archive to replay", topic.Name.Name)
	}
	if sub.Queue == (core.QueueName{}) {
		return core.Errorf(core.InvalidArgument, "an archive is replayed to queues only")
	}
	var to *time.Time
	if !replay.To.IsZero() {
		to = &replay.To
	}
	sub.Replay = core.ReplayPending
	_, err := tx.Exec(ctx, beginReplaySQL, pgx.StrictNamedArgs{"subscription": sub.ID, "topic": topic.ID, "from": replay.From, "to": to})
	return err
}

// announceReplay makes known that there is something to replay to a subscription.
func (s *Store) announceReplay(sub *core.Subscription) {
	if sub.Replay != core.NoReplay {
		s.announceDelivery(core.FanOutLane, 0)
	}
}

// replay is one that a transaction has taken.
type replay struct {
	subscription, topic int64
	next, last, live    int64
	failures            int // in a row
}

const takeReplaySQL = `
SELECT subscription_id, topic_id, next_sequence, last_sequence, live_sequence, failures FROM replays
WHERE due_at <= now() ORDER BY due_at, subscription_id LIMIT 1 FOR UPDATE SKIP LOCKED`

// archivedSQL reads a chunk of an archive.
const archivedSQL = `
SELECT published_id, sequence, published_at, content
FROM (
    SELECT published_id, sequence, published_at, content,
        sum(octet_length(content)) OVER (ORDER BY sequence ROWS UNBOUNDED PRECEDING) - octet_length(content) AS before
    FROM archived WHERE topic_id = @topic AND sequence >= @next AND sequence <= @last
    ORDER BY sequence LIMIT @most
) a
WHERE before < @bytes ORDER BY sequence`

const (
	moveReplaySQL   = `UPDATE replays SET next_sequence = @next, due_at = now(), begun = true, failures = 0 WHERE subscription_id = @subscription`
	putOffReplaySQL = `UPDATE replays SET due_at = now() + @pause::interval, failures = failures + @failures WHERE subscription_id = @subscription`
	dropReplaySQL   = `DELETE FROM replays WHERE subscription_id = @subscription`
)

// unconfirmedPause is how long a replay rests whose subscription is still to be confirmed.
const unconfirmedPause = 10 * time.Second

type routeReplayed = func(*core.Routes, *core.Subscription, *core.PublishedMessage) (core.Publication, error)

// Replay is of core.Store.
func (s *Store) Replay(ctx context.Context, route routeReplayed) (found bool, err error) {
	var r replay
	for range maxStaleChunks {
		r = replay{}
		if found, err = s.replayChunk(ctx, &r, route); !errors.Is(err, core.ErrQueueChanged) {
			break
		}
	}
	if err == nil || r.subscription == 0 || core.CodeOf(err) == core.Unavailable {
		return found, err
	}
	err = fmt.Errorf("replay to subscription %d: %w", r.subscription, err)
	if _, late := s.exec(ctx, putOffReplaySQL, pgx.StrictNamedArgs{"subscription": r.subscription, "pause": chunkPause(r.failures), "failures": 1}); late != nil {
		return false, errors.Join(err, late)
	}
	return true, err
}

// replayChunk replays a chunk to its queue, and writes down how far it has got, in one transaction.
func (s *Store) replayChunk(ctx context.Context, r *replay, route routeReplayed) (found bool, err error) {
	var sends *train
	var pushed []core.Publication
	caughtUp := false
	began := time.Now()
	err = s.routingTransaction(ctx, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, takeReplaySQL).Scan(&r.subscription, &r.topic, &r.next, &r.last, &r.live, &r.failures)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		found = true
		routes, sub, err := s.replayTo(ctx, tx, r)
		if err != nil || sub == nil {
			return err
		}
		messages, next, err := s.archivedMessages(ctx, tx, r)
		if err != nil {
			return err
		}
		if caughtUp = len(messages) == 0 && next == r.next; caughtUp {
			return nil
		}
		sends, pushed = &train{}, nil
		batch := &pgx.Batch{}
		for _, m := range messages {
			p, err := route(routes, sub, m)
			if err != nil {
				return err
			}
			if err := s.queuePublication(ctx, batch, r.topic, &p, sends); err != nil {
				return err
			}
			pushed = append(pushed, p)
		}
		if err := tx.SendBatch(ctx, batch).Close(); err != nil {
			return err
		}
		if err := s.sendIn(ctx, tx, sends); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, moveReplaySQL, pgx.StrictNamedArgs{"subscription": r.subscription, "next": next})
		return err
	})
	if err != nil || !found {
		return false, err
	}
	if caughtUp {
		return true, s.finishReplay(ctx, r)
	}
	s.announceTrain(sends, began)
	if sends != nil {
		tell(sends.sends, pushed)
	}
	for i := range pushed {
		s.announceStored(r.topic, &pushed[i])
	}
	return true, nil
}

// replayTo gives the subscription of a replay, nil where there is nobody to replay to, or not yet.
func (s *Store) replayTo(ctx context.Context, tx pgx.Tx, r *replay) (*core.Routes, *core.Subscription, error) {
	routes, err := s.routesByID(ctx, r.topic)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, err
	}
	var sub *core.Subscription
	if routes != nil {
		sub = subscriptionIn(routes, r.subscription)
	}
	switch {
	case sub == nil:
		_, err = tx.Exec(ctx, dropReplaySQL, pgx.StrictNamedArgs{"subscription": r.subscription})
		return nil, nil, err
	case sub.State != core.Confirmed:
		_, err = tx.Exec(ctx, putOffReplaySQL, pgx.StrictNamedArgs{"subscription": r.subscription, "pause": unconfirmedPause, "failures": 0})
		return nil, nil, err
	}
	return routes, sub, nil
}

// archivedMessages reads what is next, and gives the sequence number to go on from.
func (s *Store) archivedMessages(ctx context.Context, tx pgx.Tx, r *replay) (messages []*core.PublishedMessage, next int64, err error) {
	next, last := r.next, r.last
	if next > last { // on to what was published since
		next, last = max(next, r.live+1), math.MaxInt64
	}
	messages, read, err := s.readArchived(ctx, tx, r, next, last)
	if read != 0 || err != nil || last == math.MaxInt64 {
		return messages, max(next, read+1), err
	}
	next = max(next, r.live+1)
	messages, read, err = s.readArchived(ctx, tx, r, next, math.MaxInt64)
	return messages, max(next, read+1), err
}

// readArchived reads a chunk, and gives the last sequence number that it has seen, 0 where there was none. What cannot be read is
// passed over.
func (s *Store) readArchived(ctx context.Context, tx pgx.Tx, r *replay, next, last int64) (messages []*core.PublishedMessage, read int64, err error) {
	rows, _ := tx.Query(ctx, archivedSQL, pgx.StrictNamedArgs{"topic": r.topic, "next": next, "last": last, "most": replayChunk, "bytes": replayBytes})
	var id int64
	var at time.Time
	var content []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &read, &at, &content}, func() error {
		m, err := decodePublished(content, s.keys.messageID(id), at)
		if err != nil {
			s.log.Error().Err(err).Int64("topic", r.topic).Int64("sequence", read).Msg("an archived message cannot be read, and is not replayed")
			return nil
		}
		m.Replayed = read <= r.live
		messages = append(messages, m)
		return nil
	})
	return messages, read, err
}

const (
	lockTopicIDSQL   = `SELECT id FROM topics WHERE id = @topic FOR UPDATE`
	finishReplaySQL  = `DELETE FROM replays WHERE subscription_id = @subscription AND next_sequence = @next AND topic_id = @topic`
	archivedSinceSQL = `SELECT EXISTS (SELECT FROM archived WHERE topic_id = @topic AND sequence >= @next AND sequence > @live)`
)

// finishReplay ends a replay that has caught up: from now on the subscription gets what is published as others do. The topic is locked,
// so that nothing is published in between.
func (s *Store) finishReplay(ctx context.Context, r *replay) error {
	finished := false
	err := s.transaction(ctx, func(tx pgx.Tx) error {
		finished = false
		args := pgx.StrictNamedArgs{"topic": r.topic}
		var id int64
		if err := tx.QueryRow(ctx, lockTopicIDSQL, args).Scan(&id); errors.Is(err, pgx.ErrNoRows) {
			return nil // the next chunk finds it gone
		} else if err != nil {
			return err
		}
		var more bool
		err := tx.QueryRow(ctx, archivedSinceSQL, pgx.StrictNamedArgs{"topic": r.topic, "next": r.next, "live": r.live}).Scan(&more)
		if err != nil || more {
			return err
		}
		tag, err := tx.Exec(ctx, finishReplaySQL, pgx.StrictNamedArgs{"subscription": r.subscription, "next": r.next, "topic": r.topic})
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		finished = true
		_, err = txTopic(ctx, tx, touchTopicSQL, pgx.StrictNamedArgs{"id": r.topic})
		return err
	})
	if err == nil && finished {
		s.announceTopic(r.topic)
	}
	return err
}

// expireArchivedSQL leaps from topic to topic and removes what their archives need not keep: nothing of it is kept where there is no topic
// or it has given its archive up. What is being replayed stays.
const expireArchivedSQL = `
WITH RECURSIVE kept AS (
    (SELECT topic_id FROM archived ORDER BY topic_id LIMIT 1)
    UNION ALL
    SELECT n.topic_id FROM kept k CROSS JOIN LATERAL (SELECT a.topic_id FROM archived a WHERE a.topic_id > k.topic_id ORDER BY a.topic_id LIMIT 1) n
), bounds AS MATERIALIZED (
    SELECT k.topic_id, LEAST(
        CASE WHEN t.archive > '0' THEN GREATEST(t.archived_after, COALESCE((
            SELECT a.sequence FROM archived a
            WHERE a.topic_id = k.topic_id AND a.published_at < now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = t.account), '0') - t.archive
            ORDER BY a.published_at DESC, a.sequence DESC LIMIT 1
        ), 0)) ELSE 9223372036854775807 END,
        COALESCE((SELECT r.next_sequence - 1 FROM replays r WHERE r.topic_id = k.topic_id ORDER BY r.next_sequence LIMIT 1), 9223372036854775807)
    ) AS last
    FROM kept k LEFT JOIN LATERAL (SELECT t.* FROM topics t WHERE t.id = k.topic_id LIMIT 1) t ON true
), old AS MATERIALIZED (
    SELECT a.topic_id, a.sequence
    FROM bounds b CROSS JOIN LATERAL (
        SELECT a.topic_id, a.sequence FROM archived a WHERE a.topic_id = b.topic_id AND a.sequence <= b.last ORDER BY a.sequence LIMIT @limit
    ) a
    LIMIT @limit
)
DELETE FROM archived a USING old o WHERE a.topic_id = ANY (ARRAY[o.topic_id]) AND a.sequence = o.sequence`

// ExpireArchived removes up to limit messages that archives need not keep any more, and gives how many.
func (s *Store) ExpireArchived(ctx context.Context, limit int) (int, error) {
	return s.exec(ctx, expireArchivedSQL, pgx.StrictNamedArgs{"limit": limit})
}

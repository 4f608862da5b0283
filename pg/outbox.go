package pg

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

const keepSQL = `
INSERT INTO kept_messages (account, region, topic, subscription, message, protocol, recipient, subject, body, extra, kept_at)
VALUES (@account, @region, @topic, @subscription, @message, @protocol, @recipient, @subject, @body, @extra::jsonb,
    now() + COALESCE((SELECT ahead FROM clocks WHERE account = @account), '0'))`

func keepArgs(m *core.KeptMessage) pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{
		"account": m.Account, "region": m.Region, "topic": m.Topic, "subscription": m.Subscription, "message": m.Message, "protocol": m.Protocol,
		"recipient": m.To, "subject": m.Subject, "body": notNull(m.Body), "extra": jsonObject(m.Extra),
	}
}

// Keep is of core.Store.
func (s *Store) Keep(ctx context.Context, in core.KeptMessage) (core.MessageID, error) {
	id, err := s.ids.allot(ctx, 1)
	if err != nil {
		return core.MessageID{}, err
	}
	in.Message = s.keys.messageID(id)
	_, err = s.exec(ctx, keepSQL, keepArgs(&in))
	return in.Message, err
}

func queueKept(batch *pgx.Batch, outcomes []core.Outcome) {
	for _, o := range outcomes {
		queue(batch, keepSQL, keepArgs(o.Keep))
	}
}

// parseCursor reads the cursor of a list that goes from the newest to the oldest row.
func parseCursor(after string) (int64, error) {
	if after == "" {
		return 1<<63 - 1, nil
	}
	var id int64
	err := readCursor(after, &id)
	return id, err
}

// readCursor reads a cursor that is so many numbers with dashes between, none below 0.
func readCursor(after string, into ...*int64) error {
	parts := strings.Split(after, "-")
	fits := len(parts) == len(into)
	for i := 0; fits && i < len(into); i++ {
		n, err := strconv.ParseUint(parts[i], 10, 63)
		*into[i], fits = int64(n), err == nil
	}
	if !fits {
		return noCursor(after)
	}
	return nil
}

func noCursor(after string) error {
	return core.Errorf(core.InvalidArgument, "%q is not a cursor of this list", after)
}

const listKeptSQL = `
SELECT id, message, account, region, topic, subscription, protocol, recipient, subject, body, extra, kept_at FROM kept_messages
WHERE account = @account AND region = @region AND id < @before AND (@topic = '' OR topic = @topic) AND (@subscription = '' OR subscription = @subscription)
ORDER BY id DESC LIMIT @limit`

func listArgs(in core.ListDeliveriesInput, before int64) pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{
		"account": in.Topic.Account, "region": in.Topic.Region, "topic": in.Topic.Name, "subscription": in.Subscription, "before": before, "limit": in.Limit + 1,
	}
}

// ListKept is of core.Store.
func (s *Store) ListKept(ctx context.Context, in core.ListDeliveriesInput) (core.KeptPage, error) {
	before, err := parseCursor(in.After)
	if err != nil {
		return core.KeptPage{}, err
	}
	var page core.KeptPage
	var ids []int64
	err = s.look(ctx, listKeptSQL, listArgs(in, before), func(rows pgx.Rows) (err error) {
		page.Messages, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (m core.KeptMessage, err error) {
			var id int64
			err = row.Scan(&id, &m.Message, &m.Account, &m.Region, &m.Topic, &m.Subscription, &m.Protocol, &m.To, &m.Subject, &m.Body, &m.Extra, &m.KeptAt)
			ids = append(ids, id)
			return m, err
		})
		return err
	})
	if len(ids) > in.Limit {
		page.Messages = page.Messages[:in.Limit]
		page.Next = strconv.FormatInt(ids[in.Limit-1], 10)
	}
	return page, err
}

const dropKeptSQL = `
DELETE FROM kept_messages WHERE id IN (
    SELECT id FROM kept_messages
    WHERE account = @account AND region = @region AND protocol = @protocol AND (@recipient = '' OR recipient = @recipient) LIMIT @limit)`

// keptDropped is how many messages of the outbox are removed at once.
const keptDropped = 1000

// DropKept is of core.Store.
func (s *Store) DropKept(ctx context.Context, in core.DropKeptInput) error {
	args := pgx.StrictNamedArgs{"account": in.Account, "region": in.Region, "protocol": in.Protocol, "recipient": in.To, "limit": keptDropped}
	for {
		if n, err := s.exec(ctx, dropKeptSQL, args); err != nil || n < keptDropped {
			return err
		}
	}
}

const listAttemptsSQL = `
SELECT id, message, account, region, topic, subscription, protocol, endpoint, number, verdict, status, reason, excerpt, latency, at, next_at, dead_lettered, kept
FROM attempts
WHERE account = @account AND region = @region AND id < @before AND (@topic = '' OR topic = @topic) AND (@subscription = '' OR subscription = @subscription)
ORDER BY id DESC LIMIT @limit`

// ListAttempts is of core.Store.
func (s *Store) ListAttempts(ctx context.Context, in core.ListDeliveriesInput) (core.AttemptPage, error) {
	before, err := parseCursor(in.After)
	if err != nil {
		return core.AttemptPage{}, err
	}
	var page core.AttemptPage
	var ids []int64
	err = s.look(ctx, listAttemptsSQL, listArgs(in, before), func(rows pgx.Rows) (err error) {
		page.Attempts, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (a core.Attempt, err error) {
			var id int64
			var next *time.Time
			name := &a.Subscription
			err = row.Scan(&id, &a.Message, &name.Topic.Account, &name.Topic.Region, &name.Topic.Name, &name.Name, &a.Protocol, &a.Endpoint,
				&a.Number, &a.Verdict, &a.Answer.Status, &a.Answer.Reason, &a.Answer.Excerpt, &a.Answer.Latency, &a.At, &next, &a.DeadLettered, &a.Answer.Kept)
			if next != nil {
				a.NextAttempt = *next
			}
			ids = append(ids, id)
			return a, err
		})
		return err
	})
	if len(ids) > in.Limit {
		page.Attempts = page.Attempts[:in.Limit]
		page.Next = strconv.FormatInt(ids[in.Limit-1], 10)
	}
	return page, err
}

// Deliveries of a lane come in the order in which they are due, by the database's clock; those that are due
// at the same moment by message.
const listDeliveriesSQL = `
SELECT d.published_id, d.subscription_id, d.lane, d.attempts, d.claim, d.due_at + COALESCE((SELECT ahead FROM clocks WHERE account = @account), '0'),
    d.due_at
FROM deliveries d
WHERE d.lane = @lane AND d.subscription_id = @subscription AND d.due_at >= @due AND (d.due_at > @due OR d.published_id > @published)
ORDER BY d.due_at, d.published_id LIMIT @limit`

// ListDeliveries is of core.Store.
func (s *Store) ListDeliveries(ctx context.Context, in core.ListDeliveriesInput) (core.DeliveryPage, error) {
	sub, err := s.Subscription(ctx, core.SubscriptionName{Topic: in.Topic, Name: in.Subscription})
	if err != nil {
		return core.DeliveryPage{}, err
	}
	due, published, err := parseDeliveryCursor(in.After)
	if err != nil {
		return core.DeliveryPage{}, err
	}
	var rows []deliveryRow
	var dues []time.Time
	err = s.look(ctx, listDeliveriesSQL, pgx.StrictNamedArgs{
		"account": in.Topic.Account, "lane": laneOf(&sub), "subscription": sub.ID, "due": due, "published": published, "limit": in.Limit + 1,
	}, func(r pgx.Rows) (err error) {
		rows, err = pgx.CollectRows(r, func(row pgx.CollectableRow) (d deliveryRow, err error) {
			var due time.Time
			err = row.Scan(&d.published, &d.subscription, &d.lane, &d.attempts, &d.claim, &d.at, &due)
			dues = append(dues, due)
			return d, err
		})
		return err
	})
	if err != nil {
		return core.DeliveryPage{}, err
	}
	var page core.DeliveryPage
	if len(rows) > in.Limit {
		rows = rows[:in.Limit]
		page.Next = fmt.Sprintf("%d-%d", dues[in.Limit-1].UnixMicro(), rows[in.Limit-1].published)
	}
	page.Deliveries, err = s.listed(ctx, rows, &sub)
	return page, err
}

// parseDeliveryCursor reads the cursor of a list of deliveries: when the last one was due, and its message.
func parseDeliveryCursor(after string) (due time.Time, published int64, err error) {
	if after == "" {
		return time.UnixMicro(0), -1, nil
	}
	var micros int64
	err = readCursor(after, &micros, &published)
	return time.UnixMicro(micros), published, err
}

// listed gives deliveries with their messages, without claiming them.
func (s *Store) listed(ctx context.Context, rows []deliveryRow, sub *core.Subscription) ([]core.Delivery, error) {
	messages, err := s.messagesOf(ctx, rows)
	if err != nil {
		return nil, err
	}
	deliveries := make([]core.Delivery, 0, len(rows))
	for _, r := range rows {
		m := messages[r.published]
		if m.message == nil {
			continue // delivered since, or it cannot be read: who claims it ends it
		}
		deliveries = append(deliveries, core.Delivery{
			ID: core.DeliveryID{Message: m.message.ID, Subscription: sub.ID}, Subscription: sub, Message: m.message,
			Attempts: r.attempts, NextAttempt: r.at, Lane: r.lane,
		})
	}
	return deliveries, nil
}

// removePublishedSQL looks at the messages behind a place and removes those that nobody waits for.
const removePublishedSQL = `
WITH next AS MATERIALIZED (
    SELECT id FROM published WHERE id > @after ORDER BY id LIMIT @limit
), removed AS (
    DELETE FROM published p USING next n
    WHERE p.id = ANY (ARRAY[n.id])
        AND (SELECT d.published_id FROM deliveries d WHERE d.published_id = p.id LIMIT 1) IS NULL
        AND (SELECT f.published_id FROM fan_outs f WHERE f.published_id = p.id LIMIT 1) IS NULL
)
SELECT max(id) FROM next`

// RemovePublished looks at up to limit messages that were published, a part of them each time, and
// removes those that have been delivered to everyone: the net under SettleDeliveries.
func (s *Store) RemovePublished(ctx context.Context, limit int) error {
	var last *int64
	err := s.do(ctx, removePublishedSQL, pgx.StrictNamedArgs{"after": s.lookedAt.Load(), "limit": limit}, func(rows pgx.Rows) (err error) {
		last, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[*int64])
		return err
	})
	if err != nil {
		return err
	}
	if last == nil {
		s.lookedAt.Store(0) // from the start again
	} else {
		s.lookedAt.Store(*last)
	}
	return nil
}

// Ids rise with the time of recording, so the first ones are all that need be looked at.
const forgetAttemptsSQL = `
DELETE FROM attempts WHERE id = ANY (ARRAY(
    SELECT o.id FROM (SELECT id, recorded_at FROM attempts ORDER BY id LIMIT @limit FOR UPDATE SKIP LOCKED) o
    WHERE o.id <= (SELECT max(id) FROM attempts) - @most OR o.recorded_at < now() - @life::interval))`

// ForgetAttempts removes up to limit attempts that are older than core.MaxAttemptsKept or not among the
// last core.MaxAttemptsCount, and gives how many.
func (s *Store) ForgetAttempts(ctx context.Context, limit int) (int, error) {
	return s.exec(ctx, forgetAttemptsSQL, pgx.StrictNamedArgs{"most": core.MaxAttemptsCount, "life": core.MaxAttemptsKept, "limit": limit})
}

const forgetKeptSQL = `
DELETE FROM kept_messages WHERE id = ANY (ARRAY(
    SELECT o.id FROM (SELECT id, recorded_at FROM kept_messages ORDER BY id LIMIT @limit FOR UPDATE SKIP LOCKED) o
    WHERE o.recorded_at < now() - @life::interval))`

// ForgetKept removes up to limit messages of the outbox that are older than core.MaxKept, and gives how many.
func (s *Store) ForgetKept(ctx context.Context, limit int) (int, error) {
	return s.exec(ctx, forgetKeptSQL, pgx.StrictNamedArgs{"life": core.MaxKept, "limit": limit})
}

const forgetDeduplicationsSQL = `
DELETE FROM topic_deduplications d USING (
    SELECT o.topic_id, o.group_id, o.id
    FROM (SELECT t.id, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = t.account), '0') AS now FROM topics t WHERE t.fifo OFFSET 0) t
    CROSS JOIN LATERAL (
        SELECT d.topic_id, d.group_id, d.id FROM topic_deduplications d
        WHERE d.topic_id = t.id AND d.published_at < t.now - @window::interval LIMIT @limit FOR UPDATE SKIP LOCKED
    ) o LIMIT @limit
) o
WHERE d.topic_id = ANY (ARRAY[o.topic_id]) AND d.group_id = o.group_id AND d.id = o.id`

// ForgetDeduplications removes up to limit deduplication ids of topics whose window has passed, and gives how many.
func (s *Store) ForgetDeduplications(ctx context.Context, limit int) (int, error) {
	return s.exec(ctx, forgetDeduplicationsSQL, pgx.StrictNamedArgs{"window": core.DeduplicationWindow, "limit": limit})
}

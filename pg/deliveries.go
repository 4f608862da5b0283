package pg

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// laneOf gives what stands for the subscription's endpoint: subscriptions of one endpoint share its bounds.
func laneOf(sub *core.Subscription) int64 {
	sum := sha256.Sum256([]byte(sub.Protocol + "\x00" + sub.Endpoint))
	lane := int64(binary.BigEndian.Uint64(sum[:8]))
	if lane == core.AnyLane || lane == core.FanOutLane {
		lane = 1
	}
	return lane
}

// NotifyDeliveries is of core.Store.
func (s *Store) NotifyDeliveries(hearer func(core.LaneDue)) { s.deliveryHearer.Store(&hearer) }

// notifyDelivery passes on what this or another server says.
func (s *Store) notifyDelivery(due core.LaneDue) {
	if hearer := s.deliveryHearer.Load(); hearer != nil {
		(*hearer)(due)
	}
}

// announceDelivery makes known that a delivery of the lane is due in the given time.
func (s *Store) announceDelivery(lane int64, in time.Duration) {
	s.notifyDelivery(core.LaneDue{Lane: lane, In: in})
	if in > core.ArrivalHorizon {
		return // other servers find it when they look at all lanes
	}
	s.tell(func(p *peers) {
		due := time.Now().Add(in)
		if earlier, ok := p.lanes[lane]; !ok || due.Before(earlier) {
			p.lanes[lane] = due
		}
	})
}

// recentMessages keeps messages that were published here, so that they need not be read again, nor
// rendered again, to be pushed. The oldest go first.
type recentMessages struct {
	mu    sync.Mutex
	byID  map[core.MessageID]recentMessage
	order []core.MessageID
	bytes int
}

type recentMessage struct {
	topic   int64
	message *core.PublishedMessage
}

// maxRecentBytes bounds the memory, and messageOverhead is what a message and its envelope take besides the body, which stands in
// both: 8,000 of 200 bytes that were pushed by SNS's http took 4.3 KiB each.
const (
	maxRecentBytes  = 32 << 20
	messageOverhead = 4 << 10
)

// keptBytes is what a message takes, once it is rendered.
func keptBytes(m *core.PublishedMessage) int { return 2*m.Size() + messageOverhead }

func (r *recentMessages) init() { r.byID = map[core.MessageID]recentMessage{} }

// put keeps a message, and gives the one that is kept: that which came first, for it may have been rendered.
func (r *recentMessages) put(topic int64, m *core.PublishedMessage) recentMessage {
	r.mu.Lock()
	defer r.mu.Unlock()
	if kept, ok := r.byID[m.ID]; ok {
		return kept
	}
	kept := recentMessage{topic, m}
	r.byID[m.ID] = kept
	r.order = append(r.order, m.ID)
	r.bytes += keptBytes(m)
	for r.bytes > maxRecentBytes && len(r.order) > 1 {
		r.bytes -= keptBytes(r.byID[r.order[0]].message)
		delete(r.byID, r.order[0])
		r.order = r.order[1:]
	}
	return kept
}

func (r *recentMessages) get(id core.MessageID) (recentMessage, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, ok := r.byID[id]
	return m, ok
}

// dueLanesSQL leaps from lane to lane over the index.
const dueLanesSQL = `
WITH RECURSIVE lanes AS (
    (SELECT lane, due_at FROM deliveries WHERE lane >= '-9223372036854775808' ORDER BY lane, due_at LIMIT 1)
    UNION ALL
    SELECT n.lane, n.due_at FROM lanes l CROSS JOIN LATERAL (
        SELECT d.lane, d.due_at FROM deliveries d WHERE d.lane > l.lane ORDER BY d.lane, d.due_at LIMIT 1
    ) n
)
SELECT lane, (extract(epoch FROM due_at - now()) * 1000000)::bigint FROM lanes WHERE due_at <= now() + @within::interval
UNION ALL (SELECT @fan_out::bigint, 0 FROM fan_outs WHERE due_at <= now() LIMIT 1)
UNION ALL (SELECT @fan_out::bigint, 0 FROM replays WHERE due_at <= now() LIMIT 1)`

// DueLanes is of core.Store.
func (s *Store) DueLanes(ctx context.Context, within time.Duration) (lanes []core.LaneDue, err error) {
	err = s.do(ctx, dueLanesSQL, pgx.StrictNamedArgs{"within": within, "fan_out": core.FanOutLane}, func(rows pgx.Rows) error {
		var lane, in int64
		_, err := pgx.ForEachRow(rows, []any{&lane, &in}, func() error {
			lanes = append(lanes, core.LaneDue{Lane: lane, In: time.Duration(in) * time.Microsecond})
			return nil
		})
		return err
	})
	return lanes, err
}

const claimDeliveriesSQL = `
WITH due AS (
    SELECT d.place FROM unnest(@lane::bigint[], @most::integer[]) AS i(lane, most)
    CROSS JOIN LATERAL (
        SELECT d.ctid AS place FROM deliveries d WHERE d.lane = i.lane AND d.due_at <= now()
        ORDER BY d.due_at LIMIT i.most FOR UPDATE SKIP LOCKED
    ) d
)
UPDATE deliveries d SET due_at = now() + @life::interval, claim = claim + 1, claimed = true
FROM due WHERE d.ctid = due.place
RETURNING d.published_id, d.subscription_id, d.lane, d.attempts, d.claim, now()`

const claimDeliverySQL = `
UPDATE deliveries d SET due_at = now() + @life::interval, claim = claim + 1, claimed = true
WHERE published_id = @published AND subscription_id = @subscription
RETURNING d.published_id, d.subscription_id, d.lane, d.attempts, d.claim, now()`

// deliveryRow is a delivery as a statement returns it.
type deliveryRow struct {
	published, subscription, lane int64
	attempts                      int
	claim                         int64
	at                            time.Time // next attempt or claim, by the database's clock
}

func scanDelivery(row pgx.CollectableRow) (d deliveryRow, err error) {
	err = row.Scan(&d.published, &d.subscription, &d.lane, &d.attempts, &d.claim, &d.at)
	return d, err
}

// ClaimDeliveries is of core.Store. Deliveries whose topic or subscription is no longer known are dropped.
func (s *Store) ClaimDeliveries(ctx context.Context, lanes []core.LaneClaim) ([]*core.Delivery, error) {
	ids, most := make([]int64, len(lanes)), make([]int32, len(lanes))
	for i, l := range lanes {
		ids[i], most[i] = l.Lane, int32(l.Limit)
	}
	var rows []deliveryRow
	err := s.do(ctx, claimDeliveriesSQL, pgx.StrictNamedArgs{"lane": ids, "most": most, "life": core.ClaimLife}, func(r pgx.Rows) (err error) {
		rows, err = pgx.CollectRows(r, scanDelivery)
		return err
	})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return s.completeOrDrop(ctx, rows)
}

// completeOrDrop completes deliveries, and drops those that are lost.
func (s *Store) completeOrDrop(ctx context.Context, rows []deliveryRow) ([]*core.Delivery, error) {
	deliveries, lost, err := s.complete(ctx, rows)
	if err == nil && len(lost) > 0 {
		err = s.settleLost(ctx, lost)
	}
	return deliveries, err
}

// claimExpiredSQL leaps over the index from one topic that has something to deliver to the next. A topic whose first message by id has not
// expired is not looked through: ids rise with the time of publishing, but for those that each server takes in blocks (ids.go), so that
// what expired behind a younger message of another server's block may stay until that expires, too.
const claimExpiredSQL = `
WITH RECURSIVE waiting AS (
    (SELECT topic_id FROM published WHERE topic_id >= 0 ORDER BY topic_id LIMIT 1)
    UNION ALL
    SELECT n.topic_id FROM waiting w CROSS JOIN LATERAL (
        SELECT p.topic_id FROM published p WHERE p.topic_id > w.topic_id ORDER BY p.topic_id LIMIT 1
    ) n
), aging AS (
    SELECT w.topic_id, COALESCE(t.oldest, 'infinity') AS oldest
    FROM waiting w
    LEFT JOIN LATERAL (
        SELECT now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = t.account), '0')
            - CASE WHEN t.retention > '0' THEN t.retention ELSE @most::interval END AS oldest
        FROM topics t WHERE t.id = w.topic_id LIMIT 1
    ) t ON true
    CROSS JOIN LATERAL (SELECT p.published_at FROM published p WHERE p.topic_id = w.topic_id ORDER BY p.id LIMIT 1) head
    WHERE head.published_at <= COALESCE(t.oldest, 'infinity')
), expired AS (
    SELECT d.place
    FROM aging a
    CROSS JOIN LATERAL (SELECT p.id, p.published_at FROM published p WHERE p.topic_id = a.topic_id ORDER BY p.id LIMIT @limit) p
    CROSS JOIN LATERAL (
        SELECT d.ctid AS place FROM deliveries d
        WHERE d.published_id = p.id AND p.published_at <= a.oldest AND (NOT d.claimed OR d.due_at <= now())
        LIMIT @limit FOR UPDATE SKIP LOCKED
    ) d
    LIMIT @limit
)
UPDATE deliveries d SET due_at = now() + @life::interval, claim = claim + 1, claimed = true
FROM expired e WHERE d.ctid = e.place
RETURNING d.published_id, d.subscription_id, d.lane, d.attempts, d.claim, now()`

// ClaimExpired is of core.Store.
func (s *Store) ClaimExpired(ctx context.Context, limit int) (deliveries []*core.Delivery, claimed int, err error) {
	var rows []deliveryRow
	args := pgx.StrictNamedArgs{"limit": limit, "life": core.ClaimLife, "most": core.MaxTopicRetention}
	err = s.do(ctx, claimExpiredSQL, args, func(r pgx.Rows) (err error) {
		rows, err = pgx.CollectRows(r, scanDelivery)
		return err
	})
	if err == nil && len(rows) > 0 {
		deliveries, err = s.completeOrDrop(ctx, rows)
	}
	return deliveries, len(rows), err
}

// ClaimDelivery is of core.Store.
func (s *Store) ClaimDelivery(ctx context.Context, id core.DeliveryID) (*core.Delivery, error) {
	args := s.deliveryArgs(id)
	args["life"] = core.ClaimLife
	var rows []deliveryRow
	err := s.do(ctx, claimDeliverySQL, args, func(r pgx.Rows) (err error) {
		rows, err = pgx.CollectRows(r, scanDelivery)
		return err
	})
	if err != nil {
		return nil, err
	}
	deliveries, _, err := s.complete(ctx, rows)
	if err == nil && len(deliveries) == 0 {
		err = errDeliveryNotFound
	}
	if err != nil {
		return nil, err
	}
	return deliveries[0], nil
}

var errDeliveryNotFound = core.Errorf(core.DeliveryNotFound, "no such message is to be delivered to the subscription")

func (s *Store) deliveryArgs(id core.DeliveryID) pgx.StrictNamedArgs {
	published, ok := s.keys.rowID(id.Message)
	if !ok {
		published = -1 // there is none
	}
	return pgx.StrictNamedArgs{"published": published, "subscription": id.Subscription}
}

// settledRow is how a delivery is settled in the database.
type settledRow struct {
	published, subscription, claim int64
	again                          int64 // microseconds until the next attempt; less than 0: there is none
	topic                          int64 // of a message that cannot be read, else 0
}

// complete adds messages, topics and subscriptions to deliveries; lost are those that have lost one of them, or whose message
// cannot be read.
func (s *Store) complete(ctx context.Context, rows []deliveryRow) (deliveries []*core.Delivery, lost []settledRow, err error) {
	messages, err := s.messagesOf(ctx, rows)
	if err != nil {
		return nil, nil, err
	}
	topics := map[int64]*core.Routes{}
	unknown := map[int64]*core.Subscription{} // not among the routes: gone, or newer than they are
	for _, r := range rows {
		m, ok := messages[r.published]
		if !ok {
			continue
		}
		routes := topics[m.topic]
		if routes == nil {
			if routes, err = s.routesByID(ctx, m.topic); err != nil && !errors.Is(err, pgx.ErrNoRows) {
				return nil, nil, err
			}
			topics[m.topic] = routes
		}
		if routes != nil && subscriptionIn(routes, r.subscription) == nil {
			unknown[r.subscription] = nil
		}
	}
	if err := s.readSubscriptions(ctx, unknown); err != nil {
		return nil, nil, err
	}
	for _, r := range rows {
		m, routes := messages[r.published], topics[messages[r.published].topic]
		var sub *core.Subscription
		if routes != nil {
			sub = cmp.Or(subscriptionIn(routes, r.subscription), unknown[r.subscription])
		}
		if sub == nil || m.message == nil {
			lost = append(lost, settledRow{published: r.published, subscription: r.subscription, claim: r.claim, again: -1, topic: messages[r.published].topic})
			continue
		}
		now, err := s.clock.now(ctx, s, routes.Topic.Name.Account)
		if err != nil {
			return nil, nil, err
		}
		deliveries = append(deliveries, &core.Delivery{
			ID:    core.DeliveryID{Message: m.message.ID, Subscription: sub.ID},
			Topic: &routes.Topic, Subscription: sub, Message: m.message,
			Attempts: r.attempts, NextAttempt: r.at, ClaimedAt: now, Claim: r.claim, Lane: r.lane,
		})
	}
	return deliveries, lost, nil
}

// subscriptionIn finds a subscription among the routes, which are in the order of their ids.
func subscriptionIn(routes *core.Routes, id int64) *core.Subscription {
	i, ok := slices.BinarySearchFunc(routes.Subscriptions, id, func(sub core.Subscription, id int64) int { return cmp.Compare(sub.ID, id) })
	if !ok {
		return nil
	}
	return &routes.Subscriptions[i]
}

// readSubscriptions fills in the subscriptions that the map's keys name.
func (s *Store) readSubscriptions(ctx context.Context, wanted map[int64]*core.Subscription) error {
	if len(wanted) == 0 {
		return nil
	}
	ids := make([]int64, 0, len(wanted))
	for id := range wanted {
		ids = append(ids, id)
	}
	return s.do(ctx, subscriptionsByIDSQL, pgx.StrictNamedArgs{"id": ids}, func(rows pgx.Rows) error {
		subs, err := pgx.CollectRows(rows, scanSubscription)
		for i := range subs {
			wanted[subs[i].ID] = &subs[i]
		}
		return err
	})
}

const publishedSQL = `SELECT id, topic_id, published_at, content FROM published WHERE id = ANY(@id::bigint[])`

// messagesOf gives the messages of deliveries, by row id, from those at hand or the database.
func (s *Store) messagesOf(ctx context.Context, rows []deliveryRow) (map[int64]recentMessage, error) {
	messages := map[int64]recentMessage{}
	var missing []int64
	for _, r := range rows {
		if _, ok := messages[r.published]; ok || slices.Contains(missing, r.published) {
			continue
		}
		if m, ok := s.recent.get(s.keys.messageID(r.published)); ok {
			messages[r.published] = m
		} else {
			missing = append(missing, r.published)
		}
	}
	if len(missing) == 0 {
		return messages, nil
	}
	err := s.do(ctx, publishedSQL, pgx.StrictNamedArgs{"id": missing}, func(rows pgx.Rows) error {
		var id, topic int64
		var at time.Time
		var content []byte
		_, err := pgx.ForEachRow(rows, []any{&id, &topic, &at, &content}, func() error {
			m, err := decodePublished(content, s.keys.messageID(id), at)
			if err != nil {
				messages[id] = recentMessage{topic: topic} // it cannot be read
				s.log.Error().Err(err).Msg("a published message cannot be delivered")
				return nil
			}
			messages[id] = s.recent.put(topic, m)
			return nil
		})
		return err
	})
	return messages, err
}

// What is over is deleted and what is to be tried again put off, where the claim still holds.
const settleSQL = `
WITH input AS MATERIALIZED (
    SELECT * FROM unnest(@published::bigint[], @subscription::bigint[], @claim::bigint[], @again::bigint[]) AS i(published, subscription, claim, again)
), over AS (
    DELETE FROM deliveries d USING input i
    WHERE d.published_id = ANY (ARRAY[i.published]) AND d.subscription_id = i.subscription AND d.claim = i.claim AND i.again < 0
    RETURNING d.published_id, d.subscription_id, d.claim
), again AS (
    UPDATE deliveries d SET due_at = now() + i.again * interval '1 microsecond', attempts = attempts + 1, claimed = false
    FROM input i
    WHERE d.published_id = ANY (ARRAY[i.published]) AND d.subscription_id = i.subscription AND d.claim = i.claim AND i.again >= 0
    RETURNING d.published_id, d.subscription_id, d.claim
)
SELECT published_id, subscription_id, claim FROM over UNION ALL SELECT published_id, subscription_id, claim FROM again`

// Messages that nobody waits for any more are removed. Two transactions that each end one of the last
// two deliveries leave the message to RemovePublished. What is looked for are single rows, since a planner
// that takes the tables for empty would read all of them for a NOT EXISTS.
const removeEndedSQL = `
DELETE FROM published p USING unnest(@published::bigint[]) AS i(id)
WHERE p.id = ANY (ARRAY[i.id])
    AND (SELECT d.published_id FROM deliveries d WHERE d.published_id = p.id LIMIT 1) IS NULL
    AND (SELECT f.published_id FROM fan_outs f WHERE f.published_id = p.id LIMIT 1) IS NULL`

const recordAttemptsSQL = `
INSERT INTO attempts (account, region, topic, subscription, message, protocol, endpoint, number, verdict, status, reason, excerpt, latency, at, next_at,
    dead_lettered, kept)
SELECT account, region, topic, subscription, message, protocol, endpoint, number, verdict, status, reason, excerpt, latency, at,
    CASE WHEN again >= 0 THEN at + latency + again * interval '1 microsecond' END, dead_lettered, kept
FROM unnest(@account::text[], @region::text[], @topic::text[], @subscription::text[], @message::uuid[], @protocol::text[], @endpoint::text[],
    @number::integer[], @verdict::smallint[], @status::integer[], @reason::text[], @excerpt::text[], @latency::interval[], @at::timestamptz[],
    @again::bigint[], @dead_lettered::boolean[], @kept::boolean[])
    AS i(account, region, topic, subscription, message, protocol, endpoint, number, verdict, status, reason, excerpt, latency, at, again, dead_lettered, kept)`

// SettleDeliveries is of core.Store.
func (s *Store) SettleDeliveries(ctx context.Context, outcomes []core.Outcome) error {
	var puts, kept []core.Outcome
	for _, o := range outcomes {
		if o.Put != nil {
			puts = append(puts, o)
		}
		if o.Keep != nil {
			kept = append(kept, o)
		}
	}
	sends, err := s.newPuts(ctx, puts)
	if err != nil {
		return err
	}
	s.clock.settling.RLock() // what is settled meanwhile would be missed where time moves
	defer s.clock.settling.RUnlock()
	waits, err := s.waits(ctx, outcomes)
	if err != nil {
		return err
	}
	var put *train
	began := time.Now()
	err = s.transaction(ctx, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		settled := s.queueSettle(batch, s.settledRows(outcomes, waits))
		queueAttempts(batch, slices.DeleteFunc(slices.Clone(outcomes), func(o core.Outcome) bool { return o.Untried && o.Verdict == core.Retry }))
		queueKept(batch, kept)
		if err := tx.SendBatch(ctx, batch).Close(); err != nil {
			return err
		}
		put = putsOf(puts, sends, settled)
		return s.sendIn(ctx, tx, put)
	})
	if err != nil {
		return err
	}
	for i, o := range puts {
		if slices.Contains(put.sends, sends[i]) {
			o.Put.Sent = sends[i].sent[0]
		}
	}
	s.announceTrain(put, began)
	for i, o := range outcomes {
		if o.Verdict == core.Retry {
			s.announceDelivery(o.Delivery.Lane, waits[i])
		}
	}
	return nil
}

// waits gives how long it is until the next attempt of each that is tried again. That counts from the attempt: where the account's
// time has been moved since, so much of it has passed.
func (s *Store) waits(ctx context.Context, outcomes []core.Outcome) ([]time.Duration, error) {
	waits := make([]time.Duration, len(outcomes))
	for i, o := range outcomes {
		if o.Verdict != core.Retry {
			continue
		}
		now, err := s.clock.now(ctx, s, o.Delivery.Topic.Name.Account)
		if err != nil {
			return nil, err
		}
		waits[i] = o.Next
		if passed := now.Sub(o.Delivery.ClaimedAt.Add(o.Answer.Latency)); passed >= leastPassed {
			waits[i] = max(0, o.Next-passed)
		}
	}
	return waits, nil
}

// leastPassed is what time that has passed since an attempt counts from: readings of the clock are not exact.
const leastPassed = time.Second

func (s *Store) settledRows(outcomes []core.Outcome, waits []time.Duration) []settledRow {
	rows := make([]settledRow, len(outcomes))
	for i, o := range outcomes {
		published, _ := s.keys.rowID(o.Delivery.ID.Message) // a Store made it
		rows[i] = settledRow{published: published, subscription: o.Delivery.ID.Subscription, claim: o.Delivery.Claim, again: -1}
		if o.Verdict == core.Retry {
			rows[i].again = waits[i].Microseconds()
		}
	}
	return rows
}

// again gives the microseconds from an attempt to the next, less than 0 when there is none.
func again(o core.Outcome) int64 {
	if o.Verdict == core.Retry {
		return o.Next.Microseconds()
	}
	return -1
}

// recordLostSQL records that a message is not delivered: to a subscription, or to those of a topic where none is given. Nothing is said
// of what is gone.
const recordLostSQL = `
INSERT INTO attempts (account, region, topic, subscription, message, protocol, endpoint, number, verdict, status, reason, excerpt, latency, at, dead_lettered, kept)
SELECT t.account, t.region, t.name, COALESCE(s.name, ''), @message, COALESCE(s.protocol, ''), COALESCE(s.endpoint, ''), @number, 2, 0, @reason, '', '0',
    now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = t.account), '0'), false, false
FROM topics t LEFT JOIN subscriptions s ON s.id = @subscription::bigint
WHERE t.id = @topic AND (s.id IS NOT NULL OR @subscription IS NULL)`

// settleLost ends deliveries that cannot be attempted.
func (s *Store) settleLost(ctx context.Context, rows []settledRow) error {
	return s.transaction(ctx, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		for _, r := range rows {
			queue(batch, recordLostSQL, pgx.StrictNamedArgs{
				"message": s.keys.messageID(r.published), "topic": r.topic, "subscription": r.subscription, "number": 1, "reason": "the stored message cannot be read",
			})
		}
		s.queueSettle(batch, rows)
		return tx.SendBatch(ctx, batch).Close()
	})
}

// deliveryClaim is a delivery under one of its claims.
type deliveryClaim struct {
	id    core.DeliveryID
	claim int64
}

// queueSettle settles, and gives the set of those whose claim still held, filled when the batch has run. Of one delivery there may be what
// came of two claims, of which one holds at the most.
func (s *Store) queueSettle(batch *pgx.Batch, rows []settledRow) map[deliveryClaim]bool {
	settled := map[deliveryClaim]bool{}
	slices.SortFunc(rows, func(a, b settledRow) int { // in key order, as all writes of several rows
		return cmp.Or(cmp.Compare(a.published, b.published), cmp.Compare(a.subscription, b.subscription))
	})
	n := len(rows)
	published, subscriptions, claims, repeats := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	for i, r := range rows {
		published[i], subscriptions[i], claims[i], repeats[i] = r.published, r.subscription, r.claim, r.again
	}
	settleStatement.queue(batch, pgx.StrictNamedArgs{"published": published, "subscription": subscriptions, "claim": claims, "again": repeats}).Query(func(rows pgx.Rows) error {
		var published, subscription, claim int64
		_, err := pgx.ForEachRow(rows, []any{&published, &subscription, &claim}, func() error {
			settled[deliveryClaim{core.DeliveryID{Message: s.keys.messageID(published), Subscription: subscription}, claim}] = true
			return nil
		})
		return err
	})
	removeEndedStatement.queue(batch, pgx.StrictNamedArgs{"published": slices.Compact(slices.Clone(published))})
	return settled
}

var settleStatement, removeEndedStatement, recordAttemptsStatement = prepare(settleSQL), prepare(removeEndedSQL), prepare(recordAttemptsSQL)

func queueAttempts(batch *pgx.Batch, outcomes []core.Outcome) {
	n := len(outcomes)
	var (
		accounts, regions, topics, subscriptions = make([]string, n), make([]string, n), make([]string, n), make([]string, n)
		protocols, endpoints, reasons, excerpts  = make([]string, n), make([]string, n), make([]string, n), make([]string, n)
		messages                                 = make([]core.MessageID, n)
		numbers, statuses                        = make([]int32, n), make([]int32, n)
		verdicts                                 = make([]int16, n)
		latencies                                = make([]time.Duration, n)
		times                                    = make([]time.Time, n)
		repeats                                  = make([]int64, n)
		dead, kept                               = make([]bool, n), make([]bool, n)
	)
	for i, o := range outcomes {
		d := o.Delivery
		name := d.Subscription.Name
		accounts[i], regions[i], topics[i], subscriptions[i] = name.Topic.Account, name.Topic.Region, name.Topic.Name, name.Name
		messages[i], protocols[i], endpoints[i] = d.ID.Message, d.Subscription.Protocol, d.Subscription.Endpoint
		numbers[i], verdicts[i], statuses[i] = int32(d.Attempts+1), int16(o.Verdict), int32(o.Answer.Status)
		reasons[i], excerpts[i], latencies[i] = o.Answer.Reason, o.Answer.Excerpt, o.Answer.Latency
		times[i], repeats[i] = d.ClaimedAt, again(o)
		dead[i], kept[i] = o.Verdict == core.GiveUp && o.Put != nil, o.Keep != nil
	}
	recordAttemptsStatement.queue(batch, pgx.StrictNamedArgs{
		"account": accounts, "region": regions, "topic": topics, "subscription": subscriptions, "message": messages, "protocol": protocols,
		"endpoint": endpoints, "number": numbers, "verdict": verdicts, "status": statuses, "reason": reasons, "excerpt": excerpts,
		"latency": latencies, "at": times, "again": repeats, "dead_lettered": dead, "kept": kept,
	})
}

// newPuts prepares the messages that go into queues.
func (s *Store) newPuts(ctx context.Context, puts []core.Outcome) ([]*sendOp, error) {
	sends := make([]*sendOp, len(puts))
	for i, o := range puts {
		var err error
		if sends[i], err = s.newSend(ctx, o.Put.Queue, []core.NewMessage{o.Put.Message}); err != nil {
			return nil, err
		}
	}
	return sends, nil
}

// putsOf gives the messages of deliveries whose claim held.
func putsOf(puts []core.Outcome, sends []*sendOp, settled map[deliveryClaim]bool) *train {
	t := &train{}
	for i, o := range puts {
		if settled[deliveryClaim{o.Delivery.ID, o.Delivery.Claim}] {
			t.sends = append(t.sends, sends[i])
		}
	}
	return t
}

// sendIn runs a train of sends within a transaction; announceTrain is for after the commit.
// ErrQueueChanged when one of the queues has changed.
func (s *Store) sendIn(ctx context.Context, tx pgx.Tx, t *train) error {
	if len(t.sends) == 0 {
		return nil
	}
	standard, fifo := t.byKind()
	t.fifo = fifo
	batch := &pgx.Batch{}
	s.queueSends(batch, standard.sends)
	s.queueFIFO(batch, fifo)
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	for _, o := range t.sends {
		if err := o.stale(s); err != nil {
			return err
		}
	}
	return nil
}

// announceTrain makes known what the sends of a transaction made visible, which was begun then.
func (s *Store) announceTrain(t *train, began time.Time) {
	if t == nil {
		return
	}
	s.unfolded.add(t.counted())
	t.announce(s)
	switch {
	case s.isLate(began):
		s.assure(t.shownIn())
	case slices.ContainsFunc(t.sends, func(o *sendOp) bool { return hasPlace(o.places) }):
		s.answerTold(nil)
	}
}

// A delivery that is being attempted is left alone.
const retryDeliverySQL = `
UPDATE deliveries d SET due_at = CASE WHEN claimed THEN due_at ELSE now() END
WHERE published_id = @published AND subscription_id = @subscription
RETURNING lane`

// RetryDelivery is of core.Store.
func (s *Store) RetryDelivery(ctx context.Context, id core.DeliveryID) error {
	var lane int64
	err := s.do(ctx, retryDeliverySQL, s.deliveryArgs(id), func(rows pgx.Rows) (err error) {
		lane, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int64])
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return errDeliveryNotFound
	}
	if err == nil {
		s.announceDelivery(lane, 0)
	}
	return err
}

// What is being attempted is not hastened: the time that a claim lasts is that of the servers. Its next attempt is, when it is settled.
const hastenSQL = `
UPDATE deliveries d SET due_at = d.due_at - @by::interval
FROM topics t, published p
WHERE t.account = @account AND p.topic_id = ANY (ARRAY[t.id]) AND d.published_id = ANY (ARRAY[p.id]) AND NOT d.claimed`

// hastenDeliveries makes an account's deliveries due so much sooner, as its time has moved.
func (s *Store) hastenDeliveries(ctx context.Context, account string, by time.Duration) error {
	_, err := s.exec(ctx, hastenSQL, pgx.StrictNamedArgs{"account": account, "by": by})
	return err
}

const storeControlSQL = `
WITH stored AS (
    INSERT INTO published (id, topic_id, published_at, content)
    SELECT @id, topic_id, @at, @content FROM subscriptions WHERE id = @subscription
    RETURNING id
)
INSERT INTO deliveries (published_id, subscription_id, lane, due_at) SELECT id, @subscription, @lane, now() FROM stored`

// StoreControl is of core.Store.
func (s *Store) StoreControl(ctx context.Context, sub *core.Subscription, kind core.Kind) error {
	ids, now, err := s.NewMessageIDs(ctx, sub.Name.Topic.Account, 1)
	if err != nil {
		return err
	}
	content, err := encodePublished(&core.PublishedMessage{ID: ids[0], Kind: kind, PublishedAt: now})
	if err != nil {
		return err
	}
	id, _ := s.keys.rowID(ids[0])
	n, err := s.exec(ctx, storeControlSQL, pgx.StrictNamedArgs{"id": id, "at": now, "content": content, "subscription": sub.ID, "lane": laneOf(sub)})
	if err == nil && n == 0 {
		err = noSubscription(pgx.ErrNoRows)
	}
	if err == nil {
		s.announceDelivery(laneOf(sub), 0)
	}
	return err
}

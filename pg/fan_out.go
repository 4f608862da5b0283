package pg

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// One chunk is as many subscriptions as a transaction may take. The one that has waited longest has its turn.
const takeFanOutSQL = `
SELECT f.published_id, f.done, cardinality(f.subscriptions), f.subscriptions[f.done + 1 : f.done + @most], f.failures,
    COALESCE(p.topic_id, 0), p.published_at, p.content
FROM (
    SELECT published_id, done, subscriptions, failures FROM fan_outs WHERE due_at <= now()
    ORDER BY due_at, published_id LIMIT 1 FOR UPDATE SKIP LOCKED
) f
LEFT JOIN LATERAL (SELECT topic_id, published_at, content FROM published p WHERE p.id = f.published_id LIMIT 1) p ON true`

const (
	moveFanOutSQL   = `UPDATE fan_outs SET done = @done, failures = 0 WHERE published_id = @published`
	putOffFanOutSQL = `UPDATE fan_outs SET failures = failures + 1, due_at = now() + @pause::interval WHERE published_id = @published`
	endFanOutSQL    = `DELETE FROM fan_outs WHERE published_id = @published`
)

// What fails is put off, by twice as long each time, and given up when it has failed too often.
const (
	minChunkPause    = time.Second
	maxChunkPause    = 10 * time.Minute
	maxChunkFailures = 100 // in a row, for 15 hours
)

// chunkPause gives how long to rest after so many failures in a row.
func chunkPause(failures int) time.Duration {
	return min(minChunkPause<<min(failures, 16), maxChunkPause)
}

const addDeliveriesSQL = `
INSERT INTO deliveries (published_id, subscription_id, lane, due_at)
SELECT @published, subscription, lane, now() FROM unnest(@subscription::bigint[], @lane::bigint[]) AS i(subscription, lane)
ON CONFLICT (published_id, subscription_id) DO NOTHING -- a message that is replayed may still be on its way`

// fanOut is a publication that is being fanned out, as a transaction has taken it.
type fanOut struct {
	published int64
	done, all int
	turn      []int64 // the subscriptions that have their turn
	failures  int     // in a row
	topic     int64   // 0: the message is gone
	at        *time.Time
	content   []byte
}

// maxStaleChunks bounds how often a chunk is begun anew because its queues keep changing.
const maxStaleChunks = 8

// FanOut is of core.Store.
func (s *Store) FanOut(ctx context.Context, route routeChunk) (found bool, err error) {
	var f fanOut
	for range maxStaleChunks {
		f = fanOut{}
		if found, err = s.fanOutChunk(ctx, &f, route); !errors.Is(err, core.ErrQueueChanged) {
			break
		}
	}
	if err == nil || f.published == 0 || core.CodeOf(err) == core.Unavailable {
		return found, err
	}
	if late := s.putOffFanOut(ctx, &f, err); late != nil {
		return false, errors.Join(err, late)
	}
	return true, fmt.Errorf("fan out message %s: %w", s.keys.messageID(f.published).UUID(), err)
}

// putOffFanOut has the others go first, and gives up what has failed too often or can never succeed.
func (s *Store) putOffFanOut(ctx context.Context, f *fanOut, reason error) error {
	if f.failures+1 < maxChunkFailures && !errors.Is(reason, errUnreadable) {
		_, err := s.exec(ctx, putOffFanOutSQL, pgx.StrictNamedArgs{"published": f.published, "pause": chunkPause(f.failures)})
		return err
	}
	return s.transaction(ctx, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		queue(batch, recordLostSQL, pgx.StrictNamedArgs{
			"message": s.keys.messageID(f.published), "topic": f.topic, "subscription": nil, "number": f.failures + 1,
			"reason": fmt.Sprintf("not delivered to %d of %d subscriptions: %s", f.all-f.done, f.all, core.MessageOf(reason)),
		})
		queue(batch, endFanOutSQL, pgx.StrictNamedArgs{"published": f.published})
		queue(batch, removeEndedSQL, pgx.StrictNamedArgs{"published": []int64{f.published}})
		return tx.SendBatch(ctx, batch).Close()
	})
}

// routingTransaction is a transaction in which messages are routed. That reads queues and takes ids by other
// connections, so half of them must be left for it.
func (s *Store) routingTransaction(ctx context.Context, do func(pgx.Tx) error) error {
	wait, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	select {
	case s.routing <- struct{}{}:
	case <-wait.Done():
		return translate(wait.Err())
	}
	defer func() { <-s.routing }()
	return s.transaction(ctx, do)
}

type routeChunk = func(*core.Topic, *core.PublishedMessage, []*core.Subscription) (core.Publication, error)

func (s *Store) fanOutChunk(ctx context.Context, f *fanOut, route routeChunk) (found bool, err error) {
	var p core.Publication
	var sends *train
	began := time.Now()
	err = s.routingTransaction(ctx, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, takeFanOutSQL, pgx.StrictNamedArgs{"most": core.MaxFanOut}).
			Scan(&f.published, &f.done, &f.all, &f.turn, &f.failures, &f.topic, &f.at, &f.content)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		found = true
		if p, err = s.routeChunk(ctx, f, route); err != nil {
			return err
		}
		if sends, err = s.sendPublication(ctx, tx, &p); err != nil {
			return err
		}
		return s.moveFanOut(ctx, tx, f, &p)
	})
	if err != nil || !found {
		return false, err
	}
	s.announceTrain(sends, began)
	tell(sends.sends, []core.Publication{p})
	for _, sub := range p.Pushed {
		s.announceDelivery(laneOf(sub), 0)
	}
	return true, nil
}

// routeChunk has the subscriptions of a chunk routed that are still there.
func (s *Store) routeChunk(ctx context.Context, f *fanOut, route routeChunk) (core.Publication, error) {
	if f.topic == 0 {
		return core.Publication{}, fmt.Errorf("%w: it is gone", errUnreadable)
	}
	routes, err := s.routesByID(ctx, f.topic)
	if errors.Is(err, pgx.ErrNoRows) {
		return core.Publication{}, nil // the topic is gone, and with it all subscriptions
	}
	if err != nil {
		return core.Publication{}, err
	}
	id := s.keys.messageID(f.published)
	m, ok := s.recent.get(id)
	if !ok {
		message, err := decodePublished(f.content, id, *f.at)
		if err != nil {
			return core.Publication{}, err
		}
		m = s.recent.put(f.topic, message)
	}
	var subs []*core.Subscription
	for _, id := range f.turn {
		if sub := subscriptionIn(routes, id); sub != nil && sub.State == core.Confirmed {
			subs = append(subs, sub)
		}
	}
	if len(subs) == 0 {
		return core.Publication{Message: m.message}, nil
	}
	return route(&routes.Topic, m.message, subs)
}

// sendPublication puts a publication's messages into their queues, within a transaction. What it gives
// is to be announced after the commit. ErrQueueChanged.
func (s *Store) sendPublication(ctx context.Context, tx pgx.Tx, p *core.Publication) (*train, error) {
	sends := &train{}
	for _, d := range p.Queues {
		o, err := s.newSend(ctx, d.Queue, []core.NewMessage{d.Message})
		if err != nil {
			return nil, err
		}
		sends.sends = append(sends.sends, o)
	}
	return sends, s.sendIn(ctx, tx, sends)
}

// moveFanOut writes down what a chunk leaves to be pushed, and how far the fan-out has got.
func (s *Store) moveFanOut(ctx context.Context, tx pgx.Tx, f *fanOut, p *core.Publication) error {
	done := f.done + len(f.turn)
	if len(p.FanOut) > 0 {
		for i, id := range f.turn {
			if id == p.FanOut[0].ID {
				done = f.done + i
			}
		}
	}
	batch := &pgx.Batch{}
	if len(p.Pushed) > 0 {
		queueDeliveries(batch, f.published, p.Pushed)
	}
	if done < f.all {
		queue(batch, moveFanOutSQL, pgx.StrictNamedArgs{"published": f.published, "done": done})
	} else {
		queue(batch, endFanOutSQL, pgx.StrictNamedArgs{"published": f.published})
		queue(batch, removeEndedSQL, pgx.StrictNamedArgs{"published": []int64{f.published}})
	}
	return tx.SendBatch(ctx, batch).Close()
}

// queueDeliveries adds the deliveries of one message.
func queueDeliveries(batch *pgx.Batch, published int64, pushed []*core.Subscription) {
	subs, lanes := make([]int64, len(pushed)), make([]int64, len(pushed))
	for i, sub := range pushed {
		subs[i], lanes[i] = sub.ID, laneOf(sub)
	}
	queue(batch, addDeliveriesSQL, pgx.StrictNamedArgs{"published": published, "subscription": subs, "lane": lanes})
}

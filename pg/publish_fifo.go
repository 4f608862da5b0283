package pg

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// lockTopicVersionSQL locks a FIFO topic, so that sequence numbers rise as publishes are committed. Times do too, though a
// transaction that waited for the lock may have begun before the one that held it.
const lockTopicVersionSQL = `
SELECT t.sequence, GREATEST(t.published_at, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = t.account), '0'))
FROM topics t WHERE t.id = @topic AND t.version = @version FOR UPDATE`

// An id that was seen within the window keeps what it stands for; one that is older, or new, gets it anew.
const deduplicateSQL = `
INSERT INTO topic_deduplications AS d (topic_id, group_id, id, published_id, sequence, published_at)
VALUES (@topic, @group, @id, @published, @sequence, @now)
ON CONFLICT (topic_id, group_id, id) DO UPDATE SET
    published_id = CASE WHEN d.published_at > @now - @window::interval THEN d.published_id ELSE excluded.published_id END,
    sequence = CASE WHEN d.published_at > @now - @window::interval THEN d.sequence ELSE excluded.sequence END,
    published_at = CASE WHEN d.published_at > @now - @window::interval THEN d.published_at ELSE excluded.published_at END
RETURNING published_id, sequence, published_at`

const moveSequenceSQL = `UPDATE topics SET sequence = @sequence, published_at = @now WHERE id = @topic`

// A message that is replayed may still be there for others.
const storePublishedSQL = `INSERT INTO published (id, topic_id, published_at, content) VALUES (@id, @topic, @at, @content) ON CONFLICT (id) DO NOTHING`

// sequenceStep is how far sequence numbers of a topic are apart, as those of SNS are.
const sequenceStep = 1000

// topicSequence gives the 20 digits of a sequence number.
func topicSequence(sequence int64) string { return fmt.Sprintf("1%019d", sequence) }

// PublishFIFO is of core.Store. It takes no train: while a topic is locked nobody else publishes to it, and who waits for that holds no
// connection.
func (s *Store) PublishFIFO(ctx context.Context, routes *core.Routes, messages []core.NewPublication, route func(*core.PublishedMessage) (core.Publication, error)) ([]core.Published, error) {
	first, err := s.ids.allot(ctx, len(messages))
	if err != nil {
		return nil, err
	}
	done, err := s.publishing.take(ctx, routes.Topic.ID)
	if err != nil {
		return nil, translate(err)
	}
	defer done()
	var published []core.Published
	var publications []core.Publication
	var sends *train
	err = s.routingTransaction(ctx, func(tx pgx.Tx) error {
		published, publications, err = s.number(ctx, tx, routes, messages, first, route)
		if err != nil {
			return err
		}
		sends = &train{}
		for i := range publications {
			if err := s.storePublication(ctx, tx, routes.Topic.ID, &publications[i], sends); err != nil {
				return err
			}
		}
		return s.sendIn(ctx, tx, sends)
	})
	if errors.Is(err, core.ErrTopicChanged) || errors.Is(err, core.ErrQueueChanged) {
		s.routes.forget(routes)
	}
	if err != nil {
		return nil, err
	}
	s.announceTrain(sends)
	sends.tell(publications)
	for i := range publications {
		s.announceStored(routes.Topic.ID, &publications[i])
	}
	for i := range routes.Subscriptions {
		s.announceReplay(&routes.Subscriptions[i])
	}
	return published, nil
}

// number locks the topic, finds duplicates, and numbers and routes the other messages.
func (s *Store) number(ctx context.Context, tx pgx.Tx, routes *core.Routes, messages []core.NewPublication, first int64, route func(*core.PublishedMessage) (core.Publication, error)) (published []core.Published, publications []core.Publication, err error) {
	topic := &routes.Topic
	var sequence int64
	var now time.Time
	err = tx.QueryRow(ctx, lockTopicVersionSQL, pgx.StrictNamedArgs{"topic": topic.ID, "version": topic.Version}).Scan(&sequence, &now)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil, core.ErrTopicChanged
	}
	if err != nil {
		return nil, nil, err
	}
	published = make([]core.Published, len(messages))
	var archived archiveRows
	for i, m := range messages {
		id := first + int64(i)
		p := &published[i]
		*p = core.Published{ID: s.keys.messageID(id), Sequence: topicSequence(sequence + sequenceStep), PublishedAt: now}
		if err := s.deduplicate(ctx, tx, topic, &m, id, sequence+sequenceStep, p); err != nil {
			return nil, nil, err
		}
		if p.Duplicate {
			continue
		}
		sequence += sequenceStep
		message := &core.PublishedMessage{ID: p.ID, NewPublication: m, Sequence: p.Sequence, PublishedAt: now}
		publication, err := route(message)
		if err != nil {
			return nil, nil, err
		}
		publications = append(publications, publication)
		if archives(routes) {
			if err := archived.add(id, sequence, message); err != nil {
				return nil, nil, err
			}
		}
	}
	if _, err := tx.Exec(ctx, moveSequenceSQL, pgx.StrictNamedArgs{"sequence": sequence, "now": now, "topic": topic.ID}); err != nil {
		return nil, nil, err
	}
	return published, publications, archived.store(ctx, tx, topic.ID, now)
}

// deduplicate makes a duplicate's answer that of the message published first.
func (s *Store) deduplicate(ctx context.Context, tx pgx.Tx, topic *core.Topic, m *core.NewPublication, id, sequence int64, p *core.Published) error {
	if m.DeduplicationID == "" {
		return nil
	}
	group := ""
	if topic.DeduplicationScope == core.DeduplicateInGroup {
		group = m.GroupID
	}
	var original int64
	err := tx.QueryRow(ctx, deduplicateSQL, pgx.StrictNamedArgs{
		"topic": topic.ID, "group": group, "id": m.DeduplicationID, "published": id, "sequence": sequence, "now": p.PublishedAt, "window": core.DeduplicationWindow,
	}).Scan(&original, &sequence, &p.PublishedAt)
	if original != id {
		p.Duplicate, p.ID, p.Sequence = true, s.keys.messageID(original), topicSequence(sequence)
	}
	return err
}

// storePublication adds the messages for queues to a train, and stores what is to be pushed.
func (s *Store) storePublication(ctx context.Context, tx pgx.Tx, topic int64, p *core.Publication, sends *train) error {
	for _, d := range p.Queues {
		o, err := s.newSend(ctx, d.Queue, []core.NewMessage{d.Message})
		if err != nil {
			return err
		}
		sends.sends = append(sends.sends, o)
	}
	if len(p.Pushed) == 0 {
		return nil
	}
	content, err := encodePublished(p.Message)
	if err != nil {
		return err
	}
	id, _ := s.keys.rowID(p.Message.ID) // made here
	batch := &pgx.Batch{}
	queue(batch, storePublishedSQL, pgx.StrictNamedArgs{"id": id, "topic": topic, "at": p.Message.PublishedAt, "content": content})
	queueDeliveries(batch, id, p.Pushed)
	return tx.SendBatch(ctx, batch).Close()
}

// tell tells publications what became of their messages for queues, which a train has sent in this order.
func (t *train) tell(publications []core.Publication) {
	sends := t.sends
	for i := range publications {
		for j := range publications[i].Queues {
			publications[i].Queues[j].Sent = sends[0].sent[0]
			sends = sends[1:]
		}
	}
}

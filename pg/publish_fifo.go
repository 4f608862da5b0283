package pg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// lockTopicVersionSQL locks a FIFO topic, so that sequence numbers rise as publishes are committed. Times do too, though a
// transaction that waited for the lock may have begun before the one that held it.
const lockTopicVersionSQL = `
SELECT t.sequence, GREATEST(t.published_at, now() + COALESCE((SELECT c.ahead FROM clocks c WHERE c.account = t.account), '0'))
FROM topics t WHERE t.id = @topic AND t.version = @version FOR UPDATE`

// An id that was seen within the window keeps what it stands for; one that is older, or new, gets it anew. Each is there once.
const deduplicateSQL = `
INSERT INTO topic_deduplications AS d (topic_id, group_id, id, published_id, sequence, published_at)
SELECT @topic, group_id, id, published, sequence, @now
FROM unnest(@group::text[], @id::text[], @published::bigint[], @sequence::bigint[]) AS i(group_id, id, published, sequence)
ON CONFLICT (topic_id, group_id, id) DO UPDATE SET
    published_id = CASE WHEN d.published_at > @now - @window::interval THEN d.published_id ELSE excluded.published_id END,
    sequence = CASE WHEN d.published_at > @now - @window::interval THEN d.sequence ELSE excluded.sequence END,
    published_at = CASE WHEN d.published_at > @now - @window::interval THEN d.published_at ELSE excluded.published_at END
RETURNING group_id, id, published_id, sequence, published_at`

const moveSequenceSQL = `UPDATE topics SET sequence = @sequence, published_at = @now WHERE id = @topic`

// A message that is replayed may still be there for others.
const storePublishedSQL = `INSERT INTO published (id, topic_id, published_at, content) VALUES (@id, @topic, @at, @content) ON CONFLICT (id) DO NOTHING`

// sequenceStep is how far sequence numbers of a topic are apart, as those of SNS are. Duplicates leave gaps.
const sequenceStep = 1000

// topicSequence gives the 20 digits of a sequence number.
func topicSequence(sequence int64) string { return fmt.Sprintf("1%019d", sequence) }

// PublishFIFO is of core.Store. It takes no train: while a topic is locked nobody else publishes to it, and who waits for that holds no
// connection, but stands in the topic's line.
func (s *Store) PublishFIFO(ctx context.Context, routes *core.Routes, messages []core.NewPublication, route func(*core.PublishedMessage) (core.Publication, error)) ([]core.Published, error) {
	first, err := s.ids.allot(ctx, len(messages))
	if err != nil {
		return nil, err
	}
	o := &fifoPublish{op: newOp(), ctx: ctx, routes: routes, messages: messages, first: first, route: route}
	if s.publishing.add(o) {
		s.running.Go(func() { s.drivePublishes(routes.Topic.ID) })
	}
	if err := o.wait(ctx); err != nil {
		return nil, translate(err)
	}
	return o.published, nil
}

// publishFIFO is the transaction of publishes to one topic that was read once for all. It gives the messages for queues, to be announced.
func (s *Store) publishFIFO(ops []*fifoPublish) (sends *train, err error) {
	ctx := context.Background() // the statements are the server's, not one caller's
	err = s.routingTransaction(ctx, func(tx pgx.Tx) error {
		n, err := s.number(ctx, tx, ops)
		if err != nil {
			return err
		}
		sends = &train{}
		batch := &pgx.Batch{}
		queue(batch, moveSequenceSQL, pgx.StrictNamedArgs{"sequence": n.sequence, "now": n.now, "topic": n.topic.ID})
		var archived archiveRows
		for _, o := range ops {
			if err := s.routeFIFO(ctx, o, n.topic.ID, batch, sends, &archived); err != nil {
				return err
			}
		}
		archived.queue(batch, n.topic.ID, n.now)
		if err := tx.SendBatch(ctx, batch).Close(); err != nil {
			return err
		}
		return s.sendIn(ctx, tx, sends)
	})
	return sends, err
}

// numbering is how far the numbers of a topic have got, and the time of those who got the last ones.
type numbering struct {
	topic    *core.Topic
	sequence int64
	now      time.Time
}

// number locks the topic, numbers the messages and finds the duplicates among them.
func (s *Store) number(ctx context.Context, tx pgx.Tx, ops []*fifoPublish) (n numbering, err error) {
	n.topic = &ops[0].routes.Topic
	err = tx.QueryRow(ctx, lockTopicVersionSQL, pgx.StrictNamedArgs{"topic": n.topic.ID, "version": n.topic.Version}).Scan(&n.sequence, &n.now)
	if errors.Is(err, pgx.ErrNoRows) {
		return n, core.ErrTopicChanged
	}
	if err != nil {
		return n, err
	}
	seen := topicIDs{}
	for _, o := range ops {
		o.sequence, o.published = n.sequence+sequenceStep, make([]core.Published, len(o.messages))
		for i := range o.messages {
			n.sequence += sequenceStep
			id := o.first + int64(i)
			o.published[i] = core.Published{ID: s.keys.messageID(id), Sequence: topicSequence(n.sequence), PublishedAt: n.now}
			seen.add(n.topic, &o.messages[i], topicID{published: id, sequence: n.sequence})
		}
	}
	if err := seen.deduplicate(ctx, tx, &n); err != nil {
		return n, err
	}
	for _, o := range ops {
		for i := range o.messages {
			original, ok := seen[keyOf(n.topic, &o.messages[i])]
			if ok && original.published != o.first+int64(i) {
				o.published[i] = core.Published{
					ID: s.keys.messageID(original.published), Sequence: topicSequence(original.sequence), PublishedAt: original.at, Duplicate: true,
				}
			}
		}
	}
	return n, nil
}

// topicIDs are the deduplication ids of the messages of one transaction, with what each stands for.
type topicIDs map[topicKey]topicID

// topicKey is an id where it counts.
type topicKey struct{ group, id string }

// topicID is the message that an id stands for.
type topicID struct {
	published, sequence int64
	at                  time.Time
}

// keyOf gives the zero key of a message without an id.
func keyOf(topic *core.Topic, m *core.NewPublication) topicKey {
	if m.DeduplicationID != "" && topic.DeduplicationScope == core.DeduplicateInGroup {
		return topicKey{m.GroupID, m.DeduplicationID}
	}
	return topicKey{id: m.DeduplicationID}
}

// add notes the id of a message, unless one before it has the same.
func (t topicIDs) add(topic *core.Topic, m *core.NewPublication, stands topicID) {
	key := keyOf(topic, m)
	if _, there := t[key]; key.id != "" && !there {
		t[key] = stands
	}
}

// deduplicate makes ids that have been seen before stand for what they did then.
func (t topicIDs) deduplicate(ctx context.Context, tx pgx.Tx, n *numbering) error {
	if len(t) == 0 {
		return nil
	}
	keys := make([]topicKey, 0, len(t))
	for key := range t {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b topicKey) int { return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.id, b.id)) })
	groups, ids := make([]string, len(keys)), make([]string, len(keys))
	published, sequences := make([]int64, len(keys)), make([]int64, len(keys))
	for i, key := range keys {
		groups[i], ids[i], published[i], sequences[i] = key.group, key.id, t[key].published, t[key].sequence
	}
	rows, _ := tx.Query(ctx, deduplicateSQL, pgx.StrictNamedArgs{ // ForEachRow returns its error
		"topic": n.topic.ID, "group": groups, "id": ids, "published": published, "sequence": sequences, "now": n.now, "window": core.DeduplicationWindow,
	})
	var key topicKey
	var stands topicID
	_, err := pgx.ForEachRow(rows, []any{&key.group, &key.id, &stands.published, &stands.sequence, &stands.at}, func() error {
		t[key] = stands
		return nil
	})
	return err
}

// routeFIFO routes the messages of a publish that are no duplicates.
func (s *Store) routeFIFO(ctx context.Context, o *fifoPublish, topic int64, batch *pgx.Batch, sends *train, archived *archiveRows) error {
	o.publications = nil
	for i := range o.messages {
		p := &o.published[i]
		if p.Duplicate {
			continue
		}
		message := &core.PublishedMessage{ID: p.ID, NewPublication: o.messages[i], Sequence: p.Sequence, PublishedAt: p.PublishedAt}
		publication, err := o.route(message)
		if err == nil {
			err = s.queuePublication(ctx, batch, topic, &publication, sends)
		}
		if err == nil && archives(o.routes) {
			err = archived.add(o.first+int64(i), o.sequence+int64(i)*sequenceStep, message)
		}
		if err != nil {
			return err
		}
		o.publications = append(o.publications, publication)
	}
	return nil
}

// queuePublication adds the messages for queues to a train, and what is to be pushed to a batch.
func (s *Store) queuePublication(ctx context.Context, batch *pgx.Batch, topic int64, p *core.Publication, sends *train) error {
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
	queue(batch, storePublishedSQL, pgx.StrictNamedArgs{"id": id, "topic": topic, "at": p.Message.PublishedAt, "content": content})
	queueDeliveries(batch, id, p.Pushed)
	return nil
}

// tell tells publications what became of their messages for queues, which were sent in this order, and gives the sends of others behind them.
func tell(sends []*sendOp, publications []core.Publication) (rest []*sendOp) {
	for i := range publications {
		queues := publications[i].Queues
		for j, send := range sends[:len(queues)] {
			queues[j].Sent = send.sent[0]
		}
		sends = sends[len(queues):]
	}
	return sends
}

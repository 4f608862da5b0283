package pg

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/polymq/polymq/core"
)

// publishLines are the publishes to FIFO topics that wait, a line for each topic: one transaction at a time publishes to a topic, and takes
// as many of its line as go together.
type publishLines struct {
	mu      sync.Mutex
	byTopic map[int64][]*fifoPublish // there while a driver is at work
}

// fifoPublish is one caller's messages to a FIFO topic.
type fifoPublish struct {
	op
	ctx          context.Context // of the caller: nobody is published for who has gone before
	routes       *core.Routes
	messages     []core.NewPublication
	first        int64 // the row ids, in a row
	route        func(*core.PublishedMessage) (core.Publication, error)
	sequence     int64 // of the first message, the others a step apart
	published    []core.Published
	publications []core.Publication
}

func (l *publishLines) init() { l.byTopic = map[int64][]*fifoPublish{} }

// add puts a publish at the end of its topic's line, and says whether a driver is to be started.
func (l *publishLines) add(o *fifoPublish) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	line, driven := l.byTopic[o.routes.Topic.ID]
	l.byTopic[o.routes.Topic.ID] = append(line, o)
	return !driven
}

// take takes what goes together from the front of a line; nil when there is nothing, and the driver's work is over.
func (l *publishLines) take(topic int64) []*fifoPublish {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := slices.DeleteFunc(l.byTopic[topic], (*fifoPublish).isOver)
	if len(line) == 0 {
		delete(l.byTopic, topic)
		return nil
	}
	version := line[0].routes.Topic.Version
	n, rows, bytes := 0, 0, 0
	for _, o := range line {
		o.weigh(&rows, &bytes)
		if n > 0 && (rows > maxTrainRows || bytes > maxTrainBytes || o.routes.Topic.Version != version) {
			break
		}
		n++
	}
	l.byTopic[topic] = line[n:]
	return line[:n:n]
}

// weigh adds what the publish may come to, were all subscribers to get it.
func (o *fifoPublish) weigh(rows, bytes *int) {
	copies := 1 + len(o.routes.Subscriptions)
	*rows += copies * len(o.messages)
	for i := range o.messages {
		*bytes += copies * o.messages[i].Size()
	}
}

// isOver answers callers who have waited too long or have gone.
func (o *fifoPublish) isOver() bool {
	switch err := o.ctx.Err(); {
	case err != nil:
		o.fail(err)
	case o.overdue(time.Now()):
		o.fail(errOverdue)
	default:
		return false
	}
	return true
}

// drivePublishes publishes what stands in a topic's line, until there is nothing.
func (s *Store) drivePublishes(topic int64) {
	for ops := s.publishing.take(topic); ops != nil; ops = s.publishing.take(topic) {
		s.publishTogether(ops)
	}
}

// publishTogether publishes in one transaction, and answers the callers. Where that fails for a reason that may be one caller's, each is
// published by itself.
func (s *Store) publishTogether(ops []*fifoPublish) {
	began := time.Now()
	sends, err := s.publishFIFO(ops)
	changed := errors.Is(err, core.ErrTopicChanged) || errors.Is(err, core.ErrQueueChanged)
	if changed {
		s.routes.forget(ops[0].routes)
	}
	if err != nil && len(ops) > 1 && !changed && core.CodeOf(err) != core.Unavailable {
		for _, o := range ops {
			s.publishTogether([]*fifoPublish{o})
		}
		return
	}
	if err != nil {
		for _, o := range ops {
			o.answer(err)
		}
		return
	}
	s.announceTrain(sends, began)
	for rest, i := sends.sends, 0; i < len(ops); i++ {
		rest = tell(rest, ops[i].publications)
		s.announcePublished(ops[i])
		ops[i].answer(nil)
	}
}

// announcePublished makes known what a publish leaves to be pushed.
func (s *Store) announcePublished(o *fifoPublish) {
	for i := range o.publications {
		s.announceStored(o.routes.Topic.ID, &o.publications[i])
	}
	for i := range o.routes.Subscriptions {
		s.announceReplay(&o.routes.Subscriptions[i])
	}
}

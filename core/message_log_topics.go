package core

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
)

// logPublished notes what was published, whom it goes to and whom not, and the copies that are in queues already.
func (b *Broker) logPublished(ctx context.Context, routes *Routes, publications []Publication) {
	topic := &routes.Topic
	if b.log.logsTopic(topic) {
		b.log.noteAny(ctx, topicEvent(topic, EventPublished), len(publications), func(i int, e *Event) bool {
			p := &publications[i]
			e.MessageID, e.Attributes = p.Message.ID, logged(p.Message.Attributes)
			matched, confirmed := p.matched, 0
			for j := range routes.Subscriptions {
				sub := &routes.Subscriptions[j]
				if sub.State != Confirmed {
					continue
				}
				confirmed++
				if len(matched) > 0 && matched[0].ID == sub.ID { // both are by ID
					matched = matched[1:]
					e.Matched = appendRoute(e.Matched, sub)
				} else {
					e.Filtered = appendRoute(e.Filtered, sub)
				}
			}
			e.Detail = fmt.Sprintf(detailMatched, len(p.matched), confirmed)
			return true
		})
	}
	b.logCopies(ctx, topic, publications, "")
}

// topicEvent gives the beginning of an event that is in no queue.
func topicEvent(topic *Topic, kind EventKind) Event {
	return Event{Kind: kind, Topic: topic.Name.Name, Queue: QueueName{Account: topic.Name.Account, Region: topic.Name.Region}}
}

func appendRoute(names []string, sub *Subscription) []string {
	if len(names) == MaxLoggedRoutes {
		return names
	}
	return append(names, sub.Name.Name)
}

// logDuplicates notes what was published once more, and is the message published first.
func (b *Broker) logDuplicates(ctx context.Context, topic *Topic, published []Published) {
	if !b.log.logsTopic(topic) {
		return
	}
	b.log.noteAny(ctx, topicEvent(topic, EventDuplicate), len(published), func(i int, e *Event) bool {
		e.MessageID = published[i].ID
		return published[i].Duplicate
	})
}

// logFannedOut counts and notes the copies that were put into queues after the publish; topic is nil where there were none.
func (b *Broker) logFannedOut(ctx context.Context, topic *Topic, publications []Publication) {
	if topic != nil {
		b.traffic.countCopies(publications)
		b.logCopies(ctx, topic, publications, "")
	}
}

// logCopies notes the copies of publications that are in queues now. The log of either tells of them.
func (b *Broker) logCopies(ctx context.Context, topic *Topic, publications []Publication, detail string) {
	for i := range publications {
		for j := range publications[i].Queues {
			b.logCopy(ctx, topic, publications[i].Message, &publications[i].Queues[j], detail)
		}
	}
}

func (b *Broker) logCopy(ctx context.Context, topic *Topic, m *PublishedMessage, d *QueueDelivery, detail string) {
	if d.Sent.ID == (MessageID{}) || !b.log.logsTopic(topic) && !b.log.logs(d.Queue) {
		return
	}
	b.log.noteAny(ctx, Event{Kind: EventSent, Queue: d.Queue.Name}, 1, func(_ int, e *Event) bool {
		e.MessageID, e.VisibleAt, e.Attributes = d.Sent.ID, d.Sent.VisibleAt, logged(m.Attributes)
		e.Topic, e.Subscription, e.Origin = topic.Name.Name, d.Subscription.Name.Name, m.ID
		if d.Sent.Duplicate {
			e.Kind = EventDuplicate
		}
		switch {
		case detail != "":
			e.Detail = detail
		case m.Replayed:
			e.Detail = fmt.Sprintf(detailReplayed, topic.Name.Name)
		default:
			e.Detail = fmt.Sprintf(detailByTopic, topic.Name.Name)
		}
		return true
	})
}

// logOutcomes notes what came of attempts to deliver, and counts what went into queues.
func (b *Broker) logOutcomes(ctx context.Context, outcomes []Outcome) {
	for i := range outcomes {
		o := &outcomes[i]
		d := o.Delivery
		if d.Message.Kind != Notification || o.Untried && o.Verdict == Retry {
			continue
		}
		if b.log.logsTopic(d.Topic) && (o.Verdict != Delivered || o.Put == nil) {
			b.log.noteAny(ctx, topicEvent(d.Topic, EventPushed), 1, func(_ int, e *Event) bool {
				o.fill(e)
				return true
			})
		}
		if o.Put != nil {
			b.traffic.countCopy(o.Put)
			detail := ""
			if o.Verdict == GiveUp {
				detail = fmt.Sprintf(detailDeadLetterOf, d.Subscription.Name.Name)
			}
			b.logCopy(ctx, d.Topic, d.Message, o.Put, detail)
		}
	}
}

// fill says of an event what the outcome was.
func (o *Outcome) fill(e *Event) {
	d := o.Delivery
	e.MessageID, e.Subscription, e.Attempt = d.ID.Message, d.Subscription.Name.Name, d.Attempts+1
	e.Status, e.Took, e.Detail = o.Answer.status(), o.Answer.Latency, o.Answer.Reason
	if o.Verdict == Delivered {
		if o.Keep != nil {
			e.Status, e.Detail = "", detailKept
		}
		return
	}
	e.Kind = EventPushFailed
	switch {
	case o.Verdict == Retry:
		e.VisibleAt = d.ClaimedAt.Add(o.Answer.Latency + o.Next)
		e.Detail = joinDetail(e.Detail, detailRetried)
	case o.Put != nil:
		e.Detail = joinDetail(e.Detail, fmt.Sprintf(detailGivenUpTo, o.Put.Queue.Name.Name))
	default:
		e.Detail = joinDetail(e.Detail, detailGivenUp)
	}
}

func joinDetail(reason, next string) string {
	if reason == "" {
		return next
	}
	return reason + DetailSeparator + next
}

// status gives what the log says of an answer (specs/mns.md 9.1, NotifyStatus).
func (a *PushAnswer) status() string {
	if a.Status > 0 {
		return strconv.Itoa(a.Status)
	}
	return string(cmp.Or(a.Failure, UnknownFailure))
}

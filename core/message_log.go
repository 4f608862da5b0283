package core

import (
	"context"
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"
)

// EventKind says what happened to a message.
type EventKind string

// The kinds of events.
const (
	EventSent       EventKind = "sent"      // into a queue: by a sender, a topic or a redrive
	EventDuplicate  EventKind = "duplicate" // sent or published again with a deduplication id that was used before, and not stored
	EventPeeked     EventKind = "peeked"
	EventReceived   EventKind = "received"
	EventReturned   EventKind = "returned" // to the queue: its receiver was gone before it could read it
	EventVisibility EventKind = "visibility-changed"
	EventDeleted    EventKind = "deleted"
	EventMoved      EventKind = "moved" // as a dead letter, or back; Detail names the other queue
	EventExpired    EventKind = "expired"
	EventPurged     EventKind = "purged" // with all messages of its queue: one event for all of them, without a MessageID

	EventPublished  EventKind = "published"   // to a topic
	EventPushed     EventKind = "pushed"      // to a subscription's endpoint, which took it
	EventPushFailed EventKind = "push-failed" // an attempt to deliver; Detail says what comes next
)

// EventKinds lists them.
var EventKinds = []EventKind{
	EventSent, EventDuplicate, EventPeeked, EventReceived, EventReturned, EventVisibility, EventDeleted, EventMoved, EventExpired, EventPurged,
	EventPublished, EventPushed, EventPushFailed,
}

// Actor is who made a request, as far as a message's log tells it.
type Actor struct {
	Protocol    string // "sqs"
	Action      string // the protocol's name of the operation, "SendMessage"
	AccessKeyID string
	Address     netip.Addr // of the client
	RequestID   string
	Began       time.Time // when the request was read; zero: not known
}

// Event is one thing that happened to one message (specs/mns.md 9.1).
type Event struct {
	ID           int64 // of the entry; rises with time
	At           time.Time
	Kind         EventKind
	Queue        QueueName // without a Name: it happened in no queue, but to what was published to Topic
	Topic        string    // through which the message came; "": none
	Subscription string    // of the topic, through which it came or is to go
	MessageID    MessageID // zero: it happened to all messages of the queue
	Origin       MessageID // the message that this one was made of: what was published, or redriven; zero: of none
	Handle       string    // that was handed out, or given
	NewHandle    string    // that a change of visibility gave out in place of Handle
	VisibleAt    time.Time // after it, or when it is pushed again; zero where that has no meaning
	ReceiveCount int       // after it; 0 where it is not known
	Attempt      int       // of a push; 1 is the first
	Status       string    // of a push: the HTTP status, or InvalidHost, ConnectTimeout, ConnectFailure, UnknownError
	Matched      []string  // of what was published: subscriptions that get it, MaxLoggedRoutes of them at the most
	Filtered     []string  // those whose filters did not let it through, likewise
	Attributes   []Attribute
	Detail       string
	Took         time.Duration // since the request was read; of a push, until the answer; 0: not known
	Actor

	noted time.Time // by this server's clock
}

// Age is how long ago it happened; the storage knows the account's time.
func (e *Event) Age() time.Duration { return time.Since(e.noted) }

// Noted is when it happened by this server's clock.
func (e *Event) Noted() time.Time { return e.noted }

// Bounds of the message log.
const (
	MaxLogged          = 50_000   // events in memory; what comes on top of them is dropped, and counted
	MaxLoggedBytes     = 64 << 20 // of them
	LogBatch           = 2_000    // events written at once
	MaxLoggedAttribute = 4 << 10  // bytes of attributes kept with an event
	MaxLoggedRoutes    = 100      // subscriptions named by an event
	MaxLoggedCopies    = 1000     // messages that were made of one, and whose lives are shown with its own
	eventOverhead      = 512      // bytes of an event besides its attributes
)

// maxLogWait bounds how long who reads a log waits until what was just done has been written.
const maxLogWait = 4 * time.Second

// size is what an event takes in memory, about.
func (e *Event) size() int {
	size := eventOverhead + 40*(len(e.Matched)+len(e.Filtered)) + len(e.Detail)
	for i := range e.Attributes {
		size += len(e.Attributes[i].Name) + len(e.Attributes[i].Value)
	}
	return size
}

// messageLog gathers events until a worker writes them. It never makes an operation wait or fail.
type messageLog struct {
	all atomic.Bool // of every queue, not only those with Settings.Logging
	gathered[Event]
	export func([]Event) // nil: they go nowhere else
}

// LogAllMessages makes the log keep what happens in every queue, not only in those whose Logging is on.
func (b *Broker) LogAllMessages(on bool) { b.log.all.Store(on) }

// LogsAllMessages says whether it does.
func (b *Broker) LogsAllMessages() bool { return b.log.all.Load() }

// LogDropped gives how many events were lost since the start because they came faster than they could be written.
func (b *Broker) LogDropped() int64 { return b.log.dropped.Load() }

// ExportEvents sets the function that is given all events once they are written, before the first operation. It must not wait.
func (b *Broker) ExportEvents(export func([]Event)) { b.log.export = export }

type actorKey struct{}

// WithActor names who acts with the context.
func WithActor(ctx context.Context, actor *Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// logs reports whether the queue's events are kept.
func (l *messageLog) logs(queue *Queue) bool { return queue.Logging || l.all.Load() }

// logsTopic reports whether the topic's events are kept.
func (l *messageLog) logsTopic(topic *Topic) bool { return topic.Logging || l.all.Load() }

// note notes events of one kind, as many as there are, of a queue that is logged; fill completes each.
func (l *messageLog) note(ctx context.Context, queue *Queue, kind EventKind, n int, fill func(i int, e *Event) bool) {
	if l.logs(queue) {
		l.noteAny(ctx, Event{Kind: kind, Queue: queue.Name}, n, fill)
	}
}

// noteAny notes events that begin as blank does.
func (l *messageLog) noteAny(ctx context.Context, blank Event, n int, fill func(i int, e *Event) bool) {
	if a, ok := ctx.Value(actorKey{}).(*Actor); ok {
		blank.Actor = *a
	}
	blank.noted = time.Now()
	if !blank.Began.IsZero() {
		blank.Took = blank.noted.Sub(blank.Began)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range n {
		l.add(&blank, func(e *Event) bool { return fill(i, e) })
	}
}

// FlushLog writes the events that are in memory. They wait there for a database that cannot be reached;
// those that it will not have are dropped, and counted.
func (b *Broker) FlushLog(ctx context.Context) error {
	err := b.log.flush(ctx, func(ctx context.Context, events []Event) (done, refused int, err error) {
		done, refused, err = b.store.WriteEvents(ctx, events)
		if b.log.export != nil && done > 0 {
			b.log.export(events[:done])
		}
		return done, refused, err
	})
	if err != nil {
		return fmt.Errorf("write the message log: %w", err)
	}
	return nil
}

// observe notes what a store did by itself: a dead letter's move, a redrive, the end of a retention.
func (b *Broker) observe(queue *Queue, e Event) {
	b.log.note(context.Background(), queue, e.Kind, 1, func(_ int, noted *Event) bool {
		e.Queue, e.noted = queue.Name, noted.noted
		*noted = e
		return true
	})
}

func (b *Broker) logSent(ctx context.Context, queue *Queue, messages []NewMessage, sent []Sent) {
	b.log.note(ctx, queue, EventSent, len(sent), func(i int, e *Event) bool {
		e.MessageID, e.VisibleAt, e.Handle = sent[i].ID, sent[i].VisibleAt, sent[i].Handle
		if sent[i].Duplicate {
			e.Kind = EventDuplicate
		}
		e.Attributes = logged(messages[i].Attributes)
		return true
	})
}

// logged gives attributes that are small enough to be kept with an event, else none.
func logged(attributes []Attribute) []Attribute {
	size := 0
	for _, a := range attributes {
		size += len(a.Name) + len(a.Type) + len(a.Value)
	}
	if size > MaxLoggedAttribute {
		return nil
	}
	return attributes
}

// logPurged notes that a queue was emptied at once. The lives of messages that were in it end with that: the storage sees to it.
func (b *Broker) logPurged(ctx context.Context, queue *Queue, detail string) {
	b.log.note(ctx, queue, EventPurged, 1, func(_ int, e *Event) bool {
		e.Detail = detail
		return true
	})
}

func (b *Broker) logPeeked(ctx context.Context, queue *Queue, messages []Message) {
	b.log.note(ctx, queue, EventPeeked, len(messages), func(i int, e *Event) bool {
		m := &messages[i]
		e.MessageID, e.VisibleAt, e.ReceiveCount = m.ID, m.VisibleAt, m.ReceiveCount
		return true
	})
}

func (b *Broker) logReceived(ctx context.Context, queue *Queue, messages []Message) {
	b.log.note(ctx, queue, EventReceived, len(messages), func(i int, e *Event) bool {
		m := &messages[i]
		e.MessageID, e.Handle, e.VisibleAt, e.ReceiveCount = m.ID, m.Handle, m.VisibleAt, m.ReceiveCount
		return true
	})
}

// logHandled notes what was done by receipt handles, where it was done.
func (b *Broker) logHandled(ctx context.Context, queue *Queue, kind EventKind, handles []string, done func(i int, e *Event) bool) {
	b.log.note(ctx, queue, kind, len(handles), func(i int, e *Event) bool {
		id, ok := b.store.MessageOf(queue, handles[i])
		e.MessageID, e.Handle = id, handles[i]
		return ok && done(i, e)
	})
}

// ListEventsInput asks for one page of the message log, the oldest first.
type ListEventsInput struct {
	Account   string
	Region    string     // "": all
	Queue     string     // name; "": all
	Topic     string     // name; "": all
	MessageID *MessageID // nil: all; without a Queue, those that it was made of, and that were made of it, are shown too
	From, To  time.Time  // of the account's time; zero: without a bound
	Attribute *Attribute // name and value that the message was sent with; nil: any
	After     int64      // the Next of the page before; 0 starts
	Limit     int        // 1 to MaxListed
}

// EventPage is one page of the message log.
type EventPage struct {
	Events []Event
	Next   int64 // the After of the next page, 0 when this is the last
}

// ListEvents reads the message log. InvalidArgument.
func (b *Broker) ListEvents(ctx context.Context, in ListEventsInput) (EventPage, error) {
	if in.Limit < 1 || in.Limit > MaxListed {
		return EventPage{}, Errorf(InvalidArgument, "a page holds 1 to %d events, asked for %d", MaxListed, in.Limit)
	}
	if in.Queue == "" && in.Topic == "" && in.MessageID == nil {
		return EventPage{}, Errorf(InvalidArgument, "the message log is read by a message id, by a queue or by a topic")
	}
	ctx, cancel := context.WithTimeout(ctx, maxLogWait)
	defer cancel()
	if err := b.FlushLog(ctx); CodeOf(err) == Unavailable { // what this server has just done is to be seen
		return EventPage{}, err
	}
	return b.store.ListEvents(ctx, in)
}

package core

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// EventKind says what happened to a message.
type EventKind string

// The kinds of events.
const (
	EventSent       EventKind = "sent"
	EventDuplicate  EventKind = "duplicate" // sent again with a deduplication id that was used before, and not stored
	EventReceived   EventKind = "received"
	EventReturned   EventKind = "returned" // to the queue: its receiver was gone before it could read it
	EventVisibility EventKind = "visibility-changed"
	EventDeleted    EventKind = "deleted"
	EventMoved      EventKind = "moved" // as a dead letter, or back; Detail names the other queue
	EventExpired    EventKind = "expired"
)

// Actor is who made a request, as far as a message's log tells it.
type Actor struct {
	Protocol    string // "sqs"
	Action      string // the protocol's name of the operation, "SendMessage"
	AccessKeyID string
	Address     netip.Addr // of the client
	RequestID   string
}

// Event is one thing that happened to one message (specs/mns.md 9.1).
type Event struct {
	ID           int64 // of the entry; rises with time
	At           time.Time
	Kind         EventKind
	Queue        QueueName
	MessageID    MessageID
	Handle       string    // that was handed out, or given
	VisibleAt    time.Time // after it; zero where that has no meaning
	ReceiveCount int       // after it; 0 where it is not known
	Attributes   []Attribute
	Detail       string
	Actor

	noted time.Time // by this server's clock
}

// Age is how long ago it happened; the storage knows the account's time.
func (e *Event) Age() time.Duration { return time.Since(e.noted) }

// Bounds of the message log.
const (
	MaxLogged          = 50_000  // events in memory; what comes on top of them is dropped, and counted
	LogBatch           = 2_000   // events written at once
	MaxLoggedAttribute = 4 << 10 // bytes of attributes kept with an event
	maxLogWrite        = 30 * time.Second
)

// messageLog gathers events until a worker writes them. It never makes an operation wait or fail.
type messageLog struct {
	all     atomic.Bool // of every queue, not only those with Settings.Logging
	dropped atomic.Int64

	mu     sync.Mutex
	events []Event
}

// LogAllMessages makes the log keep what happens in every queue, not only in those whose Logging is on.
func (b *Broker) LogAllMessages(on bool) { b.log.all.Store(on) }

// LogDropped gives how many events were lost since the start because they came faster than they could be written.
func (b *Broker) LogDropped() int64 { return b.log.dropped.Load() }

type actorKey struct{}

// WithActor names who acts with the context.
func WithActor(ctx context.Context, actor *Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

// logs reports whether the queue's events are kept.
func (l *messageLog) logs(queue *Queue) bool { return queue.Logging || l.all.Load() }

// add notes events of one kind, as many as there are; fill completes each.
func (l *messageLog) add(ctx context.Context, queue *Queue, kind EventKind, n int, fill func(i int, e *Event) bool) {
	if !l.logs(queue) {
		return
	}
	var actor Actor
	if a, ok := ctx.Value(actorKey{}).(*Actor); ok {
		actor = *a
	}
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range n {
		e := Event{Kind: kind, Queue: queue.Name, Actor: actor, noted: now}
		if !fill(i, &e) {
			continue
		}
		if len(l.events) >= MaxLogged {
			l.dropped.Add(1)
			continue
		}
		l.events = append(l.events, e)
	}
}

// take gives the oldest events, up to a batch.
func (l *messageLog) take() []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(l.events), LogBatch)
	taken := l.events[:n:n]
	l.events = l.events[n:]
	if len(l.events) == 0 {
		l.events = nil
	}
	return taken
}

// FlushLog writes the events that are in memory. Those that cannot be written are dropped and counted.
func (b *Broker) FlushLog(ctx context.Context) error {
	for {
		events := b.log.take()
		if len(events) == 0 {
			return nil
		}
		if err := b.store.WriteEvents(ctx, events); err != nil {
			b.log.dropped.Add(int64(len(events)))
			return fmt.Errorf("write %d events of the message log: %w", len(events), err)
		}
	}
}

// observe notes what a store did by itself: a dead letter's move, the end of a retention.
func (b *Broker) observe(queue *Queue, e Event) {
	b.log.add(context.Background(), queue, e.Kind, 1, func(_ int, noted *Event) bool {
		noted.MessageID, noted.Detail, noted.VisibleAt, noted.ReceiveCount = e.MessageID, e.Detail, e.VisibleAt, e.ReceiveCount
		return true
	})
}

func (b *Broker) logSent(ctx context.Context, queue *Queue, messages []NewMessage, sent []Sent) {
	b.log.add(ctx, queue, EventSent, len(sent), func(i int, e *Event) bool {
		e.MessageID, e.VisibleAt, e.Handle = sent[i].ID, sent[i].VisibleAt, sent[i].Handle
		if sent[i].Duplicate {
			e.Kind = EventDuplicate
		}
		size := 0
		for _, a := range messages[i].Attributes {
			size += len(a.Name) + len(a.Type) + len(a.Value)
		}
		if size <= MaxLoggedAttribute {
			e.Attributes = messages[i].Attributes
		}
		return true
	})
}

func (b *Broker) logReceived(ctx context.Context, queue *Queue, messages []Message) {
	b.log.add(ctx, queue, EventReceived, len(messages), func(i int, e *Event) bool {
		m := &messages[i]
		e.MessageID, e.Handle, e.VisibleAt, e.ReceiveCount = m.ID, m.Handle, m.VisibleAt, m.ReceiveCount
		return true
	})
}

// logHandled notes what was done by receipt handles, where it was done.
func (b *Broker) logHandled(ctx context.Context, queue *Queue, kind EventKind, handles []string, done func(i int, e *Event) bool) {
	b.log.add(ctx, queue, kind, len(handles), func(i int, e *Event) bool {
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
	MessageID *MessageID // nil: all
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
	if in.Queue == "" && in.MessageID == nil {
		return EventPage{}, Errorf(InvalidArgument, "the message log is read by a message id or by a queue")
	}
	ctx, cancel := context.WithTimeout(ctx, maxLogWrite)
	defer cancel()
	if err := b.FlushLog(ctx); err != nil { // what this server has just done is to be seen
		return EventPage{}, err
	}
	return b.store.ListEvents(ctx, in)
}

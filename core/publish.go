package core

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// NewPublication is a message to publish.
type NewPublication struct {
	Body            []byte
	Form            BodyForm
	Bodies          map[string]string // by a subscription's protocol, instead of Body (SNS's MessageStructure json)
	Subject         string
	Attributes      []Attribute       // sorted by name
	System          map[string]string // set by SDKs and services rather than the application: AWSTraceHeader, traceparent, …
	Extra           map[string]string // for one protocol's subscribers, which prefixes the names ("mns.DirectMail")
	Tag             string            // MNS
	GroupID         string            // FIFO topics need it
	DeduplicationID string            // FIFO topics only; "": no deduplication
	Sender          string            // who published it; "": the topic's account
}

// Size is what a message counts against the core's limit.
func (m *NewPublication) Size() int {
	size := len(m.Body) + len(m.Subject)
	for _, a := range m.Attributes {
		size += len(a.Name) + len(a.Type) + len(a.Value)
	}
	for _, body := range m.Bodies {
		size += len(body)
	}
	for _, value := range m.Extra {
		size += len(value)
	}
	return size
}

// Kind says what is delivered: a message that was published, or one about the subscription.
type Kind string

// The kinds of messages.
const (
	Notification            Kind = ""            // what was published
	Confirmation            Kind = "confirm"     // asks the endpoint to confirm its subscription
	UnsubscribeConfirmation Kind = "unsubscribe" // tells the endpoint that its subscription has ended
)

// PublishedMessage is a message of a topic on its way to the subscribers. It is shared: do not
// change it.
type PublishedMessage struct {
	ID   MessageID
	Kind Kind
	NewPublication
	Sequence    string    // FIFO topics only: 20 digits, rising in the topic
	PublishedAt time.Time // by the account's clock
	Replayed    bool      // out of the topic's archive

	rendering sync.Mutex
	rendered  map[string]Rendering // by format
}

// BodyFor gives the body for subscribers of a protocol.
func (m *PublishedMessage) BodyFor(protocol string) []byte {
	if body, ok := m.Bodies[protocol]; ok {
		return []byte(body)
	}
	return m.Body
}

// Published is what became of a NewPublication.
type Published struct {
	ID          MessageID
	Sequence    string // FIFO topics only
	PublishedAt time.Time
	Duplicate   bool // of a FIFO topic: nothing was delivered, and ID and Sequence are the original's
}

// PublishInput is one call's messages to one topic.
type PublishInput struct {
	Topic    TopicName
	Messages []NewPublication
}

// Publication is a message with where it goes, as a Store takes it.
type Publication struct {
	Message *PublishedMessage
	Queues  []QueueDelivery // put there at once, in the transaction that publishes
	Pushed  []*Subscription // deliveries to make
	FanOut  []*Subscription // by ID: too many for one transaction, fanned out in chunks

	matched []*Subscription // by ID: all that get it
}

// QueueDelivery is a message as it is put into a subscribed queue.
type QueueDelivery struct {
	Subscription *Subscription
	Queue        *Queue
	Message      NewMessage
	Sent         Sent // what became of it, filled in by the Store; without an ID it was not put there
}

// Bounds of what one transaction fans out.
const (
	MaxFanOut      = 200
	MaxFanOutBytes = 1 << 20
)

// Publish stores the messages, all or none, with the subscriptions that match each, and gives
// their ids. Subscribed queues have them when it returns, unless they are more than MaxFanOut or
// have to be tried again; everything else is delivered in the background. FIFO topics keep the
// order of calls and of messages in a call, and drop duplicates. TopicNotFound, MessageTooLong,
// InvalidArgument.
func (b *Broker) Publish(ctx context.Context, in PublishInput) (published []Published, err error) {
	if n := len(in.Messages); n < 1 || n > MaxPublishBatch {
		return nil, Errorf(InvalidArgument, "a call publishes 1 to %d messages, this one has %d", MaxPublishBatch, n)
	}
	for i := range in.Messages {
		if err := in.Messages[i].check(); err != nil {
			return nil, err
		}
	}
	var routed []Publication
	if of := b.limits.of(in.Topic.Account); of != nil {
		size := in.size()
		if err := of.room(in.Topic.Account, size); err != nil {
			return nil, err
		}
		defer func() { of.settle(size, putBytes(in.Topic.Account, routed)) }()
	}
	faults := b.inject(ctx, FaultPublish, in.Topic.Account, in.Topic.Name)
	if err := faults.before(ctx); err != nil {
		return nil, err
	}
	err = b.withRoutes(ctx, in.Topic, func(routes *Routes) (err error) {
		messages, end := b.tracePublish(ctx, routes.Topic.Name, in.Messages)
		if routes.Topic.FIFO {
			published, routed, err = b.publishFIFO(ctx, routes, messages)
		} else {
			published, routed, err = b.publish(ctx, routes, messages)
		}
		end(err)
		return err
	})
	return published, faults.after(err)
}

// putBytes gives the size of what publications have put into an account's queues. What is fanned out later counts as one copy.
func putBytes(account string, publications []Publication) int {
	bytes := 0
	for _, p := range publications {
		if len(p.FanOut) > 0 {
			bytes += p.Message.Size()
		}
		for _, d := range p.Queues {
			if d.Queue.Name.Account == account && d.Sent.ID != (MessageID{}) && !d.Sent.Duplicate {
				bytes += d.Message.Size()
			}
		}
	}
	return bytes
}

// size is what the messages count together, each as often as it is stored at least.
func (in *PublishInput) size() int {
	size := 0
	for i := range in.Messages {
		size += in.Messages[i].Size()
	}
	return size
}

// publish publishes to a standard topic.
func (b *Broker) publish(ctx context.Context, routes *Routes, messages []NewPublication) ([]Published, []Publication, error) {
	ids, now, err := b.store.NewMessageIDs(ctx, routes.Topic.Name.Account, len(messages))
	if err != nil {
		return nil, nil, err
	}
	publications := make([]Publication, len(messages))
	published := make([]Published, len(messages))
	for i, m := range messages {
		m.Sender = cmp.Or(m.Sender, routes.Topic.Name.Account)
		published[i] = Published{ID: ids[i], PublishedAt: now}
		message := &PublishedMessage{ID: ids[i], NewPublication: m, PublishedAt: now}
		if publications[i], err = b.route(ctx, routes, message); err != nil {
			return nil, nil, err
		}
	}
	if err := b.store.Publish(ctx, routes, publications); err != nil {
		return published, nil, err
	}
	b.traffic.countPublished(publications)
	b.logPublished(ctx, routes, publications)
	return published, publications, nil
}

// publishFIFO publishes to a FIFO topic, whose sequence numbers are taken while the topic is locked.
func (b *Broker) publishFIFO(ctx context.Context, routes *Routes, messages []NewPublication) ([]Published, []Publication, error) {
	messages = slices.Clone(messages)
	for i := range messages {
		if messages[i].GroupID == "" {
			return nil, nil, Errorf(InvalidArgument, "a message of a FIFO topic needs a group")
		}
		messages[i].Sender = cmp.Or(messages[i].Sender, routes.Topic.Name.Account)
	}
	var routed []Publication
	published, err := b.store.PublishFIFO(ctx, routes, messages, func(m *PublishedMessage) (Publication, error) {
		p, err := b.route(ctx, routes, m)
		routed = slices.DeleteFunc(routed, func(before Publication) bool { return before.Message.ID == m.ID }) // it is routed again
		routed = append(routed, p)
		return p, err
	})
	if err != nil {
		return published, nil, err
	}
	b.traffic.countPublished(routed)
	b.logPublished(ctx, routes, routed)
	b.logDuplicates(ctx, &routes.Topic, published)
	return published, routed, nil
}

// route finds where a message goes. What cannot be put into a queue as it is becomes a delivery,
// whose failure is then dealt with as that of any other.
func (b *Broker) route(ctx context.Context, routes *Routes, m *PublishedMessage) (Publication, error) {
	p := Publication{Message: m}
	matching, err := b.match(routes, m)
	if err != nil || len(matching) == 0 {
		return p, err
	}
	p.matched = matching
	if len(matching) > MaxFanOut && !routes.Topic.FIFO { // a FIFO topic has few subscriptions, and one order
		p.FanOut = matching
		return p, nil
	}
	bytes := 0
	for _, sub := range matching {
		if sub.Replay != NoReplay { // it gets the message from the archive, behind those before
			continue
		}
		delivery, now, err := b.routeTo(ctx, &routes.Topic, sub, m)
		if err != nil {
			return p, err
		}
		if !now {
			p.Pushed = append(p.Pushed, sub)
			continue
		}
		if bytes += delivery.Message.Size(); bytes > MaxFanOutBytes && len(p.Queues) > 0 && !routes.Topic.FIFO {
			return Publication{Message: m, FanOut: matching, matched: matching}, nil
		}
		p.Queues = append(p.Queues, delivery)
	}
	return p, nil
}

// routeTo gives what goes into a subscribed queue now; with false, the message becomes a delivery.
func (b *Broker) routeTo(ctx context.Context, topic *Topic, sub *Subscription, m *PublishedMessage) (d QueueDelivery, now bool, err error) {
	if sub.Queue == (QueueName{}) {
		return d, false, nil
	}
	d, err = b.queueDelivery(ctx, topic, sub, sub.Queue, m)
	switch {
	case isUnfit(err), errors.Is(err, errUnspoken):
		return d, false, nil
	case err != nil:
		return d, false, err
	}
	return d, !d.Queue.FIFO || topic.FIFO, nil // what is not in the order of a FIFO topic goes into FIFO queues one by one
}

// queueDelivery renders a message for a queue. errUnfit says in its chain that it cannot be put there.
func (b *Broker) queueDelivery(ctx context.Context, topic *Topic, sub *Subscription, name QueueName, m *PublishedMessage) (d QueueDelivery, err error) {
	queue, err := b.store.Queue(ctx, name)
	if err != nil {
		return d, err
	}
	if b.guard != nil && !b.guard(topic, sub, queue) {
		return d, fmt.Errorf("%w: %w", errUnfit, Errorf(AccessDenied, "the policy of queue %q does not let the topic send to it", queue.Name.Name))
	}
	rendering, err := b.render(topic, sub, m)
	if err != nil {
		return d, err
	}
	message, err := rendering.QueueMessage(sub)
	if err != nil {
		return d, unfit(err)
	}
	if err := message.suit(queue, m); err != nil {
		return d, fmt.Errorf("%w: %w", errUnfit, err)
	}
	message.Priority = cmp.Or(message.Priority, DefaultPriority)
	message.Repeated = m.Replayed
	if message.Delay == nil {
		message.Delay = &queue.Delay
	}
	b.used(queue)
	return QueueDelivery{Subscription: sub, Queue: queue, Message: message}, nil
}

// GuardDeliveries sets the function that says whether a topic may send to a queue that is subscribed to it or takes the
// subscription's dead letters; without one every topic may. What it refuses can never be delivered. Called once, before the first
// publish; the function must not wait for anything.
func (b *Broker) GuardDeliveries(allows func(topic *Topic, sub *Subscription, queue *Queue) bool) {
	b.guard = allows
}

// errUnfit says that a message can never be delivered to a subscription.
var errUnfit = errors.New("not deliverable")

// unfit makes of a rendering's error that the message can never be delivered, unless the fault is the server's, such as a key that cannot be
// read now.
func unfit(err error) error {
	if code := CodeOf(err); code == Internal || code == Unavailable {
		return err
	}
	return fmt.Errorf("%w: %w", errUnfit, err)
}

// isUnfit reports whether trying again is of no use.
func isUnfit(err error) bool { return errors.Is(err, errUnfit) || CodeOf(err) == QueueNotFound }

// suit fills in what a FIFO queue needs to know, and checks that the queue takes the message.
func (m *NewMessage) suit(queue *Queue, from *PublishedMessage) error {
	if queue.FIFO {
		m.GroupID = cmp.Or(m.GroupID, from.GroupID, from.ID.UUID())
		m.DeduplicationID = cmp.Or(m.DeduplicationID, from.DeduplicationID, from.ID.UUID())
	} else {
		m.DeduplicationID = ""
	}
	if size := cmp.Or(m.CountsAs, m.Size()); size > queue.MaxMessageSize {
		return Errorf(MessageTooLong, "a message of queue %q has at most %d bytes, this one has %d", queue.Name.Name, queue.MaxMessageSize, size)
	}
	return m.check()
}

// render gives a message as the subscription's format puts it, made once for a message.
func (b *Broker) render(topic *Topic, sub *Subscription, m *PublishedMessage) (Rendering, error) {
	m.rendering.Lock()
	defer m.rendering.Unlock()
	if r := m.rendered[sub.Format]; r != nil {
		return r, nil
	}
	pusher, err := b.pusher(sub.Format)
	if err != nil {
		return nil, err
	}
	own := *topic // what is rendered is kept with the message, and the Routes that the topic is a part of are not to be
	r, err := pusher.Render(&own, m)
	if err != nil {
		return nil, unfit(err)
	}
	if m.rendered == nil {
		m.rendered = map[string]Rendering{}
	}
	m.rendered[sub.Format] = r
	return r, nil
}

// ErrTopicChanged is what a Store answers when the Routes it was handed are no longer current. The
// Broker reads them again and repeats the call; it never reaches a protocol.
var ErrTopicChanged = errors.New("topic has changed since it was read")

// withRoutes calls do with the topic's routes, again while the topic or a queue turns out to have changed.
func (b *Broker) withRoutes(ctx context.Context, name TopicName, do func(*Routes) error) error {
	if err := name.check(); err != nil {
		return err
	}
	for range maxTopicChanges {
		routes, err := b.store.Routes(ctx, name)
		if err != nil {
			return err
		}
		if err := do(routes); !errors.Is(err, ErrTopicChanged) && !errors.Is(err, ErrQueueChanged) {
			return err
		}
	}
	return Errorf(Unavailable, "topic %q keeps changing", name.Name)
}

func (m *NewPublication) check() error {
	if m.Size() > MaxMessageBytes {
		return Errorf(MessageTooLong, "a message has at most %d bytes, this one has %d", MaxMessageBytes, m.Size())
	}
	if !ValidText([]byte(m.Subject + m.Tag + m.GroupID + m.DeduplicationID)) {
		return Errorf(InvalidArgument, "subject, tag and ids must be text")
	}
	return cmp.Or(checkTexts(m.System), checkTexts(m.Extra), checkTexts(m.Bodies))
}

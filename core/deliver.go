package core

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// OnDeliveries sets the function that is told when deliveries become due. Called once, before the
// first publish; the function must not block.
func (b *Broker) OnDeliveries(due func(LaneDue)) { b.store.NotifyDeliveries(due) }

// DueLanes gives lanes with deliveries that are due within the given time: the net under OnDeliveries.
func (b *Broker) DueLanes(ctx context.Context, within time.Duration) ([]LaneDue, error) {
	return b.store.DueLanes(ctx, within)
}

// ClaimDeliveries claims what is due, for attempts that must be settled within ClaimLife.
func (b *Broker) ClaimDeliveries(ctx context.Context, lanes []LaneClaim) ([]*Delivery, error) {
	deliveries, err := b.store.ClaimDeliveries(ctx, lanes)
	for _, d := range deliveries {
		if pusher, err := b.pusher(d.Subscription.Format); err == nil {
			d.Rate = pusher.Rate(d.Topic, d.Subscription)
		}
	}
	return deliveries, err
}

// chunk gives as much of a fan-out as one transaction takes: the rest is in the Publication's FanOut.
func (b *Broker) chunk(ctx context.Context, topic *Topic, m *PublishedMessage, subs []*Subscription) (Publication, error) {
	p := Publication{Message: m}
	bytes := 0
	for i, sub := range subs {
		if i == MaxFanOut {
			p.FanOut = subs[i:]
			break
		}
		delivery, now, err := b.routeTo(ctx, topic, sub, m)
		if err != nil {
			return p, err
		}
		if !now {
			p.Pushed = append(p.Pushed, sub)
			continue
		}
		if bytes += delivery.Message.Size(); bytes > MaxFanOutBytes && i > 0 {
			p.FanOut = subs[i:]
			break
		}
		p.Queues = append(p.Queues, delivery)
	}
	return p, nil
}

// PushConfirmation sends a message about the subscription itself to its endpoint: that it is to be
// confirmed, by the token, or that it has ended. It is delivered as any other message is.
func (b *Broker) PushConfirmation(ctx context.Context, sub Subscription, kind Kind) error {
	if kind != Confirmation && kind != UnsubscribeConfirmation {
		return Errorf(InvalidArgument, "%q is no message about a subscription", kind)
	}
	return b.store.StoreControl(ctx, &sub, kind)
}

// Attempt attempts a delivery with push, and says what that came to. It changes nothing that
// lasts: Settle does. An error means that nothing is known, and the delivery's claim runs out.
func (b *Broker) Attempt(ctx context.Context, d *Delivery, push func(context.Context, Push) PushAnswer) (Outcome, error) {
	o := Outcome{Delivery: d, Verdict: GiveUp}
	if d.isGone() {
		o.Answer.Reason = ReasonGone
		return o, nil
	}
	pusher, err := b.pusher(d.Subscription.Format)
	if err != nil {
		o.Verdict, o.Answer.Reason = Retry, MessageOf(err)
		return b.conclude(ctx, unspoken, o)
	}
	switch {
	case d.Subscription.Queue != (QueueName{}):
		var put QueueDelivery
		switch put, err = b.queueDelivery(ctx, d.Topic, d.Subscription, d.Subscription.Queue, d.Message); {
		case err != nil:
		case d.Topic.FIFO && put.Queue.FIFO: // which did not take it in its turn, and has since got what came behind it
			err = unfit(Errorf(InvalidArgument, "queue %q did not take the message in its turn", put.Queue.Name.Name))
		default:
			o.Verdict, o.Put = Delivered, &put
			return o, nil
		}
	default:
		var p Push
		if p, err = b.push(d); err == nil {
			o.Answer, err = b.reach(ctx, d, p, push)
		}
		if err == nil {
			o.Verdict = pusher.Judge(d.Subscription, o.Answer)
			if o.Answer.Refused {
				o.Verdict = GiveUp
			}
			if o.Answer.Kept {
				o.Verdict, o.Keep = Delivered, keptOf(d, p)
			}
			o.OutOfReach = o.Verdict == Retry && o.Answer.outOfReach()
		}
	}
	switch {
	case err == nil:
	case isUnfit(err):
		o.Answer.Reason = MessageOf(err)
	case CodeOf(err) == Unavailable:
		return o, err
	default: // a fault of the server: by a schedule that outlasts it
		o.Verdict, o.Answer.Reason = Retry, MessageOf(err)
		return b.conclude(ctx, unspoken, o)
	}
	return b.conclude(ctx, scheduleOf(pusher), o)
}

// FailWith says what becomes of a delivery whose endpoint is out of reach, as the attempt of another one has just shown: as if it
// had been attempted, too.
func (b *Broker) FailWith(ctx context.Context, d *Delivery, failed PushAnswer) (Outcome, error) {
	if d.isGone() {
		return Outcome{Delivery: d, Verdict: GiveUp, Answer: PushAnswer{Reason: ReasonGone}}, nil
	}
	pusher, err := b.pusher(d.Subscription.Format)
	if err != nil {
		return Outcome{}, err
	}
	failed.Reason, failed.Excerpt = ReasonOutOfReach, ""
	return b.conclude(ctx, scheduleOf(pusher), Outcome{Delivery: d, Verdict: Retry, Answer: failed, OutOfReach: true, Untried: true})
}

// isGone reports whether there is nobody any more to deliver to.
func (d *Delivery) isGone() bool {
	return d.Message.Kind == Notification && d.Subscription.State != Confirmed || d.Subscription.lapsed(d.ClaimedAt)
}

// push renders the request of a delivery.
func (b *Broker) push(d *Delivery) (Push, error) {
	rendering, err := b.render(d.Topic, d.Subscription, d.Message)
	if err != nil {
		return Push{}, err
	}
	p, err := rendering.Push(d.Subscription)
	if err != nil {
		return Push{}, unfit(err)
	}
	p.Timeout = min(cmp.Or(p.Timeout, DefaultPushTimeout), MaxPushTimeout)
	return p, nil
}

// conclude finds the next attempt after one that failed, or where the message goes instead.
func (b *Broker) conclude(ctx context.Context, retries func(*Topic, *Subscription) RetryPolicy, o Outcome) (Outcome, error) {
	d := o.Delivery
	if o.Failed = o.Verdict == Retry; o.Failed {
		policy, waited := retries(d.Topic, d.Subscription), d.ClaimedAt.Sub(d.Message.PublishedAt)
		next, more := policy.Delay(d.Attempts + 1)
		lasts := cmp.Or(d.Topic.Retention, MaxTopicRetention)
		over := d.Failing > 0 && policy.over(min(waited, d.Failing), o.Answer.Latency)
		if more && !over && waited+next < lasts {
			o.Next = next
			return o, nil
		}
		o.Verdict = GiveUp
	}
	if o.Verdict == Delivered || d.Message.Kind != Notification || d.Subscription.DeadLetter == (QueueName{}) {
		return o, nil
	}
	put, err := b.deadLetter(ctx, d)
	if err != nil && !isUnfit(err) && !errors.Is(err, errUnspoken) {
		return o, err
	}
	if err == nil {
		put.Message.Delay = new(time.Duration)
		o.Put = &put
	}
	return o, nil
}

// deadLetter gives what goes into the subscription's dead-letter queue: what the subscriber would have got, or else, where no queue can
// hold that because it is raw, the same in its envelope.
func (b *Broker) deadLetter(ctx context.Context, d *Delivery) (QueueDelivery, error) {
	put, err := b.queueDelivery(ctx, d.Topic, d.Subscription, d.Subscription.DeadLetter, d.Message)
	if !d.Subscription.Raw || !errors.Is(err, errUnfit) {
		return put, err
	}
	wrapped := *d.Subscription
	wrapped.Raw = false
	put, err = b.queueDelivery(ctx, d.Topic, &wrapped, wrapped.DeadLetter, d.Message)
	put.Subscription = d.Subscription
	return put, err
}

// scheduleOf gives the schedule of what an endpoint does not take: the subscription's own, or that of its format.
func scheduleOf(pusher Pusher) func(*Topic, *Subscription) RetryPolicy {
	return func(topic *Topic, sub *Subscription) RetryPolicy {
		if sub.Retries != nil {
			return sub.Retries
		}
		return pusher.Retries(topic, sub)
	}
}

// unspoken is the schedule of what this server has no format for, or cannot render now: another may, or this one after its next start. A
// subscription's own does not count here: it is for its endpoint.
func unspoken(*Topic, *Subscription) RetryPolicy {
	return RetryPolicy{{Retries: 10, Min: 10 * time.Second, Max: 10 * time.Minute, Backoff: Exponential}, {Retries: MaxRetries, Min: 10 * time.Minute, Max: 10 * time.Minute}}
}

// keptOf gives a delivery that had nowhere to go as the outbox shows it.
func keptOf(d *Delivery, p Push) *KeptMessage {
	return &KeptMessage{
		Message: d.Message.ID, Account: d.Topic.Name.Account, Region: d.Topic.Name.Region, Topic: d.Topic.Name.Name,
		Subscription: d.Subscription.Name.Name, Protocol: d.Subscription.Protocol, To: cmp.Or(p.To, d.Subscription.Endpoint),
		Subject: p.Subject, Body: p.Body, Extra: d.Message.Extra,
	}
}

// Settle writes down what attempts came to. Where a queue has changed since, the outcomes are
// settled one by one, with the queue read anew.
func (b *Broker) Settle(ctx context.Context, outcomes []Outcome) error {
	err := b.store.SettleDeliveries(ctx, outcomes)
	if err == nil {
		b.logOutcomes(ctx, outcomes)
	}
	if !errors.Is(err, ErrQueueChanged) {
		return err
	}
	for _, o := range outcomes {
		if err := b.settleAnew(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// settleAnew settles one outcome, with its queue as it is now.
func (b *Broker) settleAnew(ctx context.Context, o Outcome) error {
	for range maxQueueChanges {
		err := b.store.SettleDeliveries(ctx, []Outcome{o})
		if err == nil {
			b.logOutcomes(ctx, []Outcome{o})
		}
		if !errors.Is(err, ErrQueueChanged) {
			return err
		}
		queue, err := b.store.Queue(ctx, o.Put.Queue.Name)
		switch {
		case err == nil:
			put := *o.Put
			put.Queue = queue
			o.Put = &put
		case CodeOf(err) == QueueNotFound: // deleted meanwhile
			if o, err = b.undeliverable(ctx, o, MessageOf(err)); err != nil {
				return err
			}
		default:
			return err
		}
	}
	return Errorf(Unavailable, "the queues of subscription %q keep changing", o.Delivery.Subscription.Name.Name)
}

// undeliverable gives the outcome in place of one whose queue is gone: what was to be delivered to that queue becomes
// a dead letter, and what was one already has nowhere to go.
func (b *Broker) undeliverable(ctx context.Context, o Outcome, reason string) (Outcome, error) {
	wasDead := o.Verdict == GiveUp
	o.Put, o.Verdict = nil, GiveUp
	if wasDead {
		return o, nil
	}
	o.Answer.Reason = reason
	pusher, err := b.pusher(o.Delivery.Subscription.Format)
	if err != nil {
		return o, err
	}
	return b.conclude(ctx, scheduleOf(pusher), o)
}

// ExpireDeliveries gives up to limit deliveries up, of messages that have outlived their topic's retention, and gives how many. Attempts
// that fail look at it as well, but before an endpoint that keeps failing most deliveries wait for their first one.
func (b *Broker) ExpireDeliveries(ctx context.Context, limit int) (int, error) {
	deliveries, claimed, err := b.store.ClaimExpired(ctx, limit)
	if err != nil || len(deliveries) == 0 {
		return claimed, err
	}
	outcomes := make([]Outcome, len(deliveries))
	for i, d := range deliveries {
		o := Outcome{Delivery: d, Verdict: GiveUp, Answer: PushAnswer{Reason: ReasonExpired}}
		if outcomes[i], err = b.conclude(ctx, unspoken, o); err != nil {
			return claimed, err
		}
	}
	return claimed, b.Settle(ctx, outcomes)
}

// RetryDelivery makes a delivery due now, whatever its schedule says. SubscriptionNotFound,
// DeliveryNotFound.
func (b *Broker) RetryDelivery(ctx context.Context, name SubscriptionName, message MessageID) error {
	sub, err := b.Subscription(ctx, name)
	if err != nil {
		return err
	}
	return b.store.RetryDelivery(ctx, DeliveryID{Message: message, Subscription: sub.ID})
}

// DeadLetterDelivery gives a delivery up: it goes to the subscription's dead-letter queue at once.
// SubscriptionNotFound, DeliveryNotFound, InvalidArgument when there is no such queue.
func (b *Broker) DeadLetterDelivery(ctx context.Context, name SubscriptionName, message MessageID) error {
	sub, err := b.Subscription(ctx, name)
	if err != nil {
		return err
	}
	if sub.DeadLetter == (QueueName{}) {
		return Errorf(InvalidArgument, "subscription %q has no dead-letter queue", name.Name)
	}
	pusher, err := b.pusher(sub.Format)
	if err != nil {
		return err
	}
	if _, err := b.store.Queue(ctx, sub.DeadLetter); err != nil {
		return err
	}
	d, err := b.store.ClaimDelivery(ctx, DeliveryID{Message: message, Subscription: sub.ID})
	if err != nil {
		return err
	}
	o, err := b.conclude(ctx, scheduleOf(pusher), Outcome{Delivery: d, Verdict: GiveUp, Answer: PushAnswer{Reason: ReasonRequested}})
	if err != nil {
		return err
	}
	return b.Settle(ctx, []Outcome{o})
}

// ListDeliveries gives a page of what is still to be delivered to a subscription.
// SubscriptionNotFound.
func (b *Broker) ListDeliveries(ctx context.Context, in ListDeliveriesInput) (DeliveryPage, error) {
	if err := in.check(); err != nil {
		return DeliveryPage{}, err
	}
	if err := (SubscriptionName{in.Topic, in.Subscription}).check(); err != nil {
		return DeliveryPage{}, err
	}
	return b.store.ListDeliveries(ctx, in)
}

// ListAttempts gives a page of the attempts made, newest first.
func (b *Broker) ListAttempts(ctx context.Context, in ListDeliveriesInput) (AttemptPage, error) {
	if err := in.check(); err != nil {
		return AttemptPage{}, err
	}
	return b.store.ListAttempts(ctx, in)
}

// Keep stores a message that goes nowhere, such as an SMS to a number that a publisher named, and
// gives its id (in.Message is ignored).
func (b *Broker) Keep(ctx context.Context, in KeptMessage) (MessageID, error) {
	if len(in.Body)+len(in.Subject) > MaxMessageBytes {
		return MessageID{}, Errorf(MessageTooLong, "a message has at most %d bytes, this one has %d", MaxMessageBytes, len(in.Body)+len(in.Subject))
	}
	if err := cmp.Or(checkTexts(in.Extra), checkTexts(map[string]string{in.To: in.Subject})); err != nil {
		return MessageID{}, err
	}
	return b.store.Keep(ctx, in)
}

// ListKept gives a page of the outbox, newest first.
func (b *Broker) ListKept(ctx context.Context, in ListDeliveriesInput) (KeptPage, error) {
	if err := in.check(); err != nil {
		return KeptPage{}, err
	}
	return b.store.ListKept(ctx, in)
}

// DropKept removes messages from the outbox, for tests that look at what comes after.
func (b *Broker) DropKept(ctx context.Context, in DropKeptInput) error {
	return b.store.DropKept(ctx, in)
}

func (in ListDeliveriesInput) check() error {
	if err := checkPage("entries", in.Limit, in.After); err != nil {
		return err
	}
	if in.Topic.Name != "" {
		return in.Topic.check()
	}
	return nil
}

package core

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"
)

// SubscriptionName is the full name of a subscription. Name is unique among those of the topic: an
// MNS subscription's name, or the UUID at the end of an SNS subscription's ARN.
type SubscriptionName struct {
	Topic TopicName
	Name  string
}

// String gives account/region/topic/name, for logs.
func (n SubscriptionName) String() string { return n.Topic.String() + "/" + n.Name }

// SubscriptionState is where in its life a subscription is. Only Confirmed ones get messages.
type SubscriptionState string

// The states of subscriptions. A Pending one that is not confirmed within MaxRemembered is gone. The last two are remembered
// for as long; an Unsubscribed one can come back (SNS's UnsubscribeConfirmation), an Orphaned one's topic is gone.
const (
	Pending      SubscriptionState = "pending"
	Confirmed    SubscriptionState = "confirmed"
	Unsubscribed SubscriptionState = "unsubscribed"
	Orphaned     SubscriptionState = "orphaned"
)

// Bounds of subscriptions.
const (
	MaxRemembered  = 48 * time.Hour // of subscriptions that are gone or pending, and of tokens
	MaxTokenLength = 512
	MaxRate        = 1_000_000 // messages a second
)

// Subscription is a subscription as it was last read. It is shared between callers: do not change it.
type Subscription struct {
	ID         int64
	Name       SubscriptionName
	State      SubscriptionState
	Format     string            // which Pusher speaks to it, by the name it was registered under: "sns", "mns"
	Protocol   string            // sqs, http, https, email, email-json, sms, application, lambda, firehose, queue, …: the Pusher's words
	Endpoint   string            // as the subscriber gave it
	Queue      QueueName         // where messages are put, for a subscription of a queue; zero: they are pushed
	Owner      string            // account
	Raw        bool              // the message as it was published, without the format's envelope
	Filter     Filter            // zero: every message
	Retries    RetryPolicy       // nil: what the Pusher says
	DeadLetter QueueName         // where what cannot be delivered goes; zero: it is dropped
	Rate       int               // most messages pushed in a second; 0: no limit
	Token      string            // what confirms it; good for MaxRemembered after TokenAt
	TokenAt    time.Time         // when the token was made; zero: there is none
	Attributes map[string]string // kept for protocols, which prefix their names; the core does not read them
	Replay     ReplayStatus
	CreatedAt  time.Time
	ModifiedAt time.Time
}

// NewSubscription describes a subscription to make. Fields are as in Subscription.
type NewSubscription struct {
	Name       SubscriptionName // Name "": a fresh UUID, unless the endpoint is subscribed already
	Pending    bool             // it must be confirmed first, by Token
	Token      string
	Format     string
	Protocol   string
	Endpoint   string
	Queue      QueueName
	Owner      string // "": the topic's account
	Raw        bool
	Filter     Filter
	Retries    RetryPolicy
	DeadLetter QueueName
	Rate       int
	Attributes map[string]string
	Replay     *Replay // begin with this
}

// lapsed says that nobody has confirmed the subscription in time.
func (s *Subscription) lapsed(now time.Time) bool {
	return s.State == Pending && !now.Before(s.TokenAt.Add(MaxRemembered))
}

// SubscriptionChange alters a subscription; nil fields and absent keys stay as they are. State
// confirms one that is pending, or brings back one that was unsubscribed.
type SubscriptionChange struct {
	State      *SubscriptionState // Confirmed
	Raw        *bool
	Filter     *Filter
	Retries    *RetryPolicy
	DeadLetter *QueueName
	Rate       *int
	Token      *string            // a fresh one
	Attributes map[string]*string // nil removes
	Replay     *Replay            // begin it, in place of one under way; zero: end the one under way
	From       *Subscription      // filter and attributes must still be as they were read here, else ErrSubscriptionChanged; nil: however they are
}

// ErrSubscriptionChanged is what a Store answers when a subscription is no longer as its change takes it for. The Broker reads it again.
var ErrSubscriptionChanged = errors.New("subscription has changed since it was read")

// Apply gives the subscription with the change made to it, leaving the subscription itself alone.
func (c SubscriptionChange) Apply(s Subscription) Subscription {
	set(&s.State, c.State)
	set(&s.Raw, c.Raw)
	set(&s.Filter, c.Filter)
	set(&s.Retries, c.Retries)
	set(&s.DeadLetter, c.DeadLetter)
	set(&s.Rate, c.Rate)
	set(&s.Token, c.Token)
	s.Attributes = merge(s.Attributes, c.Attributes)
	return s
}

// ListSubscriptionsInput asks for one page of subscriptions, pending ones too.
type ListSubscriptionsInput struct {
	Topic  TopicName // with Name "": those that the account owns in the region, whosoever the topics are
	Prefix string    // of the subscription's name
	After  string    // the Next of the page before; "" starts
	Limit  int       // 1 to MaxListed

	// Of one topic's only:
	Protocol string // that theirs begins with: "http" is "https" too
	Endpoint string // that they have; "": any
	Skip     int    // how many of those that are left to pass over, 0 to MaxSkipped
	Total    bool   // fill in SubscriptionPage.Total
}

// SubscriptionPage is one page of subscriptions: of one topic by name, of an account by the time
// they were made.
type SubscriptionPage struct {
	Subscriptions []Subscription
	Next          string // the After of the next page, "" when this is the last
	Total         int    // behind After, on this page and all that follow, where asked for
}

// Subscribe makes a subscription. One of that name, or without a name one of the same format,
// protocol and endpoint, is returned unchanged with created false: what then is a conflict is for
// each protocol to decide. The filter must be one that the format compiles. Nothing is checked of
// the queues named. TopicNotFound, InvalidArgument, also for a replay where there is no archive and for what a topic of
// large messages cannot deliver to, SubscriptionLimit.
func (b *Broker) Subscribe(ctx context.Context, in NewSubscription) (sub Subscription, created bool, err error) {
	if err := in.Name.Topic.check(); err != nil {
		return Subscription{}, false, err
	}
	in.Owner = cmp.Or(in.Owner, in.Name.Topic.Account)
	if err := in.check(); err != nil {
		return Subscription{}, false, err
	}
	if err := b.checkFilter(in.Format, in.Filter); err != nil {
		return Subscription{}, false, err
	}
	return b.store.Subscribe(ctx, in)
}

// Subscription reads a subscription from the database, also one that is Unsubscribed or Orphaned.
// SubscriptionNotFound.
func (b *Broker) Subscription(ctx context.Context, name SubscriptionName) (Subscription, error) {
	if err := name.check(); err != nil {
		return Subscription{}, err
	}
	return b.store.Subscription(ctx, name)
}

// SubscriptionOfToken gives the subscription that a token confirms, in whatever state it is: a
// token may be used again. SubscriptionNotFound, also when the token is older than MaxRemembered.
func (b *Broker) SubscriptionOfToken(ctx context.Context, token string) (Subscription, error) {
	if token == "" || len(token) > MaxTokenLength || !ValidText([]byte(token)) {
		return Subscription{}, Errorf(SubscriptionNotFound, "the token confirms no subscription")
	}
	return b.store.SubscriptionOfToken(ctx, token)
}

// AlterSubscription changes a subscription at once and for all servers, and gives the result.
// What has been published before is not filtered again. SubscriptionNotFound, also for one that
// is Orphaned, and for one that is Unsubscribed unless the change confirms it; InvalidArgument.
func (b *Broker) AlterSubscription(ctx context.Context, name SubscriptionName, change SubscriptionChange) (Subscription, error) {
	if err := name.check(); err != nil {
		return Subscription{}, err
	}
	if change.State != nil && *change.State != Confirmed {
		return Subscription{}, Errorf(InvalidArgument, "a subscription can be made %s, not %s", Confirmed, *change.State)
	}
	if err := cmp.Or(change.Apply(Subscription{}).check(), change.Replay.check()); err != nil {
		return Subscription{}, err
	}
	if change.Filter != nil {
		sub, err := b.store.Subscription(ctx, name)
		if err != nil {
			return Subscription{}, err
		}
		if err := b.checkFilter(sub.Format, *change.Filter); err != nil {
			return Subscription{}, err
		}
	}
	return b.store.AlterSubscription(ctx, name, change)
}

// EditSubscription alters a subscription by what edit makes of it as the database has it now. Where somebody else
// alters it meanwhile, edit is called again, so that no change is lost. An error of edit ends it. As AlterSubscription.
func (b *Broker) EditSubscription(ctx context.Context, name SubscriptionName, edit func(Subscription) (SubscriptionChange, error)) (Subscription, error) {
	for range maxSubscriptionChanges {
		sub, err := b.Subscription(ctx, name)
		if err != nil {
			return Subscription{}, err
		}
		change, err := edit(sub)
		if err != nil {
			return Subscription{}, err
		}
		change.From = &sub
		if altered, err := b.AlterSubscription(ctx, name, change); !errors.Is(err, ErrSubscriptionChanged) {
			return altered, err
		}
	}
	return Subscription{}, Errorf(Unavailable, "subscription %q keeps changing", name.Name)
}

// maxSubscriptionChanges bounds how often an operation starts anew because its subscription keeps changing.
const maxSubscriptionChanges = 32

// Unsubscribe ends a subscription; what is still to be delivered to it is dropped. It stays
// readable, as Unsubscribed. SubscriptionNotFound, also for one that is gone already.
func (b *Broker) Unsubscribe(ctx context.Context, name SubscriptionName) (Subscription, error) {
	if err := name.check(); err != nil {
		return Subscription{}, err
	}
	return b.store.Unsubscribe(ctx, name)
}

// ListSubscriptions gives a page of subscriptions that are pending or confirmed. TopicNotFound.
func (b *Broker) ListSubscriptions(ctx context.Context, in ListSubscriptionsInput) (SubscriptionPage, error) {
	if err := checkPage("subscriptions", in.Limit, in.After); err != nil {
		return SubscriptionPage{}, err
	}
	if err := (&Listed{Skip: in.Skip}).check(); err != nil {
		return SubscriptionPage{}, err
	}
	if in.Topic.Name != "" {
		if err := in.Topic.check(); err != nil {
			return SubscriptionPage{}, err
		}
	}
	if strings.ContainsFunc(in.Prefix, foreignRune) || !ValidText([]byte(in.Protocol+in.Endpoint)) {
		return SubscriptionPage{}, nil
	}
	return b.store.ListSubscriptions(ctx, in)
}

func (in NewSubscription) check() error {
	if in.Name.Name != "" {
		if err := in.Name.check(); err != nil {
			return Errorf(InvalidArgument, "a subscription name has 1 to %d letters, digits, '-', '_' and '.'", MaxNameLength)
		}
	}
	switch {
	case in.Endpoint == "" || len(in.Endpoint) > MaxEndpointBytes || !ValidText([]byte(in.Endpoint)):
		return Errorf(InvalidArgument, "an endpoint has 1 to %d bytes of text, this one has %d", MaxEndpointBytes, len(in.Endpoint))
	case in.Protocol == "" || len(in.Protocol) > MaxNameLength || !ValidText([]byte(in.Protocol)):
		return Errorf(InvalidArgument, "a subscription needs a protocol")
	case in.Pending && in.Token == "":
		return Errorf(InvalidArgument, "a subscription that is pending needs a token")
	}
	if err := in.Replay.check(); err != nil {
		return err
	}
	return Subscription{
		Filter: in.Filter, Retries: in.Retries, Rate: in.Rate, Token: in.Token, Queue: in.Queue, DeadLetter: in.DeadLetter, Attributes: in.Attributes,
	}.check()
}

// check checks what can be changed.
func (s Subscription) check() error {
	switch {
	case len(s.Filter.Text) > MaxFilterBytes || !ValidText([]byte(s.Filter.Text+s.Filter.Scope)):
		return Errorf(InvalidArgument, "a filter has at most %d bytes of text, this one has %d", MaxFilterBytes, len(s.Filter.Text))
	case s.Rate < 0 || s.Rate > MaxRate:
		return Errorf(InvalidArgument, "the rate must be 0 to %d messages a second, was %d", MaxRate, s.Rate)
	case len(s.Token) > MaxTokenLength || !ValidText([]byte(s.Token)):
		return Errorf(InvalidArgument, "a token has at most %d bytes of text, this one has %d", MaxTokenLength, len(s.Token))
	}
	for _, queue := range []QueueName{s.Queue, s.DeadLetter} {
		if queue != (QueueName{}) && (queue.check() != nil || queue.Account == "" || queue.Region == "") {
			return Errorf(InvalidArgument, "%q is no name of a queue", queue)
		}
	}
	return cmp.Or(s.Retries.check(), checkTexts(s.Attributes))
}

// check says SubscriptionNotFound of a name that no subscription can have.
func (n SubscriptionName) check() error {
	if n.Topic.check() != nil || n.Name == "" || len(n.Name) > MaxNameLength || strings.ContainsFunc(n.Name, foreignRune) {
		return Errorf(SubscriptionNotFound, "subscription %q does not exist", n.Name)
	}
	return nil
}

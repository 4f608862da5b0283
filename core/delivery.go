package core

import (
	"context"
	"time"
)

// Delivery is a message that is to be pushed to a subscription, until it is delivered, given up or
// moved to the dead-letter queue.
type Delivery struct {
	ID           DeliveryID
	Topic        *Topic
	Subscription *Subscription
	Message      *PublishedMessage
	Attempts     int           // made so far
	NextAttempt  time.Time     // by the account's clock
	ClaimedAt    time.Time     // the same
	Claim        int64         // of the server that makes the attempt; a later claim voids it
	Lane         int64         // stands for the endpoint: deliveries of one lane share its bounds
	Rate         int           // most pushes in a second; 0: no limit
	Failing      time.Duration // for how long the endpoint has failed at every attempt, as far as this server knows
}

// DeliveryID names a delivery: a message reaches a subscription once.
type DeliveryID struct {
	Message      MessageID
	Subscription int64
}

// Outcome is what an attempt came to.
type Outcome struct {
	Delivery *Delivery
	Verdict  Verdict
	Answer   PushAnswer
	Next     time.Duration  // of a Retry: until the next attempt
	Put      *QueueDelivery // goes into this queue: the subscribed one when Delivered, the dead-letter queue at a GiveUp
	Keep     *KeptMessage   // goes to the outbox

	Failed     bool // the endpoint did, whether there is another attempt or not; one that refuses a message works
	OutOfReach bool // it failed since nobody is there: whatever is due would have failed as well
	Untried    bool // there was no attempt: the endpoint was out of reach for another delivery
}

// Attempt is one attempt as it was recorded. Attempts are remembered for a while, the last ones only.
type Attempt struct {
	Message      MessageID
	Subscription SubscriptionName
	Protocol     string
	Endpoint     string
	Number       int // 1 is the first
	Verdict      Verdict
	Answer       PushAnswer
	At           time.Time
	NextAttempt  time.Time // zero: there is none
	DeadLettered bool
}

// KeptMessage is a message that polymq has nowhere to send: an SMS, a mobile push, or mail without a
// mail server. It can be read for as long as MaxKept.
type KeptMessage struct {
	Message      MessageID
	Account      string
	Region       string
	Topic        string // "" when it was published to a number or device directly
	Subscription string
	Protocol     string
	To           string
	Subject      string
	Body         []byte
	Extra        map[string]string // what the protocol wants to be seen with it
	KeptAt       time.Time
}

// DropKeptInput says which messages the outbox is to lose.
type DropKeptInput struct {
	Account  string
	Region   string
	Protocol string
	To       string // "": to whomever
}

// Bounds of deliveries.
const (
	MaxClaim         = 64                 // deliveries of one lane in one claim
	MaxClaimLanes    = 512                // lanes in one claim
	ClaimLife        = 2 * MaxPushTimeout // after which what was claimed is due again: its server is gone
	MaxKept          = 7 * 24 * time.Hour
	MaxAttemptsKept  = 24 * time.Hour
	MaxAttemptsCount = 100_000
)

// Lanes that stand for no endpoint.
const (
	AnyLane    int64 = 0  // every lane may be meant, everyone should look
	FanOutLane int64 = -1 // publications that are fanned out in chunks, and replays
)

// LaneClaim asks for deliveries of one lane.
type LaneClaim struct {
	Lane  int64
	Limit int
}

// LaneDue says when the first delivery of a lane is due.
type LaneDue struct {
	Lane int64
	In   time.Duration // from now; 0 or less: now
}

// ListDeliveriesInput asks for one page of what is still to be delivered to a subscription, of
// the attempts made, or of what was kept.
type ListDeliveriesInput struct {
	Topic        TopicName // Name "": all of the account and region (attempts, outbox)
	Subscription string    // "": all of the topic (attempts, outbox)
	After        string    // the Next of the page before; "" starts
	Limit        int       // 1 to MaxListed
}

// DeliveryPage, AttemptPage and KeptPage are one page each; Next is "" on the last.
type (
	DeliveryPage struct {
		Deliveries []Delivery
		Next       string
	}
	AttemptPage struct { // newest first
		Attempts []Attempt
		Next     string
	}
	KeptPage struct { // newest first
		Messages []KeptMessage
		Next     string
	}
)

// TopicStore is the part of Store that keeps topics. What is said there holds here. Methods that
// take *Routes answer ErrTopicChanged when these are no longer current, and ErrQueueChanged when
// one of the queues is not; either way nothing has happened.
type TopicStore interface {
	CreateTopic(ctx context.Context, in NewTopic) (topic Topic, created bool, err error)
	Routes(ctx context.Context, name TopicName) (*Routes, error)  // cached
	KnownRoutes(name TopicName) *Routes                           // as they were last read; nil: they are not remembered
	ReadTopic(ctx context.Context, name TopicName) (Topic, error) // by one statement, whether it is there or not
	DescribeTopic(ctx context.Context, name TopicName) (Topic, error)
	AlterTopic(ctx context.Context, name TopicName, change TopicChange) (Topic, error) // ErrTopicChanged when change.From no longer fits
	DeleteTopic(ctx context.Context, name TopicName) error
	ListTopics(ctx context.Context, in ListTopicsInput) (TopicPage, error)

	Subscribe(ctx context.Context, in NewSubscription) (sub Subscription, created bool, err error)
	Subscription(ctx context.Context, name SubscriptionName) (Subscription, error)
	SubscriptionOfToken(ctx context.Context, token string) (Subscription, error)
	AlterSubscription(ctx context.Context, name SubscriptionName, change SubscriptionChange) (Subscription, error)
	Unsubscribe(ctx context.Context, name SubscriptionName) (Subscription, error)
	ListSubscriptions(ctx context.Context, in ListSubscriptionsInput) (SubscriptionPage, error)

	// NewMessageIDs gives ids for n messages, and the account's time as well as the server knows it.
	NewMessageIDs(ctx context.Context, account string, n int) ([]MessageID, time.Time, error)

	// Publish puts the messages into their queues and stores the deliveries to be made.
	Publish(ctx context.Context, routes *Routes, publications []Publication) error

	// PublishFIFO does so for a FIFO topic: it locks the topic, finds duplicates, gives the others
	// their sequence numbers and calls route for each, again for one whose transaction fails. It happens
	// though the caller may have gone.
	PublishFIFO(ctx context.Context, routes *Routes, messages []NewPublication, route func(*PublishedMessage) (Publication, error)) ([]Published, error)

	// FanOut takes one chunk of one publication that is being fanned out, and calls route with the
	// subscriptions that have their turn. It gives false when there was none. One that fails is put off, so that
	// others have their turn, and in the end given up, as the topic's attempts show; an error then comes with true.
	FanOut(ctx context.Context, route func(topic *Topic, m *PublishedMessage, subs []*Subscription) (Publication, error)) (bool, error)

	// Replay takes one chunk of one replay, as FanOut of a publication, and calls route with each message. A replay
	// is never given up.
	Replay(ctx context.Context, route func(routes *Routes, sub *Subscription, m *PublishedMessage) (Publication, error)) (bool, error)

	// StoreControl stores deliveries of a message about a subscription.
	StoreControl(ctx context.Context, sub *Subscription, kind Kind) error

	// NotifyDeliveries sets the function that is told of every lane with a delivery that became due,
	// or will soon, through this server or another, which may be AnyLane. As Notify.
	NotifyDeliveries(func(LaneDue))

	// DueLanes gives lanes with deliveries that are due within the given time.
	DueLanes(ctx context.Context, within time.Duration) ([]LaneDue, error)

	// ClaimDeliveries claims what is due, so that nobody else attempts it during ClaimLife.
	ClaimDeliveries(ctx context.Context, lanes []LaneClaim) ([]*Delivery, error)

	// ClaimExpired claims up to limit deliveries of messages that have outlived their topic's retention or their topic, whatever is
	// due, and gives how many: those that are lost are dropped.
	ClaimExpired(ctx context.Context, limit int) (deliveries []*Delivery, claimed int, err error)

	// SettleDeliveries writes down what attempts came to, all or none, and puts into queues what goes
	// there. Those whose claim has been voided are passed over. ErrQueueChanged when a queue has
	// changed; then nothing has happened.
	SettleDeliveries(ctx context.Context, outcomes []Outcome) error

	ListDeliveries(ctx context.Context, in ListDeliveriesInput) (DeliveryPage, error)
	ListAttempts(ctx context.Context, in ListDeliveriesInput) (AttemptPage, error)

	// Delivery reads one delivery, and claims it. DeliveryNotFound.
	ClaimDelivery(ctx context.Context, id DeliveryID) (*Delivery, error)

	// RetryDelivery makes a delivery due now. DeliveryNotFound.
	RetryDelivery(ctx context.Context, id DeliveryID) error

	Keep(ctx context.Context, message KeptMessage) (MessageID, error)
	ListKept(ctx context.Context, in ListDeliveriesInput) (KeptPage, error)

	// DropKept removes what is kept of a protocol, for one recipient or for all.
	DropKept(ctx context.Context, in DropKeptInput) error
}

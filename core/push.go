package core

import (
	"errors"
	"fmt"
	"maps"
	"time"
)

// Pusher is how a protocol speaks to subscribers: it understands the filters of its subscriptions,
// puts messages into its envelope, signs them, and knows what an answer means. sns and mns implement
// it; Broker.RegisterPusher makes one known under the name that Subscription.Format has. All methods
// may be called at the same time, must not wait for anything, and must give the same for the same.
type Pusher interface {
	// CompileFilters makes one Matcher of all filters that a topic's subscriptions of this format
	// have; those without text are left out beforehand. An invalid filter is an InvalidArgument whose
	// text the subscriber is shown: that is also how Subscribe checks one.
	CompileFilters(filters []Filter) (Matcher, error)

	// Render begins to put a message into the envelope. It is called once for a message and format,
	// or seldom more, so what is the same for all subscribers (a signature) belongs here or is made
	// by the Rendering when it is first needed.
	Render(topic *Topic, m *PublishedMessage) (Rendering, error)

	// Retries gives the schedule of a subscription that has none of its own.
	Retries(topic *Topic, sub *Subscription) RetryPolicy

	// Rate gives the most pushes to a subscription in a second, 0 for no limit: the subscription's own, or what the
	// topic has in its place.
	Rate(topic *Topic, sub *Subscription) int

	// Judge says what an endpoint's answer to a push means.
	Judge(sub *Subscription, answer PushAnswer) Verdict
}

// Rendering is a message in a format's envelope. An error of its methods means that the message can
// never be delivered to this subscription; it goes to the dead-letter queue, or is dropped. What
// went there is QueueMessage's: what the subscriber would have got.
type Rendering interface {
	// QueueMessage gives what is put into a subscribed queue, or into the dead-letter queue. Group
	// and deduplication id go where the queue is FIFO; the core fills in what is missing there.
	QueueMessage(sub *Subscription) (NewMessage, error)

	// Push gives the request to the endpoint of a subscription that is not of a queue.
	Push(sub *Subscription) (Push, error)
}

// PushWay is how a push gets to its endpoint.
type PushWay string

// The ways. What goes by mail or to a function where no such server is configured is kept.
const (
	ByHTTP   PushWay = "http"   // Method, URL, Header, Body
	ByMail   PushWay = "mail"   // To, Subject, Header (Content-Type), Body
	ByLambda PushWay = "lambda" // Function, Body: invoked as an event
	Kept     PushWay = "keep"   // To, Subject, Body: goes nowhere, can be read in the outbox
)

// Push is one request to an endpoint.
type Push struct {
	Way      PushWay
	Method   string
	URL      string
	Header   map[string][]string // written with exactly these spellings; Host and Content-Length are set by the client
	Body     []byte
	Timeout  time.Duration // until the answer is complete; 0: DefaultPushTimeout
	To       string        // the address or number
	Subject  string
	Function string // ARN or name
	SMS      bool   // To is a phone, whose owner may have opted out
}

// Bounds of pushes.
const (
	DefaultPushTimeout = 15 * time.Second
	MaxPushTimeout     = 30 * time.Second
	MaxAnswerBytes     = 64 << 10 // read of an answer
	MaxExcerptBytes    = 1 << 10  // kept of it
)

// PushFailure is the kind of fault for which there was no answer to a push, in the words of MNS's log.
type PushFailure string

// The kinds of faults.
const (
	InvalidHost    PushFailure = "InvalidHost" // the host cannot be found, or must not be pushed to
	ConnectTimeout PushFailure = "ConnectTimeout"
	ConnectFailure PushFailure = "ConnectFailure"
	UnknownFailure PushFailure = "UnknownError"
)

// PushAnswer is what came of a push.
type PushAnswer struct {
	Status  int         // HTTP's, also of a function's invocation; 0: there was no answer
	Reason  string      // why there was none, or why it was kept; names no address that the subscriber did not give
	Failure PushFailure // of what kind that was; "": UnknownFailure
	Refused bool        // the address must not be pushed to: trying again is of no use
	Excerpt string      // of the answer's body
	Kept    bool        // it went to the outbox
	Latency time.Duration
}

// outOfReach reports whether the answer is that nobody is there to ask, whatever the message is.
func (a PushAnswer) outOfReach() bool {
	switch a.Status {
	case 0, 502, 503, 504: // no answer, or that of a gateway with nobody behind it
		return true
	}
	return false
}

// Verdict is what an answer means.
type Verdict int

// The verdicts.
const (
	Retry Verdict = iota // by the schedule
	Delivered
	GiveUp // the endpoint will never take it: to the dead-letter queue
)

// RegisterPusher makes a format known, before the first request.
func (b *Broker) RegisterPusher(format string, pusher Pusher) {
	b.pushersMu.Lock()
	defer b.pushersMu.Unlock()
	pushers := maps.Clone(b.pushers)
	if pushers == nil {
		pushers = map[string]Pusher{}
	}
	pushers[format] = pusher
	b.pushers = pushers
}

// pusher gives a format's Pusher.
func (b *Broker) pusher(format string) (Pusher, error) {
	b.pushersMu.RLock()
	defer b.pushersMu.RUnlock()
	if p := b.pushers[format]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("%w: %w", errUnspoken, Errorf(InvalidArgument, "this server does not speak the format %q", format))
}

// errUnspoken says that a format has no Pusher.
var errUnspoken = errors.New("unknown format")

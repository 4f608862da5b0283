package core

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"
)

// Replay is what of a topic's archive is delivered to a subscription once more, in the order in which it
// was published. Meanwhile the subscription gets nothing else; what is published since then follows, so that nothing
// is missed and the order is kept.
type Replay struct {
	From time.Time // by the account's clock; before the archive begins: from its beginning
	To   time.Time // zero: up to when the replay began
}

// ReplayStatus is how far a replay has got.
type ReplayStatus string

// The states of replays. One that is over has none.
const (
	NoReplay      ReplayStatus = ""
	ReplayPending ReplayStatus = "pending"
	Replaying     ReplayStatus = "replaying"
	ReplayFailing ReplayStatus = "failing" // again and again; it is still tried
)

// ReplayFailures is how many chunks of a replay fail in a row before it is ReplayFailing.
const ReplayFailures = 3

func (r *Replay) check() error {
	if r != nil && !r.To.IsZero() && !r.To.After(r.From) {
		return Errorf(InvalidArgument, "a replay ends after it begins, this one goes from %s to %s", r.From.Format(time.RFC3339), r.To.Format(time.RFC3339))
	}
	return nil
}

// FanOut takes a chunk of one publication that goes to very many subscriptions, and one of a replay. It gives false
// when there was neither. Any number of servers may do this at once; each chunk happens once. After an error
// with true, what failed has been put off and there may be more to do.
func (b *Broker) FanOut(ctx context.Context) (bool, error) {
	var of *Topic
	var routed []Publication
	found, err := b.store.FanOut(ctx, func(topic *Topic, m *PublishedMessage, subs []*Subscription) (p Publication, err error) {
		defer recovered(&err)
		p, err = b.chunk(ctx, topic, m, subs)
		of, routed = topic, []Publication{p}
		return p, err
	})
	if err != nil {
		return found, err
	}
	b.logFannedOut(ctx, of, routed)
	of, routed = nil, nil
	replayed, err := b.store.Replay(ctx, func(routes *Routes, sub *Subscription, m *PublishedMessage) (p Publication, err error) {
		defer recovered(&err)
		p, err = b.replay(ctx, routes, sub, m)
		of, routed = &routes.Topic, append(routed, p)
		return p, err
	})
	if err == nil {
		b.logFannedOut(ctx, of, routed)
	}
	return found || replayed, err
}

// recovered makes an error of a panic: the message that caused it must not end the server again and again.
func recovered(err *error) {
	if reason := recover(); reason != nil {
		*err = fmt.Errorf("routing a message panicked: %v\n%s", reason, debug.Stack())
	}
}

// replay routes a message of the archive to the one subscription, if its filter lets it through.
func (b *Broker) replay(ctx context.Context, routes *Routes, sub *Subscription, m *PublishedMessage) (Publication, error) {
	matching, err := b.match(routes, m)
	if err != nil || !slices.Contains(matching, sub) {
		return Publication{Message: m}, err
	}
	p := Publication{Message: m}
	delivery, now, err := b.routeTo(ctx, &routes.Topic, sub, m)
	switch {
	case err != nil:
	case now:
		p.Queues = []QueueDelivery{delivery}
	default:
		p.Pushed = []*Subscription{sub}
	}
	return p, err
}

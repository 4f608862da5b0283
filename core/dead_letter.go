package core

import (
	"context"
	"slices"
	"strings"
)

// DeadLetterPolicy says what becomes of messages that are received again and again and never
// deleted: a receive that finds one which this queue has handed out MaxReceives times already moves it to the
// target instead. The zero policy leaves such messages where they are.
type DeadLetterPolicy struct {
	Target      string // name of a queue of the same account and region; "": none
	MaxReceives int    // 1 to MaxReceivesBound
}

// Bounds of dead-letter policies.
const (
	MaxReceivesBound = 1000
	MaxListedSources = 10 // queues in a SourceRule
)

// SourceRule says which queues of its account and region may name a queue as their dead-letter
// queue. It is asked when a policy is set, not when messages are moved.
type SourceRule string

// The rules without names; Sources makes one with names.
const (
	AnySource SourceRule = ""
	NoSource  SourceRule = "-"
)

// Sources gives the rule that only these queues may; without names that is NoSource.
func Sources(names ...string) SourceRule {
	if len(names) == 0 {
		return NoSource
	}
	names = slices.Sorted(slices.Values(names))
	return SourceRule(strings.Join(slices.Compact(names), " "))
}

// Names gives the queues that the rule names.
func (r SourceRule) Names() []string {
	if r == AnySource || r == NoSource {
		return nil
	}
	return strings.Split(string(r), " ")
}

// Allows says whether the queue of that name may.
func (r SourceRule) Allows(name string) bool {
	return r == AnySource || slices.Contains(r.Names(), name)
}

func (r SourceRule) check() error {
	names := r.Names()
	if len(names) > MaxListedSources {
		return Errorf(InvalidArgument, "a rule names at most %d source queues, this one %d", MaxListedSources, len(names))
	}
	for _, name := range names {
		if (QueueName{Name: name}).check() != nil {
			return Errorf(InvalidArgument, "%q is not the name of a queue", name)
		}
	}
	return nil
}

func (p DeadLetterPolicy) check() error {
	switch {
	case p == DeadLetterPolicy{}:
		return nil
	case (QueueName{Name: p.Target}).check() != nil:
		return Errorf(InvalidArgument, "%q is not the name of a dead-letter queue", p.Target)
	case p.MaxReceives < 1 || p.MaxReceives > MaxReceivesBound:
		return Errorf(InvalidArgument, "a message is received 1 to %d times before it is a dead letter, not %d", MaxReceivesBound, p.MaxReceives)
	}
	return nil
}

// checkTarget refuses a policy of the named queue whose target does not exist or does not take its
// messages: DeadLetterQueueNotFound, QueueTypeMismatch, DeadLetterDenied, InvalidArgument.
func (b *Broker) checkTarget(ctx context.Context, name QueueName, fifo bool, policy DeadLetterPolicy) error {
	if policy.Target == "" {
		return nil
	}
	if policy.Target == name.Name {
		return Errorf(InvalidArgument, "queue %q cannot be its own dead-letter queue", name.Name)
	}
	name.Name, policy.Target = policy.Target, name.Name
	target, err := b.store.DescribeQueue(ctx, name)
	switch {
	case CodeOf(err) == QueueNotFound:
		return Errorf(DeadLetterQueueNotFound, "the dead-letter queue %q does not exist", name.Name)
	case err != nil:
		return err
	case target.FIFO != fifo:
		return Errorf(QueueTypeMismatch, "a FIFO queue's dead-letter queue must be one too, a standard queue's must not")
	case !target.DeadLetterSources.Allows(policy.Target):
		return Errorf(DeadLetterDenied, "queue %q does not take the dead letters of queue %q", name.Name, policy.Target)
	}
	return nil
}

// DeadLetterSources gives a page of the queues whose dead-letter policy names the queue. Account and
// region of the input are those of the name, and its prefix and counts are not looked at. QueueNotFound.
func (b *Broker) DeadLetterSources(ctx context.Context, name QueueName, in ListQueuesInput) (QueuePage, error) {
	if err := in.check(); err != nil {
		return QueuePage{}, err
	}
	if _, err := b.DescribeQueue(ctx, name); err != nil {
		return QueuePage{}, err
	}
	return b.store.DeadLetterSources(ctx, name, in.After, in.Limit)
}

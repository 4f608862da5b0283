package core

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// DeadLetterPolicy says what becomes of messages that are received again and again and never
// deleted: a receive that finds one which this queue has handed out MaxReceives times already moves it to the
// target instead. What a receive with DeadOnTime found for the last time need not wait for that. The zero policy leaves
// such messages where they are.
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

// worn are messages that are dead letters when their visibility timeout ends, unless somebody deletes them.
type worn struct {
	mu      sync.Mutex
	waiting map[*wornMessages]struct{}
}

type wornMessages struct {
	queue   QueueName
	handles []string
}

// Bounds of what waits for its visibility timeout to end. What is beyond them, or is lost with the server, is moved by
// the next receive.
const (
	maxWorn     = 4096
	wornGap     = 100 * time.Millisecond // after the timeout: who receives just then moves them, and finds them moved
	wornTimeout = 5 * time.Second
)

// keepWorn has those of the messages that were received as often as the queue allows moved when their visibility timeout ends.
func (b *Broker) keepWorn(queue *Queue, messages []Message, timeout time.Duration) {
	var handles []string
	for i := range messages {
		if messages[i].ReceiveCount >= queue.DeadLetter.MaxReceives {
			handles = append(handles, messages[i].Handle)
		}
	}
	b.moveAfter(queue, handles, timeout)
}

// moveAfter moves those that are dead letters when the timeout has ended; the store knows which are. Without a timeout it
// returns when they are moved.
func (b *Broker) moveAfter(queue *Queue, handles []string, timeout time.Duration) {
	if queue.DeadLetter.Target == "" || queue.FIFO || len(handles) == 0 {
		return
	}
	messages := &wornMessages{queue.Name, handles}
	if timeout <= 0 {
		b.moveNow(messages)
		return
	}
	if !b.worn.add(messages) {
		return
	}
	timer := time.NewTimer(timeout + wornGap)
	b.looking.Go(func() {
		defer b.worn.remove(messages)
		defer timer.Stop()
		select {
		case <-timer.C:
			b.moveNow(messages)
		case <-b.draining:
		}
	})
}

// moveWorn moves the account's dead letters whose timeout has ended since its time was moved.
func (b *Broker) moveWorn(account string) {
	for _, messages := range b.worn.of(account) {
		b.moveNow(messages)
	}
}

func (b *Broker) moveNow(messages *wornMessages) {
	ctx, cancel := context.WithTimeout(context.Background(), wornTimeout)
	defer cancel()
	_ = b.withQueue(ctx, messages.queue, func(queue *Queue) error { return b.store.MoveDeadLetters(ctx, queue, messages.handles) }) // else the next receive does it
}

func (w *worn) add(messages *wornMessages) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) >= maxWorn {
		return false
	}
	if w.waiting == nil {
		w.waiting = map[*wornMessages]struct{}{}
	}
	w.waiting[messages] = struct{}{}
	return true
}

func (w *worn) remove(messages *wornMessages) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.waiting, messages)
}

func (w *worn) of(account string) (all []*wornMessages) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for messages := range w.waiting {
		if messages.queue.Account == account {
			all = append(all, messages)
		}
	}
	return all
}

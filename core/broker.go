package core

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Broker is the queue service: what the protocols call.
type Broker struct {
	store  Store
	lines  *lines
	log    messageLog
	audit  auditLog
	limits limits
	uses   uses

	traffic traffic
	faults  faults

	draining  chan struct{}
	drainOnce sync.Once
	looking   sync.WaitGroup // look-aheads under way, and dead letters that wait to be moved
	worn      worn

	pushersMu sync.RWMutex
	pushers   map[string]Pusher // by format; never changed, but replaced

	tracer Tracer // nil: nothing is traced

	guard func(*Topic, *Subscription, *Queue) bool // of deliveries to queues; nil: all are allowed

	onUnreadable func(*Subscription, error) // of filters; nil: nobody is told

	sendNotice NoticeSender // of alerts; nil: nobody is told
}

// Bounds of the Broker's own look-aheads.
const (
	lookAheadPause   = 5 * time.Millisecond // gathers the receives that begin to wait at about the same time
	lookAheadTimeout = 5 * time.Second
)

// NewBroker makes a Broker on a store.
func NewBroker(store Store) *Broker {
	b := &Broker{store: store, lines: newLines(), draining: make(chan struct{})}
	store.Notify(b.lines.arrive)
	b.log.gathered = gathered[Event]{most: MaxLogged, mostBytes: MaxLoggedBytes, batch: LogBatch, size: (*Event).size}
	b.audit.gathered = gathered[AuditEvent]{most: MaxAudited, mostBytes: MaxAuditedBytes, batch: AuditBatch, size: (*AuditEvent).size}
	store.Observe(b.log.logs, b.observe)
	return b
}

// Drain makes every waiting receive, and every later one, return at once with what there is.
// For shutdown; it may be called more than once.
func (b *Broker) Drain() { b.drainOnce.Do(func() { close(b.draining) }) }

// Close drains and waits for what the Broker does by itself.
func (b *Broker) Close() {
	b.Drain()
	b.looking.Wait()
}

func (b *Broker) isDraining() bool {
	select {
	case <-b.draining:
		return true
	default:
		return false
	}
}

// Waiting gives how many receives wait for messages on this server.
func (b *Broker) Waiting() int { return b.lines.count() }

// Ready says whether the database answers.
func (b *Broker) Ready(ctx context.Context) error { return b.store.Ready(ctx) }

// AdvanceClock moves an account's time forward, as a test does to see a delay or a visibility
// timeout pass, and gives the account's time. by may be 0.
func (b *Broker) AdvanceClock(ctx context.Context, account string, by time.Duration) (time.Time, error) {
	if by < 0 {
		return time.Time{}, Errorf(InvalidArgument, "time only moves forward, asked for %v", by)
	}
	if by > 0 { // or the log would tell of what happened before as if it had happened afterwards
		if err := b.FlushLog(ctx); CodeOf(err) == Unavailable {
			return time.Time{}, err
		}
	}
	now, err := b.store.AdvanceClock(ctx, account, by)
	if err == nil && by > 0 {
		b.moveWorn(account)
	}
	return now, err
}

// ResetAccount removes all that an account has, in every region: its queues with their messages, what
// protocols keep about it, what the message log tells of it, and the advance of its clock. For tests, which then begin anew.
func (b *Broker) ResetAccount(ctx context.Context, account string) error {
	if err := b.FlushLog(ctx); CodeOf(err) == Unavailable { // what was before is not to be written afterwards
		return err
	}
	return b.store.ResetAccount(ctx, account)
}

// AccountsToReset gives up to MaxScopes accounts that ResetAccount has something to take from, in order.
func (b *Broker) AccountsToReset(ctx context.Context) ([]string, error) {
	return b.store.AccountsToReset(ctx)
}

// LookAhead wakes who waits for what is visible, and sets timers for what becomes so before the
// next call. It is the net under notifications, run every few seconds by a worker.
func (b *Broker) LookAhead(ctx context.Context) error { return b.lookAhead(ctx, b.lines.waitedFor()) }

// lookAheadSoon looks ahead for the queues that receives have just begun to wait for.
func (b *Broker) lookAheadSoon() {
	b.looking.Go(func() {
		select {
		case <-time.After(lookAheadPause):
		case <-b.draining:
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), lookAheadTimeout)
		defer cancel()
		_ = b.lookAhead(ctx, b.lines.takeFresh()) // the worker's next LookAhead is the net, and reports errors
	})
}

func (b *Broker) lookAhead(ctx context.Context, queues []int64) error {
	if len(queues) == 0 {
		return nil
	}
	arrivals, err := b.store.Upcoming(ctx, queues, ArrivalHorizon)
	for _, a := range arrivals {
		b.lines.arrive(a)
	}
	return err
}

// maxQueueChanges bounds how often an operation starts anew because its queue keeps changing: twice as often as
// there are priorities, for each that is used for the first time changes the queue.
const maxQueueChanges = 32

// withQueue calls do with the queue, again while the queue turns out to have changed.
func (b *Broker) withQueue(ctx context.Context, name QueueName, do func(*Queue) error) error {
	if err := name.check(); err != nil {
		return err
	}
	for range maxQueueChanges {
		queue, err := b.store.Queue(ctx, name)
		if err != nil {
			return err
		}
		if err := do(queue); !errors.Is(err, ErrQueueChanged) {
			return err
		}
	}
	return Errorf(Unavailable, "queue %q keeps changing", name.Name)
}

// orDefault gives the value pointed to, or the default for nil.
func orDefault[T any](value *T, def T) T {
	if value != nil {
		return *value
	}
	return def
}

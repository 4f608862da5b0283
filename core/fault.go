package core

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// FaultOperation is an operation that a fault rule can disturb.
type FaultOperation string

// The operations.
const (
	FaultSend       FaultOperation = "send"
	FaultReceive    FaultOperation = "receive"
	FaultDelete     FaultOperation = "delete"
	FaultVisibility FaultOperation = "visibility"
	FaultPublish    FaultOperation = "publish"
)

// FaultEffect is what a fault rule does to an operation.
type FaultEffect string

// The effects.
const (
	// FaultError answers with an error: instead of the operation, or with After when it is done.
	FaultError FaultEffect = "error"
	// FaultLatency lets the operation begin late.
	FaultLatency FaultEffect = "latency"
	// FaultDuplicate lets messages of standard queues come more than once: what is sent is stored twice, what
	// is received is visible again at once, and what is deleted is not, but visible again.
	FaultDuplicate FaultEffect = "duplicate"
	// FaultReorder lets messages of standard queues come in another order: what is sent is visible after a
	// while that differs from message to message, what is received at once is in any order.
	FaultReorder FaultEffect = "reorder"
)

// FaultOperations and FaultEffects list them.
var (
	FaultOperations = []FaultOperation{FaultSend, FaultReceive, FaultDelete, FaultVisibility, FaultPublish}
	FaultEffects    = []FaultEffect{FaultError, FaultLatency, FaultDuplicate, FaultReorder}
)

// Fault is a rule by which operations go wrong, for tests of those who depend on them.
type Fault struct {
	Account     string
	Name        string
	Effect      FaultEffect
	Pattern     string           // of the names of queues, and of topics for publish: "*" and "?" stand for others; "": all
	Operations  []FaultOperation // nil: all
	Protocol    string           // "sqs"; "": all
	Code        Code             // of FaultError
	After       bool             // of FaultError: the operation is done, only its answer is lost
	Min, Max    time.Duration    // of FaultLatency how late; of FaultReorder Max is the longest while
	Probability float64          // of a call, above 0 and up to 1
	Most        int64            // calls that are hit, by all servers; 0: any number
	Length      time.Duration    // for which the rule holds; 0: until it is deleted
	Seed        uint64           // of the random numbers: calls in the same order are hit alike
	Hits        int64            // calls that were hit
	CreatedAt   time.Time
	Until       time.Time // zero: without an end
}

// Bounds of fault rules.
const (
	MaxFaults       = 100              // rules of an account that have not ended
	MaxLoadedFaults = 10_000           // of all accounts, that a server goes by
	MaxFaultDelay   = 30 * time.Second // as long as a client waits
	MaxFaultLength  = 7 * 24 * time.Hour

	MaxEndedFaultKept = 24 * time.Hour // for which a rule that has ended can still be looked at; fewer where an account has MaxFaults
)

// FaultStore keeps fault rules.
type FaultStore interface {
	// PutFault stores a rule, over one of the same name; its hits begin anew. Throttled when the account has
	// MaxFaults that have not ended.
	PutFault(ctx context.Context, f Fault) (Fault, error)
	DeleteFault(ctx context.Context, account, name string) error // FaultNotFound
	// Faults gives the rules of an account, or with "" those of all that have not ended, by name, up to a limit.
	Faults(ctx context.Context, account string, limit int) ([]Fault, error)
	// HitFault counts a hit, unless the rule has had all of its own or has ended.
	HitFault(ctx context.Context, account, name string) (bool, error)
}

// faults are the rules that a server goes by, nil while there are none.
type faults struct {
	byAccount atomic.Pointer[map[string][]*activeFault]
	reads     reads
}

// activeFault is a rule with its random numbers.
type activeFault struct {
	Fault
	mu     sync.Mutex
	random *rand.Rand
}

func newActiveFault(f Fault) *activeFault {
	name := fnv.New64a()
	_, _ = name.Write([]byte(f.Name)) // a hash takes everything
	return &activeFault{Fault: f, random: rand.New(rand.NewPCG(f.Seed, name.Sum64()))}
}

// LoadFaults makes the broker go by the rules that the store has. A server in test mode calls it often.
func (b *Broker) LoadFaults(ctx context.Context) error {
	read := b.faults.reads.begin()
	rules, err := b.store.Faults(ctx, "", MaxLoadedFaults)
	if err == nil {
		b.faults.reads.keep(read, func() { b.faults.goBy(rules) })
	}
	return err
}

// goBy goes by the rules and no others.
func (f *faults) goBy(rules []Fault) {
	if len(rules) == 0 {
		f.byAccount.Store(nil)
		return
	}
	known := map[string][]*activeFault{}
	if old := f.byAccount.Load(); old != nil {
		known = *old
	}
	loaded := map[string][]*activeFault{}
	for _, rule := range rules {
		active := newActiveFault(rule)
		for _, old := range known[rule.Account] {
			if old.Name == rule.Name && old.CreatedAt.Equal(rule.CreatedAt) {
				active = old // with the random numbers that it has come to
			}
		}
		loaded[rule.Account] = append(loaded[rule.Account], active)
	}
	f.byAccount.Store(&loaded)
}

// CreateFault stores a rule, over one of the same name. Other servers go by it within a second.
// InvalidArgument, Throttled.
func (b *Broker) CreateFault(ctx context.Context, f Fault) (Fault, error) {
	if err := f.check(); err != nil {
		return f, err
	}
	if f.Seed == 0 {
		f.Seed = rand.Uint64N(1<<53-1) + 1 // which JSON can tell
	}
	f, err := b.store.PutFault(ctx, f)
	if err != nil {
		return f, err
	}
	return f, b.LoadFaults(ctx)
}

// Faults lists the rules of an account.
func (b *Broker) Faults(ctx context.Context, account string) ([]Fault, error) {
	return b.store.Faults(ctx, account, MaxFaults)
}

// DeleteFault ends a rule. FaultNotFound.
func (b *Broker) DeleteFault(ctx context.Context, account, name string) error {
	if err := b.store.DeleteFault(ctx, account, name); err != nil {
		return err
	}
	return b.LoadFaults(ctx)
}

// listed gives words with commas between them.
func listed[T ~string](words []T) string {
	var texts []string
	for _, w := range words {
		texts = append(texts, string(w))
	}
	return strings.Join(texts, ", ")
}

func (f *Fault) check() error {
	_, patternErr := path.Match(f.Pattern, "")
	unknown := slices.ContainsFunc(f.Operations, func(o FaultOperation) bool { return !slices.Contains(FaultOperations, o) })
	switch {
	case len(f.Name) < 1 || len(f.Name) > MaxNameLength || slices.ContainsFunc([]rune(f.Name), foreignRune):
		return Errorf(InvalidArgument, "the name of a fault rule has 1 to %d letters, digits, '-', '_' and '.', unlike %.300q", MaxNameLength, f.Name)
	case !slices.Contains(FaultEffects, f.Effect):
		return Errorf(InvalidArgument, "the effect must be one of %s, was %q", listed(FaultEffects), f.Effect)
	case unknown:
		return Errorf(InvalidArgument, "the operations are %s, not %s", listed(FaultOperations), listed(f.Operations))
	case patternErr != nil || len(f.Pattern) > MaxNameLength:
		return Errorf(InvalidArgument, "%.300q is no pattern of names", f.Pattern)
	case f.Effect == FaultError && !slices.Contains(Codes, f.Code):
		return Errorf(InvalidArgument, "an error has one of the codes %s, not %q", listed(Codes), f.Code)
	case !(f.Probability > 0 && f.Probability <= 1): // nor what is no number
		return Errorf(InvalidArgument, "the probability is above 0 and up to 1, was %v", f.Probability)
	case f.Min < 0 || f.Max < f.Min || f.Max > MaxFaultDelay:
		return Errorf(InvalidArgument, "the delays are 0 to %v, the longest not below the shortest; were %v and %v", MaxFaultDelay, f.Min, f.Max)
	case f.Max == 0 && (f.Effect == FaultLatency || f.Effect == FaultReorder):
		return Errorf(InvalidArgument, "the effect %s needs the longest delay", f.Effect)
	case f.Most < 0 || f.Length < 0 || f.Length > MaxFaultLength:
		return Errorf(InvalidArgument, "the most hits and the length must not be negative, and the length at most %v", MaxFaultLength)
	}
	return nil
}

// injected are the faults of one call; nil, as nearly always, for none.
type injected struct {
	broker  *Broker
	latency time.Duration
	failure *Fault       // nil: no error
	twice   bool         // FaultDuplicate
	shuffle *activeFault // FaultReorder, nil: in order
}

// inject gives the faults of a call of an operation on a queue or topic.
func (b *Broker) inject(ctx context.Context, operation FaultOperation, account, name string) *injected {
	rules := b.faults.byAccount.Load()
	if rules == nil {
		return nil
	}
	in := &injected{broker: b}
	for _, rule := range (*rules)[account] {
		if rule.concerns(ctx, operation, name) && rule.draw() && b.hit(ctx, rule) {
			in.add(rule)
		}
	}
	return in
}

// concerns reports whether a rule is about the call.
func (f *Fault) concerns(ctx context.Context, operation FaultOperation, name string) bool {
	if len(f.Operations) > 0 && !slices.Contains(f.Operations, operation) {
		return false
	}
	if f.Protocol != "" {
		actor, ok := ctx.Value(actorKey{}).(*Actor)
		if !ok || actor.Protocol != f.Protocol {
			return false
		}
	}
	matches, _ := path.Match(f.Pattern, name) // a wrong pattern was refused
	return f.Pattern == "" || matches
}

// draw says whether a call is hit.
func (f *activeFault) draw() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.random.Float64() < f.Probability
}

// between gives a random time between two.
func (f *activeFault) between(shortest, longest time.Duration) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return shortest + time.Duration(f.random.Int64N(int64(longest-shortest)+1))
}

// hit counts a hit where hits are numbered or the rule may have ended. A database that is away is fault enough.
func (b *Broker) hit(ctx context.Context, rule *activeFault) bool {
	counts, err := b.store.HitFault(ctx, rule.Account, rule.Name)
	return err == nil && counts
}

func (in *injected) add(rule *activeFault) {
	switch rule.Effect {
	case FaultError:
		in.failure = &rule.Fault
	case FaultLatency:
		in.latency = max(in.latency, rule.between(rule.Min, rule.Max))
	case FaultDuplicate:
		in.twice = true
	case FaultReorder:
		in.shuffle = rule
	}
}

// before lets the call wait, and fail before anything is done.
func (in *injected) before(ctx context.Context) error {
	if in == nil {
		return nil
	}
	if in.latency > 0 {
		late := time.NewTimer(in.latency)
		defer late.Stop()
		select {
		case <-late.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-in.broker.draining:
		}
	}
	if in.failure != nil && !in.failure.After {
		return in.failure.err()
	}
	return nil
}

// after lets a call fail that was done.
func (in *injected) after(err error) error {
	if in == nil || err != nil || in.failure == nil || !in.failure.After {
		return err
	}
	return in.failure.err()
}

func (f *Fault) err() error {
	return Errorf(f.Code, "the fault rule %q of this test says so", f.Name)
}

// sending gives the messages to store in the place of those that are sent.
func (in *injected) sending(queue *Queue, messages []NewMessage) []NewMessage {
	if in == nil || queue.FIFO {
		return messages
	}
	if in.shuffle != nil {
		for i := range messages {
			late := *messages[i].Delay + in.shuffle.between(0, in.shuffle.Max)
			messages[i].Delay = &late
		}
	}
	if in.twice {
		messages = slices.Concat(messages, messages)
	}
	return messages
}

// received does to messages that were received what the faults say.
func (in *injected) received(ctx context.Context, queue *Queue, messages []Message) {
	if in == nil || queue.FIFO || len(messages) == 0 {
		return
	}
	if in.shuffle != nil {
		in.shuffle.mu.Lock()
		in.shuffle.random.Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
		in.shuffle.mu.Unlock()
	}
	if !in.twice {
		return
	}
	handles := make([]string, len(messages))
	for i := range messages {
		handles[i] = messages[i].Handle
	}
	_, _ = in.broker.showAgain(ctx, queue, handles) // else they come again with their visibility timeout
}

// deletes reports whether messages that are to be deleted really are.
func (in *injected) deletes(queue *Queue) bool { return in == nil || !in.twice || queue.FIFO }

// showAgain makes messages visible, and gives an error per handle.
func (b *Broker) showAgain(ctx context.Context, queue *Queue, handles []string) ([]error, error) {
	changes := make([]VisibilityChange, len(handles))
	for i, handle := range handles {
		changes[i] = VisibilityChange{Handle: handle}
	}
	results, err := b.store.ChangeVisibility(ctx, queue, ChangeVisibilityInput{Queue: queue.Name, Changes: changes})
	errs := make([]error, len(results))
	for i := range results {
		errs[i] = results[i].Err
	}
	return errs, err
}

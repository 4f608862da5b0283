package core

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Limits bound what one account takes of a server that others use as well. Zero is no limit.
type Limits struct {
	Queues   int   // in all regions
	Topics   int   // likewise
	Bytes    int64 // of the messages in its queues
	Requests int   // a second, of which each server that lives gives out its share
}

// AccountLimits are what was set for an account; nil is what the server has for all.
type AccountLimits struct {
	Account  string
	Queues   *int
	Topics   *int
	Bytes    *int64
	Requests *int
}

// over gives the limits of an account, where def is what the server has for all.
func (a *AccountLimits) over(def Limits) Limits {
	return Limits{Queues: orDefault(a.Queues, def.Queues), Topics: orDefault(a.Topics, def.Topics), Bytes: orDefault(a.Bytes, def.Bytes), Requests: orDefault(a.Requests, def.Requests)}
}

// AccountUse is how much of its limits an account has taken.
type AccountUse struct {
	Queues int
	Topics int
	Bytes  int64
}

// LimitStore is the part of a Store that keeps limits, and counts what they are of.
type LimitStore interface {
	SetAccountLimits(ctx context.Context, limits AccountLimits) error
	// ListAccountLimits gives those that were set.
	ListAccountLimits(ctx context.Context) ([]AccountLimits, error)
	AccountUse(ctx context.Context, account string) (AccountUse, error)
	// LiveServers gives how many servers live, as far as this one has heard; it does not look.
	LiveServers() int
	// StoredBytes gives, by account, the bytes of the messages in its queues.
	StoredBytes(ctx context.Context) (map[string]int64, error)
	// TellLimits tells applications that send in SQL how many bytes an account without a limit of its own may store,
	// and which accounts store as much as they may. Where that is known nothing is written.
	TellLimits(ctx context.Context, bytes int64, full []string) error
}

// maxLimited bounds the accounts that are remembered. Beyond it all begin anew, with a second's requests each.
const maxLimited = 10_000

// limits hold accounts to theirs. As long as there are none, they cost a look at on.
type limits struct {
	on atomic.Bool

	mu       sync.RWMutex
	def      Limits
	set      map[string]AccountLimits
	stored   map[string]int64 // bytes, when they were last counted
	accounts map[string]*limited
	reads    reads
}

// limited is an account as this server holds it to its limits.
type limited struct {
	Limits
	bytes atomic.Int64 // when they were last counted, and what this server has stored since

	mu     sync.Mutex
	tokens float64 // requests that may be made at once
	filled time.Time
}

// LimitAccounts sets what every account may have, unless something else is set for it.
func (b *Broker) LimitAccounts(def Limits) {
	b.limits.mu.Lock()
	defer b.limits.mu.Unlock()
	b.limits.def = def
	b.limits.apply()
}

// apply makes the accounts anew from what is known. The tokens stay.
func (l *limits) apply() {
	before := l.accounts
	l.accounts = map[string]*limited{}
	for account, of := range before {
		fresh := l.make(account)
		of.mu.Lock()
		fresh.tokens, fresh.filled = of.tokens, of.filled
		of.mu.Unlock()
		l.accounts[account] = fresh
	}
	l.on.Store(l.def != Limits{} || len(l.set) > 0)
}

func (l *limits) make(account string) *limited {
	own := l.set[account]
	made := &limited{Limits: own.over(l.def)}
	made.bytes.Store(l.stored[account])
	return made
}

// of gives an account, nil where there are no limits at all.
func (l *limits) of(account string) *limited {
	if !l.on.Load() || account == "" {
		return nil
	}
	l.mu.RLock()
	found := l.accounts[account]
	l.mu.RUnlock()
	if found != nil {
		return found
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if found := l.accounts[account]; found != nil {
		return found
	}
	if l.accounts == nil || len(l.accounts) >= maxLimited {
		l.accounts = map[string]*limited{}
	}
	made := l.make(account)
	l.accounts[account] = made
	return made
}

// RefreshLimits reads the limits that were set, on whichever server, and counts what accounts store where that
// is limited. A worker calls it.
func (b *Broker) RefreshLimits(ctx context.Context) error {
	l := &b.limits
	read := l.reads.begin()
	set, err := b.store.ListAccountLimits(ctx)
	if err != nil {
		return err
	}
	l.mu.RLock()
	def := l.def
	l.mu.RUnlock()
	counts := def.Bytes > 0
	byAccount := map[string]AccountLimits{}
	for _, limits := range set {
		byAccount[limits.Account] = limits
		counts = counts || orDefault(limits.Bytes, 0) > 0
	}
	var stored map[string]int64
	if counts {
		if stored, err = b.store.StoredBytes(ctx); err != nil {
			return err
		}
	}
	l.reads.keep(read, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.set, l.stored = byAccount, stored
		l.apply()
	})
	full := []string{}
	for account, bytes := range stored {
		own := byAccount[account]
		if most := own.over(def).Bytes; most > 0 && bytes >= most {
			full = append(full, account)
		}
	}
	return b.store.TellLimits(ctx, def.Bytes, full)
}

// Admit lets an account make a request, or says Throttled: it has made too many in the last second.
func (b *Broker) Admit(account string) error {
	of := b.limits.of(account)
	if of == nil || of.Requests <= 0 || of.take(time.Now(), b.store.LiveServers()) {
		return nil
	}
	return Errorf(Throttled, "account %s may make %d requests a second, try again more slowly", account, of.Requests)
}

// take counts a request, unless there were too many for one of so many servers.
func (l *limited) take(now time.Time, servers int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	perSecond := float64(l.Requests) / float64(max(servers, 1))
	l.tokens = min(l.tokens+perSecond*now.Sub(l.filled).Seconds(), max(perSecond, 1)) // less than one would never be a whole one
	l.filled = now
	if l.tokens < 1 {
		return false
	}
	l.tokens--
	return true
}

// room says Throttled where an account stores as much as it may, and else counts the bytes that it is about
// to store.
func (l *limited) room(account string, size int) error {
	if l.Bytes <= 0 {
		return nil
	}
	if l.bytes.Load() >= l.Bytes {
		return Errorf(Throttled, "the messages of account %s take as much as they may, %d bytes: receive and delete some, and try again", account, l.Bytes)
	}
	l.bytes.Add(int64(size))
	return nil
}

// settle is told how many bytes were stored in place of those that room has counted: of a failure, and of duplicates, none.
func (l *limited) settle(counted, stored int) {
	if l.Bytes > 0 {
		l.bytes.Add(int64(stored - counted))
	}
}

// anotherQueue says EntityLimit where an account has as many queues as it may. Two that are made at the same
// moment may both be the last one.
func (b *Broker) anotherQueue(ctx context.Context, name QueueName) error {
	of := b.limits.of(name.Account)
	if of == nil || of.Queues <= 0 {
		return nil
	}
	if _, err := b.store.Queue(ctx, name); CodeOf(err) != QueueNotFound {
		return err // which is there already, and so makes no difference
	}
	use, err := b.store.AccountUse(ctx, name.Account)
	if err == nil && use.Queues >= of.Queues {
		err = Errorf(EntityLimit, "account %s has as many queues as it may, %d", name.Account, of.Queues)
	}
	return err
}

// anotherTopic is as anotherQueue.
func (b *Broker) anotherTopic(ctx context.Context, name TopicName) error {
	of := b.limits.of(name.Account)
	if of == nil || of.Topics <= 0 {
		return nil
	}
	if _, err := b.store.Routes(ctx, name); CodeOf(err) != TopicNotFound {
		return err
	}
	use, err := b.store.AccountUse(ctx, name.Account)
	if err == nil && use.Topics >= of.Topics {
		err = Errorf(EntityLimit, "account %s has as many topics as it may, %d", name.Account, of.Topics)
	}
	return err
}

// SetAccountLimits sets an account's limits; other servers hold it to them when they refresh theirs.
// InvalidArgument.
func (b *Broker) SetAccountLimits(ctx context.Context, limits AccountLimits) error {
	switch {
	case !IsAccount(limits.Account):
		return Errorf(InvalidArgument, "an account has twelve digits")
	case orDefault(limits.Queues, 0) < 0, orDefault(limits.Topics, 0) < 0, orDefault(limits.Bytes, 0) < 0, orDefault(limits.Requests, 0) < 0:
		return Errorf(InvalidArgument, "a limit is a number of 1 or more, or 0 for none")
	}
	if err := b.store.SetAccountLimits(ctx, limits); err != nil {
		return err
	}
	return b.RefreshLimits(ctx)
}

// AccountLimits gives what was set for an account, what holds for it, and what it has taken of that.
func (b *Broker) AccountLimits(ctx context.Context, account string) (own AccountLimits, holds Limits, use AccountUse, err error) {
	own.Account = account
	set, err := b.store.ListAccountLimits(ctx)
	if err != nil {
		return own, holds, use, err
	}
	for _, limits := range set {
		if limits.Account == account {
			own = limits
		}
	}
	b.limits.mu.RLock()
	holds = own.over(b.limits.def)
	b.limits.mu.RUnlock()
	use, err = b.store.AccountUse(ctx, account)
	return own, holds, use, err
}

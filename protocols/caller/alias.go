package caller

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/polymq/polymq/core"
)

// AliasSource tells whose an alias is, "" for one that is nobody's.
type AliasSource interface {
	AccountOfAlias(ctx context.Context, alias string) (account string, err error)
}

// Bounds of what Aliases remember. Clients can name aliases that do not exist; when it is full it starts anew.
const (
	maxAliases = 10_000
	aliasAge   = 5 * time.Second // after which a change is seen
)

// Aliases remember whose the aliases are that hosts name.
type Aliases struct {
	source AliasSource

	mu      sync.RWMutex
	aliases map[string]aliased
}

// aliased is the account of an alias, "" for none, and until when that may be believed.
type aliased struct {
	account string
	until   time.Time
}

// NewAliases makes Aliases.
func NewAliases(source AliasSource) *Aliases {
	return &Aliases{source: source, aliases: map[string]aliased{}}
}

func (a *Aliases) account(ctx context.Context, alias string) (string, error) {
	a.mu.RLock()
	known := a.aliases[alias]
	a.mu.RUnlock()
	if time.Now().Before(known.until) {
		return known.account, nil
	}
	account, err := a.source.AccountOfAlias(ctx, alias)
	if err != nil {
		return "", fmt.Errorf("find the account of the alias that the host names: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.aliases) >= maxAliases {
		clear(a.aliases)
	}
	a.aliases[alias] = aliased{account, time.Now().Add(aliasAge)}
	return account, nil
}

// FindHost completes a caller whose host names an account by an alias of sixteen digits, as the accounts of Alibaba's
// cloud have them. A host whose number is nobody's alias says nothing of the account.
func (o *Options) FindHost(ctx context.Context, c *Caller) error {
	if c.HostAlias == "" || o.Aliases == nil {
		return nil
	}
	account, err := o.Aliases.account(ctx, c.HostAlias)
	if err != nil || account == "" {
		return err
	}
	c.HostAccount = account
	if !o.Verify && !core.IsAccount(c.AccessKeyID) {
		c.Account = account
	}
	return nil
}

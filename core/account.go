package core

import (
	"context"
	"regexp"
	"time"

	"github.com/polymq/polymq/core/policy"
)

// AccountAttributes gives what protocols keep about an account in a region. They prefix their names
// ("mns.LoggingBucket"); the core does not read them.
func (b *Broker) AccountAttributes(ctx context.Context, account, region string) (map[string]string, error) {
	return b.store.AccountAttributes(ctx, account, region)
}

// SetAccountAttributes changes some of an account's attributes; nil removes one. InvalidArgument.
func (b *Broker) SetAccountAttributes(ctx context.Context, account, region string, change map[string]*string) error {
	if err := checkTexts(merge(nil, change)); err != nil || len(change) == 0 {
		return err
	}
	return b.store.SetAccountAttributes(ctx, account, region, change)
}

// ReplaceAccountAttribute changes one of an account's attributes, unless it has another value than was; "" is none.
// InvalidArgument.
func (b *Broker) ReplaceAccountAttribute(ctx context.Context, account, region, name, was, value string) (ok bool, err error) {
	if err := checkTexts(map[string]string{name: value}); err != nil {
		return false, err
	}
	return b.store.ReplaceAccountAttribute(ctx, account, region, name, was, value)
}

// Account is an account that somebody made known. Others exist as well: one comes into being with its first
// queue, and is known once it has an access key, a user or a role.
type Account struct {
	ID        string // 12 digits
	Alias     string // "": none
	CreatedAt time.Time
}

// AccountPage is one page of accounts.
type AccountPage struct {
	Accounts []Account
	Next     string // the after of the next page, "" when this is the last
}

// IsAccount says that a text can be an account: twelve digits.
func IsAccount(s string) bool { return policy.IsAccount(s) }

var accountAlias = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9]|-[a-z0-9]){2,62}$`)

// CreateAccount makes an account known. The alias may be "". InvalidArgument, EntityExists.
func (b *Broker) CreateAccount(ctx context.Context, id, alias string) (Account, error) {
	if err := checkAccount(id, alias); err != nil {
		return Account{}, err
	}
	return b.store.CreateAccount(ctx, Account{ID: id, Alias: alias})
}

// Account gives an account. EntityNotFound.
func (b *Broker) Account(ctx context.Context, id string) (Account, error) {
	if !IsAccount(id) {
		return Account{}, Errorf(EntityNotFound, "there is no account of that id")
	}
	return b.store.Account(ctx, id)
}

// ListAccounts gives a page of the known accounts, sorted by id. InvalidArgument.
func (b *Broker) ListAccounts(ctx context.Context, after string, limit int) (AccountPage, error) {
	if limit < 1 || limit > MaxListed || !ValidText([]byte(after)) {
		return AccountPage{}, Errorf(InvalidArgument, "a page holds 1 to %d accounts, asked for %d", MaxListed, limit)
	}
	return b.store.ListAccounts(ctx, after, limit)
}

// SetAccountAlias changes an account's alias; "" removes it. InvalidArgument, EntityExists.
func (b *Broker) SetAccountAlias(ctx context.Context, id, alias string) (Account, error) {
	if err := checkAccount(id, alias); err != nil {
		return Account{}, err
	}
	return b.store.SetAccountAlias(ctx, id, alias)
}

// AccountOfAlias gives the id of the account of an alias, "" for an alias that is none.
func (b *Broker) AccountOfAlias(ctx context.Context, alias string) (id string, err error) {
	return b.store.AccountOfAlias(ctx, alias)
}

// DeleteAccount removes an account with its users, groups, roles, policies, access keys, limits, alerts and fault rules. EntityInUse
// where it has queues or topics; EntityNotFound.
func (b *Broker) DeleteAccount(ctx context.Context, id string) error {
	if !IsAccount(id) {
		return Errorf(EntityNotFound, "there is no account of that id")
	}
	return b.store.DeleteAccount(ctx, id)
}

func checkAccount(id, alias string) error {
	switch {
	case !IsAccount(id):
		return Errorf(InvalidArgument, "an account has twelve digits")
	case alias != "" && (len(alias) < 3 || len(alias) > 63 || !accountAlias.MatchString(alias)):
		return Errorf(InvalidArgument, "an alias has 3 to 63 small letters, digits and single dashes between them")
	}
	return nil
}

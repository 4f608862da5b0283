package core

import "context"

// Usage is what an account has asked of a service, as clouds bill it.
type Usage struct {
	Account       string
	Service       string // in the words of who counts
	Requests      int64
	Units         int64 // of BillingUnit, at least one for each request
	Receives      int64 // of the requests, those that asked for messages
	EmptyReceives int64 // of those, the ones that got none
}

// BillingUnit is the size of a request that clouds bill once; a larger one counts for each unit begun.
const BillingUnit = 64 << 10

// Bounds of usage.
const (
	MaxUsageDays = 400 // for which it is kept
	MaxUsage     = 1000
)

// AddUsage adds to what accounts have used today.
func (b *Broker) AddUsage(ctx context.Context, used []Usage) error {
	if len(used) == 0 {
		return nil
	}
	return b.store.AddUsage(ctx, used)
}

// Usage gives what an account has used in the last days, today's included, by service. InvalidArgument.
func (b *Broker) Usage(ctx context.Context, account string, days int) ([]Usage, error) {
	if days < 1 || days > MaxUsageDays {
		return nil, Errorf(InvalidArgument, "usage is known of the last 1 to %d days, asked for %d", MaxUsageDays, days)
	}
	return b.store.Usage(ctx, account, days)
}

package core

import "context"

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

package core

import "context"

// SharedSecret gives the secret of that name, which all servers of a database share: value, where
// there was none yet, else what was stored first.
func (b *Broker) SharedSecret(ctx context.Context, name string, value []byte) ([]byte, error) {
	return b.store.SharedSecret(ctx, name, value)
}

// FindSecret gives the secret of that name, nil where there is none yet.
func (b *Broker) FindSecret(ctx context.Context, name string) ([]byte, error) {
	return b.store.SharedSecret(ctx, name, nil)
}

package core

import "context"

// IdentityStore is the part of a Store that keeps accounts, users, groups, roles and policies.
type IdentityStore interface {
	// Grants gives what a key may do, the same pointer while that is the same.
	Grants(ctx context.Context, key *Key) (*Grants, error)
}

package core

import (
	"context"
	"time"
)

// ServerInfo is a server that shares the database, as it was last heard of.
type ServerInfo struct {
	ID        string // a UUID, new at each start
	Name      string // its machine and port; "" of earlier versions, as Version
	Version   string
	Self      bool // it is the one that was asked
	Listens   bool // it hears notifications, and does not have to look by itself
	StartedAt time.Time
	SeenAgo   time.Duration // since it was last heard of
}

// Servers gives the servers that share the database, those that started first in front.
func (b *Broker) Servers(ctx context.Context) ([]ServerInfo, error) { return b.store.Servers(ctx) }

// Scope is an account and a region that have something in them.
type Scope struct {
	Account string
	Region  string
}

// MaxScopes bounds what Scopes and AccountsToReset give.
const MaxScopes = 100

// Scopes gives up to MaxScopes accounts and regions that have queues or topics, in order.
func (b *Broker) Scopes(ctx context.Context) ([]Scope, error) { return b.store.Scopes(ctx) }

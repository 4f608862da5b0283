package mns

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// What the control plane keeps of an account's endpoint in a region.
const (
	attributeDisabled = "smq.EndpointDisabled"
	attributeAllowed  = "smq.EndpointAllowed"
)

// Bounds of a Gate.
const (
	MaxAllowed  = 100             // networks that an endpoint allows
	gateLife    = 5 * time.Second // after which another server's change is seen
	maxGateways = 10_000          // accounts and regions that are remembered
)

// Allowed is a network whose requests an endpoint takes.
type Allowed struct {
	Cidr      string
	CreatedAt int64 // Unix milliseconds
}

// Endpoint is the access control of an account's endpoint in a region. Where no network is allowed in particular,
// all are.
type Endpoint struct {
	Disabled bool
	Allowed  []Allowed

	networks []netip.Prefix
	readAt   time.Time
}

// Gate lets requests pass to the data plane, or not, as the control plane has it.
type Gate struct {
	broker *core.Broker

	mu        sync.RWMutex
	endpoints map[[2]string]*Endpoint // by account and region
}

// NewGate makes a Gate.
func NewGate(broker *core.Broker) *Gate {
	return &Gate{broker: broker, endpoints: map[[2]string]*Endpoint{}}
}

// check refuses a caller whom the endpoint of its account does not let in.
func (g *Gate) check(ctx context.Context, c *caller.Caller) error {
	endpoint, err := g.endpoint(ctx, c.Account, c.Region)
	switch {
	case err != nil:
		return err
	case endpoint.Disabled:
		return wireError{http.StatusForbidden, "AccessDenied", "the endpoint is disabled"}
	case len(endpoint.networks) > 0 && !slices.ContainsFunc(endpoint.networks, func(p netip.Prefix) bool { return p.Contains(c.RemoteAddr) }):
		return wireError{http.StatusForbidden, "AccessDenied", "the endpoint does not take requests of this address"}
	}
	return nil
}

// endpoint gives what is remembered of an endpoint, as long as that is fresh.
func (g *Gate) endpoint(ctx context.Context, account, region string) (*Endpoint, error) {
	place := [2]string{account, region}
	g.mu.RLock()
	endpoint := g.endpoints[place]
	g.mu.RUnlock()
	if endpoint != nil && time.Since(endpoint.readAt) < gateLife {
		return endpoint, nil
	}
	fresh, err := g.Endpoint(ctx, account, region)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.endpoints) >= maxGateways {
		clear(g.endpoints)
	}
	g.endpoints[place] = fresh
	return fresh, nil
}

// Endpoint reads the access control of an endpoint.
func (g *Gate) Endpoint(ctx context.Context, account, region string) (*Endpoint, error) {
	attributes, err := g.broker.AccountAttributes(ctx, account, region)
	if err != nil {
		return nil, fmt.Errorf("read who may use the endpoint: %w", err)
	}
	endpoint := &Endpoint{Disabled: attributes[attributeDisabled] != "", readAt: time.Now()}
	if text := attributes[attributeAllowed]; text != "" {
		if err := json.Unmarshal([]byte(text), &endpoint.Allowed); err != nil {
			return nil, fmt.Errorf("read the networks that the endpoint allows: %w", err)
		}
	}
	for _, allowed := range endpoint.Allowed {
		network, err := netip.ParsePrefix(allowed.Cidr)
		if err != nil {
			return nil, fmt.Errorf("read the networks that the endpoint allows: %w", err)
		}
		endpoint.networks = append(endpoint.networks, network)
	}
	return endpoint, nil
}

// Change stores the access control of an endpoint. Other servers see it after gateLife at the latest.
func (g *Gate) Change(ctx context.Context, account, region string, endpoint *Endpoint) error {
	change := map[string]*string{attributeDisabled: nil, attributeAllowed: nil}
	if endpoint.Disabled {
		yes := "true"
		change[attributeDisabled] = &yes
	}
	if len(endpoint.Allowed) > 0 {
		text, err := json.Marshal(endpoint.Allowed)
		if err != nil {
			return fmt.Errorf("write the networks that the endpoint allows: %w", err)
		}
		allowed := string(text)
		change[attributeAllowed] = &allowed
	}
	err := g.broker.SetAccountAttributes(ctx, account, region, change)
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.endpoints, [2]string{account, region})
	return err
}

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

	maxGateChanges = 16 // attempts of a change, while others change the same
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
	kept     string // Allowed, as it was read
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
	if endpoint.kept = attributes[attributeAllowed]; endpoint.kept != "" {
		if err := json.Unmarshal([]byte(endpoint.kept), &endpoint.Allowed); err != nil {
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

// Disable closes an endpoint, or opens it again. Other servers see a change after gateLife at the latest.
func (g *Gate) Disable(ctx context.Context, account, region string, disabled bool) error {
	change := map[string]*string{attributeDisabled: nil}
	if disabled {
		yes := "true"
		change[attributeDisabled] = &yes
	}
	defer g.forget(account, region)
	return g.broker.SetAccountAttributes(ctx, account, region, change)
}

// Allow changes which networks an endpoint allows: change is given those that are, again as long as others change them
// meanwhile.
func (g *Gate) Allow(ctx context.Context, account, region string, change func([]Allowed) ([]Allowed, error)) error {
	defer g.forget(account, region)
	for range maxGateChanges {
		is, err := g.Endpoint(ctx, account, region)
		if err != nil {
			return err
		}
		allowed, err := change(is.Allowed)
		if err != nil {
			return err
		}
		text, err := json.Marshal(allowed)
		if err != nil {
			return fmt.Errorf("write the networks that the endpoint allows: %w", err)
		}
		if ok, err := g.broker.ReplaceAccountAttribute(ctx, account, region, attributeAllowed, is.kept, string(text)); err != nil || ok {
			return err
		}
	}
	return core.Errorf(core.Unavailable, "the networks that the endpoint allows keep changing")
}

// forget makes the next request read the access control of an endpoint anew.
func (g *Gate) forget(account, region string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.endpoints, [2]string{account, region})
}

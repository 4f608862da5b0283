package server

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// Bounds of the ledger.
const (
	maxLedger     = 10_000  // accounts and services between two writes; what comes on top is not counted
	envelopeBytes = 2 << 10 // of a request or an answer that are no payload
)

// usageKey is a line of the ledger.
type usageKey struct{ account, service string }

type usageCount struct{ requests, units, receives, empty atomic.Int64 }

// ledger counts what accounts ask for until it is written.
type ledger struct {
	mu    sync.RWMutex
	lines map[usageKey]*usageCount
}

func newLedger() *ledger { return &ledger{lines: map[usageKey]*usageCount{}} }

// meter is a caller.Options.Meter.
func (l *ledger) meter(c *caller.Caller, protocol, action, code string) {
	service := billedAs(c, protocol, action)
	if service == "" || c.Account == "" {
		return
	}
	isReceive := action == "ReceiveMessage" || action == "BatchReceiveMessage"
	isEmpty := isReceive && (c.Empty || protocol == "mns" && code == "MessageNotExist")
	payload := max(c.RequestBytes, c.AnswerBytes) - envelopeBytes
	units := max(1, (payload+core.BillingUnit-1)/core.BillingUnit)
	l.mu.RLock()
	line := l.lines[usageKey{c.Account, service}]
	if line != nil {
		line.add(units, isReceive, isEmpty)
	}
	l.mu.RUnlock()
	if line == nil {
		l.begin(usageKey{c.Account, service}, units, isReceive, isEmpty)
	}
}

// begin adds to a line that may not be there yet.
func (l *ledger) begin(key usageKey, units int64, isReceive, isEmpty bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := l.lines[key]
	if line == nil {
		if len(l.lines) >= maxLedger {
			return
		}
		line = new(usageCount)
		l.lines[key] = line
	}
	line.add(units, isReceive, isEmpty)
}

func (u *usageCount) add(units int64, isReceive, isEmpty bool) {
	u.requests.Add(1)
	u.units.Add(units)
	if isReceive {
		u.receives.Add(1)
	}
	if isEmpty {
		u.empty.Add(1)
	}
}

// billedAs gives the service on whose bill a request would be, "" for one that costs nothing.
func billedAs(c *caller.Caller, protocol, action string) string {
	switch protocol {
	case "sqs":
		if c.FIFO {
			return "sqs-fifo"
		}
		return "sqs"
	case "sns":
		return "sns"
	case "mns", "smq":
		if strings.Contains(action, "Topic") || strings.Contains(action, "ubscri") || action == "PublishMessage" {
			return "mns-topics"
		}
		return "mns-queues"
	}
	return ""
}

// take gives what has gathered and begins anew.
func (l *ledger) take() []core.Usage {
	l.mu.Lock()
	lines := l.lines
	l.lines = make(map[usageKey]*usageCount, len(lines))
	l.mu.Unlock()
	used := make([]core.Usage, 0, len(lines))
	for key, n := range lines {
		used = append(used, core.Usage{
			Account: key.account, Service: key.service, Requests: n.requests.Load(), Units: n.units.Load(),
			Receives: n.receives.Load(), EmptyReceives: n.empty.Load(),
		})
	}
	return used
}

// write gives what has gathered to the broker. What cannot be written is not counted.
func (l *ledger) write(broker *core.Broker) func(context.Context) error {
	return func(ctx context.Context) error {
		used := l.take()
		if err := broker.AddUsage(ctx, used); err != nil {
			return fmt.Errorf("write the usage of %d accounts and services: %w", len(used), err)
		}
		return nil
	}
}

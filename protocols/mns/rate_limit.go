package mns

import (
	"encoding/json"
	"sync"
	"time"

	"github.com/polymq/polymq/core"
)

// AttributeRate is what the control plane keeps of a queue's rate limit, a RateLimit as JSON.
const AttributeRate = "smq.TenantRateLimitPolicy"

// RateLimit bounds how often messages are received.
type RateLimit struct {
	Enabled              bool
	MaxReceivesPerSecond int
}

// meters hold each limited queue to its rate, on this server.
type meters struct {
	mu      sync.Mutex
	byQueue map[int64]*meter // by the queue's id
}

// maxMeters bounds how many queues are remembered. Beyond it all begin anew, with a second's receives each.
const maxMeters = 10_000

// meter lets so many calls pass in a second as it has tokens.
type meter struct {
	mu     sync.Mutex
	tokens float64
	filled time.Time
}

// take counts a receive, and refuses it when there were too many in the last second.
func (m *meters) take(queue *core.Queue) error {
	text, limited := queue.Attributes[AttributeRate]
	if !limited {
		return nil
	}
	var limit RateLimit
	if err := json.Unmarshal([]byte(text), &limit); err != nil || !limit.Enabled || limit.MaxReceivesPerSecond <= 0 {
		return nil //nolint:nilerr // an attribute that means no limit
	}
	if !m.of(queue.ID).take(float64(limit.MaxReceivesPerSecond), time.Now()) {
		return core.Errorf(core.Throttled, "queue %q takes at most %d receives a second", queue.Name.Name, limit.MaxReceivesPerSecond)
	}
	return nil
}

func (m *meters) of(queue int64) *meter {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := m.byQueue[queue]
	if found != nil {
		return found
	}
	if m.byQueue == nil || len(m.byQueue) >= maxMeters {
		m.byQueue = map[int64]*meter{}
	}
	found = new(meter)
	m.byQueue[queue] = found
	return found
}

func (m *meter) take(perSecond float64, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tokens = min(m.tokens+perSecond*now.Sub(m.filled).Seconds(), perSecond)
	m.filled = now
	if m.tokens < 1 {
		return false
	}
	m.tokens--
	return true
}

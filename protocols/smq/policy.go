package smq

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/mns"
	"github.com/polymq/polymq/protocols/openapi"
)

// dlqPolicy says where messages go that nobody takes.
type dlqPolicy struct {
	Enabled               *openapi.Boolean // nil is no as well, but says nothing by itself
	DeadLetterTargetQueue string
	MaxReceiveCount       openapi.Number
}

// rateLimit bounds how much is received, or pushed, in a second.
type rateLimit struct {
	Enabled              *openapi.Boolean
	MaxReceivesPerSecond openapi.Number
}

// Bounds of policies.
const (
	maxRate         = core.MaxRate
	maxReceiveCount = core.MaxReceivesBound
)

// given says that there is something in the policy: {} counts as nothing, and {"Enabled":false} takes away the one
// that was.
func (p *dlqPolicy) given() bool { return p != nil && *p != dlqPolicy{} }

func (p *rateLimit) given() bool { return p != nil && *p != rateLimit{} }

// enabled says that the policy is in force.
func (p *dlqPolicy) enabled() bool { return p.given() && isYes(p.Enabled) }

func (p *rateLimit) enabled() bool { return p.given() && isYes(p.Enabled) }

func isYes(b *openapi.Boolean) bool { return b != nil && bool(*b) }

// queuePolicy gives a queue's policy in core's terms; one that is not enabled is none.
func (p *dlqPolicy) queuePolicy(of string) (core.DeadLetterPolicy, error) {
	switch {
	case !p.enabled():
		return core.DeadLetterPolicy{}, nil
	case p.DeadLetterTargetQueue == "":
		return core.DeadLetterPolicy{}, openapi.InvalidParameter("DlqPolicy", "names no DeadLetterTargetQueue")
	case p.DeadLetterTargetQueue == of:
		return core.DeadLetterPolicy{}, openapi.InvalidParameter("DlqPolicy", "names the queue itself as its dead-letter queue")
	case p.MaxReceiveCount < 1 || p.MaxReceiveCount > maxReceiveCount:
		return core.DeadLetterPolicy{}, openapi.InvalidParameter("DlqPolicy", "must have a MaxReceiveCount of 1 to "+strconv.Itoa(maxReceiveCount))
	}
	return core.DeadLetterPolicy{Target: p.DeadLetterTargetQueue, MaxReceives: int(p.MaxReceiveCount)}, nil
}

// target gives the dead-letter queue of a subscription, which must be there; the zero name is none.
func (s *Server) target(ctx context.Context, c *call, p *dlqPolicy) (core.QueueName, error) {
	switch {
	case !p.enabled():
		return core.QueueName{}, nil
	case p.DeadLetterTargetQueue == "":
		return core.QueueName{}, openapi.InvalidParameter("DlqPolicy", "names no DeadLetterTargetQueue")
	}
	name := c.queueName(p.DeadLetterTargetQueue)
	_, err := s.broker.Queue(ctx, name)
	return name, err
}

// kept gives a policy as it is kept: nil where none was given.
func (p *rateLimit) kept() (*string, error) {
	if !p.given() {
		return nil, nil
	}
	if p.MaxReceivesPerSecond < 0 || p.MaxReceivesPerSecond > maxRate || p.enabled() && p.MaxReceivesPerSecond == 0 {
		return nil, openapi.InvalidParameter("TenantRateLimitPolicy", "must have MaxReceivesPerSecond of 1 to "+strconv.Itoa(maxRate))
	}
	text, err := json.Marshal(mns.RateLimit{Enabled: p.enabled(), MaxReceivesPerSecond: int(p.MaxReceivesPerSecond)})
	if err != nil {
		return nil, err
	}
	value := string(text)
	return &value, nil
}

// dlqData is a queue's policy in an answer, where the number is a text.
type dlqData struct {
	Enabled               bool
	DeadLetterTargetQueue string
	MaxReceiveCount       string
}

// targetData is a subscription's.
type targetData struct {
	Enabled               bool
	DeadLetterTargetQueue string
}

// rateData reads what kept gave.
func rateData(text string) *mns.RateLimit {
	var limit mns.RateLimit
	_ = json.Unmarshal([]byte(text), &limit) // nothing, or what kept wrote
	return &limit
}

package api

import (
	"cmp"
	"context"
	"time"

	"github.com/polymq/polymq/core"
)

type createFaultRequest struct {
	Account string `query:"account" pattern:"^[0-9]{12}$" doc:"Account of the rule; else that of the credentials, else 000000000000"`
	Body    struct {
		Name        string                `json:"name" minLength:"1" maxLength:"256" doc:"A rule of the same name is replaced" example:"slow"`
		Effect      core.FaultEffect      `json:"effect" enum:"error,latency,duplicate,reorder" doc:"error: answer with code; latency: begin late; duplicate: what is sent is stored twice, what is received or deleted comes again; reorder: another order. The last two not of FIFO queues"`
		Queue       string                `json:"queue,omitempty" maxLength:"256" doc:"Pattern of names of queues, of topics for publish; * and ? stand for others; absent: all" example:"orders*"`
		Operations  []core.FaultOperation `json:"operations,omitempty" maxItems:"5" enum:"send,receive,delete,visibility,publish" doc:"Absent: all"`
		Protocol    string                `json:"protocol,omitempty" enum:"sqs,sns,mns,api" doc:"Only of calls by this protocol"`
		Code        core.Code             `json:"code,omitempty" doc:"What the error is; each protocol says it its own way; absent: Unavailable" example:"Throttled"`
		After       bool                  `json:"after,omitempty" doc:"The operation is done and its answer is the error, as when an answer is lost"`
		MinSeconds  float64               `json:"min_seconds,omitempty" minimum:"0" maximum:"30" doc:"How late, at least"`
		MaxSeconds  float64               `json:"max_seconds,omitempty" minimum:"0" maximum:"30" doc:"How late, at most; of reorder how long a message may be behind; absent: min_seconds, of reorder 1"`
		Probability float64               `json:"probability,omitempty" minimum:"0" maximum:"1" doc:"Of a call to be hit; absent: 1"`
		Count       int64                 `json:"count,omitempty" minimum:"0" doc:"Calls that are hit, by all servers together; absent: any number"`
		Seconds     float64               `json:"seconds,omitempty" minimum:"0" maximum:"604800" doc:"For which the rule holds, in the account's time; absent: until it is deleted"`
		Seed        uint64                `json:"seed,omitempty" maximum:"9007199254740991" doc:"Of the random numbers: the same calls in the same order are hit alike; absent: a random one, which is shown"`
	}
}

// faultBody is a fault rule on the wire.
type faultBody struct {
	Name        string                `json:"name"`
	Effect      core.FaultEffect      `json:"effect"`
	Queue       string                `json:"queue,omitempty"`
	Operations  []core.FaultOperation `json:"operations,omitempty"`
	Protocol    string                `json:"protocol,omitempty"`
	Code        core.Code             `json:"code,omitempty"`
	After       bool                  `json:"after,omitempty"`
	MinSeconds  float64               `json:"min_seconds,omitempty"`
	MaxSeconds  float64               `json:"max_seconds,omitempty"`
	Probability float64               `json:"probability"`
	Count       int64                 `json:"count,omitempty"`
	Seed        uint64                `json:"seed"`
	Hits        int64                 `json:"hits" doc:"Calls that were hit"`
	CreatedAt   time.Time             `json:"created_at"`
	Until       *time.Time            `json:"until,omitempty"`
}

func encodeFault(f core.Fault) faultBody {
	body := faultBody{
		Name: f.Name, Effect: f.Effect, Queue: f.Pattern, Operations: f.Operations, Protocol: f.Protocol, Code: f.Code, After: f.After,
		MinSeconds: f.Min.Seconds(), MaxSeconds: f.Max.Seconds(), Probability: f.Probability, Count: f.Most, Seed: f.Seed, Hits: f.Hits, CreatedAt: f.CreatedAt.UTC(),
	}
	if !f.Until.IsZero() {
		until := f.Until.UTC()
		body.Until = &until
	}
	return body
}

// notInTest is what a server says of fault rules outside test mode.
const notInTest = "nothing goes wrong on purpose"

type ofOneFault struct{ Body faultBody }

// createFault makes a rule by which calls go wrong. It is refused unless the server runs in test mode.
func (s *Server) createFault(ctx context.Context, req *createFaultRequest) (*ofOneFault, error) {
	if err := s.inTestMode(notInTest); err != nil {
		return nil, failed(ctx, err)
	}
	in := req.Body
	f := core.Fault{
		Account: cmp.Or(req.Account, exchangeOf(ctx).caller.Account), Name: in.Name, Effect: in.Effect, Pattern: in.Queue, Operations: in.Operations, Protocol: in.Protocol,
		Min: duration(in.MinSeconds), Max: duration(in.MaxSeconds), Probability: cmp.Or(in.Probability, 1), Most: in.Count, Length: duration(in.Seconds), Seed: in.Seed,
	}
	switch in.Effect {
	case core.FaultError:
		f.Code, f.After = cmp.Or(in.Code, core.Unavailable), in.After
	case core.FaultLatency:
		f.Max = cmp.Or(f.Max, f.Min)
	case core.FaultReorder:
		f.Min, f.Max = 0, cmp.Or(f.Max, time.Second)
	}
	f, err := s.broker.CreateFault(ctx, f)
	if err != nil {
		return nil, failed(ctx, err)
	}
	return &ofOneFault{encodeFault(f)}, nil
}

type listFaultsRequest struct {
	Account string `query:"account" pattern:"^[0-9]{12}$" doc:"Account of the rules; else that of the credentials, else 000000000000"`
	Limit   int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"Most rules to list; an account has a hundred at most"`
}

type listFaultsResponse struct {
	Body struct {
		Faults []faultBody `json:"faults" nullable:"false"`
	}
}

func (s *Server) listFaults(ctx context.Context, req *listFaultsRequest) (*listFaultsResponse, error) {
	if err := s.inTestMode(notInTest); err != nil {
		return nil, failed(ctx, err)
	}
	faults, err := s.broker.Faults(ctx, cmp.Or(req.Account, exchangeOf(ctx).caller.Account))
	if err != nil {
		return nil, failed(ctx, err)
	}
	faults = faults[:min(len(faults), req.Limit)]
	var resp listFaultsResponse
	resp.Body.Faults = make([]faultBody, len(faults))
	for i, f := range faults {
		resp.Body.Faults[i] = encodeFault(f)
	}
	return &resp, nil
}

type deleteFaultRequest struct {
	Account string `query:"account" pattern:"^[0-9]{12}$" doc:"Account of the rule; else that of the credentials, else 000000000000"`
	Name    string `path:"name" maxLength:"256" doc:"Name of the rule"`
}

func (s *Server) deleteFault(ctx context.Context, req *deleteFaultRequest) (*struct{}, error) {
	if err := s.inTestMode(notInTest); err != nil {
		return nil, failed(ctx, err)
	}
	if err := s.broker.DeleteFault(ctx, cmp.Or(req.Account, exchangeOf(ctx).caller.Account), req.Name); err != nil {
		return nil, failed(ctx, err)
	}
	return nil, nil
}

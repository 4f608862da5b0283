package api

import (
	"context"

	"github.com/polymq/polymq/core"
)

// deadLetterBody is a dead-letter policy on the wire.
type deadLetterBody struct {
	Queue       string `json:"queue" maxLength:"256" doc:"Name of the dead-letter queue, in the same account and region; empty in a change: messages stay from now on"`
	MaxReceives int    `json:"max_receives,omitempty" minimum:"1" maximum:"1000" doc:"A message that this queue has handed out so often is moved instead of being handed out once more"`
}

// sourcesBody is a source rule on the wire.
type sourcesBody struct {
	Allow  string   `json:"allow" enum:"any,none,listed" doc:"Which queues may name this one as their dead-letter queue"`
	Queues []string `json:"queues,omitempty" maxItems:"10" doc:"Those that are listed"`
}

func (b *deadLetterBody) policy() *core.DeadLetterPolicy {
	if b == nil {
		return nil
	}
	return &core.DeadLetterPolicy{Target: b.Queue, MaxReceives: b.MaxReceives}
}

func encodeDeadLetter(p core.DeadLetterPolicy) *deadLetterBody {
	if p.Target == "" {
		return nil
	}
	return &deadLetterBody{Queue: p.Target, MaxReceives: p.MaxReceives}
}

func (b *sourcesBody) rule() *core.SourceRule {
	if b == nil {
		return nil
	}
	rule := core.AnySource
	switch b.Allow {
	case "none":
		rule = core.NoSource
	case "listed":
		rule = core.Sources(b.Queues...)
	}
	return &rule
}

func encodeSources(rule core.SourceRule) *sourcesBody {
	switch rule {
	case core.AnySource:
		return nil
	case core.NoSource:
		return &sourcesBody{Allow: "none"}
	}
	return &sourcesBody{Allow: "listed", Queues: rule.Names()}
}

type listSourcesRequest struct {
	OfQueue
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"Most queues to list"`
	Cursor string `query:"cursor" maxLength:"1024" doc:"The next_cursor of the page before"`
}

// listSources shows the queues whose dead letters come to this one.
func (s *Server) listSources(ctx context.Context, req *listSourcesRequest) (*listQueuesResponse, error) {
	page, err := s.broker.DeadLetterSources(ctx, req.queue(ctx, req.Name), core.ListQueuesInput{After: req.Cursor, Limit: req.Limit})
	if err != nil {
		return nil, failed(ctx, err)
	}
	return encodePage(page, false), nil
}

package api

import (
	"context"

	"github.com/polymq/polymq/core"
)

const optedOut = prefix + "/opted-out-numbers"

type listOptedOutRequest struct {
	Scope
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"Most numbers to list"`
	Cursor string `query:"cursor" maxLength:"1024" doc:"The next_cursor of the page before"`
}

type listOptedOutResponse struct {
	Body struct {
		Numbers    []string `json:"numbers" nullable:"false"`
		NextCursor string   `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last one"`
	}
}

// OfNumber names a phone number.
type OfNumber struct {
	Scope
	Number string `path:"number" maxLength:"32" example:"+15551234567" doc:"Of E.164, with the + or without"`
}

// listOptedOut shows the numbers that want no SMS.
func (s *Server) listOptedOut(ctx context.Context, req *listOptedOutRequest) (*listOptedOutResponse, error) {
	in := req.topic(ctx, "")
	numbers, next, err := s.broker.ListOptedOut(ctx, in.Account, in.Region, req.Cursor, req.Limit)
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp listOptedOutResponse
	resp.Body.Numbers, resp.Body.NextCursor = append([]string{}, numbers...), next
	return &resp, nil
}

// optOut keeps SMS from a number.
func (s *Server) optOut(ctx context.Context, req *OfNumber) (*struct{}, error) {
	return nil, req.do(ctx, s.broker.OptOut)
}

// optIn lets a number have SMS again.
func (s *Server) optIn(ctx context.Context, req *OfNumber) (*struct{}, error) {
	return nil, req.do(ctx, s.broker.OptIn)
}

// do does something with the number.
func (req *OfNumber) do(ctx context.Context, with func(context.Context, core.Phone) error) error {
	scope := req.topic(ctx, "")
	if err := with(ctx, core.Phone{Account: scope.Account, Region: scope.Region, Number: req.Number}); err != nil {
		return failed(ctx, err)
	}
	return nil
}

package api

import (
	"context"

	"github.com/polymq/polymq/core"
)

type listKeysRequest struct {
	Account   string `query:"account" pattern:"^[0-9]{12}$" doc:"Only the keys of this account"`
	User      string `query:"user" maxLength:"64" doc:"Only the keys of this user"`
	Temporary bool   `query:"temporary" doc:"Show the keys of sessions too"`
	Limit     int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"Most keys to list"`
	Cursor    string `query:"cursor" maxLength:"128" doc:"The next_cursor of the page before"`
}

type listKeysResponse struct {
	Body struct {
		Keys       []keyBody `json:"keys" nullable:"false"`
		NextCursor string    `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last one"`
	}
}

func (s *Server) listKeys(ctx context.Context, req *listKeysRequest) (*listKeysResponse, error) {
	x := exchangeOf(ctx)
	if !x.grants.Everywhere {
		req.Account = x.caller.Account
	}
	page, err := s.broker.ListKeys(ctx, core.ListKeysInput{Account: req.Account, User: req.User, After: req.Cursor, Limit: req.Limit, Temporary: req.Temporary})
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp listKeysResponse
	resp.Body.Keys = make([]keyBody, len(page.Keys))
	for i, key := range page.Keys {
		resp.Body.Keys[i] = encodeKey(key)
	}
	resp.Body.NextCursor = page.Next
	return &resp, nil
}

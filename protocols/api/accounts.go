package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/polymq/polymq/core"
)

// registerAccounts mounts the operations on accounts.
func (s *Server) registerAccounts(api huma.API, op func(id, method, path, tag, summary string, status int) huma.Operation) {
	const tag, all, one = "Accounts", prefix + "/accounts", prefix + "/accounts/{id}"
	huma.Register(api, op("list-accounts", http.MethodGet, all, tag, "List the accounts that are known", 200), s.listAccounts)
	huma.Register(api, op("create-account", http.MethodPost, all, tag, "Make an account known, with a name", 201), s.createAccount)
	huma.Register(api, op("get-account", http.MethodGet, one, tag, "Show an account", 200), s.getAccount)
	huma.Register(api, op("alter-account", http.MethodPatch, one, tag, "Change an account's alias", 200), s.alterAccount)
	huma.Register(api, op("delete-account", http.MethodDelete, one, tag, "Delete an account with its users, roles, policies, access keys, limits, alerts and fault rules", 204), s.deleteAccount)
	huma.Register(api, op("get-account-limits", http.MethodGet, one+"/limits", tag, "Show what an account may have, and what it has of that", 200), s.getAccountLimits)
	huma.Register(api, op("set-account-limits", http.MethodPut, one+"/limits", tag, "Set what an account may have", 200), s.setAccountLimits)
}

// ofOneAccountID is the request of every operation on one account.
type ofOneAccountID struct {
	ID string `path:"id" pattern:"^[0-9]{12}$"`
}

type accountBody struct {
	ID        string    `json:"id" example:"111122223333"`
	Alias     string    `json:"alias,omitempty" example:"team-a"`
	CreatedAt time.Time `json:"created_at"`
}

type ofOneAccount struct{ Body accountBody }

func encodeAccount(a core.Account) accountBody {
	return accountBody{a.ID, a.Alias, a.CreatedAt.UTC()}
}

type listAccountsRequest struct {
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"Most to list"`
	Cursor string `query:"cursor" maxLength:"12" doc:"The next_cursor of the page before"`
}

type listAccountsResponse struct {
	Body struct {
		Accounts   []accountBody `json:"accounts" nullable:"false" doc:"Those that have an alias, access keys, users, roles or policies, or had"`
		NextCursor string        `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last one"`
	}
}

func (s *Server) listAccounts(ctx context.Context, req *listAccountsRequest) (*listAccountsResponse, error) {
	page, err := s.broker.ListAccounts(ctx, req.Cursor, req.Limit)
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp listAccountsResponse
	resp.Body.Accounts = make([]accountBody, len(page.Accounts))
	for i, a := range page.Accounts {
		resp.Body.Accounts[i] = encodeAccount(a)
	}
	resp.Body.NextCursor = page.Next
	return &resp, nil
}

type createAccountRequest struct {
	Body struct {
		ID    string `json:"id" pattern:"^[0-9]{12}$"`
		Alias string `json:"alias,omitempty" maxLength:"63"`
	}
}

func (s *Server) createAccount(ctx context.Context, req *createAccountRequest) (*ofOneAccount, error) {
	return shownAccount(ctx)(s.broker.CreateAccount(ctx, req.Body.ID, req.Body.Alias))
}

func (s *Server) getAccount(ctx context.Context, req *ofOneAccountID) (*ofOneAccount, error) {
	return shownAccount(ctx)(s.broker.Account(ctx, req.ID))
}

type alterAccountRequest struct {
	ID   string `path:"id" pattern:"^[0-9]{12}$"`
	Body struct {
		Alias string `json:"alias" maxLength:"63" doc:"An empty text removes it"`
	}
}

func (s *Server) alterAccount(ctx context.Context, req *alterAccountRequest) (*ofOneAccount, error) {
	return shownAccount(ctx)(s.broker.SetAccountAlias(ctx, req.ID, req.Body.Alias))
}

func shownAccount(ctx context.Context) func(core.Account, error) (*ofOneAccount, error) {
	return func(a core.Account, err error) (*ofOneAccount, error) {
		if err != nil {
			return nil, failed(ctx, err)
		}
		return &ofOneAccount{encodeAccount(a)}, nil
	}
}

func (s *Server) deleteAccount(ctx context.Context, req *ofOneAccountID) (*struct{}, error) {
	if err := s.broker.DeleteAccount(ctx, req.ID); err != nil {
		return nil, failed(ctx, err)
	}
	return nil, nil
}

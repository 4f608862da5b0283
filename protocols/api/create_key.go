package api

import (
	"cmp"
	"context"
	"net/http"

	"github.com/polymq/polymq/core"
)

type createKeyRequest struct {
	Account string `query:"account" pattern:"^[0-9]{12}$" doc:"Whose key; else that of the body, else the caller's"`
	Body    struct {
		ID      string `json:"id,omitempty" minLength:"3" maxLength:"128" doc:"Access key id; a random one if absent"`
		Secret  string `json:"secret,omitempty" minLength:"8" maxLength:"128" doc:"A random one if absent"`
		Account string `json:"account,omitempty" pattern:"^[0-9]{12}$" doc:"As the parameter of that name"`
		User    string `json:"user,omitempty" maxLength:"64" doc:"Name of the user it belongs to, who must be there"`
		Admin   bool   `json:"admin,omitempty" doc:"May use all of this API, in all accounts"`
	}
}

func (s *Server) createKey(ctx context.Context, req *createKeyRequest) (*ofOneKey, error) {
	in := req.Body
	owner, err := account(ctx, cmp.Or(req.Account, in.Account))
	switch {
	case err != nil:
		return nil, err
	case in.Admin && !exchangeOf(ctx).grants.Everywhere:
		return nil, newProblem(http.StatusForbidden, core.AccessDenied, "only who administers all accounts makes another who does")
	}
	made := core.NewKey{ID: in.ID, Secret: core.Secret(in.Secret), Account: owner, User: in.User, Admin: in.Admin}
	if err := made.Check(); err != nil {
		return nil, failed(ctx, err)
	}
	if in.User != "" { // a slip of the finger is not to make one
		if _, err := s.broker.Identity(ctx, core.IdentityName{Account: owner, Kind: core.User, Name: in.User}); err != nil {
			return nil, failed(ctx, err)
		}
	}
	key, err := s.broker.CreateKey(ctx, made)
	if err != nil {
		return nil, failed(ctx, err)
	}
	body := encodeKey(key)
	body.Secret = string(key.Secret)
	return &ofOneKey{body}, nil
}

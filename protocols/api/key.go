package api

import (
	"context"
	"time"

	"github.com/polymq/polymq/core"
)

// OfKey is the request of every operation on one access key.
type OfKey struct {
	ID string `path:"id" maxLength:"128" doc:"Access key id"`
}

// keyBody is an access key on the wire.
type keyBody struct {
	ID        string     `json:"id" example:"AKIAIOSFODNN7EXAMPLE"`
	Secret    string     `json:"secret,omitempty" doc:"Shown only in the answer to the key's creation"`
	Account   string     `json:"account" example:"000000000000"`
	User      string     `json:"user,omitempty" doc:"Name of the user it belongs to; absent for the account itself and for sessions of roles"`
	Admin     bool       `json:"admin" doc:"May use all of this API, in all accounts"`
	Disabled  bool       `json:"disabled"`
	Temporary bool       `json:"temporary" doc:"Of a session, which STS made"`
	Role      string     `json:"role,omitempty" doc:"ARN of the role that the session assumed"`
	Session   string     `json:"session,omitempty" doc:"Name of the session"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	Expired   bool       `json:"expired,omitempty"`
}

func encodeKey(key core.Key) keyBody {
	body := keyBody{
		ID: key.ID, Account: key.Account, User: key.User, Admin: key.Admin, Disabled: key.Disabled, Temporary: key.Temporary(),
		Role: key.Session.Role, Session: key.Session.Name, CreatedAt: key.CreatedAt.UTC(), Expired: key.Expired,
	}
	if expires := key.ExpiresAt.UTC(); !key.ExpiresAt.IsZero() {
		body.ExpiresAt = &expires
	}
	return body
}

// ofOneKey is the response that shows a key.
type ofOneKey struct{ Body keyBody }

// ownKey says that the caller may change an access key: those of other accounts are as if there were none, and
// an administrator's is another administrator's affair.
func (s *Server) ownKey(ctx context.Context, id string) error {
	x := exchangeOf(ctx)
	if x.grants.Everywhere {
		return nil
	}
	key, err := s.broker.Key(ctx, id)
	if err == nil && (key.Account != x.caller.Account || key.Admin) {
		err = core.Errorf(core.KeyNotFound, "there is no access key of that id")
	}
	if err != nil {
		return failed(ctx, err)
	}
	return nil
}

package aliyunsts

import (
	"context"

	"github.com/polymq/polymq/protocols/openapi"
)

type getCallerIdentityRequest struct{}

// getCallerIdentityAnswer has UserId for accounts and users, RoleId for sessions of roles.
type getCallerIdentityAnswer struct {
	RequestId    string
	IdentityType string
	AccountId    string
	PrincipalId  string
	UserId       string `json:",omitempty"`
	RoleId       string `json:",omitempty"`
	Arn          string
}

// getCallerIdentity tells callers who they are. Nobody needs a permission for it.
func (s *Server) getCallerIdentity(_ context.Context, c *openapi.Call, _ *getCallerIdentityRequest) (*getCallerIdentityAnswer, error) {
	answer := &getCallerIdentityAnswer{RequestId: c.ID(), AccountId: c.Account}
	root := "acs:ram::" + c.Account + ":"
	switch {
	case c.Key != nil && c.Key.Session.Role != "":
		session := c.Key.Session
		answer.IdentityType, answer.RoleId = "AssumedRoleUser", idOf(session.Role)
		answer.PrincipalId = answer.RoleId + ":" + session.Name
		answer.Arn = root + "assumed-role/" + roleName(session.Role) + "/" + session.Name
	case c.Key != nil && c.Key.User != "":
		answer.IdentityType, answer.UserId = "RAMUser", idOf(root+"user/"+c.Key.User)
		answer.PrincipalId, answer.Arn = answer.UserId, root+"user/"+c.Key.User
	default:
		answer.IdentityType, answer.UserId = "Account", c.Account
		answer.PrincipalId, answer.Arn = c.Account, root+"root"
	}
	return answer, nil
}

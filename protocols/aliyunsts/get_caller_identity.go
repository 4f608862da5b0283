package aliyunsts

import (
	"cmp"
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
func (s *Server) getCallerIdentity(ctx context.Context, c *openapi.Call, _ *getCallerIdentityRequest) (*getCallerIdentityAnswer, error) {
	answer := &getCallerIdentityAnswer{RequestId: c.ID(), AccountId: c.Account}
	root := "acs:ram::" + c.Account + ":"
	switch {
	case c.Key != nil && c.Key.Session.Role != "":
		session := c.Key.Session
		answer.IdentityType, answer.RoleId = "AssumedRoleUser", openapi.ID(cmp.Or(session.RoleID, session.Role))
		answer.PrincipalId = answer.RoleId + ":" + session.Name
		answer.Arn = root + "assumed-role/" + roleName(session.Role) + "/" + session.Name
	case c.Key != nil && c.Key.User != "":
		grants, err := s.broker.Grants(ctx, c.Key)
		if err != nil {
			return nil, err
		}
		answer.IdentityType, answer.UserId = "RAMUser", openapi.ID(grants.UserID)
		answer.PrincipalId, answer.Arn = answer.UserId, root+"user/"+c.Key.User
	default:
		answer.IdentityType, answer.UserId = "Account", c.Account
		answer.PrincipalId, answer.Arn = c.Account, root+"root"
	}
	return answer, nil
}

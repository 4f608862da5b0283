package ram

import (
	"cmp"
	"context"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/openapi"
)

// role is a role on the wire.
type role struct {
	RoleId                   string
	RoleName                 string
	Arn                      string
	Description              string
	AssumeRolePolicyDocument string `json:",omitempty"`
	MaxSessionDuration       int    `json:",omitempty"`
	CreateDate               string
	UpdateDate               string `json:",omitempty"`
	AttachDate               string `json:",omitempty"`
}

type ofRole struct {
	RequestId string
	Role      role
}

type roles struct{ Role []role }

func encodeRole(i *core.Identity) role {
	return role{
		RoleId: openapi.ID(i.ID), RoleName: i.Name, Arn: i.ARN(core.RAM), Description: i.Description, MaxSessionDuration: int(i.MaxSession / time.Second),
		CreateDate: stamp(i.CreatedAt), UpdateDate: stamp(i.CreatedAt),
	}
}

func showRole(c *openapi.Call, i *core.Identity) *ofRole {
	shown := encodeRole(i)
	shown.AssumeRolePolicyDocument = i.Trust
	return &ofRole{c.ID(), shown}
}

func roleName(c *openapi.Call, name string) core.IdentityName {
	return core.IdentityName{Account: c.Account, Kind: core.Role, Cloud: core.RAM, Name: name}
}

type createRoleRequest struct {
	RoleName                 string `required:"true"`
	AssumeRolePolicyDocument string `required:"true"`
	Description              string
	MaxSessionDuration       *int
}

func (s *Server) createRole(ctx context.Context, c *openapi.Call, in *createRoleRequest) (*ofRole, error) {
	err := cmp.Or(checkName("RoleName", in.RoleName, maxName, roleForm), checkLength("Description", in.Description, maxDescription))
	if err != nil {
		return nil, err
	}
	role := core.Identity{IdentityName: roleName(c, in.RoleName), Description: in.Description, Trust: in.AssumeRolePolicyDocument}
	if life := lifeOf(in.MaxSessionDuration); life != nil {
		role.MaxSession = max(*life, 1) // 0 would be the default
	}
	made, err := s.broker.CreateIdentity(ctx, role)
	return showRole(c, &made), of("Role", err)
}

func lifeOf(seconds *int) *time.Duration {
	if seconds == nil {
		return nil
	}
	life := time.Duration(min(max(*seconds, 0), 1e9)) * time.Second // longer than any may be, but none that begins anew
	return &life
}

type roleRequest struct {
	RoleName string `required:"true"`
}

func (s *Server) getRole(ctx context.Context, c *openapi.Call, in *roleRequest) (*ofRole, error) {
	found, err := s.broker.Identity(ctx, roleName(c, in.RoleName))
	return showRole(c, &found), of("Role", err)
}

type updateRoleRequest struct {
	RoleName                    string `required:"true"`
	NewAssumeRolePolicyDocument *string
	NewDescription              *string
	NewMaxSessionDuration       *int
}

func (s *Server) updateRole(ctx context.Context, c *openapi.Call, in *updateRoleRequest) (*ofRole, error) {
	if err := checkNewLength("NewDescription", in.NewDescription, maxDescription); err != nil {
		return nil, err
	}
	changed, err := s.broker.AlterIdentity(ctx, roleName(c, in.RoleName), core.IdentityChange{
		Trust: in.NewAssumeRolePolicyDocument, Description: in.NewDescription, MaxSession: lifeOf(in.NewMaxSessionDuration),
	})
	return showRole(c, &changed), of("Role", err)
}

func (s *Server) deleteRole(ctx context.Context, c *openapi.Call, in *roleRequest) (*plain, error) {
	found, err := s.broker.Identity(ctx, roleName(c, in.RoleName))
	if err == nil {
		err = s.remove(ctx, &found)
	}
	return &plain{c.ID()}, of("Role", err)
}

type listRolesAnswer struct {
	RequestId   string
	IsTruncated bool
	Marker      string `json:",omitempty"`
	Roles       roles
}

func (s *Server) listRoles(ctx context.Context, c *openapi.Call, in *listRequest) (*listRolesAnswer, error) {
	page, err := s.list(ctx, c, in, core.ListIdentitiesInput{Kind: core.Role, Cloud: core.RAM})
	answer := &listRolesAnswer{RequestId: c.ID(), IsTruncated: page.Next != "", Marker: page.Next, Roles: roles{[]role{}}}
	for i := range page.Identities {
		answer.Roles.Role = append(answer.Roles.Role, encodeRole(&page.Identities[i]))
	}
	return answer, err
}

type aliasRequest struct {
	AccountAlias string `required:"true"`
}

func (s *Server) setAccountAlias(ctx context.Context, c *openapi.Call, in *aliasRequest) (*plain, error) {
	if err := checkFormat("AccountAlias", in.AccountAlias, aliasForm); err != nil {
		return nil, err
	}
	if length := len(in.AccountAlias); length < minAlias || length > maxAlias {
		return nil, wrong("AccountAlias", ".Length", `The parameter - "AccountAlias" MUST be in the range of 3 and 63.`)
	}
	_, err := s.broker.SetAccountAlias(ctx, c.Account, in.AccountAlias)
	if core.CodeOf(err) == core.EntityNotFound { // not known yet
		_, err = s.broker.CreateAccount(ctx, c.Account, in.AccountAlias)
	}
	return &plain{c.ID()}, of("AccountAlias", err)
}

type aliasAnswer struct{ RequestId, AccountAlias string }

func (s *Server) getAccountAlias(ctx context.Context, c *openapi.Call, _ *struct{}) (*aliasAnswer, error) {
	account, err := s.broker.Account(ctx, c.Account)
	if err == nil && account.Alias == "" {
		err = core.Errorf(core.EntityNotFound, "The account has no alias.")
	}
	return &aliasAnswer{c.ID(), account.Alias}, of("AccountAlias", err)
}

func (s *Server) clearAccountAlias(ctx context.Context, c *openapi.Call, _ *struct{}) (*plain, error) {
	_, err := s.broker.SetAccountAlias(ctx, c.Account, "")
	if core.CodeOf(err) == core.EntityNotFound {
		err = nil // nothing to clear
	}
	return &plain{c.ID()}, err
}

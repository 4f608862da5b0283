package iam

import (
	"context"
	"time"

	"github.com/polymq/polymq/core"
)

// role is a role on the wire.
type role struct {
	Path                     string
	RoleName                 string
	RoleId                   string
	Arn                      string
	CreateDate               string
	AssumeRolePolicyDocument string
	Description              string
	MaxSessionDuration       int
	PermissionsBoundary      []boundary
	Tags                     []tag `query:"Tags.member"`
}

type ofRole struct{ Role role }

func (c *call) encodeRole(i *core.Identity) role {
	return role{
		Path: i.Path, RoleName: i.Name, RoleId: i.ID, Arn: c.arn(i.ARN(core.AWS)), CreateDate: stamp(i.CreatedAt),
		AssumeRolePolicyDocument: escaped(i.Trust), Description: i.Description, MaxSessionDuration: int(i.MaxSession / time.Second),
	}
}

// showRole gives a role with what only one role is shown with.
func (s *Server) showRole(ctx context.Context, c *call, i *core.Identity) (r role, err error) {
	r = c.encodeRole(i)
	r.Tags = encodeTags(i.Tags)
	r.PermissionsBoundary, err = s.boundaryOf(ctx, c, i)
	return r, err
}

type createRoleRequest struct {
	RoleName                 string
	Path                     string
	AssumeRolePolicyDocument string
	Description              string
	MaxSessionDuration       *int
	PermissionsBoundary      string
	Tags                     []tag `query:"Tags.member"`
}

func (s *Server) createRole(ctx context.Context, c *call, in *createRoleRequest) (*ofRole, error) {
	name, err := c.identity(core.Role, &ofEntity{RoleName: in.RoleName})
	switch {
	case err != nil:
		return nil, err
	case in.AssumeRolePolicyDocument == "":
		return nil, required("assumeRolePolicyDocument")
	}
	if err := checkDistinct(in.Tags); err != nil {
		return nil, err
	}
	asked := core.Identity{IdentityName: name, Path: in.Path, Description: in.Description, Tags: decodeTags(in.Tags), Trust: in.AssumeRolePolicyDocument}
	if in.MaxSessionDuration != nil {
		asked.MaxSession = time.Duration(*in.MaxSessionDuration) * time.Second
		if asked.MaxSession < core.MinRoleSession {
			return nil, sessionRange(*in.MaxSessionDuration)
		}
	}
	made, err := s.create(ctx, asked, in.PermissionsBoundary)
	if err != nil {
		return nil, err
	}
	r, err := s.showRole(ctx, c, &made)
	return &ofRole{r}, err
}

func sessionRange(seconds int) error {
	return invalid("1 validation error detected: Value '%d' at 'maxSessionDuration' failed to satisfy constraint: Member must have value between %d and %d",
		seconds, core.MinRoleSession/time.Second, core.MaxRoleSession/time.Second)
}

type getRoleRequest struct{ RoleName string }

func (s *Server) getRole(ctx context.Context, c *call, in *getRoleRequest) (*ofRole, error) {
	name, err := c.identity(core.Role, &ofEntity{RoleName: in.RoleName})
	if err != nil {
		return nil, err
	}
	found, err := s.broker.Identity(ctx, name)
	if err != nil {
		return nil, err
	}
	r, err := s.showRole(ctx, c, &found)
	return &ofRole{r}, err
}

type updateRoleRequest struct {
	RoleName           string
	Description        *string
	MaxSessionDuration *int
}

// updatedRole tells nothing, but has an element of its own on the wire.
type updatedRole struct{ RoleName *string }

func (s *Server) updateRole(ctx context.Context, c *call, in *updateRoleRequest) (*updatedRole, error) {
	name, err := c.identity(core.Role, &ofEntity{RoleName: in.RoleName})
	if err != nil {
		return nil, err
	}
	change := core.IdentityChange{Description: in.Description}
	if in.MaxSessionDuration != nil {
		life := time.Duration(*in.MaxSessionDuration) * time.Second
		change.MaxSession = &life
	}
	_, err = s.broker.AlterIdentity(ctx, name, change)
	return &updatedRole{}, err
}

type updateRoleDescriptionRequest struct{ RoleName, Description string }

func (s *Server) updateRoleDescription(ctx context.Context, c *call, in *updateRoleDescriptionRequest) (*ofRole, error) {
	name, err := c.identity(core.Role, &ofEntity{RoleName: in.RoleName})
	if err != nil {
		return nil, err
	}
	changed, err := s.broker.AlterIdentity(ctx, name, core.IdentityChange{Description: &in.Description})
	if err != nil {
		return nil, err
	}
	r, err := s.showRole(ctx, c, &changed)
	return &ofRole{r}, err
}

type updateAssumeRolePolicyRequest struct{ RoleName, PolicyDocument string }

func (s *Server) updateAssumeRolePolicy(ctx context.Context, c *call, in *updateAssumeRolePolicyRequest) (*none, error) {
	name, err := c.identity(core.Role, &ofEntity{RoleName: in.RoleName})
	switch {
	case err != nil:
		return nil, err
	case in.PolicyDocument == "":
		return nil, required("policyDocument")
	}
	_, err = s.broker.AlterIdentity(ctx, name, core.IdentityChange{Trust: &in.PolicyDocument})
	return &none{}, err
}

type listRolesResult struct {
	Roles []role `query:"Roles.member"`
	paged
}

func (s *Server) listRoles(ctx context.Context, c *call, in *listRequest) (*listRolesResult, error) {
	found, err := s.list(ctx, c, core.Role, in)
	if err != nil {
		return nil, err
	}
	out := &listRolesResult{paged: pagedTo(found.Next)}
	for i := range found.Identities {
		out.Roles = append(out.Roles, c.encodeRole(&found.Identities[i]))
	}
	return out, nil
}

type listInstanceProfilesResult struct {
	InstanceProfiles []tag `query:"InstanceProfiles.member"`
	IsTruncated      bool
}

// listInstanceProfilesForRole gives none: there are no machines here.
func (s *Server) listInstanceProfilesForRole(ctx context.Context, c *call, in *getRoleRequest) (*listInstanceProfilesResult, error) {
	name, err := c.identity(core.Role, &ofEntity{RoleName: in.RoleName})
	if err == nil {
		_, err = s.broker.Identity(ctx, name)
	}
	return &listInstanceProfilesResult{}, err
}

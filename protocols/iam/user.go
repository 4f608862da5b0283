package iam

import (
	"context"
	"slices"
	"strings"

	"github.com/polymq/polymq/core"
)

// user is a user on the wire.
type user struct {
	Path                string
	UserName            string
	UserId              string
	Arn                 string
	CreateDate          string
	PermissionsBoundary []boundary
	Tags                []tag `query:"Tags.member"`
}

type ofUser struct{ User user }

func (c *call) encodeUser(i *core.Identity) user {
	return user{Path: i.Path, UserName: i.Name, UserId: i.ID, Arn: c.arn(i.ARN(core.AWS)), CreateDate: stamp(i.CreatedAt)}
}

// showUser gives a user with what only one user is shown with.
func (s *Server) showUser(ctx context.Context, c *call, i *core.Identity) (u user, err error) {
	u = c.encodeUser(i)
	u.Tags = encodeTags(i.Tags)
	u.PermissionsBoundary, err = s.boundaryOf(ctx, c, i)
	return u, err
}

type createUserRequest struct {
	UserName            string
	Path                string
	PermissionsBoundary string
	Tags                []tag `query:"Tags.member"`
}

func (s *Server) createUser(ctx context.Context, c *call, in *createUserRequest) (*ofUser, error) {
	name, err := c.identity(core.User, &ofEntity{UserName: in.UserName})
	if err != nil {
		return nil, err
	}
	if err := checkDistinct(in.Tags); err != nil {
		return nil, err
	}
	made, err := s.create(ctx, core.Identity{IdentityName: name, Path: in.Path, Tags: decodeTags(in.Tags)}, in.PermissionsBoundary)
	if err != nil {
		return nil, err
	}
	u, err := s.showUser(ctx, c, &made)
	return &ofUser{u}, err
}

// create makes an identity, with a boundary if one is named.
func (s *Server) create(ctx context.Context, in core.Identity, boundary string) (core.Identity, error) {
	if boundary != "" {
		policy, err := s.policyOf(ctx, in.Account, boundary)
		if err != nil {
			return core.Identity{}, err
		}
		in.Boundary = policy.ID
	}
	return s.broker.CreateIdentity(ctx, in)
}

type getUserRequest struct{ UserName string }

// getUser shows a user, the one that calls where none is named. The account itself shows as its root user.
func (s *Server) getUser(ctx context.Context, c *call, in *getUserRequest) (*ofUser, error) {
	named, err := c.user(in.UserName)
	if err != nil {
		return nil, err
	}
	if named == "" {
		account, err := s.broker.Account(ctx, c.Account)
		if err != nil && core.CodeOf(err) != core.EntityNotFound {
			return nil, err
		}
		return &ofUser{user{Path: "/", UserId: c.Account, Arn: c.arn("arn:aws:iam::" + c.Account + ":root"), CreateDate: stamp(account.CreatedAt)}}, nil
	}
	found, err := s.broker.Identity(ctx, core.IdentityName{Account: c.Account, Kind: core.User, Name: named})
	if err != nil {
		return nil, err
	}
	u, err := s.showUser(ctx, c, &found)
	return &ofUser{u}, err
}

type updateUserRequest struct {
	UserName    string
	NewUserName *string
	NewPath     *string
}

func (s *Server) updateUser(ctx context.Context, c *call, in *updateUserRequest) (*none, error) {
	name, err := c.identity(core.User, &ofEntity{UserName: in.UserName})
	if err == nil {
		_, err = s.broker.AlterIdentity(ctx, name, core.IdentityChange{Name: in.NewUserName, Path: in.NewPath})
	}
	return &none{}, err
}

type listRequest struct {
	PathPrefix string
	page
}

type listUsersResult struct {
	Users []user `query:"Users.member"`
	paged
}

func (s *Server) listUsers(ctx context.Context, c *call, in *listRequest) (*listUsersResult, error) {
	found, err := s.list(ctx, c, core.User, in)
	if err != nil {
		return nil, err
	}
	out := &listUsersResult{paged: pagedTo(found.Next)}
	for i := range found.Identities {
		out.Users = append(out.Users, c.encodeUser(&found.Identities[i]))
	}
	return out, nil
}

// list gives a page of users, groups or roles.
func (s *Server) list(ctx context.Context, c *call, kind core.IdentityKind, in *listRequest) (core.IdentityPage, error) {
	limit, err := in.limit()
	if err != nil {
		return core.IdentityPage{}, err
	}
	list := core.ListIdentitiesInput{Account: c.Account, Kind: kind, PathPrefix: in.PathPrefix, After: in.Marker, Limit: limit}
	if kind == core.Role {
		list.Cloud = core.AWS
	}
	return s.broker.ListIdentities(ctx, list)
}

type listGroupsForUserRequest struct {
	UserName string
	page
}

type listGroupsResult struct {
	Groups []group `query:"Groups.member"`
	paged
}

func (s *Server) listGroupsForUser(ctx context.Context, c *call, in *listGroupsForUserRequest) (*listGroupsResult, error) {
	name, err := c.identity(core.User, &ofEntity{UserName: in.UserName})
	if err != nil {
		return nil, err
	}
	of, err := s.broker.Identity(ctx, name)
	if err != nil {
		return nil, err
	}
	groups, err := s.groupsOf(ctx, c, &of)
	if err != nil {
		return nil, err
	}
	part, next, err := cut(groups, &in.page, func(g group) string { return g.GroupName })
	return &listGroupsResult{part, next}, err
}

// groupsOf gives the groups that a user is in, by name.
func (s *Server) groupsOf(ctx context.Context, c *call, of *core.Identity) (groups []group, err error) {
	if len(of.Groups) == 0 {
		return nil, nil
	}
	all, err := s.broker.ListIdentities(ctx, core.ListIdentitiesInput{Account: c.Account, Kind: core.Group, Limit: core.MaxListed})
	if err != nil {
		return nil, err
	}
	for i := range all.Identities {
		if _, in := of.Groups[all.Identities[i].ID]; in {
			groups = append(groups, c.encodeGroup(&all.Identities[i]))
		}
	}
	slices.SortFunc(groups, func(a, b group) int { return strings.Compare(a.GroupName, b.GroupName) })
	return groups, nil
}

type deleteEntityRequest struct{ ofEntity }

func (s *Server) deleteEntity(ctx context.Context, _ *call, name core.IdentityName, _ *deleteEntityRequest) (*none, error) {
	return &none{}, s.broker.DeleteIdentity(ctx, name, false)
}

type tagEntityRequest struct {
	ofEntity
	Tags []tag `query:"Tags.member"`
}

func (s *Server) tagEntity(ctx context.Context, _ *call, name core.IdentityName, in *tagEntityRequest) (*none, error) {
	if err := checkDistinct(in.Tags); err != nil {
		return nil, err
	}
	_, err := s.broker.AlterIdentity(ctx, name, core.IdentityChange{Tags: added(in.Tags)})
	return &none{}, err
}

// added gives tags as a change that sets them.
func added(tags []tag) map[string]*string {
	change := map[string]*string{}
	for i := range tags {
		change[tags[i].Key] = &tags[i].Value
	}
	return change
}

// removed gives the keys of tags as a change that removes them.
func removed(keys []string) map[string]*string {
	change := map[string]*string{}
	for _, key := range keys {
		change[key] = nil
	}
	return change
}

type untagEntityRequest struct {
	ofEntity
	TagKeys []string `query:"TagKeys.member"`
}

func (s *Server) untagEntity(ctx context.Context, _ *call, name core.IdentityName, in *untagEntityRequest) (*none, error) {
	_, err := s.broker.AlterIdentity(ctx, name, core.IdentityChange{Tags: removed(in.TagKeys)})
	return &none{}, err
}

type listEntityTagsRequest struct {
	ofEntity
	page
}

type listTagsResult struct {
	Tags []tag `query:"Tags.member"`
	paged
}

func (s *Server) listEntityTags(ctx context.Context, _ *call, name core.IdentityName, in *listEntityTagsRequest) (*listTagsResult, error) {
	found, err := s.broker.Identity(ctx, name)
	if err != nil {
		return nil, err
	}
	part, next, err := cut(encodeTags(found.Tags), &in.page, func(t tag) string { return t.Key })
	return &listTagsResult{part, next}, err
}

type putBoundaryRequest struct {
	ofEntity
	PermissionsBoundary string
}

func (s *Server) putBoundary(ctx context.Context, _ *call, name core.IdentityName, in *putBoundaryRequest) (*none, error) {
	policy, err := s.policyOf(ctx, name.Account, in.PermissionsBoundary)
	if err == nil {
		_, err = s.broker.AlterIdentity(ctx, name, core.IdentityChange{Boundary: &policy.PolicyName})
	}
	return &none{}, err
}

type deleteBoundaryRequest struct{ ofEntity }

func (s *Server) deleteBoundary(ctx context.Context, _ *call, name core.IdentityName, _ *deleteBoundaryRequest) (*none, error) {
	_, err := s.broker.AlterIdentity(ctx, name, core.IdentityChange{Boundary: &core.PolicyName{}})
	return &none{}, err
}

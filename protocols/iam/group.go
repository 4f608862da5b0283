package iam

import (
	"context"

	"github.com/polymq/polymq/core"
)

// group is a group on the wire.
type group struct {
	Path       string
	GroupName  string
	GroupId    string
	Arn        string
	CreateDate string
}

type ofGroup struct{ Group group }

func (c *call) encodeGroup(i *core.Identity) group {
	return group{i.Path, i.Name, i.ID, c.arn(i.ARN(core.AWS)), stamp(i.CreatedAt)}
}

type createGroupRequest struct{ GroupName, Path string }

func (s *Server) createGroup(ctx context.Context, c *call, in *createGroupRequest) (*ofGroup, error) {
	name, err := c.identity(core.Group, &ofEntity{GroupName: in.GroupName})
	if err != nil {
		return nil, err
	}
	made, err := s.broker.CreateIdentity(ctx, core.Identity{IdentityName: name, Path: in.Path})
	return &ofGroup{c.encodeGroup(&made)}, err
}

type getGroupRequest struct {
	GroupName string
	page
}

type getGroupResult struct {
	Group group
	Users []user `query:"Users.member"`
	paged
}

func (s *Server) getGroup(ctx context.Context, c *call, in *getGroupRequest) (*getGroupResult, error) {
	name, err := c.identity(core.Group, &ofEntity{GroupName: in.GroupName})
	if err != nil {
		return nil, err
	}
	limit, err := in.limit()
	if err != nil {
		return nil, err
	}
	found, err := s.broker.Identity(ctx, name)
	if err != nil {
		return nil, err
	}
	members, err := s.broker.ListIdentities(ctx, core.ListIdentitiesInput{Account: c.Account, Kind: core.User, Group: found.ID, After: in.Marker, Limit: limit})
	if err != nil {
		return nil, err
	}
	out := &getGroupResult{Group: c.encodeGroup(&found), paged: pagedTo(members.Next)}
	for i := range members.Identities {
		out.Users = append(out.Users, c.encodeUser(&members.Identities[i]))
	}
	return out, nil
}

type updateGroupRequest struct {
	GroupName    string
	NewGroupName *string
	NewPath      *string
}

func (s *Server) updateGroup(ctx context.Context, c *call, in *updateGroupRequest) (*none, error) {
	name, err := c.identity(core.Group, &ofEntity{GroupName: in.GroupName})
	if err == nil {
		_, err = s.broker.AlterIdentity(ctx, name, core.IdentityChange{Name: in.NewGroupName, Path: in.NewPath})
	}
	return &none{}, err
}

func (s *Server) listGroups(ctx context.Context, c *call, in *listRequest) (*listGroupsResult, error) {
	found, err := s.list(ctx, c, core.Group, in)
	if err != nil {
		return nil, err
	}
	out := &listGroupsResult{paged: pagedTo(found.Next)}
	for i := range found.Identities {
		out.Groups = append(out.Groups, c.encodeGroup(&found.Identities[i]))
	}
	return out, nil
}

type memberRequest struct{ UserName, GroupName string }

func (s *Server) addUserToGroup(ctx context.Context, c *call, in *memberRequest) (*none, error) {
	return s.member(ctx, c, in, s.broker.JoinGroup)
}

func (s *Server) removeUserFromGroup(ctx context.Context, c *call, in *memberRequest) (*none, error) {
	return s.member(ctx, c, in, s.broker.LeaveGroup)
}

func (s *Server) member(ctx context.Context, c *call, in *memberRequest, do func(ctx context.Context, account, user, group string) error) (*none, error) {
	switch {
	case in.UserName == "":
		return nil, required("userName")
	case in.GroupName == "":
		return nil, required("groupName")
	}
	return &none{}, do(ctx, c.Account, in.UserName, in.GroupName)
}

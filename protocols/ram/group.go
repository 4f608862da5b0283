package ram

import (
	"cmp"
	"context"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/openapi"
)

// group is a group on the wire.
type group struct {
	GroupId    string `json:",omitempty"`
	GroupName  string
	Comments   string
	CreateDate string `json:",omitempty"`
	UpdateDate string `json:",omitempty"`
	JoinDate   string `json:",omitempty"`
	AttachDate string `json:",omitempty"`
}

type ofGroup struct {
	RequestId string
	Group     group
}

type groups struct{ Group []group }

func encodeGroup(i *core.Identity) group {
	return group{GroupId: openapi.ID(i.ID), GroupName: i.Name, Comments: i.Description, CreateDate: stamp(i.CreatedAt), UpdateDate: stamp(i.CreatedAt)}
}

func groupName(c *openapi.Call, name string) core.IdentityName {
	return core.IdentityName{Account: c.Account, Kind: core.Group, Name: name}
}

type createGroupRequest struct {
	GroupName string `required:"true"`
	Comments  string
}

func (s *Server) createGroup(ctx context.Context, c *openapi.Call, in *createGroupRequest) (*ofGroup, error) {
	err := cmp.Or(checkName("GroupName", in.GroupName, maxName, nameForm), checkLength("Comments", in.Comments, maxComments))
	if err != nil {
		return nil, err
	}
	made, err := s.broker.CreateIdentity(ctx, core.Identity{IdentityName: groupName(c, in.GroupName), Description: in.Comments})
	return &ofGroup{c.ID(), encodeGroup(&made)}, of("Group", err)
}

type groupRequest struct {
	GroupName string `required:"true"`
}

func (s *Server) getGroup(ctx context.Context, c *openapi.Call, in *groupRequest) (*ofGroup, error) {
	found, err := s.broker.Identity(ctx, groupName(c, in.GroupName))
	return &ofGroup{c.ID(), encodeGroup(&found)}, of("Group", err)
}

type updateGroupRequest struct {
	GroupName    string `required:"true"`
	NewGroupName *string
	NewComments  *string
}

func (s *Server) updateGroup(ctx context.Context, c *openapi.Call, in *updateGroupRequest) (*ofGroup, error) {
	err := cmp.Or(checkNewName("NewGroupName", in.GroupName, in.NewGroupName, nameForm), checkNewLength("NewComments", in.NewComments, maxComments))
	if err != nil {
		return nil, err
	}
	changed, err := s.broker.AlterIdentity(ctx, groupName(c, in.GroupName), core.IdentityChange{Name: in.NewGroupName, Description: in.NewComments})
	return &ofGroup{c.ID(), encodeGroup(&changed)}, of("Group", err)
}

func (s *Server) deleteGroup(ctx context.Context, c *openapi.Call, in *groupRequest) (*plain, error) {
	found, err := s.broker.Identity(ctx, groupName(c, in.GroupName))
	if err == nil {
		err = s.remove(ctx, &found)
	}
	return &plain{c.ID()}, of("Group", err)
}

type listGroupsAnswer struct {
	RequestId   string
	IsTruncated bool
	Marker      string `json:",omitempty"`
	Groups      groups
}

func (s *Server) listGroups(ctx context.Context, c *openapi.Call, in *listRequest) (*listGroupsAnswer, error) {
	page, err := s.list(ctx, c, in, core.ListIdentitiesInput{Kind: core.Group})
	answer := &listGroupsAnswer{RequestId: c.ID(), IsTruncated: page.Next != "", Marker: page.Next, Groups: groups{[]group{}}}
	for i := range page.Identities {
		answer.Groups.Group = append(answer.Groups.Group, encodeGroup(&page.Identities[i]))
	}
	return answer, err
}

type memberRequest struct {
	UserName  string `required:"true"`
	GroupName string `required:"true"`
}

func (s *Server) addUserToGroup(ctx context.Context, c *openapi.Call, in *memberRequest) (*plain, error) {
	isIn, err := s.member(ctx, c, in)
	switch {
	case err != nil:
		return nil, err
	case isIn:
		err = core.Errorf(core.EntityExists, "The user has already joined the group.")
	default:
		err = s.broker.JoinGroup(ctx, c.Account, in.UserName, in.GroupName)
	}
	return &plain{c.ID()}, of("User.Group", err)
}

func (s *Server) removeUserFromGroup(ctx context.Context, c *openapi.Call, in *memberRequest) (*plain, error) {
	if _, err := s.member(ctx, c, in); err != nil {
		return nil, err
	}
	return &plain{c.ID()}, of("User.Group", s.broker.LeaveGroup(ctx, c.Account, in.UserName, in.GroupName))
}

// member says whether a user is in a group. Both must be there.
func (s *Server) member(ctx context.Context, c *openapi.Call, in *memberRequest) (bool, error) {
	group, err := s.broker.Identity(ctx, groupName(c, in.GroupName))
	if err != nil {
		return false, of("Group", err)
	}
	user, err := s.broker.Identity(ctx, userName(c, in.UserName))
	_, isIn := user.Groups[group.ID]
	return isIn, of("User", err)
}

type groupsForUserAnswer struct {
	RequestId string
	Groups    groups
}

func (s *Server) listGroupsForUser(ctx context.Context, c *openapi.Call, in *userRequest) (*groupsForUserAnswer, error) {
	found, err := s.broker.Identity(ctx, userName(c, in.UserName))
	if err != nil {
		return nil, of("User", err)
	}
	page, err := s.broker.ListIdentities(ctx, core.ListIdentitiesInput{Account: c.Account, Kind: core.Group, Limit: core.MaxListed})
	answer := &groupsForUserAnswer{c.ID(), groups{[]group{}}}
	for i := range page.Identities {
		if since, in := found.Groups[page.Identities[i].ID]; in {
			shown := encodeGroup(&page.Identities[i])
			shown.JoinDate = stamp(since)
			answer.Groups.Group = append(answer.Groups.Group, shown)
		}
	}
	return answer, err
}

type listUsersForGroupRequest struct {
	GroupName string `required:"true"`
	Marker    string
	MaxItems  *int
}

func (s *Server) listUsersForGroup(ctx context.Context, c *openapi.Call, in *listUsersForGroupRequest) (*listUsersAnswer, error) {
	found, err := s.broker.Identity(ctx, groupName(c, in.GroupName))
	if err != nil {
		return nil, of("Group", err)
	}
	return s.usersOf(ctx, c, &listRequest{in.Marker, in.MaxItems}, core.ListIdentitiesInput{Kind: core.User, Group: found.ID}, found.ID)
}

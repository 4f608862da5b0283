package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/polymq/polymq/core"
)

// registerIdentities mounts the operations on users, groups and roles, which are alike.
func (s *Server) registerIdentities(api huma.API, op func(id, method, path, tag, summary string, status int) huma.Operation) {
	const tag = "Users, groups and roles"
	for _, kind := range []core.IdentityKind{core.User, core.Group, core.Role} {
		word, all := string(kind), prefix+"/"+plural(kind)
		one := all + "/{identity}"
		huma.Register(api, op("list-"+plural(kind), http.MethodGet, all, tag, "List "+plural(kind)+" by name", 200), s.listIdentities(kind))
		huma.Register(api, op("create-"+word, http.MethodPost, all, tag, "Create a "+word, 201), s.createIdentity(kind))
		huma.Register(api, op("get-"+word, http.MethodGet, one, tag, "Show a "+word, 200), s.getIdentity(kind))
		huma.Register(api, op("alter-"+word, http.MethodPatch, one, tag, "Change a "+word, 200), s.alterIdentity(kind))
		huma.Register(api, op("delete-"+word, http.MethodDelete, one, tag, "Delete a "+word, 204), s.deleteIdentity(kind))
		huma.Register(api, op("attach-"+word+"-policy", http.MethodPost, one+"/policies:attach", tag, "Attach a policy to a "+word, 204), s.attachPolicy(kind))
		huma.Register(api, op("detach-"+word+"-policy", http.MethodPost, one+"/policies:detach", tag, "Detach a policy from a "+word, 204), s.detachPolicy(kind))
		huma.Register(api, op("put-"+word+"-policy", http.MethodPut, one+"/inline/{policy}", tag, "Set a policy of the "+word+"'s own", 204), s.putInlinePolicy(kind))
		huma.Register(api, op("delete-"+word+"-policy", http.MethodDelete, one+"/inline/{policy}", tag, "Remove a policy of the "+word+"'s own", 204), s.deleteInlinePolicy(kind))
	}
	const members = prefix + "/groups/{identity}/members"
	huma.Register(api, op("list-members", http.MethodGet, members, tag, "List the users of a group", 200), s.listMembers)
	huma.Register(api, op("add-member", http.MethodPut, members+"/{user}", tag, "Put a user into a group", 204), s.addMember)
	huma.Register(api, op("remove-member", http.MethodDelete, members+"/{user}", tag, "Take a user out of a group", 204), s.removeMember)
}

type listIdentitiesRequest struct {
	OfAccount
	PathPrefix string `query:"path_prefix" maxLength:"512"`
	Limit      int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"Most to list"`
	Cursor     string `query:"cursor" maxLength:"1024" doc:"The next_cursor of the page before"`
}

type listIdentitiesResponse struct {
	Body struct {
		Identities []identityBody `json:"identities" nullable:"false"`
		NextCursor string         `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last one"`
	}
}

func (s *Server) listIdentities(kind core.IdentityKind) func(context.Context, *listIdentitiesRequest) (*listIdentitiesResponse, error) {
	return func(ctx context.Context, req *listIdentitiesRequest) (*listIdentitiesResponse, error) {
		return s.identities(ctx, req, core.ListIdentitiesInput{Kind: kind})
	}
}

func (s *Server) identities(ctx context.Context, req *listIdentitiesRequest, in core.ListIdentitiesInput) (*listIdentitiesResponse, error) {
	owner, err := account(ctx, req.Account)
	if err != nil {
		return nil, err
	}
	in.Account, in.PathPrefix, in.Limit, in.After = owner, req.PathPrefix, req.Limit, req.Cursor
	page, err := s.broker.ListIdentities(ctx, in)
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp listIdentitiesResponse
	resp.Body.Identities = make([]identityBody, len(page.Identities))
	for i := range page.Identities {
		resp.Body.Identities[i] = encodeIdentity(&page.Identities[i])
	}
	resp.Body.NextCursor = page.Next
	return &resp, nil
}

type createIdentityRequest struct {
	OfAccount
	Body struct {
		Name              string            `json:"name" minLength:"1" maxLength:"128"`
		Path              string            `json:"path,omitempty" maxLength:"512" doc:"/ if absent"`
		Cloud             string            `json:"cloud,omitempty" enum:"aws,ram" doc:"Of a role; aws if absent"`
		Description       string            `json:"description,omitempty" maxLength:"1000"`
		Tags              map[string]string `json:"tags,omitempty"`
		Trust             string            `json:"trust,omitempty" doc:"Of a role: the policy that says who may assume it, in its cloud's language"`
		MaxSessionSeconds int               `json:"max_session_seconds,omitempty" minimum:"3600" maximum:"43200" doc:"Of a role; 3600 if absent"`
		Access            string            `json:"access,omitempty" enum:"viewer,operator,admin" doc:"What a user may do by this API and the console; nothing if absent"`
		Bodies            bool              `json:"bodies,omitempty" doc:"A viewer sees bodies of messages too"`
	}
}

func (s *Server) createIdentity(kind core.IdentityKind) func(context.Context, *createIdentityRequest) (*ofOneIdentity, error) {
	return func(ctx context.Context, req *createIdentityRequest) (*ofOneIdentity, error) {
		in := req.Body
		name, err := OfIdentity{req.OfAccount, in.Name, in.Cloud}.name(ctx, kind)
		if err != nil {
			return nil, err
		}
		identity, err := s.broker.CreateIdentity(ctx, core.Identity{
			IdentityName: name, Path: in.Path, Description: in.Description, Tags: in.Tags, Trust: in.Trust,
			MaxSession: time.Duration(in.MaxSessionSeconds) * time.Second, Access: core.Access(in.Access), Bodies: in.Bodies,
		})
		if err != nil {
			return nil, failed(ctx, err)
		}
		return s.showIdentity(ctx, identity)
	}
}

func (s *Server) getIdentity(kind core.IdentityKind) func(context.Context, *OfIdentity) (*ofOneIdentity, error) {
	return func(ctx context.Context, req *OfIdentity) (*ofOneIdentity, error) {
		name, err := req.name(ctx, kind)
		if err != nil {
			return nil, err
		}
		identity, err := s.broker.Identity(ctx, name)
		if err != nil {
			return nil, failed(ctx, err)
		}
		return s.showIdentity(ctx, identity)
	}
}

type alterIdentityRequest struct {
	OfIdentity
	Body struct {
		Name              *string     `json:"name,omitempty" minLength:"1" maxLength:"128"`
		Path              *string     `json:"path,omitempty" maxLength:"512"`
		Description       *string     `json:"description,omitempty" maxLength:"1000"`
		Tags              changedTags `json:"tags,omitempty" doc:"null removes a tag; tags that are not named stay"`
		Trust             *string     `json:"trust,omitempty"`
		MaxSessionSeconds *int        `json:"max_session_seconds,omitempty" minimum:"3600" maximum:"43200"`
		Access            *string     `json:"access,omitempty" enum:"viewer,operator,admin," doc:"An empty text takes it away"`
		Bodies            *bool       `json:"bodies,omitempty"`
		Boundary          *string     `json:"boundary,omitempty" maxLength:"2048" doc:"ARN or name of a policy; an empty text removes it"`
	}
}

func (s *Server) alterIdentity(kind core.IdentityKind) func(context.Context, *alterIdentityRequest) (*ofOneIdentity, error) {
	return func(ctx context.Context, req *alterIdentityRequest) (*ofOneIdentity, error) {
		in := req.Body
		name, err := req.name(ctx, kind)
		if err != nil {
			return nil, err
		}
		change := core.IdentityChange{Name: in.Name, Path: in.Path, Description: in.Description, Tags: in.Tags, Trust: in.Trust, Bodies: in.Bodies}
		change.Access, change.MaxSession = (*core.Access)(in.Access), seconds(in.MaxSessionSeconds)
		if in.Boundary != nil {
			change.Boundary = new(core.PolicyName)
			if *in.Boundary != "" {
				*change.Boundary, err = s.broker.PolicyCalled(ctx, name.Account, orAWS(req.Cloud), *in.Boundary)
			}
		}
		if err != nil {
			return nil, failed(ctx, err)
		}
		identity, err := s.broker.AlterIdentity(ctx, name, change)
		if err != nil {
			return nil, failed(ctx, err)
		}
		return s.showIdentity(ctx, identity)
	}
}

type deleteIdentityRequest struct {
	OfIdentity
	All bool `query:"all" doc:"With what depends on it: a user's access keys, a group's members, policies"`
}

func (s *Server) deleteIdentity(kind core.IdentityKind) func(context.Context, *deleteIdentityRequest) (*struct{}, error) {
	return func(ctx context.Context, req *deleteIdentityRequest) (*struct{}, error) {
		name, err := req.name(ctx, kind)
		if err != nil {
			return nil, err
		}
		if err := s.broker.DeleteIdentity(ctx, name, req.All); err != nil {
			return nil, failed(ctx, err)
		}
		return nil, nil
	}
}

type attachPolicyRequest struct {
	OfIdentity
	Body struct {
		Policy string `json:"policy" minLength:"1" maxLength:"2048" doc:"ARN or name of the policy" example:"AmazonSQSFullAccess"`
		Cloud  string `json:"cloud,omitempty" enum:"aws,ram" doc:"Of a policy that is named without its ARN; aws if absent"`
	}
}

func (s *Server) attachPolicy(kind core.IdentityKind) func(context.Context, *attachPolicyRequest) (*struct{}, error) {
	return s.withPolicy(kind, s.broker.AttachPolicy)
}

func (s *Server) detachPolicy(kind core.IdentityKind) func(context.Context, *attachPolicyRequest) (*struct{}, error) {
	return s.withPolicy(kind, s.broker.DetachPolicy)
}

// withPolicy makes an operation of what is done to an identity and a policy.
func (s *Server) withPolicy(kind core.IdentityKind, do func(context.Context, core.IdentityName, core.PolicyName) error) func(context.Context, *attachPolicyRequest) (*struct{}, error) {
	return func(ctx context.Context, req *attachPolicyRequest) (*struct{}, error) {
		name, err := req.name(ctx, kind)
		if err != nil {
			return nil, err
		}
		policy, err := s.broker.PolicyCalled(ctx, name.Account, orAWS(req.Body.Cloud), req.Body.Policy)
		if err == nil {
			err = do(ctx, name, policy)
		}
		if err != nil {
			return nil, failed(ctx, err)
		}
		return nil, nil
	}
}

// OfInlinePolicy is the request of the operations on a policy of an identity's own.
type OfInlinePolicy struct {
	OfIdentity
	Policy string `path:"policy" maxLength:"128" doc:"Name of the policy"`
}

type putInlinePolicyRequest struct {
	OfInlinePolicy
	Body struct {
		Cloud string `json:"cloud,omitempty" enum:"aws,ram" doc:"Whose language the text is of; aws if absent"`
		Text  string `json:"text" minLength:"1"`
	}
}

func (s *Server) putInlinePolicy(kind core.IdentityKind) func(context.Context, *putInlinePolicyRequest) (*struct{}, error) {
	return func(ctx context.Context, req *putInlinePolicyRequest) (*struct{}, error) {
		name, err := req.name(ctx, kind)
		if err != nil {
			return nil, err
		}
		if err := s.broker.PutInlinePolicy(ctx, name, req.Policy, core.Inline{Cloud: orAWS(req.Body.Cloud), Text: req.Body.Text}); err != nil {
			return nil, failed(ctx, err)
		}
		return nil, nil
	}
}

func (s *Server) deleteInlinePolicy(kind core.IdentityKind) func(context.Context, *OfInlinePolicy) (*struct{}, error) {
	return func(ctx context.Context, req *OfInlinePolicy) (*struct{}, error) {
		name, err := req.name(ctx, kind)
		if err != nil {
			return nil, err
		}
		if err := s.broker.DeleteInlinePolicy(ctx, name, req.Policy); err != nil {
			return nil, failed(ctx, err)
		}
		return nil, nil
	}
}

func orAWS(cloud string) string {
	if cloud == "" {
		return core.AWS
	}
	return cloud
}

type listMembersRequest struct {
	OfAccount
	Name   string `path:"identity" maxLength:"128" doc:"Name of the group"`
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"Most to list"`
	Cursor string `query:"cursor" maxLength:"1024" doc:"The next_cursor of the page before"`
}

func (s *Server) listMembers(ctx context.Context, req *listMembersRequest) (*listIdentitiesResponse, error) {
	name, err := OfIdentity{OfAccount: req.OfAccount, Name: req.Name}.name(ctx, core.Group)
	if err != nil {
		return nil, err
	}
	group, err := s.broker.Identity(ctx, name)
	if err != nil {
		return nil, failed(ctx, err)
	}
	return s.identities(ctx, &listIdentitiesRequest{OfAccount: req.OfAccount, Limit: req.Limit, Cursor: req.Cursor}, core.ListIdentitiesInput{Kind: core.User, Group: group.ID})
}

// OfMember is the request of the operations on one user of a group.
type OfMember struct {
	OfAccount
	Name string `path:"identity" maxLength:"128" doc:"Name of the group"`
	User string `path:"user" maxLength:"64"`
}

func (s *Server) addMember(ctx context.Context, req *OfMember) (*struct{}, error) {
	return s.member(ctx, req, s.broker.JoinGroup)
}

func (s *Server) removeMember(ctx context.Context, req *OfMember) (*struct{}, error) {
	return s.member(ctx, req, s.broker.LeaveGroup)
}

func (s *Server) member(ctx context.Context, req *OfMember, do func(ctx context.Context, account, user, group string) error) (*struct{}, error) {
	owner, err := account(ctx, req.Account)
	if err != nil {
		return nil, err
	}
	if err := do(ctx, owner, req.User, req.Name); err != nil {
		return nil, failed(ctx, err)
	}
	return nil, nil
}

package api

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/polymq/polymq/core"
)

// OfAccount says whose users, roles and policies are meant.
type OfAccount struct {
	Account string `query:"account" pattern:"^[0-9]{12}$" doc:"Else that of the credentials, else 000000000000"`
}

// OfIdentity is the request of every operation on one user, group or role.
type OfIdentity struct {
	OfAccount
	Name  string `path:"identity" maxLength:"128" doc:"Name of the user, group or role"`
	Cloud string `query:"cloud" enum:"aws,ram" default:"aws" doc:"Of a role: whose language its trust policy is of"`
}

// name names the identity.
func (o OfIdentity) name(ctx context.Context, kind core.IdentityKind) (core.IdentityName, error) {
	owner, err := account(ctx, o.Account)
	name := core.IdentityName{Account: owner, Kind: kind, Name: o.Name}
	if kind == core.Role {
		name.Cloud = cmp.Or(o.Cloud, core.AWS)
	}
	return name, err
}

// identityBody is a user, a group or a role on the wire.
type identityBody struct {
	Name              string            `json:"name" example:"ann"`
	ID                string            `json:"id" doc:"Unique for ever" example:"AIDAQ3EGVXGZGQXR3XKLM"`
	Account           string            `json:"account" example:"000000000000"`
	ARN               string            `json:"arn" doc:"As its cloud writes it; of users and groups as AWS does"`
	Cloud             string            `json:"cloud,omitempty" doc:"Of a role"`
	Path              string            `json:"path" example:"/"`
	Description       string            `json:"description,omitempty"`
	CreatedAt         time.Time         `json:"created_at"`
	Tags              map[string]string `json:"tags,omitempty"`
	Trust             string            `json:"trust,omitempty" doc:"Of a role: the policy that says who may assume it"`
	MaxSessionSeconds int               `json:"max_session_seconds,omitempty" doc:"Of a role"`
	Access            string            `json:"access,omitempty" enum:"viewer,operator,admin" doc:"What a user may do by this API and the console"`
	Bodies            bool              `json:"bodies,omitempty" doc:"A viewer sees bodies of messages too"`
	Groups            []string          `json:"groups,omitempty" doc:"That a user is in; where one user is shown"`
	Policies          []string          `json:"policies,omitempty" doc:"ARNs of the policies that are attached; where one is shown"`
	Inline            []inlineBody      `json:"inline,omitempty" doc:"Policies of its own"`
	Boundary          string            `json:"boundary,omitempty" doc:"ARN of the policy that bounds what others can allow; where one is shown"`
}

// inlineBody is a policy that is kept with its identity.
type inlineBody struct {
	Name  string `json:"name"`
	Cloud string `json:"cloud" enum:"aws,ram"`
	Text  string `json:"text"`
}

// ofOneIdentity is the response that shows a user, a group or a role.
type ofOneIdentity struct{ Body identityBody }

func encodeIdentity(i *core.Identity) identityBody {
	body := identityBody{
		Name: i.Name, ID: i.ID, Account: i.Account, ARN: i.ARN(core.AWS), Cloud: i.Cloud, Path: i.Path, Description: i.Description, CreatedAt: i.CreatedAt.UTC(),
		Tags: i.Tags, Trust: i.Trust, MaxSessionSeconds: int(i.MaxSession / time.Second), Access: string(i.Access), Bodies: i.Bodies,
	}
	for _, name := range slices.Sorted(maps.Keys(i.Inline)) {
		body.Inline = append(body.Inline, inlineBody{name, i.Inline[name].Cloud, i.Inline[name].Text})
	}
	return body
}

// showIdentity gives an identity with the names of what it refers to.
func (s *Server) showIdentity(ctx context.Context, i core.Identity) (*ofOneIdentity, error) {
	body := encodeIdentity(&i)
	ids := slices.Collect(maps.Keys(i.Attached))
	if i.Boundary != "" {
		ids = append(ids, i.Boundary)
	}
	policies, err := s.broker.PoliciesOfIDs(ctx, i.Account, ids)
	if err != nil {
		return nil, failed(ctx, err)
	}
	for _, p := range policies {
		if _, attached := i.Attached[p.ID]; attached {
			body.Policies = append(body.Policies, p.ARN())
		}
		if p.ID == i.Boundary {
			body.Boundary = p.ARN()
		}
	}
	if len(i.Groups) > 0 {
		page, err := s.broker.ListIdentities(ctx, core.ListIdentitiesInput{Account: i.Account, Kind: core.Group, Limit: core.MaxListed})
		if err != nil {
			return nil, failed(ctx, err)
		}
		for _, group := range page.Identities {
			if _, in := i.Groups[group.ID]; in {
				body.Groups = append(body.Groups, group.Name)
			}
		}
	}
	return &ofOneIdentity{body}, nil
}

// changedTags gives tags as a change: null removes one.
type changedTags map[string]*string

func plural(kind core.IdentityKind) string { return string(kind) + "s" }

package iam

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/polymq/polymq/core"
)

// inlinePolicy is a policy of an identity's own, with its text.
type inlinePolicy struct{ PolicyName, PolicyDocument string }

// details are what users, groups and roles have in common in the account's details.
type details struct {
	Path                    string
	Arn                     string
	CreateDate              string
	AttachedManagedPolicies []attachedPolicy `query:"AttachedManagedPolicies.member"`
	PermissionsBoundary     []boundary
	Tags                    []tag `query:"Tags.member"`
}

type userDetail struct {
	UserName       string
	UserId         string
	GroupList      []string       `query:"GroupList.member"`
	UserPolicyList []inlinePolicy `query:"UserPolicyList.member"`
	details
}

type groupDetail struct {
	GroupName       string
	GroupId         string
	GroupPolicyList []inlinePolicy `query:"GroupPolicyList.member"`
	details
}

type roleDetail struct {
	RoleName                 string
	RoleId                   string
	AssumeRolePolicyDocument string
	RolePolicyList           []inlinePolicy `query:"RolePolicyList.member"`
	details
}

type policyDetail struct {
	policy
	PolicyVersionList []policyVersion `query:"PolicyVersionList.member"`
}

type accountDetailsRequest struct {
	Filter []string `query:"Filter.member"`
	page
}

type accountDetailsResult struct {
	UserDetailList  []userDetail   `query:"UserDetailList.member"`
	GroupDetailList []groupDetail  `query:"GroupDetailList.member"`
	RoleDetailList  []roleDetail   `query:"RoleDetailList.member"`
	Policies        []policyDetail `query:"Policies.member"`
	paged
}

// policiesMarker stands before the markers of pages that list policies, behind the users, groups and roles.
const policiesMarker = "policy:"

// accountKinds are the values of a filter.
var accountKinds = []string{"User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy"}

// getAccountAuthorizationDetails gives all of the account's users, groups, roles and policies with what they allow.
func (s *Server) getAccountAuthorizationDetails(ctx context.Context, c *call, in *accountDetailsRequest) (*accountDetailsResult, error) {
	limit, err := in.limit()
	if err != nil {
		return nil, err
	}
	for _, kind := range in.Filter {
		if !slices.Contains(accountKinds, kind) {
			return nil, invalid("1 validation error detected: Value '%.64s' at 'filter' failed to satisfy constraint: Member must satisfy enum value set: [%s]", kind, strings.Join(accountKinds, ", "))
		}
	}
	out := &accountDetailsResult{}
	marker, inPolicies := strings.CutPrefix(in.Marker, policiesMarker)
	if !inPolicies {
		found, err := s.broker.ListIdentities(ctx, core.ListIdentitiesInput{Account: c.Account, After: in.Marker, Limit: limit})
		if err != nil {
			return nil, err
		}
		for i := range found.Identities {
			if err := s.detail(ctx, c, in, &found.Identities[i], out); err != nil {
				return nil, err
			}
		}
		limit -= len(found.Identities)
		if out.paged = pagedTo(found.Next); found.Next != "" {
			return out, nil
		} else if limit == 0 {
			out.paged = pagedTo(policiesMarker)
			return out, nil
		}
		marker = ""
	}
	return out, s.policyDetails(ctx, c, in, page{Marker: marker, MaxItems: &limit}, out)
}

func (in *accountDetailsRequest) wants(kind string) bool {
	return len(in.Filter) == 0 || slices.Contains(in.Filter, kind)
}

// detail adds a user, a group or a role.
func (s *Server) detail(ctx context.Context, c *call, in *accountDetailsRequest, i *core.Identity, out *accountDetailsResult) error {
	kind := map[core.IdentityKind]string{core.User: "User", core.Group: "Group", core.Role: "Role"}[i.Kind]
	if !in.wants(kind) || i.Kind == core.Role && i.Cloud != core.AWS {
		return nil
	}
	d := details{Path: i.Path, Arn: c.arn(i.ARN(core.AWS)), CreateDate: stamp(i.CreatedAt), Tags: encodeTags(i.Tags)}
	var err error
	if d.PermissionsBoundary, err = s.boundaryOf(ctx, c, i); err != nil {
		return err
	}
	attached, err := s.broker.PoliciesOfIDs(ctx, c.Account, slices.Collect(maps.Keys(i.Attached)))
	if err != nil {
		return err
	}
	for k := range attached {
		if p := &attached[k]; p.Cloud == core.AWS {
			d.AttachedManagedPolicies = append(d.AttachedManagedPolicies, attachedPolicy{p.Name, c.arn(p.ARN())})
		}
	}
	var inline []inlinePolicy
	for _, name := range slices.Sorted(maps.Keys(i.Inline)) {
		if i.Inline[name].Cloud == core.AWS {
			inline = append(inline, inlinePolicy{name, escaped(i.Inline[name].Text)})
		}
	}
	switch i.Kind {
	case core.Group:
		out.GroupDetailList = append(out.GroupDetailList, groupDetail{i.Name, i.ID, inline, d})
	case core.Role:
		out.RoleDetailList = append(out.RoleDetailList, roleDetail{i.Name, i.ID, escaped(i.Trust), inline, d})
	default:
		groups, err := s.groupsOf(ctx, c, i)
		if err != nil {
			return err
		}
		names := make([]string, len(groups))
		for k := range groups {
			names[k] = groups[k].GroupName
		}
		out.UserDetailList = append(out.UserDetailList, userDetail{i.Name, i.ID, names, inline, d})
	}
	return nil
}

// policyDetails adds a page of policies with their versions.
func (s *Server) policyDetails(ctx context.Context, c *call, in *accountDetailsRequest, of page, out *accountDetailsResult) error {
	list := &listPoliciesRequest{page: of}
	switch local, builtIn := in.wants("LocalManagedPolicy"), in.wants("AWSManagedPolicy"); {
	case !local && !builtIn:
		return nil
	case !builtIn:
		list.Scope = "Local"
	case !local:
		list.Scope = "AWS"
	}
	found, err := s.listPolicies(ctx, c, list)
	if err != nil {
		return err
	}
	for _, listed := range found.Policies {
		p, err := s.policyOf(ctx, c.Account, listed.Arn)
		if core.CodeOf(err) == core.EntityNotFound { // deleted meanwhile
			continue
		} else if err != nil {
			return err
		}
		detail := policyDetail{policy: listed}
		detail.Description = p.Description
		for _, v := range slices.Backward(p.Versions) {
			detail.PolicyVersionList = append(detail.PolicyVersionList, policyVersion{escaped(v.Text), version(v.Number), v.Number == p.Default, stamp(v.CreatedAt)})
		}
		out.Policies = append(out.Policies, detail)
	}
	if found.IsTruncated {
		out.paged = pagedTo(policiesMarker + found.Marker)
	}
	return nil
}

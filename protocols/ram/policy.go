package ram

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/openapi"
)

// policy is a policy on the wire.
type policy struct {
	PolicyName      string
	PolicyType      string
	Description     string
	DefaultVersion  string
	AttachmentCount *int   `json:",omitempty"`
	CreateDate      string `json:",omitempty"`
	UpdateDate      string `json:",omitempty"`
	AttachDate      string `json:",omitempty"`
}

// policyVersion is a version of a policy on the wire.
type policyVersion struct {
	VersionId        string
	IsDefaultVersion bool
	PolicyDocument   string `json:",omitempty"`
	CreateDate       string
}

type policies struct{ Policy []policy }

// The types of policies.
const (
	custom = "Custom"
	system = "System" // RAM's own
)

func encodePolicy(p *core.Policy) policy {
	kind := custom
	if p.BuiltIn() {
		kind = system
	}
	return policy{
		PolicyName: p.Name, PolicyType: kind, Description: p.Description, DefaultVersion: version(p.Default), AttachmentCount: &p.Attached,
		CreateDate: stamp(p.CreatedAt), UpdateDate: stamp(p.UpdatedAt),
	}
}

func encodeVersion(p *core.Policy, v *core.PolicyVersion) policyVersion {
	return policyVersion{version(v.Number), v.Number == p.Default, v.Text, stamp(v.CreatedAt)}
}

func version(number int) string { return "v" + strconv.Itoa(number) }

// versionNumber reads v1.
func versionNumber(id string) (int, error) {
	number, err := strconv.Atoi(strings.TrimPrefix(id, "v"))
	if err != nil || number < 1 || version(number) != id {
		return 0, wrong("VersionId", ".Format", `The format of the parameter - "VersionId" is incorrect.`)
	}
	return number, nil
}

// policyName names a policy of the account's own, or with System one of RAM's.
func policyName(c *openapi.Call, kind, name string) (core.PolicyName, error) {
	switch kind {
	case custom, "":
		return core.PolicyName{Account: c.Account, Cloud: core.RAM, Name: name}, nil
	case system:
		return core.PolicyName{Cloud: core.RAM, Name: name}, nil
	}
	return core.PolicyName{}, wrong("PolicyType", "", `The parameter - "PolicyType" is incorrect.`)
}

type createPolicyRequest struct {
	PolicyName     string `required:"true"`
	PolicyDocument string `required:"true"`
	Description    string
}

type ofPolicy struct {
	RequestId            string
	Policy               policy
	DefaultPolicyVersion *policyVersion `json:",omitempty"`
}

func (s *Server) createPolicy(ctx context.Context, c *openapi.Call, in *createPolicyRequest) (*ofPolicy, error) {
	err := cmp.Or(
		checkName("PolicyName", in.PolicyName, maxPolicyName, policyForm),
		checkLength("PolicyDocument", in.PolicyDocument, maxDocument),
		checkLength("Description", in.Description, maxDescription),
	)
	if err != nil {
		return nil, err
	}
	name := core.PolicyName{Account: c.Account, Cloud: core.RAM, Name: in.PolicyName}
	made, err := s.broker.CreatePolicy(ctx, core.Policy{PolicyName: name, Description: in.Description}, in.PolicyDocument)
	return &ofPolicy{RequestId: c.ID(), Policy: encodePolicy(&made)}, of("Policy", err)
}

type policyRequest struct {
	PolicyName string `required:"true"`
	PolicyType string
}

// policy gives the policy that a request names.
func (s *Server) policy(ctx context.Context, c *openapi.Call, in *policyRequest) (core.Policy, error) {
	name, err := policyName(c, in.PolicyType, in.PolicyName)
	if err != nil {
		return core.Policy{}, err
	}
	found, err := s.broker.Policy(ctx, name)
	return found, of("Policy", err)
}

func (s *Server) getPolicy(ctx context.Context, c *openapi.Call, in *policyRequest) (*ofPolicy, error) {
	found, err := s.policy(ctx, c, in)
	if err != nil {
		return nil, err
	}
	shown := encodeVersion(&found, found.Version(found.Default))
	return &ofPolicy{c.ID(), encodePolicy(&found), &shown}, nil
}

type deletePolicyRequest struct {
	PolicyName        string `required:"true"`
	CascadingDelete   *bool
	CascadingDeletion *bool // older name
}

func (s *Server) deletePolicy(ctx context.Context, c *openapi.Call, in *deletePolicyRequest) (*plain, error) {
	found, err := s.policy(ctx, c, &policyRequest{PolicyName: in.PolicyName})
	if err != nil {
		return nil, err
	}
	all := in.CascadingDelete != nil && *in.CascadingDelete || in.CascadingDeletion != nil && *in.CascadingDeletion
	err = s.broker.DeletePolicy(ctx, found.PolicyName, all)
	what := "Policy"
	switch {
	case core.CodeOf(err) != core.EntityInUse:
	case len(found.Versions) > 1 && !all:
		what = "Policy.Version"
	default:
		page, err := s.broker.ListIdentities(ctx, core.ListIdentitiesInput{Account: c.Account, Policy: found.ID, Limit: 1})
		if err == nil && len(page.Identities) > 0 {
			what = "Policy." + nounOf[page.Identities[0].Kind]
		}
	}
	return &plain{c.ID()}, of(what, err)
}

type listPoliciesRequest struct {
	PolicyType string
	Marker     string
	MaxItems   *int
}

type listPoliciesAnswer struct {
	RequestId   string
	IsTruncated bool
	Marker      string `json:",omitempty"`
	Policies    policies
}

// listPolicies gives RAM's own first, all in one page, and then the account's.
func (s *Server) listPolicies(ctx context.Context, c *openapi.Call, in *listPoliciesRequest) (*listPoliciesAnswer, error) {
	limit, err := (&listRequest{MaxItems: in.MaxItems}).limit()
	if err != nil {
		return nil, err
	}
	if _, err := policyName(c, in.PolicyType, ""); err != nil {
		return nil, err
	}
	answer := &listPoliciesAnswer{RequestId: c.ID(), Policies: policies{[]policy{}}}
	add := func(account string, limit int) error {
		page, err := s.broker.ListPolicies(ctx, core.ListPoliciesInput{Account: account, Cloud: core.RAM, After: in.Marker, Limit: limit})
		for i := range page.Policies {
			answer.Policies.Policy = append(answer.Policies.Policy, encodePolicy(&page.Policies[i]))
		}
		answer.IsTruncated, answer.Marker = page.Next != "", page.Next
		return err
	}
	if in.PolicyType != custom && in.Marker == "" {
		err = add("", core.MaxListed)
	}
	if in.PolicyType != system && err == nil {
		err = add(c.Account, limit)
	}
	return answer, err
}

type createPolicyVersionRequest struct {
	PolicyName     string `required:"true"`
	PolicyDocument string `required:"true"`
	SetAsDefault   *bool
	RotateStrategy string
}

type ofPolicyVersion struct {
	RequestId     string
	PolicyVersion policyVersion
}

func (s *Server) createPolicyVersion(ctx context.Context, c *openapi.Call, in *createPolicyVersionRequest) (*ofPolicyVersion, error) {
	if err := checkLength("PolicyDocument", in.PolicyDocument, maxDocument); err != nil {
		return nil, err
	}
	name := core.PolicyName{Account: c.Account, Cloud: core.RAM, Name: in.PolicyName}
	rotate := in.RotateStrategy == "DeleteOldestNonDefaultVersionWhenLimitExceeded"
	changed, made, err := s.broker.CreatePolicyVersion(ctx, name, in.PolicyDocument, in.SetAsDefault != nil && *in.SetAsDefault, rotate)
	what := "Policy"
	if core.CodeOf(err) == core.EntityLimit {
		what = "Policy.Version"
	}
	return &ofPolicyVersion{c.ID(), encodeVersion(&changed, &made)}, of(what, err)
}

type policyVersionRequest struct {
	PolicyName string `required:"true"`
	PolicyType string
	VersionId  string `required:"true"`
}

func (s *Server) getPolicyVersion(ctx context.Context, c *openapi.Call, in *policyVersionRequest) (*ofPolicyVersion, error) {
	number, err := versionNumber(in.VersionId)
	if err != nil {
		return nil, err
	}
	found, err := s.policy(ctx, c, &policyRequest{in.PolicyName, in.PolicyType})
	if err != nil {
		return nil, err
	}
	v := found.Version(number)
	if v == nil {
		return nil, of("Policy.Version", core.Errorf(core.EntityNotFound, "The policy version does not exist: %s.", in.VersionId))
	}
	return &ofPolicyVersion{c.ID(), encodeVersion(&found, v)}, nil
}

type listPolicyVersionsAnswer struct {
	RequestId      string
	PolicyVersions struct{ PolicyVersion []policyVersion }
}

func (s *Server) listPolicyVersions(ctx context.Context, c *openapi.Call, in *policyRequest) (*listPolicyVersionsAnswer, error) {
	found, err := s.policy(ctx, c, in)
	if err != nil {
		return nil, err
	}
	answer := &listPolicyVersionsAnswer{RequestId: c.ID()}
	for i := range found.Versions {
		answer.PolicyVersions.PolicyVersion = append(answer.PolicyVersions.PolicyVersion, encodeVersion(&found, &found.Versions[i]))
	}
	return answer, nil
}

func (s *Server) deletePolicyVersion(ctx context.Context, c *openapi.Call, in *policyVersionRequest) (*plain, error) {
	return s.onVersion(ctx, c, in, s.broker.DeletePolicyVersion)
}

func (s *Server) setDefaultPolicyVersion(ctx context.Context, c *openapi.Call, in *policyVersionRequest) (*plain, error) {
	return s.onVersion(ctx, c, in, func(ctx context.Context, name core.PolicyName, number int) error {
		_, err := s.broker.SetDefaultPolicyVersion(ctx, name, number)
		return err
	})
}

func (s *Server) onVersion(ctx context.Context, c *openapi.Call, in *policyVersionRequest, do func(context.Context, core.PolicyName, int) error) (*plain, error) {
	number, err := versionNumber(in.VersionId)
	if err != nil {
		return nil, err
	}
	found, err := s.policy(ctx, c, &policyRequest{in.PolicyName, in.PolicyType})
	if err != nil {
		return nil, err
	}
	err = do(ctx, found.PolicyName, number)
	what := "Policy.Version"
	if core.CodeOf(err) == core.EntityInUse {
		what = "Policy.Version.Default"
	}
	return &plain{c.ID()}, of(what, err)
}

type attachRequest struct {
	PolicyName string `required:"true"`
	PolicyType string `required:"true"`
	UserName   string
	GroupName  string
	RoleName   string
}

// entity gives the name of the user, group or role of a request.
func entity(c *openapi.Call, kind core.IdentityKind, user, group, role string) (core.IdentityName, error) {
	name := map[core.IdentityKind]core.IdentityName{core.User: userName(c, user), core.Group: groupName(c, group), core.Role: roleName(c, role)}[kind]
	if name.Name == "" {
		return name, openapi.Missing(nounOf[kind] + "Name")
	}
	return name, nil
}

// attach makes an action of what is done to a policy and a user, a group or a role.
func (s *Server) attach(kind core.IdentityKind, do func(context.Context, *core.Identity, *core.Policy) error) func(context.Context, *openapi.Call, *attachRequest) (*plain, error) {
	return func(ctx context.Context, c *openapi.Call, in *attachRequest) (*plain, error) {
		name, err := entity(c, kind, in.UserName, in.GroupName, in.RoleName)
		if err != nil {
			return nil, err
		}
		to, err := s.broker.Identity(ctx, name)
		if err != nil {
			return nil, ofKind(kind, err)
		}
		found, err := s.policy(ctx, c, &policyRequest{in.PolicyName, in.PolicyType})
		if err != nil {
			return nil, err
		}
		return &plain{c.ID()}, of(nounOf[kind]+".Policy", do(ctx, &to, &found))
	}
}

func (s *Server) attachPolicy(ctx context.Context, to *core.Identity, p *core.Policy) error {
	if _, already := to.Attached[p.ID]; already {
		return core.Errorf(core.EntityExists, "The policy is attached already.")
	}
	return s.broker.AttachPolicy(ctx, to.IdentityName, p.PolicyName)
}

func (s *Server) detachPolicy(ctx context.Context, from *core.Identity, p *core.Policy) error {
	return s.broker.DetachPolicy(ctx, from.IdentityName, p.PolicyName)
}

type policiesForRequest struct{ UserName, GroupName, RoleName string }

type policiesForAnswer struct {
	RequestId string
	Policies  policies
}

// listPoliciesFor makes the action that lists what is attached.
func (s *Server) listPoliciesFor(kind core.IdentityKind) func(context.Context, *openapi.Call, *policiesForRequest) (*policiesForAnswer, error) {
	return func(ctx context.Context, c *openapi.Call, in *policiesForRequest) (*policiesForAnswer, error) {
		name, err := entity(c, kind, in.UserName, in.GroupName, in.RoleName)
		if err != nil {
			return nil, err
		}
		found, err := s.broker.Identity(ctx, name)
		if err != nil {
			return nil, ofKind(kind, err)
		}
		attached, err := s.broker.PoliciesOfIDs(ctx, c.Account, slices.Collect(maps.Keys(found.Attached)))
		answer := &policiesForAnswer{c.ID(), policies{[]policy{}}}
		for i := range attached {
			if attached[i].Cloud != core.RAM {
				continue
			}
			shown := encodePolicy(&attached[i])
			shown.AttachDate = stamp(found.Attached[attached[i].ID])
			answer.Policies.Policy = append(answer.Policies.Policy, shown)
		}
		return answer, err
	}
}

type entitiesAnswer struct {
	RequestId string
	Users     users
	Groups    groups
	Roles     roles
}

func (s *Server) listEntitiesForPolicy(ctx context.Context, c *openapi.Call, in *policyRequest) (*entitiesAnswer, error) {
	found, err := s.policy(ctx, c, in)
	if err != nil {
		return nil, err
	}
	answer := &entitiesAnswer{c.ID(), users{[]user{}}, groups{[]group{}}, roles{[]role{}}}
	for list := (core.ListIdentitiesInput{Account: c.Account, Policy: found.ID, Limit: core.MaxListed}); ; {
		page, err := s.broker.ListIdentities(ctx, list)
		if err != nil {
			return nil, err
		}
		for i := range page.Identities {
			answer.add(&page.Identities[i], stamp(page.Identities[i].Attached[found.ID]))
		}
		if list.After = page.Next; page.Next == "" {
			return answer, nil
		}
	}
}

func (a *entitiesAnswer) add(i *core.Identity, since string) {
	switch i.Kind {
	case core.User:
		a.Users.User = append(a.Users.User, user{UserId: openapi.ID(i.ID), UserName: i.Name, AttachDate: since})
	case core.Group:
		a.Groups.Group = append(a.Groups.Group, group{GroupName: i.Name, Comments: i.Description, AttachDate: since})
	case core.Role:
		shown := encodeRole(i)
		shown.AttachDate = since
		a.Roles.Role = append(a.Roles.Role, shown)
	}
}

package iam

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/polymq/polymq/core"
)

// policy is a managed policy on the wire.
type policy struct {
	PolicyName                    string
	PolicyId                      string
	Arn                           string
	Path                          string
	DefaultVersionId              string
	AttachmentCount               int
	PermissionsBoundaryUsageCount int
	IsAttachable                  bool
	Description                   string
	CreateDate                    string
	UpdateDate                    string
	Tags                          []tag `query:"Tags.member"`
}

type ofPolicy struct{ Policy policy }

func (c *call) encodePolicy(p *core.Policy) policy {
	out := policy{
		PolicyName: p.Name, PolicyId: p.ID, Arn: c.arn(p.ARN()), Path: p.Path, DefaultVersionId: version(p.Default),
		AttachmentCount: p.Attached, PermissionsBoundaryUsageCount: p.Bounds, IsAttachable: true, CreateDate: stamp(p.CreatedAt), UpdateDate: stamp(p.UpdatedAt),
	}
	if p.BuiltIn() {
		out.PolicyId = "ANPA" + strings.ToUpper(p.Name) // as unique as the name; IAM's own are not published
	}
	return out
}

func version(number int) string { return "v" + strconv.Itoa(number) }

// versionNumber reads v1.
func versionNumber(id string) (int, error) {
	number, err := strconv.Atoi(strings.TrimPrefix(id, "v"))
	if err != nil || number < 1 || version(number) != id {
		return 0, invalid("1 validation error detected: Value '%.64s' at 'versionId' failed to satisfy constraint: Member must satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?", id)
	}
	return number, nil
}

// policyOf gives the policy that an ARN names: one of the account's, or one that AWS brings with it. Its path must
// be right, too, since permissions go by the whole ARN.
func (s *Server) policyOf(ctx context.Context, account, arn string) (core.Policy, error) {
	name, ok := core.PolicyNameOf(arn)
	switch {
	case arn == "":
		return core.Policy{}, required("policyArn")
	case !ok || name.Cloud != core.AWS:
		return core.Policy{}, faultf("InvalidInput", "ARN %.256s is not valid.", arn)
	case !name.BuiltIn() && name.Account != account:
		return core.Policy{}, notFound("Policy %s does not exist or is not attachable.", arn)
	}
	found, err := s.broker.Policy(ctx, name)
	if err == nil && found.ARN() != canonical(arn) {
		return core.Policy{}, notFound("Policy %s does not exist or is not attachable.", arn)
	}
	return found, err
}

// policyName gives the name of the policy that an ARN names.
func (s *Server) policyName(ctx context.Context, c *call, arn string) (core.PolicyName, error) {
	found, err := s.policyOf(ctx, c.Account, arn)
	return found.PolicyName, err
}

type createPolicyRequest struct {
	PolicyName     string
	Path           string
	PolicyDocument string
	Description    string
	Tags           []tag `query:"Tags.member"`
}

func (s *Server) createPolicy(ctx context.Context, c *call, in *createPolicyRequest) (*ofPolicy, error) {
	switch {
	case in.PolicyName == "":
		return nil, required("policyName")
	case in.PolicyDocument == "":
		return nil, required("policyDocument")
	}
	made, err := s.broker.CreatePolicy(ctx, core.Policy{
		PolicyName: core.PolicyName{Account: c.Account, Cloud: core.AWS, Name: in.PolicyName}, Path: in.Path, Description: in.Description, Tags: decodeTags(in.Tags),
	}, in.PolicyDocument)
	if err != nil {
		return nil, err
	}
	out := c.encodePolicy(&made)
	out.Tags = encodeTags(made.Tags)
	return &ofPolicy{out}, nil
}

type policyRequest struct{ PolicyArn string }

func (s *Server) getPolicy(ctx context.Context, c *call, in *policyRequest) (*ofPolicy, error) {
	found, err := s.policyOf(ctx, c.Account, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	out := c.encodePolicy(&found)
	out.Description, out.Tags = found.Description, encodeTags(found.Tags)
	return &ofPolicy{out}, nil
}

func (s *Server) deletePolicy(ctx context.Context, c *call, in *policyRequest) (*none, error) {
	name, err := s.policyName(ctx, c, in.PolicyArn)
	if err == nil {
		err = s.broker.DeletePolicy(ctx, name, false)
	}
	return &none{}, err
}

type listPoliciesRequest struct {
	Scope        string
	OnlyAttached bool
	PathPrefix   string
	page
}

type listPoliciesResult struct {
	Policies []policy `query:"Policies.member"`
	paged
}

// builtInMarker stands before the markers of pages that list what AWS brings with it, behind the account's own.
const builtInMarker = "aws:"

// listPolicies gives the account's own policies and then those that AWS brings with it.
func (s *Server) listPolicies(ctx context.Context, c *call, in *listPoliciesRequest) (*listPoliciesResult, error) {
	limit, err := in.limit()
	if err != nil {
		return nil, err
	}
	out := &listPoliciesResult{}
	after, inBuiltIns := strings.CutPrefix(in.Marker, builtInMarker)
	if in.Scope != "AWS" && !inBuiltIns {
		found, err := s.broker.ListPolicies(ctx, core.ListPoliciesInput{Account: c.Account, Cloud: core.AWS, PathPrefix: in.PathPrefix, After: in.Marker, Limit: limit})
		if err != nil {
			return nil, err
		}
		for i := range found.Policies {
			if !in.OnlyAttached || found.Policies[i].Attached > 0 {
				out.Policies = append(out.Policies, c.encodePolicy(&found.Policies[i]))
			}
		}
		if out.paged = pagedTo(found.Next); found.Next != "" {
			return out, nil
		}
		after = ""
	}
	if in.Scope == "Local" || in.OnlyAttached || in.PathPrefix != "" && in.PathPrefix != "/" {
		return out, nil
	}
	if len(out.Policies) == limit {
		out.paged = pagedTo(builtInMarker)
		return out, nil
	}
	builtIn, err := s.broker.ListPolicies(ctx, core.ListPoliciesInput{Cloud: core.AWS, Limit: core.MaxListed})
	if err != nil {
		return nil, err
	}
	rest := limit - len(out.Policies)
	part, next, err := cut(builtIn.Policies, &page{Marker: after, MaxItems: &rest}, func(p core.Policy) string { return p.Name })
	for i := range part {
		out.Policies = append(out.Policies, c.encodePolicy(&part[i]))
	}
	if next.IsTruncated {
		out.paged = pagedTo(builtInMarker + next.Marker)
	}
	return out, err
}

// policyVersion is a version of a policy on the wire.
type policyVersion struct {
	Document         string
	VersionId        string
	IsDefaultVersion bool
	CreateDate       string
}

type ofPolicyVersion struct{ PolicyVersion policyVersion }

type createPolicyVersionRequest struct {
	PolicyArn      string
	PolicyDocument string
	SetAsDefault   bool
}

func (s *Server) createPolicyVersion(ctx context.Context, c *call, in *createPolicyVersionRequest) (*ofPolicyVersion, error) {
	name, err := s.policyName(ctx, c, in.PolicyArn)
	switch {
	case err != nil:
		return nil, err
	case in.PolicyDocument == "":
		return nil, required("policyDocument")
	}
	_, made, err := s.broker.CreatePolicyVersion(ctx, name, in.PolicyDocument, in.SetAsDefault, false)
	return &ofPolicyVersion{policyVersion{VersionId: version(made.Number), IsDefaultVersion: in.SetAsDefault, CreateDate: stamp(made.CreatedAt)}}, err
}

type policyVersionRequest struct{ PolicyArn, VersionId string }

func (s *Server) getPolicyVersion(ctx context.Context, c *call, in *policyVersionRequest) (*ofPolicyVersion, error) {
	number, err := versionNumber(in.VersionId)
	if err != nil {
		return nil, err
	}
	found, err := s.policyOf(ctx, c.Account, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	v := found.Version(number)
	if v == nil {
		return nil, notFound("Policy %s version %s does not exist or is not attachable.", in.PolicyArn, in.VersionId)
	}
	return &ofPolicyVersion{policyVersion{escaped(v.Text), version(number), number == found.Default, stamp(v.CreatedAt)}}, nil
}

type listPolicyVersionsRequest struct {
	PolicyArn string
	page
}

type listPolicyVersionsResult struct {
	Versions []policyVersion `query:"Versions.member"`
	paged
}

// listPolicyVersions gives the newest first, as IAM does, all in one page: there are five at most.
func (s *Server) listPolicyVersions(ctx context.Context, c *call, in *listPolicyVersionsRequest) (*listPolicyVersionsResult, error) {
	found, err := s.policyOf(ctx, c.Account, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	out := &listPolicyVersionsResult{}
	for _, v := range slices.Backward(found.Versions) {
		out.Versions = append(out.Versions, policyVersion{VersionId: version(v.Number), IsDefaultVersion: v.Number == found.Default, CreateDate: stamp(v.CreatedAt)})
	}
	return out, nil
}

func (s *Server) deletePolicyVersion(ctx context.Context, c *call, in *policyVersionRequest) (*none, error) {
	number, err := versionNumber(in.VersionId)
	if err != nil {
		return nil, err
	}
	name, err := s.policyName(ctx, c, in.PolicyArn)
	if err == nil {
		err = s.broker.DeletePolicyVersion(ctx, name, number)
	}
	return &none{}, err
}

func (s *Server) setDefaultPolicyVersion(ctx context.Context, c *call, in *policyVersionRequest) (*none, error) {
	number, err := versionNumber(in.VersionId)
	if err != nil {
		return nil, err
	}
	name, err := s.policyName(ctx, c, in.PolicyArn)
	if err == nil {
		_, err = s.broker.SetDefaultPolicyVersion(ctx, name, number)
	}
	return &none{}, err
}

type listEntitiesForPolicyRequest struct {
	PolicyArn         string
	EntityFilter      string
	PathPrefix        string
	PolicyUsageFilter string
	page
}

type policyUser struct{ UserName, UserId string }

type policyGroup struct{ GroupName, GroupId string }

type policyRole struct{ RoleName, RoleId string }

type listEntitiesForPolicyResult struct {
	PolicyUsers  []policyUser  `query:"PolicyUsers.member"`
	PolicyGroups []policyGroup `query:"PolicyGroups.member"`
	PolicyRoles  []policyRole  `query:"PolicyRoles.member"`
	paged
}

func (s *Server) listEntitiesForPolicy(ctx context.Context, c *call, in *listEntitiesForPolicyRequest) (*listEntitiesForPolicyResult, error) {
	found, err := s.policyOf(ctx, c.Account, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	limit, err := in.limit()
	if err != nil {
		return nil, err
	}
	list := core.ListIdentitiesInput{Account: c.Account, PathPrefix: in.PathPrefix, Policy: found.ID, After: in.Marker, Limit: limit}
	if in.PolicyUsageFilter == "PermissionsBoundary" {
		list.Policy, list.Boundary = "", found.ID
	}
	if kind := core.IdentityKind(strings.ToLower(in.EntityFilter)); kind == core.User || kind == core.Group || kind == core.Role {
		list.Kind = kind
	}
	entities, err := s.broker.ListIdentities(ctx, list)
	if err != nil {
		return nil, err
	}
	out := &listEntitiesForPolicyResult{paged: pagedTo(entities.Next)}
	for _, e := range entities.Identities {
		switch e.Kind {
		case core.User:
			out.PolicyUsers = append(out.PolicyUsers, policyUser{e.Name, e.ID})
		case core.Group:
			out.PolicyGroups = append(out.PolicyGroups, policyGroup{e.Name, e.ID})
		case core.Role:
			out.PolicyRoles = append(out.PolicyRoles, policyRole{e.Name, e.ID})
		}
	}
	return out, nil
}

type tagPolicyRequest struct {
	PolicyArn string
	Tags      []tag `query:"Tags.member"`
}

func (s *Server) tagPolicy(ctx context.Context, c *call, in *tagPolicyRequest) (*none, error) {
	return s.changePolicyTags(ctx, c, in.PolicyArn, added(in.Tags))
}

type untagPolicyRequest struct {
	PolicyArn string
	TagKeys   []string `query:"TagKeys.member"`
}

func (s *Server) untagPolicy(ctx context.Context, c *call, in *untagPolicyRequest) (*none, error) {
	return s.changePolicyTags(ctx, c, in.PolicyArn, removed(in.TagKeys))
}

func (s *Server) changePolicyTags(ctx context.Context, c *call, arn string, change map[string]*string) (*none, error) {
	name, err := s.policyName(ctx, c, arn)
	if err == nil {
		_, err = s.broker.AlterPolicy(ctx, name, nil, change)
	}
	return &none{}, err
}

type listPolicyTagsRequest struct {
	PolicyArn string
	page
}

func (s *Server) listPolicyTags(ctx context.Context, c *call, in *listPolicyTagsRequest) (*listTagsResult, error) {
	found, err := s.policyOf(ctx, c.Account, in.PolicyArn)
	if err != nil {
		return nil, err
	}
	part, next, err := cut(encodeTags(found.Tags), &in.page, func(t tag) string { return t.Key })
	return &listTagsResult{part, next}, err
}

type attachPolicyRequest struct {
	ofEntity
	PolicyArn string
}

func (s *Server) attachPolicy(ctx context.Context, c *call, name core.IdentityName, in *attachPolicyRequest) (*none, error) {
	policy, err := s.policyName(ctx, c, in.PolicyArn)
	if err == nil {
		err = s.broker.AttachPolicy(ctx, name, policy)
	}
	return &none{}, err
}

func (s *Server) detachPolicy(ctx context.Context, c *call, name core.IdentityName, in *attachPolicyRequest) (*none, error) {
	policy, err := s.policyName(ctx, c, in.PolicyArn)
	if err == nil {
		err = s.broker.DetachPolicy(ctx, name, policy)
	}
	return &none{}, err
}

type listAttachedRequest struct {
	ofEntity
	PathPrefix string
	page
}

type attachedPolicy struct{ PolicyName, PolicyArn string }

type listAttachedResult struct {
	AttachedPolicies []attachedPolicy `query:"AttachedPolicies.member"`
	paged
}

func (s *Server) listAttachedPolicies(ctx context.Context, c *call, name core.IdentityName, in *listAttachedRequest) (*listAttachedResult, error) {
	found, err := s.broker.Identity(ctx, name)
	if err != nil {
		return nil, err
	}
	policies, err := s.broker.PoliciesOfIDs(ctx, c.Account, slices.Collect(maps.Keys(found.Attached)))
	if err != nil {
		return nil, err
	}
	var all []attachedPolicy
	for i := range policies {
		if p := &policies[i]; p.Cloud == core.AWS && strings.HasPrefix(p.Path, in.PathPrefix) {
			all = append(all, attachedPolicy{p.Name, c.arn(p.ARN())})
		}
	}
	part, next, err := cut(all, &in.page, func(p attachedPolicy) string { return p.PolicyName })
	return &listAttachedResult{part, next}, err
}

type putPolicyRequest struct {
	ofEntity
	PolicyName     string
	PolicyDocument string
}

func (s *Server) putPolicy(ctx context.Context, _ *call, name core.IdentityName, in *putPolicyRequest) (*none, error) {
	switch {
	case in.PolicyName == "":
		return nil, required("policyName")
	case in.PolicyDocument == "":
		return nil, required("policyDocument")
	}
	return &none{}, s.broker.PutInlinePolicy(ctx, name, in.PolicyName, core.Inline{Cloud: core.AWS, Text: in.PolicyDocument})
}

type inlinePolicyRequest struct {
	ofEntity
	PolicyName string
}

type inlinePolicyResult struct {
	UserName       string
	GroupName      string
	RoleName       string
	PolicyName     string
	PolicyDocument string
}

func (s *Server) getInlinePolicy(ctx context.Context, _ *call, name core.IdentityName, in *inlinePolicyRequest) (*inlinePolicyResult, error) {
	found, err := s.broker.Identity(ctx, name)
	if err != nil {
		return nil, err
	}
	inline, ok := found.Inline[in.PolicyName]
	if !ok || inline.Cloud != core.AWS {
		return nil, notFound("The %s policy with name %.128s cannot be found.", name.Kind, in.PolicyName)
	}
	return &inlinePolicyResult{in.UserName, in.GroupName, in.RoleName, in.PolicyName, escaped(inline.Text)}, nil
}

func (s *Server) deleteInlinePolicy(ctx context.Context, _ *call, name core.IdentityName, in *inlinePolicyRequest) (*none, error) {
	return &none{}, s.broker.DeleteInlinePolicy(ctx, name, in.PolicyName)
}

type listInlineRequest struct {
	ofEntity
	page
}

type listInlineResult struct {
	PolicyNames []string `query:"PolicyNames.member"`
	paged
}

func (s *Server) listInlinePolicies(ctx context.Context, _ *call, name core.IdentityName, in *listInlineRequest) (*listInlineResult, error) {
	found, err := s.broker.Identity(ctx, name)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, policy := range slices.Sorted(maps.Keys(found.Inline)) {
		if found.Inline[policy].Cloud == core.AWS {
			names = append(names, policy)
		}
	}
	part, next, err := cut(names, &in.page, func(name string) string { return name })
	return &listInlineResult{part, next}, err
}

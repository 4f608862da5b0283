package iam

import (
	"context"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/awsquery"
)

// actions has the actions by their names.
func (s *Server) actions() map[string]*awsquery.Action {
	table := map[string]*awsquery.Action{
		"CreateUser":        typed(s.createUser),
		"GetUser":           typed(s.getUser),
		"UpdateUser":        typed(s.updateUser),
		"ListUsers":         typed(s.listUsers),
		"ListGroupsForUser": typed(s.listGroupsForUser),

		"CreateGroup":         typed(s.createGroup),
		"GetGroup":            typed(s.getGroup),
		"UpdateGroup":         typed(s.updateGroup),
		"ListGroups":          typed(s.listGroups),
		"AddUserToGroup":      typed(s.addUserToGroup),
		"RemoveUserFromGroup": typed(s.removeUserFromGroup),

		"CreateRole":                  typed(s.createRole),
		"GetRole":                     typed(s.getRole),
		"UpdateRole":                  typed(s.updateRole),
		"UpdateRoleDescription":       typed(s.updateRoleDescription),
		"UpdateAssumeRolePolicy":      typed(s.updateAssumeRolePolicy),
		"ListRoles":                   typed(s.listRoles),
		"ListInstanceProfilesForRole": typed(s.listInstanceProfilesForRole),

		"CreatePolicy":            typed(s.createPolicy),
		"GetPolicy":               typed(s.getPolicy),
		"DeletePolicy":            typed(s.deletePolicy),
		"ListPolicies":            typed(s.listPolicies),
		"CreatePolicyVersion":     typed(s.createPolicyVersion),
		"GetPolicyVersion":        typed(s.getPolicyVersion),
		"ListPolicyVersions":      typed(s.listPolicyVersions),
		"DeletePolicyVersion":     typed(s.deletePolicyVersion),
		"SetDefaultPolicyVersion": typed(s.setDefaultPolicyVersion),
		"ListEntitiesForPolicy":   typed(s.listEntitiesForPolicy),
		"TagPolicy":               typed(s.tagPolicy),
		"UntagPolicy":             typed(s.untagPolicy),
		"ListPolicyTags":          typed(s.listPolicyTags),

		"CreateAccessKey":      typed(s.createAccessKey),
		"ListAccessKeys":       typed(s.listAccessKeys),
		"UpdateAccessKey":      typed(s.updateAccessKey),
		"DeleteAccessKey":      typed(s.deleteAccessKey),
		"GetAccessKeyLastUsed": typed(s.getAccessKeyLastUsed),

		"CreateAccountAlias": typed(s.createAccountAlias),
		"DeleteAccountAlias": typed(s.deleteAccountAlias),
		"ListAccountAliases": typed(s.listAccountAliases),
		"GetAccountSummary":  typed(s.getAccountSummary),

		"GetAccountAuthorizationDetails": typed(s.getAccountAuthorizationDetails),

		"SimulatePrincipalPolicy": typed(s.simulatePrincipalPolicy),
		"SimulateCustomPolicy":    typed(s.simulateCustomPolicy),
	}
	for _, kind := range []core.IdentityKind{core.User, core.Group, core.Role} {
		word := map[core.IdentityKind]string{core.User: "User", core.Group: "Group", core.Role: "Role"}[kind]
		table["Delete"+word] = of(kind, s.deleteEntity)
		table["Attach"+word+"Policy"] = of(kind, s.attachPolicy)
		table["Detach"+word+"Policy"] = of(kind, s.detachPolicy)
		table["ListAttached"+word+"Policies"] = of(kind, s.listAttachedPolicies)
		table["Put"+word+"Policy"] = of(kind, s.putPolicy)
		table["Get"+word+"Policy"] = of(kind, s.getInlinePolicy)
		table["Delete"+word+"Policy"] = of(kind, s.deleteInlinePolicy)
		table["List"+word+"Policies"] = of(kind, s.listInlinePolicies)
		if kind == core.Group {
			continue
		}
		table["Tag"+word] = of(kind, s.tagEntity)
		table["Untag"+word] = of(kind, s.untagEntity)
		table["List"+word+"Tags"] = of(kind, s.listEntityTags)
		table["Put"+word+"PermissionsBoundary"] = of(kind, s.putBoundary)
		table["Delete"+word+"PermissionsBoundary"] = of(kind, s.deleteBoundary)
	}
	table["ListSigningCertificates"] = typed(listNothing[noCertificates])
	table["ListSSHPublicKeys"] = typed(listNothing[noSSHKeys])
	table["ListServiceSpecificCredentials"] = typed(listNothing[noCredentials])
	table["ListMFADevices"] = typed(listNothing[noMFADevices])
	table["ListVirtualMFADevices"] = typed(listNothing[noVirtualMFADevices])
	return table
}

// of makes an action of a function that does the same to users, groups and roles.
func of[Request any, P interface {
	*Request
	entity() *ofEntity
}, Result any](kind core.IdentityKind, do func(context.Context, *call, core.IdentityName, P) (*Result, error)) *awsquery.Action {
	return typed(func(ctx context.Context, c *call, in *Request) (*Result, error) {
		name, err := c.identity(kind, P(in).entity())
		if err != nil {
			return nil, err
		}
		return do(ctx, c, name, P(in))
	})
}

// none is the result of actions that tell nothing.
type none struct{}

// listNothing answers for what users do not have here, with an empty page of it.
func listNothing[Page any](context.Context, *call, *struct{}) (*Page, error) { return new(Page), nil }

// The empty pages, each with its list's own name.
type (
	noCertificates struct {
		Certificates []none `query:"Certificates.member"`
		IsTruncated  bool
	}
	noSSHKeys struct {
		SSHPublicKeys []none `query:"SSHPublicKeys.member"`
		IsTruncated   bool
	}
	noCredentials struct {
		ServiceSpecificCredentials []none `query:"ServiceSpecificCredentials.member"`
	}
	noMFADevices struct {
		MFADevices  []none `query:"MFADevices.member"`
		IsTruncated bool
	}
	noVirtualMFADevices struct {
		VirtualMFADevices []none `query:"VirtualMFADevices.member"`
		IsTruncated       bool
	}
)

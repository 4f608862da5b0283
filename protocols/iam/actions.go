package iam

import (
	"context"

	"github.com/polymq/polymq/core"
)

// actionTable has the actions by their names.
func actionTable() map[string]*action {
	table := map[string]*action{
		"CreateUser":        typed((*Server).createUser),
		"GetUser":           typed((*Server).getUser),
		"UpdateUser":        typed((*Server).updateUser),
		"ListUsers":         typed((*Server).listUsers),
		"ListGroupsForUser": typed((*Server).listGroupsForUser),

		"CreateGroup":         typed((*Server).createGroup),
		"GetGroup":            typed((*Server).getGroup),
		"UpdateGroup":         typed((*Server).updateGroup),
		"ListGroups":          typed((*Server).listGroups),
		"AddUserToGroup":      typed((*Server).addUserToGroup),
		"RemoveUserFromGroup": typed((*Server).removeUserFromGroup),

		"CreateRole":                  typed((*Server).createRole),
		"GetRole":                     typed((*Server).getRole),
		"UpdateRole":                  typed((*Server).updateRole),
		"UpdateRoleDescription":       typed((*Server).updateRoleDescription),
		"UpdateAssumeRolePolicy":      typed((*Server).updateAssumeRolePolicy),
		"ListRoles":                   typed((*Server).listRoles),
		"ListInstanceProfilesForRole": typed((*Server).listInstanceProfilesForRole),

		"CreatePolicy":            typed((*Server).createPolicy),
		"GetPolicy":               typed((*Server).getPolicy),
		"DeletePolicy":            typed((*Server).deletePolicy),
		"ListPolicies":            typed((*Server).listPolicies),
		"CreatePolicyVersion":     typed((*Server).createPolicyVersion),
		"GetPolicyVersion":        typed((*Server).getPolicyVersion),
		"ListPolicyVersions":      typed((*Server).listPolicyVersions),
		"DeletePolicyVersion":     typed((*Server).deletePolicyVersion),
		"SetDefaultPolicyVersion": typed((*Server).setDefaultPolicyVersion),
		"ListEntitiesForPolicy":   typed((*Server).listEntitiesForPolicy),
		"TagPolicy":               typed((*Server).tagPolicy),
		"UntagPolicy":             typed((*Server).untagPolicy),
		"ListPolicyTags":          typed((*Server).listPolicyTags),

		"CreateAccessKey":      typed((*Server).createAccessKey),
		"ListAccessKeys":       typed((*Server).listAccessKeys),
		"UpdateAccessKey":      typed((*Server).updateAccessKey),
		"DeleteAccessKey":      typed((*Server).deleteAccessKey),
		"GetAccessKeyLastUsed": typed((*Server).getAccessKeyLastUsed),

		"CreateAccountAlias": typed((*Server).createAccountAlias),
		"DeleteAccountAlias": typed((*Server).deleteAccountAlias),
		"ListAccountAliases": typed((*Server).listAccountAliases),
		"GetAccountSummary":  typed((*Server).getAccountSummary),

		"SimulatePrincipalPolicy": typed((*Server).simulatePrincipalPolicy),
		"SimulateCustomPolicy":    typed((*Server).simulateCustomPolicy),
	}
	for _, kind := range []core.IdentityKind{core.User, core.Group, core.Role} {
		word := map[core.IdentityKind]string{core.User: "User", core.Group: "Group", core.Role: "Role"}[kind]
		table["Delete"+word] = of(kind, (*Server).deleteEntity)
		table["Attach"+word+"Policy"] = of(kind, (*Server).attachPolicy)
		table["Detach"+word+"Policy"] = of(kind, (*Server).detachPolicy)
		table["ListAttached"+word+"Policies"] = of(kind, (*Server).listAttachedPolicies)
		table["Put"+word+"Policy"] = of(kind, (*Server).putPolicy)
		table["Get"+word+"Policy"] = of(kind, (*Server).getInlinePolicy)
		table["Delete"+word+"Policy"] = of(kind, (*Server).deleteInlinePolicy)
		table["List"+word+"Policies"] = of(kind, (*Server).listInlinePolicies)
		if kind == core.Group {
			continue
		}
		table["Tag"+word] = of(kind, (*Server).tagEntity)
		table["Untag"+word] = of(kind, (*Server).untagEntity)
		table["List"+word+"Tags"] = of(kind, (*Server).listEntityTags)
		table["Put"+word+"PermissionsBoundary"] = of(kind, (*Server).putBoundary)
		table["Delete"+word+"PermissionsBoundary"] = of(kind, (*Server).deleteBoundary)
	}
	for _, nothing := range []string{"ListSigningCertificates", "ListSSHPublicKeys", "ListServiceSpecificCredentials", "ListMFADevices", "ListVirtualMFADevices"} {
		table[nothing] = typed((*Server).listNothing)
	}
	return table
}

// of makes an action of a function that does the same to users, groups and roles.
func of[Request any, P interface {
	*Request
	entity() *ofEntity
}, Result any](kind core.IdentityKind, do func(*Server, context.Context, *call, core.IdentityName, P) (*Result, error)) *action {
	return typed(func(s *Server, ctx context.Context, c *call, in *Request) (*Result, error) {
		name, err := c.identity(kind, P(in).entity())
		if err != nil {
			return nil, err
		}
		return do(s, ctx, c, name, P(in))
	})
}

// none is the result of actions that tell nothing.
type none struct{}

// listNothing answers for what users do not have here. Its lists are empty whatever their names.
func (s *Server) listNothing(context.Context, *call, *struct{}) (*noneOfAll, error) {
	return &noneOfAll{}, nil
}

// noneOfAll is an empty page.
type noneOfAll struct {
	IsTruncated bool
}

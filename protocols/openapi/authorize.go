package openapi

import (
	"context"
	"errors"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/core/policy"
	"github.com/polymq/polymq/protocols/caller"
)

// authorize says whether the caller may do an action, before it is done: all that it wants. An action that
// says nothing about that wants what has its name, on all that the account has.
func (s *Server) authorize(ctx context.Context, c *Call, a *Action) error {
	if a.Open || s.callers.Free(ctx, &c.Caller, c.Account) {
		return nil
	}
	wants := []caller.Want{c.Want(s.service.code(), a.Name, "*")}
	if a.Wants != nil {
		wants = a.Wants(ctx, c)
	}
	for i := range wants {
		if err := s.callers.Authorize(ctx, &c.Caller, &wants[i]); err != nil {
			return err
		}
	}
	return nil
}

// code gives the service's name in policies.
func (s *Service) code() string {
	if s.Code != "" {
		return s.Code
	}
	return strings.ToLower(s.Product)
}

// Want is an action of a service on what has that path in the account; "*" is all that it has.
func (c *Call) Want(code, action, path string) caller.Want {
	return caller.Want{Action: code + ":" + action, Resource: "acs:" + code + ":" + c.Region + ":" + c.Account + ":" + path}
}

// denial tells, in the members that Alibaba's gateways have, why something is denied.
type denial struct {
	PolicyType               string
	NoPermissionType         string
	AuthAction               string
	AuthPrincipalType        string
	AuthPrincipalOwnerId     string
	AuthPrincipalDisplayName string
}

// policyTypes says the kinds of policies as denial does.
var policyTypes = map[policy.Kind]string{
	policy.Identity: "AccountLevelIdentityBasedPolicy", policy.Boundary: "PermissionBoundary", policy.Session: "SessionPolicy",
	policy.Resource: "ResourceBasedPolicy", policy.Trust: "AssumeRolePolicy",
}

// principalTypes says the kinds of principals likewise.
var principalTypes = map[string]string{
	core.PrincipalUser: "SubUser", core.PrincipalRole: "AssumedRoleUser", core.PrincipalFederated: "AssumedRoleUser", core.PrincipalAccount: "Account",
}

// denialOf gives the details of an error that is a denial; nil for others.
func denialOf(c *Call, err error) *denial {
	var d *caller.Denied
	if !errors.As(err, &d) {
		return nil
	}
	detail := &denial{
		PolicyType: policyTypes[d.Decision.Kind], NoPermissionType: "ImplicitDeny", AuthAction: d.Want.Action,
		AuthPrincipalOwnerId: c.Account, AuthPrincipalDisplayName: d.Principal,
	}
	if d.Decision.Outcome == policy.ExplicitDeny {
		detail.NoPermissionType = "ExplicitDeny"
	}
	if c.Key != nil {
		detail.AuthPrincipalType = principalTypes[core.GrantsOf(c.Key).Kind]
	}
	return detail
}

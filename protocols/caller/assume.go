package caller

import (
	"context"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/core/policy"
)

// RoleSource finds roles. EntityNotFound.
type RoleSource interface {
	Identity(ctx context.Context, name core.IdentityName) (core.Identity, error)
}

// Assume says whether a caller may assume the role that an ARN names, and gives the role; nil for one that is
// not kept. Where policies are enforced, a role must be there, its trust policy must allow the caller, and so
// must the caller's own policies, as the role's cloud has it. Where they are not, whatever is in the caller's
// account may be assumed, and an administrator assumes all. keys gives the values of condition keys that the
// request has beside those that every request has; also are further actions that must be allowed likewise. Denied.
func (o *Options) Assume(ctx context.Context, c *Caller, roles RoleSource, arn string, keys func(key string) []string, also ...string) (*core.Identity, error) {
	want := &Want{Action: "sts:AssumeRole", Resource: arn, Keys: keys}
	name, ok := core.RoleNameOf(arn)
	want.Owner = name.Account
	var role *core.Identity
	if ok {
		found, err := roles.Identity(ctx, name)
		switch {
		case core.CodeOf(err) == core.EntityNotFound:
		case err != nil:
			return nil, err
		case sameRole(found.ARN(""), arn):
			role = &found
		}
	}
	if !o.Enforces() {
		if c.Verified && name.Account != c.Account && !c.Key.Admin {
			return nil, distrusted(c, want)
		}
		if c.Verified && (name.Account == c.Account || c.Key.Session.Bounded()) { // another session's bounds are not for it to choose
			return role, o.Authorize(ctx, c, want)
		}
		return role, nil
	}
	if role == nil {
		return nil, o.withoutRole(ctx, c, name, want)
	}
	ofRole := func(key string) []string {
		for _, prefix := range []string{"aws:resourcetag/", "iam:resourcetag/"} {
			if tag, ok := strings.CutPrefix(key, prefix); ok {
				return TagValues(role.Tags, tag)
			}
		}
		return keys(key)
	}
	for _, action := range append([]string{want.Action}, also...) {
		if err := o.trusted(ctx, c, role, &Want{Action: action, Resource: arn, Owner: want.Owner, Keys: ofRole}); err != nil {
			return nil, err
		}
	}
	return role, nil
}

// withoutRole is the error of a role that there is not. RAM says so to those of the role's account who may assume one of
// that name, and AWS to nobody.
func (o *Options) withoutRole(ctx context.Context, c *Caller, name core.IdentityName, want *Want) error {
	if name.Cloud != core.RAM || name.Account != c.Account {
		return distrusted(c, want)
	}
	if err := o.Authorize(ctx, c, want); err != nil {
		return err
	}
	return core.Errorf(core.EntityNotFound, "The role does not exist: %s.", name.Name)
}

// sameRole says that two ARNs name the same role, with its path, in whatever partition.
func sameRole(a, b string) bool {
	_, a, _ = strings.Cut(a, ":role/")
	_, b, _ = strings.Cut(b, ":role/")
	return a == b
}

// distrusted is the denial by a role that there is not, or that trusts nobody in particular.
func distrusted(c *Caller, want *Want) *Denied {
	d := &Denied{Want: want, Decision: policy.Decision{Kind: policy.Trust}}
	if c.Key != nil {
		g := core.GrantsOf(c.Key)
		d.Principal = g.Principal
		if core.CloudOfARN(want.Resource) == core.RAM {
			d.Principal = g.RAM
		}
	}
	return d
}

// trusted says whether a role's trust policy and the caller's own policies let the caller assume it.
func (o *Options) trusted(ctx context.Context, c *Caller, role *core.Identity, want *Want) error {
	s, err := o.Access.standing(ctx, c)
	if err != nil {
		return err
	}
	language := policy.AWS
	if role.Cloud == core.RAM {
		language = policy.RAM
	}
	trust, err := o.Access.texts.Parse(language, role.Trust, policy.Trust)
	if err != nil || s.broken != "" {
		return distrusted(c, want)
	}
	policies := s.policies
	policies.Resource = &policy.Named{Name: want.Resource, Policy: trust}
	r := policy.Request{Principal: s.principal, Action: want.Action, Resource: want.Resource, Owner: want.Owner}
	r.Keys = (&conditionKeys{caller: c, grants: s.grants, want: want}).values
	d := policy.EvaluateTrust(language, &r, &policies)
	if d.Outcome == policy.Allowed {
		return nil
	}
	denied := distrusted(c, want)
	if d.Kind != policy.Trust || want.Owner == c.Account { // of another account's role, as where there is none
		denied.Decision = d
	}
	return denied
}

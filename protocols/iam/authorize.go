package iam

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// authorize says whether the caller may do the action. While policies are not enforced, who may change nothing
// by the JSON API may not here either: else every key could give itself another user's rights.
func (s *Server) authorize(ctx context.Context, c *call) error {
	if !s.callers.Free(ctx, &c.Caller, c.Account) {
		want, err := s.want(ctx, c)
		if err == nil {
			err = s.callers.Authorize(ctx, &c.Caller, want)
		}
		if renamed := c.renamed(want.Resource); err == nil && renamed != "" {
			err = s.callers.Authorize(ctx, &c.Caller, &caller.Want{Action: want.Action, Resource: renamed, Keys: want.Keys})
		}
		if err != nil {
			return err
		}
	}
	if isRead(c.Action) {
		return nil
	}
	may, err := s.callers.MayManage(ctx, &c.Caller, s.broker)
	if err != nil || may {
		return err
	}
	return core.Errorf(core.AccessDenied, "User: %s is not authorized to perform: iam:%s: it takes the account's own access key, or a user with the access of admin",
		core.GrantsOf(c.Key).Principal, c.Action)
}

func isRead(action string) bool {
	return strings.HasPrefix(action, "Get") || strings.HasPrefix(action, "List") || strings.HasPrefix(action, "Simulate")
}

// want gives the action and what it is about.
func (s *Server) want(ctx context.Context, c *call) (*caller.Want, error) {
	on, err := s.subject(ctx, c)
	keys := conditionKeys{call: c, on: on}
	return &caller.Want{Action: "iam:" + c.Action, Resource: on.arn, Keys: keys.values}, err
}

// renamed gives the ARN that a user or a group is to have, which needs the permission as well as the one that it
// has; "" where it is to stay.
func (c *call) renamed(arn string) string {
	if c.Action != "UpdateUser" && c.Action != "UpdateGroup" {
		return ""
	}
	prefix, rest, _ := strings.Cut(arn, "/")
	at := strings.LastIndexByte(rest, '/') + 1
	path, name := cmp.Or(c.get("NewPath"), "/"+rest[:at]), cmp.Or(c.get("New"+strings.TrimPrefix(c.Action, "Update")+"Name"), rest[at:])
	if renamed := prefix + path + name; renamed != arn {
		return renamed
	}
	return ""
}

// get gives a parameter, "" where there is none.
func (c *call) get(name string) string {
	value, _ := c.Parameters.Get(name)
	return value
}

// subject is what a request is about, as policies see it.
type subject struct {
	arn      string
	boundary string // ARN of the boundary that it has; "": none
	tags     map[string]string
}

// collections are the actions that are about all of a kind.
var collections = map[string]string{"ListUsers": "user", "ListGroups": "group", "ListRoles": "role", "ListPolicies": "policy"}

// ofUsers are the actions on what a user has whose names do not say so.
var ofUsers = []string{"ListGroupsForUser", "ListSigningCertificates", "ListSSHPublicKeys", "ListServiceSpecificCredentials", "ListMFADevices"}

// subject finds what a request is about. That goes by its action alone: parameters that the action does not have
// say nothing.
func (s *Server) subject(ctx context.Context, c *call) (subject, error) {
	name := core.IdentityName{Account: c.Account}
	var err error
	switch has := func(word string) bool { return strings.Contains(c.Action, word) }; {
	case collections[c.Action] != "":
		return c.named(collections[c.Action], c.get("PathPrefix"), ""), nil
	case c.Action == "SimulatePrincipalPolicy":
		return subject{arn: c.get("PolicySourceArn")}, nil
	case c.Action == "GetAccessKeyLastUsed":
		name.Kind = core.User
		name.Name, err = s.ownerOf(ctx, c, c.get("AccessKeyId"))
	case slices.Contains(ofUsers, c.Action):
		name.Kind, name.Name = core.User, c.get("UserName")
	case has("Group"): // of a user and a group it is the group
		name.Kind, name.Name = core.Group, c.get("GroupName")
	case has("Role"):
		name.Kind, name.Name, name.Cloud = core.Role, c.get("RoleName"), core.AWS
	case has("User") || has("AccessKey"):
		name.Kind = core.User
		name.Name, err = c.user(c.get("UserName"))
	case c.Action == "CreatePolicy":
		return c.named("policy", c.get("Path"), c.get("PolicyName")), nil
	case has("Policy") && c.get("PolicyArn") != "":
		return s.policySubject(ctx, c)
	default:
		return subject{arn: "*"}, nil
	}
	switch {
	case err != nil:
		return subject{}, err
	case strings.HasPrefix(c.Action, "Create") && c.Action != "CreateAccessKey":
		return c.named(string(name.Kind), c.get("Path"), name.Name), nil
	}
	return s.identitySubject(ctx, c, name)
}

// named is the subject of a kind, a path and a name, there or not.
func (c *call) named(kind, path, name string) subject {
	return subject{arn: "arn:aws:iam::" + c.Account + ":" + kind + cmp.Or(path, "/") + name}
}

// ownerOf gives the user whose key it is, "" where it is none of the account.
func (s *Server) ownerOf(ctx context.Context, c *call, id string) (string, error) {
	key, err := s.broker.Key(ctx, id)
	switch {
	case core.CodeOf(err) == core.KeyNotFound, err == nil && key.Account != c.Account:
		return "", nil
	case err != nil:
		return "", err
	}
	return key.User, nil
}

func (s *Server) identitySubject(ctx context.Context, c *call, name core.IdentityName) (subject, error) {
	on := c.named(string(name.Kind), "/", name.Name)
	found, err := s.broker.Identity(ctx, name)
	switch {
	case core.CodeOf(err) == core.EntityNotFound:
		return on, nil
	case err != nil:
		return on, err
	}
	on = c.named(string(name.Kind), found.Path, name.Name)
	on.tags = found.Tags
	if found.Boundary != "" {
		boundary, err := s.broker.PolicyOfID(ctx, found.Boundary)
		if err != nil && core.CodeOf(err) != core.EntityNotFound {
			return on, err
		}
		on.boundary = boundary.ARN()
	}
	return on, nil
}

func (s *Server) policySubject(ctx context.Context, c *call) (subject, error) {
	on := subject{arn: canonical(c.get("PolicyArn"))}
	if name, ok := core.PolicyNameOf(on.arn); ok {
		found, err := s.broker.Policy(ctx, name)
		if err != nil && core.CodeOf(err) != core.EntityNotFound {
			return on, err
		}
		on.tags = found.Tags
	}
	return on, nil
}

// canonical gives an ARN of IAM's as policies are compared with it: in whatever partition it is asked for.
func canonical(arn string) string {
	if _, rest, ok := strings.Cut(arn, ":iam::"); ok && strings.HasPrefix(arn, "arn:aws") {
		return "arn:aws:iam::" + rest
	}
	return arn
}

// conditionKeys are the condition keys of IAM: of what a request is about, and of what it asks for.
type conditionKeys struct {
	call *call
	on   subject
}

func (k *conditionKeys) values(key string) []string {
	c := k.call
	one := func(value string) []string {
		if value == "" {
			return nil
		}
		return []string{value}
	}
	switch key {
	case "iam:policyarn":
		if strings.HasPrefix(c.Action, "Attach") || strings.HasPrefix(c.Action, "Detach") {
			return one(canonical(c.get("PolicyArn")))
		}
	case "iam:permissionsboundary": // the one that is to be, or the one that there is
		if strings.HasPrefix(c.Action, "Create") || strings.HasPrefix(c.Action, "Put") && strings.HasSuffix(c.Action, "PermissionsBoundary") {
			return one(canonical(c.get("PermissionsBoundary")))
		}
		return one(k.on.boundary)
	case "aws:tagkeys":
		var keys []string
		for _, parameter := range c.Parameters {
			if strings.HasPrefix(parameter.Name, "TagKeys.member.") || strings.HasPrefix(parameter.Name, "Tags.member.") && strings.HasSuffix(parameter.Name, ".Key") {
				keys = append(keys, parameter.Value)
			}
		}
		return keys
	}
	for _, prefix := range []string{"aws:resourcetag/", "iam:resourcetag/"} {
		if name, ok := strings.CutPrefix(key, prefix); ok {
			return caller.TagValues(k.on.tags, name)
		}
	}
	if name, ok := strings.CutPrefix(key, "aws:requesttag/"); ok {
		for _, parameter := range c.Parameters {
			if prefix, isKey := strings.CutSuffix(parameter.Name, ".Key"); isKey && strings.HasPrefix(prefix, "Tags.member.") && strings.EqualFold(parameter.Value, name) {
				return one(c.get(prefix + ".Value"))
			}
		}
	}
	return nil
}

package iam

import (
	"cmp"
	"context"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// authorize says whether the caller may do the action. While policies are not enforced, who may change nothing
// by the JSON API may not here either: else every key could give itself another user's rights.
func (s *Server) authorize(ctx context.Context, c *call) error {
	if !s.callers.Free(&c.Caller, c.Account) {
		want, err := s.want(ctx, c)
		if err != nil {
			return err
		}
		return s.callers.Authorize(ctx, &c.Caller, want)
	}
	if isRead(c.action) {
		return nil
	}
	may, err := s.callers.MayManage(ctx, &c.Caller, s.broker)
	if err != nil || may {
		return err
	}
	return core.Errorf(core.AccessDenied, "User: %s is not authorized to perform: iam:%s: it takes the account's own access key, or a user with the access of admin",
		core.GrantsOf(c.Key).Principal, c.action)
}

func isRead(action string) bool {
	return strings.HasPrefix(action, "Get") || strings.HasPrefix(action, "List") || strings.HasPrefix(action, "Simulate")
}

// want gives the action and what it is about.
func (s *Server) want(ctx context.Context, c *call) (*caller.Want, error) {
	resource, err := s.resource(ctx, c)
	return &caller.Want{Action: "iam:" + c.action, Resource: resource, Keys: c.conditionKey}, err
}

// get gives a parameter, "" where there is none.
func (c *call) get(name string) string {
	value, _ := c.parameters.Get(name)
	return value
}

// collections are the actions that are about all of a kind.
var collections = map[string]string{"ListUsers": "user", "ListGroups": "group", "ListRoles": "role", "ListPolicies": "policy"}

// resource gives the ARN of what a request is about.
func (s *Server) resource(ctx context.Context, c *call) (string, error) {
	arn := func(kind, path, name string) string {
		return "arn:aws:iam::" + c.Account + ":" + kind + cmp.Or(path, "/") + name
	}
	if kind, all := collections[c.action]; all {
		return arn(kind, c.get("PathPrefix"), ""), nil
	}
	if policy := c.get("PolicyArn"); policy != "" && strings.Contains(c.action, "Policy") && c.get("UserName")+c.get("GroupName")+c.get("RoleName") == "" {
		return policy, nil
	}
	if c.action == "CreatePolicy" {
		return arn("policy", c.get("Path"), c.get("PolicyName")), nil
	}
	name := core.IdentityName{Account: c.Account}
	switch {
	case c.get("GroupName") != "": // of a user and a group it is the group
		name.Kind, name.Name = core.Group, c.get("GroupName")
	case c.get("RoleName") != "":
		name.Kind, name.Name, name.Cloud = core.Role, c.get("RoleName"), core.AWS
	case strings.Contains(c.action, "User") || strings.Contains(c.action, "AccessKey"):
		name.Kind, name.Name = core.User, c.user(c.get("UserName"))
	default:
		return "*", nil
	}
	if strings.HasPrefix(c.action, "Create") && c.action != "CreateAccessKey" {
		return arn(string(name.Kind), c.get("Path"), name.Name), nil
	}
	found, err := s.broker.Identity(ctx, name)
	if core.CodeOf(err) == core.EntityNotFound {
		return arn(string(name.Kind), "/", name.Name), nil
	}
	return arn(string(name.Kind), found.Path, name.Name), err
}

// conditionKey gives the values of a condition key of IAM's own.
func (c *call) conditionKey(key string) []string {
	one := func(parameter string) []string {
		if value := c.get(parameter); value != "" {
			return []string{value}
		}
		return nil
	}
	switch key {
	case "iam:policyarn":
		return one("PolicyArn")
	case "iam:permissionsboundary":
		return one("PermissionsBoundary")
	case "aws:tagkeys":
		var keys []string
		for _, parameter := range c.parameters {
			if strings.HasPrefix(parameter.Name, "TagKeys.member.") || strings.HasPrefix(parameter.Name, "Tags.member.") && strings.HasSuffix(parameter.Name, ".Key") {
				keys = append(keys, parameter.Value)
			}
		}
		return keys
	}
	if name, ok := strings.CutPrefix(key, "aws:requesttag/"); ok {
		for _, parameter := range c.parameters {
			if prefix, isKey := strings.CutSuffix(parameter.Name, ".Key"); isKey && strings.EqualFold(parameter.Value, name) {
				return one(prefix + ".Value")
			}
		}
	}
	return nil
}

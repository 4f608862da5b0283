package iam

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
)

// ofEntity is how requests name a user, a group or a role.
type ofEntity struct {
	UserName  string
	GroupName string
	RoleName  string
}

func (o *ofEntity) entity() *ofEntity { return o }

// identity gives the name of what a request is about.
func (c *call) identity(kind core.IdentityKind, o *ofEntity) (core.IdentityName, error) {
	name := core.IdentityName{Account: c.Account, Kind: kind}
	var parameter string
	switch kind {
	case core.User:
		name.Name, parameter = o.UserName, "userName"
	case core.Group:
		name.Name, parameter = o.GroupName, "groupName"
	default:
		name.Name, name.Cloud, parameter = o.RoleName, core.AWS, "roleName"
	}
	if name.Name == "" {
		return name, required(parameter)
	}
	return name, nil
}

// user gives the name of the user that a request names, the caller's own where it names none; "" is the account.
// A role's session and a federated user are no users, and do not stand for the account either.
func (c *call) user(named string) (string, error) {
	switch {
	case named != "" || c.Key == nil:
		return named, nil
	case c.Key.Session.Role != "" || c.Key.Session.Name != "":
		return "", invalid("Must specify userName when calling with non-User credentials")
	}
	return c.Key.User, nil
}

// arn gives an ARN in the caller's partition.
func (c *call) arn(of string) string {
	return "arn:" + aws.Partition(c.Region) + strings.TrimPrefix(of, "arn:aws")
}

// stamp writes a time as IAM does.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// escaped writes a policy as IAM shows it, by RFC 3986.
func escaped(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

// tag is a tag on the wire.
type tag struct{ Key, Value string }

func encodeTags(tags map[string]string) []tag {
	var list []tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, tag{key, tags[key]})
	}
	return list
}

func decodeTags(list []tag) map[string]string {
	tags := map[string]string{}
	for _, t := range list {
		tags[t.Key] = t.Value
	}
	return tags
}

// checkDistinct says whether tags can be those of one user or role. Of a policy's, names that differ in their case are different ones.
func checkDistinct(tags []tag) error {
	for i := range tags {
		if slices.ContainsFunc(tags[:i], func(t tag) bool { return strings.EqualFold(t.Key, tags[i].Key) }) {
			return faultf("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
	}
	return nil
}

// boundary is a permissions boundary on the wire.
type boundary struct {
	PermissionsBoundaryType string
	PermissionsBoundaryArn  string
}

// boundaryOf gives an identity's boundary, in a list of none or one.
func (s *Server) boundaryOf(ctx context.Context, c *call, i *core.Identity) ([]boundary, error) {
	if i.Boundary == "" {
		return nil, nil
	}
	policy, err := s.broker.PolicyOfID(ctx, i.Boundary)
	if err != nil {
		return nil, err
	}
	return []boundary{{"Policy", c.arn(policy.ARN())}}, nil
}

// page asks for a part of a list.
type page struct {
	Marker   string
	MaxItems *int
}

const defaultItems = 100

// limit gives how many entries are asked for.
func (p *page) limit() (int, error) {
	switch {
	case p.MaxItems == nil:
		return defaultItems, nil
	case *p.MaxItems < 1 || *p.MaxItems > core.MaxListed:
		return 0, invalid("1 validation error detected: Value '%d' at 'maxItems' failed to satisfy constraint: Member must have value between 1 and %d", *p.MaxItems, core.MaxListed)
	}
	return *p.MaxItems, nil
}

// paged says where a list goes on.
type paged struct {
	IsTruncated bool
	Marker      string
}

func pagedTo(next string) paged { return paged{next != "", next} }

// cut gives the part of a list that is asked for, whose entries have unique names and are sorted by them.
func cut[E any](list []E, p *page, name func(E) string) ([]E, paged, error) {
	limit, err := p.limit()
	if err != nil {
		return nil, paged{}, err
	}
	first := 0
	for p.Marker != "" && first < len(list) && name(list[first]) <= p.Marker {
		first++
	}
	list = list[first:]
	if len(list) <= limit {
		return list, paged{}, nil
	}
	return list[:limit], pagedTo(name(list[limit-1])), nil
}

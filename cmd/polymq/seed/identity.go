package seed

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/polymq/polymq/cmd/polymq/client"
)

// Fields of users, groups and roles that are not of the request that makes them, but of others.
const (
	policiesField = "policies" // names or ARNs of those that are attached
	inlineField   = "inline"   // policies of its own
	boundaryField = "boundary"
	groupsField   = "groups" // that a user is in
)

// shownOfIdentity are what the API shows besides of users, groups and roles.
var shownOfIdentity = []string{"id", "account", "arn", "created_at"}

var (
	policies = &kind{
		name: "policy", path: "policies", list: "policies", key: "name", create: "create-policy", fixed: []string{"cloud", "path"}, cloud: true,
		shown: []string{"id", "arn", "built_in", "created_at", "updated_at", "version", "attached", "boundary", "versions"},
	}
	groups = &kind{
		name: "group", path: "groups", list: "identities", key: "name", create: "create-group", related: true,
		besides: []string{policiesField, inlineField}, shown: shownOfIdentity,
	}
	users = &kind{
		name: "user", path: "users", list: "identities", key: "name", create: "create-user", related: true,
		besides: []string{policiesField, inlineField, boundaryField, groupsField}, shown: shownOfIdentity,
	}
	roles = &kind{
		name: "role", path: "roles", list: "identities", key: "name", create: "create-role", fixed: []string{"cloud"}, cloud: true, related: true,
		besides: []string{policiesField, inlineField, boundaryField}, shown: shownOfIdentity,
	}
)

// optional reports whether a file that says nothing of a kind is the usual one.
func (k *kind) optional() bool { return k.related || k == policies || k == alerts || k == accounts }

// id gives what an entry is known by in its section.
func (k *kind) id(entry Fields) string {
	name := entry.text(k.key)
	if cloud := entry.text("cloud"); k.cloud && cloud != "" && cloud != "aws" && name != "" {
		return name + " (" + cloud + ")"
	}
	return name
}

// query gives what a request about an entry says besides its name.
func (k *kind) query(entry Fields) url.Values {
	if !k.cloud {
		return url.Values{}
	}
	return url.Values{"cloud": {cmp.Or(entry.text("cloud"), "aws")}}
}

// checkRelations says what is wrong with the fields that no single request takes.
func (k *kind) checkRelations(entry Fields) error {
	if !k.related {
		return nil
	}
	for _, field := range []string{policiesField, groupsField} {
		if _, ok := texts(entry[field]); !ok {
			return fmt.Errorf("%s must be a list of names", field)
		}
	}
	if _, ok := inlineOf(entry[inlineField]); !ok {
		return fmt.Errorf("%s must be a list of policies, each with name and text", inlineField)
	}
	if boundary, given := entry[boundaryField]; given {
		if _, ok := boundary.(string); !ok {
			return fmt.Errorf("%s must be the name or ARN of a policy", boundaryField)
		}
	}
	return nil
}

// texts reads a list of texts; nothing is an empty one.
func texts(value any) ([]string, bool) {
	list, ok := value.([]any)
	read := make([]string, len(list))
	for i, element := range list {
		text, isText := element.(string)
		read[i], ok = text, ok && isText
	}
	return read, ok || value == nil
}

// inlineOf reads a list of policies by name.
func inlineOf(value any) (map[string]Fields, bool) {
	list, ok := value.([]any)
	read := map[string]Fields{}
	for _, element := range list {
		fields, isObject := element.(map[string]any)
		policy := Fields(fields)
		ok = ok && isObject && policy.text("name") != "" && policy.text("text") != ""
		read[policy.text("name")] = Fields{"cloud": cmp.Or(policy.text("cloud"), "aws"), "text": policy.text("text")}
	}
	return read, ok || value == nil
}

// withRelations gives an entry as the API shows it by itself, and its policies by their names where they are
// the account's own, so that the same file is good for another account.
func (a *applying) withRelations(k *kind, listed Fields) (Fields, error) {
	var entry Fields
	in := client.Request{Method: http.MethodGet, Path: []string{k.path, listed.text("name")}, Query: k.query(listed)}
	if err := a.server.Do(a.ctx, in, &entry); err != nil {
		return nil, fmt.Errorf("look at the %s %s: %w", k.name, listed.text("name"), err)
	}
	own := ":" + entry.text("account") + ":policy/"
	plain := func(arn string) string {
		if strings.Contains(arn, own) {
			return baseName(arn)
		}
		return arn
	}
	if attached, _ := texts(entry[policiesField]); len(attached) > 0 {
		names := make([]any, len(attached))
		for i, arn := range attached {
			names[i] = plain(arn)
		}
		entry[policiesField] = names
	}
	for _, field := range []string{policiesField, groupsField, inlineField} { // so that it is the same each time
		if list, ok := entry[field].([]any); ok {
			slices.SortFunc(list, func(x, y any) int { return strings.Compare(nameOf(x), nameOf(y)) })
		}
	}
	if boundary := entry.text(boundaryField); boundary != "" {
		entry[boundaryField] = plain(boundary)
	}
	return entry, nil
}

// nameOf gives the name of a policy, or a group, of a list.
func nameOf(element any) string {
	if fields, ok := element.(map[string]any); ok {
		return Fields(fields).text("name")
	}
	text, _ := element.(string) // the list has nothing else
	return text
}

// makeRelated gives the function that makes a user, group or role with its policies and groups.
func (a *applying) makeRelated(k *kind) func(Fields) error {
	return func(entry Fields) error {
		if err := a.make(k, nil)(entry); err != nil {
			return err
		}
		_, relate := a.relations(k, entry, Fields{})
		return a.finish(relate)
	}
}

// relations gives what differs of the fields that no single request takes, and what makes them as declared.
func (a *applying) relations(k *kind, declared, there Fields) (differ []FieldChange, relate []func() error) {
	if !k.related {
		return nil, nil
	}
	name := declared.text(k.key)
	request := func(method string, body any, path ...string) {
		in := client.Request{Method: method, Path: append([]string{k.path, name}, path...), Query: k.query(declared), Body: body}
		relate = append(relate, func() error { return a.server.Do(a.ctx, in, nil) })
	}
	list := func(field string, add, remove func(string)) {
		wanted, _ := texts(declared[field])
		has, _ := texts(there[field])
		if _, named := declared[field]; !named || sameNames(wanted, has) {
			return
		}
		differ = append(differ, FieldChange{field, text(there[field]), text(declared[field])})
		each(wanted, has, add)
		each(has, wanted, remove)
	}
	policy := func(how string) func(string) {
		return func(policy string) {
			request(http.MethodPost, Fields{"policy": policy, "cloud": cmp.Or(declared.text("cloud"), "aws")}, "policies:"+how)
		}
	}
	list(policiesField, policy("attach"), policy("detach"))
	member := func(method string) func(string) {
		return func(group string) {
			in := client.Request{Method: method, Path: []string{groups.path, group, "members", name}}
			relate = append(relate, func() error { return a.server.Do(a.ctx, in, nil) })
		}
	}
	list(groupsField, member(http.MethodPut), member(http.MethodDelete))
	if boundary, named := declared[boundaryField]; named && !sameName(declared.text(boundaryField), there.text(boundaryField)) {
		differ = append(differ, FieldChange{boundaryField, text(there[boundaryField]), text(boundary)})
		request(http.MethodPatch, Fields{boundaryField: boundary})
	}
	wanted, _ := inlineOf(declared[inlineField])
	has, _ := inlineOf(there[inlineField])
	if _, named := declared[inlineField]; named && text(wanted) != text(has) {
		differ = append(differ, FieldChange{inlineField, text(there[inlineField]), text(declared[inlineField])})
		for _, policy := range sorted(wanted) {
			if text(wanted[policy]) != text(has[policy]) {
				request(http.MethodPut, wanted[policy], inlineField, policy)
			}
		}
		for _, policy := range sorted(has) {
			if wanted[policy] == nil {
				request(http.MethodDelete, nil, inlineField, policy)
			}
		}
	}
	return differ, relate
}

// sameName reports whether two ways to name a policy mean the same: by its ARN, or by its name alone.
func sameName(a, b string) bool {
	return a == b || a != "" && b != "" && (strings.HasSuffix(a, "/"+b) || strings.HasSuffix(b, "/"+a))
}

func sameNames(a, b []string) bool {
	same := true
	differs := func(string) { same = false }
	each(a, b, differs)
	each(b, a, differs)
	return same
}

// each calls do with those names that the others do not have.
func each(names, others []string, do func(string)) {
	for _, name := range names {
		if !slices.ContainsFunc(others, func(other string) bool { return sameName(name, other) }) {
			do(name)
		}
	}
}

// relationSchemas are the schemas of the fields that no single request takes.
func relationSchemas(k *kind) map[string]any {
	name := map[string]any{"type": "string"}
	all := map[string]any{
		policiesField: map[string]any{"type": "array", "items": name, "description": "Names or ARNs of the policies that are attached"},
		groupsField:   map[string]any{"type": "array", "items": name, "description": "Names of the groups that the user is in"},
		boundaryField: map[string]any{"type": "string", "description": "Name or ARN of the policy that bounds what others allow"},
		inlineField: map[string]any{"type": "array", "description": "Policies of its own", "items": map[string]any{
			"type": "object", "required": []string{"name", "text"}, "additionalProperties": false,
			"properties": map[string]any{"name": name, "text": name, "cloud": map[string]any{"enum": []string{"aws", "ram"}}},
		}},
	}
	schemas := map[string]any{}
	for _, field := range k.besides {
		schemas[field] = all[field]
	}
	return schemas
}

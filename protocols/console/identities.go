package console

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/polymq/polymq/core"
)

// identityKind is a kind of identity as pages have it.
type identityKind struct {
	core.IdentityKind
	Path   string // of its pages
	Action string // as IAM calls it
	Title  string
}

// identityKinds are the tabs of the pages of users, groups and roles.
var identityKinds = []identityKind{
	{IdentityKind: core.User, Path: "/users", Action: "User", Title: "Users"},
	{IdentityKind: core.Group, Path: "/groups", Action: "Group", Title: "Groups"},
	{IdentityKind: core.Role, Path: "/roles", Action: "Role", Title: "Roles"},
}

// identityRoutes mounts the pages of users, groups and roles, which are alike.
func (s *Server) identityRoutes() {
	for _, k := range identityKinds {
		all := k.Path[1:]
		one := all + "/{identity}"
		of := func(do func(*exchange, identityKind) error) handler {
			return func(x *exchange) error { return do(x, k) }
		}
		s.get(all, toManage, of(s.listIdentities))
		s.post(all, "Create"+k.Action, toManage, of(s.createIdentity))
		s.get(one, toManage, of(s.showIdentity))
		s.post(one+"/settings", "Update"+k.Action, toManage, of(s.alterIdentity))
		s.post(one+"/attach", "Attach"+k.Action+"Policy", toManage, of(s.attachPolicy))
		s.post(one+"/detach", "Detach"+k.Action+"Policy", toManage, of(s.detachPolicy))
		s.post(one+"/inline", "Put"+k.Action+"Policy", toManage, of(s.putInline))
		s.post(one+"/inline/delete", "Delete"+k.Action+"Policy", toManage, of(s.deleteInline))
		s.post(one+"/delete", "Delete"+k.Action, toManage, of(s.deleteIdentity))
	}
	s.post("users/{identity}/keys", "CreateAccessKey", toManage, s.createUserKey)
	s.post("groups/{identity}/join", "AddUserToGroup", toManage, s.joinGroup)
	s.post("groups/{identity}/leave", "RemoveUserFromGroup", toManage, s.leaveGroup)
}

// identitiesPage is the data of identities.html.
type identitiesPage struct {
	Kind       identityKind
	Kinds      []identityKind
	Identities []core.Identity
	Next       string
	Trust      string // that a new role may begin with
}

// listIdentities lists users, groups or roles by name.
func (s *Server) listIdentities(x *exchange, k identityKind) error {
	found, err := s.broker.ListIdentities(x.ctx(), core.ListIdentitiesInput{
		Account: x.account, Kind: k.IdentityKind, After: x.r.URL.Query().Get("after"), Limit: listed,
	})
	if err != nil {
		return err
	}
	data := identitiesPage{Kind: k, Kinds: identityKinds, Identities: found.Identities, Next: found.Next, Trust: trustOf(x.account)}
	if x.partial() {
		return s.part(x, "identities.html", "rows", data)
	}
	return s.show(x, "identities.html", &page{Title: k.Title, Active: "users", Data: data, Snippets: identitiesSnippets(x, k)})
}

// trustOf gives a policy that lets an account assume a role.
func trustOf(account string) string {
	return "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [{\n    \"Effect\": \"Allow\",\n    \"Principal\": {\"AWS\": \"arn:aws:iam::" + account + ":root\"},\n    \"Action\": \"sts:AssumeRole\"\n  }]\n}"
}

// madeUser is a user that was just made, with its access key where one was wanted.
type madeUser struct {
	Path, Name, ID, Secret string
}

// createIdentity makes a user, a group or a role; of a user's key, the secret is shown this once.
func (s *Server) createIdentity(x *exchange, k identityKind) error {
	in := core.Identity{IdentityName: core.IdentityName{Account: x.account, Kind: k.IdentityKind, Name: x.field("name")}, Description: x.field("description")}
	switch k.IdentityKind {
	case core.User:
		in.Access, in.Bodies = core.Access(x.field("access")), x.field("bodies") != ""
	case core.Role:
		in.Cloud, in.Trust = x.field("cloud"), x.field("trust")
	}
	made, err := s.broker.CreateIdentity(x.ctx(), in)
	if err != nil {
		return err
	}
	if k.IdentityKind == core.User && x.field("key") != "" {
		key, err := s.broker.CreateKey(x.ctx(), core.NewKey{Account: x.account, User: made.Name})
		if err != nil { // such as without a master key; the form can be sent again
			return errors.Join(err, s.broker.DeleteIdentity(x.ctx(), made.IdentityName, true))
		}
		x.w.Header().Set("Hx-Trigger", "identities-changed")
		return s.part(x, "identities.html", "made", madeUser{k.Path + "/" + made.Name, made.Name, key.ID, string(key.Secret)})
	}
	return x.done(x.identityPath(k, &made), x.t("%s was created.", made.Name))
}

// identityPath gives where the page of an identity lies.
func (x *exchange) identityPath(k identityKind, i *core.Identity) string {
	path := k.Path + "/" + url.PathEscape(i.Name)
	if i.Cloud != "" {
		path += "?cloud=" + i.Cloud
	}
	return path
}

// identity names the identity that the path names.
func (x *exchange) identity(k identityKind) core.IdentityName {
	name := core.IdentityName{Account: x.account, Kind: k.IdentityKind, Name: x.r.PathValue("identity")}
	if k.IdentityKind == core.Role {
		name.Cloud = orAWS(x.r.URL.Query().Get("cloud"))
	}
	return name
}

func orAWS(cloud string) string {
	if cloud == "" {
		return core.AWS
	}
	return cloud
}

// inlineView is a policy of an identity's own.
type inlineView struct {
	Name string
	core.Inline
}

// identityPage is the data of identity.html.
type identityPage struct {
	core.Identity
	Kind     identityKind
	Kinds    []identityKind
	Path     string // of its page
	Query    string // what the path ends with
	ARN, RAM string
	Bound    string // ARN of the boundary
	Attached []core.Policy
	Inline   []inlineView
	Groups   []core.Identity // that a user is in
	Members  []core.Identity // of a group
	Keys     []core.Key      // of a user
	Known    []core.Policy   // that can be attached
}

// showIdentity shows a user, a group or a role with all that says what it may do.
func (s *Server) showIdentity(x *exchange, k identityKind) error {
	identity, err := s.broker.Identity(x.ctx(), x.identity(k))
	if err != nil {
		return err
	}
	data := identityPage{Identity: identity, Kind: k, Kinds: identityKinds, Path: k.Path + "/" + url.PathEscape(identity.Name), ARN: identity.ARN(core.AWS), RAM: identity.ARN(core.RAM)}
	if identity.Cloud != "" {
		data.Query = "?cloud=" + identity.Cloud
	}
	for _, name := range slices.Sorted(maps.Keys(identity.Inline)) {
		data.Inline = append(data.Inline, inlineView{name, identity.Inline[name]})
	}
	if err := s.addPolicies(x, &data); err != nil {
		return err
	}
	if err := s.addRelations(x, &data); err != nil {
		return err
	}
	return s.show(x, "identity.html", &page{Title: k.Title, Heading: identity.Name, Active: "users", Data: data, Snippets: identitySnippets(x, k, identity.Name)})
}

// addPolicies adds the policies that are attached, and those that can be.
func (s *Server) addPolicies(x *exchange, data *identityPage) error {
	ids := slices.Collect(maps.Keys(data.Identity.Attached))
	if data.Boundary != "" {
		ids = append(ids, data.Boundary)
	}
	policies, err := s.broker.PoliciesOfIDs(x.ctx(), x.account, ids)
	if err != nil {
		return err
	}
	for _, p := range policies {
		if p.ID == data.Boundary {
			data.Bound = p.ARN()
		}
		if _, is := data.Identity.Attached[p.ID]; is {
			data.Attached = append(data.Attached, p)
		}
	}
	data.Known, err = s.knownPolicies(x)
	return err
}

// addRelations adds a user's groups and keys, and a group's members.
func (s *Server) addRelations(x *exchange, data *identityPage) error {
	switch data.Kind.IdentityKind {
	case core.User:
		if len(data.Identity.Groups) > 0 {
			groups, err := s.broker.ListIdentities(x.ctx(), core.ListIdentitiesInput{Account: x.account, Kind: core.Group, Limit: core.MaxListed})
			if err != nil {
				return err
			}
			data.Groups = slices.DeleteFunc(groups.Identities, func(g core.Identity) bool {
				_, in := data.Identity.Groups[g.ID]
				return !in
			})
		}
		keys, err := s.broker.ListKeys(x.ctx(), core.ListKeysInput{Account: x.account, User: data.Name, Limit: listed})
		data.Keys = keys.Keys
		return err
	case core.Group:
		members, err := s.broker.ListIdentities(x.ctx(), core.ListIdentitiesInput{Account: x.account, Kind: core.User, Group: data.ID, Limit: core.MaxListed})
		data.Members = members.Identities
		return err
	}
	return nil
}

// knownPolicies gives the account's policies and those that the clouds bring with them, as far as a list shows them.
func (s *Server) knownPolicies(x *exchange) ([]core.Policy, error) {
	own, err := s.broker.ListPolicies(x.ctx(), core.ListPoliciesInput{Account: x.account, Limit: core.MaxListed})
	if err != nil {
		return nil, err
	}
	builtIn, err := s.broker.ListPolicies(x.ctx(), core.ListPoliciesInput{Limit: core.MaxListed})
	return append(own.Policies, builtIn.Policies...), err
}

// alterIdentity changes what an identity is besides its policies.
func (s *Server) alterIdentity(x *exchange, k identityKind) error {
	name, description := x.identity(k), x.field("description")
	change := core.IdentityChange{Description: &description}
	if k.IdentityKind != core.Group {
		boundary, err := s.boundary(x, orAWS(name.Cloud))
		if err != nil {
			return err
		}
		change.Boundary = &boundary
	}
	switch k.IdentityKind {
	case core.User:
		access, bodies := core.Access(x.field("access")), x.field("bodies") != ""
		change.Access, change.Bodies = &access, &bodies
		if x.isSelf(name) && access != x.session.grants.Access {
			return x.problem(core.InvalidArgument, x.t("You are this user. Somebody else must change what you may do."))
		}
	case core.Role:
		trust := x.field("trust")
		f := x.form()
		change.Trust, change.MaxSession = &trust, f.duration("session", time.Hour, core.MaxRoleSession)
		if f.err != nil {
			return f.err
		}
	}
	changed, err := s.broker.AlterIdentity(x.ctx(), name, change)
	if err != nil {
		return err
	}
	return x.done(x.identityPath(k, &changed), x.t("The settings were saved."))
}

// boundary reads which policy bounds an identity; the zero name for none.
func (s *Server) boundary(x *exchange, cloud string) (core.PolicyName, error) {
	text := x.field("boundary")
	if text == "" {
		return core.PolicyName{}, nil
	}
	return s.broker.PolicyCalled(x.ctx(), x.account, cloud, text)
}

// isSelf says that the visitor is this user.
func (x *exchange) isSelf(name core.IdentityName) bool {
	key := x.session.key
	return key != nil && name.Kind == core.User && name.Account == key.Account && name.Name == key.User
}

// attachPolicy attaches a policy that is kept by itself.
func (s *Server) attachPolicy(x *exchange, k identityKind) error {
	name := x.identity(k)
	policy, err := s.broker.PolicyCalled(x.ctx(), x.account, orAWS(name.Cloud), x.field("policy"))
	if err == nil {
		err = s.broker.AttachPolicy(x.ctx(), name, policy)
	}
	if err != nil {
		return err
	}
	return x.done(x.identityPath(k, &core.Identity{IdentityName: name}), x.t("Policy %s was attached.", policy.Name))
}

// detachPolicy detaches a policy.
func (s *Server) detachPolicy(x *exchange, k identityKind) error {
	name := x.identity(k)
	policy, err := s.broker.PolicyCalled(x.ctx(), x.account, orAWS(name.Cloud), x.field("policy"))
	if err == nil {
		err = s.broker.DetachPolicy(x.ctx(), name, policy)
	}
	if err != nil {
		return err
	}
	return x.done(x.identityPath(k, &core.Identity{IdentityName: name}), x.t("Policy %s was detached.", policy.Name))
}

// putInline sets a policy of the identity's own.
func (s *Server) putInline(x *exchange, k identityKind) error {
	name, policy := x.identity(k), x.field("name")
	if err := s.broker.PutInlinePolicy(x.ctx(), name, policy, core.Inline{Cloud: orAWS(x.field("cloud")), Text: x.field("text")}); err != nil {
		return err
	}
	return x.done(x.identityPath(k, &core.Identity{IdentityName: name}), x.t("Policy %s was saved.", policy))
}

// deleteInline removes a policy of the identity's own.
func (s *Server) deleteInline(x *exchange, k identityKind) error {
	name, policy := x.identity(k), x.field("name")
	if err := s.broker.DeleteInlinePolicy(x.ctx(), name, policy); err != nil {
		return err
	}
	return x.done(x.identityPath(k, &core.Identity{IdentityName: name}), x.t("Policy %s was deleted.", policy))
}

// deleteIdentity removes an identity with all that is its own, once its name was typed.
func (s *Server) deleteIdentity(x *exchange, k identityKind) error {
	name := x.identity(k)
	if x.isSelf(name) {
		return x.problem(core.InvalidArgument, x.t("You are this user. Somebody else must change what you may do."))
	}
	f := x.form()
	f.confirm(name.Name)
	if f.err != nil {
		return f.err
	}
	if err := s.broker.DeleteIdentity(x.ctx(), name, true); err != nil {
		return err
	}
	return x.done(k.Path, x.t("%s was deleted.", name.Name))
}

// createUserKey gives a user an access key, and shows its secret this once.
func (s *Server) createUserKey(x *exchange) error {
	user, err := s.broker.Identity(x.ctx(), x.identity(identityKinds[0]))
	if err != nil {
		return err
	}
	key, err := s.broker.CreateKey(x.ctx(), core.NewKey{Account: x.account, User: user.Name})
	if err != nil {
		return err
	}
	return s.part(x, "keys.html", "made", madeKey{key.ID, string(key.Secret)})
}

// joinGroup puts a user into a group.
func (s *Server) joinGroup(x *exchange) error { return s.member(x, s.broker.JoinGroup) }

// leaveGroup takes a user out of a group.
func (s *Server) leaveGroup(x *exchange) error { return s.member(x, s.broker.LeaveGroup) }

func (s *Server) member(x *exchange, do func(ctx context.Context, account, user, group string) error) error {
	group := x.r.PathValue("identity")
	if err := do(x.ctx(), x.account, x.field("user"), group); err != nil {
		return err
	}
	return x.done("/groups/"+url.PathEscape(group), x.t("The settings were saved."))
}

package ram

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/coverage"
	"github.com/polymq/polymq/protocols/openapi"
)

// Version is that of the API.
const Version = "2015-05-01"

// Server does the actions of the protocol.
type Server struct {
	*openapi.Server

	broker  *core.Broker
	callers *caller.Options
}

// New makes a Server.
func New(broker *core.Broker, callers *caller.Options) *Server {
	s := &Server{broker: broker, callers: callers}
	s.Server = openapi.NewServer(openapi.Service{Protocol: "ram", Product: "Ram", Actions: s.actions(), Fault: faultOf}, callers, broker)
	return s
}

// Matches reports whether a request is for this API: its version says so or, without one, its host.
func Matches(r *http.Request) bool {
	host, _, _ := strings.Cut(strings.ToLower(r.Host), ":")
	return openapi.Matches(r, Version) ||
		host == "ram.aliyuncs.com" && r.Header.Get("X-Acs-Version") == "" && !strings.Contains(r.URL.RawQuery, "Version=")
}

// Actions lists the protocol's actions.
func Actions() []coverage.Action {
	var actions []coverage.Action
	for _, action := range new(Server).actions() {
		actions = append(actions, coverage.Action{Name: action.Name, Done: true})
	}
	return actions
}

// actions is the table.
func (s *Server) actions() []openapi.Action {
	return []openapi.Action{
		action(s, "CreateUser", s.createUser),
		action(s, "GetUser", s.getUser),
		action(s, "UpdateUser", s.updateUser),
		action(s, "DeleteUser", s.deleteUser),
		action(s, "ListUsers", s.listUsers),
		action(s, "CreateAccessKey", s.createAccessKey),
		action(s, "ListAccessKeys", s.listAccessKeys),
		action(s, "UpdateAccessKey", s.updateAccessKey),
		action(s, "DeleteAccessKey", s.deleteAccessKey),
		action(s, "CreateGroup", s.createGroup),
		action(s, "GetGroup", s.getGroup),
		action(s, "UpdateGroup", s.updateGroup),
		action(s, "DeleteGroup", s.deleteGroup),
		action(s, "ListGroups", s.listGroups),
		action(s, "AddUserToGroup", s.addUserToGroup),
		action(s, "RemoveUserFromGroup", s.removeUserFromGroup),
		action(s, "ListGroupsForUser", s.listGroupsForUser),
		action(s, "ListUsersForGroup", s.listUsersForGroup),
		action(s, "CreateRole", s.createRole),
		action(s, "GetRole", s.getRole),
		action(s, "UpdateRole", s.updateRole),
		action(s, "DeleteRole", s.deleteRole),
		action(s, "ListRoles", s.listRoles),
		action(s, "CreatePolicy", s.createPolicy),
		action(s, "GetPolicy", s.getPolicy),
		action(s, "DeletePolicy", s.deletePolicy),
		action(s, "ListPolicies", s.listPolicies),
		action(s, "CreatePolicyVersion", s.createPolicyVersion),
		action(s, "GetPolicyVersion", s.getPolicyVersion),
		action(s, "ListPolicyVersions", s.listPolicyVersions),
		action(s, "DeletePolicyVersion", s.deletePolicyVersion),
		action(s, "SetDefaultPolicyVersion", s.setDefaultPolicyVersion),
		action(s, "AttachPolicyToUser", s.attach(core.User, s.attachPolicy)),
		action(s, "AttachPolicyToGroup", s.attach(core.Group, s.attachPolicy)),
		action(s, "AttachPolicyToRole", s.attach(core.Role, s.attachPolicy)),
		action(s, "DetachPolicyFromUser", s.attach(core.User, s.detachPolicy)),
		action(s, "DetachPolicyFromGroup", s.attach(core.Group, s.detachPolicy)),
		action(s, "DetachPolicyFromRole", s.attach(core.Role, s.detachPolicy)),
		action(s, "ListPoliciesForUser", s.listPoliciesFor(core.User)),
		action(s, "ListPoliciesForGroup", s.listPoliciesFor(core.Group)),
		action(s, "ListPoliciesForRole", s.listPoliciesFor(core.Role)),
		action(s, "ListEntitiesForPolicy", s.listEntitiesForPolicy),
		action(s, "SetAccountAlias", s.setAccountAlias),
		action(s, "GetAccountAlias", s.getAccountAlias),
		action(s, "ClearAccountAlias", s.clearAccountAlias),
	}
}

// action makes a row of the table, with what the caller needs for it.
func action[Req, Document any](s *Server, name string, do func(context.Context, *openapi.Call, *Req) (Document, error)) openapi.Action {
	reads := strings.HasPrefix(name, "Get") || strings.HasPrefix(name, "List")
	typed := openapi.Typed(do)
	return openapi.Action{
		Name: name,
		Do: func(ctx context.Context, c *openapi.Call) (any, error) {
			if !reads {
				if may, err := s.callers.MayManage(ctx, &c.Caller, s.broker); err != nil || !may {
					return nil, errors.Join(err, refused(may, c))
				}
			}
			return typed(ctx, c)
		},
		Wants: func(_ context.Context, c *openapi.Call) (wants []caller.Want) {
			for _, path := range subjects(c) {
				wants = append(wants, c.Want("ram", name, path))
			}
			return wants
		},
	}
}

func refused(may bool, c *openapi.Call) error {
	if may {
		return nil
	}
	return core.Errorf(core.AccessDenied, "%s may not do ram:%s: it takes the account's own access key, or a user with the access of admin", core.GrantsOf(c.Key).RAM, c.Action)
}

// subjects give the paths of what a request is about: of a policy that is attached, to whom; of what gets another
// name, both. That goes by its action alone: parameters that the action does not have say nothing.
func subjects(c *openapi.Call) []string {
	var kind, parameter string
	switch has := func(word string) bool { return strings.Contains(c.Action, word) }; {
	case has("Alias"), has("List") && !has("For") && !has("AccessKey") && !has("Versions"):
		return []string{"*"} // all that the account has
	case c.Action == "ListGroupsForUser":
		kind, parameter = "user", "UserName"
	case has("Group"): // of a user and a group it is the group
		kind, parameter = "group", "GroupName"
	case has("Role"):
		kind, parameter = "role", "RoleName"
	case has("User"), has("AccessKey"):
		kind, parameter = "user", "UserName"
	default:
		kind, parameter = "policy", "PolicyName"
	}
	name, renamed := c.Parameters[parameter], c.Parameters["New"+parameter]
	switch {
	case name == "" && kind == "user" && c.Key != nil && c.Key.User != "" && c.Key.Session.Name == "": // its own keys
		name = c.Key.User
	case name == "":
		return []string{"*"}
	}
	if !strings.HasPrefix(c.Action, "Update") || renamed == "" || renamed == name {
		return []string{kind + "/" + name}
	}
	return []string{kind + "/" + name, kind + "/" + renamed}
}

// plain is the answer of actions that have nothing to tell.
type plain struct{ RequestId string }

// stamp writes a time as RAM does.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// about is an error that says what it is about, for the code that the client gets.
type about struct {
	what string // "User", "Policy.Version"
	err  error
}

func (a *about) Error() string { return a.err.Error() }

func (a *about) Unwrap() error { return a.err }

// of says what an error is about.
func of(what string, err error) error {
	var already *about
	if err == nil || errors.As(err, &already) {
		return err
	}
	return &about{what, err}
}

// ofKind is of for the kinds of identities.
func ofKind(kind core.IdentityKind, err error) error { return of(nounOf[kind], err) }

var nounOf = map[core.IdentityKind]string{core.User: "User", core.Group: "Group", core.Role: "Role"}

// coreFaults says each of core's errors that can come up here; those that end in a dot say what they are about.
var coreFaults = map[core.Code]openapi.Fault{
	core.EntityNotFound:  {Status: http.StatusNotFound, Code: "EntityNotExist."},
	core.EntityExists:    {Status: http.StatusConflict, Code: "EntityAlreadyExists."},
	core.EntityInUse:     {Status: http.StatusConflict, Code: "DeleteConflict."},
	core.EntityLimit:     {Status: http.StatusConflict, Code: "LimitExceeded."},
	core.EntityProtected: {Status: http.StatusForbidden, Code: "NoPermission"},
	core.PolicyMalformed: {Status: http.StatusBadRequest, Code: "MalformedPolicyDocument"},
	core.KeyNotFound:     {Status: http.StatusNotFound, Code: "EntityNotExist."},
}

// faultOf gives what the client is told of an error.
func faultOf(err error) *openapi.Fault {
	var told *openapi.Fault
	fault, own := coreFaults[core.CodeOf(err)]
	if !own || errors.As(err, &told) {
		told, _ = openapi.FaultOf(err)
		return told
	}
	what := "Entity"
	var says *about
	if errors.As(err, &says) {
		what = says.what
	}
	if strings.HasSuffix(fault.Code, ".") {
		fault.Code += what
	}
	fault.Message = core.MessageOf(err)
	return &fault
}

package sts

import (
	"context"
	"sync"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/awsquery"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/coverage"
)

// Version is STS's version in the query protocol.
const Version = "2011-06-15"

// maxRequest bounds a request's body: names, and a policy in which every byte takes three.
const maxRequest = 64 << 10

// actions is STS's manual: every action by its name, nil for those that are not implemented.
func (s *Server) actions() map[string]*awsquery.Action {
	return map[string]*awsquery.Action{
		"AssumeRole":                 typed(s.assumeRole),
		"AssumeRoleWithSAML":         nil,
		"AssumeRoleWithWebIdentity":  nil,
		"AssumeRoot":                 nil,
		"DecodeAuthorizationMessage": nil,
		"GetAccessKeyInfo":           typed(s.getAccessKeyInfo),
		"GetCallerIdentity":          typed(s.getCallerIdentity),
		"GetDelegatedAccessToken":    nil,
		"GetFederationToken":         typed(s.getFederationToken),
		"GetSessionToken":            typed(s.getSessionToken),
		"GetWebIdentityToken":        nil,
	}
}

var table = sync.OnceValue(new(Server).actions)

// Actions lists STS's actions.
func Actions() []coverage.Action { return awsquery.Coverage(table()) }

// IsAction says that STS has an action of that name, and no other service of the query protocol.
func IsAction(name string) bool {
	_, known := table()[name]
	return known
}

// Server answers STS requests.
type Server struct {
	*awsquery.Server

	broker  *core.Broker
	callers *caller.Options
}

// New makes a Server.
func New(broker *core.Broker, callers *caller.Options) *Server {
	s := &Server{broker: broker, callers: callers}
	s.Server = awsquery.NewServer(awsquery.Service{
		Name: "sts", Version: Version, Namespace: "https://sts.amazonaws.com/doc/2011-06-15/", MaxBody: maxRequest,
		Actions: s.actions(), Authorize: func(ctx context.Context, c *awsquery.Call) error { return s.authorize(ctx, (*call)(c)) },
		Errors: coreErrors, Internal: "InternalFailure",
	}, callers)
	return s
}

// call is one request, as far as actions may know it.
type call awsquery.Call

// typed makes an action of a function on structures.
func typed[Request, Result any](do func(context.Context, *call, *Request) (*Result, error)) *awsquery.Action {
	return awsquery.Typed(func(ctx context.Context, c *awsquery.Call, in *Request) (*Result, error) {
		return do(ctx, (*call)(c), in)
	})
}

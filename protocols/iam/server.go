package iam

import (
	"context"
	"sync"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/awsquery"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/coverage"
)

// Version is IAM's version in the query protocol.
const Version = "2010-05-08"

// maxRequest bounds a request's body: the longest policy, in which every byte takes three, and tags.
const maxRequest = 3*core.MaxPolicyBytes + 128<<10

var table = sync.OnceValue(new(Server).actions)

// Actions lists IAM's actions.
func Actions() []coverage.Action { return awsquery.Coverage(table()) }

// IsAction says that IAM has an action of that name, and no other service of the query protocol.
func IsAction(name string) bool {
	_, known := table()[name]
	return known
}

// Server answers IAM requests.
type Server struct {
	*awsquery.Server

	broker  *core.Broker
	callers *caller.Options
}

// New makes a Server.
func New(broker *core.Broker, callers *caller.Options) *Server {
	s := &Server{broker: broker, callers: callers}
	s.Server = awsquery.NewServer(awsquery.Service{
		Name: "iam", Version: Version, Namespace: "https://iam.amazonaws.com/doc/2010-05-08/", MaxBody: maxRequest,
		Actions: s.actions(), Authorize: func(ctx context.Context, c *awsquery.Call) error { return s.authorize(ctx, (*call)(c)) },
		Errors: coreErrors, Internal: "ServiceFailure",
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

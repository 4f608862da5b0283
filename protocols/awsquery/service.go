package awsquery

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/coverage"
)

// Service is one of the services.
type Service struct {
	Name      string // as ARNs, policies, logs and metrics call it
	Version   string // that clients name
	Namespace string // of its documents
	MaxBody   int64  // bytes of a request
	Actions   map[string]*Action
	Authorize func(context.Context, *Call) error // whether the caller may do the action

	Errors   map[core.Code]Fault // core's errors in the service's words, the message left to core; others are faults of the server
	Internal string              // code of those
}

// Action is one action: how its request and its result travel, and what it does. A nil *Action is one that the
// service has and polymq does not.
type Action struct {
	result *aws.Shape
	do     func(context.Context, *Call) (any, error)
}

// Typed makes an Action of a function on structures.
func Typed[Request, Result any](do func(context.Context, *Call, *Request) (*Result, error)) *Action {
	request := aws.ShapeOf[Request]()
	return &Action{
		result: aws.ShapeOf[Result](),
		do: func(ctx context.Context, c *Call) (any, error) {
			in := new(Request)
			if err := request.DecodeParameters(c.Parameters, in); err != nil {
				return nil, err
			}
			c.Request = in
			out, err := do(ctx, c, in)
			if err != nil {
				return nil, err // not out, which would be a nil pointer in an any
			}
			return out, nil
		},
	}
}

// Coverage lists the actions of a table by their names.
func Coverage(actions map[string]*Action) []coverage.Action {
	var all []coverage.Action
	for _, name := range slices.Sorted(maps.Keys(actions)) {
		all = append(all, coverage.Action{Name: name, Done: actions[name] != nil})
	}
	return all
}

// find gives the action of a name.
func (s *Service) find(name string) (*Action, error) {
	switch a, known := s.Actions[name]; {
	case !known:
		return nil, Faultf(http.StatusBadRequest, "InvalidAction", "Could not find operation %.64s for version %s", name, s.Version)
	case a == nil:
		return nil, Faultf(http.StatusBadRequest, "InvalidAction", "polymq does not implement %s yet.", name)
	default:
		return a, nil
	}
}

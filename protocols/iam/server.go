package iam

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/coverage"
)

const namespace = "https://iam.amazonaws.com/doc/2010-05-08/"

// Version is IAM's version in the query protocol.
const Version = "2010-05-08"

// maxRequest bounds a request's body: the longest policy, in which every byte takes three, and tags.
const maxRequest = 3*core.MaxPolicyBytes + 128<<10

// Actions lists IAM's actions.
func Actions() []coverage.Action {
	var all []coverage.Action
	for name, a := range table() {
		all = append(all, coverage.Action{Name: name, Done: a != nil})
	}
	slices.SortFunc(all, func(a, b coverage.Action) int { return strings.Compare(a.Name, b.Name) })
	return all
}

var table = sync.OnceValue(actionTable)

// IsAction says that IAM has an action of that name, and no other service of the query protocol.
func IsAction(name string) bool { return table()[name] != nil }

// Server answers IAM requests.
type Server struct {
	broker  *core.Broker
	callers *caller.Options
	auth    *aws.Authenticator
	actions map[string]*action
}

// New makes a Server.
func New(broker *core.Broker, callers *caller.Options) *Server {
	return &Server{broker: broker, callers: callers, auth: aws.NewAuthenticator("iam", callers), actions: table()}
}

// action is one action: how its request and its result travel, and what it does.
type action struct {
	result *aws.Shape
	do     func(context.Context, *Server, *call) (any, error)
}

// typed makes an action of a function on structures.
func typed[Request, Result any](do func(*Server, context.Context, *call, *Request) (*Result, error)) *action {
	request := aws.ShapeOf[Request]()
	return &action{
		result: aws.ShapeOf[Result](),
		do: func(ctx context.Context, s *Server, c *call) (any, error) {
			in := new(Request)
			if err := request.DecodeParameters(c.parameters, in); err != nil {
				return nil, err
			}
			c.request = in
			out, err := do(s, ctx, c, in)
			if err != nil {
				return nil, err // not out, which would be a nil pointer in an any
			}
			return out, nil
		},
	}
}

// call is one request, as far as actions may know it.
type call struct {
	caller.Caller
	parameters aws.Parameters
	action     string
	request    any // as it was read, once it was
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{Caller: s.callers.Identify(r)}
	shape, result, err := s.do(c, r)
	status, code, message := http.StatusOK, "", ""
	var body []byte
	if err == nil {
		body = shape.AppendResponse(nil, namespace, c.action, result, c.RequestID)
	} else {
		f := faultOf(err)
		code, message = f.code, f.message
		level := zerolog.DebugLevel // of what IAM alone refuses
		if known := (*core.Error)(nil); errors.As(err, &known) || f.status == http.StatusInternalServerError {
			level = caller.LogLevel(err)
		}
		zerolog.Ctx(r.Context()).WithLevel(level).Err(err).Str("protocol", "iam").Str("action", c.action).Str("request_id", c.RequestID).Msg("request failed")
		wire := aws.Fault{Receiver: f.status >= http.StatusInternalServerError, Code: f.code, Message: f.message, RequestID: c.RequestID}
		status, body = f.status, wire.AppendXML(nil, namespace)
	}
	s.callers.Observe(&c.Caller, "iam", c.action, s.actions[c.action] != nil, code)
	if s.callers.Audits(false, code) {
		s.callers.Audit(r, &c.Caller, caller.Audited{Source: "iam", Action: c.action, Parameters: c.request, Result: result, Code: code, Text: message})
	}
	header := w.Header()
	header.Set("Content-Type", "text/xml")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("X-Amzn-Requestid", c.RequestID)
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // XML whose texts are escaped; nobody is left to tell of an error
}

// do finds the action and does it. A panic is an internal fault like any other.
func (s *Server) do(c *call, r *http.Request) (shape *aws.Shape, result any, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic: %v\n%s", reason, debug.Stack())
		}
	}()
	body, err := caller.ReadBody(r, maxRequest)
	if err != nil {
		return nil, nil, err
	}
	if c.parameters, err = aws.ParseParameters(string(body), r.URL.RawQuery); err != nil {
		return nil, nil, err
	}
	c.action, _ = c.parameters.Get("Action")
	if err := s.auth.Authenticate(r, body, &c.Caller); err != nil {
		return nil, nil, err
	}
	a, known := s.actions[c.action]
	if !known {
		return nil, nil, faultf("InvalidAction", "Could not find operation %.64s for version %s", c.action, Version)
	}
	if err := s.authorize(r.Context(), c); err != nil {
		return nil, nil, err
	}
	result, err = a.do(core.WithActor(r.Context(), c.Actor("iam", c.action)), s, c)
	return a.result, result, err
}

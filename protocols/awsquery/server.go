package awsquery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
)

// Server answers the requests of a service.
type Server struct {
	service Service
	callers *caller.Options
	auth    *aws.Authenticator
}

// NewServer makes a Server.
func NewServer(service Service, callers *caller.Options) *Server {
	return &Server{service: service, callers: callers, auth: aws.NewAuthenticator(service.Name, callers)}
}

// Call is one request, as far as actions may know it.
type Call struct {
	caller.Caller
	Action     string
	Parameters aws.Parameters
	Request    any // as it was read, once it was
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &Call{Caller: s.callers.Identify(r)}
	action, result, err := s.do(c, r)
	status, fault := http.StatusOK, &Fault{}
	var body []byte
	if err == nil {
		body = action.result.AppendResponse(nil, s.service.Namespace, c.Action, result, c.RequestID)
	} else {
		fault = s.service.faultOf(err)
		s.log(r.Context(), c, fault, err)
		wire := aws.Fault{Receiver: fault.Status >= http.StatusInternalServerError, Code: fault.Code, Message: fault.Message, RequestID: c.RequestID}
		status, body = fault.Status, wire.AppendXML(nil, s.service.Namespace)
	}
	s.callers.Observe(&c.Caller, s.service.Name, c.Action, s.service.Actions[c.Action] != nil, fault.Code)
	if s.callers.Audits(false, fault.Code) {
		s.callers.Audit(r, &c.Caller, caller.Audited{
			Source: s.service.Name, Action: c.Action, Parameters: c.Request, Result: result, Code: fault.Code, Text: fault.Message,
		})
	}
	header := w.Header()
	header.Set("Content-Type", "text/xml")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header[aws.RequestIDHeader] = []string{c.RequestID}
	w.WriteHeader(status)
	_, _ = w.Write(body) //nolint:gosec // XML whose texts are escaped; nobody is left to tell of an error
}

// do finds the action and does it. A panic is an internal fault like any other.
func (s *Server) do(c *Call, r *http.Request) (action *Action, result any, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("panic: %v\n%s", reason, debug.Stack())
		}
	}()
	body, err := caller.ReadBody(r, s.service.MaxBody)
	if err != nil {
		return nil, nil, err
	}
	if c.Parameters, err = aws.ParseParameters(string(body), r.URL.RawQuery); err != nil {
		return nil, nil, err
	}
	c.Action, _ = c.Parameters.Get("Action")
	if err := s.auth.Authenticate(r, body, &c.Caller); err != nil {
		return nil, nil, err
	}
	if action, err = s.service.find(c.Action); err != nil {
		return nil, nil, err
	}
	if err := s.service.Authorize(r.Context(), c); err != nil {
		return nil, nil, err
	}
	result, err = action.do(core.WithActor(r.Context(), c.Actor(s.service.Name, c.Action)), c)
	return action, result, err
}

// log writes down what the client is not told, and at the debug level also what it is.
func (s *Server) log(ctx context.Context, c *Call, fault *Fault, err error) {
	level := zerolog.DebugLevel // of what the service alone refuses
	if known := (*core.Error)(nil); errors.As(err, &known) || fault.Status >= http.StatusInternalServerError {
		level = caller.LogLevel(err)
	}
	zerolog.Ctx(ctx).WithLevel(level).Err(err).Str("protocol", s.service.Name).Str("action", c.Action).Str("request_id", c.RequestID).Str("account", c.Account).
		Msg("request failed")
}

package sns

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/coverage"
	"github.com/polymq/polymq/protocols/signing"
)

// actionTable is SNS's manual: every action by its name.
func actionTable() map[string]*action {
	return map[string]*action{
		"AddPermission":                      typed((*Server).addPermission),
		"CheckIfPhoneNumberIsOptedOut":       typed((*Server).checkIfPhoneNumberIsOptedOut),
		"ConfirmSubscription":                typed((*Server).confirmSubscription),
		"CreatePlatformApplication":          typed((*Server).createPlatformApplication),
		"CreatePlatformEndpoint":             typed((*Server).createPlatformEndpoint),
		"CreateSMSSandboxPhoneNumber":        typed((*Server).createSMSSandboxPhoneNumber),
		"CreateTopic":                        typed((*Server).createTopic),
		"DeleteEndpoint":                     typed((*Server).deleteEndpoint),
		"DeletePlatformApplication":          typed((*Server).deletePlatformApplication),
		"DeleteSMSSandboxPhoneNumber":        typed((*Server).deleteSMSSandboxPhoneNumber),
		"DeleteTopic":                        typed((*Server).deleteTopic),
		"GetDataProtectionPolicy":            typed((*Server).getDataProtectionPolicy),
		"GetEndpointAttributes":              typed((*Server).getEndpointAttributes),
		"GetPlatformApplicationAttributes":   typed((*Server).getPlatformApplicationAttributes),
		"GetSMSAttributes":                   typed((*Server).getSMSAttributes),
		"GetSMSSandboxAccountStatus":         typed((*Server).getSMSSandboxAccountStatus),
		"GetSubscriptionAttributes":          typed((*Server).getSubscriptionAttributes),
		"GetTopicAttributes":                 typed((*Server).getTopicAttributes),
		"ListEndpointsByPlatformApplication": typed((*Server).listEndpointsByPlatformApplication),
		"ListOriginationNumbers":             typed((*Server).listOriginationNumbers),
		"ListPhoneNumbersOptedOut":           typed((*Server).listPhoneNumbersOptedOut),
		"ListPlatformApplications":           typed((*Server).listPlatformApplications),
		"ListSMSSandboxPhoneNumbers":         typed((*Server).listSMSSandboxPhoneNumbers),
		"ListSubscriptions":                  typed((*Server).listSubscriptions),
		"ListSubscriptionsByTopic":           typed((*Server).listSubscriptionsByTopic),
		"ListTagsForResource":                typed((*Server).listTagsForResource),
		"ListTopics":                         typed((*Server).listTopics),
		"OptInPhoneNumber":                   typed((*Server).optInPhoneNumber),
		"Publish":                            typed((*Server).publish),
		"PublishBatch":                       typed((*Server).publishBatch),
		"PutDataProtectionPolicy":            typed((*Server).putDataProtectionPolicy),
		"RemovePermission":                   typed((*Server).removePermission),
		"SetEndpointAttributes":              typed((*Server).setEndpointAttributes),
		"SetPlatformApplicationAttributes":   typed((*Server).setPlatformApplicationAttributes),
		"SetSMSAttributes":                   typed((*Server).setSMSAttributes),
		"SetSubscriptionAttributes":          typed((*Server).setSubscriptionAttributes),
		"SetTopicAttributes":                 typed((*Server).setTopicAttributes),
		"Subscribe":                          typed((*Server).subscribe),
		"TagResource":                        typed((*Server).tagResource),
		"Unsubscribe":                        typed((*Server).unsubscribe),
		"UntagResource":                      typed((*Server).untagResource),
		"VerifySMSSandboxPhoneNumber":        typed((*Server).verifySMSSandboxPhoneNumber),
	}
}

// Actions lists SNS's actions.
func Actions() []coverage.Action {
	var all []coverage.Action
	for name := range actionTable() {
		all = append(all, coverage.Action{Name: name, Done: true})
	}
	slices.SortFunc(all, func(a, b coverage.Action) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Options say how subscribers see the server.
type Options struct {
	// CertHost is the host in the URL of the signing certificate, "sns.{region}.amazonaws.com" for
	// one: {region} stands for the topic's region. "": the server's own address, as the subscriber
	// knows it.
	CertHost string
}

// Server answers SNS requests, and is the core.Pusher of the subscriptions made through it.
type Server struct {
	broker  *core.Broker
	callers *caller.Options
	options Options
	auth    *aws.Authenticator
	actions map[string]*action
	signer  signer
}

// New makes a Server, and makes its format known to the broker.
func New(broker *core.Broker, callers *caller.Options, options Options) *Server {
	s := &Server{broker: broker, callers: callers, options: options, auth: aws.NewAuthenticator("sns", callers), actions: actionTable()}
	s.signer.key = signing.New(broker)
	broker.RegisterPusher(format, s)
	return s
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
			if err := s.authorize(ctx, c, in); err != nil {
				return nil, err
			}
			out, err := do(s, ctx, c, in)
			if err != nil {
				return nil, err // not out, which would be a nil pointer in an any
			}
			return out, nil
		},
	}
}

// noResult is what an action answers that has no result, emptyResult one whose result has no members.
type (
	noResult    struct{}
	emptyResult struct{ Nothing string }
)

// call is one request, as far as actions may know it.
type call struct {
	caller.Caller
	parameters aws.Parameters
	action     string
	json       bool   // the answer is to be in JSON
	traceID    string // X-Amzn-Trace-Id
	request    any    // as it was read, once it was
	byLink     bool   // that a subscriber was sent
	unsigned   error  // what to say to a request without a signature that needs one
}

// signed says that the request names who sent it.
func (c *call) signed() bool { return c.AccessKeyID != "" }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if IsCertificate(r) {
		s.serveCertificate(w, r)
		return
	}
	c := &call{Caller: s.callers.Identify(r), traceID: r.Header.Get("X-Amzn-Trace-Id")}
	c.json = strings.Contains(r.Header.Get("Accept"), "application/json")
	shape, result, err := s.do(c, r)
	if r.Context().Err() != nil && (err == nil || faultOf(err).receiver()) {
		return // whoever would read the answer is gone
	}
	var f *fault
	code := ""
	if err != nil {
		f = faultOf(err)
		code = f.code
		s.log(r.Context(), c, f, err)
	}
	s.callers.Observe(&c.Caller, "sns", c.action, s.actions[c.action] != nil, code)
	s.audit(r, c, result, f)
	c.answer(w, shape, result, f)
}

// do finds the action and does it. A panic is an internal fault like any other.
func (s *Server) do(c *call, r *http.Request) (shape *aws.Shape, result any, err error) {
	defer func() {
		if reason := recover(); reason != nil && reason != http.ErrAbortHandler { //nolint:errorlint // as net/http compares it
			err = fmt.Errorf("panic: %v\n%s", reason, debug.Stack())
		} else if reason != nil {
			panic(reason)
		}
	}()
	body, err := c.open(r)
	if err != nil {
		return nil, nil, err
	}
	a, known := s.actions[c.action]
	switch {
	case c.action == "":
		return nil, nil, missingAction.errorf("Missing Action")
	case !known:
		return nil, nil, invalidAction.errorf("Could not find operation %s", short(c.action))
	}
	if err := s.authenticate(c, func(who *caller.Caller) error { return s.auth.Authenticate(r, body, who) }); err != nil {
		return nil, nil, err
	}
	result, err = a.do(core.WithActor(r.Context(), c.Actor("sns", c.action)), s, c)
	return a.result, result, err
}

// log writes down what the client is not told, and at the debug level also what it is.
func (s *Server) log(ctx context.Context, c *call, f *fault, err error) {
	level := zerolog.DebugLevel // of what SNS alone refuses
	if coreErr := (*core.Error)(nil); errors.As(err, &coreErr) || f.wireError == internalError {
		level = caller.LogLevel(err)
	}
	zerolog.Ctx(ctx).WithLevel(level).Err(err).Str("protocol", "sns").Str("action", c.action).Str("request_id", c.RequestID).Str("account", c.Account).
		Msg("request failed")
}

// answer writes the result, or the fault where there is one.
func (c *call) answer(w http.ResponseWriter, shape *aws.Shape, result any, f *fault) {
	status, contentType := http.StatusOK, "text/xml"
	var body []byte
	if f != nil {
		status = f.status
	}
	switch {
	case c.json:
		contentType, body = "application/json", c.appendJSON(nil, shape, result, f)
	case f != nil:
		body = c.appendFault(nil, f)
	default:
		body = shape.AppendResponse(nil, namespace, c.action, result, c.RequestID)
	}
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header[aws.RequestIDHeader] = []string{c.RequestID}
	w.WriteHeader(status)
	_, _ = w.Write(body) // nobody is left to tell
}

// IsAction says that an action is SNS's and not one that SQS has too.
func IsAction(name string) bool {
	_, known := actionTable()[name]
	return known && name != "AddPermission" && name != "RemovePermission"
}

package smq

import (
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/coverage"
	"github.com/polymq/polymq/protocols/mns"
)

// Version is that of the API.
const Version = "2022-01-19"

// route is a row of the table of actions.
type route struct {
	name string
	do   action
}

// routes is the table (specs/mns-openapi.md 6).
var routes = []route{
	{"CreateQueue", typed((*Server).createQueue)},
	{"SetQueueAttributes", typed((*Server).setQueueAttributes)},
	{"GetQueueAttributes", typed((*Server).getQueueAttributes)},
	{"DeleteQueue", typed((*Server).deleteQueue)},
	{"ListQueue", typed((*Server).listQueue)},
	{"CreateTopic", typed((*Server).createTopic)},
	{"SetTopicAttributes", typed((*Server).setTopicAttributes)},
	{"GetTopicAttributes", typed((*Server).getTopicAttributes)},
	{"DeleteTopic", typed((*Server).deleteTopic)},
	{"ListTopic", typed((*Server).listTopic)},
	{"Subscribe", typed((*Server).subscribe)},
	{"SetSubscriptionAttributes", typed((*Server).setSubscriptionAttributes)},
	{"GetSubscriptionAttributes", typed((*Server).getSubscriptionAttributes)},
	{"Unsubscribe", typed((*Server).unsubscribe)},
	{"ListSubscriptionByTopic", typed((*Server).listSubscriptionByTopic)},
	{"AuthorizeEndpointAcl", typed((*Server).authorizeEndpointAcl)},
	{"RevokeEndpointAcl", typed((*Server).revokeEndpointAcl)},
	{"EnableEndpoint", typed((*Server).enableEndpoint)},
	{"DisableEndpoint", typed((*Server).disableEndpoint)},
	{"GetEndpointAttribute", typed((*Server).getEndpointAttribute)},
	{"CreateEventRule", typed((*Server).createEventRule)},
	{"DeleteEventRule", typed((*Server).deleteEventRule)},
	{"GetEventRule", typed((*Server).getEventRule)},
	{"ListEventRules", typed((*Server).listEventRules)},
	{"GetAccountAttributes", typed((*Server).getAccountAttributes)},
	{"SetAccountAttributes", typed((*Server).setAccountAttributes)},
	{"TagResources", typed((*Server).tagResources)},
	{"UntagResources", typed((*Server).untagResources)},
	{"ListTagResources", typed((*Server).listTagResources)},
}

// Actions lists the protocol's actions.
func Actions() []coverage.Action {
	var actions []coverage.Action
	for i := range routes {
		actions = append(actions, coverage.Action{Name: routes[i].name, Done: true})
	}
	return actions
}

// Server answers requests of the protocol.
type Server struct {
	broker  *core.Broker
	callers *caller.Options
	gate    *mns.Gate
	now     func() time.Time
}

// New makes a Server. gate is that of the data plane, which the control plane opens and closes.
func New(broker *core.Broker, callers *caller.Options, gate *mns.Gate) *Server {
	return &Server{broker: broker, callers: callers, gate: gate, now: time.Now}
}

// Matches reports whether a request is for this API: its version says so.
func Matches(r *http.Request) bool {
	if strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-") {
		return false
	}
	return r.Header.Get("X-Acs-Version") == Version || strings.Contains(r.URL.RawQuery, "Version="+Version)
}

// call is a request as the actions see it.
type call struct {
	caller.Caller
	action     string
	parameters parameters
	host       string
}

func (c *call) queueName(name string) core.QueueName {
	return core.QueueName{Account: c.Account, Region: c.Region, Name: name}
}

func (c *call) topicName(name string) core.TopicName {
	return core.TopicName{Account: c.Account, Region: c.Region, Name: name}
}

// Bounds of a request.
const (
	maxBody       = 1 << 20
	maxParameters = 1000
)

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{Caller: s.callers.Identify(r), host: r.Host}
	data, err := s.do(r, c)
	known := slices.ContainsFunc(routes, func(r route) bool { return r.name == c.action })
	if err != nil {
		s.log(r.Context(), c, err)
		fault := wireErrorOf(err)
		s.callers.Observe(&c.Caller, "smq", c.action, known, fault.code)
		s.fail(w, c, fault)
		return
	}
	s.callers.Observe(&c.Caller, "smq", c.action, known, "")
	if plain, isPlain := data.(*tagResourcesAnswer); isPlain {
		write(w, http.StatusOK, plain)
		return
	}
	write(w, http.StatusOK, success(c, data))
}

func (s *Server) do(r *http.Request, c *call) (any, error) {
	body, err := s.read(r, c)
	if err != nil {
		return nil, err
	}
	if err := s.authenticate(r, body, c); err != nil {
		return nil, err
	}
	for i := range routes {
		if routes[i].name == c.action {
			return routes[i].do(s, r.Context(), c)
		}
	}
	if c.action == "" {
		return nil, missing("Action")
	}
	return nil, wireError{http.StatusNotFound, "InvalidAction.NotFound", "mns-open has no action of this name"}
}

// read puts the parameters of query and form together.
func (s *Server) read(r *http.Request, c *call) (body []byte, err error) {
	body, err = caller.ReadBody(r, maxBody)
	switch {
	case errors.Is(err, caller.ErrTooLarge):
		return nil, wireError{http.StatusBadRequest, "InvalidParameter", "the body of the request is too large"}
	case err != nil:
		return nil, wireError{http.StatusBadRequest, "InvalidParameter", "the body of the request cannot be read"}
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, wireError{http.StatusBadRequest, "InvalidParameter", "the query of the request cannot be read"}
	}
	form := url.Values{}
	if isForm(r.Header) {
		if form, err = url.ParseQuery(string(body)); err != nil {
			return nil, wireError{http.StatusBadRequest, "InvalidParameter", "the form of the request cannot be read"}
		}
	}
	if len(query)+len(form) > maxParameters {
		return nil, wireError{http.StatusBadRequest, "InvalidParameter", "a request has at most " + strconv.Itoa(maxParameters) + " parameters"}
	}
	c.parameters = parameters{}
	for _, values := range []url.Values{query, form} {
		for name, value := range values {
			c.parameters[name] = value[0]
		}
	}
	if c.action = r.Header.Get("X-Acs-Action"); c.action == "" {
		c.action = c.parameters["Action"]
	}
	if strings.EqualFold(c.parameters["Format"], "xml") {
		return nil, invalidParameter("Format", "must be JSON")
	}
	return body, nil
}

// isForm says that a body holds parameters, which are signed as those of the query are.
func isForm(header http.Header) bool {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return kind == "application/x-www-form-urlencoded"
}

// envelope stands around what an action answers.
type envelope struct {
	RequestId string
	Code      int
	Status    string
	Message   string
	Success   bool
	Data      any `json:",omitempty"`
}

// result is the Data of actions that have nothing to tell but that they succeeded.
type result struct {
	Code    int
	Message string
	Success bool
}

var succeeded = &result{Code: http.StatusOK, Success: true}

// none is the answer of actions without Data.
type none *struct{}

func success(c *call, data any) *envelope {
	e := &envelope{RequestId: requestID(c), Code: http.StatusOK, Status: "Success", Message: "operation success", Success: true}
	if _, isNone := data.(none); !isNone {
		e.Data = data
	}
	return e
}

func requestID(c *call) string { return strings.ToUpper(c.RequestID) }

// fail answers with an error.
func (s *Server) fail(w http.ResponseWriter, c *call, e wireError) {
	write(w, e.status, struct{ RequestId, HostId, Code, Message string }{requestID(c), c.host, e.code, e.message})
}

func write(w http.ResponseWriter, status int, document any) {
	body, err := json.Marshal(document)
	if err != nil {
		panic(err) // texts and numbers always have a JSON form
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // nobody is left to tell
}

// log writes down what the client is not told, and at the debug level also what it is.
func (s *Server) log(ctx context.Context, c *call, err error) {
	level := caller.LogLevel(err)
	if own := (wireError{}); errors.As(err, &own) || mns.IsOwn(err) {
		level = zerolog.DebugLevel
	}
	zerolog.Ctx(ctx).WithLevel(level).Err(err).Str("protocol", "smq").Str("action", c.action).Str("request_id", c.RequestID).Str("account", c.Account).
		Msg("request failed")
}

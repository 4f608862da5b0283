package openapi

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// Service is one of the services.
type Service struct {
	Protocol string // as logs and metrics call it
	Product  string // as its manual calls it
	Code     string // as policies call it; "": the product, in lower case
	Actions  []Action
	Fault    func(error) *Fault // what a client is told of an error; nil: FaultOf
}

// Action is one of a service's actions. It answers with the document that the client gets.
type Action struct {
	Name string
	Do   func(context.Context, *Call) (any, error) // nil: the service has it, polymq does not

	// Wants gives what the caller must be allowed; nil: the action of that name, on all that the account has.
	Wants func(context.Context, *Call) []caller.Want
	Open  bool // it needs no permission, or finds out by itself who may
}

// Nonces remember what requests were signed with.
type Nonces interface {
	// UseNonce says whether the nonce is used for the first time.
	UseNonce(ctx context.Context, keyID, nonce string, life time.Duration) (first bool, err error)
}

// Server answers the requests of a service.
type Server struct {
	service Service
	callers *caller.Options
	nonces  Nonces
	now     func() time.Time
}

// NewServer makes a Server.
func NewServer(service Service, callers *caller.Options, nonces Nonces) *Server {
	if service.Fault == nil {
		service.Fault = func(err error) *Fault {
			fault, _ := FaultOf(err)
			return fault
		}
	}
	return &Server{service: service, callers: callers, nonces: nonces, now: time.Now}
}

// Matches reports whether a request is for the service of a version: it names the version, and is not signed
// for AWS. What is named in a form is not looked at.
func Matches(r *http.Request, version string) bool {
	if strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-") {
		return false
	}
	return r.Header.Get("X-Acs-Version") == version || strings.Contains(r.URL.RawQuery, "Version="+version)
}

// Call is a request as the actions see it.
type Call struct {
	caller.Caller
	Action     string
	Parameters Parameters
	Host       string
	xml        bool
	twice      string // a parameter with two values, of which none is sure to be meant; "": none
}

// ID gives the call's id as Alibaba writes it.
func (c *Call) ID() string { return strings.ToUpper(c.RequestID) }

// Bounds of a request.
const (
	maxBody       = 1 << 20
	maxParameters = 1000
)

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &Call{Caller: s.callers.Identify(r), Host: r.Host}
	document, err := s.do(r, c)
	if err == nil {
		s.callers.Observe(&c.Caller, s.service.Protocol, c.Action, true, "")
		s.audit(r, c, document, &Fault{})
		c.write(w, http.StatusOK, c.Action+"Response", document)
		return
	}
	s.log(r.Context(), c, err)
	fault := s.service.Fault(err)
	s.callers.Observe(&c.Caller, s.service.Protocol, c.Action, s.find(c.Action) != nil, fault.Code)
	s.audit(r, c, nil, fault)
	recommend := "https://api.aliyun.com/troubleshoot?q=" + fault.Code + "&product=" + s.service.Product
	c.write(w, fault.Status, "Error", problem{c.ID(), c.Host, fault.Code, fault.Message, recommend, denialOf(c, err)})
}

// problem is the document of an error. It recommends the page on which Alibaba explains the code.
type problem struct {
	RequestId, HostId, Code, Message, Recommend string

	AccessDeniedDetail *denial `json:",omitempty"`
}

func (s *Server) do(r *http.Request, c *Call) (any, error) {
	body, err := s.read(r, c)
	if err != nil {
		return nil, err
	}
	if err := s.authenticate(r, body, c); err != nil {
		return nil, err
	}
	if c.twice != "" {
		return nil, unreadable("the parameter " + strings.ToValidUTF8(c.twice, "\uFFFD") + " is given twice")
	}
	if err := s.callers.Admit(&c.Caller); err != nil {
		return nil, err
	}
	switch action := s.find(c.Action); {
	case c.Action == "":
		return nil, Missing("Action")
	case action == nil:
		return nil, NewFault(http.StatusNotFound, "InvalidAction.NotFound", s.service.Product+" has no action of this name")
	case action.Do == nil:
		return nil, NewFault(http.StatusNotFound, "InvalidAction.NotFound", "polymq does not implement "+c.Action+" yet")
	default:
		if err := s.authorize(r.Context(), c, action); err != nil {
			return nil, err
		}
		return action.Do(core.WithActor(r.Context(), c.Actor(s.service.Protocol, c.Action)), c)
	}
}

func (s *Server) find(name string) *Action {
	for i := range s.service.Actions {
		if s.service.Actions[i].Name == name {
			return &s.service.Actions[i]
		}
	}
	return nil
}

// read puts the parameters of query and form together.
func (s *Server) read(r *http.Request, c *Call) (body []byte, err error) {
	body, err = caller.ReadBody(r, maxBody)
	switch {
	case errors.Is(err, caller.ErrTooLarge):
		return nil, unreadable("the body of the request is too large")
	case err != nil:
		return nil, unreadable("the body of the request cannot be read")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, unreadable("the query of the request cannot be read")
	}
	form, err := formOf(r.Header, body)
	if err != nil {
		return nil, err
	}
	if len(query)+len(form) > maxParameters {
		return nil, unreadable("a request has at most " + strconv.Itoa(maxParameters) + " parameters")
	}
	c.Parameters = Parameters{}
	for _, values := range []url.Values{query, form} {
		for name, given := range values {
			for _, value := range given {
				if before, twice := c.Parameters[name]; twice && before != value {
					c.twice = name
				}
				c.Parameters[name] = value
			}
		}
	}
	if c.Action = r.Header.Get("X-Acs-Action"); c.Action == "" {
		c.Action = c.Parameters["Action"]
	}
	if id := c.Parameters["AccessKeyId"]; c.AccessKeyID == "" && id != "" && !s.callers.Verify { // from a form
		c.AccessKeyID, c.Account = id, caller.AccountOf(id)
	}
	switch format := strings.ToUpper(c.Parameters["Format"]); format {
	case "", "JSON":
	case "XML":
		c.xml = true
	default:
		return nil, InvalidParameter("Format", "must be JSON or XML")
	}
	return body, nil
}

// formOf gives the parameters that a body holds: a form, or the members of a JSON document, as requests in ROA style may
// have it. The latter only beside an Authorization header, for of bodies that are no forms a signature among the
// parameters covers nothing.
func formOf(header http.Header, body []byte) (url.Values, error) {
	switch {
	case isForm(header):
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, unreadable("the form of the request cannot be read")
		}
		return form, nil
	case len(body) > 0 && isJSON(header) && header.Get("Authorization") != "":
		form, err := flatten(body)
		if err != nil {
			return nil, unreadable("the JSON document of the request cannot be read")
		}
		return form, nil
	}
	return nil, nil
}

func unreadable(why string) error { return NewFault(http.StatusBadRequest, "InvalidParameter", why) }

// isForm says that a body holds parameters, which are signed as those of the query are.
func isForm(header http.Header) bool {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return kind == "application/x-www-form-urlencoded"
}

func isJSON(header http.Header) bool {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return kind == "application/json"
}

// log writes down what the client is not told, and at the debug level also what it is.
func (s *Server) log(ctx context.Context, c *Call, err error) {
	level := zerolog.DebugLevel // of what the service alone refuses
	if known := (*core.Error)(nil); errors.As(err, &known) || s.service.Fault(err).Status >= http.StatusInternalServerError {
		level = caller.LogLevel(err)
	}
	zerolog.Ctx(ctx).WithLevel(level).Err(err).Str("protocol", s.service.Protocol).Str("action", c.Action).Str("request_id", c.RequestID).Str("account", c.Account).
		Msg("request failed")
}

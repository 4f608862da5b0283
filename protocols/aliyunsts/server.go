package aliyunsts

import (
	"net/http"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/coverage"
	"github.com/polymq/polymq/protocols/openapi"
)

// Version is that of the API.
const Version = "2015-04-01"

// actions is the service's manual: nil for those that are not implemented.
func (s *Server) actions() []openapi.Action {
	return []openapi.Action{
		{Name: "AssumeRole", Do: openapi.Typed(s.assumeRole), Open: true},
		{Name: "AssumeRoleWithOIDC"},
		{Name: "AssumeRoleWithSAML"},
		{Name: "GetCallerIdentity", Do: openapi.Typed(s.getCallerIdentity), Open: true},
	}
}

// Actions lists the protocol's actions.
func Actions() []coverage.Action {
	var actions []coverage.Action
	for _, action := range new(Server).actions() {
		actions = append(actions, coverage.Action{Name: action.Name, Done: action.Do != nil})
	}
	return actions
}

// Server does the actions of the protocol.
type Server struct {
	*openapi.Server

	broker  *core.Broker
	callers *caller.Options
}

// New makes a Server.
func New(broker *core.Broker, callers *caller.Options) *Server {
	s := &Server{broker: broker, callers: callers}
	s.Server = openapi.NewServer(openapi.Service{Protocol: "aliyunsts", Product: "Sts", Actions: s.actions()}, callers, broker)
	return s
}

// Matches reports whether a request is for this API: its version says so or, without one, its host.
func Matches(r *http.Request) bool {
	if openapi.Matches(r, Version) {
		return true
	}
	host, _, _ := strings.Cut(strings.ToLower(r.Host), ":")
	kind, domain, _ := strings.Cut(host, ".")
	return (kind == "sts" || kind == "sts-vpc") && strings.HasSuffix("."+domain, ".aliyuncs.com") && r.Header.Get("X-Acs-Version") == "" &&
		!strings.Contains(r.URL.RawQuery, "Version=")
}

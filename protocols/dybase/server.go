package dybase

import (
	"context"
	"net/http"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/coverage"
	"github.com/polymq/polymq/protocols/openapi"
)

// Version is that of the API.
const Version = "2017-05-25"

func (s *Server) actions() []openapi.Action {
	return []openapi.Action{{Name: "QueryTokenForMnsQueue", Do: openapi.Typed(s.queryTokenForMnsQueue), Wants: wants}}
}

// wants is the permission to have a token for the queue: a policy can say for which.
func wants(_ context.Context, c *openapi.Call) []caller.Want {
	return []caller.Want{c.Want("dybaseapi", c.Action, "/queues/"+c.Parameters["QueueName"])}
}

// Actions lists the protocol's actions.
func Actions() []coverage.Action {
	var actions []coverage.Action
	for _, action := range new(Server).actions() {
		actions = append(actions, coverage.Action{Name: action.Name, Done: true})
	}
	return actions
}

// Server does the actions of the protocol.
type Server struct {
	*openapi.Server

	broker *core.Broker
}

// New makes a Server.
func New(broker *core.Broker, callers *caller.Options) *Server {
	s := &Server{broker: broker}
	s.Server = openapi.NewServer(openapi.Service{Protocol: "dybase", Product: "Dybaseapi", Actions: s.actions()}, callers, broker)
	return s
}

// Matches reports whether a request is for this API: its version and action say so, for other services of
// Alibaba's have the same version.
func Matches(r *http.Request) bool {
	const action = "QueryTokenForMnsQueue"
	return openapi.Matches(r, Version) && (r.Header.Get("X-Acs-Action") == action || r.URL.Query().Get("Action") == action)
}

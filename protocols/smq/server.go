package smq

import (
	"context"
	"net/http"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/coverage"
	"github.com/polymq/polymq/protocols/mns"
	"github.com/polymq/polymq/protocols/openapi"
)

// Version is that of the API.
const Version = "2022-01-19"

// actions is the table (specs/mns-openapi.md 6).
func (s *Server) actions() []openapi.Action {
	actions := []openapi.Action{
		{Name: "CreateQueue", Do: typed(s.createQueue)},
		{Name: "SetQueueAttributes", Do: typed(s.setQueueAttributes)},
		{Name: "GetQueueAttributes", Do: typed(s.getQueueAttributes)},
		{Name: "DeleteQueue", Do: typed(s.deleteQueue)},
		{Name: "ListQueue", Do: typed(s.listQueue)},
		{Name: "CreateTopic", Do: typed(s.createTopic)},
		{Name: "SetTopicAttributes", Do: typed(s.setTopicAttributes)},
		{Name: "GetTopicAttributes", Do: typed(s.getTopicAttributes)},
		{Name: "DeleteTopic", Do: typed(s.deleteTopic)},
		{Name: "ListTopic", Do: typed(s.listTopic)},
		{Name: "Subscribe", Do: typed(s.subscribe)},
		{Name: "SetSubscriptionAttributes", Do: typed(s.setSubscriptionAttributes)},
		{Name: "GetSubscriptionAttributes", Do: typed(s.getSubscriptionAttributes)},
		{Name: "Unsubscribe", Do: typed(s.unsubscribe)},
		{Name: "ListSubscriptionByTopic", Do: typed(s.listSubscriptionByTopic)},
		{Name: "AuthorizeEndpointAcl", Do: typed(s.authorizeEndpointAcl)},
		{Name: "RevokeEndpointAcl", Do: typed(s.revokeEndpointAcl)},
		{Name: "EnableEndpoint", Do: typed(s.enableEndpoint)},
		{Name: "DisableEndpoint", Do: typed(s.disableEndpoint)},
		{Name: "GetEndpointAttribute", Do: typed(s.getEndpointAttribute)},
		{Name: "CreateEventRule", Do: typed(s.createEventRule)},
		{Name: "DeleteEventRule", Do: typed(s.deleteEventRule)},
		{Name: "GetEventRule", Do: typed(s.getEventRule)},
		{Name: "ListEventRules", Do: typed(s.listEventRules)},
		{Name: "GetAccountAttributes", Do: typed(s.getAccountAttributes)},
		{Name: "SetAccountAttributes", Do: typed(s.setAccountAttributes)},
		{Name: "TagResources", Do: typed(s.tagResources)},
		{Name: "UntagResources", Do: typed(s.untagResources)},
		{Name: "ListTagResources", Do: typed(s.listTagResources)},
	}
	for i := range actions {
		actions[i].Wants = s.wants(wants[actions[i].Name])
	}
	return actions
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
	gate   *mns.Gate
}

// New makes a Server. gate is that of the data plane, which the control plane opens and closes.
func New(broker *core.Broker, callers *caller.Options, gate *mns.Gate) *Server {
	s := &Server{broker: broker, gate: gate}
	s.Server = openapi.NewServer(openapi.Service{Protocol: "smq", Product: "Mns-open", Code: "mns", Actions: s.actions(), Fault: faultOf}, callers, broker)
	return s
}

// Matches reports whether a request is for this API: its version says so.
func Matches(r *http.Request) bool { return openapi.Matches(r, Version) }

// call is a request as the actions see it.
type call struct{ *openapi.Call }

func (c *call) queueName(name string) core.QueueName {
	return core.QueueName{Account: c.Account, Region: c.Region, Name: name}
}

func (c *call) topicName(name string) core.TopicName {
	return core.TopicName{Account: c.Account, Region: c.Region, Name: name}
}

// typed makes what an action does of a function that has its parameters in a struct and answers with the Data of
// the envelope.
func typed[Req, Data any](do func(context.Context, *call, *Req) (Data, error)) func(context.Context, *openapi.Call) (any, error) {
	return openapi.Typed(func(ctx context.Context, of *openapi.Call, req *Req) (any, error) {
		c := &call{of}
		data, err := do(ctx, c, req)
		if err != nil {
			return nil, err
		}
		if plain, isPlain := any(data).(*tagResourcesAnswer); isPlain {
			return plain, nil
		}
		return success(c, data), nil
	})
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
	e := &envelope{RequestId: c.ID(), Code: http.StatusOK, Status: "Success", Message: "operation success", Success: true}
	if _, isNone := data.(none); !isNone {
		e.Data = data
	}
	return e
}

package api

import (
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
	"github.com/gin-gonic/gin"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/coverage"
)

// prefix is where the API lives; everything under it is answered with a problem, not by another protocol.
const prefix = "/api/v1"

// Options are what the API needs to know of the server.
type Options struct {
	Version   string // of the server
	TestMode  bool   // time may be moved forward
	Authority []byte // certificate in PEM that clients have to trust, for everybody to read; nil: there is none
}

// Server answers the JSON API.
type Server struct {
	broker  *core.Broker
	callers *caller.Options
	options Options
}

// New makes a Server.
func New(broker *core.Broker, callers *caller.Options, options Options) *Server {
	return &Server{broker: broker, callers: callers, options: options}
}

// Register mounts the API and its documentation.
func (s *Server) Register(engine *gin.Engine) {
	routes := newRoutes(engine)
	api := s.register(routes)
	document := sync.OnceValues(func() ([]byte, error) { return api.OpenAPI().MarshalJSON() })
	routes.handle(http.MethodGet, prefix+"/openapi.json", func(c *gin.Context) { serveDocument(c, document) })
	routes.handle(http.MethodGet, prefix+"/docs", serveDocs)
	routes.handle(http.MethodGet, prefix+"/ca.pem", s.serveAuthority)
	routes.refuseOthers()
}

// RegisterHealth mounts the health checks, which are there whether the API is or not.
func (s *Server) RegisterHealth(engine *gin.Engine) {
	routes := newRoutes(engine)
	routes.handle(http.MethodGet, "/healthz", s.healthz)
	routes.handle(http.MethodGet, "/readyz", s.readyz)
	routes.refuseOthers()
}

// Guarded mounts a handler beside the API, for the same callers.
func (s *Server) Guarded(engine *gin.Engine, path string, handler http.Handler) {
	routes := newRoutes(engine)
	guard := s.newAdapter(routes)
	routes.handle(http.MethodGet, path, func(c *gin.Context) {
		who := s.callers.Identify(c.Request)
		if guard.authorize(c, &who, need{access: core.Admin, everywhere: true}) == nil {
			guard.audit(c, path, &exchange{caller: who})
			return
		}
		handler.ServeHTTP(c.Writer, c.Request)
	})
	routes.refuseOthers()
}

// Matches reports whether a request is meant for the API, so that one whose path or method does
// not exist is answered by NotFound and not by another protocol.
func Matches(r *http.Request) bool {
	return r.URL.Path == "/api" || strings.HasPrefix(r.URL.Path, "/api/")
}

// plainNumbers makes the bounds that messages tell readable: 1296000, not 1.296e+06.
var plainNumbers = sync.OnceFunc(func() {
	validation.MsgExpectedMinimumNumber = "expected number >= %.15g"
	validation.MsgExpectedMaximumNumber = "expected number <= %.15g"
})

// register mounts the operations.
func (s *Server) register(routes *routes) huma.API {
	plainNumbers()
	config := huma.DefaultConfig("polymq", s.options.Version)
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.CreateHooks = nil // no links to schemas, which are in the document
	config.Transformers = []huma.Transformer{asProblem}
	config.Formats = map[string]huma.Format{"application/json": jsonFormat, "json": jsonFormat}
	config.Info.Description = "Queues and messages of polymq. What is sent here can be received with SQS and MNS clients, and the other way round."
	api := huma.NewAPI(config, s.newAdapter(routes))
	problem := problemResponse(api.OpenAPI().Components.Schemas)

	const queues, queue = prefix + "/queues", prefix + "/queues/{name}"
	const messages, keys = queue + "/messages", prefix + "/keys"
	const topics, topic = prefix + "/topics", prefix + "/topics/{topic}"
	const subscriptions, subscription = topic + "/subscriptions", topic + "/subscriptions/{subscription}"
	const delivery = subscription + "/deliveries/{message}"
	op := func(id, method, path, tag, summary string, status int) huma.Operation {
		return huma.Operation{
			OperationID: id, Method: method, Path: path, Tags: []string{tag}, Summary: summary, DefaultStatus: status,
			MaxBodyBytes: maxBodyBytes,
			Responses:    map[string]*huma.Response{"default": problem},
		}
	}
	const get, post, patch, remove = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	huma.Register(api, op("list-queues", get, queues, "Queues", "List queues by name", 200), s.listQueues)
	huma.Register(api, op("create-queue", post, queues, "Queues", "Create a queue", 201), s.createQueue)
	huma.Register(api, op("get-queue", get, queue, "Queues", "Show a queue and its counts", 200), s.getQueue)
	huma.Register(api, op("alter-queue", patch, queue, "Queues", "Change settings of a queue", 200), s.alterQueue)
	huma.Register(api, op("delete-queue", remove, queue, "Queues", "Delete a queue and its messages", 204), s.deleteQueue)
	huma.Register(api, op("purge-queue", post, messages+":purge", "Queues", "Remove all messages", 204), s.purgeQueue)
	huma.Register(api, op("list-sources", get, queue+"/sources", "Dead letters", "List the queues whose dead letters come here", 200), s.listSources)
	huma.Register(api, op("start-move", post, queue+"/moves", "Dead letters", "Move the messages of a dead-letter queue", 201), s.startMove)
	huma.Register(api, op("list-moves", get, queue+"/moves", "Dead letters", "List move tasks", 200), s.listMoves)
	huma.Register(api, op("cancel-move", remove, queue+"/moves/{id}", "Dead letters", "Cancel a move task", 200), s.cancelMove)
	huma.Register(api, op("send-messages", post, messages, "Messages", "Send messages, all or none", 201), s.sendMessages)
	huma.Register(api, op("receive-messages", post, messages+":receive", "Messages", "Receive messages", 200), s.receiveMessages)
	huma.Register(api, op("peek-messages", get, messages, "Messages", "Look at messages without receiving them", 200), s.peekMessages)
	huma.Register(api, op("delete-messages", post, messages+":delete", "Messages", "Delete received messages", 200), s.deleteMessages)
	huma.Register(api, op("change-visibility", post, messages+":visibility", "Messages", "Change when received messages become visible again", 200), s.changeVisibility)
	huma.Register(api, op("return-messages", post, messages+":return", "Messages", "Undo a receive", 200), s.returnMessages)
	huma.Register(api, op("wait-for-message", get, messages+":wait", "Messages", "Wait for a message without receiving it, in test mode", 200), s.waitForMessage)
	huma.Register(api, op("get-queue-log", get, queue+"/log", "Messages", "Show what happened to the messages of a queue", 200), s.queueLog)
	huma.Register(api, op("get-message-log", get, prefix+"/messages/{id}/log", "Messages", "Show what happened to a message", 200), s.messageLog)
	huma.Register(api, op("list-topics", get, topics, "Topics", "List topics by name", 200), s.listTopics)
	huma.Register(api, op("create-topic", post, topics, "Topics", "Create a topic", 201), s.createTopic)
	huma.Register(api, op("get-topic", get, topic, "Topics", "Show a topic and its counts", 200), s.getTopic)
	huma.Register(api, op("alter-topic", patch, topic, "Topics", "Change settings of a topic", 200), s.alterTopic)
	huma.Register(api, op("delete-topic", remove, topic, "Topics", "Delete a topic; what is still to be delivered is dropped", 204), s.deleteTopic)
	huma.Register(api, op("publish-messages", post, topic+"/messages", "Topics", "Publish messages, all or none", 201), s.publishMessages)
	huma.Register(api, op("get-topic-log", get, topic+"/log", "Topics", "Show what was published to a topic, whom it went to, and each attempt to push it", 200), s.topicLog)
	huma.Register(api, op("list-subscriptions", get, subscriptions, "Subscriptions", "List a topic's subscriptions by name", 200), s.listSubscriptions)
	huma.Register(api, op("create-subscription", post, subscriptions, "Subscriptions", "Subscribe a queue or an endpoint", 201), s.createSubscription)
	huma.Register(api, op("get-subscription", get, subscription, "Subscriptions", "Show a subscription", 200), s.getSubscription)
	huma.Register(api, op("alter-subscription", patch, subscription, "Subscriptions", "Change settings of a subscription, or confirm it", 200), s.alterSubscription)
	huma.Register(api, op("delete-subscription", remove, subscription, "Subscriptions", "Unsubscribe", 204), s.deleteSubscription)
	huma.Register(api, op("list-deliveries", get, subscription+"/deliveries", "Deliveries", "List what is still to be pushed to a subscription", 200), s.listDeliveries)
	huma.Register(api, op("retry-delivery", post, delivery+"/retry", "Deliveries", "Push a message now, whatever its schedule says", 204), s.retryDelivery)
	huma.Register(api, op("dead-letter-delivery", post, delivery+"/dead-letter", "Deliveries", "Give a message up: to the dead-letter queue", 204), s.deadLetterDelivery)
	huma.Register(api, op("list-attempts", get, prefix+"/attempts", "Deliveries", "List the last attempts to deliver", 200), s.listAttempts)
	huma.Register(api, op("list-outbox", get, prefix+"/outbox", "Deliveries", "List messages that there was nowhere to send to: SMS, mobile pushes, mail without a mail server", 200), s.listOutbox)
	huma.Register(api, op("list-opted-out-numbers", get, optedOut, "Deliveries", "List the phone numbers that want no SMS", 200), s.listOptedOut)
	huma.Register(api, op("opt-out-number", http.MethodPut, optedOut+"/{number}", "Deliveries", "Keep SMS from a phone number, as whoever has it could", 204), s.optOut)
	huma.Register(api, op("opt-in-number", remove, optedOut+"/{number}", "Deliveries", "Let a phone number have SMS again", 204), s.optIn)
	huma.Register(api, op("reset-account", post, prefix+"/reset", "Server", "Remove all that an account has, in test mode", 204), s.resetAccount)
	huma.Register(api, op("advance-clock", post, prefix+"/clock", "Server", "Move an account's time forward, in test mode", 200), s.advanceClock)
	huma.Register(api, op("list-faults", get, prefix+"/faults", "Server", "List fault rules, in test mode", 200), s.listFaults)
	huma.Register(api, op("create-fault", post, prefix+"/faults", "Server", "Make operations go wrong, in test mode", 201), s.createFault)
	huma.Register(api, op("delete-fault", remove, prefix+"/faults/{name}", "Server", "End a fault rule, in test mode", 204), s.deleteFault)
	huma.Register(api, op("list-keys", get, keys, "Access keys", "List access keys", 200), s.listKeys)
	huma.Register(api, op("create-key", post, keys, "Access keys", "Create an access key", 201), s.createKey)
	huma.Register(api, op("alter-key", patch, keys+"/{id}", "Access keys", "Disable an access key, or enable it again", 200), s.alterKey)
	huma.Register(api, op("delete-key", remove, keys+"/{id}", "Access keys", "Delete an access key", 204), s.deleteKey)
	huma.Register(api, op("list-audit", get, prefix+"/audit", "Audit", "Show who managed what, and who was refused", 200), s.listAudit)
	for _, path := range []string{queues, topics, subscriptions} {
		answers := api.OpenAPI().Paths[path].Post.Responses
		answers["200"] = &huma.Response{Description: "It is there already, as it is asked for", Content: answers["201"].Content}
	}
	s.registerIdentities(api, op)
	s.registerPolicies(api, op)
	s.registerAccounts(api, op)
	s.registerAlerts(api, op)
	huma.Register(api, op("list-usage", get, prefix+"/usage", "Server", "Show what an account's requests would count as in the clouds", 200), s.listUsage)
	huma.Register(api, op("list-servers", get, prefix+"/servers", "Server", "List the servers that share the database", 200), s.listServers)
	huma.Register(api, op("get-version", get, prefix+"/version", "Server", "Show the server's version", 200), s.getVersion)
	return api
}

// Actions gives the operations, for the coverage table.
func Actions() []coverage.Action {
	var actions []coverage.Action
	document := New(nil, &caller.Options{}, Options{}).register(newRoutes(gin.New())).OpenAPI()
	for _, item := range document.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				actions = append(actions, coverage.Action{Name: op.OperationID, Done: true})
			}
		}
	}
	slices.SortFunc(actions, func(a, b coverage.Action) int { return strings.Compare(a.Name, b.Name) })
	return actions
}

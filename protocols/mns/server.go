package mns

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/coverage"
	"github.com/polymq/polymq/protocols/signing"
)

// route is a row of the protocol's table: what a request must be to mean an action.
type route struct {
	name   string
	method string
	on     resource
	query  []string // parameters that must be given
	root   string   // of the document; "": none is read
	action action
}

// routes is the table (specs/mns.md 2.1). The first row that fits wins, so that rows with more
// conditions come first.
var routes = []route{
	{"SetQueueAttributes", http.MethodPut, queue, []string{"metaoverride"}, "Queue", typed((*Server).setQueueAttributes)},
	{"CreateQueue", http.MethodPut, queue, nil, "Queue", typed((*Server).createQueue)},
	{"GetQueueAttributes", http.MethodGet, queue, nil, "", typed((*Server).getQueueAttributes)},
	{"DeleteQueue", http.MethodDelete, queue, nil, "", typed((*Server).deleteQueue)},
	{"ListQueue", http.MethodGet, queues, nil, "", typed((*Server).listQueue)},
	{"SendMessage", http.MethodPost, messages, nil, "Message", typed((*Server).sendMessage)},
	{"BatchSendMessage", http.MethodPost, messages, nil, "Messages", typed((*Server).batchSendMessage)},
	{"BatchPeekMessage", http.MethodGet, messages, []string{"peekonly", "numofmessages"}, "", typed((*Server).batchPeekMessage)},
	{"PeekMessage", http.MethodGet, messages, []string{"peekonly"}, "", typed((*Server).peekMessage)},
	{"BatchReceiveMessage", http.MethodGet, messages, []string{"numofmessages"}, "", typed((*Server).batchReceiveMessage)},
	{"ReceiveMessage", http.MethodGet, messages, nil, "", typed((*Server).receiveMessage)},
	{"DeleteMessage", http.MethodDelete, messages, []string{"receipthandle"}, "", typed((*Server).deleteMessage)},
	{"BatchDeleteMessage", http.MethodDelete, messages, nil, "ReceiptHandles", typed((*Server).batchDeleteMessage)},
	{"ChangeMessageVisibility", http.MethodPut, messages, nil, "", typed((*Server).changeMessageVisibility)},
	{"SetTopicAttributes", http.MethodPut, topic, []string{"metaoverride"}, "Topic", typed((*Server).setTopicAttributes)},
	{"CreateTopic", http.MethodPut, topic, nil, "Topic", typed((*Server).createTopic)},
	{"GetTopicAttributes", http.MethodGet, topic, nil, "", typed((*Server).getTopicAttributes)},
	{"DeleteTopic", http.MethodDelete, topic, nil, "", typed((*Server).deleteTopic)},
	{"ListTopic", http.MethodGet, topics, nil, "", typed((*Server).listTopic)},
	{"PublishMessage", http.MethodPost, topicMessages, nil, "Message", typed((*Server).publishMessage)},
	{"SetSubscriptionAttributes", http.MethodPut, subscription, []string{"metaoverride"}, "Subscription", typed((*Server).setSubscriptionAttributes)},
	{"Subscribe", http.MethodPut, subscription, nil, "Subscription", typed((*Server).subscribe)},
	{"GetSubscriptionAttributes", http.MethodGet, subscription, nil, "", typed((*Server).getSubscriptionAttributes)},
	{"Unsubscribe", http.MethodDelete, subscription, nil, "", typed((*Server).unsubscribe)},
	{"ListSubscriptionByTopic", http.MethodGet, subscriptions, nil, "", typed((*Server).listSubscriptionByTopic)},
	{"SetAccountAttributes", http.MethodPut, account, []string{"accountmeta"}, "Account", typed((*Server).setAccountAttributes)},
	{"GetAccountAttributes", http.MethodGet, account, []string{"accountmeta"}, "", typed((*Server).getAccountAttributes)},
	{"GetAccount", http.MethodGet, account, []string{"account"}, "", typed((*Server).getAccount)},
	{"OpenService", http.MethodPost, service, nil, "", typed((*Server).openService)},
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
	signer  *signing.Signer
	gate    *Gate
	meters  meters
	derived derivedKeys
}

// Options choose where Alibaba's own sources disagree.
type Options struct {
	// Base64MD5 makes Content-md5 of pushes base64 of the digest's lower-case hexadecimal form, which the manual of 2016
	// had and its receiver in PHP compares with. Otherwise it is upper-case hexadecimal, as the service sends it now.
	Base64MD5 bool
	// Accept3xx lets a push that is answered with a redirection count as delivered, as one page of the manual has it.
	Accept3xx bool
}

// New makes a Server, and makes known to the broker how MNS speaks to subscribers.
func New(broker *core.Broker, callers *caller.Options, options Options) *Server {
	signer := signing.New(broker)
	broker.RegisterPusher(Format, &Pusher{signer: signer, url: strings.TrimRight(callers.PublicURL, "/"), options: options})
	return &Server{broker: broker, callers: callers, signer: signer, gate: NewGate(broker)}
}

// Gate gives what lets requests pass.
func (s *Server) Gate() *Gate { return s.gate }

// Matches reports whether a request speaks MNS: it says so, or it asks for queues or topics by path
// and speaks no other protocol.
func Matches(r *http.Request) bool {
	authorization := r.Header.Get("Authorization")
	scheme, _, _ := strings.Cut(authorization, " ")
	switch {
	case r.URL.Path == CertificatePath:
		return true
	case r.Header.Get("X-Mns-Version") != "", scheme == "MNS", strings.HasPrefix(scheme, "MNS4-"), strings.HasPrefix(scheme, "APSARA-MNS4-"):
		return true
	case authorization != "", r.Header.Get("X-Amz-Target") != "", r.Header.Get("X-Mq-Version") != "", strings.Contains(r.URL.RawQuery, "Action="):
		return false
	}
	switch targetOf(r.URL.Path).resource {
	case unknown, account:
		return false
	}
	return true
}

// call is a request as the actions see it.
type call struct {
	caller.Caller
	action        string
	queue         core.QueueName // named by the path; Name is "" where it names none
	topic         core.TopicName // likewise
	subscription  core.SubscriptionName
	json          bool // answers are in JSON
	encodes       bool // the client's SDK encodes bodies to base64, and decodes them, by itself
	encodesTopics bool // likewise bodies that are published
	request       any  // what the action was asked for, once it is known
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == CertificatePath && r.Method == http.MethodGet {
		s.serveCertificate(w, r)
		return
	}
	c := &call{Caller: s.callers.Identify(r), json: isJSON(r.Header), encodes: encodesBodies(r.UserAgent()), encodesTopics: encodesTopics(r.UserAgent())}
	resp, err := s.do(r, c)
	s.reply(w, r, c, resp, err)
}

// serveCertificate answers with the certificate that proves the signatures of pushes.
func (s *Server) serveCertificate(w http.ResponseWriter, r *http.Request) {
	certificate, err := s.signer.Certificate()
	if err != nil {
		s.log(r.Context(), &call{action: "certificate"}, err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/x-x509-ca-cert")
	w.WriteHeader(http.StatusOK) // without it, a handler of what has no route answers 404
	_, _ = w.Write(certificate)  // nobody is left to tell
}

// reply writes what an action answers, or its error.
func (s *Server) reply(w http.ResponseWriter, r *http.Request, c *call, resp response, err error) {
	if r.Context().Err() != nil && (err == nil || wireErrorOf(err).status >= http.StatusInternalServerError) { // whoever would read the answer is gone
		s.giveBack(r.Context(), resp)
		return
	}
	a := newAnswer(c.json)
	defer a.release()
	code := ""
	if err != nil {
		s.log(r.Context(), c, err)
		fault := wireErrorOf(err)
		code = fault.code
		a.fail(c, fault)
	} else {
		resp.write(a)
	}
	c.AnswerBytes = int64(len(a.doc))
	s.callers.Observe(&c.Caller, "mns", c.action, c.action != "", code)
	s.audit(r, c, err)
	if a.send(w, RequestID(c.RequestID)) != nil {
		s.giveBack(r.Context(), resp)
	}
}

// do finds the action and does it.
func (s *Server) do(r *http.Request, c *call) (response, error) {
	in, err := readRequest(r)
	if err != nil {
		return nil, err
	}
	found, unknown := in.route() // what is no operation is told to those who are let in
	if unknown == nil {
		c.action = found.name
	}
	if err := s.callers.FindHost(r.Context(), &c.Caller); err != nil {
		return nil, err
	}
	if err := s.authenticate(r, c); err != nil { // before anything is done
		return nil, err
	}
	if err := s.callers.Admit(&c.Caller); err != nil {
		return nil, err
	}
	if c.Verified && r.Header.Get("X-Mns-Version") == "" {
		return nil, wireError{http.StatusBadRequest, "MissingVersionHeader", "the request has no x-mns-version header"}
	}
	if unknown != nil {
		return nil, unknown
	}
	if err := s.gate.check(r.Context(), &c.Caller); err != nil {
		return nil, err
	}
	if err := s.authorize(r.Context(), c, found, in.target); err != nil {
		return nil, err
	}
	if c.json && found.on != messages && found.on != topicMessages {
		return nil, wireError{http.StatusBadRequest, "InvalidVersionHeader", found.name + " is spoken in XML only, with x-mns-version " + version}
	}
	switch found.on {
	case queue, messages:
		c.queue = core.QueueName{Account: c.Account, Region: c.Region, Name: in.target.name}
	case topic, topicMessages, subscriptions, subscription:
		c.topic = core.TopicName{Account: c.Account, Region: c.Region, Name: in.target.name}
		c.subscription = core.SubscriptionName{Topic: c.topic, Name: in.target.subscription}
	}
	return found.action(s, core.WithActor(r.Context(), c.Actor("mns", c.action)), c, in)
}

// route finds the row of the table that the request fits.
func (in *request) route() (*route, error) {
	var roots []string
	for i := range routes {
		candidate := &routes[i]
		switch {
		case candidate.method != in.method, candidate.on != in.target.resource, slices.ContainsFunc(candidate.query, in.query.lacks):
		case candidate.root == "", in.root == "", candidate.root == in.root:
			return candidate, nil
		default:
			roots = append(roots, candidate.root)
		}
	}
	if len(roots) > 0 {
		return nil, core.Errorf(core.InvalidArgument, "the root element must be %s, was %.40q", strings.Join(roots, " or "), in.root)
	}
	return nil, wireError{http.StatusBadRequest, "InvalidRequestURL", "MNS has no operation of this method, path and query"}
}

// giveBackTimeout bounds the return of messages that nobody read.
const giveBackTimeout = 5 * time.Second

// giveBack returns received messages whose receiver did not get them.
func (s *Server) giveBack(ctx context.Context, resp response) {
	received, ok := resp.(*receivedMessages)
	if !ok || received.peeked {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBackTimeout)
	defer cancel()
	if _, err := s.broker.ReturnMessages(ctx, received.call.queue, received.messages); err != nil {
		zerolog.Ctx(ctx).Warn().Err(err).Str("protocol", "mns").Stringer("queue", received.call.queue).
			Msg("messages of a vanished receiver stay hidden until their visibility timeout")
	}
}

// log writes down what the client is not told: of a fault its cause, of a queue that is missing in
// this region the ones that have it. At the debug level, every error.
func (s *Server) log(ctx context.Context, c *call, err error) {
	level := caller.LogLevel(err)
	if own := (wireError{}); errors.As(err, &own) {
		level = zerolog.DebugLevel // what MNS alone refuses
	}
	zerolog.Ctx(ctx).WithLevel(level).Err(err).Str("protocol", "mns").Str("action", c.action).Str("request_id", c.RequestID).Stringer("queue", c.queue).
		Msg("request failed")
}

// fail makes the answer an error document.
func (a *answer) fail(c *call, e wireError) {
	a.status = e.status
	a.root("Error")
	a.text("Code", e.code)
	a.text("Message", readable(e.message))
	a.text("RequestId", RequestID(c.RequestID))
	a.text("HostId", c.BaseURL)
	a.end("Error")
}

// RequestID gives a request's id as MNS writes it: 24 upper-case hexadecimal digits.
func RequestID(uuid string) string {
	id := make([]byte, 0, 24)
	for _, c := range []byte(uuid) {
		if c >= 'a' {
			c -= 'a' - 'A'
		}
		if c != '-' && len(id) < cap(id) {
			id = append(id, c)
		}
	}
	return string(id)
}

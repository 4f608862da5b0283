package sqs

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/coverage"
)

// actionTable is SQS's manual: every action by its name.
func actionTable() map[string]*action {
	return map[string]*action{
		"AddPermission":                typed((*Server).addPermission),
		"CancelMessageMoveTask":        typed((*Server).cancelMessageMoveTask),
		"ChangeMessageVisibility":      typed((*Server).changeMessageVisibility),
		"ChangeMessageVisibilityBatch": typed((*Server).changeMessageVisibilityBatch),
		"CreateQueue":                  typed((*Server).createQueue),
		"DeleteMessage":                typed((*Server).deleteMessage),
		"DeleteMessageBatch":           typed((*Server).deleteMessageBatch),
		"DeleteQueue":                  typed((*Server).deleteQueue),
		"GetQueueAttributes":           typed((*Server).getQueueAttributes),
		"GetQueueUrl":                  typed((*Server).getQueueURL),
		"ListDeadLetterSourceQueues":   typed((*Server).listDeadLetterSourceQueues),
		"ListMessageMoveTasks":         typed((*Server).listMessageMoveTasks),
		"ListQueueTags":                typed((*Server).listQueueTags),
		"ListQueues":                   typed((*Server).listQueues),
		"PurgeQueue":                   typed((*Server).purgeQueue),
		"ReceiveMessage":               typed((*Server).receiveMessage),
		"RemovePermission":             typed((*Server).removePermission),
		"SendMessage":                  typed((*Server).sendMessage),
		"SendMessageBatch":             typed((*Server).sendMessageBatch),
		"SetQueueAttributes":           typed((*Server).setQueueAttributes),
		"StartMessageMoveTask":         typed((*Server).startMessageMoveTask),
		"TagQueue":                     typed((*Server).tagQueue),
		"UntagQueue":                   typed((*Server).untagQueue),
	}
}

// Actions lists SQS's actions.
func Actions() []coverage.Action {
	var all []coverage.Action
	for name, a := range actionTable() {
		all = append(all, coverage.Action{Name: name, Done: a != nil})
	}
	slices.SortFunc(all, func(a, b coverage.Action) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Server answers SQS requests.
type Server struct {
	broker  *core.Broker
	auth    *aws.Authenticator
	callers *caller.Options
	options Options
	actions map[string]*action
}

// Options choose between what the real service does and what serves tests better.
type Options struct {
	AutoCreateQueues bool         // a queue that is sent to, received from or asked for is made if need be
	AutoCreated      *Declaration // what such a queue gets; its name does not count; nil: SQS's defaults
	SixtySecondRules bool         // a queue is not made again, nor purged again, within 60 seconds
}

// New makes a Server.
func New(broker *core.Broker, callers *caller.Options, options Options) *Server {
	s := &Server{broker: broker, auth: aws.NewAuthenticator("sqs", callers), callers: callers, options: options, actions: actionTable()}
	if callers.Verify {
		broker.GuardDeliveries(s.takesFrom)
	}
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
			if err := c.wire.decode(request, in); err != nil {
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

// call is one request, as far as actions may know it.
type call struct {
	caller.Caller
	wire     wire
	action   string
	path     string        // of the URL: / or a queue's
	shown    shownMessages // by a look at PeekPath, which needs what a receive does
	body     []byte
	traceID  string         // X-Amzn-Trace-Id
	unsigned *fault         // what to say to a request without a signature that needs one
	named    core.QueueName // the queue that the request means, once it is known
	request  any            // as it was read, once it was
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{Caller: s.callers.Identify(r), path: r.URL.Path, traceID: r.Header.Get("X-Amzn-Trace-Id")}
	shape, result, err := s.do(c, r)
	if r.Context().Err() != nil && (err == nil || faultOf(err).receiver()) { // whoever would read the answer is gone
		s.giveBack(r.Context(), result)
		return
	}
	a := newAnswer()
	defer a.release()
	var f *fault
	code := ""
	if err != nil {
		f = faultOf(err)
		code = f.code
		s.log(r.Context(), c, f, err)
		a.status, a.body = f.status, c.wire.appendFault(a.body, c, f)
	} else {
		a.body = c.wire.appendResult(a.body, c, shape, result)
	}
	c.AnswerBytes, c.FIFO = int64(len(a.body)), strings.HasSuffix(c.named.Name, fifoSuffix)
	s.callers.Observe(&c.Caller, "sqs", c.action, s.actions[c.action] != nil, code) // before the client can ask for it
	s.audit(r, c, result, f)
	if a.send(w, c, f) != nil {
		s.giveBack(r.Context(), result)
	}
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
	if err := c.open(r); err != nil {
		return nil, nil, err
	}
	if err := s.authenticate(c, r); err != nil { // before anything is done
		return nil, nil, err
	}
	a, known := s.actions[c.action]
	if c.peeks() {
		a, known = peeking, true
	}
	if !known {
		return nil, nil, c.wire.unknown(c)
	}
	ctx := core.WithActor(r.Context(), c.Actor("sqs", c.action))
	result, err = a.do(ctx, s, c)
	if err != nil && s.createMissing(ctx, c, err) {
		result, err = a.do(ctx, s, c)
	}
	return a.result, result, err
}

// giveBackTimeout bounds the return of messages that nobody read.
const giveBackTimeout = 5 * time.Second

// giveBack returns what a receive took for a client that did not get it.
func (s *Server) giveBack(ctx context.Context, result any) {
	received, ok := result.(*receiveMessageResult)
	if !ok || len(received.messages) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveBackTimeout)
	defer cancel()
	if _, err := s.broker.ReturnMessages(ctx, received.queue, received.messages); err != nil {
		zerolog.Ctx(ctx).Warn().Err(err).Str("protocol", "sqs").Stringer("queue", received.queue).
			Msg("messages of a vanished receiver stay hidden until their visibility timeout")
	}
}

// log writes down what the client is not told, and at the debug level also what it is.
func (s *Server) log(ctx context.Context, c *call, f *fault, err error) {
	level := zerolog.DebugLevel // of what SQS alone refuses
	if coreErr := (*core.Error)(nil); errors.As(err, &coreErr) || f.wireError == internalFailure {
		level = caller.LogLevel(err)
	}
	zerolog.Ctx(ctx).WithLevel(level).Err(err).Str("protocol", "sqs").Str("action", c.action).Str("request_id", c.RequestID).Str("account", c.Account).
		Msg("request failed")
}

package api

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
)

// LogPage says which part of the message log is asked for; exported for huma.
type LogPage struct {
	From      time.Time `query:"from" doc:"Events from this time on"`
	To        time.Time `query:"to" doc:"Events before this time"`
	Attribute string    `query:"attribute" maxLength:"1024" doc:"NAME=VALUE: messages that were sent with it; only their sending is found by it"`
	Cursor    int64     `query:"cursor" minimum:"0" doc:"The next_cursor of the page before"`
	Limit     int       `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"Most events to show"`
}

type queueLogRequest struct {
	OfQueue
	ID string `query:"id" maxLength:"36" doc:"Only events of the message of this id"`
	LogPage
}

type topicLogRequest struct {
	OfTopic
	ID string `query:"id" maxLength:"36" doc:"Only events of the message of this id, and of the copies that were made of it"`
	LogPage
}

type messageLogRequest struct {
	Account string `query:"account" pattern:"^[0-9]{12}$" doc:"Account of the message; else that of the credentials, else 000000000000"`
	ID      string `path:"id" maxLength:"36" doc:"Message id, as any protocol shows it"`
	LogPage
}

type logResponse struct {
	Body struct {
		Events     []eventBody `json:"events" nullable:"false" doc:"The oldest first"`
		NextCursor string      `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last one"`
	}
}

// eventBody is an event on the wire.
type eventBody struct {
	ID            string            `json:"id" doc:"Of the entry, rising; as cursor, what came after it is shown"`
	At            time.Time         `json:"at"`
	Kind          core.EventKind    `json:"kind" enum:"sent,duplicate,peeked,received,returned,visibility-changed,deleted,moved,expired,purged,published,pushed,push-failed"`
	Region        string            `json:"region"`
	Queue         string            `json:"queue" doc:"Empty where it happened in no queue"`
	Topic         string            `json:"topic,omitempty" doc:"Through which the message came"`
	Subscription  string            `json:"subscription,omitempty" doc:"Of the topic, through which it came or is to go"`
	MessageID     string            `json:"message_id" doc:"Empty where it happened to all messages of the queue: purged"`
	OriginID      string            `json:"origin_id,omitempty" doc:"The message that this one was made of: what was published, or moved back out of a dead-letter queue"`
	ReceiptHandle string            `json:"receipt_handle,omitempty" doc:"Handed out by a receive, given to a deletion or a change of visibility"`
	NewHandle     string            `json:"new_receipt_handle,omitempty" doc:"That a change of visibility gave out in its place"`
	VisibleAt     *time.Time        `json:"visible_at,omitempty" doc:"When the message could be received next, or is pushed again"`
	ReceiveCount  int               `json:"receive_count,omitempty"`
	Attempt       int               `json:"attempt,omitempty" doc:"Number of the attempt to push"`
	Status        string            `json:"status,omitempty" doc:"Of an attempt to push: the HTTP status, or InvalidHost, ConnectTimeout, ConnectFailure or UnknownError"`
	Matched       []string          `json:"matched,omitempty" doc:"Subscriptions that get what was published, the first 100"`
	Filtered      []string          `json:"filtered,omitempty" doc:"Subscriptions whose filters did not let it through, the first 100"`
	Attributes    map[string]string `json:"attributes,omitempty" doc:"That the message was sent with, where they are text; absent for who may not see them"`
	Detail        string            `json:"detail,omitempty"`
	Protocol      string            `json:"protocol,omitempty"`
	Action        string            `json:"action,omitempty"`
	AccessKeyID   string            `json:"access_key_id,omitempty"`
	Address       string            `json:"address,omitempty" doc:"Of the client"`
	RequestID     string            `json:"request_id,omitempty"`
	TookMS        float64           `json:"took_ms,omitempty" doc:"Since the request was read; of a push, until its answer"`
}

// queueLog shows what happened in a queue whose logging is on.
func (s *Server) queueLog(ctx context.Context, req *queueLogRequest) (*logResponse, error) {
	name := req.queue(ctx, req.Name)
	in := core.ListEventsInput{Account: name.Account, Region: name.Region, Queue: name.Name}
	return s.listEventsOf(ctx, req.ID, in, req.LogPage)
}

// topicLog shows what was published to a topic whose logging is on, and what became of it.
func (s *Server) topicLog(ctx context.Context, req *topicLogRequest) (*logResponse, error) {
	name := req.topic(ctx, req.Topic)
	in := core.ListEventsInput{Account: name.Account, Region: name.Region, Topic: name.Name}
	return s.listEventsOf(ctx, req.ID, in, req.LogPage)
}

// listEventsOf lists the events of one message alone, where an id is given.
func (s *Server) listEventsOf(ctx context.Context, message string, in core.ListEventsInput, page LogPage) (*logResponse, error) {
	if message != "" {
		id, err := core.ParseMessageID(message)
		if err != nil {
			return nil, failed(ctx, err)
		}
		in.MessageID = &id
	}
	return s.listEvents(ctx, in, page)
}

// messageLog shows the life of one message, with those that it was made of and that were made of it.
func (s *Server) messageLog(ctx context.Context, req *messageLogRequest) (*logResponse, error) {
	id, err := core.ParseMessageID(req.ID)
	if err != nil {
		return nil, failed(ctx, err)
	}
	return s.listEvents(ctx, core.ListEventsInput{Account: cmp.Or(req.Account, exchangeOf(ctx).caller.Account), MessageID: &id}, req.LogPage)
}

func (s *Server) listEvents(ctx context.Context, in core.ListEventsInput, page LogPage) (*logResponse, error) {
	in.From, in.To, in.After, in.Limit = page.From, page.To, page.Cursor, page.Limit
	hidden := !exchangeOf(ctx).grants.Bodies
	if page.Attribute != "" && hidden { // or one could guess them
		return nil, newProblem(http.StatusForbidden, core.AccessDenied, "this finds messages by their attributes, which this access key's user may not see")
	}
	if page.Attribute != "" {
		name, value, ok := strings.Cut(page.Attribute, "=")
		if !ok {
			return nil, failed(ctx, core.Errorf(core.InvalidArgument, "attribute must be NAME=VALUE, was %q", page.Attribute))
		}
		in.Attribute = &core.Attribute{Name: name, Value: []byte(value)}
	}
	events, err := s.broker.ListEvents(ctx, in)
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp logResponse
	resp.Body.Events = make([]eventBody, len(events.Events))
	for i := range events.Events {
		if hidden {
			events.Events[i].Attributes = nil
		}
		resp.Body.Events[i] = encodeEvent(&events.Events[i])
	}
	if events.Next != 0 {
		resp.Body.NextCursor = strconv.FormatInt(events.Next, 10)
	}
	return &resp, nil
}

func encodeEvent(e *core.Event) eventBody {
	body := eventBody{
		ID: strconv.FormatInt(e.ID, 10),
		At: e.At.UTC(), Kind: e.Kind, Region: e.Queue.Region, Queue: e.Queue.Name, Topic: e.Topic, Subscription: e.Subscription,
		ReceiptHandle: e.Handle, NewHandle: e.NewHandle, ReceiveCount: e.ReceiveCount,
		Attempt: e.Attempt, Status: e.Status, Matched: e.Matched, Filtered: e.Filtered, Detail: e.Detail,
		Protocol: e.Protocol, Action: e.Action, AccessKeyID: e.AccessKeyID, RequestID: e.RequestID, TookMS: float64(e.Took.Microseconds()) / 1000,
	}
	if e.MessageID != (core.MessageID{}) {
		body.MessageID = e.MessageID.UUID()
	}
	if e.Origin != (core.MessageID{}) {
		body.OriginID = e.Origin.UUID()
	}
	if e.Address.IsValid() {
		body.Address = e.Address.String()
	}
	if !e.VisibleAt.IsZero() {
		at := e.VisibleAt.UTC()
		body.VisibleAt = &at
	}
	for _, a := range e.Attributes {
		if body.Attributes == nil {
			body.Attributes = map[string]string{}
		}
		body.Attributes[a.Name] = string(a.Value)
	}
	return body
}

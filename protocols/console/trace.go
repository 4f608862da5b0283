package console

import (
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
)

// tracePage is the data of trace.html.
type tracePage struct {
	ID, Queue, Topic string
	From, To         string
	Attribute, Value string
	Asked            bool
	Shown            string // id of the message that was asked for
	Problem          string
	Events           []eventView
	Next             int64
	NextQuery        template.URL // of the page of what follows
	Message          *messageView // as it is now, where it is still in a queue
	NotLogged        []string     // queues among those asked about that keep no record
}

// eventView is an event as the page shows it.
type eventView struct {
	core.Event
	Since time.Duration // since the event before it
	Icon  string
}

// traced is how many events a page shows.
const traced = 100

// trace answers "where is my message?".
func (s *Server) trace(x *exchange) error {
	query := x.r.URL.Query()
	field := func(name string) string { return strings.TrimSpace(query.Get(name)) }
	data := tracePage{ID: field("id"), Queue: field("queue"), Topic: field("topic"), From: field("from"), To: field("to"), Attribute: field("attribute"), Value: field("value")}
	data.Asked = data.ID != "" || data.Queue != "" || data.Topic != ""
	if data.Asked {
		if err := s.lookUp(x, &data, int64(atoi(query.Get("after")))); err != nil {
			if statusOf(err) >= http.StatusInternalServerError {
				return err
			}
			data.Problem = x.tell(err)
		}
	}
	return s.show(x, "trace.html", &page{Title: "Where is my message?", Active: "trace", Data: data, Snippets: traceSnippets(x, data.ID, data.Queue)})
}

// lookUp reads the message log, and the message itself where it still is.
func (s *Server) lookUp(x *exchange, data *tracePage, after int64) error {
	in := core.ListEventsInput{Account: x.account, Region: x.region, Queue: data.Queue, Topic: data.Topic, After: after, Limit: traced}
	if data.ID != "" {
		id, err := core.ParseMessageID(data.ID)
		if err != nil {
			return x.problem(core.InvalidArgument, x.t("%s is not the id of a message.", data.ID))
		}
		in.MessageID, data.Shown = &id, id.UUID()
	}
	if data.Attribute != "" && !x.session.grants.Bodies {
		return x.problem(core.AccessDenied, x.t("This shows bodies of messages, which you may not see."))
	}
	if data.Attribute != "" {
		in.Attribute = &core.Attribute{Name: data.Attribute, Value: []byte(data.Value)}
	}
	var err error
	if in.From, err = x.pointInTime(data.From); err != nil {
		return err
	}
	if in.To, err = x.pointInTime(data.To); err != nil {
		return err
	}
	found, err := s.broker.ListEvents(x.ctx(), in)
	if err != nil {
		return err
	}
	data.Events, data.Next = eventViews(found.Events), found.Next
	for i := range data.Events {
		if !x.session.grants.Bodies {
			data.Events[i].Attributes = nil
		}
	}
	if found.Next != 0 {
		query := x.r.URL.Query()
		query.Set("after", strconv.FormatInt(found.Next, 10))
		data.NextQuery = template.URL(query.Encode()) // #nosec G203 -- encoded
	}
	return s.whereNow(x, data, in.MessageID)
}

// pointInTime reads a time as a browser's field has it, in UTC.
func (x *exchange) pointInTime(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateTime, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, x.problem(core.InvalidArgument, x.t("%s is not a time, such as 2026-01-31 13:00:00.", text))
}

func eventViews(events []core.Event) []eventView {
	icons := map[core.EventKind]string{
		core.EventSent: "send", core.EventDuplicate: "copy", core.EventReceived: "receive", core.EventReturned: "back", core.EventVisibility: "eye",
		core.EventDeleted: "trash", core.EventMoved: "move", core.EventExpired: "clock", core.EventPurged: "trash",
		core.EventPeeked: "eye", core.EventPublished: "send", core.EventPushed: "send", core.EventPushFailed: "alert",
	}
	views := make([]eventView, len(events))
	for i, e := range events {
		views[i] = eventView{Event: e, Icon: icons[e.Kind]}
		if i > 0 {
			views[i].Since = e.At.Sub(events[i-1].At)
		}
	}
	return views
}

// maxLooked is in how many queues a message is looked for.
const maxLooked = 5

// whereNow finds a message in the queue where it was last, and names queues that keep no record.
func (s *Server) whereNow(x *exchange, data *tracePage, id *core.MessageID) error {
	names := []string{data.Queue}
	if data.Queue == "" && id != nil && len(data.Events) > 0 {
		names = nil
		for i := len(data.Events) - 1; i >= 0 && len(names) < maxLooked; i-- {
			if name := data.Events[i].Queue.Name; data.Events[i].MessageID == *id && !slices.Contains(names, name) {
				names = append(names, name)
			}
			if target, ok := strings.CutPrefix(data.Events[i].Detail, "to dead-letter queue "); ok && !slices.Contains(names, target) {
				names = append(names, target)
			}
		}
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		queue, err := s.broker.DescribeQueue(x.ctx(), core.QueueName{Account: x.account, Region: x.region, Name: name})
		if core.CodeOf(err) == core.QueueNotFound {
			continue
		}
		if err != nil {
			return err
		}
		if !queue.Logging && !s.broker.LogsAllMessages() && len(data.Events) == 0 {
			data.NotLogged = append(data.NotLogged, name)
		}
		if id == nil {
			continue
		}
		message, err := s.broker.FindMessage(x.ctx(), queue.Name, *id)
		if err != nil {
			return err
		}
		if message != nil {
			shown, err := s.views(x, &queue, []core.Message{*message})
			if err != nil {
				return err
			}
			data.Message = &shown[0]
		}
	}
	return nil
}

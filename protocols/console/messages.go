package console

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
)

// Bounds of what a page shows, and of what a form sends and receives.
const (
	peeked        = 25       // messages in a page of a queue
	shownBody     = 32 << 10 // bytes of a body that a list shows
	maxCopies     = 100      // of a message sent by a form
	maxReceived   = 10
	maxAttributes = 10
)

// messageView is a message as pages show it.
type messageView struct {
	core.Message
	State   string        // visible, delayed, in flight
	In      time.Duration // until it is visible
	Text    string        // the body, indented where it is JSON
	Line    string        // its beginning
	IsJSON  bool
	Encoded bool // Text is base64 of a body that is no text
	Cut     bool
	Queue   string
	Hidden  bool // what the sender wrote is not for the visitor's eyes
}

// hide takes away what the sender wrote, and what may be a hash of it.
func (v *messageView) hide() {
	v.Text, v.Line, v.Encoded, v.Cut, v.Attributes, v.System, v.DeduplicationID, v.Hidden = "", "", false, false, nil, nil, "", true
}

// messagesPage is the data of messages.html, a part of a queue's page.
type messagesPage struct {
	Queue    string
	Messages []messageView
	Next     string
	Text     string // that was searched for
	Searched int    // so far, earlier pages included
	Total    int64
	Handles  bool // they were received, and can be deleted
	More     bool // it is not the first page
}

// Percent is how much of the queue was searched.
func (p messagesPage) Percent() int64 {
	if p.Next == "" || p.Total <= 0 {
		return 100
	}
	return min(99, int64(p.Searched)*100/p.Total)
}

// view gives a message as pages show it.
func view(m *core.Message, rule core.BodyRule, queue string, now time.Time) messageView {
	v := messageView{Message: *m, Queue: queue, State: "Visible"}
	if v.In = m.VisibleAt.Sub(now); v.In > 0 {
		v.State = "Delayed"
		if m.ReceiveCount > 0 {
			v.State = "In flight"
		}
	}
	body := core.EncodeBody(m.Body, m.Form, rule, core.ReadsText)
	v.Line = shorten(160, strings.Join(strings.Fields(string(bytes.ToValidUTF8(body[:min(len(body), 600)], []byte("�")))), " "))
	var indented bytes.Buffer
	switch {
	case !core.ValidText(body):
		v.Text, v.Encoded = base64.StdEncoding.EncodeToString(body[:min(len(body), shownBody)]), true
		v.Cut = len(body) > shownBody
		return v
	case len(body) > shownBody:
		v.Text, v.Cut = string(bytes.ToValidUTF8(body[:shownBody], nil)), true
		return v
	case len(body) > 0 && strings.ContainsRune("{[", rune(body[0])) && json.Indent(&indented, body, "", "  ") == nil:
		v.Text, v.IsJSON = indented.String(), true
		return v
	}
	v.Text = string(body)
	return v
}

// views gives messages as pages show them.
func (s *Server) views(x *exchange, queue *core.Queue, messages []core.Message) ([]messageView, error) {
	now, err := s.broker.AdvanceClock(x.ctx(), x.account, 0)
	if err != nil {
		return nil, err
	}
	all := make([]messageView, len(messages))
	for i := range messages {
		all[i] = view(&messages[i], queue.Bodies, queue.Name.Name, now)
		if !x.session.grants.Bodies {
			all[i].hide()
		}
	}
	return all, nil
}

// peekMessages shows messages without receiving them.
func (s *Server) peekMessages(x *exchange) error {
	query := x.r.URL.Query()
	queue, err := s.broker.Queue(x.ctx(), x.queue())
	if err != nil {
		return err
	}
	found, err := s.broker.PeekMessages(x.ctx(), core.PeekInput{
		Queue: queue.Name, Limit: peeked, Hidden: query.Get("visible") == "", After: query.Get("after"),
	})
	if err != nil {
		return err
	}
	data := messagesPage{Queue: queue.Name.Name, Next: found.Next, More: query.Get("after") != ""}
	if data.Messages, err = s.views(x, queue, found.Messages); err != nil {
		return err
	}
	return s.part(x, "messages.html", "messages", data)
}

// searchMessages shows the messages that contain a text, of a part of the queue.
func (s *Server) searchMessages(x *exchange) error {
	query := x.r.URL.Query()
	if strings.TrimSpace(query.Get("text")) == "" {
		return s.peekMessages(x)
	}
	select {
	case s.search <- struct{}{}:
		defer func() { <-s.search }()
	case <-x.r.Context().Done():
		return x.r.Context().Err()
	}
	queue, err := s.broker.Queue(x.ctx(), x.queue())
	if err != nil {
		return err
	}
	found, err := s.broker.SearchMessages(x.ctx(), core.SearchInput{
		Queue: queue.Name, Text: strings.TrimSpace(query.Get("text")), After: query.Get("after"), Limit: peeked,
	})
	if err != nil {
		return err
	}
	result := messagesPage{
		Queue: queue.Name.Name, Next: found.Next, Text: strings.TrimSpace(query.Get("text")), Total: found.Total,
		Searched: found.Searched + atoi(query.Get("searched")), More: query.Get("after") != "",
	}
	result.Total = max(result.Total, int64(result.Searched))
	if result.Messages, err = s.views(x, queue, found.Messages); err != nil {
		return err
	}
	return s.part(x, "messages.html", "found", result)
}

// sentPage is the data of what is said after a send.
type sentPage struct {
	Queue string
	Sent  []core.Sent
}

// sendMessages sends a message as the form has it, once or several times.
func (s *Server) sendMessages(x *exchange) error {
	f := x.form()
	copies := f.number("copies", maxCopies, 1)
	message := core.NewMessage{
		Body: []byte(x.r.PostFormValue("body")), GroupID: x.field("group"), DeduplicationID: x.field("deduplication"),
		Delay: f.duration("delay", time.Second, core.MaxDelay), Priority: f.number("priority", core.MaxPriority, 0),
		Attributes: x.attributes(f),
	}
	if f.err != nil {
		return f.err
	}
	queue, err := s.broker.Queue(x.ctx(), x.queue())
	if err != nil {
		return err
	}
	if err := fits(x, message.Body, message.Size(), queue.MaxMessageSize); err != nil {
		return err
	}
	if !queue.FIFO {
		message.GroupID, message.DeduplicationID = "", ""
	}
	sent, err := s.broker.SendMessages(x.ctx(), core.SendInput{Queue: queue.Name, Messages: slices.Repeat([]core.NewMessage{message}, copies)})
	if err != nil {
		return err
	}
	x.w.Header().Set("Hx-Trigger", "messages-changed")
	return s.part(x, "messages.html", "sent", sentPage{Queue: queue.Name.Name, Sent: sent})
}

// fits refuses a body that no protocol could send.
func fits(x *exchange, body []byte, size, most int) error {
	switch {
	case len(body) == 0:
		return x.problem(core.InvalidArgument, x.t("A message needs a body."))
	case !core.ValidText(body):
		return x.problem(core.InvalidArgument, x.t("The body has characters that messages cannot carry."))
	case size > most:
		return x.problem(core.MessageTooLong, x.t("The message has %d bytes; the limit is %d.", size, most))
	}
	return nil
}

// attributes reads the rows of a form for attributes.
func (x *exchange) attributes(f *form) []core.Attribute {
	names, types, values := x.r.PostForm["attribute_name"], x.r.PostForm["attribute_type"], x.r.PostForm["attribute_value"]
	var attributes []core.Attribute
	for i, name := range names {
		name = strings.TrimSpace(name)
		if name == "" || i >= len(types) || i >= len(values) {
			continue
		}
		attributes = append(attributes, core.Attribute{Name: name, Type: types[i], Value: []byte(values[i])})
	}
	slices.SortFunc(attributes, func(a, b core.Attribute) int { return strings.Compare(a.Name, b.Name) })
	for i, a := range attributes {
		problem := ""
		switch {
		case len(attributes) > maxAttributes:
			problem = x.t("A message has at most %d attributes.", maxAttributes)
		case i > 0 && a.Name == attributes[i-1].Name:
			problem = x.t("The attribute %s is given twice.", a.Name)
		case a.Type != "String" && a.Type != "Number":
			problem = x.t("An attribute is a String or a Number.")
		case len(a.Value) == 0 || !core.ValidText(a.Value) || !core.ValidText([]byte(a.Name)):
			problem = x.t("The attribute %s needs a value.", a.Name)
		case a.Type == "Number" && !core.ValidNumber(string(a.Value)):
			problem = x.t("The attribute %s is not a number.", a.Name)
		}
		if problem != "" && f.err == nil {
			f.err = x.problem(core.InvalidArgument, problem)
		}
	}
	return attributes
}

// receiveMessages receives as a consumer does.
func (s *Server) receiveMessages(x *exchange) error {
	f := x.form()
	limit := f.number("limit", maxReceived, 1)
	timeout := f.duration("visibility", time.Second, core.MaxVisibilityTimeout)
	if f.err != nil {
		return f.err
	}
	queue, err := s.broker.Queue(x.ctx(), x.queue())
	if err != nil {
		return err
	}
	messages, err := s.broker.ReceiveMessages(x.ctx(), core.ReceiveInput{Queue: queue.Name, Limit: limit, VisibilityTimeout: timeout, Wait: new(time.Duration)})
	if err != nil {
		return err
	}
	data := messagesPage{Queue: queue.Name.Name, Handles: true}
	if data.Messages, err = s.views(x, queue, messages); err != nil {
		return err
	}
	x.w.Header().Set("Hx-Trigger", "messages-changed")
	return s.part(x, "messages.html", "received", data)
}

// deleteMessage deletes a message that was received.
func (s *Server) deleteMessage(x *exchange) error {
	results, err := s.broker.DeleteMessages(x.ctx(), core.DeleteInput{Queue: x.queue(), Handles: []string{x.field("handle")}})
	if err == nil {
		err = results[0]
	}
	if err != nil {
		return err
	}
	x.w.Header().Set("Hx-Trigger", "messages-changed")
	return s.part(x, "messages.html", "settled", x.t("The message was deleted."))
}

// returnMessage makes a received message visible at once.
func (s *Server) returnMessage(x *exchange) error {
	results, err := s.broker.ChangeVisibility(x.ctx(), core.ChangeVisibilityInput{Queue: x.queue(), Changes: []core.VisibilityChange{{Handle: x.field("handle")}}})
	if err == nil {
		err = results[0].Err
	}
	if err != nil {
		return err
	}
	x.w.Header().Set("Hx-Trigger", "messages-changed")
	return s.part(x, "messages.html", "settled", x.t("The message is visible again."))
}

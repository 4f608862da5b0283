package console

import "github.com/polymq/polymq/core"

// outboxPage is the data of outbox.html.
type outboxPage struct {
	Messages []core.KeptMessage
	Next     string
}

// showOutbox shows the messages that there was nowhere to send to.
func (s *Server) showOutbox(x *exchange) error {
	found, err := s.broker.ListKept(x.ctx(), core.ListDeliveriesInput{
		Topic: core.TopicName{Account: x.account, Region: x.region}, After: x.r.URL.Query().Get("after"), Limit: listed,
	})
	if err != nil {
		return err
	}
	data := outboxPage{Messages: found.Messages, Next: found.Next}
	if x.partial() {
		return s.part(x, "outbox.html", "rows", data)
	}
	return s.show(x, "outbox.html", &page{Title: "Outbox", Active: "outbox", Data: data, Snippets: outboxSnippets(x)})
}

package console

import (
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// audited makes a handler whose calls are audited: those of the data plane only where they are denied.
func (s *Server) audited(action string, data bool, do handler) handler {
	return func(x *exchange) error {
		x.action = action
		err := do(x)
		a := caller.Audited{Parameters: x.parameters()}
		if err != nil {
			a.Code, a.Text = string(core.CodeOf(err)), core.MessageOf(err)
		}
		if s.callers.Audits(data, a.Code) {
			s.audit(x, a)
		}
		return err
	}
}

// audit tells the auditor of a call. The account is the one that the page is about.
func (s *Server) audit(x *exchange, a caller.Audited) {
	if s.callers.Auditor == nil {
		return
	}
	c := x.caller
	c.Account, c.Region = x.account, x.region
	if s.callers.Verify && c.Key == nil {
		c.Account = "" // of nobody who is known
	}
	a.Source, a.Action = "console", x.action
	s.callers.Audit(x.r, &c, a)
}

// unaudited are fields of forms that are nobody's business, or no parameters.
var unaudited = []string{tokenField, "secret", "target", "body", "attribute_value", "handle", "confirm", "next", "back"}

// parameters gives the form's fields and what the path names, for the audit log.
func (x *exchange) parameters() map[string]string {
	parameters := map[string]string{}
	for name, values := range x.r.PostForm {
		if text := strings.Join(values, ", "); text != "" && !slices.Contains(unaudited, name) {
			parameters[name] = text
		}
	}
	for field, name := range map[string]string{"queue": "QueueName", "topic": "TopicName", "subscription": "SubscriptionName", "key": "AccessKeyId", "alert": "AlertName", "task": "TaskHandle", "identity": "EntityName", "policy": "PolicyName"} {
		if value := x.r.PathValue(field); value != "" {
			parameters[name] = value
		}
	}
	return parameters
}

// auditPage is the data of audit.html.
type auditPage struct {
	User, Action, Resource string
	Changes, Failed        bool
	Events                 []core.AuditEvent
	Older                  template.URL // the query of the next page
}

// showAudit shows who managed what in the account, and who was refused.
func (s *Server) showAudit(x *exchange) error {
	query := x.r.URL.Query()
	field := func(name string) string { return strings.TrimSpace(query.Get(name)) }
	data := auditPage{User: field("user"), Action: field("action"), Resource: field("resource"), Changes: field("changes") != "", Failed: field("failed") != ""}
	found, err := s.broker.ListAudit(x.ctx(), core.ListAuditInput{
		Account: x.account, User: data.User, Action: data.Action, Resource: data.Resource, Changes: data.Changes, Failed: data.Failed,
		Before: int64(atoi(query.Get("before"))), Limit: listed,
	})
	if err != nil {
		return err
	}
	data.Events = found.Events
	if found.Next != 0 {
		older := url.Values{}
		for name := range query {
			older.Set(name, query.Get(name))
		}
		older.Set("before", strconv.FormatInt(found.Next, 10))
		data.Older = template.URL(older.Encode()) // #nosec G203 -- encoded
	}
	return s.show(x, "audit.html", &page{Title: "Audit", Active: "audit", Data: data, Snippets: auditSnippets(x)})
}

package sqs

import (
	"net/http"

	"github.com/polymq/polymq/protocols/caller"
)

// dataActions are those whose calls are audited only when they are denied.
var dataActions = map[string]bool{
	"ChangeMessageVisibility": true, "ChangeMessageVisibilityBatch": true, "DeleteMessage": true, "DeleteMessageBatch": true,
	"ReceiveMessage": true, "SendMessage": true, "SendMessageBatch": true,
}

// audit tells the audit log of a call. f is nil where it went well.
func (s *Server) audit(r *http.Request, c *call, result any, f *fault) {
	event := caller.Audited{Source: "sqs", Action: c.action, Parameters: c.request, Result: result}
	if f != nil {
		event.Code, event.Text = f.code, f.message
	}
	if !s.callers.Audits(dataActions[c.action], event.Code) {
		return
	}
	if c.named.Name != "" {
		event.Resources = []string{arn(c.named)}
	}
	s.callers.Audit(r, &c.Caller, event)
}

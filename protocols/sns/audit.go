package sns

import (
	"net/http"

	"github.com/polymq/polymq/protocols/caller"
)

// audit tells the audit log of a call. f is nil where it went well.
func (s *Server) audit(r *http.Request, c *call, result any, f *fault) {
	event := caller.Audited{Source: "sns", Action: c.action, Parameters: c.request, Result: result}
	if f != nil {
		event.Code, event.Text = f.code, f.message
	}
	if s.callers.Audits(c.action == "Publish" || c.action == "PublishBatch", event.Code) { // which are audited only when they are denied
		s.callers.Audit(r, &c.Caller, event)
	}
}

package mns

import (
	"net/http"
	"strings"

	"github.com/polymq/polymq/protocols/caller"
)

// audit tells the audit log of a call. err is nil where it went well.
func (s *Server) audit(r *http.Request, c *call, err error) {
	event := caller.Audited{Source: "mns", Action: c.action, Parameters: c.request}
	if err != nil {
		fault := wireErrorOf(err)
		event.Code, event.Text = fault.code, fault.message
	}
	target := targetOf(r.URL.Path)
	if !s.callers.Audits(target.resource == messages || target.resource == topicMessages, event.Code) { // the data plane
		return
	}
	if c.action == "" { // no operation
		event.Action = r.Method
	}
	if target.name != "" {
		event.Resources = []string{"acs:mns:" + c.Region + ":" + c.Account + ":" + strings.TrimRight(r.URL.Path, "/")}
	}
	s.callers.Audit(r, &c.Caller, event)
}

package openapi

import (
	"maps"
	"net/http"

	"github.com/polymq/polymq/protocols/caller"
)

// signing are the parameters that a request is signed with, which say nothing of what it asks for.
var signing = []string{"AccessKeyId", "Action", "Format", "SecurityToken", "Signature", "SignatureMethod", "SignatureNonce", "SignatureType",
	"SignatureVersion", "Timestamp", "Version"}

// audit tells the audit log of a call. The fault is an empty one where it went well.
func (s *Server) audit(r *http.Request, c *Call, document any, fault *Fault) {
	if !s.callers.Audits(false, fault.Code) {
		return
	}
	parameters := maps.Clone(c.Parameters)
	for _, name := range signing {
		delete(parameters, name)
	}
	event := caller.Audited{Source: s.service.Protocol, Action: c.Action, Parameters: parameters, Result: document, Code: fault.Code, Text: fault.brief()}
	for _, kind := range []struct{ parameter, path string }{{"QueueName", "/queues/"}, {"TopicName", "/topics/"}} {
		if name := parameters[kind.parameter]; name != "" {
			event.Resources = append(event.Resources, "acs:mns:"+c.Region+":"+c.Account+":"+kind.path+name)
		}
	}
	s.callers.Audit(r, &c.Caller, event)
}

package server

import (
	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// auditor gives what is told of calls that are to be audited, nil where none are.
func (s *Server) auditor() caller.Auditor {
	switch s.config.Audit {
	case "off":
		return nil
	case "changes":
		return func(e core.AuditEvent) {
			if !e.ReadOnly || e.Denied {
				s.broker.Audit(e)
			}
		}
	}
	return s.broker.Audit
}

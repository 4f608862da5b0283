package smq

import (
	"context"
	"strconv"
)

type setAccountAttributesRequest struct {
	LogEnabled          *bool
	LogStoreName        *string
	MessageTraceEnabled *bool
	ProjectName         *string
}

// setAccountAttributes changes those attributes that are given. They are kept and shown, and have no effect.
func (s *Server) setAccountAttributes(ctx context.Context, c *call, req *setAccountAttributesRequest) (none, error) {
	change := map[string]*string{}
	for name, value := range map[string]*bool{keptLogEnabled: req.LogEnabled, keptTraceEnabled: req.MessageTraceEnabled} {
		if value != nil {
			text := strconv.FormatBool(*value)
			change[name] = &text
		}
	}
	for name, value := range map[string]*string{keptLogStore: req.LogStoreName, keptProject: req.ProjectName} {
		if err := keep(change, name, value); err != nil {
			return nil, err
		}
	}
	return nil, s.broker.SetAccountAttributes(ctx, c.Account, c.Region, change)
}

package smq

import "context"

type getAccountAttributesRequest struct{}

type accountData struct {
	LogEnabled          bool
	LogStoreName        string
	MessageTraceEnabled bool
	ProjectName         string
}

// What is kept of an account's logs, and shown.
const (
	keptLogEnabled   = "smq.LogEnabled"
	keptLogStore     = "smq.LogStoreName"
	keptTraceEnabled = "smq.MessageTraceEnabled"
	keptProject      = "smq.ProjectName"
)

func (s *Server) getAccountAttributes(ctx context.Context, c *call, _ *getAccountAttributesRequest) (*accountData, error) {
	kept, err := s.broker.AccountAttributes(ctx, c.Account, c.Region)
	return &accountData{kept[keptLogEnabled] == "true", kept[keptLogStore], kept[keptTraceEnabled] == "true", kept[keptProject]}, err
}

package sqs

import (
	"context"
	"slices"
)

type removePermissionRequest struct {
	QueueUrl string
	Label    string
}

// removePermission removes a statement from the queue's policy.
func (s *Server) removePermission(ctx context.Context, c *call, req *removePermissionRequest) (*noResult, error) {
	name, err := c.queueName(req.QueueUrl)
	if err != nil {
		return nil, err
	}
	return &noResult{}, s.editPolicy(ctx, name, func(p *queuePolicy) error {
		if req.Label == "" {
			return missing("Label")
		}
		i := p.find(req.Label)
		if i < 0 {
			return invalid(req.Label, "Label", "can't find label.")
		}
		p.Statement = slices.Delete(p.Statement, i, i+1)
		return nil
	})
}

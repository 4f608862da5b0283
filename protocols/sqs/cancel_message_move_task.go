package sqs

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"github.com/polymq/polymq/core"
)

type cancelMessageMoveTaskRequest struct {
	TaskHandle string
}

type cancelMessageMoveTaskResult struct {
	ApproximateNumberOfMessagesMoved int
}

// cancelMessageMoveTask ends a task that runs. What it has moved stays moved.
func (s *Server) cancelMessageMoveTask(ctx context.Context, c *call, req *cancelMessageMoveTaskRequest) (*cancelMessageMoveTaskResult, error) {
	if req.TaskHandle == "" {
		return nil, missing("TaskHandle")
	}
	var handle moveHandle
	text, err := base64.StdEncoding.DecodeString(req.TaskHandle)
	if err != nil || json.Unmarshal(text, &handle) != nil {
		return nil, invalidParameter.errorf("Value for parameter TaskHandle is invalid.")
	}
	source, ok := parseARN(handle.SourceARN)
	if !ok {
		return nil, noResource("SourceArn")
	}
	if err := c.checkOwner(source); err != nil {
		return nil, err
	}
	task, err := s.broker.CancelMove(ctx, source, handle.TaskID)
	if core.CodeOf(err) == core.MoveEnded {
		return nil, unsupportedOperation.errorf("Only active tasks can be cancelled.")
	}
	if err != nil {
		return nil, moveError(err)
	}
	return &cancelMessageMoveTaskResult{int(task.Moved)}, nil
}

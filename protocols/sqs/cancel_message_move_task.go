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
func (s *Server) cancelMessageMoveTask(ctx context.Context, _ *call, req *cancelMessageMoveTaskRequest) (*cancelMessageMoveTaskResult, error) {
	source, id, err := readMoveHandle(req.TaskHandle)
	if err != nil {
		return nil, err
	}
	task, err := s.broker.CancelMove(ctx, source, id)
	if core.CodeOf(err) == core.MoveEnded {
		return nil, unsupportedOperation.errorf("Only active tasks can be cancelled.")
	}
	if err != nil {
		return nil, moveError(err)
	}
	return &cancelMessageMoveTaskResult{int(task.Moved)}, nil
}

// readMoveHandle gives what a TaskHandle says.
func readMoveHandle(text string) (source core.QueueName, id string, err error) {
	if text == "" {
		return source, "", missing("TaskHandle")
	}
	var handle moveHandle
	decoded, err := base64.StdEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(decoded, &handle) != nil {
		return source, "", invalidParameter.errorf("Value for parameter TaskHandle is invalid.")
	}
	source, ok := parseARN(handle.SourceARN)
	if !ok {
		return source, "", noResource("SourceArn")
	}
	return source, handle.TaskID, nil
}

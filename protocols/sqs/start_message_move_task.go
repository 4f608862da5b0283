package sqs

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/polymq/polymq/core"
)

type startMessageMoveTaskRequest struct {
	SourceArn                    string
	DestinationArn               *string
	MaxNumberOfMessagesPerSecond *int
}

type startMessageMoveTaskResult struct {
	TaskHandle string
}

// startMessageMoveTask begins to move the messages of a dead-letter queue: to the destination, or each
// to where it came from.
func (s *Server) startMessageMoveTask(ctx context.Context, _ *call, req *startMessageMoveTaskRequest) (*startMessageMoveTaskResult, error) {
	source, err := queueOfARN("SourceArn", req.SourceArn)
	if err != nil {
		return nil, err
	}
	in := core.StartMove{Source: source}
	if req.DestinationArn != nil {
		destination, err := queueOfARN("DestinationArn", *req.DestinationArn)
		if err != nil {
			return nil, err
		}
		if _, err := s.broker.Queue(ctx, source); err != nil {
			return nil, moveError(err)
		}
		switch {
		case destination.Account != source.Account || destination.Region != source.Region:
			return nil, noResource("DestinationArn")
		case destination == source:
			return nil, invalid(*req.DestinationArn, "DestinationArn", "It must be another queue than the source.")
		}
		in.Destination = destination.Name
	}
	if n := req.MaxNumberOfMessagesPerSecond; n != nil {
		if in.Rate = *n; in.Rate < 1 || in.Rate > core.MaxMoveRate {
			return nil, invalid(in.Rate, "MaxNumberOfMessagesPerSecond", fmt.Sprintf("Must be between 1 and %d, if provided.", core.MaxMoveRate))
		}
	}
	task, err := s.broker.StartMove(ctx, in)
	if err != nil {
		return nil, moveError(err)
	}
	return &startMessageMoveTaskResult{handleOf(&task)}, nil
}

// queueOfARN reads a parameter that is the ARN of a queue.
func queueOfARN(parameter, text string) (core.QueueName, error) {
	if text == "" {
		return core.QueueName{}, missing(parameter)
	}
	name, ok := parseARN(text)
	if !ok {
		return name, invalidParameter.errorf("You must use this format to specify the %s: arn:<partition>:<service>:<region>:<account-id>:<resource-id>", parameter)
	}
	return name, nil
}

func noResource(parameter string) error {
	return resourceNotFound.errorf("The resource that you specified for the %s parameter doesn't exist.", parameter)
}

// moveError says an error about move tasks in SQS's words.
func moveError(err error) error {
	switch core.CodeOf(err) {
	case core.QueueNotFound:
		return noResource("SourceArn")
	case core.MoveDestinationNotFound:
		return noResource("DestinationArn")
	case core.NotDeadLetterQueue:
		return invalidParameter.errorf("Source queue must be configured as a Dead Letter Queue.")
	case core.MoveActive:
		return invalidParameter.errorf("There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
	case core.QueueTypeMismatch:
		return unsupportedOperation.errorf("Messages can be moved between queues of the same type only.")
	case core.MoveNotFound:
		return resourceNotFound.errorf("Task does not exist.")
	}
	return err
}

// moveHandle is what a TaskHandle says, in base64.
type moveHandle struct {
	TaskID    string `json:"taskId"`
	SourceARN string `json:"sourceArn"`
}

func handleOf(task *core.MoveTask) string {
	text, err := json.Marshal(moveHandle{task.ID, arn(task.Source)})
	if err != nil {
		panic(fmt.Sprintf("encode the handle of move task %s: %v", task.ID, err)) // two strings
	}
	return base64.StdEncoding.EncodeToString(text)
}

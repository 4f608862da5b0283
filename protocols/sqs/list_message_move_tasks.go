package sqs

import (
	"context"
	"fmt"

	"github.com/polymq/polymq/core"
)

type listMessageMoveTasksRequest struct {
	SourceArn  string
	MaxResults *int
}

type listMessageMoveTasksResult struct {
	Results []moveTask `query:"ListMessageMoveTasksResultEntry"`
}

// moveTask is a task as it is listed; its handle is shown while it runs, and can be cancelled.
type moveTask struct {
	TaskHandle                        string
	Status                            string
	SourceArn                         string
	DestinationArn                    string
	MaxNumberOfMessagesPerSecond      *int
	ApproximateNumberOfMessagesMoved  int
	ApproximateNumberOfMessagesToMove *int
	FailureReason                     string
	StartedTimestamp                  int // milliseconds
}

// listMessageMoveTasks gives the last tasks that moved messages from a queue, the newest first.
func (s *Server) listMessageMoveTasks(ctx context.Context, _ *call, req *listMessageMoveTasksRequest) (*listMessageMoveTasksResult, error) {
	source, err := queueOfARN("SourceArn", req.SourceArn)
	if err != nil {
		return nil, err
	}
	limit := 1
	if n := req.MaxResults; n != nil {
		if limit = *n; limit < 1 || limit > core.MaxMovesListed {
			return nil, invalid(limit, "MaxResults", fmt.Sprintf("Must be between 1 and %d, if provided.", core.MaxMovesListed))
		}
	}
	tasks, err := s.broker.ListMoves(ctx, source, limit)
	if err != nil {
		return nil, moveError(err)
	}
	result := &listMessageMoveTasksResult{Results: make([]moveTask, len(tasks))}
	for i := range tasks {
		result.Results[i] = showMoveTask(&tasks[i])
	}
	return result, nil
}

func showMoveTask(task *core.MoveTask) moveTask {
	toMove := int(task.ToMove)
	shown := moveTask{
		Status:                            string(task.Status),
		SourceArn:                         arn(task.Source),
		ApproximateNumberOfMessagesMoved:  int(task.Moved),
		ApproximateNumberOfMessagesToMove: &toMove,
		StartedTimestamp:                  int(task.StartedAt.UnixMilli()),
	}
	if task.Destination != "" {
		shown.DestinationArn = arn(core.QueueName{Account: task.Source.Account, Region: task.Source.Region, Name: task.Destination})
	}
	if task.Rate > 0 {
		shown.MaxNumberOfMessagesPerSecond = &task.Rate
	}
	switch task.Status {
	case core.MoveRunning:
		shown.TaskHandle = handleOf(task)
	case core.MoveFailed:
		shown.FailureReason = moveFailures[task.Failure]
	}
	return shown
}

// moveFailures says in SQS's words why a task failed.
var moveFailures = map[core.MoveFailure]string{
	core.MoveDestinationGone: queueDoesNotExist.code,
	core.MoveSourceUnknown:   "CouldNotDetermineMessageSource",
	core.MoveTookTooLong:     "TaskTimedOut",
}

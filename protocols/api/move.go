package api

import (
	"time"

	"github.com/polymq/polymq/core"
)

// moveBody is a move task on the wire.
type moveBody struct {
	ID          string           `json:"id" format:"uuid"`
	Source      string           `json:"source" doc:"The dead-letter queue whose messages are moved"`
	Destination string           `json:"destination,omitempty" doc:"Where they go; absent: each back to the queue that it came from"`
	Rate        int              `json:"rate,omitempty" doc:"Messages a second; absent: as fast as others do not suffer"`
	Status      core.MoveStatus  `json:"status" enum:"RUNNING,CANCELLING,COMPLETED,CANCELLED,FAILED"`
	Failure     core.MoveFailure `json:"failure,omitempty" enum:"DestinationGone,SourceUnknown,TookTooLong" doc:"Why it failed"`
	Moved       int64            `json:"moved" doc:"Messages moved so far"`
	ToMove      int64            `json:"to_move" doc:"Messages that could be received when the task began"`
	StartedAt   time.Time        `json:"started_at"`
	EndedAt     *time.Time       `json:"ended_at,omitempty"`
}

func encodeMove(task core.MoveTask) moveBody {
	body := moveBody{
		ID: task.ID, Source: task.Source.Name, Destination: task.Destination, Rate: task.Rate, Status: task.Status, Failure: task.Failure,
		Moved: task.Moved, ToMove: task.ToMove, StartedAt: task.StartedAt.UTC(),
	}
	if !task.EndedAt.IsZero() {
		ended := task.EndedAt.UTC()
		body.EndedAt = &ended
	}
	return body
}

// ofOneMove is the response that shows a task.
type ofOneMove struct{ Body moveBody }

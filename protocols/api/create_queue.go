package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/polymq/polymq/core"
)

// fifoSuffix is what SQS wants the names of FIFO queues to end in.
const fifoSuffix = ".fifo"

type createQueueRequest struct {
	Scope
	Body struct {
		Name string `json:"name" maxLength:"256" pattern:"^[A-Za-z0-9_-]+([.]fifo)?$" patternDescription:"1 to 256 letters, digits, '-' and '_', of a FIFO queue also with .fifo behind them" doc:"SQS clients can create names of up to 80 characters, MNS clients none with '_'; both can use any" example:"orders"`
		FIFO bool   `json:"fifo,omitempty" doc:"Messages are received in the order of sending within their groups. It cannot be changed later"`
		Settings
		Tags map[string]string `json:"tags,omitempty" maxProperties:"50"`

		ProtocolAttributes map[string]string `json:"protocol_attributes,omitempty" doc:"What protocols keep, by their names, such as sqs.ContentBasedDeduplication or sqs.Policy; not checked"`
	}
}

type createQueueResponse struct {
	Status int
	Body   queueBody
}

// createQueue makes a queue. One that exists is given back, if it has the settings that were asked
// for, and is a QueueExists otherwise.
func (s *Server) createQueue(ctx context.Context, req *createQueueRequest) (*createQueueResponse, error) {
	if strings.HasSuffix(req.Body.Name, fifoSuffix) && !req.Body.FIFO {
		return nil, failed(ctx, core.Errorf(core.InvalidArgument, "only a FIFO queue's name ends in %s", fifoSuffix))
	}
	if err := checkProtocolAttributes(optional(req.Body.ProtocolAttributes)); err != nil {
		return nil, failed(ctx, err)
	}
	change := req.Body.change()
	if err := checkScope(req.Body.FIFO, change); err != nil {
		return nil, failed(ctx, err)
	}
	queue, created, err := s.broker.CreateQueue(ctx, core.NewQueue{
		Name:     req.queue(ctx, req.Body.Name),
		FIFO:     req.Body.FIFO,
		Settings: change.Apply(core.Queue{Settings: core.DefaultSettings()}).Settings,
		Tags:     req.Body.Tags,

		Attributes: req.Body.ProtocolAttributes,
	})
	if err != nil {
		return nil, failed(ctx, err)
	}
	if created {
		return &createQueueResponse{http.StatusCreated, encodeQueue(queue, false)}, nil
	}
	same := req.Body.FIFO == queue.FIFO && change.Apply(queue).Settings == queue.Settings
	for name, value := range req.Body.Tags {
		same = same && queue.Tags[name] == value
	}
	for name, value := range req.Body.ProtocolAttributes {
		same = same && queue.Attributes[name] == value
	}
	if !same {
		return nil, failed(ctx, core.Errorf(core.QueueExists, "queue %q exists with other settings or tags, or of the other kind", req.Body.Name))
	}
	return &createQueueResponse{http.StatusOK, encodeQueue(queue, false)}, nil
}

package mns

import (
	"context"
	"net/http"
	"time"

	"github.com/polymq/polymq/core"
)

type createQueueResponse struct {
	url     string
	created bool
}

func (r *createQueueResponse) write(a *answer) {
	a.status = http.StatusNoContent
	if r.created {
		a.status = http.StatusCreated
	}
	a.location = r.url
}

// createQueue makes a queue. One that is there already is fine if it has the same attributes.
func (s *Server) createQueue(ctx context.Context, c *call, req *queueElement) (*createQueueResponse, error) {
	if err := checkName(c.queue.Name); err != nil {
		return nil, err
	}
	change, err := req.change()
	if err != nil {
		return nil, err
	}
	settings := change.Apply(core.Queue{Settings: defaultSettings()}).Settings
	existing, created, err := s.broker.CreateQueue(ctx, core.NewQueue{Name: c.queue, Settings: settings})
	if err != nil {
		return nil, err
	}
	if !created && sayable(existing.Settings) != sayable(settings) {
		return nil, core.Errorf(core.QueueExists, "queue %q exists with other attributes", c.queue.Name)
	}
	return &createQueueResponse{url: c.queueURL(c.queue.Name), created: created}, nil
}

// checkName holds for queues that MNS makes; those of other protocols, which may have other
// characters in their names, can be used all the same.
func checkName(name string) error {
	if len(name) > maxNameLength {
		return wireError{http.StatusBadRequest, "QueueNameLengthError", "a queue name has 1 to 256 characters"}
	}
	for i, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-' && i > 0:
		default:
			return wireError{http.StatusBadRequest, "InvalidQueueName", "a queue name has letters, digits and '-', and begins with no '-'"}
		}
	}
	return nil
}

// sayable gives settings as MNS can say them: the nearest it has to values that another protocol
// may have given. So a queue that SQS made with its defaults is the same as one that MNS makes with its.
func sayable(s core.Settings) core.Settings {
	s.VisibilityTimeout = max(s.VisibilityTimeout, minVisibility*time.Second)
	s.MaxMessageSize = min(max(s.MaxMessageSize, minMessageSize), maxMessageSize)
	s.Bodies = core.BodyAuto
	return s
}

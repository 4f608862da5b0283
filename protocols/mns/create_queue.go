package mns

import (
	"context"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/polymq/polymq/core"
)

// createdResponse is the answer of actions that make something, which may be there already.
type createdResponse struct {
	url     string
	created bool
}

func (r *createdResponse) write(a *answer) {
	a.status = http.StatusNoContent
	if r.created {
		a.status = http.StatusCreated
	}
	a.location = r.url
}

// createQueue makes a queue. One that is there already is fine if it has the same attributes.
func (s *Server) createQueue(ctx context.Context, c *call, req *QueueAttributes) (*createdResponse, error) {
	if err := CheckQueueName(c.queue.Name); err != nil {
		return nil, err
	}
	settings, err := req.Settings()
	if err != nil {
		return nil, err
	}
	existing, created, err := s.broker.CreateQueue(ctx, core.NewQueue{Name: c.queue, Settings: settings})
	if err != nil {
		return nil, err
	}
	if !created && !SameQueue(&existing, settings) {
		return nil, core.Errorf(core.QueueExists, "queue %q exists with other attributes", c.queue.Name)
	}
	return &createdResponse{url: c.queueURL(c.queue.Name), created: created}, nil
}

// CheckQueueName holds for queues that MNS makes; those of other protocols, which may have other
// characters in their names, can be used all the same.
func CheckQueueName(name string) error {
	switch {
	case utf8.RuneCountInString(name) > maxNameLength:
		return wireError{http.StatusBadRequest, "QueueNameLengthError", "a queue name has 1 to 256 characters"}
	case !validName(name):
		return wireError{http.StatusBadRequest, "InvalidQueueName", "a queue name has letters, digits and '-', and begins with no '-'"}
	}
	return nil
}

// validName says that a name has the characters of MNS's names.
func validName(name string) bool {
	for i, r := range name {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-' && i > 0:
		default:
			return false
		}
	}
	return name != ""
}

// sayable gives settings as MNS can say them: the nearest it has to values that another protocol
// may have given. So a queue that SQS made with its defaults is the same as one that MNS makes with its.
func sayable(s core.Settings) core.Settings {
	return core.Settings{
		Delay:             s.Delay,
		VisibilityTimeout: max(s.VisibilityTimeout, minVisibility*time.Second),
		Retention:         s.Retention,
		ReceiveWait:       s.ReceiveWait,
		MaxMessageSize:    min(max(s.MaxMessageSize, minMessageSize), maxMessageSize),
		Logging:           s.Logging,
	}
}

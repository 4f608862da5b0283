package sqs

import (
	"errors"
	"net/http"

	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
)

// authenticate finds out whose request it is. A form of another type than a form's is not read by the
// query protocol, but signed nevertheless.
func (s *Server) authenticate(c *call, r *http.Request) (err error) {
	if c.body == nil && s.callers.Verify {
		if c.body, err = caller.ReadBody(r, maxRequest); err != nil {
			return err
		}
	}
	if err = s.auth.Authenticate(r, c.body, &c.Caller); err == nil {
		return nil
	}
	wrong := (*aws.AuthError)(nil)
	if !errors.As(err, &wrong) {
		return err
	}
	told := &fault{wireError: wireError{wrong.Status, coralNamespace + wrong.Name, wrong.Code}, message: wrong.Message}
	if errors.Is(err, aws.ErrNotSigned) && permissions[c.action].on.queue() {
		c.unsigned = told // unless the queue is everybody's
		return nil
	}
	return told
}

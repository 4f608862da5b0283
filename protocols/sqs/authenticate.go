package sqs

import (
	"errors"
	"net/http"

	"github.com/polymq/polymq/core"
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
	if wrong := (*aws.AuthError)(nil); errors.As(err, &wrong) {
		return &fault{wireError: wireError{wrong.Status, coralNamespace + wrong.Name, wrong.Code}, message: wrong.Message}
	}
	return err
}

// ownerOnly are the actions that SQS allows nobody but the queue's own account, whatever the queue's
// policy says (specs/sqs.md 1.8).
var ownerOnly = map[string]bool{
	"AddPermission": true, "CancelMessageMoveTask": true, "CreateQueue": true, "DeleteQueue": true, "ListMessageMoveTasks": true,
	"ListQueueTags": true, "ListQueues": true, "RemovePermission": true, "SetQueueAttributes": true, "StartMessageMoveTask": true,
	"TagQueue": true, "UntagQueue": true,
}

// checkOwner refuses such an action on another account's queue. Where signatures are not verified, a
// caller may be of whichever account it says.
func (c *call) checkOwner(name core.QueueName) error {
	if c.Verified && name.Account != c.Account && ownerOnly[c.action] {
		return accessDenied.errorf("Access to the resource %s is denied.", c.url(name))
	}
	return nil
}

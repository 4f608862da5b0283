package mns

import (
	"errors"
	"net/http"

	"github.com/polymq/polymq/core"
)

// wireError is an error as a client sees it.
type wireError struct {
	status  int
	code    string
	message string
}

func (e wireError) Error() string { return e.code + ": " + e.message }

// coreErrors says each of core's errors in MNS's words (specs/mns.md 6.2). What the service calls
// MessageNotExist is one place for all handles that were good once: their message is gone, or they
// are no longer its newest, or their time is over (4.4).
var coreErrors = map[core.Code]wireError{
	core.Internal:                {status: http.StatusInternalServerError, code: "InternalError"},
	core.Unavailable:             {status: http.StatusInternalServerError, code: "InternalError"},
	core.Throttled:               {status: http.StatusBadRequest, code: "QpsLimitExceeded"},
	core.InvalidArgument:         {status: http.StatusBadRequest, code: "InvalidArgument"},
	core.MissingParameter:        {status: http.StatusBadRequest, code: "InvalidArgument"},
	core.AccessDenied:            {status: http.StatusForbidden, code: "AccessDenied"},
	core.QueueNotFound:           {status: http.StatusNotFound, code: "QueueNotExist"},
	core.QueueExists:             {status: http.StatusConflict, code: "QueueAlreadyExist"},
	core.MessageTooLong:          {status: http.StatusBadRequest, code: "InvalidArgument"},
	core.MessageNotFound:         {status: http.StatusNotFound, code: "MessageNotExist"},
	core.ReceiptHandleInvalid:    {status: http.StatusBadRequest, code: "ReceiptHandleError"},
	core.ReceiptHandleExpired:    {status: http.StatusNotFound, code: "MessageNotExist"},
	core.ReceiptHandleSuperseded: {status: http.StatusNotFound, code: "MessageNotExist"},
	core.VisibilityTooLong:       {status: http.StatusBadRequest, code: "InvalidArgument"},
	core.TopicNotFound:           {status: http.StatusNotFound, code: "TopicNotExist"},
	core.TopicExists:             {status: http.StatusConflict, code: "TopicAlreadyExist"},
	core.TopicArchives:           {status: http.StatusBadRequest, code: "InvalidArgument"},
	core.SubscriptionNotFound:    {status: http.StatusNotFound, code: "SubscriptionNotExist"},
	core.SubscriptionExists:      {status: http.StatusConflict, code: "SubscriptionAlreadyExist"},
	core.SubscriptionLimit:       {status: http.StatusBadRequest, code: "InvalidArgument"},
	core.DeliveryNotFound:        {status: http.StatusNotFound, code: "MessageNotExist"},
	core.KeyNotFound:             {status: http.StatusForbidden, code: "InvalidAccessKeyId"},
	core.KeyExists:               {status: http.StatusBadRequest, code: "InvalidArgument"},
	core.EntityNotFound:          {status: http.StatusBadRequest, code: "InvalidArgument"},
	core.EntityExists:            {status: http.StatusBadRequest, code: "InvalidArgument"},
	core.EntityInUse:             {status: http.StatusBadRequest, code: "InvalidArgument"},
	core.EntityProtected:         {status: http.StatusForbidden, code: "AccessDenied"},
	core.EntityLimit:             {status: http.StatusBadRequest, code: "QuotaExceeded"},
	core.PolicyMalformed:         {status: http.StatusBadRequest, code: "InvalidArgument"},
	core.InFlightLimit:           {status: http.StatusNotFound, code: "MessageNotExist"},
	core.DeadLetterQueueNotFound: {status: http.StatusNotFound, code: "QueueNotExist"},
	core.DeadLetterDenied:        {status: http.StatusBadRequest, code: "InvalidArgument"},
	core.QueueTypeMismatch:       {status: http.StatusBadRequest, code: "InvalidArgument"},
	core.NotDeadLetterQueue:      {status: http.StatusBadRequest, code: "InvalidArgument"},
	core.MoveDestinationNotFound: {status: http.StatusNotFound, code: "QueueNotExist"},
	core.MoveActive:              {status: http.StatusBadRequest, code: "InvalidArgument"},
	core.TooManyMoves:            {status: http.StatusBadRequest, code: "QpsLimitExceeded"},
	core.MoveNotFound:            {status: http.StatusBadRequest, code: "InvalidArgument"},
	core.MoveEnded:               {status: http.StatusBadRequest, code: "InvalidArgument"},
	core.FaultNotFound:           {status: http.StatusBadRequest, code: "InvalidArgument"},
}

// errNoMessage is the answer to a receive or a peek that finds nothing.
var errNoMessage = core.Errorf(core.MessageNotFound, "there is no message to hand out")

var errNoHandle = wireError{http.StatusBadRequest, "MissingReceiptHandle", "the receipt handle is missing"}

// wireErrorOf gives what the client is told of an error.
func wireErrorOf(err error) wireError {
	var e wireError
	if errors.As(err, &e) {
		return e
	}
	e = coreErrors[core.CodeOf(err)]
	e.message = core.MessageOf(err)
	return e
}

// ErrorOf gives what a client is told of an error in the words that the control plane shares.
func ErrorOf(err error) (status int, code, message string) {
	e := wireErrorOf(err)
	return e.status, e.code, e.message
}

// IsOwn says that an error is one that MNS alone has.
func IsOwn(err error) bool {
	var e wireError
	return errors.As(err, &e)
}

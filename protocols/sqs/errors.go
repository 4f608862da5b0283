package sqs

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
)

// wireError is how an error is called: SDKs make their exception's class of the name, and compare
// its code with that of the query protocol (specs/sqs.md 2).
type wireError struct {
	status int
	name   string // __type in JSON
	code   string // in the query protocol, in x-amzn-query-error, and of a batch's entry
}

// Namespaces of errors in JSON: those of SQS's model, and those of any service of AWS's.
const (
	modelNamespace = "com.amazonaws.sqs#"
	coralNamespace = "com.amazon.coral.service#"
	codePrefix     = "AWS.SimpleQueueService."
)

var (
	internalFailure      = wireError{http.StatusInternalServerError, coralNamespace + "InternalFailure", "InternalError"}
	serviceUnavailable   = wireError{http.StatusServiceUnavailable, coralNamespace + "ServiceUnavailable", "ServiceUnavailable"}
	unknownOperation     = wireError{http.StatusBadRequest, coralNamespace + "UnknownOperationException", "UnknownOperationException"}
	invalidRequest       = wireError{http.StatusBadRequest, "InvalidRequest", "InvalidRequest"} // of PeekPath, which is LocalStack's
	noOperation          = wireError{http.StatusNotFound, coralNamespace + "UnknownOperationException", "UnknownOperationException"}
	invalidAction        = wireError{http.StatusBadRequest, coralNamespace + "InvalidAction", "InvalidAction"}
	malformedRequest     = wireError{http.StatusBadRequest, coralNamespace + "SerializationException", "MalformedQueryString"}
	missingParameter     = wireError{http.StatusBadRequest, coralNamespace + "MissingRequiredParameterException", "MissingParameter"}
	invalidParameter     = wireError{http.StatusBadRequest, coralNamespace + "InvalidParameterValueException", "InvalidParameterValue"}
	accessDenied         = wireError{http.StatusForbidden, coralNamespace + "AccessDeniedException", "AccessDenied"}
	queueDoesNotExist    = wireError{http.StatusBadRequest, modelNamespace + "QueueDoesNotExist", codePrefix + "NonExistentQueue"}
	queueNameExists      = wireError{http.StatusBadRequest, modelNamespace + "QueueNameExists", "QueueAlreadyExists"}
	queueDeletedRecently = wireError{http.StatusBadRequest, modelNamespace + "QueueDeletedRecently", codePrefix + "QueueDeletedRecently"}
	purgeInProgress      = wireError{http.StatusForbidden, modelNamespace + "PurgeQueueInProgress", codePrefix + "PurgeQueueInProgress"}
	invalidAttribute     = wireError{http.StatusBadRequest, modelNamespace + "InvalidAttributeName", "InvalidAttributeName"}
	invalidValue         = wireError{http.StatusBadRequest, modelNamespace + "InvalidAttributeValue", "InvalidAttributeValue"}
	invalidContents      = wireError{http.StatusBadRequest, modelNamespace + "InvalidMessageContents", "InvalidMessageContents"}
	receiptHandle        = wireError{http.StatusNotFound, modelNamespace + "ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid"}
	overLimit            = wireError{http.StatusForbidden, modelNamespace + "OverLimit", "OverLimit"}
	requestThrottled     = wireError{http.StatusForbidden, modelNamespace + "RequestThrottled", "RequestThrottled"}
	resourceNotFound     = wireError{http.StatusNotFound, modelNamespace + "ResourceNotFoundException", "ResourceNotFoundException"}
	unsupportedOperation = wireError{http.StatusBadRequest, modelNamespace + "UnsupportedOperation", codePrefix + "UnsupportedOperation"}
	emptyBatch           = wireError{http.StatusBadRequest, modelNamespace + "EmptyBatchRequest", codePrefix + "EmptyBatchRequest"}
	tooManyEntries       = wireError{http.StatusBadRequest, modelNamespace + "TooManyEntriesInBatchRequest", codePrefix + "TooManyEntriesInBatchRequest"}
	idsNotDistinct       = wireError{http.StatusBadRequest, modelNamespace + "BatchEntryIdsNotDistinct", codePrefix + "BatchEntryIdsNotDistinct"}
	invalidEntryID       = wireError{http.StatusBadRequest, modelNamespace + "InvalidBatchEntryId", codePrefix + "InvalidBatchEntryId"}
	batchTooLong         = wireError{http.StatusBadRequest, modelNamespace + "BatchRequestTooLong", codePrefix + "BatchRequestTooLong"}
)

// coreErrors says each of core's errors in SQS's words. Where the text must name a handle or a
// value, the actions say it themselves.
var coreErrors = map[core.Code]wireError{
	core.Internal:                internalFailure,
	core.Unavailable:             serviceUnavailable,
	core.Throttled:               requestThrottled,
	core.InvalidArgument:         invalidParameter,
	core.MissingParameter:        missingParameter,
	core.AccessDenied:            accessDenied,
	core.QueueNotFound:           queueDoesNotExist,
	core.QueueExists:             queueNameExists,
	core.MessageTooLong:          invalidParameter,
	core.MessageNotFound:         invalidParameter,
	core.ReceiptHandleInvalid:    receiptHandle,
	core.ReceiptHandleExpired:    invalidParameter,
	core.ReceiptHandleSuperseded: invalidParameter,
	core.VisibilityTooLong:       invalidParameter,
	core.TopicNotFound:           invalidParameter,
	core.TopicExists:             invalidParameter,
	core.TopicArchives:           invalidParameter,
	core.SubscriptionNotFound:    invalidParameter,
	core.SubscriptionExists:      invalidParameter,
	core.SubscriptionLimit:       overLimit,
	core.DeliveryNotFound:        invalidParameter,
	core.KeyNotFound:             invalidParameter,
	core.KeyExists:               invalidParameter,
	core.EntityNotFound:          invalidParameter,
	core.EntityExists:            invalidParameter,
	core.EntityInUse:             invalidParameter,
	core.EntityProtected:         accessDenied,
	core.EntityLimit:             overLimit,
	core.PolicyMalformed:         invalidParameter,
	core.InFlightLimit:           overLimit,
	core.DeadLetterQueueNotFound: invalidParameter,
	core.DeadLetterDenied:        invalidParameter,
	core.QueueTypeMismatch:       invalidParameter,
	core.NotDeadLetterQueue:      invalidParameter,
	core.MoveDestinationNotFound: resourceNotFound,
	core.MoveActive:              invalidParameter,
	core.TooManyMoves:            overLimit,
	core.MoveNotFound:            resourceNotFound,
	core.MoveEnded:               unsupportedOperation,
	core.FaultNotFound:           unsupportedOperation,
}

// fault is an error as the client is told it.
type fault struct {
	wireError
	message      string
	queryMessage string // in the query protocol, "" for the same
}

// Error says it for logs.
func (f *fault) Error() string { return f.code + ": " + f.message }

// receiver says that the fault is the server's, so that trying again may help.
func (e wireError) receiver() bool { return e.status >= http.StatusInternalServerError }

// errorf makes an error for the client.
func (e wireError) errorf(format string, args ...any) error {
	return &fault{wireError: e, message: fmt.Sprintf(format, args...)}
}

// invalid is SQS's usual complaint.
func invalid[V int | string](value V, parameter, reason string) error {
	if text, ok := any(value).(string); ok {
		return invalidParameter.errorf("Value %s for parameter %s is invalid. Reason: %s", short(text), parameter, reason)
	}
	return invalidParameter.errorf("Value %v for parameter %s is invalid. Reason: %s", value, parameter, reason)
}

// short bounds what of a request comes back in an error.
func short(text string) string {
	const most = 1024 // the longest receipt handle
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

func missing(parameter string) error {
	return missingParameter.errorf("The request must contain the parameter %s.", parameter)
}

var errQueueDoesNotExist = &fault{queueDoesNotExist, "The specified queue does not exist.",
	"The specified queue does not exist for this wsdl version."}

// faultOf gives what the client is told of an error.
func faultOf(err error) *fault {
	var told *fault
	var decoding *aws.DecodeError
	switch {
	case errors.As(err, &told):
		return told
	case errors.As(err, &decoding) && !decoding.Malformed:
		return faultOf(invalid(decoding.Value, decoding.Member, decoding.Reason+"."))
	case errors.As(err, &decoding):
		return &fault{wireError: malformedRequest, message: decoding.Error()}
	case errors.Is(err, caller.ErrTooLarge):
		return faultOf(invalidParameter.errorf("One or more parameters are invalid. Reason: The request must be shorter than %d bytes.", maxRequest))
	case errors.Is(err, caller.ErrEncoding), errors.Is(err, caller.ErrIncomplete):
		return &fault{wireError: malformedRequest, message: err.Error()}
	case core.CodeOf(err) == core.QueueNotFound:
		return errQueueDoesNotExist
	}
	return &fault{wireError: coreErrors[core.CodeOf(err)], message: core.MessageOf(err)}
}

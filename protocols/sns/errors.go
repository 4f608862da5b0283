package sns

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
)

// wireError is how an error is called on the wire, which is not the name of the SDKs' exception
// (specs/sns.md 1.4).
type wireError struct {
	status int
	code   string
}

var (
	internalError        = wireError{http.StatusInternalServerError, "InternalError"}
	serviceUnavailable   = wireError{http.StatusServiceUnavailable, "ServiceUnavailable"}
	throttled            = wireError{http.StatusBadRequest, "Throttling"}
	invalidAction        = wireError{http.StatusBadRequest, "InvalidAction"}
	missingAction        = wireError{http.StatusBadRequest, "MissingAction"}
	malformedQuery       = wireError{http.StatusBadRequest, "MalformedQueryString"}
	invalidParameter     = wireError{http.StatusBadRequest, "InvalidParameter"}
	invalidValue         = wireError{http.StatusBadRequest, "ParameterValueInvalid"}
	validationError      = wireError{http.StatusBadRequest, "ValidationError"}
	verification         = wireError{http.StatusBadRequest, "VerificationException"}
	notFound             = wireError{http.StatusNotFound, "NotFound"}
	resourceNotFound     = wireError{http.StatusNotFound, "ResourceNotFound"}
	authorizationError   = wireError{http.StatusForbidden, "AuthorizationError"}
	subscriptionLimit    = wireError{http.StatusForbidden, "SubscriptionLimitExceeded"}
	topicLimit           = wireError{http.StatusForbidden, "TopicLimitExceeded"}
	endpointDisabled     = wireError{http.StatusBadRequest, "EndpointDisabled"}
	platformDisabled     = wireError{http.StatusBadRequest, "PlatformApplicationDisabled"}
	invalidState         = wireError{http.StatusBadRequest, "InvalidState"}
	emptyBatch           = wireError{http.StatusBadRequest, "EmptyBatchRequest"}
	tooManyEntries       = wireError{http.StatusBadRequest, "TooManyEntriesInBatchRequest"}
	idsNotDistinct       = wireError{http.StatusBadRequest, "BatchEntryIdsNotDistinct"}
	invalidEntryID       = wireError{http.StatusBadRequest, "InvalidBatchEntryId"}
	batchTooLong         = wireError{http.StatusBadRequest, "BatchRequestTooLong"}
	tagLimitExceeded     = wireError{http.StatusBadRequest, "TagLimitExceeded"}
	optedOut             = wireError{http.StatusBadRequest, "OptedOut"}
	requestEntityTooBig  = wireError{http.StatusRequestEntityTooLarge, "RequestEntityTooLarge"}
	subscriptionNotFound = "Subscription does not exist"
	topicNotFound        = "Topic does not exist"
)

// coreErrors says each of core's errors in SNS's words.
var coreErrors = map[core.Code]wireError{
	core.Internal:                internalError,
	core.Unavailable:             serviceUnavailable,
	core.Throttled:               throttled,
	core.InvalidArgument:         invalidParameter,
	core.MissingParameter:        validationError,
	core.AccessDenied:            authorizationError,
	core.QueueNotFound:           notFound,
	core.QueueExists:             invalidParameter,
	core.MessageTooLong:          invalidParameter,
	core.MessageNotFound:         notFound,
	core.ReceiptHandleInvalid:    invalidParameter,
	core.ReceiptHandleExpired:    invalidParameter,
	core.ReceiptHandleSuperseded: invalidParameter,
	core.VisibilityTooLong:       invalidParameter,
	core.TopicNotFound:           notFound,
	core.TopicExists:             invalidParameter,
	core.TopicArchives:           invalidState,
	core.SubscriptionNotFound:    notFound,
	core.SubscriptionExists:      invalidParameter,
	core.SubscriptionLimit:       subscriptionLimit,
	core.DeliveryNotFound:        notFound,
	core.InFlightLimit:           throttled,
	core.DeadLetterQueueNotFound: invalidParameter,
	core.DeadLetterDenied:        invalidParameter,
	core.QueueTypeMismatch:       invalidParameter,
	core.NotDeadLetterQueue:      invalidParameter,
	core.MoveDestinationNotFound: notFound,
	core.MoveActive:              invalidState,
	core.TooManyMoves:            throttled,
	core.MoveNotFound:            notFound,
	core.MoveEnded:               invalidState,
	core.FaultNotFound:           invalidState,
	core.KeyNotFound:             notFound,
	core.KeyExists:               invalidParameter,
	core.EntityNotFound:          notFound,
	core.EntityExists:            invalidParameter,
	core.EntityInUse:             invalidState,
	core.EntityProtected:         authorizationError,
	core.EntityLimit:             topicLimit,
	core.PolicyMalformed:         invalidParameter,
}

// coreTexts are SNS's own texts for errors that the core describes in its words.
var coreTexts = map[core.Code]string{
	core.TopicNotFound:        topicNotFound,
	core.SubscriptionNotFound: subscriptionNotFound,
	core.MessageTooLong:       "Invalid parameter: Message too long",
	core.SubscriptionLimit:    "Subscription limit exceeded",
	core.TopicArchives:        "Invalid state: Cannot delete a topic with an ArchivePolicy",
}

// fault is an error as the client is told it.
type fault struct {
	wireError
	message string
}

// Error says it for logs.
func (f *fault) Error() string { return f.code + ": " + f.message }

// receiver says that the fault is the server's, so that trying again may help.
func (e wireError) receiver() bool { return e.status >= http.StatusInternalServerError }

func (e wireError) side() string {
	if e.receiver() {
		return "Receiver"
	}
	return "Sender"
}

// errorf makes an error for the client.
func (e wireError) errorf(format string, args ...any) error {
	return &fault{wireError: e, message: fmt.Sprintf(format, args...)}
}

// invalid is SNS's usual complaint.
func invalid(format string, args ...any) error {
	return invalidParameter.errorf("Invalid parameter: "+format, args...)
}

// required is the complaint about a member that is not there.
func required(path string) error {
	return validationError.errorf("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", path)
}

// constraint is the complaint about a member whose value the model of the service rules out.
func constraint(value, path, rule string) error {
	return validationError.errorf("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", short(value), path, rule)
}

// short bounds what of a request comes back in an error.
func short(text string) string {
	const most = 1024
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// faultOf gives what the client is told of an error.
func faultOf(err error) *fault {
	var told *fault
	var decoding *aws.DecodeError
	var auth *aws.AuthError
	switch {
	case errors.As(err, &told):
		return told
	case errors.As(err, &auth):
		return &fault{wireError{auth.Status, auth.Code}, auth.Message}
	case errors.As(err, &decoding) && !decoding.Malformed:
		return &fault{invalidParameter, "Invalid parameter: " + decoding.Member + " Reason: " + decoding.Reason}
	case errors.As(err, &decoding), errors.Is(err, caller.ErrEncoding), errors.Is(err, caller.ErrIncomplete):
		return &fault{malformedQuery, err.Error()}
	case errors.Is(err, caller.ErrTooLarge):
		return &fault{requestEntityTooBig, err.Error()}
	}
	code := core.CodeOf(err)
	if text, ok := coreTexts[code]; ok {
		return &fault{coreErrors[code], text}
	}
	text := core.MessageOf(err)
	if code == core.InvalidArgument {
		text = "Invalid parameter: " + text
	}
	return &fault{coreErrors[code], text}
}

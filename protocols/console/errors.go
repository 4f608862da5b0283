package console

import (
	"errors"
	"net/http"

	"github.com/polymq/polymq/core"
)

// Errors that are not the core's.
var (
	errNotFound  = errors.New("no such page")
	errForeign   = errors.New("the request does not come from a page of the console")
	errStale     = errors.New("the page is out of date")
	errThrottled = errors.New("too many attempts")
)

// toldError is an error of the core that has its text in the visitor's language already.
type toldError struct{ error }

func (e toldError) Unwrap() error { return e.error }

// problem makes an error that the visitor is told as it stands.
func (x *exchange) problem(code core.Code, text string) error {
	return toldError{core.Errorf(code, "%s", text)}
}

// own gives the status and the text of an error that is the console's own, 0 for another.
func own(err error) (status int, text string) {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.Is(err, errNotFound):
		return http.StatusNotFound, "There is no such page."
	case errors.Is(err, errForeign):
		return http.StatusForbidden, "The request does not come from a page of this console, and was not done."
	case errors.Is(err, errStale):
		return http.StatusForbidden, "This page is out of date. Nothing was done; load it again and repeat."
	case errors.Is(err, errThrottled):
		return http.StatusTooManyRequests, "Too many attempts. Wait a moment and try again."
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge, "That is more than a form may hold."
	}
	return 0, ""
}

// meaning is how an error of the core is answered, and what its code means to those who do not read its text.
type meaning struct {
	status int
	text   string
}

// meanings has a row for each of the core's codes.
var meanings = map[core.Code]meaning{
	core.Internal:                {http.StatusInternalServerError, "Something went wrong on the server; its log says what."},
	core.Unavailable:             {http.StatusServiceUnavailable, "The database cannot be reached at the moment. Try again soon."},
	core.Throttled:               {http.StatusTooManyRequests, "A bound of the server is reached. Try again later."},
	core.InvalidArgument:         {http.StatusUnprocessableEntity, "A value is outside what is allowed."},
	core.MissingParameter:        {http.StatusUnprocessableEntity, "Something that is needed was left out."},
	core.AccessDenied:            {http.StatusForbidden, "You may not do this."},
	core.QueueNotFound:           {http.StatusNotFound, "There is no such queue."},
	core.QueueExists:             {http.StatusUnprocessableEntity, "There is another queue of that name."},
	core.MessageTooLong:          {http.StatusUnprocessableEntity, "The message is too long."},
	core.MessageNotFound:         {http.StatusNotFound, "The message is gone."},
	core.ReceiptHandleInvalid:    {http.StatusUnprocessableEntity, "The receipt handle is not valid."},
	core.ReceiptHandleExpired:    {http.StatusUnprocessableEntity, "The visibility timeout is over; receive the message again."},
	core.ReceiptHandleSuperseded: {http.StatusUnprocessableEntity, "The message was received again since."},
	core.VisibilityTooLong:       {http.StatusUnprocessableEntity, "The message would be hidden for longer than is allowed."},
	core.TopicNotFound:           {http.StatusNotFound, "There is no such topic."},
	core.TopicExists:             {http.StatusUnprocessableEntity, "There is another topic of that name."},
	core.TopicArchives:           {http.StatusUnprocessableEntity, "The topic keeps an archive, which would be lost."},
	core.SubscriptionNotFound:    {http.StatusNotFound, "There is no such subscription."},
	core.SubscriptionExists:      {http.StatusUnprocessableEntity, "There is another subscription of that name or endpoint."},
	core.SubscriptionLimit:       {http.StatusUnprocessableEntity, "The topic has as many subscriptions as it may."},
	core.DeliveryNotFound:        {http.StatusNotFound, "That is not to be delivered any more."},
	core.KeyNotFound:             {http.StatusNotFound, "There is no such access key."},
	core.KeyExists:               {http.StatusUnprocessableEntity, "The id is another access key's."},
	core.EntityNotFound:          {http.StatusNotFound, "There is no user, group, role or policy of that name."},
	core.EntityExists:            {http.StatusUnprocessableEntity, "The name is taken."},
	core.EntityInUse:             {http.StatusUnprocessableEntity, "Something still depends on it."},
	core.EntityProtected:         {http.StatusUnprocessableEntity, "It is built in and cannot be changed."},
	core.EntityLimit:             {http.StatusUnprocessableEntity, "The account has as many of these as it may."},
	core.PolicyMalformed:         {http.StatusUnprocessableEntity, "The text is not a valid policy."},
	core.InFlightLimit:           {http.StatusUnprocessableEntity, "Too many messages of the queue are in flight."},
	core.DeadLetterQueueNotFound: {http.StatusUnprocessableEntity, "The dead-letter queue does not exist."},
	core.DeadLetterDenied:        {http.StatusUnprocessableEntity, "The dead-letter queue does not take this queue's messages."},
	core.QueueTypeMismatch:       {http.StatusUnprocessableEntity, "One queue is FIFO, the other is not."},
	core.NotDeadLetterQueue:      {http.StatusUnprocessableEntity, "This is no queue's dead-letter queue."},
	core.MoveDestinationNotFound: {http.StatusUnprocessableEntity, "The queue to move to does not exist."},
	core.MoveActive:              {http.StatusUnprocessableEntity, "The queue's messages are being moved already."},
	core.TooManyMoves:            {http.StatusUnprocessableEntity, "Too many tasks move messages at the moment."},
	core.MoveNotFound:            {http.StatusNotFound, "There is no such task."},
	core.MoveEnded:               {http.StatusUnprocessableEntity, "The task has ended."},
	core.FaultNotFound:           {http.StatusNotFound, "There is no such fault rule."},
}

// errorTexts are the words of the core's errors that people meet most, with %v for each name and number, so that they can be told in Chinese whole.
var errorTexts = []string{
	"queue %v does not exist", "topic %v does not exist", "subscription %v does not exist", "the subscription does not exist",
	"the dead-letter queue %v does not exist", "queue %v does not take the dead letters of queue %v", "queue %v cannot be its own dead-letter queue",
	"%v is not the name of a dead-letter queue", "%v is not the name of a queue", "%v is no name of a queue",
	"a FIFO queue's dead-letter queue must be one too, a standard queue's must not",
	"a message is received 1 to %v times before it is a dead letter, not %v", "a message of a FIFO queue needs a message group id",
	"a message of a FIFO topic needs a group", "a queue name has 1 to %v characters, this one has %v",
	"a queue name has letters, digits, '-', '_' and '.', not %v", "a topic name has 1 to %v characters, this one has %v",
	"a topic name has letters, digits, '-', '_' and '.', not %v", "a subscription name has 1 to %v letters, digits, '-', '_' and '.'",
	"an endpoint has 1 to %v bytes of text, this one has %v", "the visibility timeout must be 0 to %v, was %v", "the delay must be 0 to %v, was %v",
	"the receive wait must be 0 to %v, was %v", "the retention must be %v to %v, was %v", "the maximum message size must be 1 to %v bytes, was %v",
	"a message has at most %v bytes, this one has %v", "a message of queue %v has at most %v bytes, this one has %v",
	"a search is for a text of 1 to %v bytes", "%v is not a message id", "queue %v cannot be the destination of its own messages",
	"queue %v is no queue's dead-letter queue", "the destination %v does not exist", "a move task of queue %v is active already",
	"messages of a FIFO queue can only be moved to another one, those of a standard queue not to one", "account %v has as many queues as it may, %v",
	"a FIFO topic delivers to queues only", "a topic of messages larger than %v bytes delivers to queues, firehose and lambda only",
	"a topic of messages larger than %v bytes has at most %v subscriptions, all of queues, firehose and lambda",
	"account %v has as many topics as it may, %v", "topic %v keeps an archive, which is to be given up first", "only FIFO topics keep an archive",
	"there is an alert %v already", "there is no alert %v", "%v is no address of mail", "%v is no name of a %v",
	"a destination %v has a URL, http:// or https://", "a destination %v has no secret",
	"the name of an alert has 1 to %v letters, digits, '-', '_' and '.', unlike %v",
	"the name of a fault rule has 1 to %v letters, digits, '-', '_' and '.', unlike %v", "notifications are repeated every %v to %v, or never; was %v",
	"%v is no pattern of names", "the effect %v needs the longest delay", "there is no fault rule %v", "there is no access key of that id",
	"the server has no master key to keep secrets under: start it with a master-key-file",
	"a %v's name has 1 to %v letters, digits and characters of _+=,.@-", "a policy's name has 1 to %v letters, digits and characters of _+=,.@-",
	"The %v with name %v cannot be found.", "%v with name %v already exists.", "Policy %v does not exist or is not attachable.",
	"Policy %v was not found.", "the message of the receipt handle is gone", "the visibility timeout of the receipt handle has passed",
	"the message has a newer receipt handle", "status %v: %v", "code %v: %v",
}

// statusOf gives the status that a failure is answered with.
func statusOf(err error) int {
	if status, _ := own(err); status != 0 {
		return status
	}
	return meanings[core.CodeOf(err)].status
}

// tell gives what the visitor is told of a failure. The core speaks English: for others what its code means
// stands before its words, which have the names and the numbers.
func (x *exchange) tell(err error) string {
	if _, text := own(err); text != "" {
		return x.t(text)
	}
	code, message := core.CodeOf(err), core.MessageOf(err)
	var told toldError
	switch {
	case code == core.Internal || code == core.Unavailable:
		return x.t(meanings[code].text)
	case errors.As(err, &told) || x.language == languages[0].Code:
		return message
	}
	if text, known := formed(x.language, message, errorForms(), inUnits); known {
		return text
	}
	return x.t("%s (%s)", x.t(meanings[code].text), message)
}

package sqs

import (
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
)

// newMessage is a message as SendMessage and the entries of its batch name it.
type newMessage struct {
	MessageBody             aws.Text
	DelaySeconds            *int
	MessageAttributes       aws.Map[attributeValue] `query:"MessageAttribute,Name,Value"`
	MessageSystemAttributes aws.Map[attributeValue] `query:"MessageSystemAttribute,Name,Value"`
	MessageDeduplicationId  *string
	MessageGroupId          *string
}

// sentMessage is what both answer of a message that was sent.
type sentMessage struct {
	MessageId                    string
	MD5OfMessageBody             string
	MD5OfMessageAttributes       string
	MD5OfMessageSystemAttributes string
	SequenceNumber               string
}

// Bounds of a message.
const (
	maxDelaySeconds = 900
	maxGroupID      = 128
)

const validCharacters = "Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"

// prepare checks a message in the order of the real service (specs/sqs.md 5.1) and gives it as
// the core takes it, and what is to be answered once it is sent. cannot is how the service begins
// its complaint about the size, which differs between single messages and batches.
func (c *call) prepare(queue *core.Queue, in *newMessage, cannot string) (core.NewMessage, sentMessage, error) {
	var message core.NewMessage
	var sent sentMessage
	if len(in.MessageBody) == 0 {
		return message, sent, missing("MessageBody")
	}
	if limit := min(queue.MaxMessageSize, maxMessageSize); in.size() > limit {
		return message, sent, invalidParameter.errorf("One or more parameters %s. Reason: Message must be shorter than %d bytes.", cannot, limit)
	}
	if !core.ValidText(in.MessageBody) {
		return message, sent, invalidContents.errorf("Invalid characters found. %s", validCharacters)
	}
	attributes, err := messageAttributes(in.MessageAttributes)
	if err != nil {
		return message, sent, err
	}
	system, err := systemAttributes(in.MessageSystemAttributes)
	if err != nil {
		return message, sent, err
	}
	message = core.NewMessage{Body: in.MessageBody, Attributes: attributes, System: c.system(system)}
	if queue.FIFO {
		err = in.setFIFOIDs(queue, &message)
	} else {
		err = in.setGroup(&message)
	}
	if err != nil {
		return message, sent, err
	}
	if message.Delay, err = in.delay(queue.FIFO); err != nil {
		return message, sent, err
	}
	if c.Account != queue.Name.Account {
		message.Sender = c.Account
	}
	sent = sentMessage{
		MD5OfMessageBody:             aws.MD5(in.MessageBody),
		MD5OfMessageAttributes:       aws.AttributesMD5(attributes),
		MD5OfMessageSystemAttributes: aws.AttributesMD5(system),
	}
	return message, sent, nil
}

// delay gives the delay that a message names, nil for the queue's: those of a FIFO queue have no other.
func (in *newMessage) delay(fifo bool) (*time.Duration, error) {
	switch d := in.DelaySeconds; {
	case d == nil:
		return nil, nil
	case *d < 0 || *d > maxDelaySeconds:
		return nil, invalid(*d, "DelaySeconds", "DelaySeconds must be >= 0 and <= 900.")
	case fifo && *d > 0:
		return nil, invalid(*d, "DelaySeconds", notOfThisType+".")
	case fifo:
		return nil, nil
	}
	return asSeconds(in.DelaySeconds), nil
}

// size is what SQS counts of a message: its body and its attributes' names, types and values.
func (in *newMessage) size() int {
	size := len(in.MessageBody)
	for _, a := range in.MessageAttributes {
		size += len(a.Key) + len(a.Value.DataType) + len(a.Value.StringValue) + len(a.Value.BinaryValue)
	}
	return size
}

// isGroupID says that an id has 1 to 128 printable characters of ASCII, and no blank.
func isGroupID(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= maxGroupID
}

// maxTraceHeader bounds what is taken from a header.
const maxTraceHeader = 1024

// system gives a message's system attributes: the trace header of the request where the message
// names none of its own.
func (c *call) system(given []core.Attribute) map[string]string {
	if len(given) == 1 {
		return map[string]string{given[0].Name: string(given[0].Value)}
	}
	if c.traceID != "" && len(c.traceID) <= maxTraceHeader && core.ValidText([]byte(c.traceID)) {
		return map[string]string{traceHeader: c.traceID}
	}
	return nil
}

// asSeconds gives a time of so many seconds, nil for nil.
func asSeconds(n *int) *time.Duration {
	if n == nil {
		return nil
	}
	d := time.Duration(*n) * time.Second
	return &d
}

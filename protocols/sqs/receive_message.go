package sqs

import (
	"context"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
)

type receiveMessageRequest struct {
	QueueUrl                    string
	AttributeNames              []string `query:"AttributeName"`
	MessageSystemAttributeNames []string `query:"MessageSystemAttributeName"`
	MessageAttributeNames       []string `query:"MessageAttributeName"`
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int
	WaitTimeSeconds             *int
	ReceiveRequestAttemptId     *string
}

type receiveMessageResult struct {
	Messages []receivedMessage `query:"Message"`

	queue    core.QueueName // to give back what nobody reads
	messages []core.Message
}

type receivedMessage struct {
	MessageId              string
	ReceiptHandle          string
	MD5OfBody              string
	Body                   aws.Text
	Attributes             aws.Map[string] `query:"Attribute,Name,Value"`
	MD5OfMessageAttributes string
	MessageAttributes      aws.Map[attributeValue] `query:"MessageAttribute,Name,Value"`
}

// Bounds of a receive.
const (
	maxReceived          = 10
	maxWaitSeconds       = 20
	maxVisibilityTimeout = 43200
)

// receiveMessage hands out messages, with those of their attributes that are asked for.
func (s *Server) receiveMessage(ctx context.Context, c *call, req *receiveMessageRequest) (*receiveMessageResult, error) {
	queue, err := s.queue(ctx, c, req.QueueUrl)
	if err != nil {
		return nil, err
	}
	limit, err := req.check()
	if err != nil {
		return nil, err
	}
	in := core.ReceiveInput{
		Queue: queue.Name, Limit: limit,
		VisibilityTimeout: asSeconds(req.VisibilityTimeout), Wait: asSeconds(req.WaitTimeSeconds), // nil: the queue's own
	}
	if queue.FIFO && req.ReceiveRequestAttemptId != nil { // frameworks send it to standard queues too
		in.AttemptID = *req.ReceiveRequestAttemptId
	}
	if c.wire.oneList() && len(req.AttributeNames) > 0 {
		req.MessageSystemAttributeNames = nil
	}
	messages, err := s.broker.ReceiveMessages(ctx, in)
	if err != nil {
		return nil, err
	}
	c.Empty = len(messages) == 0
	result := &receiveMessageResult{Messages: make([]receivedMessage, len(messages)), queue: queue.Name, messages: messages}
	for i := range messages {
		result.Messages[i] = req.show(queue, &messages[i])
	}
	return result, nil
}

func (req *receiveMessageRequest) check() (limit int, err error) {
	limit = 1
	if n := req.MaxNumberOfMessages; n != nil {
		limit = *n
	}
	if limit < 1 || limit > maxReceived {
		return 0, invalid(limit, "MaxNumberOfMessages", "Must be between 1 and 10, if provided.")
	}
	if n := req.WaitTimeSeconds; n != nil && (*n < 0 || *n > maxWaitSeconds) {
		return 0, invalid(*n, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.")
	}
	if n := req.VisibilityTimeout; n != nil && (*n < 0 || *n > maxVisibilityTimeout) {
		return 0, invalid(*n, "VisibilityTimeout", "Must be between 0 and 43200, if provided.")
	}
	return limit, checkID("ReceiveRequestAttemptId", req.ReceiveRequestAttemptId)
}

// show gives a message as the client sees it.
func (req *receiveMessageRequest) show(queue *core.Queue, m *core.Message) receivedMessage {
	body := shownBody(m, queue.Bodies)
	out := receivedMessage{
		MessageId:     m.ID.UUID(),
		ReceiptHandle: shownHandle(m),
		MD5OfBody:     aws.MD5(body),
		Body:          body,
	}
	if len(req.AttributeNames) > 0 || len(req.MessageSystemAttributeNames) > 0 {
		out.Attributes = req.systemAttributes(m)
	}
	if len(req.MessageAttributeNames) > 0 && len(m.Attributes) > 0 {
		selected := selectAttributes(m.Attributes, req.MessageAttributeNames)
		out.MD5OfMessageAttributes = aws.AttributesMD5(selected)
		out.MessageAttributes = showAttributes(selected)
	}
	return out
}

// shownBody gives a body as text. What SQS cannot carry, because another protocol took it as
// bytes, is shown as its base64.
func shownBody(m *core.Message, rule core.BodyRule) aws.Text {
	body := core.EncodeBody(m.Body, m.Form, rule, core.ReadsText)
	switch {
	case body == nil:
		return aws.Text{} // empty, not absent
	case core.ValidText(body):
		return body
	}
	return base64.StdEncoding.AppendEncode(nil, body)
}

// systemAttributes gives those of a message's system attributes that are asked for, under either
// of the two names that AWS has given the list.
func (req *receiveMessageRequest) systemAttributes(m *core.Message) aws.Map[string] {
	var shown aws.Map[string]
	all := slices.ContainsFunc(req.AttributeNames, asksForAll) || slices.ContainsFunc(req.MessageSystemAttributeNames, asksForAll)
	show := func(name, value string) {
		if value != "" && (all || slices.Contains(req.AttributeNames, name) || slices.Contains(req.MessageSystemAttributeNames, name)) {
			shown = append(shown, aws.Pair[string]{Key: name, Value: value})
		}
	}
	show("SenderId", m.Sender)
	show("SentTimestamp", epochMillis(m.SentAt))
	show("ApproximateReceiveCount", strconv.Itoa(m.ReceiveCount))
	show("ApproximateFirstReceiveTimestamp", epochMillis(m.FirstReceivedAt))
	show("MessageGroupId", m.GroupID)
	show("MessageDeduplicationId", m.DeduplicationID)
	show("SequenceNumber", m.Sequence)
	show(traceHeader, m.System[traceHeader])
	show("DeadLetterQueueSourceArn", sourceARN(m.Source))
	return shown
}

// epochMillis gives a time as a text, "" for one that has not come, as that of the first receive of a message that is only looked at.
func epochMillis(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return strconv.FormatInt(t.UnixMilli(), 10)
}

// sourceARN gives the ARN of the queue that a dead letter comes from.
func sourceARN(source string) string {
	account, rest, ok := strings.Cut(source, "/")
	if !ok {
		return ""
	}
	region, name, _ := strings.Cut(rest, "/")
	return arn(core.QueueName{Account: account, Region: region, Name: name})
}

// selectAttributes gives the attributes that the names ask for: by name, by a beginning
// ("Trace.*" is all that begin with Trace), or all.
func selectAttributes(attributes []core.Attribute, names []string) []core.Attribute {
	var selected []core.Attribute
	for _, a := range attributes {
		if slices.ContainsFunc(names, func(name string) bool { return asksFor(name, a.Name) }) {
			selected = append(selected, a)
		}
	}
	return selected
}

// asksForAll says that a name in a receive is that of all attributes, also as kombu writes it.
func asksForAll(name string) bool { return name == allAttributes || name == "ALL" }

func asksFor(name, attribute string) bool {
	if asksForAll(name) || name == "*" || name == attribute {
		return true
	}
	prefix, isPrefix := strings.CutSuffix(name, ".*")
	return isPrefix && strings.HasPrefix(attribute, prefix)
}

func showAttributes(attributes []core.Attribute) aws.Map[attributeValue] {
	shown := make(aws.Map[attributeValue], len(attributes))
	for i, a := range attributes {
		shown[i].Key, shown[i].Value.DataType = a.Name, a.Type
		if aws.IsBinary(a.Type) {
			shown[i].Value.BinaryValue = a.Value
			continue
		}
		shown[i].Value.StringValue = append(aws.Text{}, a.Value...) // empty, not absent
	}
	return shown
}

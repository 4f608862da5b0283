package api

import (
	"context"
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
)

type sendMessagesRequest struct {
	OfQueue
	Body struct {
		Messages []newMessage `json:"messages" minItems:"1" maxItems:"100" nullable:"false"`
	}
}

type newMessage struct {
	Body         string                   `json:"body" minLength:"1" example:"hello"`
	BodyEncoding string                   `json:"body_encoding,omitempty" enum:"base64" doc:"Given when the body is base64 of something that is no text"`
	Attributes   map[string]attributeBody `json:"attributes,omitempty" maxProperties:"10"`
	System       map[string]string        `json:"system,omitempty" maxProperties:"10" doc:"What SDKs set rather than the application, such as AWSTraceHeader and traceparent"`
	DelaySeconds *int                     `json:"delay_seconds,omitempty" minimum:"0" maximum:"604800" doc:"Until it can be received; else the queue's"`
	Priority     int                      `json:"priority,omitempty" minimum:"1" maximum:"16" doc:"1 is the most urgent, 16 the least; else 8"`
	GroupID      string                   `json:"group_id,omitempty" maxLength:"128" pattern:"^[!-~]+$" patternDescription:"1 to 128 printable ASCII characters" doc:"A message of a FIFO queue needs one"`

	DeduplicationID string `json:"deduplication_id,omitempty" maxLength:"128" pattern:"^[!-~]+$" patternDescription:"1 to 128 printable ASCII characters" doc:"Of a FIFO queue: another message with the same one, sent within five minutes, is not stored"`
}

type sendMessagesResponse struct {
	Body struct {
		Messages []sentMessage `json:"messages" nullable:"false" doc:"In the order of the request"`
	}
}

type sentMessage struct {
	ID            string    `json:"id"`
	SentAt        time.Time `json:"sent_at"`
	VisibleAt     time.Time `json:"visible_at"`
	Sequence      string    `json:"sequence,omitempty" doc:"Of a FIFO queue: 20 digits, rising"`
	Duplicate     bool      `json:"duplicate,omitempty" doc:"Nothing was stored: id, sequence and sent_at are those of the message that was sent first"`
	ReceiptHandle string    `json:"receipt_handle,omitempty" doc:"Of a delayed message, which can be deleted or made visible before it first is"`
}

// sendMessages stores all messages of the request, or none.
func (s *Server) sendMessages(ctx context.Context, req *sendMessagesRequest) (*sendMessagesResponse, error) {
	name := req.queue(ctx, req.Name)
	queue, err := s.broker.Queue(ctx, name)
	if err != nil {
		return nil, failed(ctx, err)
	}
	messages := make([]core.NewMessage, len(req.Body.Messages))
	for i := range messages {
		if messages[i], err = req.Body.Messages[i].decode(queue.MaxMessageSize); err != nil {
			return nil, failed(ctx, err)
		}
		if messages[i].DeduplicationID != "" && !queue.FIFO {
			return nil, failed(ctx, core.Errorf(core.InvalidArgument, "queue %q is no FIFO queue: its messages have no deduplication ids", name.Name))
		}
	}
	sent, err := s.broker.SendMessages(ctx, core.SendInput{Queue: name, Messages: messages})
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp sendMessagesResponse
	resp.Body.Messages = make([]sentMessage, len(sent))
	for i, m := range sent {
		resp.Body.Messages[i] = sentMessage{ID: m.ID.UUID(), SentAt: m.SentAt.UTC(), VisibleAt: m.VisibleAt.UTC(), Sequence: m.Sequence, Duplicate: m.Duplicate, ReceiptHandle: m.Handle}
	}
	return &resp, nil
}

// decode checks what the schema cannot say, and gives the message to the core.
func (m *newMessage) decode(maxSize int) (core.NewMessage, error) {
	decoded := core.NewMessage{
		Body: []byte(m.Body), System: m.System, Delay: seconds(m.DelaySeconds), Priority: m.Priority, GroupID: m.GroupID, DeduplicationID: m.DeduplicationID,
	}
	switch m.BodyEncoding {
	case inBase64:
		body, err := base64.StdEncoding.Strict().DecodeString(m.Body)
		if err != nil {
			return decoded, core.Errorf(core.InvalidArgument, "the body is no base64, as body_encoding says")
		}
		decoded.Body = body
	default:
		if !core.ValidText(decoded.Body) {
			return decoded, core.Errorf(core.InvalidArgument, "the body has characters that not every protocol can carry: send it in base64, with body_encoding base64")
		}
	}
	if err := checkSystem(m.System); err != nil {
		return decoded, err
	}
	for name, attribute := range m.Attributes {
		a, err := attribute.decode(name)
		if err != nil {
			return decoded, err
		}
		decoded.Attributes = append(decoded.Attributes, a)
	}
	slices.SortFunc(decoded.Attributes, func(a, b core.Attribute) int { return strings.Compare(a.Name, b.Name) })
	if size := decoded.Size(); size > maxSize {
		return decoded, core.Errorf(core.MessageTooLong, "a message of this queue has at most %d bytes, this one has %d", maxSize, size)
	}
	return decoded, nil
}

// maxSystemBytes bounds name and value of a system attribute; SQS's longest is a trace header.
const maxSystemBytes = 4096

// checkSystem checks what an application does not set itself, as when a message comes from another server.
func checkSystem(system map[string]string) error {
	for name, value := range system {
		if !systemName.MatchString(name) || len(value) > maxSystemBytes || value == "" || !core.ValidText([]byte(value)) {
			return core.Errorf(core.InvalidArgument, "a system attribute has a name of 1 to 64 letters, digits, dots, '-' and '_' and a text of 1 to %d bytes, unlike %.100q", maxSystemBytes, name)
		}
	}
	return nil
}

var systemName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// attributeName is what SQS allows (specs/sqs.md 5), so that its clients can read the attribute.
var attributeName = regexp.MustCompile(`^[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)*$`)

const maxAttributeName = 256

func (a attributeBody) decode(name string) (core.Attribute, error) {
	attribute := core.Attribute{Name: name, Type: a.Type, Value: []byte(a.Value)}
	if len(name) > maxAttributeName || !attributeName.MatchString(name) {
		return attribute, core.Errorf(core.InvalidArgument, "an attribute's name has 1 to %d letters, digits, '-', '_' and single dots between them, not %.300q", maxAttributeName, name)
	}
	if lower := strings.ToLower(name); strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon.") {
		return attribute, core.Errorf(core.InvalidArgument, "attributes whose names begin with AWS. or Amazon. are reserved, as is %q", name)
	}
	switch {
	case !core.ValidText([]byte(a.Type)):
		return attribute, core.Errorf(core.InvalidArgument, "the type of attribute %q has characters that not every protocol can carry", name)
	case isBinary(a.Type):
		value, err := base64.StdEncoding.Strict().DecodeString(a.Value)
		if err != nil {
			return attribute, core.Errorf(core.InvalidArgument, "the value of attribute %q is no base64", name)
		}
		attribute.Value = value
	case isNumber(a.Type):
		if !core.ValidNumber(a.Value) {
			return attribute, core.Errorf(core.InvalidArgument, "the value of attribute %q is no number", name)
		}
	case !core.ValidText(attribute.Value):
		return attribute, core.Errorf(core.InvalidArgument, "the value of attribute %q has characters that not every protocol can carry: make it Binary", name)
	}
	return attribute, nil
}

func isBinary(attributeType string) bool { return strings.HasPrefix(attributeType, "Binary") }
func isNumber(attributeType string) bool { return strings.HasPrefix(attributeType, "Number") }

package api

import (
	"context"

	"github.com/polymq/polymq/core"
)

type publishMessagesRequest struct {
	OfTopic
	Body struct {
		Messages []newPublication `json:"messages" minItems:"1" maxItems:"10" nullable:"false"`
	}
}

type newPublication struct {
	Body            string                   `json:"body" minLength:"1" example:"disk full"`
	BodyEncoding    string                   `json:"body_encoding,omitempty" enum:"base64" doc:"Given when the body is base64 of something that is no text"`
	Bodies          map[string]string        `json:"bodies,omitempty" maxProperties:"20" doc:"Instead of the body, by the protocol of a subscription (sqs, http, email, …)"`
	Subject         string                   `json:"subject,omitempty" maxLength:"100"`
	Attributes      map[string]attributeBody `json:"attributes,omitempty" maxProperties:"50"`
	Tag             string                   `json:"tag,omitempty" maxLength:"16" doc:"For MNS subscriptions with a filter tag"`
	GroupID         string                   `json:"group_id,omitempty" maxLength:"128" pattern:"^[!-~]+$" patternDescription:"1 to 128 printable ASCII characters" doc:"FIFO topics need it"`
	DeduplicationID string                   `json:"deduplication_id,omitempty" maxLength:"128" pattern:"^[!-~]+$" patternDescription:"1 to 128 printable ASCII characters" doc:"FIFO topics only"`
}

type publishMessagesResponse struct {
	Body struct {
		Messages []publishedMessage `json:"messages" nullable:"false" doc:"In the order of the request"`
	}
}

type publishedMessage struct {
	ID        string `json:"id"`
	Sequence  string `json:"sequence,omitempty" doc:"FIFO topics only"`
	Duplicate bool   `json:"duplicate,omitempty" doc:"It had been published before: id and sequence are the first one's, and nothing is delivered"`
}

// publishMessages publishes all messages of the request, or none.
func (s *Server) publishMessages(ctx context.Context, req *publishMessagesRequest) (*publishMessagesResponse, error) {
	name := req.topic(ctx, req.Topic)
	topic, err := s.broker.Topic(ctx, name)
	if err != nil {
		return nil, failed(ctx, err)
	}
	in := core.PublishInput{Topic: name, Messages: make([]core.NewPublication, len(req.Body.Messages))}
	for i := range in.Messages {
		if in.Messages[i], err = req.Body.Messages[i].decode(topic); err != nil {
			return nil, failed(ctx, err)
		}
	}
	published, err := s.broker.Publish(ctx, in)
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp publishMessagesResponse
	resp.Body.Messages = make([]publishedMessage, len(published))
	for i, p := range published {
		resp.Body.Messages[i] = publishedMessage{ID: p.ID.UUID(), Sequence: p.Sequence, Duplicate: p.Duplicate}
	}
	return &resp, nil
}

// decode checks what the schema cannot say, and gives the message to the core.
func (m *newPublication) decode(topic *core.Topic) (core.NewPublication, error) {
	message := newMessage{Body: m.Body, BodyEncoding: m.BodyEncoding, Attributes: m.Attributes}
	decoded, err := message.decode(core.MaxMessageBytes)
	if err != nil {
		return core.NewPublication{}, err
	}
	p := core.NewPublication{
		Body: decoded.Body, Bodies: m.Bodies, Subject: m.Subject, Attributes: decoded.Attributes, Tag: m.Tag, GroupID: m.GroupID, DeduplicationID: m.DeduplicationID,
	}
	switch {
	case p.Size() > topic.MaxMessageSize:
		return p, core.Errorf(core.MessageTooLong, "a message of this topic has at most %d bytes, this one has %d", topic.MaxMessageSize, p.Size())
	case p.DeduplicationID != "" && !topic.FIFO:
		return p, core.Errorf(core.InvalidArgument, "deduplication_id is for FIFO topics")
	}
	return p, nil
}

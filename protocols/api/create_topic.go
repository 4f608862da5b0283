package api

import (
	"context"
	"net/http"

	"github.com/polymq/polymq/core"
)

type createTopicRequest struct {
	Scope
	Body struct {
		Name string `json:"name" pattern:"^[A-Za-z0-9_-]{1,251}([.]fifo)?$" patternDescription:"1 to 251 letters, digits, '-' and '_', with .fifo behind them for a FIFO topic" example:"alerts"`
		FIFO bool   `json:"fifo,omitempty" doc:"Keeps the order within message groups, and drops duplicates"`
		TopicSettings
		Tags map[string]string `json:"tags,omitempty" maxProperties:"50"`

		ProtocolAttributes map[string]string `json:"protocol_attributes,omitempty" doc:"What protocols keep, by their names, such as sqs.ContentBasedDeduplication or sqs.Policy; not checked"`
	}
}

type createTopicResponse struct {
	Status int
	Body   topicBody
}

// createTopic makes a topic. One that exists is given back, if it has the settings that were asked
// for, and is a TopicExists otherwise.
func (s *Server) createTopic(ctx context.Context, req *createTopicRequest) (*createTopicResponse, error) {
	if err := checkProtocolAttributes(optional(req.Body.ProtocolAttributes)); err != nil {
		return nil, failed(ctx, err)
	}
	change := req.Body.change()
	topic, created, err := s.broker.CreateTopic(ctx, core.NewTopic{
		Name: req.topic(ctx, req.Body.Name), FIFO: req.Body.FIFO,
		Settings: change.Apply(core.Topic{TopicSettings: core.DefaultTopicSettings()}).TopicSettings,
		Tags:     req.Body.Tags,

		Attributes: req.Body.ProtocolAttributes,
	})
	if err != nil {
		return nil, failed(ctx, err)
	}
	if created {
		return &createTopicResponse{http.StatusCreated, encodeTopic(topic, false)}, nil
	}
	same := change.Apply(topic).TopicSettings == topic.TopicSettings && topic.FIFO == req.Body.FIFO
	for name, value := range req.Body.Tags {
		same = same && topic.Tags[name] == value
	}
	for name, value := range req.Body.ProtocolAttributes {
		same = same && topic.Attributes[name] == value
	}
	if !same {
		return nil, failed(ctx, core.Errorf(core.TopicExists, "topic %q exists with other settings or tags", req.Body.Name))
	}
	return &createTopicResponse{http.StatusOK, encodeTopic(topic, false)}, nil
}

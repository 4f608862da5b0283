package api

import "context"

type alterTopicRequest struct {
	OfTopic
	Body struct {
		TopicSettings
		ProtocolAttributes map[string]*string `json:"protocol_attributes,omitempty" doc:"What protocols keep, by their names; null removes one, those that are not named stay; not checked"`

		Tags map[string]*string `json:"tags,omitempty" maxProperties:"50" doc:"null removes a tag; those that are not named stay"`
	}
}

func (s *Server) alterTopic(ctx context.Context, req *alterTopicRequest) (*ofOneTopic, error) {
	change := req.Body.change()
	change.Tags, change.Attributes = req.Body.Tags, req.Body.ProtocolAttributes
	if err := checkProtocolAttributes(change.Attributes); err != nil {
		return nil, failed(ctx, err)
	}
	topic, err := s.broker.AlterTopic(ctx, req.topic(ctx, req.Topic), change)
	if err != nil {
		return nil, failed(ctx, err)
	}
	return &ofOneTopic{encodeTopic(topic, false)}, nil
}

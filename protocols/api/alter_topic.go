package api

import "context"

type alterTopicRequest struct {
	OfTopic
	Body struct {
		TopicSettings
		Tags map[string]*string `json:"tags,omitempty" maxProperties:"50" doc:"null removes a tag; those that are not named stay"`
	}
}

func (s *Server) alterTopic(ctx context.Context, req *alterTopicRequest) (*ofOneTopic, error) {
	change := req.Body.change()
	change.Tags = req.Body.Tags
	topic, err := s.broker.AlterTopic(ctx, req.topic(ctx, req.Topic), change)
	if err != nil {
		return nil, failed(ctx, err)
	}
	return &ofOneTopic{encodeTopic(topic, false)}, nil
}

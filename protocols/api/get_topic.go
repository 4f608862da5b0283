package api

import "context"

func (s *Server) getTopic(ctx context.Context, req *OfTopic) (*ofOneTopic, error) {
	topic, err := s.broker.DescribeTopic(ctx, req.topic(ctx, req.Topic))
	if err != nil {
		return nil, failed(ctx, err)
	}
	return &ofOneTopic{encodeTopic(topic, true)}, nil
}

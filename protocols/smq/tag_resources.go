package smq

import (
	"context"
	"strconv"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/openapi"
)

// resourcesRequest names queues or topics.
type resourcesRequest struct {
	ResourceType string `required:"true"`
}

func (r *resourcesRequest) check() error {
	if r.ResourceType != "queue" && r.ResourceType != "topic" {
		return openapi.InvalidParameter("ResourceType", "must be queue or topic")
	}
	return nil
}

type tagResourcesRequest struct {
	resourcesRequest
	ResourceId []string      `required:"true"`
	Tag        []openapi.Tag `required:"true"`
}

// tagResources sets tags of every resource that is named.
func (s *Server) tagResources(ctx context.Context, c *call, req *tagResourcesRequest) (none, error) {
	if err := req.check(); err != nil {
		return nil, err
	}
	named, err := tagMap(req.Tag)
	if err != nil {
		return nil, err
	}
	change := map[string]*string{}
	for key, value := range named {
		change[key] = &value
	}
	return nil, s.changeTags(ctx, c, req.ResourceType, req.ResourceId, change)
}

// changeTags changes tags of queues or topics, nil removes one. None is changed unless all are there.
func (s *Server) changeTags(ctx context.Context, c *call, kind string, names []string, change map[string]*string) error {
	for _, name := range names {
		tags, err := s.tags(ctx, c, kind, name)
		if err != nil {
			return err
		}
		for key, value := range change {
			delete(tags, key)
			if value != nil {
				tags[key] = *value
			}
		}
		if len(tags) > maxTags {
			return openapi.InvalidParameter("Tag", "makes more than "+strconv.Itoa(maxTags)+" tags")
		}
	}
	for _, name := range names {
		var err error
		if kind == "queue" {
			_, err = s.broker.AlterQueue(ctx, c.queueName(name), core.QueueChange{Tags: change})
		} else {
			_, err = s.broker.AlterTopic(ctx, c.topicName(name), core.TopicChange{Tags: change})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tags gives the tags of a queue or topic, as a map of its own.
func (s *Server) tags(ctx context.Context, c *call, kind, name string) (map[string]string, error) {
	if kind == "queue" {
		queue, err := s.broker.DescribeQueue(ctx, c.queueName(name))
		return cloned(queue.Tags), err
	}
	topic, err := s.broker.DescribeTopic(ctx, c.topicName(name))
	return cloned(topic.Tags), err
}

func cloned(tags map[string]string) map[string]string {
	clone := make(map[string]string, len(tags))
	for key, value := range tags {
		clone[key] = value
	}
	return clone
}

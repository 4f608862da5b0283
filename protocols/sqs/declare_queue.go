package sqs

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
)

// Declaration describes a queue that is to exist.
type Declaration struct {
	Name       core.QueueName
	Attributes map[string]string // SQS's names and values
	Tags       map[string]string
}

// DeclareQueue makes a queue as CreateQueue does, for who has no request: a configuration file. A queue that
// exists gets the attributes and keeps what else it has. Errors are those of CreateQueue and SetQueueAttributes.
func (s *Server) DeclareQueue(ctx context.Context, d Declaration) error {
	c := &call{Caller: caller.Caller{Account: d.Name.Account, Region: d.Name.Region}}
	attributes := pairs(d.Attributes)
	_, err := s.createQueue(ctx, c, &createQueueRequest{QueueName: d.Name.Name, Attributes: attributes, Tags: pairs(d.Tags)})
	if err == nil || faultOf(err).wireError != queueNameExists {
		return err
	}
	_, err = s.setQueueAttributes(ctx, c, &setQueueAttributesRequest{QueueUrl: d.Name.Name, Attributes: attributes})
	return err
}

// pairs gives a map in the form that requests have, sorted by key.
func pairs(m map[string]string) aws.Map[string] {
	var pairs aws.Map[string]
	for _, key := range slices.Sorted(maps.Keys(m)) {
		pairs = append(pairs, aws.Pair[string]{Key: key, Value: m[key]})
	}
	return pairs
}

// autoCreated are the actions that make a queue which they do not find, where Options say so.
var autoCreated = []string{"GetQueueAttributes", "GetQueueUrl", "PurgeQueue", "ReceiveMessage", "SendMessage", "SendMessageBatch", "SetQueueAttributes"}

// createMissing makes the queue that an action did not find and reports whether it did, but not in an account
// that is known not to be the caller's.
func (s *Server) createMissing(ctx context.Context, c *call, err error) bool {
	if !s.options.AutoCreateQueues || core.CodeOf(err) != core.QueueNotFound || !slices.Contains(autoCreated, c.action) {
		return false
	}
	if c.Verified && c.named.Account != c.Account { // who may not create it either
		return false
	}
	d := s.options.missing(c.named)
	return d.Name.Name != "" && s.permit(ctx, c, permissions["CreateQueue"], d.Name, nil) == nil && s.DeclareQueue(ctx, d) == nil
}

// missing says how a queue is made that was missed. FIFO queues deduplicate by content, unless it is said that they do not,
// so that whatever is sent to them is taken. A dead-letter queue is for queues of its own kind only.
func (o *Options) missing(name core.QueueName) Declaration {
	d := Declaration{Name: name, Attributes: map[string]string{}}
	isFIFO := strings.HasSuffix(name.Name, ".fifo")
	if isFIFO {
		d.Attributes["FifoQueue"], d.Attributes["ContentBasedDeduplication"] = "true", "true"
	}
	if o.AutoCreated == nil {
		return d
	}
	d.Tags = o.AutoCreated.Tags
	for attribute, value := range o.AutoCreated.Attributes {
		switch attribute {
		case "FifoQueue":
		case "ContentBasedDeduplication":
			if isFIFO {
				d.Attributes[attribute] = value
			}
		case "RedrivePolicy":
			if strings.Contains(value, `.fifo"`) == isFIFO {
				d.Attributes[attribute] = value
			}
		default:
			d.Attributes[attribute] = value
		}
	}
	return d
}

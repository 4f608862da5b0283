package dybase

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/openapi"
)

type queryTokenForMnsQueueRequest struct {
	MessageType string `required:"true"`
	QueueName   string `required:"true"`
}

type queryTokenForMnsQueueAnswer struct {
	RequestId       string
	Code            string
	Message         string
	MessageTokenDTO messageToken
}

type messageToken struct{ AccessKeyId, AccessKeySecret, SecurityToken, CreateTime, ExpireTime string }

// Bounds of tokens.
const (
	tokenLife     = time.Hour
	maxTypeLength = 128
	maxQueueName  = 256
)

// china is the zone of the times, which has had no summer time for long.
var china = time.FixedZone("UTC+8", 8*60*60)

// queryTokenForMnsQueue gives a key of a session that may receive from the queue.
func (s *Server) queryTokenForMnsQueue(ctx context.Context, c *openapi.Call, req *queryTokenForMnsQueueRequest) (*queryTokenForMnsQueueAnswer, error) {
	switch {
	case len(req.MessageType) > maxTypeLength:
		return nil, openapi.InvalidParameter("MessageType", "is none of the service's")
	case !isName(req.QueueName):
		return nil, openapi.InvalidParameter("QueueName", "is none of a queue")
	}
	policy, err := json.Marshal(receiverOf(req.QueueName))
	if err != nil {
		return nil, err
	}
	key, err := s.broker.CreateKey(ctx, core.NewKey{
		ID: "STS." + rand.Text(), Account: c.Account, Lasts: tokenLife, Session: core.Session{Name: req.MessageType, Policy: string(policy), Cloud: core.RAM},
	})
	if err != nil {
		return nil, err
	}
	const wallClock = time.DateTime
	return &queryTokenForMnsQueueAnswer{RequestId: c.ID(), Code: "OK", Message: "OK", MessageTokenDTO: messageToken{
		AccessKeyId: key.ID, AccessKeySecret: string(key.Secret), SecurityToken: string(key.Token),
		CreateTime: key.CreatedAt.In(china).Format(wallClock), ExpireTime: key.ExpiresAt.In(china).Format(wallClock),
	}}, nil
}

// isName says that a queue of some protocol may have the name. None has what a policy would read as a pattern.
func isName(name string) bool {
	for i := range len(name) {
		if c := name[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return len(name) <= maxQueueName
}

type policy struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect           string
	Action, Resource []string
}

// receiverOf is the policy of who receives from a queue.
func receiverOf(queue string) policy {
	return policy{"1", []statement{{"Allow", []string{
		"mns:GetQueueAttributes", "mns:ReceiveMessage", "mns:BatchReceiveMessage", "mns:PeekMessage", "mns:BatchPeekMessage",
		"mns:DeleteMessage", "mns:BatchDeleteMessage", "mns:ChangeMessageVisibility",
	}, []string{"acs:mns:*:*:/queues/" + queue, "acs:mns:*:*:/queues/" + queue + "/messages"}}}}
}

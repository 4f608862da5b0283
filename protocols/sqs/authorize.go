package sqs

import (
	"context"
	"reflect"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
)

// permission is what an action needs.
type permission struct {
	action    string // as policies name it; in lower case, as denials do
	on        target
	ownerOnly bool // whatever the queue's policy says (specs/sqs.md 1.8)
}

// target is how a request names the queue that it is about.
type target int

const (
	noTarget    target = iota // it is about none
	givenURL                  // QueueUrl, or the path
	givenName                 // QueueName and QueueOwnerAWSAccountId
	createdName               // QueueName, of a queue to make
	moveSource                // SourceArn
	taskHandle                // TaskHandle
)

// queue says that a queue's policy may allow the request to everybody.
func (t target) queue() bool { return t == givenURL || t == givenName }

// permissions says for every action what it needs. Batches need what their single actions do.
var permissions = map[string]permission{
	"AddPermission":                {"sqs:addpermission", givenURL, true},
	"CancelMessageMoveTask":        {"sqs:cancelmessagemovetask", taskHandle, true},
	"ChangeMessageVisibility":      {"sqs:changemessagevisibility", givenURL, false},
	"ChangeMessageVisibilityBatch": {"sqs:changemessagevisibility", givenURL, false},
	"CreateQueue":                  {"sqs:createqueue", createdName, true},
	"DeleteMessage":                {"sqs:deletemessage", givenURL, false},
	"DeleteMessageBatch":           {"sqs:deletemessage", givenURL, false},
	"DeleteQueue":                  {"sqs:deletequeue", givenURL, true},
	"GetQueueAttributes":           {"sqs:getqueueattributes", givenURL, false},
	"GetQueueUrl":                  {"sqs:getqueueurl", givenName, false},
	"ListDeadLetterSourceQueues":   {"sqs:listdeadlettersourcequeues", givenURL, false},
	"ListMessageMoveTasks":         {"sqs:listmessagemovetasks", moveSource, true},
	"ListQueueTags":                {"sqs:listqueuetags", givenURL, true},
	"ListQueues":                   {"sqs:listqueues", noTarget, true},
	"PurgeQueue":                   {"sqs:purgequeue", givenURL, false},
	"ReceiveMessage":               {"sqs:receivemessage", givenURL, false},
	"RemovePermission":             {"sqs:removepermission", givenURL, true},
	"SendMessage":                  {"sqs:sendmessage", givenURL, false},
	"SendMessageBatch":             {"sqs:sendmessage", givenURL, false},
	"SetQueueAttributes":           {"sqs:setqueueattributes", givenURL, true},
	"StartMessageMoveTask":         {"sqs:startmessagemovetask", moveSource, true},
	"TagQueue":                     {"sqs:tagqueue", givenURL, true},
	"UntagQueue":                   {"sqs:untagqueue", givenURL, true},
}

// PolicyActions gives the actions as policies name them: all but the batches, which need what their single actions do.
func PolicyActions() (names []string) {
	for name, p := range permissions {
		if strings.EqualFold("sqs:"+name, p.action) {
			names = append(names, "sqs:"+name)
		}
	}
	return names
}

// authorize says whether the caller may do what it asks for, before anything is done.
func (s *Server) authorize(ctx context.Context, c *call, in any) error {
	if !s.callers.Verify {
		return nil
	}
	p := permissions[c.action]
	name, err := c.target(p.on, in)
	if err != nil {
		return err
	}
	if err := s.permit(ctx, c, p, name, in); err != nil {
		return err
	}
	switch req := in.(type) {
	case *createQueueRequest:
		if len(req.Tags) > 0 {
			return s.permit(ctx, c, permissions["TagQueue"], name, in)
		}
	case *startMessageMoveTaskRequest:
		return s.permitMove(ctx, c, name, req)
	}
	return nil
}

// permitMove says whether the caller may receive what is moved, delete it, and send it to where it goes.
func (s *Server) permitMove(ctx context.Context, c *call, source core.QueueName, req *startMessageMoveTaskRequest) error {
	for _, action := range []string{"ReceiveMessage", "DeleteMessage", "GetQueueAttributes"} {
		if err := s.permit(ctx, c, permissions[action], source, req); err != nil {
			return err
		}
	}
	if req.DestinationArn == nil {
		return nil
	}
	destination, err := queueOfARN("DestinationArn", *req.DestinationArn)
	if err != nil {
		return err
	}
	return s.permit(ctx, c, permission{"sqs:sendmessage", moveSource, true}, destination, req)
}

// permit says whether the caller may do an action on a queue, there or not.
func (s *Server) permit(ctx context.Context, c *call, p permission, name core.QueueName, in any) error {
	if s.callers.Free(ctx, &c.Caller, name.Account) {
		return nil
	}
	want := caller.Want{Action: p.action, Resource: arn(name), Owner: name.Account}
	keys := conditionKeys{in: in}
	want.Keys = keys.values
	found := func(queue *core.Queue, err error) error {
		switch {
		case err == nil && queue != nil:
			want.Policy, keys.tags = queue.Attributes[policyKey], queue.Tags
		case err != nil && core.CodeOf(err) != core.QueueNotFound:
			return err
		}
		return nil
	}
	var refresh func() error
	switch own := name.Account == c.Account; {
	case p.on == createdName, p.on == noTarget, !own && p.ownerOnly: // no queue's policy is asked
	case own:
		if err := found(s.broker.Queue(ctx, name)); err != nil {
			return err
		}
	default:
		_ = found(s.broker.KnownQueue(name), nil)
		refresh = func() error { return found(s.broker.ReadQueue(ctx, name)) }
	}
	err := s.callers.AuthorizeOthers(ctx, &c.Caller, &want, refresh)
	switch {
	case err == nil || core.CodeOf(err) != core.AccessDenied:
		return err
	case c.unsigned != nil:
		return c.unsigned
	case p.on == givenName && name.Account != c.Account:
		return errQueueDoesNotExist // as the service does, which says "or you do not have access to it"
	}
	return err
}

// target gives the queue that a request is about; without one, the name is empty.
func (c *call) target(on target, in any) (core.QueueName, error) {
	name := core.QueueName{Account: c.Account, Region: c.Region}
	member := func(name string) string { return reflect.ValueOf(in).Elem().FieldByName(name).String() }
	switch on {
	case givenURL:
		return c.queueName(member("QueueUrl"))
	case givenName:
		return in.(*getQueueURLRequest).queue(c)
	case createdName:
		name.Name = member("QueueName")
	case moveSource:
		return queueOfARN("SourceArn", member("SourceArn"))
	case taskHandle:
		source, _, err := readMoveHandle(member("TaskHandle"))
		return source, err
	}
	return name, nil
}

// conditionKeys are the condition keys of SQS: the tags of a queue, and those in a request.
type conditionKeys struct {
	tags map[string]string
	in   any
}

func (k *conditionKeys) values(key string) []string {
	if name, ok := strings.CutPrefix(key, "aws:resourcetag/"); ok {
		return caller.TagValues(k.tags, name)
	}
	var given aws.Map[string]
	switch req := k.in.(type) {
	case *createQueueRequest:
		given = req.Tags
	case *tagQueueRequest:
		given = req.Tags
	case *untagQueueRequest:
		if key == "aws:tagkeys" {
			return req.TagKeys
		}
	}
	var values []string
	name, ofRequest := strings.CutPrefix(key, "aws:requesttag/")
	for _, tag := range given {
		switch {
		case key == "aws:tagkeys":
			values = append(values, tag.Key)
		case ofRequest && strings.EqualFold(tag.Key, name):
			values = []string{tag.Value} // that of the last, as the queue gets it
		}
	}
	return values
}

// sns is what subscriptions of SNS are called in the core.
const sns = "sns"

// takesFrom says whether a queue's policy lets a topic of SNS send to it. Within an account that is asked
// only where policies are enforced; other protocols' topics send to their own account's queues without.
func (s *Server) takesFrom(topic *core.Topic, sub *core.Subscription, queue *core.Queue) bool {
	if local := topic.Name.Account == queue.Name.Account; local && (!s.callers.Enforces() || sub.Format != sns) {
		return true
	}
	source := "arn:" + aws.Partition(topic.Name.Region) + ":sns:" + topic.Name.Region + ":" + topic.Name.Account + ":" + topic.Name.Name
	want := caller.Want{Action: "sqs:sendmessage", Resource: arn(queue.Name), Owner: queue.Name.Account, Policy: queue.Attributes[policyKey]}
	return s.callers.AllowsService("sns.amazonaws.com", &want, source, topic.Name.Account)
}

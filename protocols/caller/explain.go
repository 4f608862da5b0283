package caller

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
)

// Question asks whether somebody may do something.
type Question struct {
	Account   string // of who asks
	Region    string
	Key       string // access key id of who asks
	Principal string // instead: the ARN of a user or a role, of the account's root, or * for a request without a signature
	Action    string
	Resource  string
	Context   map[string][]string // condition keys and their values

	Everywhere bool // it may be about another account's resources, whose policies are that account's secret
}

// Answer decides as a server does that enforces policies, and tells why. InvalidArgument, KeyNotFound, EntityNotFound.
func (o *Options) Answer(ctx context.Context, broker *core.Broker, q *Question) (*Denied, error) {
	if of := ownerOf(q.Resource); of != "" && of != q.Account && !q.Everywhere {
		return nil, core.Errorf(core.AccessDenied, "this access key may not look into the policies of another account's resources")
	}
	key, err := q.asking(ctx, broker)
	if err != nil {
		return nil, err
	}
	who := Caller{Region: q.Region, Began: time.Now()}
	if key != nil {
		who.Is(key)
	}
	want := &Want{Action: q.Action, Resource: q.Resource, Owner: q.Account}
	tags, err := describe(ctx, broker, want)
	if err != nil {
		return nil, err
	}
	given := map[string][]string{}
	for name, values := range q.Context {
		given[strings.ToLower(name)] = values
	}
	want.Keys = func(name string) []string {
		if values, ok := given[name]; ok {
			return values
		}
		if tag, ok := strings.CutPrefix(name, "aws:resourcetag/"); ok {
			return TagValues(tags, tag)
		}
		return nil
	}
	return o.Explain(ctx, &who, want)
}

// asking gives the key of who asks, or one that somebody of the ARN would have; nil for nobody in particular.
func (q *Question) asking(ctx context.Context, broker *core.Broker) (*core.Key, error) {
	owner, id, arn := q.Account, q.Key, q.Principal
	switch {
	case (id == "") == (arn == ""):
		return nil, core.Errorf(core.InvalidArgument, "either key or principal says who asks")
	case arn == "*":
		return nil, nil
	case id != "":
		key, err := broker.Key(ctx, id)
		if err == nil && key.Account != owner {
			err = core.Errorf(core.KeyNotFound, "account %s has no access key %q", owner, id)
		}
		return key, err
	}
	if role, ok := core.RoleNameOf(arn); ok && role.Account == owner {
		kept, err := broker.Identity(ctx, role)
		return &core.Key{Account: owner, Session: core.Session{Role: arn, RoleID: kept.ID, Name: "explained"}}, err
	}
	_, name, _ := strings.Cut(arn, "::"+owner+":")
	if name == "root" {
		return &core.Key{Account: owner}, nil
	}
	path, isUser := strings.CutPrefix(name, "user/")
	if !isUser {
		return nil, core.Errorf(core.InvalidArgument, "the principal must be a user, a role or the root of account %s, unlike %q", owner, arn)
	}
	user := path[strings.LastIndexByte(path, '/')+1:]
	_, err := broker.Identity(ctx, core.IdentityName{Account: owner, Kind: core.User, Name: user})
	return &core.Key{Account: owner, User: user}, err
}

// ownerOf gives the account in an ARN of AWS, "" where there is none.
func ownerOf(resource string) string {
	const parts = 6
	if arn := strings.SplitN(resource, ":", parts); len(arn) == parts && arn[0] == "arn" {
		return arn[4]
	}
	return ""
}

// describe fills in what is known of a resource: whose it is, and its policy. It gives its tags.
func describe(ctx context.Context, broker *core.Broker, want *Want) (tags map[string]string, err error) {
	const parts = 6
	arn := strings.SplitN(want.Resource, ":", parts)
	if len(arn) < parts || arn[0] != "arn" {
		return nil, nil
	}
	want.Owner = cmp.Or(arn[4], want.Owner)
	switch arn[2] {
	case "sqs":
		queue, err := broker.Queue(ctx, core.QueueName{Account: arn[4], Region: arn[3], Name: arn[5]})
		if core.CodeOf(err) == core.QueueNotFound {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		want.Policy = queue.Attributes["sqs.Policy"]
		return queue.Tags, nil
	case "sns":
		topic, err := broker.Topic(ctx, core.TopicName{Account: arn[4], Region: arn[3], Name: arn[5]})
		if core.CodeOf(err) == core.TopicNotFound {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		want.Policy = topic.Attributes["sns.Policy"]
		return topic.Tags, nil
	}
	return nil, nil
}

package caller

import (
	"cmp"
	"context"
	"strings"
	"sync"
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
	if err := q.check(o.Actions); err != nil {
		return nil, err
	}
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
	want := &Want{Action: q.Action, Resource: q.Resource, Owner: cmp.Or(ownerOf(q.Resource), q.Account)}
	about, err := describe(ctx, broker, want.Resource)
	if err != nil {
		return nil, err
	}
	want.Policy = about.policy
	given := map[string][]string{}
	for name, values := range q.Context {
		given[strings.ToLower(name)] = values
	}
	want.Keys = func(name string) []string {
		if values, ok := given[name]; ok {
			return values
		}
		return about.values(name)
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

// ownerOf gives the account in an ARN of either cloud, "" where there is none.
func ownerOf(resource string) string {
	_, _, account, _ := splitARN(resource)
	return account
}

// splitARN takes apart arn:PARTITION:SERVICE:REGION:ACCOUNT:REST and acs:SERVICE:REGION:ACCOUNT:REST. A star for a
// region or an account is none.
func splitARN(text string) (service, region, account, rest string) {
	const parts = 6
	text = strings.TrimPrefix(text, "acs:")
	if behind, isARN := strings.CutPrefix(text, "arn:"); isARN {
		_, text, _ = strings.Cut(behind, ":")
	}
	if list := strings.SplitN("::"+text, ":", parts); len(list) == parts {
		service, region, account, rest = list[2], list[3], list[4], list[5]
	}
	return service, strings.Trim(region, "*"), strings.Trim(account, "*"), rest
}

// described is what is known of a queue or a topic that policies may ask for.
type described struct {
	policy string // its own
	tags   map[string]string
}

// values gives the values of the condition keys of its tags.
func (d *described) values(key string) []string {
	for _, prefix := range []string{"aws:resourcetag/", "acs:resourcetag/"} {
		if tag, ok := strings.CutPrefix(key, prefix); ok {
			return TagValues(d.tags, tag)
		}
	}
	return nil
}

// describe gives what is known of the queue or the topic that an ARN names, nothing where there is none. MNS's have no
// policies of their own.
func describe(ctx context.Context, broker *core.Broker, resource string) (d described, err error) {
	service, region, account, rest := splitARN(resource)
	kind, name := service, rest
	if service == "mns" { // /queues/NAME, and what lies behind it
		path := strings.SplitN(rest+"//", "/", 4)
		kind, name = path[1], path[2]
	}
	switch kind {
	case "sqs", "queues":
		queue, err := broker.Queue(ctx, core.QueueName{Account: account, Region: region, Name: name})
		if err == nil {
			d = described{queue.Attributes["sqs.Policy"], queue.Tags}
		} else if core.CodeOf(err) != core.QueueNotFound {
			return d, err
		}
	case "sns", "topics":
		topic, err := broker.Topic(ctx, core.TopicName{Account: account, Region: region, Name: name})
		if err == nil {
			d = described{topic.Attributes["sns.Policy"], topic.Tags}
		} else if core.CodeOf(err) != core.TopicNotFound {
			return d, err
		}
	}
	if service == "mns" {
		d.policy = ""
	}
	return d, nil
}

// AskTags lets policies ask for the tags of the queue or the topic that the resource names. They are read once
// one does.
func (w *Want) AskTags(ctx context.Context, broker *core.Broker) {
	others := w.Keys
	about := sync.OnceValue(func() (d described) {
		d, w.failed = describe(ctx, broker, w.Resource)
		return d
	})
	w.Keys = func(key string) []string {
		if strings.HasPrefix(key, "acs:resourcetag/") || strings.HasPrefix(key, "aws:resourcetag/") {
			d := about()
			return d.values(key)
		}
		if others == nil {
			return nil
		}
		return others(key)
	}
}

package api

import (
	"cmp"
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/core/policy"
	"github.com/polymq/polymq/protocols/caller"
)

type explainPolicyRequest struct {
	OfAccount
	Body struct {
		Key       string              `json:"key,omitempty" maxLength:"128" doc:"Access key id of who asks"`
		Principal string              `json:"principal,omitempty" maxLength:"2048" doc:"Instead: the ARN of a user or a role, of the account's root, or * for a request without a signature" example:"arn:aws:iam::111122223333:user/ci"`
		Action    string              `json:"action" minLength:"1" maxLength:"128" example:"sqs:SendMessage"`
		Resource  string              `json:"resource" minLength:"1" maxLength:"2048" example:"arn:aws:sqs:us-east-1:111122223333:orders"`
		Context   map[string][]string `json:"context,omitempty" maxProperties:"100" doc:"Condition keys and their values, such as aws:SourceIp"`
	}
}

type explainPolicyResponse struct {
	Body struct {
		Decision   string `json:"decision" enum:"allowed,explicitDeny,implicitDeny"`
		Principal  string `json:"principal" doc:"Who was found to ask; empty for nobody in particular"`
		PolicyType string `json:"policy_type,omitempty" doc:"Kind of the policy that decided or, of implicitDeny, that should have allowed it" example:"identity-based policy"`
		Policy     string `json:"policy,omitempty" doc:"Its name or ARN; a resource's policy has the resource's"`
		Statement  *int   `json:"statement,omitempty" doc:"The statement in it that decided, from 0"`
		Sid        string `json:"sid,omitempty" doc:"Its Sid"`
		Message    string `json:"message,omitempty" doc:"What a client is told where policies are enforced"`
	}
}

// explainPolicy decides as a server does that enforces policies, and tells why.
func (s *Server) explainPolicy(ctx context.Context, req *explainPolicyRequest) (*explainPolicyResponse, error) {
	owner, err := account(ctx, req.Account)
	if err != nil {
		return nil, err
	}
	in := &req.Body
	key, err := s.asking(ctx, owner, in.Key, in.Principal)
	if err != nil {
		return nil, failed(ctx, err)
	}
	who := caller.Caller{Region: exchangeOf(ctx).caller.Region, Began: time.Now()}
	if key != nil {
		who.Is(key)
	}
	want := &caller.Want{Action: in.Action, Resource: in.Resource, Owner: owner}
	if of := ownerOf(in.Resource); of != "" && of != owner && !exchangeOf(ctx).grants.Everywhere { // its policy is the other account's secret
		return nil, newProblem(http.StatusForbidden, core.AccessDenied, "this access key may not look into the policies of another account's resources")
	}
	tags, err := s.describe(ctx, want)
	if err != nil {
		return nil, failed(ctx, err)
	}
	given := map[string][]string{}
	for name, values := range in.Context {
		given[strings.ToLower(name)] = values
	}
	want.Keys = func(name string) []string {
		if values, ok := given[name]; ok {
			return values
		}
		if tag, ok := strings.CutPrefix(name, "aws:resourcetag/"); ok {
			return caller.TagValues(tags, tag)
		}
		return nil
	}
	d, err := s.callers.Explain(ctx, &who, want)
	if err != nil {
		return nil, failed(ctx, err)
	}
	return explained(d), nil
}

func explained(d *caller.Denied) *explainPolicyResponse {
	var resp explainPolicyResponse
	out := &resp.Body
	out.Decision, out.Principal = d.Decision.Outcome.String(), d.Principal
	out.PolicyType, out.Policy = d.Decision.Kind.String(), d.Decision.Policy
	if s := d.Decision.Statement; s != nil {
		out.Statement, out.Sid = &s.Index, s.Sid
	}
	switch {
	case d.Broken != "":
		out.Decision, out.Policy = policy.ExplicitDeny.String(), d.Broken
		out.Message = d.Error()
	case d.Decision.Outcome != policy.Allowed:
		out.Message = d.Error()
	case d.Decision.Statement == nil: // of the account's root, which needs no policy
		out.PolicyType = ""
	}
	return &resp
}

// asking gives the key of who asks, or one that somebody of the ARN would have; nil for nobody in particular.
func (s *Server) asking(ctx context.Context, owner, id, arn string) (*core.Key, error) {
	switch {
	case (id == "") == (arn == ""):
		return nil, core.Errorf(core.InvalidArgument, "either key or principal says who asks")
	case arn == "*":
		return nil, nil
	case id != "":
		key, err := s.broker.Key(ctx, id)
		if err == nil && key.Account != owner {
			err = core.Errorf(core.KeyNotFound, "account %s has no access key %q", owner, id)
		}
		return key, err
	}
	if role, ok := core.RoleNameOf(arn); ok && role.Account == owner {
		kept, err := s.broker.Identity(ctx, role)
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
	_, err := s.broker.Identity(ctx, core.IdentityName{Account: owner, Kind: core.User, Name: user})
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
func (s *Server) describe(ctx context.Context, want *caller.Want) (tags map[string]string, err error) {
	const parts = 6
	arn := strings.SplitN(want.Resource, ":", parts)
	if len(arn) < parts || arn[0] != "arn" {
		return nil, nil
	}
	want.Owner = cmp.Or(arn[4], want.Owner)
	switch arn[2] {
	case "sqs":
		queue, err := s.broker.Queue(ctx, core.QueueName{Account: arn[4], Region: arn[3], Name: arn[5]})
		if core.CodeOf(err) == core.QueueNotFound {
			return nil, nil
		} else if err != nil {
			return nil, err
		}
		want.Policy = queue.Attributes["sqs.Policy"]
		return queue.Tags, nil
	case "sns":
		topic, err := s.broker.Topic(ctx, core.TopicName{Account: arn[4], Region: arn[3], Name: arn[5]})
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

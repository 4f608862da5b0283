package api

import (
	"context"

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
	d, err := s.callers.Answer(ctx, s.broker, &caller.Question{
		Account: owner, Region: exchangeOf(ctx).caller.Region, Key: in.Key, Principal: in.Principal, Action: in.Action, Resource: in.Resource, Context: in.Context,
		Everywhere: exchangeOf(ctx).grants.Everywhere,
	})
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

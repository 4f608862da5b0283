package sts

import (
	"context"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

type getFederationTokenRequest struct {
	Name            string
	DurationSeconds *int
	Policy          *string
	PolicyArns      []policyARN `query:"PolicyArns.member"`
	Tags            []tag       `query:"Tags.member"`
}

type getFederationTokenResult struct {
	FederatedUser    federatedUser
	Credentials      credentials
	PackedPolicySize *int
}

type federatedUser struct {
	FederatedUserId string
	Arn             string
}

// getFederationToken gives a temporary key for somebody whom the caller vouches for.
func (s *Server) getFederationToken(ctx context.Context, c *call, req *getFederationTokenRequest) (*getFederationTokenResult, error) {
	if err := checkName(req.Name, "name", 32); err != nil {
		return nil, err
	}
	if err := checkTags(req.Tags, nil, nil); err != nil {
		return nil, err
	}
	if err := checkPolicy(req.Policy); err != nil {
		return nil, err
	}
	life, err := c.sessionLife(req.DurationSeconds)
	if err != nil {
		return nil, err
	}
	if len(req.Tags) > 0 {
		keys := &assumeRoleRequest{Tags: req.Tags}
		want := caller.Want{Action: tagSession, Resource: c.stsARN("federated-user/" + req.Name), Keys: keys.conditionKey}
		if err := s.callers.Authorize(ctx, &c.Caller, &want); err != nil {
			return nil, err
		}
	}
	session := core.Session{Name: req.Name, Policy: text(req.Policy)}
	if err := s.bound(ctx, &session, c.Account, req.PolicyArns, req.Tags); err != nil {
		return nil, err
	}
	made, err := s.newSession(ctx, core.NewKey{Account: c.Account, User: c.user(), Session: session, Lasts: life})
	if err != nil {
		return nil, err
	}
	federated := call{Caller: c.Caller}
	federated.Is(&core.Key{Account: c.Account, User: c.user(), Session: session})
	arn, id := federated.identity()
	return &getFederationTokenResult{FederatedUser: federatedUser{id, arn}, Credentials: made, PackedPolicySize: packedSize(req.Policy)}, nil
}

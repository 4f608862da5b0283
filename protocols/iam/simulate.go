package iam

import (
	"context"
	"strings"

	"github.com/polymq/polymq/core"
	rules "github.com/polymq/polymq/core/policy"
)

// contextEntry is a condition key of a simulated request.
type contextEntry struct {
	ContextKeyName   string
	ContextKeyValues []string `query:"ContextKeyValues.member"`
}

// simulated says what requests are simulated.
type simulated struct {
	ActionNames        []string       `query:"ActionNames.member"`
	ResourceArns       []string       `query:"ResourceArns.member"`
	ContextEntries     []contextEntry `query:"ContextEntries.member"`
	ResourcePolicy     string
	ResourceOwner      string
	CallerArn          string
	PolicyInputList    []string `query:"PolicyInputList.member"`
	BoundaryPolicyList []string `query:"PermissionsBoundaryPolicyInputList.member"`
	page
}

type simulatePrincipalPolicyRequest struct {
	PolicySourceArn string
	simulated
}

type simulateCustomPolicyRequest struct{ simulated }

// matched is a statement that decided.
type matched struct {
	SourcePolicyId   string
	SourcePolicyType string
}

type evaluation struct {
	EvalActionName    string
	EvalResourceName  string
	EvalDecision      string
	MatchedStatements []matched `query:"MatchedStatements.member"`
}

type simulateResult struct {
	EvaluationResults []evaluation `query:"EvaluationResults.member"`
	IsTruncated       bool
}

// Bounds of a simulation.
const (
	maxSimulated         = 1000 // actions times resources
	maxSimulatedPolicies = 20
)

// simulatePrincipalPolicy says what a user, group or role of the account may do, by its policies and its boundary.
func (s *Server) simulatePrincipalPolicy(ctx context.Context, c *call, in *simulatePrincipalPolicyRequest) (*simulateResult, error) {
	identity, key, err := s.source(ctx, c, in.PolicySourceArn)
	if err != nil {
		return nil, err
	}
	grants, err := s.broker.Grants(ctx, key)
	if err != nil {
		return nil, err
	}
	if identity.Kind == core.Group { // nobody signs for a group: what a user has who is in no other
		grants = &core.Grants{Account: c.Account, Principal: identity.ARN(core.AWS)}
		var failed error
		grants.Grant(&core.Key{}, []core.Identity{identity}, func(id string) *core.Policy {
			p, err := s.broker.PolicyOfID(ctx, id)
			if err != nil {
				failed = err
				return nil
			}
			return &p
		})
		if failed != nil && core.CodeOf(failed) != core.EntityNotFound {
			return nil, failed
		}
	}
	var policies rules.Policies
	read := func(p *core.GrantedPolicy, kind rules.Kind) ([]rules.Named, error) {
		if p.Cloud != core.AWS {
			return nil, nil
		}
		parsed, err := rules.ParseAWS(p.Text, kind)
		if err != nil {
			return nil, faultf("PolicyEvaluation", "policy %s cannot be evaluated: %v", p.Name, err)
		}
		name := p.ARN
		if name == "" {
			name = strings.Replace(p.From, "/", "_", 1) + "_" + p.Name
		}
		return []rules.Named{{Name: name, Policy: parsed}}, nil
	}
	for i := range grants.Identity {
		named, err := read(&grants.Identity[i], rules.Identity)
		if err != nil {
			return nil, err
		}
		policies.Identity = append(policies.Identity, named...)
	}
	if grants.Boundary != nil {
		named, err := read(grants.Boundary, rules.Boundary)
		if err != nil {
			return nil, err
		}
		policies.Boundary = &named[0]
	}
	return c.simulate(&in.simulated, &policies, grants.Principal)
}

// source gives the identity that an ARN names, and a key that would be its.
func (s *Server) source(ctx context.Context, c *call, arn string) (core.Identity, *core.Key, error) {
	_, resource, _ := strings.Cut(arn, ":iam::"+c.Account+":")
	kind, path, _ := strings.Cut(resource, "/")
	name := core.IdentityName{Account: c.Account, Kind: core.IdentityKind(kind), Name: path[strings.LastIndexByte(path, '/')+1:]}
	key := &core.Key{Account: c.Account}
	switch name.Kind {
	case core.User:
		key.User = name.Name
	case core.Role:
		name.Cloud, key.Session = core.AWS, core.Session{Role: arn, Name: "simulated"}
	case core.Group:
	default:
		return core.Identity{}, nil, faultf("InvalidInput", "Invalid Entity Arn: %.256s does not clearly define entity type and name.", arn)
	}
	identity, err := s.broker.Identity(ctx, name)
	return identity, key, err
}

// simulateCustomPolicy says what policies allow that nobody has.
func (s *Server) simulateCustomPolicy(_ context.Context, c *call, in *simulateCustomPolicyRequest) (*simulateResult, error) {
	principal := in.CallerArn
	if principal == "" {
		principal = "arn:aws:iam::" + c.Account + ":user/simulated"
	}
	return c.simulate(&in.simulated, &rules.Policies{}, principal)
}

// simulate evaluates each action on each resource.
func (c *call) simulate(in *simulated, policies *rules.Policies, principal string) (*simulateResult, error) {
	if len(in.ActionNames) == 0 {
		return nil, required("actionNames")
	}
	if len(in.ResourceArns) == 0 {
		in.ResourceArns = []string{"*"}
	}
	if len(in.ActionNames)*len(in.ResourceArns) > maxSimulated || len(in.PolicyInputList)+len(in.BoundaryPolicyList) > maxSimulatedPolicies {
		return nil, faultf("InvalidInput", "a simulation has at most %d actions times resources, and %d policies", maxSimulated, maxSimulatedPolicies)
	}
	if err := in.add(policies); err != nil {
		return nil, err
	}
	request := rules.Request{Principal: rules.Principal{Account: c.Account, Names: []string{principal[strings.LastIndexByte(principal, ':')+1:]}}, Keys: in.values}
	if owner := in.ResourceOwner; owner != "" {
		request.Owner = strings.TrimSuffix(owner[strings.LastIndex(owner, "::")+1:], ":root")
		request.Owner = strings.TrimPrefix(request.Owner, ":")
	}
	out := &simulateResult{}
	for _, action := range in.ActionNames {
		for _, resource := range in.ResourceArns {
			request.Action, request.Resource = action, resource
			d := rules.Evaluate(&request, policies)
			e := evaluation{EvalActionName: action, EvalResourceName: resource, EvalDecision: d.Outcome.String()}
			if d.Statement != nil {
				e.MatchedStatements = []matched{{d.Policy, "IAM Policy"}}
			}
			out.EvaluationResults = append(out.EvaluationResults, e)
		}
	}
	return out, nil
}

// add reads the policies that the request brings with it.
func (in *simulated) add(policies *rules.Policies) error {
	for i, text := range in.PolicyInputList {
		parsed, err := rules.ParseAWS(text, rules.Identity)
		if err != nil {
			return core.Errorf(core.PolicyMalformed, "%v", err)
		}
		policies.Identity = append(policies.Identity, rules.Named{Name: "PolicyInputList." + version(i + 1)[1:], Policy: parsed})
	}
	for _, text := range in.BoundaryPolicyList {
		parsed, err := rules.ParseAWS(text, rules.Boundary)
		if err != nil {
			return core.Errorf(core.PolicyMalformed, "%v", err)
		}
		policies.Boundary = &rules.Named{Name: "PermissionsBoundaryPolicyInputList.1", Policy: parsed}
	}
	if in.ResourcePolicy != "" {
		parsed, err := rules.ParseAWS(in.ResourcePolicy, rules.Resource)
		if err != nil {
			return core.Errorf(core.PolicyMalformed, "%v", err)
		}
		policies.Resource = &rules.Named{Name: "ResourcePolicy", Policy: parsed}
	}
	return nil
}

// values gives the values of a condition key.
func (in *simulated) values(key string) []string {
	for _, entry := range in.ContextEntries {
		if strings.EqualFold(entry.ContextKeyName, key) {
			return entry.ContextKeyValues
		}
	}
	return nil
}

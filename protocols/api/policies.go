package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/polymq/polymq/core"
)

// registerPolicies mounts the operations on policies that are kept by themselves.
func (s *Server) registerPolicies(api huma.API, op func(id, method, path, tag, summary string, status int) huma.Operation) {
	const tag, all, one = "Policies", prefix + "/policies", prefix + "/policies/{policy}"
	huma.Register(api, op("list-policies", http.MethodGet, all, tag, "List policies by name", 200), s.listPolicies)
	huma.Register(api, op("create-policy", http.MethodPost, all, tag, "Create a policy", 201), s.createPolicy)
	huma.Register(api, op("get-policy", http.MethodGet, one, tag, "Show a policy with its versions", 200), s.getPolicy)
	huma.Register(api, op("alter-policy", http.MethodPatch, one, tag, "Change a policy: its text, which version counts, its tags", 200), s.alterPolicy)
	huma.Register(api, op("delete-policy", http.MethodDelete, one, tag, "Delete a policy with all its versions", 204), s.deletePolicy)
	huma.Register(api, op("explain-policy", http.MethodPost, all+":explain", tag, "Say whether somebody may do something, and which statement decides", 200), s.explainPolicy)
	huma.Register(api, op("delete-policy-version", http.MethodDelete, one+"/versions/{version}", tag, "Delete a version that does not count", 204), s.deletePolicyVersion)
}

// OfPolicy is the request of every operation on one policy.
type OfPolicy struct {
	OfAccount
	Name  string `path:"policy" maxLength:"128" doc:"Name of the policy"`
	Cloud string `query:"cloud" enum:"aws,ram" default:"aws" doc:"Whose language it is of"`
}

// name names the policy: the account's own, if there is one of the name, else one that its cloud brings with it.
func (s *Server) named(ctx context.Context, o *OfPolicy) (core.PolicyName, error) {
	owner, err := account(ctx, o.Account)
	if err != nil {
		return core.PolicyName{}, err
	}
	return s.broker.PolicyCalled(ctx, owner, orAWS(o.Cloud), o.Name)
}

// policyBody is a policy on the wire.
type policyBody struct {
	Name        string            `json:"name"`
	ID          string            `json:"id" doc:"Unique for ever"`
	ARN         string            `json:"arn"`
	Cloud       string            `json:"cloud" enum:"aws,ram" doc:"Whose language it is of"`
	BuiltIn     bool              `json:"built_in" doc:"It comes with its cloud and cannot be changed"`
	Path        string            `json:"path"`
	Description string            `json:"description,omitempty"`
	CreatedAt   time.Time         `json:"created_at"`
	UpdatedAt   time.Time         `json:"updated_at"`
	Tags        map[string]string `json:"tags,omitempty"`
	Version     int               `json:"version" doc:"The one that counts"`
	Text        string            `json:"text" doc:"Of the version that counts"`
	Attached    int               `json:"attached" doc:"To how many users, groups and roles it is attached"`
	Boundary    int               `json:"boundary" doc:"Of how many users and roles it is the boundary"`
	Versions    []versionBody     `json:"versions,omitempty" doc:"The oldest first; where one policy is shown"`
}

type versionBody struct {
	Number    int       `json:"number"`
	Text      string    `json:"text"`
	CreatedAt time.Time `json:"created_at"`
}

type ofOnePolicy struct{ Body policyBody }

func encodePolicy(p *core.Policy) policyBody {
	return policyBody{
		Name: p.Name, ID: p.ID, ARN: p.ARN(), Cloud: p.Cloud, BuiltIn: p.BuiltIn(), Path: p.Path, Description: p.Description, CreatedAt: p.CreatedAt.UTC(),
		UpdatedAt: p.UpdatedAt.UTC(), Tags: p.Tags, Version: p.Default, Text: p.Text(), Attached: p.Attached, Boundary: p.Bounds,
	}
}

func showPolicy(p core.Policy) *ofOnePolicy {
	body := encodePolicy(&p)
	for _, v := range p.Versions {
		body.Versions = append(body.Versions, versionBody{v.Number, v.Text, v.CreatedAt.UTC()})
	}
	return &ofOnePolicy{body}
}

type listPoliciesRequest struct {
	OfAccount
	Cloud   string `query:"cloud" enum:"aws,ram" doc:"Only policies of this language"`
	BuiltIn bool   `query:"built_in" doc:"Those that the clouds bring with them, not the account's own"`
	Limit   int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"Most to list"`
	Cursor  string `query:"cursor" maxLength:"1024" doc:"The next_cursor of the page before"`
}

type listPoliciesResponse struct {
	Body struct {
		Policies   []policyBody `json:"policies" nullable:"false"`
		NextCursor string       `json:"next_cursor,omitempty" doc:"The cursor of the next page; absent on the last one"`
	}
}

func (s *Server) listPolicies(ctx context.Context, req *listPoliciesRequest) (*listPoliciesResponse, error) {
	owner, err := account(ctx, req.Account)
	if err != nil {
		return nil, err
	}
	if req.BuiltIn {
		owner = ""
	}
	page, err := s.broker.ListPolicies(ctx, core.ListPoliciesInput{Account: owner, Cloud: req.Cloud, Limit: req.Limit, After: req.Cursor})
	if err != nil {
		return nil, failed(ctx, err)
	}
	var resp listPoliciesResponse
	resp.Body.Policies = make([]policyBody, len(page.Policies))
	for i := range page.Policies {
		resp.Body.Policies[i] = encodePolicy(&page.Policies[i])
	}
	resp.Body.NextCursor = page.Next
	return &resp, nil
}

type createPolicyRequest struct {
	OfAccount
	Body struct {
		Name        string            `json:"name" minLength:"1" maxLength:"128"`
		Cloud       string            `json:"cloud,omitempty" enum:"aws,ram" doc:"Whose language the text is of; aws if absent"`
		Path        string            `json:"path,omitempty" maxLength:"512" doc:"/ if absent"`
		Description string            `json:"description,omitempty" maxLength:"1000"`
		Tags        map[string]string `json:"tags,omitempty"`
		Text        string            `json:"text" minLength:"1" doc:"The policy"`
	}
}

func (s *Server) createPolicy(ctx context.Context, req *createPolicyRequest) (*ofOnePolicy, error) {
	in := req.Body
	owner, err := account(ctx, req.Account)
	if err != nil {
		return nil, err
	}
	name := core.PolicyName{Account: owner, Cloud: orAWS(in.Cloud), Name: in.Name}
	policy, err := s.broker.CreatePolicy(ctx, core.Policy{PolicyName: name, Path: in.Path, Description: in.Description, Tags: in.Tags}, in.Text)
	if err != nil {
		return nil, failed(ctx, err)
	}
	return showPolicy(policy), nil
}

func (s *Server) getPolicy(ctx context.Context, req *OfPolicy) (*ofOnePolicy, error) {
	name, err := s.named(ctx, req)
	if err != nil {
		return nil, failedAs(ctx, err)
	}
	policy, err := s.broker.Policy(ctx, name)
	if err != nil {
		return nil, failed(ctx, err)
	}
	return showPolicy(policy), nil
}

// failedAs gives an error as that of an operation, which it may be already.
func failedAs(ctx context.Context, err error) error {
	if p, is := err.(*problem); is { //nolint:errorlint // made here, never wrapped
		return p
	}
	return failed(ctx, err)
}

type alterPolicyRequest struct {
	OfPolicy
	Body struct {
		Text        *string     `json:"text,omitempty" minLength:"1" doc:"Becomes a version, which counts; the oldest that does not makes room"`
		Version     *int        `json:"version,omitempty" minimum:"1" doc:"The version that is to count"`
		Description *string     `json:"description,omitempty" maxLength:"1000"`
		Tags        changedTags `json:"tags,omitempty" doc:"null removes a tag; tags that are not named stay"`
	}
}

func (s *Server) alterPolicy(ctx context.Context, req *alterPolicyRequest) (*ofOnePolicy, error) {
	in := req.Body
	name, err := s.named(ctx, &req.OfPolicy)
	if err != nil {
		return nil, failedAs(ctx, err)
	}
	policy, err := s.broker.AlterPolicy(ctx, name, in.Description, in.Tags)
	if err == nil && in.Text != nil {
		policy, _, err = s.broker.CreatePolicyVersion(ctx, name, *in.Text, true, true)
	}
	if err == nil && in.Version != nil {
		policy, err = s.broker.SetDefaultPolicyVersion(ctx, name, *in.Version)
	}
	if err != nil {
		return nil, failed(ctx, err)
	}
	return showPolicy(policy), nil
}

func (s *Server) deletePolicy(ctx context.Context, req *OfPolicy) (*struct{}, error) {
	name, err := s.named(ctx, req)
	if err != nil {
		return nil, failedAs(ctx, err)
	}
	if err := s.broker.DeletePolicy(ctx, name, true); err != nil {
		return nil, failed(ctx, err)
	}
	return nil, nil
}

type ofPolicyVersion struct {
	OfPolicy
	Version int `path:"version" minimum:"1"`
}

func (s *Server) deletePolicyVersion(ctx context.Context, req *ofPolicyVersion) (*struct{}, error) {
	name, err := s.named(ctx, &req.OfPolicy)
	if err != nil {
		return nil, failedAs(ctx, err)
	}
	if err := s.broker.DeletePolicyVersion(ctx, name, req.Version); err != nil {
		return nil, failed(ctx, err)
	}
	return nil, nil
}

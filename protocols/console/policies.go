package console

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/core/policy"
	"github.com/polymq/polymq/protocols/caller"
)

// policyRoutes mounts the pages of policies that are kept by themselves, and of what they come to.
func (s *Server) policyRoutes() {
	s.get("policies", toManage, s.listPolicies)
	s.post("policies", "CreatePolicy", toManage, s.createPolicy)
	s.get("policies/{policy}", toManage, s.showPolicy)
	s.post("policies/{policy}/text", "CreatePolicyVersion", toManage, s.writePolicy)
	s.post("policies/{policy}/version", "SetDefaultPolicyVersion", toManage, s.choosePolicyVersion)
	s.post("policies/{policy}/delete", "DeletePolicy", toManage, s.deletePolicy)
	s.get("explain", toManage, s.explainPolicy)
}

// policiesPage is the data of policies.html.
type policiesPage struct {
	Tab      string
	Policies []core.Policy
	Next     string
	Text     string // that a new policy may begin with
}

// listPolicies lists the account's policies, or those that the clouds bring with them.
func (s *Server) listPolicies(x *exchange) error {
	query := x.r.URL.Query()
	data := policiesPage{Tab: "own", Text: samplePolicy(x)}
	in := core.ListPoliciesInput{Account: x.account, After: query.Get("after"), Limit: listed}
	if query.Get("built_in") != "" {
		data.Tab, in.Account = "built-in", ""
	}
	found, err := s.broker.ListPolicies(x.ctx(), in)
	if err != nil {
		return err
	}
	data.Policies, data.Next = found.Policies, found.Next
	return s.show(x, "policies.html", &page{Title: "Policies", Active: "policies", Data: data, Snippets: policiesSnippets(x)})
}

// samplePolicy gives a policy to begin with.
func samplePolicy(x *exchange) string {
	return "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [{\n    \"Effect\": \"Allow\",\n    \"Action\": [\"sqs:SendMessage\"],\n    \"Resource\": \"arn:aws:sqs:" + x.region + ":" + x.account + ":*\"\n  }]\n}"
}

// createPolicy makes a policy.
func (s *Server) createPolicy(x *exchange) error {
	made, err := s.broker.CreatePolicy(x.ctx(), core.Policy{
		PolicyName: core.PolicyName{Account: x.account, Cloud: orAWS(x.field("cloud")), Name: x.field("name")}, Description: x.field("description"),
	}, x.field("text"))
	if err != nil {
		return err
	}
	return x.done(policyPath(made.PolicyName), x.t("Policy %s was created.", made.Name))
}

// policyPath gives where the page of a policy lies.
func policyPath(name core.PolicyName) string {
	query := url.Values{"cloud": {name.Cloud}}
	if name.BuiltIn() {
		query.Set("built_in", "1")
	}
	return "/policies/" + url.PathEscape(name.Name) + "?" + query.Encode()
}

// policy names the policy that the path names.
func (x *exchange) policy() core.PolicyName {
	query := x.r.URL.Query()
	name := core.PolicyName{Account: x.account, Cloud: orAWS(query.Get("cloud")), Name: x.r.PathValue("policy")}
	if query.Get("built_in") != "" {
		name.Account = ""
	}
	return name
}

// policyPage is the data of policy.html.
type policyPage struct {
	*core.Policy
	Tab   string
	Query string // what the path of its page ends with
	Users []core.Identity
}

// showPolicy shows a policy, its versions and whom it is attached to.
func (s *Server) showPolicy(x *exchange) error {
	found, err := s.broker.Policy(x.ctx(), x.policy())
	if err != nil {
		return err
	}
	_, query, _ := strings.Cut(policyPath(found.PolicyName), "?")
	data := policyPage{Policy: &found, Query: "?" + query, Tab: "own"}
	if found.BuiltIn() {
		data.Tab = "built-in"
	}
	users, err := s.broker.ListIdentities(x.ctx(), core.ListIdentitiesInput{Account: x.account, Policy: found.ID, Limit: listed})
	if err != nil {
		return err
	}
	data.Users = users.Identities
	return s.show(x, "policy.html", &page{Title: "Policy", Heading: found.Name, Active: "policies", Data: data, Snippets: policySnippets(x, &found)})
}

// writePolicy gives a policy another text, which counts from then on. The oldest version makes room.
func (s *Server) writePolicy(x *exchange) error {
	name := x.policy()
	if _, _, err := s.broker.CreatePolicyVersion(x.ctx(), name, x.field("text"), true, true); err != nil {
		return err
	}
	return x.done(policyPath(name), x.t("Policy %s was saved.", name.Name))
}

// choosePolicyVersion makes another version count.
func (s *Server) choosePolicyVersion(x *exchange) error {
	name, version := x.policy(), atoi(x.field("version"))
	if _, err := s.broker.SetDefaultPolicyVersion(x.ctx(), name, version); err != nil {
		return err
	}
	return x.done(policyPath(name), x.t("Version %d counts now.", version))
}

// deletePolicy removes a policy with all its versions, once its name was typed.
func (s *Server) deletePolicy(x *exchange) error {
	name := x.policy()
	f := x.form()
	f.confirm(name.Name)
	if f.err != nil {
		return f.err
	}
	if err := s.broker.DeletePolicy(x.ctx(), name, true); err != nil {
		return err
	}
	return x.done("/policies", x.t("%s was deleted.", name.Name))
}

// explainPage is the data of explain.html.
type explainPage struct {
	Tab                         string
	Principal, Action, Resource string
	Key, Context                string
	Principals                  []string // to choose from
	Problem                     string
	Decided                     bool
	Allowed, Denied             bool // Denied: by a statement, not for want of one
	Kind, Policy, Sid           string
	Statement                   int // from 1; 0: none decided
	Who, Message                string
}

// explainedActions are those that the form offers.
var explainedActions = []string{
	"sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:CreateQueue", "sqs:DeleteQueue",
	"sqs:PurgeQueue", "sqs:SetQueueAttributes", "sqs:ListQueues", "sns:Publish", "sns:Subscribe", "sns:CreateTopic", "sns:DeleteTopic",
	"mns:SendMessage", "mns:ReceiveMessage", "mns:DeleteMessage", "mns:PeekMessage", "mns:PublishMessage", "mns:CreateQueue", "sts:AssumeRole",
}

// maxContext is how many lines of condition keys a question may have.
const maxContext = 100

// explainPolicy tells whether somebody may do something, and which statement decides.
func (s *Server) explainPolicy(x *exchange) error {
	query := x.r.URL.Query()
	field := func(name string) string { return strings.TrimSpace(query.Get(name)) }
	data := explainPage{Tab: "explain", Principal: field("principal"), Key: field("key"), Action: field("action"), Resource: field("resource"), Context: field("context")}
	for _, kind := range []core.IdentityKind{core.User, core.Role} {
		found, err := s.broker.ListIdentities(x.ctx(), core.ListIdentitiesInput{Account: x.account, Kind: kind, Limit: core.MaxListed})
		if err != nil {
			return err
		}
		for i := range found.Identities {
			data.Principals = append(data.Principals, found.Identities[i].ARN(core.AWS))
		}
	}
	if data.Action != "" || data.Resource != "" {
		if err := s.explain(x, &data); err != nil {
			if statusOf(err) >= http.StatusInternalServerError {
				return err
			}
			data.Problem = x.tell(err)
		}
	}
	return s.show(x, "explain.html", &page{Title: "Explain a decision", Active: "policies", Data: data, Snippets: explainSnippets(x, &data)})
}

func (s *Server) explain(x *exchange, data *explainPage) error {
	if data.Action == "" || data.Resource == "" {
		return x.problem(core.MissingParameter, x.t("Say what is asked for, and of what."))
	}
	context := map[string][]string{}
	for i, line := range strings.Split(data.Context, "\n") {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		switch {
		case name == "" && !ok:
			continue
		case !ok || i >= maxContext:
			return x.problem(core.InvalidArgument, x.t("%s is no condition key with a value, such as aws:SourceIp=10.1.2.3.", shorten(100, line)))
		}
		context[strings.TrimSpace(name)] = append(context[strings.TrimSpace(name)], strings.TrimSpace(value))
	}
	d, err := s.callers.Answer(x.ctx(), s.broker, &caller.Question{
		Account: x.account, Region: x.region, Key: data.Key, Principal: data.Principal, Action: data.Action, Resource: data.Resource, Context: context, Everywhere: x.session.grants.Everywhere,
	})
	if err != nil {
		return err
	}
	data.Decided, data.Who, data.Policy = true, d.Principal, d.Decision.Policy
	data.Allowed = d.Decision.Outcome == policy.Allowed && d.Broken == ""
	data.Denied = d.Decision.Outcome == policy.ExplicitDeny || d.Broken != ""
	data.Kind = d.Decision.Kind.String()
	if d.Broken != "" {
		data.Policy = d.Broken
	}
	if statement := d.Decision.Statement; statement != nil {
		data.Statement, data.Sid = statement.Index+1, statement.Sid
	}
	if !data.Allowed {
		data.Message = d.Error()
	}
	return nil
}

package sns

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

const mine, others = "000000000000", "111122223333"

// people are access keys by their names, and what each is granted.
type people map[string]*core.Grants

func (p people) key(id string) *core.Key {
	g := p[id]
	return &core.Key{ID: id, Account: g.Account, User: g.User, Secret: "secret-of-" + core.Secret(id)}
}

func (p people) Key(_ context.Context, id string) (*core.Key, error) {
	if p[id] == nil {
		return nil, core.Errorf(core.KeyNotFound, "no such key")
	}
	return p.key(id), nil
}

func (p people) Grants(_ context.Context, key *core.Key) (*core.Grants, error) { return p[key.ID], nil }

// add makes a key: of a user with the statements given or, with "root", of the account itself.
func (p people) add(id, account, statements string) {
	key := &core.Key{Account: account, User: id}
	if statements == "root" {
		key.User = ""
	}
	g := core.GrantsOf(key)
	if key.User != "" && statements != "" {
		g.Identity = []core.GrantedPolicy{{Name: "p", From: "user/" + id, Cloud: core.AWS, Text: `{"Version":"2012-10-17","Statement":[` + statements + `]}`}}
	}
	p[id] = g
}

// startFor starts a server for some people, which enforces policies or only verifies signatures.
func startFor(t testing.TB, p people, enforce bool) fixture {
	return startWith(t, caller.Options{Verify: true, Keys: p, Access: caller.NewAccess(p, enforce)}, Options{})
}

// walk has the parameters of every action. NAME is the thing's name, ACCOUNT its account.
var walk = map[string][]string{
	"AddPermission":                      {"TopicArn", topicNAME, "Label", "l", "AWSAccountId.member.1", others, "ActionName.member.1", "Publish"},
	"CheckIfPhoneNumberIsOptedOut":       {"phoneNumber", "+12025550123"},
	"ConfirmSubscription":                {"TopicArn", topicNAME, "Token", "0123"},
	"CreatePlatformApplication":          {"Name", "a", "Platform", "GCM", "Attributes.entry.1.key", "PlatformCredential", "Attributes.entry.1.value", "c"},
	"CreatePlatformEndpoint":             {"PlatformApplicationArn", applicationNAME, "Token", "t"},
	"CreateSMSSandboxPhoneNumber":        {"PhoneNumber", "+12025550123"},
	"CreateTopic":                        {"Name", "made"},
	"DeleteEndpoint":                     {"EndpointArn", endpointNAME},
	"DeletePlatformApplication":          {"PlatformApplicationArn", applicationNAME},
	"DeleteSMSSandboxPhoneNumber":        {"PhoneNumber", "+12025550123"},
	"DeleteTopic":                        {"TopicArn", topicNAME},
	"GetDataProtectionPolicy":            {"ResourceArn", topicNAME},
	"GetEndpointAttributes":              {"EndpointArn", endpointNAME},
	"GetPlatformApplicationAttributes":   {"PlatformApplicationArn", applicationNAME},
	"GetSMSAttributes":                   {},
	"GetSMSSandboxAccountStatus":         {},
	"GetSubscriptionAttributes":          {"SubscriptionArn", subscriptionNAME},
	"GetTopicAttributes":                 {"TopicArn", topicNAME},
	"ListEndpointsByPlatformApplication": {"PlatformApplicationArn", applicationNAME},
	"ListOriginationNumbers":             {},
	"ListPhoneNumbersOptedOut":           {},
	"ListPlatformApplications":           {},
	"ListSMSSandboxPhoneNumbers":         {},
	"ListSubscriptions":                  {},
	"ListSubscriptionsByTopic":           {"TopicArn", topicNAME},
	"ListTagsForResource":                {"ResourceArn", topicNAME},
	"ListTopics":                         {},
	"OptInPhoneNumber":                   {"phoneNumber", "+12025550123"},
	"Publish":                            {"TopicArn", topicNAME, "Message", "m"},
	"PublishBatch":                       {"TopicArn", topicNAME, "PublishBatchRequestEntries.member.1.Id", "a", "PublishBatchRequestEntries.member.1.Message", "m"},
	"PutDataProtectionPolicy":            {"ResourceArn", topicNAME, "DataProtectionPolicy", "{}"},
	"RemovePermission":                   {"TopicArn", topicNAME, "Label", "l"},
	"SetEndpointAttributes":              {"EndpointArn", endpointNAME, "Attributes.entry.1.key", "Enabled", "Attributes.entry.1.value", "true"},
	"SetPlatformApplicationAttributes":   {"PlatformApplicationArn", applicationNAME, "Attributes.entry.1.key", "Enabled", "Attributes.entry.1.value", "true"},
	"SetSMSAttributes":                   {"attributes.entry.1.key", "DefaultSMSType", "attributes.entry.1.value", "Promotional"},
	"SetSubscriptionAttributes":          {"SubscriptionArn", subscriptionNAME, "AttributeName", "RawMessageDelivery", "AttributeValue", "true"},
	"SetTopicAttributes":                 {"TopicArn", topicNAME, "AttributeName", "DisplayName", "AttributeValue", "x"},
	"Subscribe":                          {"TopicArn", topicNAME, "Protocol", "sqs", "Endpoint", "arn:aws:sqs:us-east-1:" + others + ":q"},
	"TagResource":                        {"ResourceArn", topicNAME, "Tags.member.1.Key", "k", "Tags.member.1.Value", "v"},
	"Unsubscribe":                        {"SubscriptionArn", subscriptionNAME},
	"UntagResource":                      {"ResourceArn", topicNAME, "TagKeys.member.1", "k"},
	"VerifySMSSandboxPhoneNumber":        {"PhoneNumber", "+12025550123", "OneTimePassword", "123456"},
}

const (
	topicNAME        = "arn:aws:sns:us-east-1:ACCOUNT:NAME"
	applicationNAME  = "arn:aws:sns:us-east-1:ACCOUNT:app/GCM/NAME"
	endpointNAME     = "arn:aws:sns:us-east-1:ACCOUNT:endpoint/GCM/NAME/00000000-0000-4000-8000-000000000000"
	subscriptionNAME = "arn:aws:sns:us-east-1:ACCOUNT:NAME:00000000-0000-4000-8000-000000000000"
)

// aim fills in the parameters of a walk. Where there is a subscription of that name, it stands for one.
func aim(parameters []string, account, name, subscription string) []string {
	filled := make([]string, len(parameters))
	for i, text := range parameters {
		if text == subscriptionNAME && subscription != "" {
			text = subscription
		}
		filled[i] = strings.NewReplacer("ACCOUNT", account, "NAME", name).Replace(text)
	}
	return filled
}

func TestEveryActionHasAPermission(t *testing.T) {
	t.Parallel()
	for action := range actionTable() {
		if permissions[action].on == noTarget || walk[action] == nil {
			t.Errorf("%s has no permission, or is not walked", action)
		}
	}
	if len(permissions) != len(actionTable()) {
		t.Errorf("there are %d permissions of %d actions", len(permissions), len(actionTable()))
	}
}

// TestIsolation walks every action with another account's key: things of others look as ones that are not there.
func TestIsolation(t *testing.T) {
	t.Parallel()
	for _, enforce := range []bool{false, true} {
		p := people{}
		p.add("owner", mine, "root")
		p.add("other", others, "root")
		f := startFor(t, p, enforce)
		f.callAs(t, p.key("owner"), "CreateTopic", "Name", "secret").document(t)
		f.callAs(t, p.key("owner"), "CreatePlatformApplication", "Name", "secret", "Platform", "GCM", "Attributes.entry.1.key", "PlatformCredential", "Attributes.entry.1.value", "c").document(t)
		sub := f.callAs(t, p.key("owner"), "Subscribe", "TopicArn", strings.NewReplacer("ACCOUNT", mine, "NAME", "secret").Replace(topicNAME), "Protocol", "sms", "Endpoint", "+12025550123").
			document(t).text(t, "SubscriptionArn")
		for action, parameters := range walk {
			there := f.callAs(t, p.key("other"), action, aim(parameters, mine, "secret", sub)...)
			none := f.callAs(t, p.key("other"), action, aim(parameters, mine, "absent", "")...)
			switch on := permissions[action].on; on {
			case wholeAccount, topicMade, confirmedTopic: // its own account's
				if strings.Contains(there.body, "secret") {
					t.Errorf("%s shows %s", action, there.body)
				}
			default:
				there.wantFault(t, authorizationError, "")
				if there.status != none.status || same(there.body, sub) != same(strings.ReplaceAll(none.body, "absent", "secret"), strings.NewReplacer("ACCOUNT", mine, "NAME", "secret").Replace(subscriptionNAME)) {
					t.Errorf("%s (enforce %v): got %d %s\nwhere there is none: %d %s", action, enforce, there.status, there.body, none.status, none.body)
				}
			}
		}
		if got := f.callAs(t, p.key("owner"), "GetTopicAttributes", aim(walk["GetTopicAttributes"], mine, "secret", "")...); !strings.Contains(got.body, "<key>SubscriptionsConfirmed</key><value>1</value>") {
			t.Errorf("afterwards: %s", got.body)
		}
	}
}

// same leaves out of an answer what differs from one request to the next.
func same(body, subscription string) string {
	before, rest, _ := strings.Cut(body, "<RequestId>")
	_, behind, _ := strings.Cut(rest, "</RequestId>")
	return strings.ReplaceAll(before+behind, subscription, "SUBSCRIPTION")
}

// TestEnforceEveryAction walks every action as a user without policies, as one who may do that action alone, and
// as one who may do all but that.
func TestEnforceEveryAction(t *testing.T) {
	t.Parallel()
	p := people{}
	p.add("owner", mine, "root")
	p.add("nobody", mine, "")
	f := startFor(t, p, true)
	f.callAs(t, p.key("owner"), "CreateTopic", "Name", "news").document(t)
	for action, parameters := range walk {
		name := strings.TrimSuffix(action, "Batch")
		p.add("may-"+action, mine, `{"Effect":"Allow","Action":"sns:`+name+`","Resource":"*"}`)
		p.add("not-"+action, mine, `{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"SNS:`+name+`","Resource":"arn:aws:sns:us-east-1:`+mine+`:*"}`)
		filled := aim(parameters, mine, "news", "")
		refused := f.callAs(t, p.key("nobody"), action, filled...)
		refused.wantFault(t, authorizationError, "")
		for _, want := range []string{"User: arn:aws:iam::000000000000:user/nobody is not authorized to perform: SNS:" + name + " on resource: arn:aws:sns:us-east-1:000000000000:", "because no identity-based policy allows the SNS:" + name + " action"} {
			if !strings.Contains(refused.body, want) {
				t.Errorf("%s: got %s, want %q", action, refused.body, want)
			}
		}
		if got := f.callAs(t, p.key("not-"+action), action, filled...); !strings.Contains(got.body, "with an explicit deny in an identity-based policy") {
			t.Errorf("%s: got %s, want an explicit deny", action, got.body)
		}
		if got := f.callAs(t, p.key("may-"+action), action, filled...); action != "DeleteTopic" && got.status == http.StatusForbidden {
			t.Errorf("%s: got %s", action, got.body)
		}
	}
}

// What a topic's policy allows others, or everybody, they may do.
func TestTopicPoliciesBetweenAccounts(t *testing.T) {
	t.Parallel()
	p := people{}
	p.add("owner", mine, "root")
	p.add("other", others, "root")
	p.add("user", others, "")
	f := startFor(t, p, true)
	f.callAs(t, p.key("owner"), "CreateTopic", "Name", "news").document(t)
	publish := aim(walk["Publish"], mine, "news", "")
	f.callAs(t, p.key("owner"), "AddPermission", aim(walk["AddPermission"], mine, "news", "")...).document(t)
	f.callAs(t, p.key("other"), "Publish", publish...).document(t)
	f.callAs(t, p.key("user"), "Publish", publish...).wantFault(t, authorizationError, "")
	f.callAs(t, p.key("other"), "Subscribe", aim(walk["Subscribe"], mine, "news", "")...).wantFault(t, authorizationError, "")
	unsigned := "/?Action=Publish&Message=m&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3Anews"
	f.follow(t, unsigned).wantFault(t, wireError{http.StatusForbidden, "MissingAuthenticationToken"}, "")

	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"SNS:Publish","Resource":"arn:aws:sns:us-east-1:000000000000:news"},` +
		`{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"SNS:Subscribe","Resource":"*","Condition":{"StringEquals":{"sns:Protocol":"sqs"},"StringLike":{"sns:Endpoint":"arn:aws:sqs:*:111122223333:*"}}}]}`
	f.callAs(t, p.key("owner"), "SetTopicAttributes", "TopicArn", "arn:aws:sns:us-east-1:000000000000:news", "AttributeName", "Policy", "AttributeValue", policy).document(t)
	if got := f.follow(t, unsigned); got.status != http.StatusOK {
		t.Errorf("got %s", got.body)
	}
	f.callAs(t, p.key("other"), "Subscribe", aim(walk["Subscribe"], mine, "news", "")...).document(t)
	f.callAs(t, p.key("other"), "Subscribe", "TopicArn", "arn:aws:sns:us-east-1:000000000000:news", "Protocol", "sms", "Endpoint", "+12025550123").wantFault(t, authorizationError, "")
	f.callAs(t, p.key("other"), "Publish", "TopicArn", "arn:other:sns:us-east-1:000000000000:news", "Message", "m").document(t) // the partition is what it is, however it is written
}

// Who follows the link to end a subscription proves by its id that it was sent to him. A name that somebody chose, as
// by MNS, proves nothing.
func TestLinksEndWhatCannotBeGuessed(t *testing.T) {
	t.Parallel()
	p := people{}
	p.add("owner", mine, "root")
	for _, enforce := range []bool{false, true} {
		f := startFor(t, p, enforce)
		f.callAs(t, p.key("owner"), "CreateTopic", "Name", "news").document(t)
		topic := core.TopicName{Account: mine, Region: "us-east-1", Name: "news"}
		for name, want := range map[string]bool{"audit": true, "": false} {
			in := core.NewSubscription{Name: core.SubscriptionName{Topic: topic, Name: name}, Format: format, Protocol: "sms", Endpoint: "+1202555012" + strconv.Itoa(len(name))}
			sub, _, err := f.broker.Subscribe(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			f.follow(t, "/?Action=Unsubscribe&SubscriptionArn="+url.QueryEscape(subscriptionARN(sub.Name)))
			if sub, err = f.broker.Subscription(t.Context(), sub.Name); err != nil || (sub.State == core.Confirmed) != want {
				t.Errorf("enforce %v, %q: got %v, %v", enforce, sub.Name.Name, sub.State, err)
			}
		}
	}
}

// What is denied because of a topic's tag cannot be had by taking the tag away.
func TestTagsOfTopics(t *testing.T) {
	t.Parallel()
	p := people{}
	p.add("owner", mine, "root")
	p.add("user", mine, `{"Effect":"Allow","Action":"sns:*","Resource":"*"},{"Effect":"Deny","Action":"sns:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/env":"prod"}}}`)
	f := startFor(t, p, true)
	f.callAs(t, p.key("owner"), "CreateTopic", "Name", "news", "Tags.member.1.Key", "env", "Tags.member.1.Value", "prod").document(t)
	const arn = "arn:aws:sns:us-east-1:" + mine + ":news"
	for action, parameters := range map[string][]string{
		"UntagResource":           {"ResourceArn", arn, "TagKeys.member.1", "env"},
		"TagResource":             {"ResourceArn", arn, "Tags.member.1.Key", "env", "Tags.member.1.Value", "test"},
		"PutDataProtectionPolicy": {"ResourceArn", arn, "DataProtectionPolicy", "{}"},
		"Publish":                 {"TopicArn", arn, "Message", "m"},
	} {
		if got := f.callAs(t, p.key("user"), action, parameters...); !strings.Contains(got.body, "with an explicit deny in an identity-based policy") {
			t.Errorf("%s: got %s", action, got.body)
		}
	}
}

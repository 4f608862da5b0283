package caller

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
)

// What policies may ask of a request, by who asks; "-" is what it does not have.
func TestConditionKeysOfCallers(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 15, 8, 30, 0, 0, time.UTC)
	user := &core.Key{Account: "111122223333", User: "ann"}
	of := core.Session{Role: "arn:aws:iam::111122223333:role/ci/worker", RoleID: "AROA1", Name: "build", SourceIdentity: "ann", Tags: map[string]string{"Team": "red"}}
	session := &core.Key{Account: "111122223333", Session: of, TokenHash: []byte{1}, CreatedAt: began}
	tests := map[string]struct{ user, session, nobody string }{
		"aws:useragent":                 {"Boto3/1.40", "Boto3/1.40", "Boto3/1.40"},
		"aws:referer":                   {"https://example.com/", "https://example.com/", "https://example.com/"},
		"aws:sourceip":                  {"192.0.2.1", "192.0.2.1", "192.0.2.1"},
		"aws:securetransport":           {"false", "false", "false"},
		"aws:tokenissuetime":            {"-", "2026-01-15T08:30:00Z", "-"},
		"aws:multifactorauthpresent":    {"-", "false", "-"},
		"aws:sourceidentity":            {"-", "ann", "-"},
		"aws:username":                  {"ann", "-", "-"},
		"aws:userid":                    {"111122223333", "AROA1:build", "-"},
		"aws:principaltype":             {"User", "AssumedRole", "-"},
		"aws:principalarn":              {"arn:aws:iam::111122223333:user/ann", "arn:aws:iam::111122223333:role/ci/worker", "-"},
		"acs:principalarn":              {"arn:aws:iam::111122223333:user/ann", "arn:aws:iam::111122223333:role/ci/worker", "-"},
		"aws:principalaccount":          {"111122223333", "111122223333", "-"},
		"aws:principaltag/team":         {"-", "red", "-"},
		"acs:principaltag/team":         {"-", "red", "-"},
		"aws:principalorgid":            {"-", "-", "-"},
		"aws:sourcearn":                 {"-", "-", "-"},
		"aws:resourcetag/team":          {"-", "-", "-"},
		"aws:requestedregion":           {"eu-west-1", "eu-west-1", "eu-west-1"},
		"aws:resourceaccount":           {"111122223333", "111122223333", "111122223333"},
		"aws:principalisawsservice":     {"false", "false", "false"},
		"acs:mfapresent":                {"false", "false", "false"},
		"something:that.nobody/has-got": {"-", "-", "-"},
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("User-Agent", "Boto3/1.40")
	r.Header.Set("Referer", "https://example.com/")
	for name, want := range tests {
		for key, want := range map[*core.Key]string{user: want.user, session: want.session, nil: want.nobody} {
			options := &Options{Verify: true}
			c := options.Identify(r)
			k := conditionKeys{caller: &c, want: &Want{Resource: "arn:aws:sqs:eu-west-1:111122223333:orders", Owner: "111122223333"}}
			if key != nil {
				c.Is(key)
				k.grants = core.GrantsOf(key)
			}
			got := strings.Join(k.values(name), " ")
			if got == "" {
				got = "-"
			}
			if got != want {
				t.Errorf("%s of %+v: got %q, want %q", name, key, got, want)
			}
		}
	}
}

// A session that was asked to be bounded is so wherever signatures are verified, one whose policy cannot be read
// may do nothing, and others are free where policies are not enforced.
func TestBoundedSessions(t *testing.T) {
	t.Parallel()
	session := func(policy string) *core.Key {
		return &core.Key{Account: "111122223333", TokenHash: []byte{1}, Session: core.Session{Name: "guest", Policy: policy}}
	}
	const send = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}]}`
	tests := map[string]struct {
		key  *core.Key
		want string // of what it may do: s send, d delete
	}{
		"of no policy": {session(""), "sd"}, "to send": {session(send), "s"}, "broken": {session("{"), ""}, "the account": {&core.Key{Account: "111122223333"}, "sd"},
	}
	options := &Options{Verify: true, Access: &Access{}}
	for name, tt := range tests {
		c := &Caller{Account: tt.key.Account, Key: tt.key, Verified: true}
		got := ""
		for _, action := range []string{"sqs:SendMessage", "sqs:DeleteQueue"} {
			if options.Authorize(t.Context(), c, &Want{Action: action, Resource: "arn:aws:sqs:us-east-1:111122223333:orders"}) == nil {
				got += strings.ToLower(action[4:5])
			}
		}
		if got != tt.want {
			t.Errorf("%s: may %q, want %q", name, got, tt.want)
		}
	}
}

// grantsOf is what users are granted, by the names that they have.
type grantsOf map[string]core.Grants

func (g grantsOf) Grants(_ context.Context, key *core.Key) (*core.Grants, error) {
	if key.User == "gone" {
		return nil, core.Errorf(core.Unavailable, "the database is away")
	}
	grants := g[key.User]
	grants.Account = key.Account
	return &grants, nil
}

// Where policies are not enforced, a viewer may only look, and everybody else in the account may do everything.
func TestViewersOnlyLook(t *testing.T) {
	t.Parallel()
	known := grantsOf{"vera": {Access: core.Viewer}, "rita": {Access: core.Viewer, Bodies: true}, "olga": {Access: core.Operator}}
	looking := []string{"sqs:getqueueattributes", "sqs:listqueues", "SNS:ListTopics", "SNS:CheckIfPhoneNumberIsOptedOut", "mns:GetQueueAttributes", "iam:ListUsers"}
	peeking := []string{"mns:PeekMessage", "mns:BatchPeekMessage"}
	changing := []string{
		"sqs:receivemessage", "sqs:sendmessage", "sqs:deletequeue", "SNS:Subscribe", "SNS:Publish", "mns:ReceiveMessage", "mns:BatchReceiveMessage",
		"sts:GetFederationToken", "sts:AssumeRole", "iam:CreateAccessKey",
	}
	everything := slices.Concat(looking, peeking, changing)
	tests := map[string]struct {
		user string
		may  []string
	}{
		"a viewer":                     {"vera", looking},
		"a viewer who sees bodies":     {"rita", slices.Concat(looking, peeking)},
		"an operator":                  {"olga", everything},
		"a user of programs":           {"worker", everything},
		"the account":                  {"", everything},
		"one of whom nothing is known": {"gone", nil},
	}
	options := &Options{Verify: true, Access: NewAccess(known, false)}
	for name, tt := range tests {
		c := &Caller{Account: "111122223333", Key: &core.Key{Account: "111122223333", User: tt.user}, Verified: true}
		for _, action := range everything {
			err := options.Authorize(t.Context(), c, &Want{Action: action, Resource: "*"})
			if may := slices.Contains(tt.may, action); (err == nil) != may {
				t.Errorf("%s: %s gives %v, want it to be allowed: %v", name, action, err, may)
			}
			if err != nil && tt.user != "gone" && (core.CodeOf(err) != core.AccessDenied || !strings.HasSuffix(err.Error(), "because its access is that of viewer")) {
				t.Errorf("%s: %s is refused by %v", name, action, err)
			}
		}
	}
}

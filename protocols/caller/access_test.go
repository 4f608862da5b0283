package caller

import (
	"net/http/httptest"
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

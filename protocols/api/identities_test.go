package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/gin-gonic/gin"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/api"
	"github.com/polymq/polymq/protocols/caller"
)

const allowAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}`

// quoted gives a text as JSON.
func quoted(text string) string {
	quoted, _ := json.Marshal(text)
	return string(quoted)
}

func TestUsersGroupsAndRolesByTheAPI(t *testing.T) {
	t.Parallel()
	c := newVerifyingClient(t)
	root := bearer(c.key(core.NewKey{ID: "ROOT", Admin: true}))
	call := func(want int, method, path, body string) string {
		t.Helper()
		status, answer := c.as(root, method, "/api/v1"+path, body)
		if status != want {
			t.Fatalf("%s %s: got %d %s, want %d", method, path, status, answer, want)
		}
		return answer
	}
	call(201, "POST", "/users", `{"name":"ann","access":"viewer","tags":{"team":"a"}}`)
	call(409, "POST", "/users", `{"name":"ANN"}`)
	call(422, "POST", "/users", `{"name":"bob","access":"king"}`)
	call(201, "POST", "/groups", `{"name":"devs","path":"/x/"}`)
	call(204, "PUT", "/groups/devs/members/ann", "")
	call(404, "PUT", "/groups/devs/members/bob", "")
	call(201, "POST", "/policies", `{"name":"queues","text":`+quoted(allowAll)+`}`)
	if answer := call(422, "POST", "/policies", `{"name":"broken","text":"{}"}`); !strings.Contains(answer, `"PolicyMalformed"`) {
		t.Errorf("got %s", answer)
	}
	call(204, "POST", "/users/ann/policies:attach", `{"policy":"queues"}`)
	call(204, "POST", "/users/ann/policies:attach", `{"policy":"AliyunMNSFullAccess","cloud":"ram"}`)
	call(204, "POST", "/groups/devs/policies:attach", `{"policy":"arn:aws:iam::aws:policy/AmazonSNSFullAccess"}`)
	call(404, "POST", "/users/ann/policies:attach", `{"policy":"none"}`)
	call(204, "PUT", "/users/ann/inline/own", `{"text":`+quoted(allowAll)+`}`)
	call(200, "PATCH", "/users/ann", `{"boundary":"queues","tags":{"team":null,"b":"c"},"access":"operator"}`)
	ann := call(200, "GET", "/users/ann", "")
	for _, want := range []string{
		`"policies":["acs:ram:*:system:policy/AliyunMNSFullAccess","arn:aws:iam::111122223333:policy/queues"]`, `"groups":["devs"]`, `"access":"operator"`,
		`"boundary":"arn:aws:iam::111122223333:policy/queues"`, `"tags":{"b":"c"}`, `"inline":[{"name":"own","cloud":"aws"`, `"id":"AIDA`,
	} {
		if !strings.Contains(ann, want) {
			t.Errorf("%s lacks %s", ann, want)
		}
	}
	if members := call(200, "GET", "/groups/devs/members", ""); strings.Count(members, `"id":`) != 1 {
		t.Errorf("members: %s", members)
	}
	trust := `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::111122223333:root"]}}]}`
	call(201, "POST", "/roles", `{"name":"worker","cloud":"ram","trust":`+quoted(trust)+`,"max_session_seconds":7200}`)
	call(404, "GET", "/roles/worker", "")
	if role := call(200, "GET", "/roles/worker?cloud=ram", ""); !strings.Contains(role, `"arn":"acs:ram::111122223333:role/worker"`) || !strings.Contains(role, `"max_session_seconds":7200`) {
		t.Errorf("got %s", role)
	}
	call(409, "DELETE", "/policies/queues", "")
	call(409, "DELETE", "/users/ann", "")
	call(204, "DELETE", "/users/ann?all=true", "")
	if policy := call(200, "PATCH", "/policies/queues", `{"text":`+quoted(allowAll)+`}`); !strings.Contains(policy, `"version":2`) {
		t.Errorf("got %s", policy)
	}
	call(204, "DELETE", "/policies/queues/versions/1", "")
	call(204, "DELETE", "/policies/queues", "")
	call(403, "DELETE", "/policies/AmazonSQSFullAccess", "")
	if list := call(200, "GET", "/policies?built_in=true&cloud=ram", ""); !strings.Contains(list, "AliyunMNSReadOnlyAccess") || strings.Contains(list, "AmazonSQS") {
		t.Errorf("got %s", list)
	}
	call(201, "POST", "/accounts", `{"id":"444455556666","alias":"team-b"}`)
	call(201, "POST", "/policies?account=444455556666", `{"name":"theirs","text":`+quoted(allowAll)+`}`)
	call(404, "POST", "/groups/devs/policies:attach", `{"policy":"arn:aws:iam::444455556666:policy/theirs"}`)
	call(201, "POST", "/users", `{"name":"bob"}`)
	call(404, "PATCH", "/users/bob", `{"boundary":"arn:aws:iam::444455556666:policy/theirs"}`)
	call(204, "DELETE", "/policies/theirs?account=444455556666", "")
	call(200, "PATCH", "/accounts/444455556666", `{"alias":"team-c"}`)
	if list := call(200, "GET", "/accounts", ""); !strings.Contains(list, `"alias":"team-c"`) || !strings.Contains(list, "111122223333") {
		t.Errorf("got %s", list)
	}
	call(204, "DELETE", "/accounts/444455556666", "")
}

// TestAccess walks what each access may do, and what only one's own account may be asked for.
func TestAccess(t *testing.T) {
	t.Parallel()
	c := newVerifyingClient(t)
	c.broker.RegisterPusher("sns", envelope{})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	user := func(name string, access core.Access, bodies bool) string {
		key := c.key(core.NewKey{User: name})
		_, err := c.broker.AlterIdentity(context.Background(), core.IdentityName{Account: key.Account, Kind: core.User, Name: name}, core.IdentityChange{Access: &access, Bodies: &bodies})
		must(err)
		return bearer(key)
	}
	none, viewer, reader := user("none", core.NoAccess, false), user("viewer", core.Viewer, false), user("reader", core.Viewer, true)
	operator, admin := user("operator", core.Operator, false), user("admin", core.Admin, false)
	account, everywhere := bearer(c.key(core.NewKey{})), bearer(c.key(core.NewKey{Admin: true}))
	for path, body := range map[string]string{"/queues": `{"name":"orders","logging":true}`, "/topics": `{"name":"news"}`} {
		if status, answer := c.as(operator, "POST", "/api/v1"+path, body); status != 201 {
			t.Fatal(answer)
		}
	}
	if status, answer := c.as(operator, "POST", "/api/v1/queues/orders/messages", `{"messages":[{"body":"secret body","attributes":{"a":{"type":"String","value":"secret attribute"}}}]}`); status != 201 {
		t.Fatal(answer)
	}
	stranger, err := c.broker.CreateKey(context.Background(), core.NewKey{Account: "444455556666"})
	must(err)
	tests := []struct {
		method, path, body string
		least              int // of none, viewer, operator, admin, account's own, everywhere
	}{
		{"GET", "/queues", "", 1},
		{"GET", "/queues/orders/messages", "", 1},
		{"POST", "/queues", `{"name":"orders"}`, 2},
		{"POST", "/queues/orders/messages:receive", `{"visibility_timeout_seconds":0}`, 2},
		{"GET", "/users", "", 3},
		{"GET", "/policies", "", 3},
		{"GET", "/keys", "", 3},
		{"POST", "/keys", `{}`, 3},
		{"POST", "/keys", `{"admin":true}`, 5},
		{"POST", "/keys", `{"account":"444455556666"}`, 5},
		{"PATCH", "/keys/" + stranger.ID, `{"disabled":false}`, 5},
		{"GET", "/queues?account=444455556666", "", 5},
		{"GET", "/users?account=444455556666", "", 5},
		{"GET", "/accounts", "", 5},
		{"POST", "/policies:explain", `{"principal":"*","action":"sqs:SendMessage","resource":"arn:aws:sqs:us-east-1:111122223333:orders"}`, 3},
		{"POST", "/policies:explain", `{"principal":"*","action":"sqs:SendMessage","resource":"arn:aws:sqs:us-east-1:444455556666:orders"}`, 5},
	}
	for _, tt := range tests {
		for rank, who := range []string{none, viewer, operator, admin, account, everywhere} {
			status, answer := c.as(who, tt.method, "/api/v1"+tt.path, tt.body)
			if may := status < 300; may != (rank >= tt.least) {
				t.Errorf("%s %s as %d: got %d %s", tt.method, tt.path, rank, status, answer)
			}
		}
	}
	c.as(operator, "POST", "/api/v1/topics/news/subscriptions", `{"name":"web","url":"http://name:secret@subscriber.test/"}`)
	c.as(operator, "POST", "/api/v1/topics/news/messages", `{"messages":[{"body":"secret body","attributes":{"a":{"type":"String","value":"secret attribute"}}}]}`)
	for name, tt := range map[string]struct {
		who  string
		sees bool
	}{"viewer": {viewer, false}, "reader": {reader, true}, "operator": {operator, true}} {
		for path, secrets := range map[string][]string{
			"/queues/orders/messages?hidden=true":                 {"secret body", "secret attribute"},
			"/topics/news/subscriptions/web/deliveries":           {"secret body", "secret attribute"},
			"/queues/orders/log":                                  {"secret attribute"},
			"/queues/orders/log?attribute=a%3Dsecret%20attribute": {"secret attribute"},
		} {
			_, answer := c.as(tt.who, "GET", "/api/v1"+path, "")
			for _, secret := range secrets {
				if strings.Contains(answer, secret) != tt.sees || strings.Contains(answer, "secret") != tt.sees {
					t.Errorf("%s, %s: %s", name, path, answer)
				}
			}
		}
	}
	for who, want := range map[string]bool{viewer: false, reader: false, operator: true} {
		for _, path := range []string{"/topics/news/subscriptions", "/topics/news/subscriptions/web"} {
			_, answer := c.as(who, "GET", "/api/v1"+path, "")
			if strings.Contains(answer, "name:secret@") != want || !strings.Contains(answer, "@subscriber.test/") {
				t.Errorf("%s: %s", path, answer)
			}
		}
	}
	for who, want := range map[string]int{viewer: 403, reader: 200} {
		if status, _ := c.as(who, "GET", "/api/v1/outbox", ""); status != want {
			t.Errorf("the outbox: got %d, want %d", status, want)
		}
	}
}

func TestSignedRequests(t *testing.T) {
	t.Parallel()
	c := newVerifyingClient(t)
	key := c.key(core.NewKey{Admin: true})
	sign := func(service, body, sent string) int {
		r := httptest.NewRequest("POST", "http://polymq.test/api/v1/queues", strings.NewReader(sent))
		r.Header.Set("Content-Type", "application/json")
		sum := sha256.Sum256([]byte(body))
		err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: string(key.Secret)}, r, hex.EncodeToString(sum[:]), service, "us-east-1", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return c.serve(r).Code
	}
	const good, other = `{"name":"orders"}`, `{"name":"others"}`
	for name, tt := range map[string]struct{ got, want int }{
		"good":            {sign("execute-api", good, good), 201},
		"another service": {sign("sqs", good, good), 401},
		"another body":    {sign("execute-api", good, other), 401},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %d, want %d", name, tt.got, tt.want)
		}
	}
}

func TestSignOnByATrustedProxy(t *testing.T) {
	t.Parallel()
	c := newVerifyingClient(t)
	options := &caller.Options{
		Keys: c.broker, Verify: true, SignOnHeader: "X-Forwarded-User", SignOnAccount: "111122223333",
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	}
	c.engine = gin.New()
	api.New(c.broker, options, api.Options{}).Register(c.engine)
	c.key(core.NewKey{User: "ann"})
	access := core.Operator
	name := core.IdentityName{Account: "111122223333", Kind: core.User, Name: "ann"}
	if _, err := c.broker.AlterIdentity(context.Background(), name, core.IdentityChange{Access: &access}); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		from   string
		header http.Header
		want   int
	}{
		"by the proxy":         {"10.1.2.3:5", http.Header{"X-Forwarded-User": {"ann"}}, 201},
		"by the client itself": {"192.0.2.1:5", http.Header{"X-Forwarded-User": {"ann"}}, 401},
		"nobody":               {"10.1.2.3:5", http.Header{}, 401},
		"two users":            {"10.1.2.3:5", http.Header{"X-Forwarded-User": {"ann", "bob"}}, 401},
		"somebody unknown":     {"10.1.2.3:5", http.Header{"X-Forwarded-User": {"bob"}}, 403},
		"another site's page":  {"10.1.2.3:5", http.Header{"X-Forwarded-User": {"ann"}, "Sec-Fetch-Site": {"cross-site"}}, 403},
		"an origin elsewhere":  {"10.1.2.3:5", http.Header{"X-Forwarded-User": {"ann"}, "Origin": {"https://evil.test"}}, 403},
		"with a wrong token":   {"10.1.2.3:5", http.Header{"X-Forwarded-User": {"ann"}, "Authorization": {"Bearer x:y"}}, 401},
	}
	for test, tt := range tests {
		r := httptest.NewRequest("POST", (&url.URL{Scheme: "http", Host: "polymq.test", Path: "/api/v1/queues"}).String(), io.NopCloser(bytes.NewReader([]byte(`{"name":"orders"}`))))
		r.RemoteAddr, r.Header = tt.from, tt.header
		r.Header.Set("Content-Type", "application/json")
		if w := c.serve(r); w.Code != tt.want && (tt.want != 201 || w.Code != 200) {
			t.Errorf("%s: got %d %s, want %d", test, w.Code, w.Body, tt.want)
		}
	}
}

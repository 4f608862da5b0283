package api_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/api"
	"github.com/polymq/polymq/protocols/caller"
)

// newVerifyingClient starts an API that wants to know who asks.
func newVerifyingClient(t *testing.T) *client {
	t.Helper()
	store, err := pg.Open(context.Background(), pg.Options{URL: pgtest.DatabaseURL(t), PoolSize: pgtest.PoolSize, MasterKey: pg.NewMasterKey(), Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	broker := core.NewBroker(store)
	t.Cleanup(broker.Close)
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	jsonAPI := api.New(broker, &caller.Options{Keys: broker, Verify: true}, api.Options{})
	jsonAPI.Register(engine)
	jsonAPI.RegisterHealth(engine)
	return &client{t: t, engine: engine, store: store, broker: broker}
}

// as makes a request with an Authorization header.
func (c *client) as(authorization, method, path, body string) (status int, answer string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", authorization)
	w := c.serve(r)
	return w.Code, w.Body.String()
}

// key makes an access key behind the API's back.
func (c *client) key(in core.NewKey) core.Key {
	c.t.Helper()
	in.Account = "111122223333"
	key, err := c.broker.CreateKey(context.Background(), in)
	if err != nil {
		c.t.Fatal(err)
	}
	return key
}

func bearer(key core.Key) string { return "Bearer " + key.ID + ":" + string(key.Secret) }

func TestAPIIsForAdministrators(t *testing.T) {
	t.Parallel()
	c := newVerifyingClient(t)
	admin, user := c.key(core.NewKey{Admin: true}), c.key(core.NewKey{User: "ann"})
	disabled := c.key(core.NewKey{Admin: true})
	if _, err := c.broker.DisableKey(context.Background(), disabled.ID, true); err != nil {
		t.Fatal(err)
	}
	session := c.key(core.NewKey{Lasts: 900e9})
	tests := map[string]struct {
		authorization string
		want          int
	}{
		"administrator":         {bearer(admin), 200},
		"nobody":                {"", 401},
		"only a scheme":         {"Bearer", 401},
		"no secret":             {"Bearer " + admin.ID, 401},
		"a wrong secret":        {bearer(admin) + "x", 401},
		"a secret cut off":      {strings.TrimSuffix(bearer(admin), string(admin.Secret[1:])), 401},
		"another's secret":      {"Bearer " + admin.ID + ":" + string(user.Secret), 401},
		"another scheme":        {"Basic " + admin.ID + ":" + string(admin.Secret), 401},
		"an unknown key":        {"Bearer AKIDNONE:secret", 401},
		"a key that is no id":   {"Bearer \x00:secret", 401},
		"a disabled key":        {bearer(disabled), 401},
		"a session":             {bearer(session), 401},
		"no administrator":      {bearer(user), 403},
		"an AWS signature":      {"AWS4-HMAC-SHA256 Credential=" + admin.ID + "/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=00", 401},
		"an administrator, mns": {"MNS " + admin.ID + ":" + string(admin.Secret), 401},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/queues", "/keys", "/version"} {
				status, answer := c.as(tt.authorization, "GET", "/api/v1"+path, "")
				if status != tt.want || strings.Contains(answer, string(admin.Secret)) {
					t.Errorf("%s: got %d %s, want %d", path, status, answer, tt.want)
				}
			}
		})
	}
	if status, _ := c.as("", "POST", "/api/v1/queues", `{"name":"orders"}`); status != 401 {
		t.Errorf("a queue was created by nobody: %d", status)
	}
	for _, path := range []string{"/healthz", "/readyz", "/api/v1/openapi.json", "/api/v1/docs"} {
		if status, _ := c.as("", "GET", path, ""); status != 200 {
			t.Errorf("%s: got %d, want it open to all", path, status)
		}
	}
}

// Who guesses a secret is slowed down, and nobody else is.
func TestGuessesAreSlowedDown(t *testing.T) {
	t.Parallel()
	c := newVerifyingClient(t)
	admin, other := c.key(core.NewKey{Admin: true}), c.key(core.NewKey{Admin: true})
	ask := func(authorization string) int {
		status, _ := c.as(authorization, "GET", "/api/v1/queues", "")
		return status
	}
	guesses, right := 0, 0
	for ; guesses < 1000 && right != 429; guesses++ { // on a slow machine another one may be free by the time that the right one comes
		if ask("Bearer "+admin.ID+":guess") == 429 {
			right = ask(bearer(admin))
		}
	}
	if right != 429 {
		t.Errorf("the right secret among %d guesses: got %d", guesses, right)
	}
	if status, _ := c.as(bearer(other), "GET", "/api/v1/queues", ""); status != 200 {
		t.Errorf("another key: got %d", status)
	}
	for range 30 {
		if status, _ := c.as("", "GET", "/api/v1/queues", ""); status != 401 {
			t.Fatalf("without a key: got %d", status)
		}
	}
}

// A key is made for a user who is there: a slip of the finger makes nobody.
func TestKeysNeedTheirUser(t *testing.T) {
	t.Parallel()
	c := newVerifyingClient(t)
	root := bearer(c.key(core.NewKey{ID: "ROOT", Admin: true}))
	if status, answer := c.as(root, "POST", "/api/v1/keys", `{"user":"ci"}`); status != 404 || !strings.Contains(answer, `"code":"EntityNotFound"`) {
		t.Errorf("of nobody: got %d %s", status, answer)
	}
	if status, answer := c.as(root, "POST", "/api/v1/users", `{"name":"ci"}`); status != 201 {
		t.Fatalf("got %d %s", status, answer)
	}
	if status, answer := c.as(root, "POST", "/api/v1/keys", `{"user":"ci"}`); status != 201 {
		t.Errorf("of a user: got %d %s", status, answer)
	}
	if status, answer := c.as(root, "POST", "/api/v1/keys", `{"user":"ci","account":"444455556666"}`); status != 404 {
		t.Errorf("of another account's user: got %d %s", status, answer)
	}
}

func TestKeysByTheAPI(t *testing.T) {
	t.Parallel()
	c := newVerifyingClient(t)
	root := bearer(c.key(core.NewKey{ID: "ROOT", Admin: true}))
	call := func(want int, method, path, body string) string {
		t.Helper()
		status, answer := c.as(root, method, "/api/v1/keys"+path, body)
		if status != want {
			t.Fatalf("%s %s: got %d %s, want %d", method, path, status, answer, want)
		}
		return answer
	}
	if _, err := c.broker.CreateIdentity(t.Context(), core.Identity{IdentityName: core.IdentityName{Account: "444455556666", Kind: core.User, Name: "ci-bot"}}); err != nil {
		t.Fatal(err)
	}
	made := call(201, "POST", "", `{"id":"bot","secret":"hunter22","account":"444455556666","user":"ci-bot","admin":true}`)
	for _, want := range []string{`"id":"bot"`, `"secret":"hunter22"`, `"account":"444455556666"`, `"user":"ci-bot"`, `"admin":true`} {
		if !strings.Contains(made, want) {
			t.Errorf("%s lacks %s", made, want)
		}
	}
	if random := call(201, "POST", "", `{}`); !strings.Contains(random, `"id":"AKIA`) || !strings.Contains(random, `"account":"111122223333"`) {
		t.Errorf("got %s", random)
	}
	if there := call(201, "POST", "?account=444455556666", `{"id":"probe"}`); !strings.Contains(there, `"account":"444455556666"`) {
		t.Errorf("got %s, want a key of the account in the query", there)
	}
	call(204, "DELETE", "/probe", "")
	call(409, "POST", "", `{"id":"bot"}`)
	for name, body := range map[string]string{
		"an id that is an account": `{"id":"444455556666"}`, "an id of other characters": `{"id":"a b c"}`, "a short secret": `{"secret":"hunter2"}`,
		"a blank in the secret": `{"secret":"hunter 22"}`, "an account of 11 digits": `{"account":"44445555666"}`, "a user of other characters": `{"user":"a/b"}`,
	} {
		if status, answer := c.as(root, "POST", "/api/v1/keys", body); status != 422 || strings.Contains(answer, "hunter") {
			t.Errorf("%s: got %d %s", name, status, answer)
		}
	}
	if list := call(200, "GET", "", ""); strings.Count(list, `"id":`) != 3 || strings.Contains(list, "secret") || strings.Contains(list, "hunter22") {
		t.Errorf("got %s", list)
	}
	if list := call(200, "GET", "?account=444455556666", ""); strings.Count(list, `"id":`) != 1 {
		t.Errorf("of one account: %s", list)
	}
	first := call(200, "GET", "?limit=2", "")
	if second := call(200, "GET", "?limit=2&cursor="+strings.Split(strings.Split(first, `"next_cursor":"`)[1], `"`)[0], ""); strings.Count(first, `"id":`) != 2 || strings.Count(second, `"id":`) != 1 {
		t.Errorf("pages %s and %s", first, second)
	}

	if status, _ := c.as("Bearer bot:hunter22", "GET", "/api/v1/queues", ""); status != 200 {
		t.Errorf("the new key is refused: %d", status)
	}
	call(200, "PATCH", "/bot", `{"disabled":true}`)
	if status, _ := c.as("Bearer bot:hunter22", "GET", "/api/v1/queues", ""); status != 401 {
		t.Errorf("the disabled key is good: %d", status)
	}
	call(200, "PATCH", "/bot", `{"disabled":false}`)
	call(204, "DELETE", "/bot", "")
	call(404, "DELETE", "/bot", "")
	call(404, "PATCH", "/bot", `{"disabled":false}`)
	if status, _ := c.as("Bearer bot:hunter22", "GET", "/api/v1/queues", ""); status != 401 {
		t.Errorf("the deleted key is good: %d", status)
	}
}

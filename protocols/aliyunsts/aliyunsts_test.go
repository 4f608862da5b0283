package aliyunsts_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/aliyunsts"
	"github.com/polymq/polymq/protocols/caller"
)

// fixture is a server on a database of its own.
type fixture struct {
	broker *core.Broker
	url    string
	nonces int
}

func start(t *testing.T, verify bool) *fixture {
	t.Helper()
	return startWith(t, func(broker *core.Broker) *caller.Options { return &caller.Options{Keys: broker, Verify: verify} })
}

func startWith(t *testing.T, options func(*core.Broker) *caller.Options) *fixture {
	t.Helper()
	store, err := pg.Open(t.Context(), pg.Options{URL: pgtest.DatabaseURL(t), PoolSize: pgtest.PoolSize, MasterKey: pg.NewMasterKey()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	broker := core.NewBroker(store)
	t.Cleanup(broker.Close)
	server := httptest.NewServer(aliyunsts.New(broker, options(broker)))
	t.Cleanup(server.Close)
	return &fixture{broker: broker, url: server.URL}
}

func (f *fixture) key(t *testing.T, in core.NewKey) core.Key {
	t.Helper()
	if in.Account == "" {
		in.Account = "111122223333"
	}
	key, err := f.broker.CreateKey(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// answer has what the actions answer, and errors.
type answer struct {
	status                                                    int
	AccountId, Arn, IdentityType, PrincipalId, UserId, RoleId string
	AssumedRoleUser                                           struct{ Arn, AssumedRoleId string }
	Credentials                                               struct{ AccessKeyId, AccessKeySecret, SecurityToken, Expiration string }
	SourceIdentity, RequestId, Code, Message                  string
}

// do signs a request by HMAC-SHA1 and sends it.
func (f *fixture) do(t *testing.T, key core.Key, action string, more ...string) answer {
	t.Helper()
	f.nonces++
	values := url.Values{
		"Action": {action}, "Version": {aliyunsts.Version}, "Format": {"JSON"}, "AccessKeyId": {key.ID}, "SignatureMethod": {"HMAC-SHA1"}, "SignatureVersion": {"1.0"},
		"SignatureNonce": {fmt.Sprint(f.nonces)}, "Timestamp": {time.Now().UTC().Format("2006-01-02T15:04:05Z")},
	}
	for i := 0; i < len(more); i += 2 {
		values.Set(more[i], more[i+1])
	}
	if key.Token != "" {
		values.Set("SecurityToken", string(key.Token))
	}
	escape := strings.NewReplacer("+", "%20", "%7E", "~")
	mac := hmac.New(sha1.New, []byte(string(key.Secret)+"&"))
	mac.Write([]byte("POST&%2F&" + escape.Replace(url.QueryEscape(escape.Replace(values.Encode())))))
	values.Set("Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	resp, err := http.PostForm(f.url, values)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := answer{status: resp.StatusCode}
	read := json.Unmarshal
	if values.Get("Format") == "XML" {
		read = xml.Unmarshal
	}
	if err := read(text, &got); err != nil {
		t.Fatalf("got %s: %v", text, err)
	}
	return got
}

func session(a answer) core.Key {
	return core.Key{ID: a.Credentials.AccessKeyId, Secret: core.Secret(a.Credentials.AccessKeySecret), Token: core.Secret(a.Credentials.SecurityToken)}
}

const role = "acs:ram::111122223333:role/worker"

const sessionPolicy = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"mns:SendMessage","Resource":"*"}]}`

func TestAssumeRole(t *testing.T) {
	t.Parallel()
	f := start(t, true)
	key := f.key(t, core.NewKey{User: "ann"})
	for _, format := range []string{"JSON", "XML"} {
		got := f.do(t, key, "AssumeRole", "RoleArn", role, "RoleSessionName", "one@x", "DurationSeconds", "900", "Policy", sessionPolicy, "ExternalId", "a:b", "SourceIdentity", "ann", "Format", format)
		ends, err := time.Parse(time.RFC3339, got.Credentials.Expiration)
		if got.status != 200 || got.RequestId == "" || got.AssumedRoleUser.Arn != role+"/one@x" || !strings.HasSuffix(got.AssumedRoleUser.AssumedRoleId, ":one@x") ||
			!strings.HasPrefix(got.Credentials.AccessKeyId, "STS.") || got.SourceIdentity != "ann" || err != nil || time.Until(ends) > 16*time.Minute || time.Until(ends) < 14*time.Minute {
			t.Fatalf("%s: got %+v, %v", format, got, err)
		}
		who := f.do(t, session(got), "GetCallerIdentity")
		if who.IdentityType != "AssumedRoleUser" || who.Arn != "acs:ram::111122223333:assumed-role/worker/one@x" || who.PrincipalId != got.AssumedRoleUser.AssumedRoleId ||
			who.RoleId+":one@x" != who.PrincipalId || who.UserId != "" || who.AccountId != "111122223333" {
			t.Errorf("%s: the session is %+v", format, who)
		}
		found, err := f.broker.Key(t.Context(), got.Credentials.AccessKeyId)
		if err != nil || found.Session.Role != role || found.Session.Name != "one@x" || found.Session.Policy != sessionPolicy || found.Session.SourceIdentity != "ann" {
			t.Errorf("%s: the key is %+v, %v", format, found, err)
		}
		stolen := session(got)
		stolen.Token = ""
		if got := f.do(t, stolen, "GetCallerIdentity"); got.Code != "InvalidSecurityToken.MismatchWithAccessKey" {
			t.Errorf("%s: without the token: got %+v", format, got)
		}
	}
}

// In a chain of roles whom a session stands for passes on, and cannot be said anew.
func TestSourceIdentityPassesOn(t *testing.T) {
	t.Parallel()
	f := start(t, true)
	last := f.do(t, f.key(t, core.NewKey{User: "ann"}), "AssumeRole", "RoleArn", role, "RoleSessionName", "one", "SourceIdentity", "ann")
	for _, said := range [][]string{nil, {"SourceIdentity", "ann"}, nil} {
		more := append([]string{"RoleArn", role, "RoleSessionName", "more"}, said...)
		next := f.do(t, session(last), "AssumeRole", more...)
		found, err := f.broker.Key(t.Context(), next.Credentials.AccessKeyId)
		if err != nil || next.SourceIdentity != "ann" || found.Session.SourceIdentity != "ann" {
			t.Fatalf("got %+v, %v, want ann's", next, err)
		}
		last = next
	}
	if got := f.do(t, session(last), "AssumeRole", "RoleArn", role, "RoleSessionName", "more", "SourceIdentity", "bob"); got.status != 400 || got.Code != "InvalidParameter.SourceIdentity" {
		t.Errorf("another's: got %+v", got)
	}
}

func TestAssumeRoleRefuses(t *testing.T) {
	t.Parallel()
	f := start(t, true)
	key, admin := f.key(t, core.NewKey{}), f.key(t, core.NewKey{Admin: true})
	tests := map[string]struct {
		key    core.Key
		more   []string
		status int
		code   string
	}{
		"no role":                {key, []string{"RoleArn", ""}, 400, "MissingRoleArn"},
		"no session's name":      {key, []string{"RoleSessionName", ""}, 400, "MissingRoleSessionName"},
		"AWS's ARN":              {key, []string{"RoleArn", "arn:aws:iam::111122223333:role/worker"}, 400, "InvalidParameter.RoleArn"},
		"name of one letter":     {key, []string{"RoleSessionName", "a"}, 400, "InvalidParameter.RoleSessionName"},
		"name of two":            {key, []string{"RoleSessionName", "ab"}, 200, ""},
		"name of 64":             {key, []string{"RoleSessionName", strings.Repeat("a", 64)}, 200, ""},
		"name of 65":             {key, []string{"RoleSessionName", strings.Repeat("a", 65)}, 400, "InvalidParameter.RoleSessionName"},
		"too short":              {key, []string{"DurationSeconds", "899"}, 400, "InvalidParameter.DurationSeconds"},
		"shortest":               {key, []string{"DurationSeconds", "900"}, 200, ""},
		"longest":                {key, []string{"DurationSeconds", "43200"}, 200, ""},
		"too long":               {key, []string{"DurationSeconds", "43201"}, 400, "InvalidParameter.DurationSeconds"},
		"huge":                   {key, []string{"DurationSeconds", "9223372036854775807"}, 400, "InvalidParameter.DurationSeconds"},
		"no number":              {key, []string{"DurationSeconds", "an hour"}, 400, "InvalidParameter"},
		"long policy":            {key, []string{"Policy", `{"a":"` + strings.Repeat("x", 2048) + `"}`}, 400, "InvalidParameter.PolicySize"},
		"policy of AWS":          {key, []string{"Policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`}, 400, "InvalidParameter.PolicyGrammar"},
		"policy without effect":  {key, []string{"Policy", `{"Version":"1","Statement":[{"Action":"*","Resource":"*"}]}`}, 400, "InvalidParameter.PolicyGrammar"},
		"policy":                 {key, []string{"Policy", `{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`}, 200, ""},
		"policy that is none":    {key, []string{"Policy", "[]"}, 400, "InvalidParameter.PolicyGrammar"},
		"external id":            {key, []string{"ExternalId", "a"}, 400, "InvalidParameter.ExternalId"},
		"another account":        {key, []string{"RoleArn", "acs:ram::444455556666:role/worker"}, 403, "NoPermission"},
		"another, administrator": {admin, []string{"RoleArn", "acs:ram::444455556666:role/worker"}, 200, ""},
		"account of 16 digits":   {key, []string{"RoleArn", "acs:ram::1234567890123456:role/worker"}, 200, ""},
		"unknown key":            {core.Key{ID: "LTAI", Secret: "nobody"}, nil, 404, "InvalidAccessKeyId.NotFound"},
		"wrong secret":           {core.Key{ID: key.ID, Secret: "another"}, nil, 400, "SignatureDoesNotMatch"},
	}
	for name, tt := range tests {
		more := append([]string{"RoleArn", role, "RoleSessionName", "one"}, tt.more...)
		if got := f.do(t, tt.key, "AssumeRole", more...); got.status != tt.status || got.Code != tt.code {
			t.Errorf("%s: got %+v, want %d %s", name, got, tt.status, tt.code)
		}
	}
	if got := f.do(t, key, "AssumeRoleWithSAML"); got.status != 404 || got.Code != "InvalidAction.NotFound" {
		t.Errorf("got %+v", got)
	}
}

// Where policies are enforced, a role that there is not is named to those of its account who may assume it, and to nobody else.
func TestAssumeNoRole(t *testing.T) {
	t.Parallel()
	f := startWith(t, func(broker *core.Broker) *caller.Options {
		return &caller.Options{Keys: broker, Verify: true, Access: caller.NewAccess(broker, true)}
	})
	user := func(name, action string) core.Key {
		of := core.IdentityName{Account: "111122223333", Kind: core.User, Name: name}
		if _, err := f.broker.CreateIdentity(t.Context(), core.Identity{IdentityName: of}); err != nil {
			t.Fatal(err)
		}
		text := `{"Version":"1","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"*"}]}`
		if err := f.broker.PutInlinePolicy(t.Context(), of, "p", core.Inline{Cloud: core.RAM, Text: text}); err != nil {
			t.Fatal(err)
		}
		return f.key(t, core.NewKey{User: name})
	}
	for name, tt := range map[string]struct {
		key    core.Key
		status int
		code   string
	}{
		"the account":       {f.key(t, core.NewKey{}), 404, "EntityNotExist.Role"},
		"who may assume it": {user("ann", "sts:AssumeRole"), 404, "EntityNotExist.Role"},
		"who may not":       {user("bob", "mns:*"), 403, "NoPermission"},
		"another account":   {f.key(t, core.NewKey{Account: "444455556666"}), 403, "NoPermission"},
	} {
		if got := f.do(t, tt.key, "AssumeRole", "RoleArn", role, "RoleSessionName", "one"); got.status != tt.status || got.Code != tt.code {
			t.Errorf("%s: got %+v, want %d %s", name, got, tt.status, tt.code)
		}
	}
}

func TestGetCallerIdentity(t *testing.T) {
	t.Parallel()
	f := start(t, true)
	if got := f.do(t, f.key(t, core.NewKey{}), "GetCallerIdentity"); got.IdentityType != "Account" || got.Arn != "acs:ram::111122223333:root" || got.UserId != "111122223333" || got.PrincipalId != "111122223333" {
		t.Errorf("the account is %+v", got)
	}
	got := f.do(t, f.key(t, core.NewKey{User: "ann"}), "GetCallerIdentity")
	if got.IdentityType != "RAMUser" || got.Arn != "acs:ram::111122223333:user/ann" || len(got.UserId) != 18 || got.PrincipalId != got.UserId {
		t.Errorf("the user is %+v", got)
	}
}

// Where nothing is verified, an access key of twelve digits is its account, and any may be assumed in.
func TestUnverified(t *testing.T) {
	t.Parallel()
	f := start(t, false)
	if got := f.do(t, core.Key{ID: "444455556666"}, "GetCallerIdentity"); got.AccountId != "444455556666" {
		t.Errorf("got %+v", got)
	}
	got := f.do(t, core.Key{ID: "test"}, "AssumeRole", "RoleArn", role, "RoleSessionName", "one")
	if got := f.do(t, session(got), "GetCallerIdentity"); got.AccountId != "111122223333" {
		t.Errorf("got %+v", got)
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]bool{
		"http://h/?Action=AssumeRole&Version=2015-04-01":                             true,
		"http://h/?Action=AssumeRole&Version=2011-06-15":                             false,
		"http://sts.aliyuncs.com/?Action=GetCallerIdentity":                          true,
		"http://sts-vpc.cn-hangzhou.aliyuncs.com:8080/?Action=GetCallerIdentity":     true,
		"http://sts.cn-hangzhou.aliyuncs.com/?Action=CreateQueue&Version=2022-01-19": false,
		"http://sts.amazonaws.com/?Action=GetCallerIdentity":                         false,
		"http://1234.mns.cn-hangzhou.aliyuncs.com/queues":                            false,
	} {
		if got := aliyunsts.Matches(httptest.NewRequest(http.MethodGet, target, nil)); got != want {
			t.Errorf("%s: got %t", target, got)
		}
	}
	done := 0
	for _, action := range aliyunsts.Actions() {
		if action.Done {
			done++
		}
	}
	if done != 2 {
		t.Errorf("%d actions are done, want 2", done)
	}
}

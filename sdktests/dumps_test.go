package sdktests

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/smq"
)

// given are secrets in the answers that hand them out once.
var given = regexp.MustCompile(`(?:SecretAccessKey>|SessionToken>|AccessKeySecret":"|SecurityToken":"|"secret":"|"token":")([^<"]{16,})`)

// kept is the name of what the JSON API is asked for below.
const kept = "kept"

// TestDumpsShowNoSecrets does everything that there is to do once, on a server that says all it can, with a secret wherever
// one can be: in keys, tokens, passwords in URLs, credentials of platforms, webhooks and their signatures. What can be read of
// it afterwards shows none: the log, the audit log as it is exported, and all that the JSON API
// gets, save for what its administrators have set as an endpoint.
func TestDumpsShowNoSecrets(t *testing.T) {
	t.Parallel()
	const (
		password, credential, hook, robot, mail, chosen, guess = "passwordInURL0123", "platformCredential0123", "hookOfSlack0123", "robotsSecret0123", "mailPassword0123", "chosenSecret+/0123", "guessedSecret0123"
	)
	v := startGuarded(t, server.Config{
		SMTPURL: core.Secret("smtp://user:" + mail + "@127.0.0.1:1"), ForwardUnknown: "http://user:" + mail + "@127.0.0.1:1", LambdaEndpoint: "http://user:" + mail + "@127.0.0.1:1", TLS: "auto", MessageLog: "all",
	})
	v.url = plainly(v.url)
	owner := walker{v, v.key(t, core.NewKey{Account: accountA, ID: "AKIDOWNERSOWN", Secret: chosen})}
	v.furnish(t)
	session := walker{v, v.key(t, core.NewKey{Account: accountA, Lasts: time.Hour})}
	secrets := []string{credential, robot, mail, chosen, url.QueryEscape(chosen), guess, rootSecret, url.QueryEscape(rootSecret), testMasterKey, string(session.key.Secret), string(session.key.Token), url.QueryEscape(string(session.key.Token))}
	ask := func(r *http.Request) {
		t.Helper()
		status, answer := owner.ask(t, r)
		if status >= http.StatusInternalServerError && status != http.StatusBadGateway { // what is passed on to nobody
			t.Errorf("%s %s: %d %s", r.Method, r.URL, status, answer)
		}
		for _, found := range given.FindAllStringSubmatch(answer, -1) {
			secrets = append(secrets, found[1], url.QueryEscape(found[1]))
		}
	}
	topics := func(action string, parameters map[string]string) *http.Request {
		t.Helper()
		return awsWalk("sns", sns20100331, func(_, _, _ string) map[string]string { return parameters })(owner, t, action, "", "")
	}
	made := func(path, body string) {
		t.Helper()
		if answer := v.api(t, http.MethodPost, path+"?account="+accountA, body); strings.Contains(answer, `"status":4`) {
			t.Fatalf("%s %s: %s", path, body, answer)
		}
	}
	endpoint := "http://user:" + password + "@127.0.0.1:1/hook?token=" + password
	ask(topics("CreateTopic", map[string]string{"Name": kept}))
	ask(topics("Subscribe", map[string]string{"TopicArn": "arn:aws:sns:us-east-1:" + accountA + ":" + kept, "Protocol": "http", "Endpoint": endpoint}))
	ask(topics("CreatePlatformApplication", map[string]string{"Name": kept, "Platform": "APNS", "Attributes.entry.1.key": "PlatformCredential", "Attributes.entry.1.value": credential}))
	ask(owner.mnsSigned(t, http.MethodPut, "/topics/"+kept+"/subscriptions/"+kept, "2015-06-06", `<Subscription><Endpoint>`+endpoint+`</Endpoint></Subscription>`))
	ask(aliyunWalk(smq.Version, func(_, _, _ string) map[string]string {
		return map[string]string{"TopicName": kept, "SubscriptionName": "by-smq", "PushType": "http", "Endpoint": endpoint}
	})(owner, t, "Subscribe", "", ""))
	ask(owner.sqsJSON(t, "CreateQueue", accountA, kept))
	made("/alerts", `{"name":"kept","metric":"depth","queue":"*","threshold":1,"to":[{"type":"webhook","target":"http://user:`+password+`@127.0.0.1:1/x","secret":"`+robot+`"},`+
		`{"type":"slack","target":"http://127.0.0.1:1/services/`+hook+`"},{"type":"dingtalk","target":"http://127.0.0.1:1/robot?access_token=`+hook+`","secret":"`+robot+`"}]}`)
	made("/keys", `{"id":"AKIDCHOSEN","secret":"`+chosen+`"}`)
	made("/topics/kept/subscriptions", `{"name":"by-api","url":"`+endpoint+`"}`)
	made("/topics/kept/messages", `{"messages":[{"body":"x"}]}`)
	for _, kind := range []core.IdentityKind{core.User, core.Group} {
		if _, err := v.server.Broker().CreateIdentity(t.Context(), core.Identity{IdentityName: core.IdentityName{Account: accountA, Kind: kind, Name: kept}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, w := range walks {
		for _, action := range w.actions() {
			if action.Done {
				ask(w.request(owner, t, action.Name, accountA, present))
			}
		}
	}
	v.offerSecrets(t, session, guess)
	viewer := v.viewer(t)
	v.looks(t, core.Key{ID: rootKey, Secret: rootSecret}, func(path, answer string) {
		for _, secret := range secrets {
			if strings.Contains(answer, secret) {
				t.Errorf("GET %s shows an administrator %.12s…: %s", path, secret, around(answer, secret))
			}
		}
	})
	secrets = append(secrets, password, hook) // of endpoints, which who may change them sees
	v.looks(t, viewer, func(path, answer string) {
		for _, secret := range secrets {
			if strings.Contains(answer, secret) {
				t.Errorf("GET %s shows a viewer %.12s…: %s", path, secret, around(answer, secret))
			}
		}
	})
	exported := v.api(t, http.MethodGet, "/audit?limit=1000", "")
	if !strings.Contains(exported, "CreatePlatformApplication") || !strings.Contains(exported, "create-alert") {
		t.Errorf("the audit log is\n%s", exported)
	}
	if err := v.server.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	for name, text := range map[string]string{"the log": v.log.String(), "the audit log": exported} {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows %.12s…: %s", name, secret, around(text, secret))
			}
		}
	}
}

// around gives what stands around a part of a text.
func around(text, part string) string {
	const near = 200
	at := strings.Index(text, part)
	return text[max(0, at-near):at] + "…" + text[at+len(part):min(len(text), at+len(part)+near)]
}

// viewer makes a key of a user of the account who may look.
func (v *verifying) viewer(t *testing.T) core.Key {
	t.Helper()
	name := core.IdentityName{Account: accountA, Kind: core.User, Name: "vera"}
	if _, err := v.server.Broker().CreateIdentity(t.Context(), core.Identity{IdentityName: name, Access: core.Viewer}); err != nil {
		t.Fatal(err)
	}
	return v.key(t, core.NewKey{Account: accountA, User: name.Name})
}

// offerSecrets makes requests that are refused, with secrets and tokens wherever a client may put them.
func (v *verifying) offerSecrets(t *testing.T, session walker, guess string) {
	t.Helper()
	token := string(session.key.Token)
	rpc := url.Values{"Action": {"ListQueue"}, "Version": {smq.Version}, "AccessKeyId": {session.key.ID}, "SecurityToken": {token}, "Signature": {guess}, "SignatureMethod": {"HMAC-SHA1"},
		"SignatureNonce": {uuid.NewString()}, "Timestamp": {time.Now().UTC().Format("2006-01-02T15:04:05Z")}}
	for _, target := range []string{"/?" + rpc.Encode(), "/?Action=ListQueues&X-Amz-Security-Token=" + url.QueryEscape(token), "/console/login?secret=" + guess, "/api/v1/queues?token=" + guess} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, v.url+target, nil)
		_, _ = roundTrip(t, r)
	}
	for header, value := range map[string]string{"Authorization": "Bearer " + rootKey + ":" + guess, "Proxy-Authorization": "Basic " + guess, "X-Amz-Security-Token": token, "Security-Token": token, "Cookie": "polymq=" + guess, "X-Mns-Token": guess} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, v.url+"/api/v1/keys", nil)
		r.Header.Set(header, value)
		if status, _ := roundTrip(t, r); status != http.StatusUnauthorized {
			t.Errorf("%s with a guess: %d", header, status)
		}
	}
	login, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, v.url+"/console/login", strings.NewReader(url.Values{"id": {rootKey}, "secret": {guess}}.Encode()))
	login.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, _ = roundTrip(t, login)
}

// looks asks the JSON API, as it describes itself, for all that can be read.
func (v *verifying) looks(t *testing.T, key core.Key, see func(path, answer string)) {
	t.Helper()
	var document struct {
		Paths map[string]map[string]struct{ Parameters []struct{ Name string } }
	}
	if err := json.Unmarshal([]byte(v.api(t, http.MethodGet, "/openapi.json", "")), &document); err != nil {
		t.Fatal(err)
	}
	there := 0
	parameter := regexp.MustCompile(`\{[^}]+\}`)
	for path, operations := range document.Paths {
		get, readable := operations["get"]
		if !readable || strings.HasSuffix(path, ":wait") {
			continue
		}
		path = parameter.ReplaceAllString(strings.TrimPrefix(path, "/api/v1"), kept)
		for _, p := range get.Parameters {
			if p.Name == "account" {
				path += "?account=" + accountA
			}
		}
		status, answer := roundTrip(t, v.bearer(t, key, path))
		if status >= http.StatusInternalServerError {
			t.Errorf("GET %s: %d %s", path, status, answer)
		}
		if status == http.StatusOK {
			there++
		}
		see(path, answer)
	}
	if there < 10 {
		t.Errorf("of %d paths only %d show anything", len(document.Paths), there)
	}
}

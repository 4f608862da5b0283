package dybase_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/dybase"
)

type answer struct {
	status                   int
	RequestId, Code, Message string
	MessageTokenDTO          struct{ AccessKeyId, AccessKeySecret, SecurityToken, CreateTime, ExpireTime string }
}

func ask(t *testing.T, at string, parameters url.Values) answer {
	t.Helper()
	parameters.Set("Action", "QueryTokenForMnsQueue")
	parameters.Set("Version", dybase.Version)
	resp, err := http.Get(at + "/?" + parameters.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := answer{status: resp.StatusCode}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("got %s: %v", text, err)
	}
	return got
}

func start(t *testing.T) (*core.Broker, string) {
	t.Helper()
	broker := pgtest.Broker(t)
	server := httptest.NewServer(dybase.New(broker, &caller.Options{Keys: broker}))
	t.Cleanup(server.Close)
	return broker, server.URL
}

func TestQueryTokenForMnsQueue(t *testing.T) {
	t.Parallel()
	broker, at := start(t)
	got := ask(t, at, url.Values{"AccessKeyId": {"111122223333"}, "MessageType": {"SmsReport"}, "QueueName": {"Alicom-Queue-1-SmsReport"}})
	if got.status != 200 || got.Code != "OK" || got.Message != "OK" || got.RequestId == "" {
		t.Fatalf("got %+v", got)
	}
	token := got.MessageTokenDTO
	key, err := broker.Key(t.Context(), token.AccessKeyId)
	if err != nil || key.Account != "111122223333" || !key.TokenMatches(token.SecurityToken) || key.Admin || key.User != "" || key.Session.Name != "SmsReport" {
		t.Errorf("got the key %+v, %v", key, err)
	}
	for name, want := range map[string]time.Duration{token.CreateTime: 0, token.ExpireTime: time.Hour} {
		at, err := time.ParseInLocation("2006-01-02 15:04:05", name, time.FixedZone("China", 8*60*60))
		if off := time.Until(at) - want; err != nil || off > time.Minute || off < -time.Minute {
			t.Errorf("got the time %s, %v, want one in %v", name, err, want)
		}
	}
	var policy struct {
		Version   string
		Statement []struct {
			Effect           string
			Action, Resource []string
		}
	}
	if err := json.Unmarshal([]byte(key.Session.Policy), &policy); err != nil || policy.Version != "1" || len(policy.Statement) != 1 || policy.Statement[0].Effect != "Allow" {
		t.Fatalf("got the policy %s, %v", key.Session.Policy, err)
	}
	for _, resource := range policy.Statement[0].Resource {
		if !strings.Contains(resource, ":/queues/Alicom-Queue-1-SmsReport") {
			t.Errorf("the policy allows %s", resource)
		}
	}
	for _, action := range policy.Statement[0].Action {
		if strings.Contains(action, "Send") || strings.Contains(action, "Set") || strings.Contains(action, "*") {
			t.Errorf("the policy allows %s", action)
		}
	}
}

// Wherever signatures are verified, the key receives from its queue, and that is all it does.
func TestTokensReachOneQueue(t *testing.T) {
	t.Parallel()
	broker, at := start(t)
	token := ask(t, at, url.Values{"AccessKeyId": {"111122223333"}, "MessageType": {"SmsReport"}, "QueueName": {"receipts"}}).MessageTokenDTO
	key, err := broker.Key(t.Context(), token.AccessKeyId)
	if err != nil {
		t.Fatal(err)
	}
	who := caller.Caller{Account: key.Account, Region: "cn-hangzhou", AccessKeyID: key.ID, Key: key, Verified: true}
	for _, enforce := range []bool{true, false} {
		options := &caller.Options{Keys: broker, Verify: true, Access: caller.NewAccess(broker, enforce)}
		reaches(t, options, who)
	}
}

func reaches(t *testing.T, options *caller.Options, who caller.Caller) {
	t.Helper()
	for want, allowed := range map[string]bool{
		"mns:ReceiveMessage on /queues/receipts/messages":     true,
		"mns:BatchDeleteMessage on /queues/receipts/messages": true,
		"mns:GetQueueAttributes on /queues/receipts":          true,
		"mns:SendMessage on /queues/receipts/messages":        false,
		"mns:DeleteQueue on /queues/receipts":                 false,
		"mns:ReceiveMessage on /queues/receipts2/messages":    false,
		"mns:ReceiveMessage on /queues/orders/messages":       false,
		"mns:ListQueue on /queues":                            false,
	} {
		action, path, _ := strings.Cut(want, " on ")
		err := options.Authorize(t.Context(), &who, &caller.Want{Action: action, Resource: "acs:mns:cn-hangzhou:111122223333:" + path})
		if (err == nil) != allowed {
			t.Errorf("%s: got %v, want it allowed: %t", want, err, allowed)
		}
	}
}

func TestQueryTokenForMnsQueueRefuses(t *testing.T) {
	t.Parallel()
	_, at := start(t)
	for code, parameters := range map[string]url.Values{
		"MissingMessageType": {"QueueName": {"q"}},
		"MissingQueueName":   {"MessageType": {"SmsUp"}},
		"InvalidParameter":   {"MessageType": {"SmsUp"}, "QueueName": {"*"}}, // a pattern in the policy
	} {
		if got := ask(t, at, parameters); got.status != 400 || got.Code != code {
			t.Errorf("got %+v, want %s", got, code)
		}
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]bool{
		"/?Action=QueryTokenForMnsQueue&Version=2017-05-25": true,
		"/?Action=SendSms&Version=2017-05-25":               false, // of dysmsapi
		"/?Action=QueryTokenForMnsQueue&Version=2015-04-01": false,
	} {
		if got := dybase.Matches(httptest.NewRequest(http.MethodPost, target, nil)); got != want {
			t.Errorf("%s: got %t", target, got)
		}
	}
	if actions := dybase.Actions(); len(actions) != 1 || !actions[0].Done {
		t.Errorf("got %v", actions)
	}
}

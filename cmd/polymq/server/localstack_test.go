package server

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// askLocalStack makes a request of LocalStack's own endpoints and reads its answer, if it is JSON.
func askLocalStack(t *testing.T, srv *Server, method, path, body string) (status int, answer map[string]any) {
	t.Helper()
	r, err := http.NewRequest(method, srv.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := httpClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text := bodyOf(t, resp)
	if text != "" && json.Unmarshal([]byte(text), &answer) != nil {
		t.Fatalf("%s %s: no JSON: %s", method, path, text)
	}
	return resp.StatusCode, answer
}

// bodyOf reads an answer to its end.
func bodyOf(t *testing.T, resp *http.Response) string {
	t.Helper()
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// callSNS calls an action of SNS and gives the text of an element of its answer.
func callSNS(t *testing.T, srv *Server, element string, pairs ...string) string {
	t.Helper()
	form := url.Values{"Version": {"2010-03-31"}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	resp, err := httpClient.PostForm(srv.URL(), form)
	if err != nil {
		t.Fatal(err)
	}
	answer := bodyOf(t, resp)
	value := textOfElement(answer, element)
	if value == "" {
		t.Fatalf("%s: there is no %s in %s", pairs[1], element, answer)
	}
	return value
}

// What SNS has sent to phones and devices is shown as LocalStack shows it, by whom it was for.
func TestLocalStackShowsWhatSNSSent(t *testing.T) {
	t.Parallel()
	srv := start(t, Config{})
	callSNS(t, srv, "MessageId", "Action", "Publish", "PhoneNumber", "+15550100", "Message", "first")
	id := callSNS(t, srv, "MessageId", "Action", "Publish", "PhoneNumber", "+15550100", "Message", "second",
		"MessageAttributes.entry.1.Name", "AWS.SNS.SMS.SenderID", "MessageAttributes.entry.1.Value.DataType", "String", "MessageAttributes.entry.1.Value.StringValue", "polymq")
	callSNS(t, srv, "MessageId", "Action", "Publish", "PhoneNumber", "+15550111", "Message", "another")

	status, got := askLocalStack(t, srv, "GET", "/_aws/sns/sms-messages?phoneNumber=%2B15550100", "")
	phones, _ := got["sms_messages"].(map[string]any)
	messages, _ := phones["+15550100"].([]any)
	if status != http.StatusOK || len(phones) != 1 || len(messages) != 2 || got["region"] != "us-east-1" {
		t.Fatalf("got %d with %v", status, got)
	}
	second, _ := messages[1].(map[string]any)
	attributes, _ := json.Marshal(second["MessageAttributes"])
	if second["Message"] != "second" || second["MessageId"] != id || second["PhoneNumber"] != "+15550100" || second["TopicArn"] != nil ||
		string(attributes) != `{"AWS.SNS.SMS.SenderID":{"DataType":"String","StringValue":"polymq"}}` {
		t.Errorf("the second message: %v", second)
	}

	application := callSNS(t, srv, "PlatformApplicationArn", "Action", "CreatePlatformApplication", "Name", "app", "Platform", "GCM",
		"Attributes.entry.1.key", "PlatformCredential", "Attributes.entry.1.value", "x")
	device := callSNS(t, srv, "EndpointArn", "Action", "CreatePlatformEndpoint", "PlatformApplicationArn", application, "Token", "token")
	const structured = `{"default": "d", "GCM": "{\"notification\": {}}"}`
	callSNS(t, srv, "MessageId", "Action", "Publish", "TargetArn", device, "MessageStructure", "json", "Message", structured)
	_, got = askLocalStack(t, srv, "GET", "/_aws/sns/platform-endpoint-messages", "")
	devices, _ := got["platform_endpoint_messages"].(map[string]any)
	messages, _ = devices[device].([]any)
	if len(messages) != 1 {
		t.Fatalf("got %v", got)
	}
	if m, _ := messages[0].(map[string]any); m["TargetArn"] != device || m["Message"] != structured || m["MessageStructure"] != "json" {
		t.Errorf("the push: %v", m)
	}

	if status, _ := askLocalStack(t, srv, "DELETE", "/_aws/sns/sms-messages?phoneNumber=%2B15550100", ""); status != http.StatusNoContent {
		t.Errorf("deleted: got %d", status)
	}
	_, got = askLocalStack(t, srv, "GET", "/_aws/sns/sms-messages", "")
	if phones, _ := got["sms_messages"].(map[string]any); len(phones) != 1 || phones["+15550111"] == nil {
		t.Errorf("after the deletion of one number's: %v", got)
	}
	if _, got := askLocalStack(t, srv, "GET", "/_aws/sns/sms-messages?accountId=111122223333", ""); len(got["sms_messages"].(map[string]any)) != 0 {
		t.Errorf("another account has %v", got)
	}
	if status, got := askLocalStack(t, srv, "POST", "/_aws/sns/phone-opt-outs", `{"phoneNumber": "+15550122"}`); status != http.StatusOK {
		t.Errorf("opted out: got %d with %v", status, got)
	}
	if out := callSNS(t, srv, "isOptedOut", "Action", "CheckIfPhoneNumberIsOptedOut", "phoneNumber", "+15550122"); out != "true" {
		t.Errorf("opted out: %s", out)
	}
	if status, _ := askLocalStack(t, srv, "POST", "/_aws/sns/phone-opt-outs?phoneNumber=ada", ""); status != http.StatusBadRequest {
		t.Errorf("no number opted out: got %d", status)
	}
}

// A subscription that waits to be confirmed can be, by the token that its endpoint was sent.
func TestLocalStackTellsTokens(t *testing.T) {
	t.Parallel()
	srv := start(t, Config{})
	topic := callSNS(t, srv, "TopicArn", "Action", "CreateTopic", "Name", "alerts")
	arn := callSNS(t, srv, "SubscriptionArn", "Action", "Subscribe", "TopicArn", topic, "Protocol", "http", "Endpoint", "http://127.0.0.1:1/", "ReturnSubscriptionArn", "true")
	status, got := askLocalStack(t, srv, "GET", "/_aws/sns/subscription-tokens/"+arn, "")
	token, _ := got["subscription_token"].(string)
	if status != http.StatusOK || token == "" || got["subscription_arn"] != arn {
		t.Fatalf("got %d with %v", status, got)
	}
	if confirmed := callSNS(t, srv, "SubscriptionArn", "Action", "ConfirmSubscription", "TopicArn", topic, "Token", token); confirmed != arn {
		t.Errorf("confirmed %s, want %s", confirmed, arn)
	}
	for arn, want := range map[string]int{topic: http.StatusBadRequest, "x": http.StatusBadRequest, topic + ":none": http.StatusNotFound} {
		if status, got := askLocalStack(t, srv, "GET", "/_aws/sns/subscription-tokens/"+arn, ""); status != want || got["error"] == nil || got["subscription_arn"] != arn {
			t.Errorf("%s: got %d with %v, want %d", arn, status, got, want)
		}
	}
}

// Everything is forgotten, in all accounts, but only where tests may do such things and nobody is asked who he is.
func TestLocalStackStateReset(t *testing.T) {
	t.Parallel()
	srv := start(t, Config{TestMode: true})
	for name, reset := range map[string]struct{ path, body string }{
		"all":       {"/_localstack/state/reset", ""},
		"a service": {"/_localstack/state/sqs/reset", ""},
		"a restart": {"/_localstack/health", `{"action": "restart"}`},
	} {
		for _, account := range []string{caller.DefaultAccount, "111122223333"} {
			for _, region := range []string{"us-east-1", "eu-west-1"} {
				if status, text, err := post(srv, "/queues?account="+account+"&region="+region, `{"name": "orders"}`); err != nil || status != http.StatusCreated {
					t.Fatalf("%d %s %v", status, text, err)
				}
			}
		}
		for account, made := range map[string][2]string{ // which have neither queues nor topics
			"444455556666": {"/faults", `{"name": "busy", "effect": "error", "code": "Throttled"}`},
			"777788889999": {"/clock", `{"advance_seconds": 60}`},
		} {
			if status, text, err := post(srv, made[0]+"?account="+account, made[1]); err != nil || status >= 300 {
				t.Fatalf("%d %s %v", status, text, err)
			}
		}
		if status, got := askLocalStack(t, srv, "POST", reset.path, reset.body); status != http.StatusOK {
			t.Errorf("%s: got %d with %v", name, status, got)
		}
		if scopes, err := srv.broker.Scopes(t.Context()); err != nil || len(scopes) != 0 {
			t.Errorf("%s: there are still %v, %v", name, scopes, err)
		}
		if left, err := srv.broker.AccountsToReset(t.Context()); err != nil || len(left) != 0 {
			t.Errorf("%s: something is left of %v, %v", name, left, err)
		}
	}
	if status, _ := askLocalStack(t, srv, "POST", "/_localstack/state/s3/reset", ""); status != http.StatusNotFound {
		t.Errorf("a service that is not spoken: got %d", status)
	}
	if status, _ := askLocalStack(t, srv, "POST", "/_localstack/health", `{"action": "kill"}`); status != http.StatusBadRequest {
		t.Errorf("kill: got %d", status)
	}
	for name, config := range map[string]Config{
		"outside test mode": {}, "with signatures": {TestMode: true, Auth: "verify", MasterKey: core.Secret(strings.Repeat("01", 32)), AdminKey: "root:hunter22"},
	} {
		if status, got := askLocalStack(t, start(t, config), "POST", "/_localstack/state/reset", ""); status != http.StatusForbidden {
			t.Errorf("%s: got %d with %v", name, status, got)
		}
	}
}

func TestLocalStackInfo(t *testing.T) {
	t.Parallel()
	srv := start(t, Config{})
	_, info := askLocalStack(t, srv, "GET", "/_localstack/info", "")
	for _, field := range []string{"version", "edition", "is_license_activated", "session_id", "machine_id", "system", "is_docker", "server_time_utc", "uptime"} {
		if info[field] == nil {
			t.Errorf("there is no %s in %v", field, info)
		}
	}
	for _, path := range []string{"/health", "/_localstack/health", "/_localstack/plugins", "/_localstack/usage"} {
		if status, _ := askLocalStack(t, srv, "GET", path, ""); status != http.StatusOK {
			t.Errorf("%s: got %d", path, status)
		}
	}
}

package caller

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
)

type auditedPair struct{ Key, Value string }

type auditedRequest struct {
	QueueName       string
	Attributes      []auditedPair
	MessageBody     string
	SecretAccessKey string
	NextToken       string
	Token           *string
	Endpoint        string
	Count           *int
	Raw             []byte
	Inner           struct{ UserName, Password string }
	Wait            time.Duration
	Typed           core.Secret
	Empty           string
	hidden          string
}

// What is a secret in a URL is not shown with it: a password, what the query names so, and all but the host of a webhook.
func TestSecretsInURLs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://user:topsecret@example.com/x":                            "https://***@example.com/x",
		"https://user:topsecret@example.com/x?access_token=topsecret&a=b": "https://***@example.com/x?access_token=***&a=b",
		"https://example.com/x?a=b&Key=topsecret#c":                       "https://example.com/x?a=b&Key=***#c",
		"https://example.com/?X-Amz-Signature=topsecret&X-Amz-Expires=60": "https://example.com/?X-Amz-Signature=***&X-Amz-Expires=60",
		"https://example.com/keys?page=2":                                 "https://example.com/keys?page=2",
		"is it a=b&c=d?":                                                  "is it a=b&c=d?",
	} {
		if got := WithoutPassword(text); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for target, want := range map[string]string{
		"https://hooks.slack.com/services/T0/B0/topsecret":         "https://hooks.slack.com/…",
		"https://oapi.dingtalk.com/robot/send?access_token=secret": "https://oapi.dingtalk.com/…",
		"http://user:topsecret@example.com/x":                      "http://example.com/…",
		"http://example.com?topsecret":                             "http://example.com/…",
		"http://user:topsecret@example.com":                        "http://example.com/…",
		"orders":                                                   "orders", "ops@example.com": "ops@example.com",
	} {
		want = `{"target":"` + want + `"}`
		for _, in := range []any{&struct{ Target string }{target}, map[string]any{"target": target}} {
			if got := string(shown(in)); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	}
}

func TestParametersAsAudited(t *testing.T) {
	t.Parallel()
	token, count := "t0ken", 3
	in := &auditedRequest{
		QueueName: "orders", Attributes: []auditedPair{{"PlatformCredential", "topsecret"}, {"DelaySeconds", "5"}}, MessageBody: "topsecret",
		SecretAccessKey: "topsecret", NextToken: "page2", Token: &token, Endpoint: "https://user:topsecret@example.com/x", Count: &count,
		Raw: []byte{0xff, 0}, Wait: 2 * time.Second, Typed: "topsecret", hidden: "topsecret",
	}
	in.Inner.UserName, in.Inner.Password = "ann", "topsecret"
	const want = `{"attributes":{"DelaySeconds":"5","PlatformCredential":"HIDDEN_DUE_TO_SECURITY_REASONS"},"count":3,"endpoint":"https://***@example.com/x",` +
		`"inner":{"password":"HIDDEN_DUE_TO_SECURITY_REASONS","userName":"ann"},"nextToken":"page2","queueName":"orders","raw":"2 bytes",` +
		`"secretAccessKey":"HIDDEN_DUE_TO_SECURITY_REASONS","token":"HIDDEN_DUE_TO_SECURITY_REASONS","typed":"HIDDEN_DUE_TO_SECURITY_REASONS","wait":"2s"}`
	if got := string(shown(in)); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	if in.hidden == "" {
		t.Error("the request was changed")
	}
}

func TestParametersAreBounded(t *testing.T) {
	t.Parallel()
	long := map[string]any{"policy": strings.Repeat("x", 1<<20)}
	if got := shown(long); len(got) > maxShownText+100 {
		t.Errorf("one text takes %d bytes", len(got))
	}
	many := map[string]any{}
	for i := range 50 {
		many[strings.Repeat("n", i+1)] = strings.Repeat("x", maxShownText)
	}
	if got := string(shown(many)); !strings.HasPrefix(got, `{"omitted":`) {
		t.Errorf("parameters of %d bytes are kept", len(got))
	}
	var deep any = "bottom"
	for range 100 {
		deep = map[string]any{"in": deep}
	}
	if got := shown(deep); strings.Contains(string(got), "bottom") {
		t.Error("a document of a hundred levels is kept whole")
	}
	if shown(nil) != nil || shown((*auditedRequest)(nil)) != nil || shown("text") != nil || shown(map[string]string{}) != nil {
		t.Error("there are parameters where there were none")
	}
}

func TestIDsOfResults(t *testing.T) {
	t.Parallel()
	type credentials struct{ AccessKeyId, SecretAccessKey, SessionToken string }
	result := struct {
		QueueUrl    string
		TopicArn    string
		Credentials credentials
		Policy      string
		RequestId   string
	}{"http://q", "arn:aws:sns:r:a:t", credentials{"ASIA1", "topsecret", "topsecret"}, "{}", "r1"}
	const want = `{"credentials":{"accessKeyId":"ASIA1"},"queueUrl":"http://q","topicArn":"arn:aws:sns:r:a:t"}`
	if got := string(idsOf(&result)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAudit(t *testing.T) {
	t.Parallel()
	var got core.AuditEvent
	off, on := &Options{}, &Options{Verify: true, Auditor: func(e core.AuditEvent) { got = e }}
	switch {
	case off.Audits(false, ""), on.Audits(true, ""), on.Audits(true, "QueueDoesNotExist"):
		t.Error("what is not to be audited is")
	case !on.Audits(false, ""), !on.Audits(true, "AccessDenied"), !on.Audits(true, "InvalidAccessKeyId.NotFound"):
		t.Error("what is to be audited is not")
	}
	r := httptest.NewRequest("POST", "/", nil)
	r.Header.Set("User-Agent", strings.Repeat("a", 5000))
	key := &core.Key{ID: "AKIA1", Account: "111122223333", User: "ann"}
	c := &Caller{Account: "111122223333", Region: "r", AccessKeyID: "AKIA1", Key: key}
	on.Audit(r, c, Audited{Source: "sqs", Action: "CreateQueue", Result: struct{ QueueUrl string }{"u"}, Code: "InvalidParameterValue", Text: strings.Repeat("x", 5000)})
	if got.Identity != "" || got.Principal != "" || len(got.UserAgent) != maxAuditedAgent || len(got.ErrorText) != maxAuditedText || got.Response != nil {
		t.Errorf("of a caller who is not verified: %+v", got)
	}
	c.Verified = true
	on.Audit(r, c, Audited{Source: "sqs", Action: "CreateQueue", Parameters: struct{ QueueName string }{"q"}, Result: struct{ QueueUrl string }{"u"}})
	if got.Identity != core.PrincipalUser || got.User != "ann" || string(got.Response) != `{"queueUrl":"u"}` || len(got.Resources) != 1 || got.Resources[0] != "arn:aws:sqs:r:111122223333:q" || got.ReadOnly {
		t.Errorf("of a caller who is: %+v", got)
	}
	for action, read := range map[string]bool{"GetQueueUrl": true, "ListTopics": true, "list-keys": true, "GetSessionToken": false, "CreateQueue": false, "Subscribe": false} {
		if isRead(action) != read {
			t.Errorf("%s only reads: %t", action, !read)
		}
	}
}

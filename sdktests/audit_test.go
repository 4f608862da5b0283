package sdktests

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/aliyun-mns-go-sdk"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

// trailEvent is what the tests read of an event.
type trailEvent struct {
	EventTime         time.Time
	EventSource       string
	EventName         string
	AwsRegion         string
	SourceIPAddress   string
	UserAgent         string
	ErrorCode         string
	ErrorMessage      string
	RequestParameters map[string]any
	ResponseElements  map[string]any
	RequestID         string
	EventID           string
	ReadOnly          bool
	UserIdentity      struct{ Type, ARN, AccountID, AccessKeyID, UserName string }
	Resources         []struct{ ARN string }

	RecipientAccountID string
}

// api calls the JSON API as the administrator and gives its answer.
func (v *verifying) api(t *testing.T, method, path, body string) string {
	t.Helper()
	r, _ := http.NewRequestWithContext(t.Context(), method, v.url+"/api/v1"+path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+rootKey+":"+rootSecret)
	r.Header.Set("Content-Type", "application/json")
	response, err := httpClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// audit gives the events that a query finds, the newest first.
func (v *verifying) audit(t *testing.T, query string) []trailEvent {
	t.Helper()
	var page struct{ Events []trailEvent }
	answer := v.api(t, http.MethodGet, "/audit?limit=1000&"+query, "")
	if err := json.Unmarshal([]byte(answer), &page); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	return page.Events
}

func TestAuditOfEveryProtocol(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	ann := v.key(t, core.NewKey{Account: "111122223333", User: "ann"})
	secret := string(ann.Secret)
	cred := credentials.NewStaticCredentialsProvider(ann.ID, secret, "")
	url := createQueue(t, v.sqs(with(ann.ID, secret, "")), "orders")
	client := sns.New(sns.Options{BaseEndpoint: &v.url, Region: "us-east-1", Credentials: cred})
	if _, err := client.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("news")}); err != nil {
		t.Fatal(err)
	}
	security := sts.New(sts.Options{BaseEndpoint: &v.url, Region: "us-east-1", Credentials: cred})
	session, err := security.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	mns := ali_mns.NewAliMNSClientWithConfig(ali_mns.AliMNSClientConfig{EndPoint: v.url + "/.", AccessKeyId: ann.ID, AccessKeySecret: secret})
	if err := ali_mns.NewMNSQueueManager(mns).CreateSimpleQueue("jobs"); err != nil {
		t.Fatal(err)
	}
	const chosen = "chosenSecret0123456789"
	v.api(t, http.MethodPost, "/keys", `{"id":"AKIDMADE","secret":"`+chosen+`","account":"111122223333"}`)
	if _, err := v.sqs(with(ann.ID, secret, "")).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("the body")}); err != nil {
		t.Fatal(err)
	}
	if _, err := v.sqs(with(ann.ID, "wrong", "")).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("the body")}); err == nil {
		t.Fatal("a wrong signature is taken")
	}
	stranger := ali_mns.NewAliMNSClientWithConfig(ali_mns.AliMNSClientConfig{EndPoint: v.url + "/.", AccessKeyId: ann.ID, AccessKeySecret: "wrong"})
	if err := ali_mns.NewMNSQueue("jobs", stranger).DeleteMessage("1"); err == nil {
		t.Fatal("a wrong signature of MNS is taken")
	}

	events := v.audit(t, "")
	find := func(source, name string) trailEvent {
		t.Helper()
		at := slices.IndexFunc(events, func(e trailEvent) bool { return e.EventSource == source && e.EventName == name })
		if at < 0 {
			t.Fatalf("there is no %s of %s in %+v", name, source, events)
		}
		return events[at]
	}
	created := find("sqs.amazonaws.com", "CreateQueue")
	if id := created.UserIdentity; id.Type != "IAMUser" || id.ARN != "arn:aws:iam::111122223333:user/ann" || id.AccountID != "111122223333" || id.UserName != "ann" || id.AccessKeyID != ann.ID {
		t.Errorf("who made the queue: %+v", id)
	}
	if created.RequestParameters["queueName"] != "orders" || created.ResponseElements["queueUrl"] != url || created.ReadOnly || created.SourceIPAddress != "127.0.0.1" ||
		created.AwsRegion != "us-east-1" || !strings.Contains(created.UserAgent, "aws-sdk-go") || created.RequestID == "" || created.EventID == "" ||
		len(created.Resources) != 1 || created.Resources[0].ARN != "arn:aws:sqs:us-east-1:111122223333:orders" || time.Since(created.EventTime).Abs() > time.Minute {
		t.Errorf("the queue's making is told as %+v", created)
	}
	if topic := find("sns.amazonaws.com", "CreateTopic"); len(topic.Resources) != 1 || topic.Resources[0].ARN != "arn:aws:sns:us-east-1:111122223333:news" {
		t.Errorf("the topic's making is told as %+v", topic)
	}
	if token := find("sts.amazonaws.com", "GetSessionToken"); token.ReadOnly || token.ErrorCode != "" {
		t.Errorf("the session's making is told as %+v", token)
	}
	if job := find("mns.aliyuncs.com", "CreateQueue"); len(job.Resources) != 1 || job.Resources[0].ARN != "acs:mns:us-east-1:111122223333:/queues/jobs" {
		t.Errorf("the MNS queue's making is told as %+v", job)
	}
	if key := find("api.polymq", "create-key"); key.RequestParameters["id"] != "AKIDMADE" || key.UserIdentity.UserName != "admin" || key.UserIdentity.AccountID != defaultAccount || key.RecipientAccountID != "111122223333" {
		t.Errorf("the key's making is told as %+v", key)
	}
	denied := v.audit(t, "failed=true&action=SendMessage")
	if len(denied) != 1 || denied[0].ErrorCode != "SignatureDoesNotMatch" || denied[0].UserIdentity.Type != "Unknown" || denied[0].UserIdentity.AccessKeyID != ann.ID {
		t.Errorf("what was refused: %+v", denied)
	}
	if deletes := v.audit(t, "failed=true&action=DeleteMessage"); len(deletes) != 1 || deletes[0].EventSource != "mns.aliyuncs.com" || deletes[0].ErrorCode != "SignatureDoesNotMatch" || deletes[0].UserIdentity.AccessKeyID != ann.ID {
		t.Errorf("what MNS refused: %+v", deletes)
	}
	if sends := v.audit(t, "action=SendMessage"); len(sends) != 1 {
		t.Errorf("%d sends are audited, want only the one that was refused", len(sends))
	}
	for _, format := range []string{"cloudtrail", "actiontrail"} {
		text := v.api(t, http.MethodGet, "/audit?limit=1000&format="+format, "")
		for _, hidden := range []string{secret, rootSecret, chosen, "the body", *session.Credentials.SecretAccessKey, *session.Credentials.SessionToken} {
			if strings.Contains(text, hidden) {
				t.Errorf("%s shows %.12s…", format, hidden)
			}
		}
	}
	if text := v.api(t, http.MethodGet, "/audit?resource=jobs&format=actiontrail", ""); !strings.Contains(text, `"eventRW":"Write"`) || !strings.Contains(text, `"acsRegion":"us-east-1"`) || !strings.Contains(text, `"ram-user"`) {
		t.Errorf("in ActionTrail's form: %s", text)
	}
}

// A call of the JSON API is filed in the account that it is about, which it may name; who has no say there leaves nothing
// in that account's log.
func TestAuditOfAnotherAccount(t *testing.T) {
	t.Parallel()
	const account, stranger = "111122223333", "444455556666"
	open, v := start(t), startVerifying(t, "")
	strangers := v.key(t, core.NewKey{Account: stranger})
	tests := map[string]struct {
		call      func(path, method, body string)
		read      func(query string) []trailEvent
		principal string // account of who called
	}{
		"nobody is asked who he is": {
			func(path, method, body string) { open.api(t, method, path, json.RawMessage(body), nil) },
			func(query string) (events []trailEvent) {
				var page struct{ Events []trailEvent }
				open.api(t, http.MethodGet, "/audit?"+query, nil, &page)
				return page.Events
			},
			account,
		},
		"an administrator of them all": {
			func(path, method, body string) { v.api(t, method, path, body) },
			func(query string) []trailEvent { return v.audit(t, query) },
			defaultAccount,
		},
	}
	for name, tt := range tests {
		tt.call("/queues?account="+account+"&region=eu-west-1", http.MethodPost, `{"name":"orders"}`)
		tt.call("/accounts/"+account+"/limits", http.MethodPut, `{"queues":10}`)
		for action, region := range map[string]string{"create-queue": "eu-west-1", "set-account-limits": "us-east-1"} {
			events := tt.read("account=" + account + "&action=" + action)
			if len(events) != 1 || events[0].RecipientAccountID != account || events[0].AwsRegion != region || events[0].UserIdentity.AccountID != tt.principal || events[0].ErrorCode != "" {
				t.Errorf("%s, %s: %+v", name, action, events)
			}
			if own := tt.read("account=" + defaultAccount + "&action=" + action); len(own) != 0 {
				t.Errorf("%s, %s, in the default account: %+v", name, action, own)
			}
		}
	}
	r := v.bearer(t, strangers, "/queues?account="+account)
	if status, answer := roundTrip(t, r); status != http.StatusForbidden {
		t.Errorf("a stranger: %d %s", status, answer)
	}
	if there, own := v.audit(t, "action=list-queues&account="+account), v.audit(t, "action=list-queues&account="+stranger); len(there) != 0 || len(own) != 1 || own[0].ErrorCode != "AccessDenied" {
		t.Errorf("a stranger's call is told as %+v, and in its own account %+v", there, own)
	}
}

// A clean stop loses nothing.
func TestAuditOutlivesTheServer(t *testing.T) {
	t.Parallel()
	database := pgtest.DatabaseURL(t)
	first := startVerifying(t, database)
	const queues = 50
	for i := range queues {
		createQueue(t, first.sqs(asRoot), "q"+string(rune('a'+i%26))+string(rune('a'+i/26)))
	}
	if err := first.server.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := len(startVerifying(t, database).audit(t, "action=CreateQueue")); got != queues {
		t.Errorf("%d of %d events are there after a restart", got, queues)
	}
}

// What strangers can make the server write is bounded, and they do not push out what others do.
func TestAuditOfAFloodOfStrangers(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	began := time.Now()
	for range 3 * core.MaxUnknown {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, v.url+"/queues", bytes.NewReader(nil))
		response, err := httpClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	createQueue(t, v.sqs(asRoot), "orders")
	most := core.MaxUnknown * (2 + int(time.Since(began)/time.Second))
	if got := len(v.audit(t, "failed=true")); got == 0 || got > most {
		t.Errorf("%d events of strangers, want 1 to %d", got, most)
	}
	if got := len(v.audit(t, "action=CreateQueue")); got != 1 {
		t.Errorf("the administrator's call was told %d times", got)
	}
}

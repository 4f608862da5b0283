package sdktests

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aliyun/aliyun-mns-go-sdk"
	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

// startEnforcing starts a server that enforces policies on a database, "" for one of its own.
func startEnforcing(t *testing.T, databaseURL string) *verifying {
	t.Helper()
	if databaseURL == "" {
		databaseURL = pgtest.DatabaseURL(t)
	}
	srv, err := server.Start(t.Context(), server.Config{
		Listen: []string{"127.0.0.1:0"}, DatabaseURL: databaseURL, LogLevel: "error", TestMode: true, Auth: "enforce", MasterKey: testMasterKey, AdminKey: rootKey + ":" + rootSecret,
	})
	if err != nil {
		t.Fatalf("start the server: %v", err)
	}
	t.Cleanup(func() { _ = srv.Stop(context.Background()) })
	return &verifying{polymq{srv.URL(), rootKey}, srv, new(syncBuffer)}
}

// user makes a user with a policy of either cloud, and gives a key of it.
func (v *verifying) user(t *testing.T, account, name, cloud, statements string) core.Key {
	t.Helper()
	of := core.IdentityName{Account: account, Kind: core.User, Name: name}
	if _, err := v.server.Broker().CreateIdentity(t.Context(), core.Identity{IdentityName: of}); err != nil {
		t.Fatal(err)
	}
	v.allow(t, account, name, cloud, statements)
	return v.key(t, core.NewKey{Account: account, User: name})
}

// allow sets the user's policy.
func (v *verifying) allow(t *testing.T, account, name, cloud, statements string) {
	t.Helper()
	version := "2012-10-17"
	if cloud == core.RAM {
		version = "1"
	}
	policy := core.Inline{Cloud: cloud, Text: `{"Version":"` + version + `","Statement":[` + statements + `]}`}
	if err := v.server.Broker().PutInlinePolicy(t.Context(), core.IdentityName{Account: account, Kind: core.User, Name: name}, "p", policy); err != nil {
		t.Fatal(err)
	}
}

func by(key core.Key) func(*sqs.Options) { return with(key.ID, string(key.Secret), "") }

// topics gives a client of SNS.
func (v *verifying) topics(key core.Key) *sns.Client {
	return sns.New(sns.Options{HTTPClient: httpClient, Region: "us-east-1", BaseEndpoint: &v.url, Credentials: credentials.NewStaticCredentialsProvider(key.ID, string(key.Secret), "")})
}

const accountA, accountB = "111122223333", "444455556666"

// A user may do what its policy allows, on whatever server and as soon as it is changed; what it may not has
// AWS's error.
func TestPoliciesAreEnforced(t *testing.T) {
	t.Parallel()
	database := pgtest.DatabaseURL(t)
	v, second := startEnforcing(t, database), startEnforcing(t, database)
	owner := v.key(t, core.NewKey{Account: accountA})
	url := createQueue(t, v.sqs(by(owner)), "orders")
	ci := v.user(t, accountA, "ci", core.AWS, `{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:*:*:orders"}`)
	send := func(v *verifying) error {
		_, err := v.sqs(by(ci)).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("hello")})
		return err
	}
	for _, v := range []*verifying{v, second} {
		if err := send(v); err != nil {
			t.Errorf("allowed: %v", err)
		}
		_, err := v.sqs(by(ci)).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url})
		if got := errorCode(err); !strings.HasPrefix(got, "AccessDenied") || !strings.Contains(err.Error(), "User: arn:aws:iam::111122223333:user/ci is not authorized to perform: sqs:receivemessage on resource: arn:aws:sqs:us-east-1:111122223333:orders because no identity-based policy allows the sqs:receivemessage action") {
			t.Errorf("not allowed: got %v", err)
		}
	}
	v.allow(t, accountA, "ci", core.AWS, `{"Effect":"Deny","Action":"sqs:*","Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}`)
	eventually(t, func() bool { return strings.HasPrefix(errorCode(send(second)), "AccessDenied") })
	if err := send(v); err == nil || !strings.Contains(err.Error(), "with an explicit deny in an identity-based policy") {
		t.Errorf("denied: got %v", err)
	}
}

// eventually waits until something holds: what is changed on one server is seen on others within a second.
func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	poll := time.NewTicker(2 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(time.Minute); !holds(); <-poll.C {
		if time.Now().After(deadline) {
			t.Fatal("it did not become so")
		}
	}
}

// AddPermission lets another account in, which hands that on to its users.
func TestAddPermissionAcrossAccounts(t *testing.T) {
	t.Parallel()
	v := startEnforcing(t, "")
	owner := v.sqs(by(v.key(t, core.NewKey{Account: accountA})))
	other := v.sqs(by(v.key(t, core.NewKey{Account: accountB})))
	user := v.sqs(by(v.user(t, accountB, "ci", core.AWS, `{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:us-east-1:111122223333:orders"}`)))
	idle := v.sqs(by(v.user(t, accountB, "idle", core.AWS, `{"Effect":"Allow","Action":"sqs:ListQueues","Resource":"*"}`)))
	url := createQueue(t, owner, "orders")
	send := func(client *sqs.Client) string {
		_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("hello")})
		return errorCode(err)
	}
	if got := send(other); !strings.HasPrefix(got, "AccessDenied") {
		t.Errorf("before: got %q", got)
	}
	if _, err := owner.AddPermission(t.Context(), &sqs.AddPermissionInput{QueueUrl: &url, Label: aws.String("b"), AWSAccountIds: []string{accountB}, Actions: []string{"SendMessage"}}); err != nil {
		t.Fatal(err)
	}
	if a, b, c := send(other), send(user), send(idle); a != "" || b != "" || !strings.HasPrefix(c, "AccessDenied") {
		t.Errorf("the account got %q, its user %q, and one who may not %q", a, b, c)
	}
	if got, err := other.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("orders"), QueueOwnerAWSAccountId: aws.String(accountA)}); errorCode(err) != "AWS.SimpleQueueService.NonExistentQueue" {
		t.Errorf("GetQueueUrl, which was not allowed: %v, %v", got, err)
	}
	if _, err := owner.RemovePermission(t.Context(), &sqs.RemovePermissionInput{QueueUrl: &url, Label: aws.String("b")}); err != nil {
		t.Fatal(err)
	}
	if got := send(other); !strings.HasPrefix(got, "AccessDenied") {
		t.Errorf("afterwards: got %q", got)
	}
}

// A presigned URL can what its signer can, when it is used.
func TestPresignedURLIsBoundByPolicies(t *testing.T) {
	t.Parallel()
	v := startEnforcing(t, "")
	queue := createQueue(t, v.sqs(by(v.key(t, core.NewKey{Account: accountA}))), "orders")
	ci := v.user(t, accountA, "ci", core.AWS, `{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}`)
	get := func(query string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, queue+"?"+query+"&X-Amz-Expires=60", nil)
		if err != nil {
			t.Fatal(err)
		}
		const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
		signed, _, err := v4.NewSigner().PresignHTTP(t.Context(), aws.Credentials{AccessKeyID: ci.ID, SecretAccessKey: string(ci.Secret)}, r, empty, "sqs", "us-east-1", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		resp, err := httpClient.Get(signed)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body)
	}
	if status, body := get("Action=SendMessage&MessageBody=hello"); status != http.StatusOK {
		t.Errorf("allowed: %d %s", status, body)
	}
	if status, body := get("Action=PurgeQueue"); status != http.StatusForbidden || !strings.Contains(body, "<Code>AccessDenied</Code>") {
		t.Errorf("not allowed: %d %s", status, body)
	}
}

// A topic delivers to a queue only if the queue's policy lets it.
func TestTopicsSendWhereQueuesLetThem(t *testing.T) {
	t.Parallel()
	v := startEnforcing(t, "")
	key := v.key(t, core.NewKey{Account: accountA})
	queues := v.sqs(by(key))
	topics := v.topics(key)
	topic, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("news")})
	if err != nil {
		t.Fatal(err)
	}
	closed, open := createQueue(t, queues, "closed"), createQueue(t, queues, "open")
	policy := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*","Condition":{"ArnEquals":{"aws:SourceArn":"` + *topic.TopicArn + `"}}}}`
	if _, err := queues.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &open, Attributes: map[string]string{"Policy": policy}}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"closed", "open"} {
		if _, err := topics.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:us-east-1:" + accountA + ":" + name)}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := topics.Publish(t.Context(), &sns.PublishInput{TopicArn: topic.TopicArn, Message: aws.String("hello")}); err != nil {
		t.Fatal(err)
	}
	if got := len(bodiesIn(t, queues, open, 1)); got != 1 {
		t.Errorf("the queue that lets it got %d messages", got)
	}
	if got := receive(t, queues, closed); len(got) != 0 {
		t.Errorf("the queue that does not got %d messages", len(got))
	}
	reader := v.user(t, accountA, "reader", core.AWS, `{"Effect":"Allow","Action":"sns:ListTopics","Resource":"*"}`)
	_, err = v.topics(reader).Publish(t.Context(), &sns.PublishInput{TopicArn: topic.TopicArn, Message: aws.String("hello")})
	if errorCode(err) != "AuthorizationError" || !strings.Contains(err.Error(), "is not authorized to perform: SNS:Publish on resource: "+*topic.TopicArn+" because no identity-based policy allows the SNS:Publish action") {
		t.Errorf("a user who may not publish got %v", err)
	}
}

// A RAM user may do what its RAM policy allows, by the MNS SDK.
func TestRAMPoliciesAreEnforced(t *testing.T) {
	t.Parallel()
	v := startEnforcing(t, "")
	owner := v.key(t, core.NewKey{Account: accountA})
	ci := v.user(t, accountA, "ci", core.RAM, `{"Effect":"Allow","Action":"mns:SendMessage","Resource":"acs:mns:*:*:/queues/orders/messages"},`+
		`{"Effect":"Deny","Action":"mns:*","Resource":"*","Condition":{"NotIpAddress":{"acs:SourceIp":["10.0.0.0/8","127.0.0.1"]}}}`)
	as := func(key core.Key) ali_mns.MNSClient {
		return ali_mns.NewAliMNSClientWithConfig(ali_mns.AliMNSClientConfig{EndPoint: v.url + "/.", AccessKeyId: key.ID, AccessKeySecret: string(key.Secret)})
	}
	if err := ali_mns.NewMNSQueueManager(as(owner)).CreateSimpleQueue("orders"); err != nil {
		t.Fatal(err)
	}
	if _, err := ali_mns.NewMNSQueue("orders", as(ci)).SendMessage(ali_mns.MessageSendRequest{MessageBody: "hello"}); err != nil {
		t.Errorf("allowed: %v", err)
	}
	err := ali_mns.NewMNSQueueManager(as(ci)).CreateSimpleQueue("more")
	if err == nil || !strings.Contains(err.Error(), "AccessDenied") || !strings.Contains(err.Error(), "mns:CreateQueue") {
		t.Errorf("not allowed: %v", err)
	}
	if _, err := ali_mns.NewMNSQueue("other", as(ci)).SendMessage(ali_mns.MessageSendRequest{MessageBody: "hello"}); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("another queue: %v", err)
	}
}

// policyGroups are the programs' checks of policies: a cloud's calls make users, roles and policies, and its clients meet
// them.
var policyGroups = map[string]string{
	"python": "policy", "python-query": "policy", "node": "policy", "java-mns-2.0.0": "policy", "awscli": "awscli_policy", "awscli-2": "awscli_policy",
	"python-smq": "ram", "node-smq": "ram", "java-smq": "ram", "smq": "ram", // the last is of Go
}

// keyCalls are the calls that make keys in such a group.
var keyCalls = map[string][]string{
	"policy":        {"iam.amazonaws.com CreateAccessKey", "sts.amazonaws.com AssumeRole"},
	"awscli_policy": {"iam.amazonaws.com CreateAccessKey", "sts.amazonaws.com AssumeRole"},
	"ram":           {"ram.aliyuncs.com CreateAccessKey", "sts.aliyuncs.com AssumeRole"},
}

// TestProgramsMeetPolicies runs them side by side on one server, each in an account of its own, and looks through
// the audit log for the secrets of the keys that they made.
func TestProgramsMeetPolicies(t *testing.T) {
	t.Parallel()
	v := startEnforcing(t, "")
	other := v.key(t, core.NewKey{Account: accountB})
	var made sync.Map // calls
	t.Run("all", func(t *testing.T) {
		for i, p := range slices.Concat(programs, frameworks) {
			group, ok := policyGroups[p.name]
			if !ok {
				continue
			}
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				if !p.available(t) {
					t.SkipNow() // not to count as passed
				}
				for _, call := range keyCalls[group] {
					made.Store(call, true)
				}
				key := v.key(t, core.NewKey{Account: fmt.Sprintf("%012d", i+1)})
				with := p
				with.checks = []string{group}
				with.env = append(slices.Clone(p.env), "POLYMQ_SECRET_KEY="+string(key.Secret), "POLYMQ_OTHER_ACCOUNT="+accountB,
					"POLYMQ_OTHER_ACCESS_KEY="+other.ID, "POLYMQ_OTHER_SECRET_KEY="+string(other.Secret))
				with.check(t, polymq{v.url, key.ID})
			})
		}
	})
	told := v.keysMade(t)
	for call := range made.Range {
		if told[call.(string)] == 0 {
			t.Errorf("no %s is in the audit log, but %v", call, told)
		}
	}
	v.hidesSecrets(t)
}

// keysMade counts the calls in the audit log that made keys.
func (v *verifying) keysMade(t *testing.T) map[string]int {
	t.Helper()
	told := map[string]int{}
	for _, action := range []string{"CreateAccessKey", "AssumeRole"} {
		for _, event := range v.audit(t, "changes=true&action="+action) {
			if event.ErrorCode == "" {
				told[event.EventSource+" "+action]++
			}
		}
	}
	return told
}

// hidesSecrets looks for the secrets of all keys in the audit log.
func (v *verifying) hidesSecrets(t *testing.T) {
	t.Helper()
	log := v.api(t, http.MethodGet, "/audit?limit=1000", "") + v.api(t, http.MethodGet, "/audit?limit=1000&format=actiontrail", "")
	page, err := v.server.Broker().ListKeys(t.Context(), core.ListKeysInput{Limit: core.MaxListed, Temporary: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, listed := range page.Keys {
		key, err := v.server.Broker().Key(t.Context(), listed.ID)
		if err != nil {
			t.Fatal(err)
		}
		if secret := string(key.Secret); len(secret) < core.MinSecretLength || strings.Contains(log, secret) {
			t.Errorf("the secret of %s, %d characters, is unknown or in the audit log", key.ID, len(secret))
		}
	}
}

package sqs

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
)

const mine, others = "111122223333", "444455556666"

// people are access keys by their names, and what each is granted.
type people map[string]*core.Grants

func (p people) Key(_ context.Context, id string) (*core.Key, error) {
	if g := p[id]; g != nil {
		return &core.Key{ID: id, Account: g.Account, User: g.User, Secret: "secret-" + core.Secret(id)}, nil
	}
	return nil, core.Errorf(core.KeyNotFound, "no such key")
}

func (p people) Grants(_ context.Context, key *core.Key) (*core.Grants, error) { return p[key.ID], nil }

// add makes a key: of a user with the statements given or, with "root", of the account itself.
func (p people) add(id, account, statements string) {
	key := &core.Key{Account: account, User: id}
	if statements == "root" {
		key.User = ""
	}
	g := core.GrantsOf(key)
	if key.User != "" && statements != "" {
		g.Identity = []core.GrantedPolicy{{Name: "p", From: "user/" + id, Cloud: core.AWS, Text: `{"Version":"2012-10-17","Statement":[` + statements + `]}`}}
	}
	p[id] = g
}

// startFor starts a server for some people, which enforces policies or only verifies signatures.
func startFor(t testing.TB, p people, enforce bool) fixture {
	t.Helper()
	broker := pgtest.Broker(t)
	return fixture{broker, New(broker, &caller.Options{Verify: true, Keys: p, Access: caller.NewAccess(p, enforce)}, Options{})}
}

// as calls an action as somebody, "" for nobody.
func (f fixture) as(t testing.TB, id, action, body string) reply {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "http://localhost:4566/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Target", "AmazonSQS."+action)
	if id != "" {
		digest := sha256.Sum256([]byte(body))
		credentials := sdk.Credentials{AccessKeyID: id, SecretAccessKey: "secret-" + id}
		if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, hex.EncodeToString(digest[:]), "sqs", "us-east-1", time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	return f.do(t, r)
}

// walk has a request of every action. %[1]s is the queue's URL, %[2]s its ARN, %[3]s its name, %[4]s its account,
// %[5]s a receipt handle, %[6]s the handle of a task on it.
var walk = map[string]string{
	"AddPermission":                `{"QueueUrl":"%[1]s","Label":"x","AWSAccountIds":["777788889999"],"Actions":["SendMessage"]}`,
	"CancelMessageMoveTask":        `{"TaskHandle":"%[6]s"}`,
	"ChangeMessageVisibility":      `{"QueueUrl":"%[1]s","ReceiptHandle":"%[5]s","VisibilityTimeout":0}`,
	"ChangeMessageVisibilityBatch": `{"QueueUrl":"%[1]s","Entries":[{"Id":"a","ReceiptHandle":"%[5]s","VisibilityTimeout":0}]}`,
	"CreateQueue":                  `{"QueueName":"%[3]s"}`,
	"DeleteMessage":                `{"QueueUrl":"%[1]s","ReceiptHandle":"%[5]s"}`,
	"DeleteMessageBatch":           `{"QueueUrl":"%[1]s","Entries":[{"Id":"a","ReceiptHandle":"%[5]s"}]}`,
	"DeleteQueue":                  `{"QueueUrl":"%[1]s"}`,
	"GetQueueAttributes":           `{"QueueUrl":"%[1]s","AttributeNames":["All"]}`,
	"GetQueueUrl":                  `{"QueueName":"%[3]s","QueueOwnerAWSAccountId":"%[4]s"}`,
	"ListDeadLetterSourceQueues":   `{"QueueUrl":"%[1]s"}`,
	"ListMessageMoveTasks":         `{"SourceArn":"%[2]s"}`,
	"ListQueueTags":                `{"QueueUrl":"%[1]s"}`,
	"ListQueues":                   `{}`,
	"PurgeQueue":                   `{"QueueUrl":"%[1]s"}`,
	"ReceiveMessage":               `{"QueueUrl":"%[1]s"}`,
	"RemovePermission":             `{"QueueUrl":"%[1]s","Label":"x"}`,
	"SendMessage":                  `{"QueueUrl":"%[1]s","MessageBody":"hello"}`,
	"SendMessageBatch":             `{"QueueUrl":"%[1]s","Entries":[{"Id":"a","MessageBody":"hello"}]}`,
	"SetQueueAttributes":           `{"QueueUrl":"%[1]s","Attributes":{"DelaySeconds":"1"}}`,
	"StartMessageMoveTask":         `{"SourceArn":"%[2]s"}`,
	"TagQueue":                     `{"QueueUrl":"%[1]s","Tags":{"a":"b"}}`,
	"UntagQueue":                   `{"QueueUrl":"%[1]s","TagKeys":["a"]}`,
}

// aim fills in a request of the walk.
func aim(request, account, name, handle string) string {
	arn := "arn:aws:sqs:us-east-1:" + account + ":" + name
	task := base64.StdEncoding.EncodeToString([]byte(`{"taskId":"00000000-0000-4000-8000-000000000000","sourceArn":"` + arn + `"}`))
	filled := fmt.Sprintf(request+`%[1]s%[2]s%[3]s%[4]s%[5]s%[6]s`, "http://localhost:4566/"+account+"/"+name, arn, name, account, handle, task)
	return filled[:strings.LastIndexByte(filled, '}')+1]
}

// Every action has a permission, and is walked below.
func TestEveryActionHasAPermission(t *testing.T) {
	t.Parallel()
	for action := range actionTable() {
		if permissions[action].action == "" || walk[action] == "" {
			t.Errorf("%s has no permission, or is not walked", action)
		}
	}
	if len(permissions) != len(actionTable()) {
		t.Errorf("there are %d permissions of %d actions", len(permissions), len(actionTable()))
	}
}

// denied is what SQS says to who may not.
const denied = `"__type":"com.amazon.coral.service#AccessDeniedException"`

// TestIsolation walks every action with another account's key: a queue of others looks as one that is not there,
// where policies count and where only signatures do, and nothing happens to it.
func TestIsolation(t *testing.T) {
	t.Parallel()
	for _, enforce := range []bool{false, true} {
		p := people{}
		p.add("owner", mine, "root")
		p.add("other", others, "root")
		f := startFor(t, p, enforce)
		f.as(t, "owner", "CreateQueue", `{"QueueName":"secret"}`).want(t, http.StatusOK)
		f.as(t, "owner", "SendMessage", aim(walk["SendMessage"], mine, "secret", "")).want(t, http.StatusOK)
		handle := "AAAA"
		for action, request := range walk {
			if action == "CreateQueue" {
				continue // makes one of its own
			}
			there := f.as(t, "other", action, aim(request, mine, "secret", handle))
			none := f.as(t, "other", action, aim(request, mine, "absent", handle))
			if there.status != none.status || there.body != strings.ReplaceAll(none.body, "absent", "secret") {
				t.Errorf("%s (enforce %v): got %d %s\nwhere there is none: %d %s", action, enforce, there.status, there.body, none.status, none.body)
			}
			switch action {
			case "ListQueues":
				if strings.Contains(there.body, "secret") {
					t.Errorf("%s shows %s", action, there.body)
				}
			case "GetQueueUrl":
				there.want(t, http.StatusBadRequest, "QueueDoesNotExist")
			default:
				there.want(t, http.StatusForbidden, denied, "arn:aws:iam::"+others+":root", "on resource: arn:aws:sqs:us-east-1:"+mine+":secret because no resource-based policy allows the sqs:")
			}
			f.as(t, "", action, aim(request, mine, "secret", handle)).want(t, http.StatusForbidden, "MissingAuthenticationToken")
		}
		f.as(t, "other", "CreateQueue", `{"QueueName":"secret"}`).want(t, http.StatusOK, others)
		f.as(t, "owner", "GetQueueAttributes", aim(walk["GetQueueAttributes"], mine, "secret", "")).
			want(t, http.StatusOK, `"ApproximateNumberOfMessages":"1"`, `"DelaySeconds":"0"`)
	}
}

// Who names an account's key in a form, and signs nothing, is nobody: no account is billed, or has something in its audit
// log, for what strangers send.
func TestUnsignedRequestsHaveNoAccount(t *testing.T) {
	t.Parallel()
	var audited, metered []string
	options := caller.Options{Verify: true, Keys: people{}, Meter: func(c *caller.Caller, _, _, _ string) { metered = append(metered, c.Account) }}
	options.Auditor = func(e core.AuditEvent) { audited = append(audited, e.Account) }
	f := fixture{server: New(pgtest.Broker(t), &options, Options{})}
	f.query(t, "DeleteQueue", "QueueUrl=orders&AWSAccessKeyId="+mine+"&SignatureVersion=2&Signature=x")
	if want := []string{""}; !slices.Equal(audited, want) || !slices.Equal(metered, want) {
		t.Errorf("audited for %q, metered for %q", audited, metered)
	}
}

// A look at a queue's messages needs what a receive does, whatever action the request names beside it.
func TestPeekingIsReceiving(t *testing.T) {
	t.Parallel()
	for _, enforce := range []bool{false, true} {
		p := people{}
		p.add("owner", mine, "root")
		p.add("other", others, "root")
		f := startFor(t, p, enforce)
		f.as(t, "owner", "CreateQueue", `{"QueueName":"secret"}`).want(t, http.StatusOK)
		f.as(t, "owner", "SendMessage", aim(walk["SendMessage"], mine, "secret", "")).want(t, http.StatusOK)
		for _, target := range []string{"", "AmazonSQS.ListQueues", "AmazonSQS.", "AmazonSQS.Peek", "AmazonSQS.ReceiveMessage", "?"} {
			r := httptest.NewRequest(http.MethodPost, PeekPath+"/us-east-1/"+mine+"/secret?Action=ListQueues", strings.NewReader("{}"))
			if target == "?" { // a request that names none
				r.URL.RawQuery = ""
			}
			if r.Host = "localhost:4566"; target != "" && target != "?" {
				r.Header.Set("X-Amz-Target", target)
			}
			r.Header.Set("Content-Type", "application/x-amz-json-1.0")
			digest := sha256.Sum256([]byte("{}"))
			err := v4.NewSigner().SignHTTP(t.Context(), sdk.Credentials{AccessKeyID: "other", SecretAccessKey: "secret-other"}, r, hex.EncodeToString(digest[:]), "sqs", "us-east-1", time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if got := f.do(t, r); strings.Contains(got.body, "hello") || got.status == http.StatusOK && target != "AmazonSQS.ListQueues" {
				t.Errorf("enforce %v, %q: got %d %s", enforce, target, got.status, got.body)
			}
		}
	}
}

// want compares the status, and looks for texts in the body.
func (r reply) want(t testing.TB, status int, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.body, text) {
			t.Errorf("got %s, want %q in it", r.body, text)
		}
	}
	if r.status != status {
		t.Errorf("got %d %s, want %d", r.status, r.body, status)
	}
}

// TestEnforceEveryAction walks every action as a user without policies, as one who may do that action alone, and
// as one who may do all but that.
func TestEnforceEveryAction(t *testing.T) {
	t.Parallel()
	p := people{}
	p.add("owner", mine, "root")
	p.add("nobody", mine, "")
	f := startFor(t, p, true)
	f.as(t, "owner", "CreateQueue", `{"QueueName":"orders"}`).want(t, http.StatusOK)
	const resource = `"Resource":"arn:aws:sqs:us-east-1:111122223333:*"`
	for action, request := range walk {
		alone := `"sqs:` + strings.TrimSuffix(action, "Batch") + `"`
		if action == "StartMessageMoveTask" {
			alone = `["sqs:StartMessageMoveTask","sqs:ReceiveMessage","sqs:DeleteMessage","sqs:GetQueueAttributes"]`
		}
		p.add("may-"+action, mine, `{"Effect":"Allow","Action":`+alone+`,`+resource+`}`)
		p.add("not-"+action, mine, `{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":`+alone+`,`+resource+`}`)
		request = aim(request, mine, "orders", "AAAA")
		lower := "sqs:" + strings.ToLower(strings.TrimSuffix(action, "Batch"))
		f.as(t, "nobody", action, request).want(t, http.StatusForbidden, denied,
			"User: arn:aws:iam::111122223333:user/nobody is not authorized to perform: "+lower+" on resource: arn:aws:sqs:us-east-1:111122223333:",
			"because no identity-based policy allows the "+lower+" action")
		f.as(t, "not-"+action, action, request).want(t, http.StatusForbidden, denied, lower, "with an explicit deny in an identity-based policy")
		if action == "DeleteQueue" {
			continue // what comes after needs the queue
		}
		if got := f.as(t, "may-"+action, action, request); got.status == http.StatusForbidden {
			t.Errorf("%s: got %d %s", action, got.status, got.body)
		}
	}
}

// What a queue's policy allows others, they may do, and nothing else; AddPermission is such a policy.
func TestQueuePoliciesBetweenAccounts(t *testing.T) {
	t.Parallel()
	for _, enforce := range []bool{false, true} {
		p := people{}
		p.add("owner", mine, "root")
		p.add("other", others, "root")
		p.add("user", others, "")
		p.add("sender", others, `{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}`)
		f := startFor(t, p, enforce)
		f.as(t, "owner", "CreateQueue", `{"QueueName":"orders"}`).want(t, http.StatusOK)
		send, receive := aim(walk["SendMessage"], mine, "orders", ""), aim(walk["ReceiveMessage"], mine, "orders", "")
		f.as(t, "owner", "AddPermission", `{"QueueUrl":"http://localhost/111122223333/orders","Label":"l","AWSAccountIds":["444455556666"],"Actions":["SendMessage"]}`).want(t, http.StatusOK)
		f.as(t, "other", "SendMessage", send).want(t, http.StatusOK)
		f.as(t, "other", "ReceiveMessage", receive).want(t, http.StatusForbidden, denied)
		f.as(t, "sender", "SendMessage", send).want(t, http.StatusOK)
		if enforce { // the account was allowed, and did not pass it on
			f.as(t, "user", "SendMessage", send).want(t, http.StatusForbidden, "because no identity-based policy allows")
		}
		f.as(t, "", "SendMessage", send).want(t, http.StatusForbidden, "MissingAuthenticationToken")
		f.as(t, "owner", "RemovePermission", `{"QueueUrl":"http://localhost/111122223333/orders","Label":"l"}`).want(t, http.StatusOK)
		f.as(t, "other", "SendMessage", send).want(t, http.StatusForbidden, denied)

		everybody := `{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":[\"sqs:SendMessage\",\"sqs:GetQueueUrl\"],\"Resource\":\"*\"},` +
			`{\"Effect\":\"Deny\",\"Principal\":{\"AWS\":\"444455556666\"},\"Action\":\"sqs:SendMessage\",\"Resource\":\"*\"}]}`
		f.as(t, "owner", "SetQueueAttributes", `{"QueueUrl":"http://localhost/111122223333/orders","Attributes":{"Policy":"`+everybody+`"}}`).want(t, http.StatusOK)
		f.as(t, "", "SendMessage", send).want(t, http.StatusOK, "MessageId")
		f.as(t, "", "GetQueueUrl", `{"QueueName":"orders","QueueOwnerAWSAccountId":"111122223333"}`).want(t, http.StatusOK, "/111122223333/orders")
		f.as(t, "", "ReceiveMessage", receive).want(t, http.StatusForbidden, "MissingAuthenticationToken")
		f.as(t, "other", "SendMessage", send).want(t, http.StatusForbidden, denied)
		f.as(t, "other", "GetQueueUrl", `{"QueueName":"orders","QueueOwnerAWSAccountId":"111122223333"}`).want(t, http.StatusOK)
	}
}

// The condition keys of a request reach the policies.
func TestConditionKeys(t *testing.T) {
	t.Parallel()
	allow := func(action, condition string) string {
		return `{"Effect":"Allow","Action":"` + action + `","Resource":"*","Condition":` + condition + `}`
	}
	create := `{"QueueName":"tagged","tags":{"Env":"test"}}`
	tests := map[string]struct {
		statements, action, body string
		want                     bool
	}{
		"address":               {allow("sqs:ListQueues", `{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`), "ListQueues", `{}`, true},
		"another address":       {allow("sqs:ListQueues", `{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`), "ListQueues", `{}`, false},
		"plain HTTP":            {allow("sqs:ListQueues", `{"Bool":{"aws:SecureTransport":"true"}}`), "ListQueues", `{}`, false},
		"user":                  {allow("sqs:ListQueues", `{"StringEquals":{"aws:username":"user"}}`), "ListQueues", `{}`, true},
		"principal":             {allow("sqs:ListQueues", `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/u*"}}`), "ListQueues", `{}`, true},
		"account":               {allow("sqs:ListQueues", `{"StringEquals":{"aws:PrincipalAccount":"111122223333","aws:ResourceAccount":"111122223333"}}`), "ListQueues", `{}`, true},
		"region":                {allow("sqs:ListQueues", `{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}`), "ListQueues", `{}`, false},
		"time":                  {allow("sqs:ListQueues", `{"DateGreaterThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"},"NumericGreaterThan":{"aws:EpochTime":"1500000000"}}`), "ListQueues", `{}`, true},
		"tag of the queue":      {allow("sqs:SendMessage", `{"StringEquals":{"aws:ResourceTag/team":"red"}}`), "SendMessage", aim(walk["SendMessage"], mine, "orders", ""), true},
		"other tag":             {allow("sqs:SendMessage", `{"StringEquals":{"aws:ResourceTag/team":"blue"}}`), "SendMessage", aim(walk["SendMessage"], mine, "orders", ""), false},
		"tags to make":          {allow("sqs:CreateQueue", `{"StringEquals":{"aws:RequestTag/env":"test"}}`) + `,` + allow("sqs:TagQueue", `{"ForAllValues:StringEquals":{"aws:TagKeys":["Env"]}}`), "CreateQueue", create, true},
		"the last of a tag":     {allow("sqs:*", `{"StringEquals":{"aws:RequestTag/env":"test"}}`), "CreateQueue", `{"QueueName":"twice","tags":{"Env":"test","Env":"prod"}}`, false},
		"tags without TagQueue": {allow("sqs:CreateQueue", `{"StringEquals":{"aws:RequestTag/env":"test"}}`), "CreateQueue", create, false},
		"tags to remove":        {allow("sqs:UntagQueue", `{"ForAnyValue:StringEquals":{"aws:TagKeys":["x"]}}`), "UntagQueue", aim(walk["UntagQueue"], mine, "orders", ""), false},
	}
	p := people{}
	p.add("owner", mine, "root")
	f := startFor(t, p, true)
	f.as(t, "owner", "CreateQueue", `{"QueueName":"orders","tags":{"team":"red"}}`).want(t, http.StatusOK)
	for name, tt := range tests {
		p.add("user", mine, tt.statements)
		if got := f.as(t, "user", tt.action, tt.body); (got.status == http.StatusOK) != tt.want {
			t.Errorf("%s: got %d %s, want allowed %v", name, got.status, got.body, tt.want)
		}
	}
	p.add("user", mine, allow("sqs:*", `{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}`))
	for _, url := range []string{"http://localhost:4566/queue/eu-west-1/111122223333/orders", "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"} { // with a signature for us-east-1
		f.as(t, "user", "ReceiveMessage", `{"QueueUrl":"`+url+`"}`).want(t, http.StatusForbidden, denied)
	}
}

// Of a tag that is there twice the last counts, for the policies as for the queue.
func TestConditionKeysOfATagTwice(t *testing.T) {
	t.Parallel()
	tags := aws.Map[string]{{Key: "env", Value: "test"}, {Key: "env", Value: "prod"}}
	keys := conditionKeys{in: &tagQueueRequest{Tags: tags}}
	if got := keys.values("aws:requesttag/env"); !slices.Equal(got, []string{"prod"}) {
		t.Errorf("policies see %q", got)
	}
	if got, err := newTags("orders", tags); err != nil || got["env"] != "prod" {
		t.Errorf("the queue gets %q, %v", got, err)
	}
}

// A topic sends to a queue where its policy lets it: within an account where policies are enforced, and always
// between accounts.
func TestTopicsNeedTheQueuesPolicy(t *testing.T) {
	t.Parallel()
	const news = "arn:aws:sns:us-east-1:111122223333:news"
	allow := func(principal, source string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":"sqs:SendMessage","Resource":"*","Condition":{"ArnEquals":{"aws:SourceArn":"` + source + `"}}}]}`
	}
	const service = `{"Service":"sns.amazonaws.com"}`
	tests := map[string]struct {
		policy, owner, format string
		enforced, verified    bool
	}{
		"no policy":              {"", mine, "sns", false, true},
		"no policy, MNS":         {"", mine, "mns", true, true},
		"no policy, others'":     {"", others, "sns", false, false},
		"by its ARN":             {allow(service, news), mine, "sns", true, true},
		"by its ARN, others'":    {allow(service, news), others, "sns", true, true},
		"everyone by its ARN":    {allow(`"*"`, news), others, "sns", true, true},
		"another topic":          {allow(service, news+"2"), others, "sns", false, false},
		"another service":        {allow(`{"Service":"s3.amazonaws.com"}`, news), others, "sns", false, false},
		"a policy that is none":  {`{"Statement":[{}]}`, others, "sns", false, false},
		"only the topic's owner": {strings.Replace(allow(service, mine), "ArnEquals\":{\"aws:SourceArn", "StringEquals\":{\"aws:SourceAccount", 1), others, "sns", true, true},
	}
	for name, tt := range tests {
		for _, enforce := range []bool{false, true} {
			s := &Server{callers: &caller.Options{Verify: true, Access: caller.NewAccess(people{}, enforce)}}
			topic := &core.Topic{Name: core.TopicName{Account: mine, Region: "us-east-1", Name: "news"}}
			queue := &core.Queue{Name: core.QueueName{Account: tt.owner, Region: "us-east-1", Name: "orders"}, Attributes: map[string]string{policyKey: tt.policy}}
			want := tt.verified
			if enforce {
				want = tt.enforced
			}
			if got := s.takesFrom(topic, &core.Subscription{Format: tt.format}, queue); got != want {
				t.Errorf("%s, enforce %v: got %v, want %v", name, enforce, got, want)
			}
		}
	}
}

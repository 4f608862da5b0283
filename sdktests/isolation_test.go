package sdktests

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/uuid"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/aliyunsts"
	"github.com/polymq/polymq/protocols/coverage"
	"github.com/polymq/polymq/protocols/dybase"
	"github.com/polymq/polymq/protocols/iam"
	"github.com/polymq/polymq/protocols/mns"
	"github.com/polymq/polymq/protocols/ram"
	"github.com/polymq/polymq/protocols/smq"
	"github.com/polymq/polymq/protocols/sns"
	sqswire "github.com/polymq/polymq/protocols/sqs"
	"github.com/polymq/polymq/protocols/sts"
)

// What the owner has is called present; nobody has anything that is called missing. What the owner wrote into it has
// the first of the marks.
const present, missing = "present", "missing"

var marks = []string{"striped", `"` + accountA + `"`, ">" + accountA + "<"}

// walker is who asks.
type walker struct {
	v   *verifying
	key core.Key
}

// TestIsolationOfEveryProtocol walks every action of every protocol, on the wire, with an account's own key: what another
// account has is answered as what nobody has, nothing of it is shown, and nothing happens to it. The actions are those
// of the protocols' tables, and the parameters are all that any of them knows, so that a new action is walked as well.
// The same requests by the owner show that they are not refused for what they lack.
func TestIsolationOfEveryProtocol(t *testing.T) {
	t.Parallel()
	for auth, startServer := range map[string]func(*testing.T, string) *verifying{"verify": startVerifying, "enforce": startEnforcing} {
		t.Run(auth, func(t *testing.T) {
			t.Parallel()
			v := startServer(t, pgtest.DatabaseURL(t))
			owner := walker{v, v.key(t, core.NewKey{Account: accountA, ID: "AKIDOWNERSOWN"})}
			others := [2]walker{{v, v.key(t, core.NewKey{Account: accountB})}, {v, v.key(t, core.NewKey{Account: accountC})}}
			v.furnish(t)
			before := v.furniture(t)
			for _, w := range walks {
				for _, action := range w.actions() {
					if action.Done {
						compare(t, others, w, action.Name)
					}
				}
			}
			if after := v.furniture(t); after != before {
				t.Errorf("afterwards the owner has\n%s\nbefore it was\n%s", after, before)
			}
			for _, w := range walks {
				owner.walk(t, w)
			}
		})
	}
}

// walk is how the actions of a protocol are asked for.
type walk struct {
	name    string
	actions func() []coverage.Action
	request func(w walker, t *testing.T, action, account, name string) *http.Request
	shared  []string // actions by which an account may ask for others' things, as in the cloud
	vacuous string   // what answers say where a request lacks something
}

var walks = []walk{
	{"SQS, JSON", sqswire.Actions, walker.sqsJSON, nil, `MissingParameter|InvalidParameterValue|InvalidAddress|EmptyBatch`},
	{"SQS, query", sqswire.Actions, walker.sqsQuery, nil, `MissingParameter|InvalidParameterValue|InvalidAddress|EmptyBatch`},
	{"SNS", sns.Actions, awsWalk("sns", sns.Version, snsParameters), nil, `ParameterValueInvalid|ValidationError`},
	{"STS", sts.Actions, awsWalk("sts", sts.Version, stsParameters), []string{"GetAccessKeyInfo"}, `ValidationError|Malformed`},
	{"IAM", iam.Actions, awsWalk("iam", iam.Version, iamParameters), []string{"CreateAccountAlias"}, `ValidationError|InvalidInput|Malformed`},
	{"MNS", mns.Actions, walker.mnsXML, nil, `InvalidQueryParams|MalformedXML|InvalidArgument`},
	{"MNS, JSON", mns.Actions, walker.mnsJSON, nil, `InvalidQueryParams|MalformedXML|InvalidArgument`},
	{"SMQ", smq.Actions, aliyunWalk(smq.Version, smqParameters), nil, `"Code":"Missing|InvalidParameter`},
	{"Alibaba's STS", aliyunsts.Actions, aliyunWalk(aliyunsts.Version, func(_, account, name string) map[string]string {
		return map[string]string{"RoleArn": "acs:ram::" + account + ":role/" + name, "RoleSessionName": "walk"}
	}), nil, `"Code":"Missing|InvalidParameter`},
	{"RAM", ram.Actions, aliyunWalk(ram.Version, ramParameters), []string{"SetAccountAlias"}, `"Code":"Missing|InvalidParameter`},
	{"receipts", dybase.Actions, aliyunWalk(dybase.Version, func(_, _, name string) map[string]string {
		return map[string]string{"MessageType": "SmsReport", "QueueName": name}
	}), nil, `"Code":"Missing|InvalidParameter`},
}

const accountC = "777788889999"

// compare asks for what the owner has, and as another account for what nobody has: so both have made the same of their
// own before.
func compare(t *testing.T, others [2]walker, in walk, action string) {
	t.Helper()
	status, there := others[0].ask(t, in.request(others[0], t, action, accountA, present))
	statusNone, none := others[1].ask(t, in.request(others[1], t, action, accountA, missing))
	for _, mark := range marks {
		if strings.Contains(there, mark) && !slices.Contains(in.shared, action) {
			t.Errorf("%s %s shows %s: %s", in.name, action, mark, there)
		}
	}
	if a, b := plain(there), plain(asPresent.Replace(none)); (status != statusNone || a != b) && !slices.Contains(in.shared, action) {
		t.Errorf("%s %s: got %d\n%s\nwhere there is none: %d\n%s", in.name, action, status, there, statusNone, none)
	}
	if status >= http.StatusInternalServerError {
		t.Errorf("%s %s: %d %s", in.name, action, status, there)
	}
}

// walk asks as the owner: what only looks first, what takes away last.
func (w walker) walk(t *testing.T, in walk) {
	t.Helper()
	actions := in.actions()
	last := func(a coverage.Action) int {
		for i, verb := range []string{"Create", "List", "Get", "", "Remove", "Detach", "Cancel", "Disable", "Delete", "Batch", "Clear"} {
			if verb != "" && strings.HasPrefix(a.Name, verb) {
				return i
			}
		}
		return 3
	}
	slices.SortStableFunc(actions, func(a, b coverage.Action) int { return last(a) - last(b) })
	vacuous := regexp.MustCompile(in.vacuous)
	for _, action := range actions {
		if !action.Done {
			continue
		}
		if status, answer := w.ask(t, in.request(w, t, action.Name, accountA, present)); vacuous.MatchString(answer) || strings.Contains(answer, "AccessDenied") || strings.Contains(answer, "AuthorizationError") {
			t.Errorf("%s %s by the owner: %d %s", in.name, action.Name, status, answer)
		}
	}
}

func (w walker) ask(t *testing.T, r *http.Request) (int, string) {
	t.Helper()
	return roundTrip(t, r)
}

// chance is what differs from answer to answer: ids, keys, times, signatures.
var chance = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ][\d:.]+Z?|"seen_seconds_ago":[\d.]+|[A-Za-z0-9+/=_-]{16,}|\b1\d{9}\b|\+?\d{13,18}`)

// asPresent is what the one account was told of what nobody has as the other is told of what the owner has.
var asPresent = strings.NewReplacer(missing, present, accountC, accountB, "AKIDNOBODYSOWN", "AKIDOWNERSOWN")

func plain(answer string) string { return chance.ReplaceAllString(answer, "…") }

// signedFor signs a request for a service of AWS's.
func (w walker) signedFor(t *testing.T, service string, r *http.Request, body string) *http.Request {
	t.Helper()
	sum := sha256.Sum256([]byte(body))
	who := aws.Credentials{AccessKeyID: w.key.ID, SecretAccessKey: string(w.key.Secret)}
	if err := v4.NewSigner().SignHTTP(t.Context(), who, r, hex.EncodeToString(sum[:]), service, "us-east-1", time.Now()); err != nil {
		t.Fatal(err)
	}
	return r
}

func (w walker) post(t *testing.T, path, contentType, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.v.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	return r
}

func queueARN(account, name string) string { return "arn:aws:sqs:us-east-1:" + account + ":" + name }

func taskHandle(account, name string) string {
	return base64.StdEncoding.EncodeToString([]byte(`{"taskId":"00000000-0000-4000-8000-000000000000","sourceArn":"` + queueARN(account, name) + `"}`))
}

func (w walker) sqsJSON(t *testing.T, action, account, name string) *http.Request {
	t.Helper()
	all := map[string]any{
		"QueueUrl": w.v.url + "/" + account + "/" + name, "QueueName": name, "QueueOwnerAWSAccountId": account, "SourceArn": queueARN(account, name), "TaskHandle": taskHandle(account, name),
		"Label": "x", "AWSAccountIds": []string{"123456789012"}, "Actions": []string{"SendMessage"}, "ReceiptHandle": "AAAA", "VisibilityTimeout": 0, "MessageBody": "x",
		"Entries":        []any{map[string]any{"Id": "a", "MessageBody": "x", "ReceiptHandle": "AAAA", "VisibilityTimeout": 0}},
		"AttributeNames": []string{"All"}, "Attributes": map[string]string{"DelaySeconds": "0"}, "Tags": map[string]string{"a": "b"}, "TagKeys": []string{"a"},
	}
	if action == "CreateQueue" {
		delete(all, "Tags") // of a queue that is there
	}
	body, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	r := w.post(t, "/", "application/x-amz-json-1.0", string(body))
	r.Header.Set("X-Amz-Target", "AmazonSQS."+action)
	return w.signedFor(t, "sqs", r, string(body))
}

func (w walker) sqsQuery(t *testing.T, action, account, name string) *http.Request {
	t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2012-11-05"}}
	for parameter, value := range map[string]string{
		"QueueUrl": w.v.url + "/" + account + "/" + name, "QueueName": name, "QueueOwnerAWSAccountId": account, "SourceArn": queueARN(account, name), "TaskHandle": taskHandle(account, name),
		"Label": "y", "AWSAccountId.1": "123456789012", "ActionName.1": "SendMessage", "ReceiptHandle": "AAAA", "VisibilityTimeout": "0", "MessageBody": "x",
		"AttributeName.1": "All", "Attribute.1.Name": "DelaySeconds", "Attribute.1.Value": "0", "TagKey.1": "a",
	} {
		form.Set(parameter, value)
	}
	if action == "TagQueue" {
		form.Set("Tag.1.Key", "a")
		form.Set("Tag.1.Value", "b")
	}
	for _, entry := range []string{"SendMessage", "DeleteMessage", "ChangeMessageVisibility"} {
		for member, value := range map[string]string{"Id": "a", "MessageBody": "x", "ReceiptHandle": "AAAA", "VisibilityTimeout": "0"} {
			form.Set(entry+"BatchRequestEntry.1."+member, value)
		}
	}
	return w.signedFor(t, "sqs", w.post(t, "/", "application/x-www-form-urlencoded", form.Encode()), form.Encode())
}

// awsWalk asks for actions of the query protocol.
func awsWalk(service, version string, parameters func(action, account, name string) map[string]string) func(walker, *testing.T, string, string, string) *http.Request {
	return func(w walker, t *testing.T, action, account, name string) *http.Request {
		t.Helper()
		form := url.Values{"Action": {action}, "Version": {version}}
		for parameter, value := range parameters(action, account, name) {
			form.Set(parameter, value)
		}
		return w.signedFor(t, service, w.post(t, "/", "application/x-www-form-urlencoded", form.Encode()), form.Encode())
	}
}

func snsParameters(action, account, name string) map[string]string {
	arn := "arn:aws:sns:us-east-1:" + account + ":"
	all := map[string]string{
		"TopicArn": arn + name, "ResourceArn": arn + name, "SubscriptionArn": arn + name + ":00000000-0000-4000-8000-000000000000", "PlatformApplicationArn": arn + "app/GCM/" + name,
		"EndpointArn": arn + "endpoint/GCM/" + name + "/00000000-0000-4000-8000-000000000000", "Name": name, "Platform": "GCM", "PhoneNumber": "+12025550123", "phoneNumber": "+12025550123",
		"Label": "x", "AWSAccountId.member.1": "123456789012", "ActionName.member.1": "Publish", "Token": "0123", "Protocol": "sqs", "Endpoint": queueARN(account, name), "OneTimePassword": "123456",
		"Message": "x", "PublishBatchRequestEntries.member.1.Id": "a", "PublishBatchRequestEntries.member.1.Message": "x", "DataProtectionPolicy": `{"Name":"x","Version":"2021-06-01","Statement":[]}`,
		"Attributes.entry.1.key": "Enabled", "Attributes.entry.1.value": "true", "attributes.entry.1.key": "DefaultSMSType", "attributes.entry.1.value": "Promotional",
		"AttributeName": "RawMessageDelivery", "AttributeValue": "true", "Tags.member.1.Key": "k", "Tags.member.1.Value": "v", "TagKeys.member.1": "k",
	}
	switch action {
	case "CreatePlatformApplication":
		all["Attributes.entry.1.key"], all["Attributes.entry.1.value"] = "PlatformCredential", "c"
	case "SetTopicAttributes":
		all["AttributeName"], all["AttributeValue"] = "DisplayName", "x"
	case "Publish", "PublishBatch":
		delete(all, "PhoneNumber") // one of three to publish to
	case "CreateTopic", "Subscribe":
		delete(all, "Attributes.entry.1.key")
		delete(all, "Attributes.entry.1.value")
		delete(all, "Tags.member.1.Key")
		delete(all, "Tags.member.1.Value")
	}
	return all
}

func stsParameters(_, account, name string) map[string]string {
	keys := map[string]string{present: "AKIDOWNERSOWN", missing: "AKIDNOBODYSOWN"}
	return map[string]string{"RoleArn": "arn:aws:iam::" + account + ":role/" + name, "RoleSessionName": "walk", "Name": name, "AccessKeyId": keys[name]}
}

func iamParameters(action, account, name string) map[string]string {
	const allow = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}`
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":"sts:AssumeRole"}]}`
	keys := map[string]string{present: "AKIDOWNERSOWN", missing: "AKIDNOBODYSOWN"}
	arn := "arn:aws:iam::" + account + ":policy/" + name
	all := map[string]string{
		"UserName": name, "GroupName": name, "RoleName": name, "PolicyName": name, "PolicyArn": arn, "PermissionsBoundary": arn, "AccessKeyId": keys[name], "Status": "Active", "VersionId": "v1",
		"AccountAlias": name, "PolicyDocument": allow, "AssumeRolePolicyDocument": trust, "PolicySourceArn": "arn:aws:iam::" + account + ":user/" + name, "ActionNames.member.1": "sqs:SendMessage",
		"PolicyInputList.member.1": allow, "Tags.member.1.Key": "k", "Tags.member.1.Value": "v", "TagKeys.member.1": "k", "Description": "x", "SetAsDefault": "false",
	}
	switch action {
	case "CreateUser", "CreateRole":
		delete(all, "PermissionsBoundary") // which is asked for in actions of their own
	case "UpdateAssumeRolePolicy":
		all["PolicyDocument"] = trust
	}
	return all
}

// aliyunWalk asks for actions of Alibaba's OpenAPI, signed as its older clients do.
func aliyunWalk(version string, parameters func(action, account, name string) map[string]string) func(walker, *testing.T, string, string, string) *http.Request {
	return func(w walker, t *testing.T, action, account, name string) *http.Request {
		t.Helper()
		query := url.Values{
			"Action": {action}, "Version": {version}, "AccessKeyId": {w.key.ID}, "Format": {"JSON"}, "SignatureMethod": {"HMAC-SHA1"}, "SignatureVersion": {"1.0"},
			"SignatureNonce": {uuid.NewString()}, "Timestamp": {time.Now().UTC().Format("2006-01-02T15:04:05Z")},
		}
		for parameter, value := range parameters(action, account, name) {
			query.Set(parameter, value)
		}
		escape := func(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }
		canonical := strings.ReplaceAll(query.Encode(), "+", "%20")
		mac := hmac.New(sha1.New, []byte(string(w.key.Secret)+"&"))
		_, _ = io.WriteString(mac, "POST&%2F&"+escape(canonical))
		query.Set("Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.v.url+"/?"+strings.ReplaceAll(query.Encode(), "+", "%20"), nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
}

func smqParameters(action, account, name string) map[string]string {
	endpoint := "acs:mns:us-east-1:" + account + ":/queues/" + name
	all := map[string]string{
		"QueueName": name, "TopicName": name, "SubscriptionName": name, "PushType": "queue", "Endpoint": endpoint, "ResourceType": "queue", "ResourceId.1": name, "Tag.1.Key": "k", "Tag.1.Value": "v",
		"TagKey.1": "k", "EndpointType": "public", "AclStrategy": "allow", "CidrList": `["10.0.0.0/8"]`, "RuleName": name, "ProductName": "oss", "EventTypes": `["ObjectCreated:All"]`,
		"MatchRules": `[[{"MatchState":"true","Prefix":"a","Suffix":"b"}]]`, "Endpoints": `[{"EndpointType":"queue","EndpointValue":"` + name + `"}]`, "DeliveryMode": "BROADCAST",
	}
	if action == "CreateEventRule" {
		delete(all, "Endpoint") // which is another thing there
	}
	return all
}

func ramParameters(_, account, name string) map[string]string {
	const allow = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"mns:*","Resource":"*"}]}`
	trust := `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::` + account + `:root"]}}]}`
	keys := map[string]string{present: "AKIDOWNERSOWN", missing: "AKIDNOBODYSOWN"}
	return map[string]string{
		"UserName": name, "GroupName": name, "RoleName": name, "PolicyName": name, "PolicyType": "Custom", "PolicyDocument": allow, "AssumeRolePolicyDocument": trust, "NewAssumeRolePolicyDocument": trust,
		"UserAccessKeyId": keys[name], "Status": "Active", "VersionId": "v1", "AccountAlias": name, "NewUserName": name, "NewGroupName": name,
	}
}

// mnsRequests are MNS's actions: the method, the target and the body of each, in XML; of JSON see mnsBodies.
var mnsRequests = map[string][3]string{
	"CreateQueue":               {"PUT", "/queues/NAME", "<Queue/>"},
	"SetQueueAttributes":        {"PUT", "/queues/NAME?metaoverride=true", "<Queue/>"},
	"GetQueueAttributes":        {"GET", "/queues/NAME", ""},
	"DeleteQueue":               {"DELETE", "/queues/NAME", ""},
	"ListQueue":                 {"GET", "/queues", ""},
	"SendMessage":               {"POST", "/queues/NAME/messages", "<Message><MessageBody>x</MessageBody></Message>"},
	"BatchSendMessage":          {"POST", "/queues/NAME/messages", "<Messages><Message><MessageBody>x</MessageBody></Message></Messages>"},
	"PeekMessage":               {"GET", "/queues/NAME/messages?peekonly=true", ""},
	"BatchPeekMessage":          {"GET", "/queues/NAME/messages?peekonly=true&numOfMessages=2", ""},
	"ReceiveMessage":            {"GET", "/queues/NAME/messages", ""},
	"BatchReceiveMessage":       {"GET", "/queues/NAME/messages?numOfMessages=2", ""},
	"DeleteMessage":             {"DELETE", "/queues/NAME/messages?ReceiptHandle=x", ""},
	"BatchDeleteMessage":        {"DELETE", "/queues/NAME/messages", "<ReceiptHandles><ReceiptHandle>x</ReceiptHandle></ReceiptHandles>"},
	"ChangeMessageVisibility":   {"PUT", "/queues/NAME/messages?receiptHandle=x&visibilityTimeout=1", ""},
	"CreateTopic":               {"PUT", "/topics/NAME", "<Topic/>"},
	"SetTopicAttributes":        {"PUT", "/topics/NAME?metaoverride=true", "<Topic/>"},
	"GetTopicAttributes":        {"GET", "/topics/NAME", ""},
	"DeleteTopic":               {"DELETE", "/topics/NAME", ""},
	"ListTopic":                 {"GET", "/topics", ""},
	"PublishMessage":            {"POST", "/topics/NAME/messages", "<Message><MessageBody>x</MessageBody></Message>"},
	"Subscribe":                 {"PUT", "/topics/NAME/subscriptions/NAME", "<Subscription><Endpoint>acs:mns:us-east-1:ACCOUNT:queues/NAME</Endpoint></Subscription>"},
	"SetSubscriptionAttributes": {"PUT", "/topics/NAME/subscriptions/NAME?metaoverride=true", "<Subscription><NotifyStrategy>BACKOFF_RETRY</NotifyStrategy></Subscription>"},
	"GetSubscriptionAttributes": {"GET", "/topics/NAME/subscriptions/NAME", ""},
	"Unsubscribe":               {"DELETE", "/topics/NAME/subscriptions/NAME", ""},
	"ListSubscriptionByTopic":   {"GET", "/topics/NAME/subscriptions", ""},
	"SetAccountAttributes":      {"PUT", "/?accountmeta=true", "<Account/>"},
	"GetAccountAttributes":      {"GET", "/?accountmeta=true", ""},
	"GetAccount":                {"GET", "/?account=ACCOUNT", ""},
	"OpenService":               {"POST", "/commonbuy/openservice", ""},
}

func (w walker) mnsXML(t *testing.T, action, account, name string) *http.Request {
	t.Helper()
	return w.mnsRequest(t, action, account, name, "2015-06-06")
}

func (w walker) mnsJSON(t *testing.T, action, account, name string) *http.Request {
	t.Helper()
	return w.mnsRequest(t, action, account, name, "2026-04-09")
}

func (w walker) mnsRequest(t *testing.T, action, account, name, version string) *http.Request {
	t.Helper()
	in, known := mnsRequests[action]
	if !known {
		t.Fatalf("MNS's %s is not walked", action)
	}
	names := strings.NewReplacer("NAME", name, "ACCOUNT", account)
	target, body := names.Replace(in[1]), names.Replace(in[2])
	if version != "2015-06-06" {
		body = mnsBodies[action]
	}
	return w.mnsSigned(t, in[0], target, version, body)
}

func (w walker) mnsSigned(t *testing.T, method, target, version, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.v.url+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	const contentType = "text/xml;charset=utf-8"
	date := time.Now().UTC().Format(http.TimeFormat)
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("Date", date)
	r.Header.Set("X-Mns-Version", version)
	mac := hmac.New(sha1.New, []byte(w.key.Secret))
	_, _ = io.WriteString(mac, method+"\n\n"+contentType+"\n"+date+"\nx-mns-version:"+version+"\n"+target)
	r.Header.Set("Authorization", "MNS "+w.key.ID+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return r
}

// mnsBodies are bodies in JSON, which only messages have.
var mnsBodies = map[string]string{
	"SendMessage": `{"MessageBody":"x"}`, "PublishMessage": `{"MessageBody":"x"}`, "BatchSendMessage": `{"Messages":[{"MessageBody":"x"}]}`, "BatchDeleteMessage": `{"ReceiptHandles":["x"]}`,
}

// furnish gives the owner one of everything.
func (v *verifying) furnish(t *testing.T) {
	t.Helper()
	b, ctx := v.server.Broker(), context.Background()
	named := func(kind core.IdentityKind, cloud string) core.IdentityName {
		return core.IdentityName{Account: accountA, Kind: kind, Cloud: cloud, Name: present}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const allow, allowRAM = `{"Version":"2012-10-17","Statement":[{"Sid":"striped","Effect":"Allow","Action":"sqs:*","Resource":"*"}]}`, `{"Version":"1","Statement":[{"Effect":"Allow","Action":"striped:*","Resource":"*"}]}`
	trust := `{"Version":"2012-10-17","Statement":[{"Sid":"striped","Effect":"Allow","Principal":{"AWS":"` + accountA + `"},"Action":"sts:AssumeRole"}]}`
	trustRAM := `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::` + accountA + `:root"]}}]}`
	queue := core.QueueName{Account: accountA, Region: "us-east-1", Name: present}
	settings := core.DefaultSettings()
	_, _, err := b.CreateQueue(ctx, core.NewQueue{Name: queue, Settings: settings})
	must(err)
	striped := "striped"
	_, err = b.AlterQueue(ctx, queue, core.QueueChange{Tags: map[string]*string{"note": &striped}})
	must(err)
	_, err = b.SendMessages(ctx, core.SendInput{Queue: queue, Messages: []core.NewMessage{{Body: []byte(striped)}}})
	must(err)
	feeder := settings
	feeder.DeadLetter = core.DeadLetterPolicy{Target: present, MaxReceives: 3}
	_, _, err = b.CreateQueue(ctx, core.NewQueue{Name: core.QueueName{Account: accountA, Region: "us-east-1", Name: "striped"}, Settings: feeder})
	must(err)
	topic := core.TopicName(queue)
	_, _, err = b.CreateTopic(ctx, core.NewTopic{Name: topic, Settings: core.DefaultTopicSettings()})
	must(err)
	_, err = b.AlterTopic(ctx, topic, core.TopicChange{Tags: map[string]*string{"note": &striped}})
	must(err)
	_, _, err = b.Subscribe(ctx, core.NewSubscription{Name: core.SubscriptionName{Topic: topic, Name: present}, Format: "mns", Protocol: "http", Endpoint: "http://striped.invalid/"})
	must(err)
	_, _, err = b.Subscribe(ctx, core.NewSubscription{Name: core.SubscriptionName{Topic: topic, Name: "00000000-0000-4000-8000-000000000000"}, Format: "sns", Protocol: "sms", Endpoint: "+12025550199"})
	must(err)
	for _, cloud := range []string{core.AWS, core.RAM} {
		text, trusted := allow, trust
		if cloud == core.RAM {
			text, trusted = allowRAM, trustRAM
		}
		_, err = b.CreateIdentity(ctx, core.Identity{IdentityName: named(core.Role, cloud), Description: striped, Trust: trusted})
		must(err)
		_, err = b.CreatePolicy(ctx, core.Policy{PolicyName: core.PolicyName{Account: accountA, Cloud: cloud, Name: present}, Description: striped}, text)
		must(err)
	}
	_, err = b.CreateIdentity(ctx, core.Identity{IdentityName: named(core.User, ""), Description: striped})
	must(err)
	_, err = b.CreateIdentity(ctx, core.Identity{IdentityName: named(core.Group, ""), Description: striped})
	must(err)
	must(b.JoinGroup(ctx, accountA, present, present))
	_, err = b.CreateKey(ctx, core.NewKey{Account: accountA, User: present})
	must(err)
	owner := walker{v, core.Key{ID: "AKIDOWNERSOWN", Secret: v.secretOf(t, "AKIDOWNERSOWN")}}
	_, answer := owner.ask(t, awsWalk("sns", sns.Version, snsParameters)(owner, t, "CreatePlatformApplication", accountA, present))
	if !strings.Contains(answer, "<PlatformApplicationArn>") {
		t.Fatal(answer)
	}
}

func (v *verifying) secretOf(t *testing.T, id string) core.Secret {
	t.Helper()
	key, err := v.server.Broker().Key(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return key.Secret
}

// furniture is all that the owner has, as the JSON API tells its administrator.
func (v *verifying) furniture(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, path := range []string{"/queues", "/queues/" + present, "/queues/" + present + "/messages", "/topics", "/topics/" + present, "/topics/" + present + "/subscriptions", "/users", "/users/" + present, "/groups",
		"/groups/" + present, "/roles", "/policies", "/keys", "/alerts"} {
		all.WriteString(path + ": " + v.api(t, http.MethodGet, path+"?account="+accountA, "") + "\n")
	}
	return all.String()
}

// TestIsolationOfTheAPI walks every operation of the JSON API's own document with another account's key, for the owner's
// account by its number, and for things of the names that the owner's have.
func TestIsolationOfTheAPI(t *testing.T) {
	t.Parallel()
	v := startEnforcing(t, "")
	v.key(t, core.NewKey{Account: accountA, ID: "AKIDOWNERSOWN"})
	other, another := v.key(t, core.NewKey{Account: accountB}), v.key(t, core.NewKey{Account: accountC})
	v.furnish(t)
	before := v.furniture(t)
	var document struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal([]byte(v.api(t, http.MethodGet, "/openapi.json", "")), &document); err != nil {
		t.Fatal(err)
	}
	ask := func(as core.Key, method, path, query, name string) (int, string) {
		t.Helper()
		path = regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(path, name)
		r, err := http.NewRequestWithContext(t.Context(), strings.ToUpper(method), v.url+path+query, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+as.ID+":"+string(as.Secret))
		r.Header.Set("Content-Type", "application/json")
		return roundTrip(t, r)
	}
	walked := 0
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		for method := range document.Paths[path] {
			walked++
			if status, answer := ask(other, method, path, "?account="+accountA, present); status != http.StatusForbidden {
				t.Errorf("%s %s of the owner's account: %d %s", method, path, status, answer)
			}
			status, there := ask(other, method, path, "", present)
			statusNone, none := ask(another, method, path, "", missing)
			if a, b := plain(there), plain(asPresent.Replace(none)); status != statusNone || a != b && path != "/api/v1/audit" || status >= http.StatusInternalServerError { // each sees its own calls in the log
				t.Errorf("%s %s: got %d\n%s\nwhere there is none: %d\n%s", method, path, status, there, statusNone, none)
			}
			shown := strings.ReplaceAll(there, `"requestParameters":{"account":"`+accountA+`"`, "") // in the log of who asked for it
			for _, mark := range marks {
				if strings.Contains(shown, mark) {
					t.Errorf("%s %s shows %s: %s", method, path, mark, there)
				}
			}
		}
	}
	if after := v.furniture(t); walked < 60 || after != before {
		t.Errorf("after %d operations the owner has\n%s\nbefore it was\n%s", walked, after, before)
	}
}

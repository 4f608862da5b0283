package sns

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

func TestCreateTopicIsIdempotent(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t, params("Attributes.entry.1.key=DisplayName Attributes.entry.1.value=Orders Tags.member.1.Key=a Tags.member.1.Value=b Tags.member.2.Key=c Tags.member.2.Value=")...)
	for name, again := range map[string]string{
		"nothing given":     "",
		"the same given":    "Attributes.entry.1.key=DisplayName Attributes.entry.1.value=Orders",
		"one tag given":     "Tags.member.1.Key=c Tags.member.1.Value=",
		"FifoTopic false":   "Attributes.entry.1.key=FifoTopic Attributes.entry.1.value=false",
		"names as in a map": "Attributes.entry.1.Name=DisplayName Attributes.entry.1.Value=Orders",
	} {
		if got := f.ok(t, "CreateTopic", append(params(again), "Name", "orders")...).text(t, "TopicArn"); got != ordersARN {
			t.Errorf("%s: got %s", name, got)
		}
	}
	if _, shown := f.ok(t, "GetTopicAttributes", "TopicArn", ordersARN).attributes()["FifoTopic"]; shown {
		t.Error("a standard topic shows FifoTopic")
	}
	f.ok(t, "DeleteTopic", "TopicArn", ordersARN)
	f.ok(t, "DeleteTopic", "TopicArn", ordersARN) // again
	f.orders(t, params("Tags.member.1.Key=z Tags.member.1.Value=y")...)
	if got := f.ok(t, "ListTagsForResource", "ResourceArn", ordersARN).text(t, "Key"); got != "z" {
		t.Errorf("got tag %s, want z", got)
	}
}

func TestTopicAttributes(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	got := f.ok(t, "GetTopicAttributes", "TopicArn", ordersARN).attributes()
	want := map[string]string{
		"TopicArn": ordersARN, "Owner": "000000000000", "DisplayName": "", "SubscriptionsConfirmed": "0", "SubscriptionsPending": "0", "SubscriptionsDeleted": "0",
		"EffectiveDeliveryPolicy": `{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":20,"maxDelayTarget":20,"numRetries":3,"numMaxDelayRetries":0,"numNoDelayRetries":0,"numMinDelayRetries":0,"backoffFunction":"linear"},"disableSubscriptionOverrides":false,"defaultRequestPolicy":{"headerContentType":"text/plain; charset=UTF-8"}}}`,
		"Policy":                  `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID","Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic","SNS:Publish"],"Resource":"` + ordersARN + `","Condition":{"StringEquals":{"AWS:SourceOwner":"000000000000"}}}]}`,
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s: got  %s\nwant %s", name, got[name], value)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("shown though never set: %v", got)
	}
	for name, tt := range map[string]struct{ set, shown string }{
		"DisplayName":                  {"Orders", "Orders"},
		"SignatureVersion":             {"2", "2"},
		"TracingConfig":                {"Active", "Active"},
		"KmsMasterKeyId":               {"alias/aws/sns", "alias/aws/sns"},
		"MaximumMessageSize":           {"1048576", "1048576"},
		"SQSSuccessFeedbackSampleRate": {"50", "50"},
		"LambdaFailureFeedbackRoleArn": {"arn:aws:iam::000000000000:role/r", "arn:aws:iam::000000000000:role/r"},
		"Policy":                       {`{"Version":"2012-10-17","Statement":[]}`, `{"Version":"2012-10-17","Statement":[]}`},
		"DeliveryPolicy":               {`{"http":{"defaultHealthyRetryPolicy":{"numRetries":5}}}`, `{"http":{"defaultHealthyRetryPolicy":{"numRetries":5},"disableSubscriptionOverrides":false}}`},
	} {
		f.ok(t, "SetTopicAttributes", "TopicArn", ordersARN, "AttributeName", name, "AttributeValue", tt.set)
		if got := f.ok(t, "GetTopicAttributes", "TopicArn", ordersARN).attributes()[name]; got != tt.shown {
			t.Errorf("%s: got %s, want %s", name, got, tt.shown)
		}
	}
	f.ok(t, "SetTopicAttributes", "TopicArn", ordersARN, "AttributeName", "Policy", "AttributeValue", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":["SNS:Publish","SNS:Receive","sns:Get*"],"Resource":"*"}]}`)
	f.ok(t, "SetTopicAttributes", "TopicArn", ordersARN, "AttributeName", "DeliveryPolicy", "AttributeValue", "")
	if got, shown := f.ok(t, "GetTopicAttributes", "TopicArn", ordersARN).attributes()["DeliveryPolicy"]; shown {
		t.Errorf("a delivery policy that was removed is shown: %s", got)
	}
}

func TestTopicAttributesOutOfBounds(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	for name, value := range map[string]string{
		"DisplayName": strings.Repeat("x", 101), "SignatureVersion": "3", "TracingConfig": "On", "MaximumMessageSize": "1023", "Policy": "[]",
		"HTTPSuccessFeedbackSampleRate": "101", "DeliveryPolicy": `{"http":{"defaultHealthyRetryPolicy":{"numRetries":101}}}`, "Owner": "me",
	} {
		f.call(t, "SetTopicAttributes", "TopicArn", ordersARN, "AttributeName", name, "AttributeValue", value).wantFault(t, invalidParameter, "")
	}
	for _, value := range []string{"1024", "1048576"} {
		f.ok(t, "SetTopicAttributes", "TopicArn", ordersARN, "AttributeName", "MaximumMessageSize", "AttributeValue", value)
	}
	f.ok(t, "Publish", "TopicArn", ordersARN, "Message", strings.Repeat("x", 1<<20))
}

func TestFIFOTopicAttributes(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.ok(t, "CreateTopic", params("Name=orders.fifo Attributes.entry.1.key=FifoTopic Attributes.entry.1.value=true")...)
	got := f.ok(t, "GetTopicAttributes", "TopicArn", fifoARN).attributes()
	if got["FifoTopic"] != "true" || got["ContentBasedDeduplication"] != "false" {
		t.Errorf("got %v", got)
	}
	f.ok(t, "SetTopicAttributes", "TopicArn", fifoARN, "AttributeName", "ContentBasedDeduplication", "AttributeValue", "true")
	f.ok(t, "SetTopicAttributes", "TopicArn", fifoARN, "AttributeName", "FifoThroughputScope", "AttributeValue", "MessageGroup")
	got = f.ok(t, "GetTopicAttributes", "TopicArn", fifoARN).attributes()
	if got["FifoThroughputScope"] != "MessageGroup" || got["ContentBasedDeduplication"] != "true" {
		t.Errorf("got %v", got)
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	one := params("TopicArn=" + ordersARN + " Label=one AWSAccountId.member.1=111122223333 ActionName.member.1=Publish")
	f.ok(t, "AddPermission", one...)
	f.ok(t, "AddPermission", params("TopicArn="+ordersARN+" Label=two AWSAccountId.member.1=111122223333 AWSAccountId.member.2=444455556666 ActionName.member.1=Publish ActionName.member.2=Subscribe")...)
	f.call(t, "AddPermission", one...).wantFault(t, invalidParameter, "Invalid parameter: Statement already exists")
	policy := f.ok(t, "GetTopicAttributes", "TopicArn", ordersARN).attributes()["Policy"]
	for _, want := range []string{
		`{"Sid":"one","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"SNS:Publish","Resource":"` + ordersARN + `"}`,
		`{"Sid":"two","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::444455556666:root"]},"Action":["SNS:Publish","SNS:Subscribe"],"Resource":"` + ordersARN + `"}`,
	} {
		if !strings.Contains(policy, want) {
			t.Errorf("got %s, want %s in it", policy, want)
		}
	}
	f.ok(t, "RemovePermission", "TopicArn", ordersARN, "Label", "one")
	if policy := f.ok(t, "GetTopicAttributes", "TopicArn", ordersARN).attributes()["Policy"]; strings.Contains(policy, `"one"`) || !strings.Contains(policy, `"two"`) {
		t.Errorf("got %s", policy)
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	if body := f.call(t, "TagResource", params("ResourceArn="+ordersARN+" Tags.member.1.Key=a Tags.member.1.Value=1 Tags.member.2.Key=b Tags.member.2.Value=2")...).body; !strings.Contains(body, "<TagResourceResult") {
		t.Errorf("strict clients need the empty result: %s", body)
	}
	f.ok(t, "TagResource", params("ResourceArn="+ordersARN+" Tags.member.1.Key=a Tags.member.1.Value=3")...)
	f.ok(t, "UntagResource", params("ResourceArn="+ordersARN+" TagKeys.member.1=b TagKeys.member.2=never")...)
	got := f.ok(t, "ListTagsForResource", "ResourceArn", ordersARN)
	if keys, values := all(got.Children, "Key"), all(got.Children, "Value"); !slices.Equal(keys, []string{"a"}) || !slices.Equal(values, []string{"3"}) {
		t.Errorf("got %v and %v", keys, values)
	}
	var many []string
	for i := range 50 {
		many = append(many, fmt.Sprintf("Tags.member.%d.Key", i+1), fmt.Sprintf("k%d", i), fmt.Sprintf("Tags.member.%d.Value", i+1), "v")
	}
	f.call(t, "TagResource", append(many, "ResourceArn", ordersARN)...).wantFault(t, tagLimitExceeded, "")
	f.ok(t, "TagResource", append(many[4:], "ResourceArn", ordersARN)...)
	f.ok(t, "DeleteTopic", "TopicArn", ordersARN)
	if body := f.call(t, "ListTagsForResource", "ResourceArn", ordersARN).body; !strings.Contains(body, "<Tags></Tags>") {
		t.Errorf("got %s, want an empty list", body)
	}
}

func TestDataProtectionPolicy(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	const policy = `{"Name":"p","Statement":[]}`
	f.ok(t, "PutDataProtectionPolicy", "ResourceArn", ordersARN, "DataProtectionPolicy", policy)
	if got := f.ok(t, "GetDataProtectionPolicy", "ResourceArn", ordersARN).text(t, "DataProtectionPolicy"); got != policy {
		t.Errorf("got %s", got)
	}
	if _, shown := f.ok(t, "GetTopicAttributes", "TopicArn", ordersARN).attributes()["DataProtectionPolicy"]; shown {
		t.Error("it is no attribute of the topic")
	}
	f.call(t, "PutDataProtectionPolicy", "ResourceArn", ordersARN, "DataProtectionPolicy", strings.Repeat("x", 30721)).wantFault(t, invalidParameter, "")
	f.call(t, "GetDataProtectionPolicy", "ResourceArn", ordersARN+"x").wantFault(t, resourceNotFound, "")
}

func TestListTopicsInPages(t *testing.T) {
	t.Parallel()
	f := start(t)
	for i := range pageSize + 1 {
		name := core.TopicName{Account: pgtest.Account, Region: pgtest.Region, Name: fmt.Sprintf("t%03d", i)}
		if _, _, err := f.broker.CreateTopic(context.Background(), core.NewTopic{Name: name, Settings: core.DefaultTopicSettings()}); err != nil {
			t.Fatal(err)
		}
	}
	first := f.ok(t, "ListTopics")
	if _, err := base64.StdEncoding.DecodeString(first.text(t, "NextToken")); err != nil {
		t.Errorf("the token is not base64 as the real service's: %v", err)
	}
	second := f.ok(t, "ListTopics", "NextToken", first.text(t, "NextToken"))
	if n, more := len(all(first.Children, "TopicArn")), all(second.Children, "TopicArn"); n != pageSize || len(more) != 1 || !strings.HasSuffix(more[0], "t100") {
		t.Errorf("got %d and %v", n, more)
	}
	if _, more := find(second.Children, "NextToken"); more {
		t.Error("the last page has a token")
	}
}

// Regions and accounts are apart.
func TestRegionsAndAccounts(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	call := func(account, region, action string) document {
		r := httptest.NewRequest(http.MethodGet, "/?Action="+action, nil)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+account+"/20260101/"+region+"/sns/aws4_request, SignedHeaders=host, Signature=00")
		return f.do(t, r).document(t)
	}
	for where, want := range map[[2]string]int{{"000000000000", "us-east-1"}: 1, {"000000000000", "eu-west-1"}: 0, {"111122223333", "us-east-1"}: 0} {
		if got := len(all(call(where[0], where[1], "ListTopics").Children, "TopicArn")); got != want {
			t.Errorf("%v: got %d topics, want %d", where, got, want)
		}
	}
}

// Who accepts JSON gets it, also for parameters in the URL of a POST, and who asks for it by a parameter, as boto 2 does.
func TestAnswersInJSON(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	for name, ask := range map[string]func(*http.Request){
		"by a header":    func(r *http.Request) { r.Header.Set("Accept", "application/json") },
		"by a parameter": func(r *http.Request) { r.URL.RawQuery += "&ContentType=JSON" },
	} {
		answer := func(query string) string {
			r := httptest.NewRequest(http.MethodPost, "/?"+query, nil)
			r.Header.Set("Authorization", authorization)
			ask(r)
			return f.do(t, r).body
		}
		var got struct {
			PublishResponse struct {
				PublishResult    struct{ MessageId string }
				ResponseMetadata struct{ RequestId string }
			}
		}
		if err := json.Unmarshal([]byte(answer("Action=Publish&Message=x&TopicArn="+ordersARN)), &got); err != nil || len(got.PublishResponse.PublishResult.MessageId) != 36 || len(got.PublishResponse.ResponseMetadata.RequestId) != 36 {
			t.Errorf("%s: got %+v and %v", name, got, err)
		}
		var refused struct {
			Error     struct{ Code string }
			RequestId string
		}
		if err := json.Unmarshal([]byte(answer("Action=Publish&Message=x&TopicArn="+ordersARN+"2")), &refused); err != nil || refused.Error.Code != "NotFound" || len(refused.RequestId) != 36 {
			t.Errorf("%s: got %+v and %v", name, refused, err)
		}
	}
}

package sns

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/aws"
)

// Complaints about what is not there, or not in its form, parameter by parameter (specs/sns.md 1.4).
func TestParameters(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	sub := f.queue(t, ordersARN, "in")
	const entry = "PublishBatchRequestEntries.member."
	const elements = "Invalid parameter: %s Reason: An ARN must have at least 6 elements, not %d"
	null := func(path string) string {
		return "1 validation error detected: Value null at '" + path + "' failed to satisfy constraint: Member must not be null"
	}
	tests := map[string]struct {
		action, parameters string
		want               wireError
		message            string
	}{
		"topic to show":          {"GetTopicAttributes", "", validationError, null("topicArn")},
		"topic to delete":        {"DeleteTopic", "", validationError, null("topicArn")},
		"attribute to set":       {"SetTopicAttributes", "TopicArn=" + ordersARN, validationError, null("attributeName")},
		"subscription to show":   {"GetSubscriptionAttributes", "", validationError, null("subscriptionArn")},
		"subscription to end":    {"Unsubscribe", "", invalidParameter, "Invalid parameter: SubscriptionArn Reason: no value for required parameter"},
		"subscription's setting": {"SetSubscriptionAttributes", "SubscriptionArn=" + sub, validationError, null("attributeName")},
		"topic to subscribe to":  {"Subscribe", "Protocol=sms Endpoint=+1234567", validationError, null("topicArn")},
		"protocol":               {"Subscribe", "TopicArn=" + ordersARN + " Endpoint=+1234567", validationError, null("protocol")},
		"token":                  {"ConfirmSubscription", "TopicArn=" + ordersARN, validationError, null("token")},
		"topic of a token":       {"ConfirmSubscription", "Token=ab", validationError, null("topicArn")},
		"topic of a list":        {"ListSubscriptionsByTopic", "", validationError, null("topicArn")},
		"id of an entry":         {"PublishBatch", "TopicArn=" + ordersARN + " " + entry + "1.Message=x", validationError, null("publishBatchRequestEntries.1.member.id")},
		"message of an entry":    {"PublishBatch", "TopicArn=" + ordersARN + " " + entry + "1.Id=a " + entry + "1.Message=x " + entry + "2.Id=b", validationError, null("publishBatchRequestEntries.2.member.message")},
		"resource":               {"ListTagsForResource", "", validationError, null("resourceArn")},
		"phone":                  {"CheckIfPhoneNumberIsOptedOut", "", validationError, null("phoneNumber")},
		"phone to opt in":        {"OptInPhoneNumber", "", validationError, null("phoneNumber")},
		"password":               {"VerifySMSSandboxPhoneNumber", "PhoneNumber=+12345678", validationError, null("oneTimePassword")},
		"application's name":     {"CreatePlatformApplication", "Platform=GCM Attributes.entry.1.key=PlatformCredential Attributes.entry.1.value=c", validationError, null("name")},
		"application's platform": {"CreatePlatformApplication", "Name=a Attributes.entry.1.key=PlatformCredential Attributes.entry.1.value=c", validationError, null("platform")},
		"device's token":         {"CreatePlatformEndpoint", "PlatformApplicationArn=" + appARN, validationError, null("token")},
		"SMS attributes":         {"SetSMSAttributes", "", validationError, null("attributes")},

		"an ARN, publish":            {"Publish", "Message=x TopicArn=", invalidParameter, fmt.Sprintf(elements, "TopicArn", 1)},
		"an ARN, batch":              {"PublishBatch", "TopicArn=a:b" + batch(1, "Message=x"), invalidParameter, fmt.Sprintf(elements, "TopicArn", 2)},
		"an ARN, subscribe":          {"Subscribe", "Protocol=sms Endpoint=+1234567 TopicArn=a:b:c", invalidParameter, fmt.Sprintf(elements, "TopicArn", 3)},
		"an ARN, subscription":       {"GetSubscriptionAttributes", "SubscriptionArn=a:b:c:d", invalidParameter, fmt.Sprintf(elements, "SubscriptionArn", 4)},
		"an ARN, its setting":        {"SetSubscriptionAttributes", "AttributeName=FilterPolicy AttributeValue= SubscriptionArn=a:b:c:d:e", invalidParameter, fmt.Sprintf(elements, "SubscriptionArn", 5)},
		"an ARN, application":        {"CreatePlatformEndpoint", "Token=t PlatformApplicationArn=a:b", invalidParameter, fmt.Sprintf(elements, "PlatformApplicationArn", 2)},
		"another region's attribute": {"SetTopicAttributes", "AttributeName=DisplayName AttributeValue=x TopicArn=arn:aws:sns:eu-west-1:000000000000:orders", invalidParameter, "Invalid parameter: TopicArn"},

		"group, too long":             {"Publish", "Message=x TopicArn=" + ordersARN + " MessageGroupId=" + strings.Repeat("g", 129), invalidParameter, ""},
		"group with a blank":          {"Publish", "Message=x MessageGroupId=a_b TopicArn=" + ordersARN, invalidParameter, ""},
		"group, empty":                {"Publish", "Message=x MessageGroupId= TopicArn=" + ordersARN, invalidParameter, ""},
		"structure counts as a whole": {"Publish", "MessageStructure=json TopicArn=" + ordersARN + ` Message={"default":"x","http":"` + strings.Repeat("x", 262144) + `"}`, invalidParameter, "Invalid parameter: Message too long"},
		"batch, structure":            {"PublishBatch", "TopicArn=" + ordersARN + batch(1, `Message={"sqs":"x"} MessageStructure=json`), invalidParameter, "Invalid parameter: Message Structure - No default entry in JSON message body"},
		"batch, binary":               {"PublishBatch", "TopicArn=" + ordersARN + batch(1, "Message=x MessageAttributes.entry.1.Name=a MessageAttributes.entry.1.Value.DataType=Binary MessageAttributes.entry.1.Value.BinaryValue=!!"), invalidParameter, ""},
		"phone that is none":          {"CheckIfPhoneNumberIsOptedOut", "phoneNumber=abc", invalidParameter, "Invalid parameter: PhoneNumber Reason: input incorrectly formatted"},
		"spend limit":                 {"SetSMSAttributes", "attributes.entry.1.key=MonthlySpendLimit attributes.entry.1.value=much", invalidParameter, ""},
		"platform of another's":       {"CreatePlatformApplication", "Name=a Platform=APNS2 Attributes.entry.1.key=PlatformCredential Attributes.entry.1.value=c", invalidParameter, "Invalid parameter: Platform Reason: APNS2 is not supported"},
		"dead letters far away": {"SetSubscriptionAttributes", "SubscriptionArn=" + sub + ` AttributeName=RedrivePolicy AttributeValue={"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:000000000000:dead"}`,
			invalidParameter, "Invalid parameter: RedrivePolicy: deadLetterTargetArn is an invalid arn"},
		"dead letters of another account": {"SetSubscriptionAttributes", "SubscriptionArn=" + sub + ` AttributeName=RedrivePolicy AttributeValue={"deadLetterTargetArn":"arn:aws:sqs:us-east-1:111122223333:dead"}`,
			invalidParameter, "Invalid parameter: RedrivePolicy: deadLetterTargetArn is an invalid arn"},
		"six keys":    {"SetSubscriptionAttributes", "SubscriptionArn=" + sub + ` AttributeName=FilterPolicy AttributeValue={"a":["1"],"b":["1"],"c":["1"],"d":["1"],"e":["1"],"f":["1"]}`, invalidParameter, "Invalid parameter: FilterPolicy: Filter policy can not have more than 5 keys"},
		"too complex": {"SetSubscriptionAttributes", "SubscriptionArn=" + sub + ` AttributeName=FilterPolicy AttributeValue=` + complicated(8, 19), invalidParameter, "Invalid parameter: FilterPolicy: Filter policy is too complex"},
		"numeric":     {"SetSubscriptionAttributes", "SubscriptionArn=" + sub + ` AttributeName=FilterPolicy AttributeValue={"a":[{"numeric":[">",3,"<",1]}]}`, invalidParameter, "Invalid parameter: FilterPolicy: Bottom must be less than top"},
		"cidr":        {"SetSubscriptionAttributes", "SubscriptionArn=" + sub + ` AttributeName=FilterPolicy AttributeValue={"a":[{"cidr":"bad-filter"}]}`, invalidParameter, "Invalid parameter: FilterPolicy: Malformed CIDR, one '/' required"},
		"unknown operator": {"Subscribe", "TopicArn=" + ordersARN + ` Protocol=sms Endpoint=+1234567 Attributes.entry.1.key=FilterPolicy Attributes.entry.1.value={"a":[{"infix":"x"}]}`,
			invalidParameter, "Invalid parameter: Attributes Reason: FilterPolicy: Unrecognized match type infix"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f.call(t, tt.action, params(tt.parameters)...).wantFault(t, tt.want, tt.message)
		})
	}
	for _, subject := range []string{"a\nb", "a\rb", "a\tb"} {
		f.call(t, "Publish", "TopicArn", ordersARN, "Message", "x", "Subject", subject).wantFault(t, invalidParameter, "Invalid parameter: Subject")
	}
	if bodies := f.bodies(t, "in"); len(bodies) > 0 {
		t.Errorf("a message that was refused is in the queue: %s", bodies)
	}
	f.ok(t, "SetSubscriptionAttributes", "SubscriptionArn", sub, "AttributeName", "FilterPolicy", "AttributeValue", complicated(10, 15)) // 150 are allowed
}

// complicated gives a policy of two keys that have so many values.
func complicated(a, b int) string {
	values := func(n int) string {
		var list []string
		for i := range n {
			list = append(list, fmt.Sprintf(`"%d"`, i))
		}
		return strings.Join(list, ",")
	}
	return `{"a":[` + values(a) + `],"b":[` + values(b) + `]}`
}

// What lies just within the bounds.
func TestAtTheBounds(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	fifo := "Attributes.entry.1.key=FifoTopic Attributes.entry.1.value=true "
	for name, call := range map[string]struct{ action, parameters string }{
		"topic's name":              {"CreateTopic", "Name=" + strings.Repeat("x", 256)},
		"FIFO topic's name":         {"CreateTopic", fifo + "Name=" + strings.Repeat("x", 251) + ".fifo"},
		"display name":              {"SetTopicAttributes", "TopicArn=" + ordersARN + " AttributeName=DisplayName AttributeValue=" + strings.Repeat("é", 100)},
		"group":                     {"Publish", "Message=x TopicArn=" + ordersARN + " MessageGroupId=" + strings.Repeat("!", 128)},
		"id of an entry":            {"PublishBatch", "TopicArn=" + ordersARN + batch(1, "Message=x Id="+strings.Repeat("i", 80))},
		"a batch of ten, full":      {"PublishBatch", "TopicArn=" + ordersARN + batch(8, "Message="+strings.Repeat("x", 32768))},
		"name of an attribute":      {"Publish", "Message=x TopicArn=" + ordersARN + " MessageAttributes.entry.1.Name=" + strings.Repeat("n", 255) + " MessageAttributes.entry.1.Value.DataType=String MessageAttributes.entry.1.Value.StringValue=v"},
		"sender's id":               {"SetSMSAttributes", "attributes.entry.1.key=DefaultSenderID attributes.entry.1.value=a1234567890"},
		"data protection":           {"PutDataProtectionPolicy", "ResourceArn=" + ordersARN + ` DataProtectionPolicy={"Name":"` + strings.Repeat("p", 30720-len(`{"Name":"","Statement":[]}`)) + `","Statement":[]}`},
		"application's name":        {"CreatePlatformApplication", "Name=" + strings.Repeat("a", 254) + ".- Platform=MPNS Attributes.entry.1.key=PlatformCredential Attributes.entry.1.value=c"},
		"SMS of a reserved name":    {"Publish", "Message=x PhoneNumber=+12345678 MessageAttributes.entry.1.Name=AWS.SNS.SMS.SenderID MessageAttributes.entry.1.Value.DataType=String MessageAttributes.entry.1.Value.StringValue=me"},
		"attributes, one by one":    {"Subscribe", "TopicArn=" + ordersARN + " Protocol=http Endpoint=http://localhost:1/ Attribute.1.Name=RawMessageDelivery Attribute.1.Value=true"},
		"several separators":        {"Subscribe", "TopicArn=" + ordersARN + " Protocol=sms Endpoint=+12/34-567.890"},
		"a tag of the longest kind": {"TagResource", "ResourceArn=" + ordersARN + " Tags.member.1.Key=" + strings.Repeat("k", 128) + " Tags.member.1.Value=" + strings.Repeat("v", 256)},
	} {
		t.Run(name, func(t *testing.T) { f.ok(t, call.action, params(call.parameters)...) })
	}
	for _, platform := range []string{"ADM", "APNS", "APNS_SANDBOX", "APNS_VOIP", "APNS_VOIP_SANDBOX", "MACOS", "MACOS_SANDBOX", "BAIDU", "GCM", "MPNS", "WNS"} {
		f.ok(t, "CreatePlatformApplication", "Name", "p", "Platform", platform, "Attributes.entry.1.key", "PlatformCredential", "Attributes.entry.1.value", "c", "Attributes.entry.2.key", "PlatformPrincipal", "Attributes.entry.2.value", "p")
	}
}

// Answers byte by byte, but for what differs each time.
func TestExactAnswers(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t, params("Tags.member.1.Key=a Tags.member.1.Value=<b>")...)
	const uuid = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`
	const namespace = ` xmlns="http://sns.amazonaws.com/doc/2010-03-31/"`
	const metadata = `<ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata>`
	for name, tt := range map[string]struct{ action, parameters, want string }{
		"a result":        {"Publish", "Message=x TopicArn=" + ordersARN, `<PublishResponse` + namespace + `><PublishResult><MessageId>ID</MessageId></PublishResult>` + metadata + `</PublishResponse>`},
		"no result":       {"SetTopicAttributes", "TopicArn=" + ordersARN + " AttributeName=DisplayName AttributeValue=x", `<SetTopicAttributesResponse` + namespace + `>` + metadata + `</SetTopicAttributesResponse>`},
		"an empty result": {"UntagResource", "ResourceArn=" + ordersARN + " TagKeys.member.1=z", `<UntagResourceResponse` + namespace + `><UntagResourceResult/>` + metadata + `</UntagResourceResponse>`},
		"a list":          {"ListTopics", "", `<ListTopicsResponse` + namespace + `><ListTopicsResult><Topics><member><TopicArn>` + ordersARN + `</TopicArn></member></Topics></ListTopicsResult>` + metadata + `</ListTopicsResponse>`},
		"an empty list":   {"ListSubscriptions", "", `<ListSubscriptionsResponse` + namespace + `><ListSubscriptionsResult><Subscriptions></Subscriptions></ListSubscriptionsResult>` + metadata + `</ListSubscriptionsResponse>`},
		"what is escaped": {"ListTagsForResource", "ResourceArn=" + ordersARN, `<ListTagsForResourceResponse` + namespace + `><ListTagsForResourceResult><Tags><member><Key>a</Key><Value>&lt;b&gt;</Value></member></Tags></ListTagsForResourceResult>` + metadata + `</ListTagsForResourceResponse>`},
		"a map":           {"GetSMSAttributes", "", `<GetSMSAttributesResponse` + namespace + `><GetSMSAttributesResult><attributes><entry><key>MonthlySpendLimit</key><value>1</value></entry></attributes></GetSMSAttributesResult>` + metadata + `</GetSMSAttributesResponse>`},
		"a truth":         {"CheckIfPhoneNumberIsOptedOut", "phoneNumber=+12345678", `<CheckIfPhoneNumberIsOptedOutResponse` + namespace + `><CheckIfPhoneNumberIsOptedOutResult><isOptedOut>false</isOptedOut></CheckIfPhoneNumberIsOptedOutResult>` + metadata + `</CheckIfPhoneNumberIsOptedOutResponse>`},
		"an error":        {"GetTopicAttributes", "TopicArn=" + ordersARN + "x", `<ErrorResponse` + namespace + `><Error><Type>Sender</Type><Code>NotFound</Code><Message>Topic does not exist</Message></Error><RequestId>ID</RequestId></ErrorResponse>`},
	} {
		t.Run(name, func(t *testing.T) {
			got := f.call(t, tt.action, params(tt.parameters)...)
			plain := regexp.MustCompile(uuid).ReplaceAllString(got.body, "ID")
			plain = strings.ReplaceAll(strings.TrimPrefix(plain, `<?xml version="1.0"?>`), "\n", "")
			if plain != tt.want {
				t.Errorf("got  %s\nwant %s", plain, tt.want)
			}
			id := spelled(got.header, aws.RequestIDHeader)
			if !regexp.MustCompile(`^`+uuid+`$`).MatchString(id) || !strings.Contains(got.body, "<RequestId>"+id+"</RequestId>") || !strings.HasPrefix(got.header.Get("Content-Type"), "text/xml") {
				t.Errorf("headers %v of %s", got.header, got.body)
			}
		})
	}
}

// What GetSubscriptionAttributes shows of a subscription in each of its states.
func TestSubscriptionInEachState(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	attributes := func(arn string) map[string]string {
		t.Helper()
		return f.ok(t, "GetSubscriptionAttributes", "SubscriptionArn", arn).attributes()
	}
	web := f.subscribe(t, ordersARN, "http", hook)
	want := []string{"ConfirmationWasAuthenticated", "EffectiveDeliveryPolicy", "Endpoint", "Owner", "PendingConfirmation", "Protocol", "RawMessageDelivery", "SubscriptionArn", "SubscriptionPrincipal", "TopicArn"}
	for _, state := range []string{"true", "false"} {
		got := attributes(web)
		var names []string
		for name := range got {
			names = append(names, name)
		}
		slices.Sort(names)
		if !slices.Equal(names, want) || got["PendingConfirmation"] != state || got["SubscriptionArn"] != web {
			t.Errorf("got %v", got)
		}
		f.ok(t, "ConfirmSubscription", "TopicArn", ordersARN, "Token", f.read(t, web).Token)
	}
	f.ok(t, "Unsubscribe", "SubscriptionArn", web)
	f.call(t, "GetSubscriptionAttributes", "SubscriptionArn", web).wantFault(t, notFound, "Subscription does not exist")
	f.call(t, "SetSubscriptionAttributes", "SubscriptionArn", web, "AttributeName", "RawMessageDelivery", "AttributeValue", "true").wantFault(t, notFound, "Subscription does not exist")
	if got := f.attempt(t, core.PushAnswer{Status: 200}); len(got) != 1 { // the confirmation that was asked for, and no word of the end that its owner signed
		t.Errorf("%d pushes", len(got))
	}
	counts := f.ok(t, "GetTopicAttributes", "TopicArn", ordersARN).attributes()
	if counts["SubscriptionsDeleted"] != "1" || counts["SubscriptionsConfirmed"] != "0" || counts["SubscriptionsPending"] != "0" {
		t.Errorf("counts %v", counts)
	}
	if got := all(f.ok(t, "ListSubscriptionsByTopic", "TopicArn", ordersARN).Children, "member"); len(got) > 0 {
		t.Errorf("%d subscriptions are listed", len(got))
	}
	queue := f.queue(t, ordersARN, "in")
	f.ok(t, "DeleteTopic", "TopicArn", ordersARN)
	if got := attributes(queue); got["TopicArn"] != ordersARN || got["PendingConfirmation"] != "false" {
		t.Errorf("after the topic was deleted: %v", got)
	}
	f.call(t, "ListSubscriptionsByTopic", "TopicArn", ordersARN).wantFault(t, notFound, "Topic does not exist")
}

// A token has 288 digits and is good for two days.
func TestTokens(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	token := f.read(t, f.subscribe(t, ordersARN, "http", hook)).Token
	if !regexp.MustCompile(`^[0-9a-f]{288}$`).MatchString(token) {
		t.Errorf("token %q", token)
	}
	pgtest.Advance(t, f.broker, 48*time.Hour-time.Minute)
	late := f.read(t, f.subscribe(t, ordersARN, "http", "http://localhost:1/late")).Token
	f.ok(t, "ConfirmSubscription", "TopicArn", ordersARN, "Token", token)
	pgtest.Advance(t, f.broker, 48*time.Hour+time.Minute)
	f.call(t, "ConfirmSubscription", "TopicArn", ordersARN, "Token", late).wantFault(t, invalidParameter, "Invalid parameter: Token")
}

// A subscription that nobody confirms within two days is gone, and its endpoint can be subscribed anew.
func TestUnconfirmedSubscriptionsEnd(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	endpoints := map[string]string{"http": hook, "email": "me@example.com", "sqs": "arn:aws:sqs:us-east-1:111122223333:in"}
	made := map[string]string{}
	for protocol, endpoint := range endpoints {
		made[protocol] = f.subscribe(t, ordersARN, protocol, endpoint)
	}
	wantPending := func(want int) {
		t.Helper()
		for _, list := range []document{f.ok(t, "ListSubscriptions"), f.ok(t, "ListSubscriptionsByTopic", "TopicArn", ordersARN)} {
			if got := all(list.Children, "SubscriptionArn"); len(got) != want {
				t.Errorf("listed are %v, want %d", got, want)
			}
		}
		if got := f.ok(t, "GetTopicAttributes", "TopicArn", ordersARN).attributes()["SubscriptionsPending"]; got != strconv.Itoa(want) {
			t.Errorf("%s are pending, want %d", got, want)
		}
	}
	pgtest.Advance(t, f.broker, 48*time.Hour-time.Minute)
	wantPending(3)
	pgtest.Advance(t, f.broker, time.Minute)
	wantPending(0)
	for protocol, endpoint := range endpoints {
		f.call(t, "GetSubscriptionAttributes", "SubscriptionArn", made[protocol]).wantFault(t, notFound, "Subscription does not exist")
		f.ok(t, "Unsubscribe", "SubscriptionArn", made[protocol])
		if again := f.subscribe(t, ordersARN, protocol, endpoint); again == made[protocol] {
			t.Errorf("%s: it is the old one again", protocol)
		}
	}
	wantPending(3)
}

// What functions are invoked with of a topic that signs by version 2: the version stays 1, though the signature is of version 2; what
// is not there is null or empty.
func TestFunctionsOfAVersion2Topic(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t, entries("Attributes", "SignatureVersion", "2")...)
	f.subscribe(t, ordersARN, "lambda", "arn:aws:lambda:us-east-1:000000000000:function:f")
	f.ok(t, "Publish", "TopicArn", ordersARN, "Message", "x")
	pushed := f.attempt(t, core.PushAnswer{})
	if len(pushed) != 1 {
		t.Fatalf("%d pushes", len(pushed))
	}
	var event struct {
		Records []struct{ Sns map[string]any }
	}
	if err := json.Unmarshal(pushed[0].Body, &event); err != nil {
		t.Fatal(err)
	}
	got := event.Records[0].Sns
	subject, there := got["Subject"]
	if got["SignatureVersion"] != "1" || subject != nil || !there || fmt.Sprint(got["MessageAttributes"]) != "map[]" {
		t.Errorf("got %v", got)
	}
	got["SigningCertURL"], got["SignatureVersion"] = got["SigningCertUrl"], "2"
	delete(got, "Subject")
	f.verify(t, got)
}

// A confirmation is text/plain, whatever type the subscription asks for.
func TestTypeOfConfirmations(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t, entries("Attributes", "DeliveryPolicy", `{"http":{"defaultRequestPolicy":{"headerContentType":"application/xml"}}}`)...)
	sub := f.subscribe(t, ordersARN, "http", hook, "DeliveryPolicy", `{"requestPolicy":{"headerContentType":"application/json"}}`)
	pushed := f.attempt(t, core.PushAnswer{Status: 200})
	if len(pushed) != 1 || pushed[0].Header["Content-Type"][0] != "text/plain; charset=UTF-8" {
		t.Fatalf("got %+v", pushed)
	}
	f.ok(t, "ConfirmSubscription", "TopicArn", ordersARN, "Token", f.read(t, sub).Token)
	for _, want := range []string{"application/json", "application/xml"} { // the subscription's, then the topic's
		f.ok(t, "Publish", "TopicArn", ordersARN, "Message", "x")
		if pushed := f.attempt(t, core.PushAnswer{Status: 200}); len(pushed) != 1 || pushed[0].Header["Content-Type"][0] != want {
			t.Errorf("got %+v, want %s", pushed, want)
		}
		f.ok(t, "SetSubscriptionAttributes", "SubscriptionArn", sub, "AttributeName", "DeliveryPolicy", "AttributeValue", "")
	}
}

// Raw delivery to a queue carries ten attributes; a message with more is a dead letter, in its envelope, which holds any number.
func TestElevenAttributes(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.queue(t, ordersARN, "dead", "FilterPolicy", `{"never":["x"]}`)
	f.queue(t, ordersARN, "raw", "RawMessageDelivery", "true", "RedrivePolicy", `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead"}`)
	f.queue(t, ordersARN, "wrapped")
	message := []string{"TopicArn", ordersARN, "Message", "x"}
	for i := range 11 {
		message = append(message, attribute(i+1, fmt.Sprintf("a%d", i), "String", "v")...)
	}
	f.ok(t, "Publish", message...)
	f.attempt(t, core.PushAnswer{})
	if got := f.bodies(t, "raw"); len(got) > 0 {
		t.Errorf("the raw queue has %s", got)
	}
	for _, queue := range []string{"wrapped", "dead"} {
		if got, _ := envelope(t, f.one(t, queue))["MessageAttributes"].(map[string]any); len(got) != 11 {
			t.Errorf("the envelope in %s has %d attributes", queue, len(got))
		}
	}
	f.ok(t, "Publish", message[:len(message)-6]...)
	if got := pgtest.Receive(t, f.broker, pgtest.Name("raw"), 10); len(got) != 1 || len(got[0].Attributes) != 10 {
		t.Errorf("of ten attributes the raw queue has %+v", got)
	}
}

// A topic that allows no overrides has its own retries count.
func TestTopicsRetriesCount(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t, entries("Attributes", "DeliveryPolicy", `{"http":{"defaultHealthyRetryPolicy":{"numRetries":1,"minDelayTarget":100,"maxDelayTarget":100},"disableSubscriptionOverrides":true}}`)...)
	f.hooked(t, "DeliveryPolicy", `{"healthyRetryPolicy":{"numRetries":5,"minDelayTarget":1,"maxDelayTarget":1}}`)
	f.ok(t, "Publish", "TopicArn", ordersARN, "Message", "x")
	attempts := len(f.attempt(t, core.PushAnswer{Status: 500}))
	pgtest.Advance(t, f.broker, 99*time.Second)
	attempts += len(f.attempt(t, core.PushAnswer{Status: 500}))
	if attempts != 1 {
		t.Errorf("%d attempts before the topic's delay", attempts)
	}
	for range 3 {
		pgtest.Advance(t, f.broker, time.Hour)
		attempts += len(f.attempt(t, core.PushAnswer{Status: 500}))
	}
	if attempts != 2 {
		t.Errorf("%d attempts, want 2", attempts)
	}
}

// The queue's message has an id of its own, and retries are the same to the byte.
func TestIDsAndTimesOfRetries(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.queue(t, ordersARN, "in")
	f.hooked(t)
	id := f.ok(t, "Publish", "TopicArn", ordersARN, "Message", "x").text(t, "MessageId")
	queued := pgtest.Receive(t, f.broker, pgtest.Name("in"), 1)
	if len(queued) != 1 || queued[0].ID.UUID() == id || envelope(t, string(queued[0].Body))["MessageId"] != id {
		t.Errorf("published as %s, queued as %+v", id, queued)
	}
	first := f.attempt(t, core.PushAnswer{Status: 500})
	pgtest.Advance(t, f.broker, 20*time.Second)
	second := f.attempt(t, core.PushAnswer{Status: 200})
	if len(first) != 1 || len(second) != 1 || string(first[0].Body) != string(second[0].Body) {
		t.Errorf("got %+v and %+v", first, second)
	}
}

// Requests whose parameters are in the URL, whatever the method and without a body.
func TestParametersInTheURL(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		r, err := http.NewRequestWithContext(context.Background(), method, "/?Action=GetTopicAttributes&Version=2010-03-31&TopicArn="+ordersARN, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", authorization)
		r.Body = http.NoBody
		if got := f.do(t, r).document(t).attributes(); got["TopicArn"] != ordersARN {
			t.Errorf("%s: got %v", method, got)
		}
	}
}

// spelled gives the value of a header of that very spelling.
func spelled(h http.Header, name string) string { return strings.Join(h[name], ",") }

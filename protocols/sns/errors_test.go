package sns

import (
	"strconv"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
)

func TestCoreErrorsAreComplete(t *testing.T) {
	t.Parallel()
	for _, code := range core.Codes {
		if coreErrors[code].code == "" {
			t.Errorf("%s has no row", code)
		}
	}
}

func TestActionsAreComplete(t *testing.T) {
	t.Parallel()
	if n := len(Actions()); n != 42 {
		t.Errorf("got %d actions, want the 42 of the manual", n)
	}
}

// params splits "name=value name=value"; a blank in a value is written "_".
func params(text string) (list []string) {
	for _, pair := range strings.Fields(text) {
		name, value, _ := strings.Cut(pair, "=")
		list = append(list, name, strings.ReplaceAll(value, "_", " "))
	}
	return list
}

// Every recorded complaint (specs/sns.md 2 to 4), and those that only follow from the rules.
func TestErrors(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t, entries("Attributes", "DisplayName", "Orders")...)
	f.ok(t, "CreateTopic", params("Name=orders.fifo Attributes.entry.1.key=FifoTopic Attributes.entry.1.value=true")...)
	sub := f.queue(t, ordersARN, "in")
	fifoSub := f.queue(t, fifoARN, "in.fifo")
	const value, validation = "Invalid parameter: ", "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null"
	const name, stem = "MessageAttributes.entry.1.Name=", " MessageAttributes.entry.1.Value."
	const anyValue, nobody = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')", "e1097da7-0f72-32e1-bb1e-8df05ad14444"
	null := func(path string) string { return strings.Replace(validation, "%s", path, 1) }
	tests := map[string]struct {
		action, parameters string
		want               wireError
		message            string
	}{
		"unknown action":                    {"Fly", "", invalidAction, ""},
		"topic name":                        {"CreateTopic", "Name=a.b", invalidParameter, value + "Topic Name"},
		"topic name, too long":              {"CreateTopic", "Name=" + strings.Repeat("x", 257), invalidParameter, value + "Topic Name"},
		"topic name, empty":                 {"CreateTopic", "Name=", invalidParameter, value + "Topic Name"},
		"topic name, absent":                {"CreateTopic", "", validationError, null("name")},
		".fifo without FifoTopic":           {"CreateTopic", "Name=a.fifo", invalidParameter, value + "Topic Name"},
		"FifoTopic without .fifo":           {"CreateTopic", "Name=a Attributes.entry.1.key=FifoTopic Attributes.entry.1.value=true", invalidParameter, value + "Topic Name"},
		"other attributes":                  {"CreateTopic", "Name=orders Attributes.entry.1.key=DisplayName Attributes.entry.1.value=Other", invalidParameter, value + "Attributes Reason: Topic already exists with different attributes"},
		"an attribute that it lacks":        {"CreateTopic", "Name=orders Attributes.entry.1.key=SignatureVersion Attributes.entry.1.value=2", invalidParameter, value + "Attributes Reason: Topic already exists with different attributes"},
		"other tags":                        {"CreateTopic", "Name=orders Tags.member.1.Key=a Tags.member.1.Value=b", invalidParameter, value + "Tags Reason: Topic already exists with different tags"},
		"a tag twice":                       {"CreateTopic", "Name=new Tags.member.1.Key=a Tags.member.1.Value=b Tags.member.2.Key=a Tags.member.2.Value=c", invalidParameter, value + "Duplicated keys are not allowed."},
		"unknown topic attribute":           {"SetTopicAttributes", "TopicArn=" + ordersARN + " AttributeName=Colour AttributeValue=red", invalidParameter, value + "AttributeName"},
		"FifoTopic is for ever":             {"SetTopicAttributes", "TopicArn=" + fifoARN + " AttributeName=FifoTopic AttributeValue=false", invalidParameter, value + "AttributeName"},
		"of a FIFO topic only":              {"SetTopicAttributes", "TopicArn=" + ordersARN + " AttributeName=ContentBasedDeduplication AttributeValue=true", invalidParameter, value + "AttributeName"},
		"an archive, no JSON":               {"SetTopicAttributes", "TopicArn=" + fifoARN + ` AttributeName=ArchivePolicy AttributeValue=x`, invalidParameter, value + "ArchivePolicy: failed to parse JSON. Unrecognized token 'x': was expecting " + anyValue},
		"an archive, empty":                 {"SetTopicAttributes", "TopicArn=" + fifoARN + ` AttributeName=ArchivePolicy AttributeValue=`, invalidParameter, value + "ArchivePolicy: failed to parse JSON. Unexpected end-of-input"},
		"an archive of no days":             {"SetTopicAttributes", "TopicArn=" + fifoARN + ` AttributeName=ArchivePolicy AttributeValue={"MessageRetentionPeriod":"0"}`, invalidParameter, value + "ArchivePolicy: MessageRetentionPeriod must be 1 to 365"},
		"an archive of 366 days":            {"SetTopicAttributes", "TopicArn=" + fifoARN + ` AttributeName=ArchivePolicy AttributeValue={"MessageRetentionPeriod":366}`, invalidParameter, value + "ArchivePolicy: MessageRetentionPeriod must be 1 to 365"},
		"an archive of something":           {"SetTopicAttributes", "TopicArn=" + fifoARN + ` AttributeName=ArchivePolicy AttributeValue={"Days":"3"}`, invalidParameter, value + "ArchivePolicy: Unexpected JSON member: Days"},
		"an archive of a standard topic":    {"SetTopicAttributes", "TopicArn=" + ordersARN + ` AttributeName=ArchivePolicy AttributeValue={"MessageRetentionPeriod":"30"}`, invalidParameter, value + "AttributeName"},
		"BeginningArchiveTime is read-only": {"SetTopicAttributes", "TopicArn=" + fifoARN + ` AttributeName=BeginningArchiveTime AttributeValue=2026-01-01T00:00:00.000Z`, invalidParameter, value + "AttributeName"},
		"a replay without an archive":       {"SetSubscriptionAttributes", "SubscriptionArn=" + fifoSub + ` AttributeName=ReplayPolicy AttributeValue={"PointType":"Timestamp","StartingPoint":"2026-01-01T00:00:00.000Z"}`, invalidParameter, value + `topic "orders.fifo" keeps no archive to replay`},
		"a replay, no JSON":                 {"SetSubscriptionAttributes", "SubscriptionArn=" + fifoSub + ` AttributeName=ReplayPolicy AttributeValue=x`, invalidParameter, value + "ReplayPolicy: failed to parse JSON. Unrecognized token 'x': was expecting " + anyValue},
		"a replay from a number":            {"SetSubscriptionAttributes", "SubscriptionArn=" + fifoSub + ` AttributeName=ReplayPolicy AttributeValue={"PointType":"Sequence","StartingPoint":"1"}`, invalidParameter, value + "ReplayPolicy: PointType must be Timestamp, was Sequence"},
		"a replay from nowhere":             {"SetSubscriptionAttributes", "SubscriptionArn=" + fifoSub + ` AttributeName=ReplayPolicy AttributeValue={"PointType":"Timestamp"}`, invalidParameter, value + "ReplayPolicy: StartingPoint must be a time such as 2026-01-31T04:37:04.321Z"},
		"a replay to nowhere":               {"SetSubscriptionAttributes", "SubscriptionArn=" + fifoSub + ` AttributeName=ReplayPolicy AttributeValue={"PointType":"Timestamp","StartingPoint":"2026-01-01T00:00:00.000Z","EndingPoint":"soon"}`, invalidParameter, value + "ReplayPolicy: EndingPoint must be a time such as 2026-01-31T04:37:04.321Z"},
		"a replay backwards":                {"SetSubscriptionAttributes", "SubscriptionArn=" + fifoSub + ` AttributeName=ReplayPolicy AttributeValue={"PointType":"Timestamp","StartingPoint":"2026-01-01T00:00:00.000Z","EndingPoint":"2025-01-01T00:00:00Z"}`, invalidParameter, value + "ReplayPolicy: EndingPoint must be later than StartingPoint"},
		"a replay of a standard topic":      {"SetSubscriptionAttributes", "SubscriptionArn=" + sub + ` AttributeName=ReplayPolicy AttributeValue={"PointType":"Timestamp","StartingPoint":"2026-01-01T00:00:00.000Z"}`, invalidParameter, value + "ReplayPolicy: only subscriptions to FIFO topics can be replayed to"},
		"ReplayStatus is read-only":         {"SetSubscriptionAttributes", "SubscriptionArn=" + fifoSub + " AttributeName=ReplayStatus AttributeValue=Completed", invalidParameter, value + "AttributeName"},
		"unknown topic":                     {"GetTopicAttributes", "TopicArn=" + ordersARN + "x", notFound, "Topic does not exist"},
		"an ARN too short":                  {"GetTopicAttributes", "TopicArn=arn:aws:sns", invalidParameter, value + "TopicArn Reason: An ARN must have at least 6 elements, not 3"},
		"an ARN of nothing":                 {"GetTopicAttributes", "TopicArn=", invalidParameter, value + "TopicArn Reason: An ARN must have at least 6 elements, not 1"},
		"another region":                    {"Publish", "Message=x TopicArn=arn:aws:sns:eu-west-1:000000000000:orders", invalidParameter, value + "TopicArn"},
		"another region, delete":            {"DeleteTopic", "TopicArn=arn:aws:sns:eu-west-1:000000000000:orders", invalidParameter, value + "TopicArn"},
		"another region, list":              {"ListSubscriptionsByTopic", "TopicArn=arn:aws:sns:eu-west-1:000000000000:orders", invalidParameter, value + "TopicArn"},
		"tags of nothing":                   {"TagResource", "ResourceArn=" + ordersARN + "x Tags.member.1.Key=a Tags.member.1.Value=b", resourceNotFound, "Resource does not exist"},
		"permission for nobody":             {"AddPermission", "TopicArn=" + ordersARN + " Label=l AWSAccountId.member.1=InvalidAccountId ActionName.member.1=Publish", invalidParameter, value + "A provided account ID is not valid"},
		"a policy for nobody":               {"SetTopicAttributes", "TopicArn=" + ordersARN + ` AttributeName=Policy AttributeValue={"Version":"2008-10-17","Statement":[{"Effect":"Allow","Action":["SNS:Publish"],"Resource":"*"}]}`, invalidParameter, value + "Policy Error: a statement of a topic's policy needs Principal"},
		"a policy for another service":      {"SetTopicAttributes", "TopicArn=" + ordersARN + ` AttributeName=Policy AttributeValue={"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["SNS:Publishx"],"Resource":"*"}]}`, invalidParameter, value + "Policy statement action out of service scope!"},
		"a rate over 100":                   {"CreateTopic", "Name=new Attributes.entry.1.key=SQSSuccessFeedbackSampleRate Attributes.entry.1.value=500", invalidParameter, value + "Attributes Reason: SQSSuccessFeedbackSampleRate: 500 value provided is not an integer between 0-100"},
		"too many retries":                  {"CreateTopic", `Name=new Attributes.entry.1.key=DeliveryPolicy Attributes.entry.1.value={"http":{"defaultHealthyRetryPolicy":{"numRetries":300}}}`, invalidParameter, value + "Attributes Reason: DeliveryPolicy: http.defaultHealthyRetryPolicy.numRetries must be less than or equal to 100"},
		"a delivery policy of something":    {"SetTopicAttributes", "TopicArn=" + ordersARN + ` AttributeName=DeliveryPolicy AttributeValue={"throttlePolicy":{}}`, invalidParameter, value + "DeliveryPolicy: Unexpected JSON member: throttlePolicy"},
		"a delivery policy, a list":         {"SetTopicAttributes", "TopicArn=" + ordersARN + ` AttributeName=DeliveryPolicy AttributeValue=[]`, invalidParameter, value + "DeliveryPolicy: it must not be a JSON array"},
		"a delivery policy, a text in it":   {"SetTopicAttributes", "TopicArn=" + ordersARN + ` AttributeName=DeliveryPolicy AttributeValue={"http":{"defaultHealthyRetryPolicy":{"numRetries":"3"}}}`, invalidParameter, value + "DeliveryPolicy: http.defaultHealthyRetryPolicy.numRetries must not be a JSON string"},
		"a delivery policy, half a retry":   {"SetTopicAttributes", "TopicArn=" + ordersARN + ` AttributeName=DeliveryPolicy AttributeValue={"http":{"defaultHealthyRetryPolicy":{"numRetries":1.5}}}`, invalidParameter, value + "DeliveryPolicy: http.defaultHealthyRetryPolicy.numRetries must not be a JSON number 1.5"},
		"a replay of a number":              {"SetSubscriptionAttributes", "SubscriptionArn=" + fifoSub + ` AttributeName=ReplayPolicy AttributeValue={"PointType":"Timestamp","StartingPoint":1}`, invalidParameter, value + "ReplayPolicy: StartingPoint must not be a JSON number"},
		"a protection of no direction":      {"CreateTopic", `Name=new DataProtectionPolicy={"Name":"p","Version":"2021-06-01","Statement":[{"DataDirection":"Inbxound","Operation":{"Deny":{}}}]}`, invalidParameter, value + "DataProtectionPolicy Reason: Statement DataDirection must be either Inbound or Outbound"},
		"a tag's key, too long":             {"TagResource", "ResourceArn=" + ordersARN + " Tags.member.1.Key=" + strings.Repeat("k", 129) + " Tags.member.1.Value=v", validationError, "1 validation error detected: Value '" + strings.Repeat("k", 129) + "' at 'tags.1.member.key' failed to satisfy constraint: Member must have length less than or equal to 128"},
		"a policy for all actions":          {"SetTopicAttributes", "TopicArn=" + ordersARN + " AttributeName=Policy AttributeValue=" + allowing("sns:*"), invalidParameter, value + "Policy statement action out of service scope!"},
		"a policy for the account":          {"SetTopicAttributes", "TopicArn=" + ordersARN + " AttributeName=Policy AttributeValue=" + allowing("sns:CreateTopic"), invalidParameter, value + "Policy statement action out of service scope!"},
		"a policy for a subscription":       {"CreateTopic", "Name=new Attributes.entry.1.key=Policy Attributes.entry.1.value=" + allowing("SNS:SetSubscriptionAttributes"), invalidParameter, value + "Attributes Reason: Policy statement action out of service scope!"},
		"permission, of a subscription":     {"AddPermission", "TopicArn=" + ordersARN + " Label=l AWSAccountId.member.1=111122223333 ActionName.member.1=SetSubscriptionAttributes", invalidParameter, value + "Policy statement action out of service scope!"},
		"permission, all actions":           {"AddPermission", "TopicArn=" + ordersARN + " Label=l AWSAccountId.member.1=111122223333 ActionName.member.1=*", invalidParameter, value + "Policy statement action out of service scope!"},
		"permission, unknown action":        {"AddPermission", "TopicArn=" + ordersARN + " Label=l AWSAccountId.member.1=111122223333 ActionName.member.1=Fly", invalidParameter, value + "Policy statement action out of service scope!"},

		"unknown protocol":          {"Subscribe", "TopicArn=" + ordersARN + " Protocol=pigeon Endpoint=x", invalidParameter, value + "Amazon SNS does not support this protocol string: pigeon"},
		"a queue's URL":             {"Subscribe", "TopicArn=" + ordersARN + " Protocol=sqs Endpoint=http://localhost/000000000000/in", invalidParameter, value + "SQS endpoint ARN"},
		"a FIFO queue":              {"Subscribe", "TopicArn=" + ordersARN + " Protocol=sqs Endpoint=arn:aws:sqs:us-east-1:000000000000:in.fifo", invalidParameter, value + "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"},
		"a page of a FIFO topic":    {"Subscribe", "TopicArn=" + fifoARN + " Protocol=http Endpoint=http://localhost/", invalidParameter, value + "Invalid protocol type: http"},
		"a phone of a FIFO topic":   {"Subscribe", "TopicArn=" + fifoARN + " Protocol=sms Endpoint=+1234567", invalidParameter, value + "Invalid protocol type: sms"},
		"https for http":            {"Subscribe", "TopicArn=" + ordersARN + " Protocol=http Endpoint=https://localhost/", invalidParameter, value + "Endpoint must match the specified protocol"},
		"a phone with --":           {"Subscribe", "TopicArn=" + ordersARN + " Protocol=sms Endpoint=+12--34567", invalidParameter, "Invalid SMS endpoint: +12--34567"},
		"a phone with letters":      {"Subscribe", "TopicArn=" + ordersARN + " Protocol=sms Endpoint=a+1234567", invalidParameter, "Invalid SMS endpoint: a+1234567"},
		"a phone with / in front":   {"Subscribe", "TopicArn=" + ordersARN + " Protocol=sms Endpoint=/1234567", invalidParameter, "Invalid SMS endpoint: /1234567"},
		"a phone with . at its end": {"Subscribe", "TopicArn=" + ordersARN + " Protocol=sms Endpoint=+1234567.", invalidParameter, "Invalid SMS endpoint: +1234567."},
		"a device that is none":     {"Subscribe", "TopicArn=" + ordersARN + " Protocol=application Endpoint=x", invalidParameter, value + "Application endpoint arn invalid:x"},
		"a device that is gone":     {"Subscribe", "TopicArn=" + ordersARN + " Protocol=application Endpoint=arn:aws:sns:us-east-1:000000000000:endpoint/GCM/app/1", invalidParameter, value + "Endpoint Reason: Endpoint does not exist for endpoint arnarn:aws:sns:us-east-1:000000000000:endpoint/GCM/app/1"},
		"no topic and no queue":     {"Subscribe", "TopicArn=" + ordersARN + "x Protocol=sqs Endpoint=x", notFound, "Topic does not exist"},
		"no topic":                  {"Subscribe", "TopicArn=" + ordersARN + "x Protocol=sms Endpoint=+1234567", notFound, "Topic does not exist"},
		"a subscription that differs": {"Subscribe", "TopicArn=" + ordersARN + " Protocol=sqs Endpoint=arn:aws:sqs:us-east-1:000000000000:in Attributes.entry.1.key=RawMessageDelivery Attributes.entry.1.value=true",
			invalidParameter, value + "Attributes Reason: Subscription already exists with different attributes"},
		"raw, at Subscribe": {"Subscribe", "TopicArn=" + ordersARN + " Protocol=sqs Endpoint=arn:aws:sqs:us-east-1:000000000000:raw Attributes.entry.1.key=RawMessageDelivery Attributes.entry.1.value=yes",
			invalidParameter, value + "Attributes Reason: RawMessageDelivery: Invalid value [yes]. Must be true or false."},
		"raw":                 {"SetSubscriptionAttributes", "SubscriptionArn=" + sub + " AttributeName=RawMessageDelivery AttributeValue=yes", invalidParameter, value + "RawMessageDelivery: Invalid value [yes]. Must be true or false."},
		"scope":               {"SetSubscriptionAttributes", "SubscriptionArn=" + sub + " AttributeName=FilterPolicyScope AttributeValue=All", invalidParameter, value + "FilterPolicyScope: Invalid value [All]. Please use either MessageBody or MessageAttributes"},
		"policy":              {"SetSubscriptionAttributes", "SubscriptionArn=" + sub + ` AttributeName=FilterPolicy AttributeValue={"a":[]}`, invalidParameter, value + "FilterPolicy: Empty arrays are not allowed"},
		"policy, no JSON":     {"SetSubscriptionAttributes", "SubscriptionArn=" + sub + ` AttributeName=FilterPolicy AttributeValue={invalid}`, invalidParameter, value + "FilterPolicy: failed to parse JSON. Unexpected character ('i' (code 105)): was expecting double-quote to start field name"},
		"policy, nested":      {"SetSubscriptionAttributes", "SubscriptionArn=" + sub + ` AttributeName=FilterPolicy AttributeValue={"a":{"b":["x"]}}`, invalidParameter, value + "Filter policy scope MessageAttributes does not support nested filter policy"},
		"policy at Subscribe": {"Subscribe", "TopicArn=" + ordersARN + ` Protocol=sms Endpoint=+1234567 Attributes.entry.1.key=FilterPolicy Attributes.entry.1.value={"a":[]}`, invalidParameter, value + "Attributes Reason: FilterPolicy: Empty arrays are not allowed"},
		"dead letters":        {"SetSubscriptionAttributes", "SubscriptionArn=" + sub + ` AttributeName=RedrivePolicy AttributeValue={"deadLetterTargetArn":"dead"}`, invalidParameter, value + "RedrivePolicy: deadLetterTargetArn is an invalid arn"},
		"dead letters of FIFO": {"SetSubscriptionAttributes", "SubscriptionArn=" + fifoSub + ` AttributeName=RedrivePolicy AttributeValue={"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead"}`,
			invalidParameter, value + "RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic."},
		"unknown attribute":         {"SetSubscriptionAttributes", "SubscriptionArn=" + sub + " AttributeName=Colour AttributeValue=red", invalidParameter, value + "AttributeName"},
		"dead letters, no JSON":     {"SetSubscriptionAttributes", "SubscriptionArn=" + sub + ` AttributeName=RedrivePolicy AttributeValue={invalid}`, invalidParameter, value + "RedrivePolicy: failed to parse JSON. Unexpected character ('i' (code 105)): was expecting double-quote to start field name"},
		"raw, empty":                {"SetSubscriptionAttributes", "SubscriptionArn=" + sub + " AttributeName=RawMessageDelivery AttributeValue=", invalidParameter, value + "RawMessageDelivery: Invalid value []. Must be true or false."},
		"not raw by mail":           {"Subscribe", "TopicArn=" + ordersARN + " Protocol=email Endpoint=a@example.com Attributes.entry.1.key=RawMessageDelivery Attributes.entry.1.value=false", invalidParameter, value + "Attributes Reason: Delivery protocol [email] does not support raw message delivery."},
		"raw by mail":               {"Subscribe", "TopicArn=" + ordersARN + " Protocol=email Endpoint=a@example.com Attributes.entry.1.key=RawMessageDelivery Attributes.entry.1.value=true", invalidParameter, value + "Attributes Reason: Delivery protocol [email] does not support raw message delivery."},
		"a letter to nobody":        {"Subscribe", "TopicArn=" + ordersARN + " Protocol=email Endpoint=this_is_no_address", invalidParameter, value + "Email address"},
		"dead letters, counted":     {"SetSubscriptionAttributes", "SubscriptionArn=" + sub + ` AttributeName=RedrivePolicy AttributeValue={"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":5}`, invalidParameter, value + "RedrivePolicy: invalid JSON. Attribute maxReceiveCount is unknown."},
		"letters counted, anew":     {"Subscribe", "TopicArn=" + ordersARN + ` Protocol=sms Endpoint=+1234567 Attributes.entry.1.key=RedrivePolicy Attributes.entry.1.value={"maxReceiveCount":"5"}`, invalidParameter, value + "Attributes Reason: RedrivePolicy: invalid JSON. Attribute maxReceiveCount is unknown."},
		"dead letters of a number":  {"SetSubscriptionAttributes", "SubscriptionArn=" + sub + ` AttributeName=RedrivePolicy AttributeValue={"deadLetterTargetArn":42}`, invalidParameter, value + "RedrivePolicy: deadLetterTargetArn is an invalid arn"},
		"dead letters in a list":    {"SetSubscriptionAttributes", "SubscriptionArn=" + sub + ` AttributeName=RedrivePolicy AttributeValue=["deadLetterTargetArn"]`, invalidParameter, value + "RedrivePolicy: deadLetterTargetArn is an invalid arn"},
		"unknown subscription":      {"GetSubscriptionAttributes", "SubscriptionArn=" + ordersARN + ":none", notFound, "Subscription does not exist"},
		"unsubscribe, pending":      {"Unsubscribe", "SubscriptionArn=pending_confirmation", invalidParameter, value + "SubscriptionArn Reason: An ARN must have at least 6 elements, not 1"},
		"unsubscribe, a topic":      {"Unsubscribe", "SubscriptionArn=" + ordersARN, invalidParameter, value + "SubscriptionId"},
		"unsubscribe, empty":        {"Unsubscribe", "SubscriptionArn=", invalidParameter, value + "SubscriptionArn Reason: no value for required parameter"},
		"confirm, no token":         {"ConfirmSubscription", "TopicArn=" + ordersARN + " Token=abc", invalidParameter, "Invalid token"},
		"confirm, another's token":  {"ConfirmSubscription", "TopicArn=" + ordersARN + " Token=abc123", invalidParameter, value + "Token"},
		"confirm, half a byte":      {"ConfirmSubscription", "TopicArn=" + ordersARN + " Token=" + strings.Repeat("a", 287), invalidParameter, "Invalid token"},
		"confirm, no hexadecimal":   {"ConfirmSubscription", "TopicArn=" + ordersARN + " Token=randomtoken", invalidParameter, "Invalid token"},
		"confirm, unknown token":    {"ConfirmSubscription", "TopicArn=" + ordersARN + " Token=" + strings.Repeat("ab", 144), invalidParameter, value + "Token"},
		"confirm, no topic":         {"ConfirmSubscription", "TopicArn=orders Token=" + strings.Repeat("ab", 144), invalidParameter, value + "Topic"},
		"publish to nothing":        {"Publish", "Message=x", invalidParameter, value + "TopicArn or TargetArn Reason: no value for required parameter"},
		"publish, no topic":         {"Publish", "Message=x TopicArn=" + ordersARN + "x", notFound, "Topic does not exist"},
		"publish, unknown device":   {"Publish", "Message=x TargetArn=arn:aws:sns:us-east-1:000000000000:endpoint/GCM/app/1", invalidParameter, value + "TargetArn Reason: No endpoint found for the target arn specified"},
		"publish, no ARN of device": {"Publish", "Message=x TargetArn=device", invalidParameter, value + "TargetArn Reason: An ARN must have at least 6 elements, not 1"},
		"publish, another region":   {"Publish", "Message=x TargetArn=arn:aws:sns:eu-west-1:000000000000:orders", invalidParameter, value + "TargetArn"},
		"publish nothing":           {"Publish", "Message= TopicArn=" + ordersARN, invalidParameter, value + "Empty message"},
		"publish, no message":       {"Publish", "TopicArn=" + ordersARN, validationError, null("message")},
		"subject, empty":            {"Publish", "Message=x Subject= TopicArn=" + ordersARN, invalidParameter, value + "Subject"},
		"subject, too long":         {"Publish", "Message=x TopicArn=" + ordersARN + " Subject=" + strings.Repeat("x", 101), invalidParameter, value + "Subject"},
		"subject of two lines":      {"Publish", "Message=x TopicArn=" + ordersARN + " Subject=a\x01b", invalidParameter, value + "Subject"},
		"too long":                  {"Publish", "TopicArn=" + ordersARN + " Message=" + strings.Repeat("x", 262145), invalidParameter, value + "Message too long"},
		"too long with attributes":  {"Publish", name + "a" + stem + "DataType=String" + stem + "StringValue=v TopicArn=" + ordersARN + " Message=" + strings.Repeat("x", 262137), invalidParameter, value + "Message too long"},
		"phone":                     {"Publish", "Message=x PhoneNumber=123a", invalidParameter, value + "PhoneNumber Reason: 123a is not valid to publish to"},
		"no group":                  {"Publish", "Message=x TopicArn=" + fifoARN, invalidParameter, value + "The MessageGroupId parameter is required for FIFO topics"},
		"no deduplication":          {"Publish", "Message=x MessageGroupId=g TopicArn=" + fifoARN, invalidParameter, value + "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"},
		"deduplication on standard": {"Publish", "Message=x MessageDeduplicationId=d TopicArn=" + ordersARN, invalidParameter, value + "MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type"},
		"structure, no JSON":        {"Publish", "Message={ MessageStructure=json TopicArn=" + ordersARN, invalidParameter, value + "Message Structure - JSON message body failed to parse"},
		"structure, no default":     {"Publish", `Message={"sqs":"x"} MessageStructure=json TopicArn=` + ordersARN, invalidParameter, value + "Message Structure - No default entry in JSON message body"},
		"structure, default object": {"Publish", `Message={"default":{"a":1}} MessageStructure=json TopicArn=` + ordersARN, invalidParameter, value + "Message Structure - No default entry in JSON message body"},

		"attribute, empty":        {"Publish", "Message=x TopicArn=" + ordersARN + " " + name + "attr1" + stem + "DataType=String" + stem + "StringValue=", invalidValue, "The message attribute 'attr1' must contain non-empty message attribute value for message attribute type 'String'."},
		"attribute, wrong field":  {"Publish", "Message=x TopicArn=" + ordersARN + " " + name + "attr1" + stem + "DataType=Number" + stem + "BinaryValue=MQ==", invalidValue, "The message attribute 'attr1' with type 'Number' must use field 'String'."},
		"attribute, binary":       {"Publish", "Message=x TopicArn=" + ordersARN + " " + name + "attr1" + stem + "DataType=Binary" + stem + "StringValue=1", invalidValue, "The message attribute 'attr1' with type 'Binary' must use field 'Binary'."},
		"attribute, type":         {"Publish", "Message=x TopicArn=" + ordersARN + " " + name + "attr1" + stem + "DataType=Integer" + stem + "StringValue=1", invalidValue, "The message attribute 'attr1' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."},
		"attribute, no type":      {"Publish", "Message=x TopicArn=" + ordersARN + " " + name + "attr1" + stem + "StringValue=1", validationError, null("messageAttributes.attr1.member.dataType")},
		"attribute name":          {"Publish", "Message=x TopicArn=" + ordersARN + " " + name + "a^b" + stem + "DataType=String" + stem + "StringValue=1", invalidValue, "Invalid non-alphanumeric character '#x5E' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots."},
		"attribute name, long":    {"Publish", "Message=x TopicArn=" + ordersARN + " " + name + strings.Repeat("a", 257) + stem + "DataType=String" + stem + "StringValue=1", invalidValue, "Length of message attribute name must be less than 256 bytes."},
		"attribute name, .first":  {"Publish", "Message=x TopicArn=" + ordersARN + " " + name + ".a" + stem + "DataType=String" + stem + "StringValue=1", invalidValue, "Invalid message attribute name starting with character '.' was found."},
		"attribute name, last.":   {"Publish", "Message=x TopicArn=" + ordersARN + " " + name + "a." + stem + "DataType=String" + stem + "StringValue=1", invalidValue, "Invalid message attribute name ending with character '.' was found."},
		"attribute name, mid..le": {"Publish", "Message=x TopicArn=" + ordersARN + " " + name + "a..b" + stem + "DataType=String" + stem + "StringValue=1", invalidValue, "Message attribute name can not have successive '.' character."},

		"batch of none":       {"PublishBatch", "TopicArn=" + ordersARN, emptyBatch, ""},
		"batch of eleven":     {"PublishBatch", "TopicArn=" + ordersARN + batch(11, "Message=x"), tooManyEntries, "The batch request contains more entries than permissible."},
		"batch, ids":          {"PublishBatch", "TopicArn=" + ordersARN + batch(2, "Message=x Id=a"), idsNotDistinct, "Two or more batch entries in the request have the same Id."},
		"batch, id too long":  {"PublishBatch", "TopicArn=" + ordersARN + batch(1, "Message=x Id="+strings.Repeat("i", 81)), invalidEntryID, "The Id of a batch entry in the batch request is too long: " + strings.Repeat("i", 81)},
		"batch, id":           {"PublishBatch", "TopicArn=" + ordersARN + batch(1, "Message=x Id=a!"), invalidEntryID, "The Id of a batch entry in the batch request contains an impermissible character: a!"},
		"batch too long":      {"PublishBatch", "TopicArn=" + ordersARN + batch(2, "Message="+strings.Repeat("x", 140_000)), batchTooLong, "The length of all the messages put together is more than the limit."},
		"batch, no topic":     {"PublishBatch", "TopicArn=" + ordersARN + "x" + batch(1, "Message=x"), notFound, "Topic does not exist"},
		"batch, an attribute": {"PublishBatch", "TopicArn=" + ordersARN + batch(1, "Message=x MessageAttributes.entry.1.Name=attr1"), validationError, null("publishBatchRequestEntries.1.member.messageAttributes.attr1.member.dataType")},
		"batch, no group":     {"PublishBatch", "TopicArn=" + fifoARN + batch(1, "Message=x"), invalidParameter, value + "The MessageGroupId parameter is required for FIFO topics"},

		"SMS attribute":         {"SetSMSAttributes", "attributes.entry.1.key=Colour attributes.entry.1.value=x", invalidParameter, "Colour is not a valid attribute"},
		"SMS sender":            {"SetSMSAttributes", "attributes.entry.1.key=DefaultSenderID attributes.entry.1.value=123", invalidParameter, "DefaultSenderID is invalid"},
		"SMS sender, too long":  {"SetSMSAttributes", "attributes.entry.1.key=DefaultSenderID attributes.entry.1.value=testSenderID", invalidParameter, "DefaultSenderID is invalid"},
		"SMS sender, misspelt":  {"SetSMSAttributes", "attributes.entry.1.key=DefaultSendID attributes.entry.1.value=polymq", invalidParameter, "DefaultSendID is not a valid attribute"},
		"SMS type":              {"SetSMSAttributes", "attributes.entry.1.key=DefaultSMSType attributes.entry.1.value=x", invalidParameter, "DefaultSMSType is invalid"},
		"opt in":                {"OptInPhoneNumber", "phoneNumber=abc", invalidParameter, value + "PhoneNumber Reason: input incorrectly formatted"},
		"sandbox, no digits":    {"CreateSMSSandboxPhoneNumber", "PhoneNumber=invalid_phone_number", validationError, `1 validation error detected: Value 'invalid phone number' at 'phoneNumber' failed to satisfy constraint: Member must satisfy regular expression pattern: ^(\+[0-9]{8,}|[0-9]{0,9})$`},
		"sandbox, ten digits":   {"CreateSMSSandboxPhoneNumber", "PhoneNumber=1234567890", validationError, `1 validation error detected: Value '1234567890' at 'phoneNumber' failed to satisfy constraint: Member must satisfy regular expression pattern: ^(\+[0-9]{8,}|[0-9]{0,9})$`},
		"sandbox, too long":     {"CreateSMSSandboxPhoneNumber", "PhoneNumber=+94489347594376598435", validationError, "1 validation error detected: Value '+94489347594376598435' at 'phoneNumber' failed to satisfy constraint: Member must have length less than or equal to 20"},
		"platform":              {"CreatePlatformApplication", "Name=a Platform=X Attributes.entry.1.key=PlatformCredential Attributes.entry.1.value=c", invalidParameter, value + "Platform Reason: X is not supported"},
		"application, empty":    {"CreatePlatformApplication", "Name= Platform=GCM Attributes.entry.1.key=PlatformCredential Attributes.entry.1.value=c", invalidParameter, value + " Reason: cannot be empty"},
		"application, long":     {"CreatePlatformApplication", "Name=" + strings.Repeat("a", 257) + " Platform=GCM Attributes.entry.1.key=PlatformCredential Attributes.entry.1.value=c", invalidParameter, value + strings.Repeat("a", 257) + " Reason: must be at most 256 characters long"},
		"application, name":     {"CreatePlatformApplication", "Name=a@ Platform=GCM Attributes.entry.1.key=PlatformCredential Attributes.entry.1.value=c", invalidParameter, value + "a@ Reason: must contain only characters 'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'"},
		"application, half":     {"CreatePlatformApplication", "Name=a Platform=APNS Attributes.entry.1.key=PlatformPrincipal Attributes.entry.1.value=c", invalidParameter, value + "Attributes Reason: PlatformPrincipal attribute provided without PlatformCredential"},
		"application, nothing":  {"CreatePlatformApplication", "Name=a Platform=GCM", validationError, null("attributes")},
		"application, rate":     {"CreatePlatformApplication", "Name=a Platform=GCM Attributes.entry.1.key=SuccessFeedbackSampleRate Attributes.entry.1.value=101", invalidParameter, value + "Attributes Reason: Invalid value for attribute: SuccessFeedbackSampleRate: 101 value provided is not an integer between 0-100"},
		"endpoint, no token":    {"CreatePlatformEndpoint", "Token= PlatformApplicationArn=arn:aws:sns:us-east-1:000000000000:app/GCM/none", invalidParameter, value + "Token Reason: cannot be empty"},
		"endpoint, attribute":   {"CreatePlatformEndpoint", "Token=t Attributes.entry.1.key=Token Attributes.entry.1.value= PlatformApplicationArn=arn:aws:sns:us-east-1:000000000000:app/GCM/none", invalidParameter, value + "Attributes Reason: Invalid value for attribute: Token: cannot be empty"},
		"endpoint of another":   {"CreatePlatformEndpoint", "Token=t PlatformApplicationArn=arn:aws:sns:us-east-1:000000000000:endpoint/GCM/a/" + nobody, invalidParameter, value + "PlatformApplicationArn Reason: Wrong number of slashes in relative portion of the ARN."},
		"no application":        {"CreatePlatformEndpoint", "Token=t PlatformApplicationArn=arn:aws:sns:us-east-1:000000000000:app/GCM/none", notFound, "PlatformApplication does not exist"},
		"no endpoint":           {"GetEndpointAttributes", "EndpointArn=arn:aws:sns:us-east-1:000000000000:endpoint/GCM/none/" + nobody, notFound, "Endpoint does not exist"},
		"endpoint's id":         {"SetEndpointAttributes", "EndpointArn=arn:aws:sns:us-east-1:000000000000:endpoint/GCM/none/" + nobody + "invalid Attributes.entry.1.key=Enabled Attributes.entry.1.value=true", invalidParameter, value + "EndpointArn Reason: ARN specifies an invalid endpointId: UUID must be encoded in exactly 36 characters."},
		"delete, endpoint's id": {"DeleteEndpoint", "EndpointArn=arn:aws:sns:us-east-1:000000000000:endpoint/GCM/none/1", invalidParameter, value + "EndpointArn Reason: ARN specifies an invalid endpointId: UUID must be encoded in exactly 36 characters."},
		"endpoint's slashes":    {"GetEndpointAttributes", "EndpointArn=arn:aws:sns:us-east-1:000000000000:endpoint/GCM", invalidParameter, value + "EndpointArn Reason: Wrong number of slashes in relative portion of the ARN."},
		"application's ARN":     {"GetPlatformApplicationAttributes", "PlatformApplicationArn=x", invalidParameter, value + "PlatformApplicationArn Reason: An ARN must have at least 6 elements, not 1"},
		"sandbox, no number":    {"DeleteSMSSandboxPhoneNumber", "PhoneNumber=+12345678", resourceNotFound, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f.call(t, tt.action, params(tt.parameters)...).wantFault(t, tt.want, tt.message)
		})
	}
	if bodies := f.bodies(t, "in"); len(bodies) > 0 {
		t.Errorf("a message that was refused is in the queue: %s", bodies)
	}
}

// allowing is a policy that allows everybody an action.
func allowing(action string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"` + action + `","Resource":"*"}]}`
}

// batch gives n entries that each have the members given, and an id unless these name one.
func batch(n int, members string) string {
	var all strings.Builder
	for i := range n {
		prefix := " PublishBatchRequestEntries.member." + strconv.Itoa(i+1)
		if !strings.Contains(" "+members, " Id=") {
			all.WriteString(prefix + ".Id=e" + strconv.Itoa(i+1))
		}
		for _, member := range strings.Fields(members) {
			all.WriteString(prefix + "." + member)
		}
	}
	return all.String()
}

package smq

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Members of answers, as the models of the generated clients declare them (specs/mns-openapi.md 5 and 6): a name, a
// colon and the kind: s for a text, n for a whole number, b for a truth value, m for any object. Clients in typed
// languages cannot read a member of another kind. a.b is a member of an object, a[] each element of a list.
const (
	envelopeMembers = "RequestId:s Code:n Status:s Message:s Success:b"
	resultMembers   = "Code:n Message:s Success:b"
	keptMembers     = "EnableSSE:b EncryptionEnabled:b KmsKeyId:s SseAlgorithm:s SseType:s Tags[].TagKey:s Tags[].TagValue:s"
	queueMembers    = keptMembers + " QueueName:s QueueType:s CreateTime:n LastModifyTime:n ActiveMessages:n DelayMessages:n InactiveMessages:n DelaySeconds:n" +
		" MaximumMessageSize:n MessageRetentionPeriod:n PollingWaitSeconds:n VisibilityTimeout:n LoggingEnabled:b" +
		" DlqPolicy.Enabled:b DlqPolicy.DeadLetterTargetQueue:s DlqPolicy.MaxReceiveCount:s"
	topicMembers = keptMembers + " TopicName:s TopicType:s CreateTime:n LastModifyTime:n LoggingEnabled:b MaxMessageSize:n MessageCount:n MessageRetentionPeriod:n" +
		" TopicUrl:s TopicInnerUrl:s"
	subscriptionMembers = "SubscriptionName:s TopicName:s TopicOwner:s Endpoint:s FilterTag:s NotifyStrategy:s NotifyContentFormat:s CreateTime:n LastModifyTime:n" +
		" DlqPolicy.Enabled:b DlqPolicy.DeadLetterTargetQueue:s"
	rateMembers = "TenantRateLimitPolicy.Enabled:b TenantRateLimitPolicy.MaxReceivesPerSecond:n"
	ruleMembers = "RuleName:s TopicName:s DeliveryMode:s Endpoint.EndpointType:s Endpoint.EndpointValue:s EventTypes[]:s" +
		" MatchRules[][].MatchState:b MatchRules[][].Name:s MatchRules[][].Prefix:s MatchRules[][].Suffix:s" +
		" Subscriptions[].EndpointType:s Subscriptions[].EndpointValue:s"
	pageMembers = "Data.PageNum:n Data.PageSize:n Data.Pages:n Data.Size:n Data.Total:n"
)

// below gives the members of what stands under a name.
func below(name string, lists ...string) string {
	all := strings.Fields(strings.Join(lists, " "))
	for i := range all {
		all[i] = name + "." + all[i]
	}
	return " " + strings.Join(all, " ")
}

// typeSteps call every action, in this order; each answer has these members beside those of the envelope.
var typeSteps = []struct {
	action, parameters, members string
}{
	{"CreateQueue", "QueueName=dead", below("Data", resultMembers)},
	{"CreateQueue", `QueueName=orders&QueueType=normal&DelaySeconds=1&MaximumMessageSize=2048&MessageRetentionPeriod=3600&VisibilityTimeout=45&PollingWaitSeconds=2` +
		`&EnableLogging=true&EnableSSE=true&SseType=KMS&SseAlgorithm=AES-256-GCM&KmsKeyId=key-1&Tag.1.Key=env&Tag.1.Value=dev` +
		`&DlqPolicy={"Enabled":true,"DeadLetterTargetQueue":"dead","MaxReceiveCount":3}&TenantRateLimitPolicy={"Enabled":true,"MaxReceivesPerSecond":100}`, below("Data", resultMembers)},
	{"SetQueueAttributes", "QueueName=orders&VisibilityTimeout=46", below("Data", resultMembers)},
	{"GetQueueAttributes", "QueueName=orders&Tag.1.Key=env", below("Data", queueMembers, rateMembers)},
	{"ListQueue", "QueueName=orders&PageNum=1&PageSize=10&QueueType=normal&Tag.1.Key=env", pageMembers + below("Data.PageData[]", queueMembers)},
	{"CreateTopic", "TopicName=news&TopicType=normal&MaxMessageSize=2048&EnableLogging=true&EnableSSE=true&SseType=KMS&SseAlgorithm=AES-256-GCM&KmsKeyId=key-1&Tag.1.Key=env&Tag.1.Value=dev",
		below("Data", resultMembers)},
	{"SetTopicAttributes", "TopicName=news&MaxMessageSize=4096", below("Data", resultMembers)},
	{"GetTopicAttributes", "TopicName=news", below("Data", topicMembers)},
	{"ListTopic", "TopicName=news&Tag.1.Key=env", pageMembers + below("Data.PageData[]", topicMembers)},
	{"Subscribe", `TopicName=news&SubscriptionName=all&Endpoint=http://127.0.0.1:9/notify&PushType=http&MessageTag=red&NotifyContentFormat=JSON&NotifyStrategy=BACKOFF_RETRY` +
		`&StsRoleArn=acs:ram::1:role/r&DlqPolicy={"Enabled":true,"DeadLetterTargetQueue":"dead"}&TenantRateLimitPolicy={"Enabled":true,"MaxReceivesPerSecond":10}`, " Data:s"},
	{"SetSubscriptionAttributes", "TopicName=news&SubscriptionName=all&NotifyStrategy=EXPONENTIAL_DECAY_RETRY", below("Data", resultMembers)},
	{"GetSubscriptionAttributes", "TopicName=news&SubscriptionName=all", below("Data", subscriptionMembers, rateMembers)},
	{"ListSubscriptionByTopic", "TopicName=news&EndpointType=http", pageMembers + below("Data.PageData[]", subscriptionMembers)},
	{"Unsubscribe", "TopicName=news&SubscriptionName=all", below("Data", resultMembers)},
	{"AuthorizeEndpointAcl", "EndpointType=public&AclStrategy=allow&CidrList=127.0.0.0/8,10.0.0.0/8", ""},
	{"GetEndpointAttribute", "EndpointType=public", below("Data", "EndpointEnabled:b CidrList[].AclStrategy:s CidrList[].Cidr:s CidrList[].CreateTime:n")},
	{"RevokeEndpointAcl", "EndpointType=public&AclStrategy=allow&CidrList=10.0.0.0/8", ""},
	{"DisableEndpoint", "EndpointType=public", ""},
	{"EnableEndpoint", "EndpointType=public", ""},
	{"CreateEventRule", `ProductName=oss&RuleName=uploads&ClientToken=t&DeliveryMode=BROADCAST&EventTypes=["ObjectCreated:PutObject"]&Endpoint={"EndpointType":"topic","EndpointValue":"news"}` +
		`&MatchRules=[[{"MatchState":true,"Name":"b/n","Prefix":"b/p","Suffix":".jpg"}]]`, " Data:s"},
	{"CreateEventRule", `ProductName=oss&RuleName=uploads-2&EventTypes=["ObjectCreated:PutObject"]&Endpoint={"EndpointType":"queue","EndpointValue":"orders"}&MatchRules=[[{"MatchState":"true"}]]`, " Data:s"},
	{"GetEventRule", "ProductName=oss&RuleName=uploads", below("Data", ruleMembers)},
	{"ListEventRules", `ProductName=oss&PageNum=1&PageSize=10&Subscription={"EndpointType":"topic","EndpointValue":"news"}`, pageMembers + " Data.MaxResults:n" + below("Data.PageData[]", ruleMembers)},
	{"DeleteEventRule", "ProductName=oss&RuleName=uploads", ""},
	{"SetAccountAttributes", "ClientToken=t&LogEnabled=true&LogStoreName=store&ProjectName=project&MessageTraceEnabled=true", ""},
	{"GetAccountAttributes", "", below("Data", "LogEnabled:b LogStoreName:s MessageTraceEnabled:b ProjectName:s")},
	{"TagResources", "ResourceType=queue&ResourceId.1=orders&Tag.1.Key=team&Tag.1.Value=a", ""},
	{"ListTagResources", "ResourceType=queue&ResourceId.1=orders", "- RequestId:s" + below("TagResources.TagResource[]", "ResourceType:s ResourceId:s TagKey:s TagValue:s")},
	{"UntagResources", "ResourceType=queue&ResourceId.1=orders&TagKey.1=team", ""},
	{"DeleteTopic", "TopicName=news", " Data:m"},
	{"DeleteQueue", "QueueName=orders", below("Data", resultMembers)},
}

func TestMembersAreOfTheKindsThatClientsDeclare(t *testing.T) {
	t.Parallel()
	f, called := start(t), map[string]bool{}
	for _, step := range typeSteps {
		called[step.action] = true
		var parameters []string
		for _, parameter := range strings.FieldsFunc(step.parameters, func(r rune) bool { return r == '&' }) {
			name, value, _ := strings.Cut(parameter, "=")
			parameters = append(parameters, name, value)
		}
		got := f.do(t, step.action, parameters...)
		var answer any
		decoder := json.NewDecoder(strings.NewReader(got.body))
		decoder.UseNumber()
		if err := decoder.Decode(&answer); err != nil || got.status != 200 {
			t.Fatalf("%s: got %d %s, %v", step.action, got.status, got.body, err)
		}
		members, plain := strings.CutPrefix(step.members, "- ")
		if !plain {
			members = envelopeMembers + " " + members
		}
		for _, member := range strings.Fields(members) {
			path, kind, _ := strings.Cut(strings.ReplaceAll(member, "[]", ".[]"), ":")
			if !isOfKind(answer, strings.Split(path, "."), kind) {
				t.Errorf("%s: want %s in %s", step.action, member, got.body)
			}
		}
	}
	for _, action := range Actions() {
		if !called[action.Name] {
			t.Errorf("no step calls %s", action.Name)
		}
	}
}

// isOfKind says that what a path leads to is there, and of a kind; of a list, in every element, and there is one.
func isOfKind(value any, path []string, kind string) bool {
	if len(path) == 0 {
		switch v := value.(type) {
		case string:
			return kind == "s"
		case bool:
			return kind == "b"
		case json.Number:
			_, err := strconv.ParseInt(v.String(), 10, 64)
			return kind == "n" && err == nil
		case map[string]any:
			return kind == "m"
		}
		return false
	}
	if path[0] == "[]" {
		list, ok := value.([]any)
		return ok && len(list) > 0 && !slices.ContainsFunc(list, func(element any) bool { return !isOfKind(element, path[1:], kind) })
	}
	object, _ := value.(map[string]any)
	member, ok := object[path[0]]
	return ok && isOfKind(member, path[1:], kind)
}

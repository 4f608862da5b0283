package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	sts "github.com/alibabacloud-go/sts-20150401/v2/client"
	rpc "github.com/alibabacloud-go/tea-rpc/client"
	tea "github.com/alibabacloud-go/tea-utils/service"
	util "github.com/alibabacloud-go/tea-utils/v2/service"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
)

// smqChecks are of SMQ's control plane and Alibaba's STS. No client of mns-open for Go is among them, but the
// cores that do its work: the one that generated clients call, the one of the aliyun command line, and
// the one that Terraform's provider is built on.
var smqChecks = []check{
	{"smq_generated_core", generatedCore},
	{"smq_command_line_core", commandLineCore},
	{"smq_terraform_queue", terraformQueue},
	{"smq_terraform_topic_and_subscription", terraformTopic},
	{"smq_terraform_endpoint", terraformEndpoint},
	{"smq_terraform_event_rule", terraformEventRule},
	{"smq_terraform_account_logging", terraformLogging},
	{"sts_generated_client", generatedSTS},
}

const smqVersion = "2022-01-19"

func secretKey() string {
	if secret := os.Getenv("POLYMQ_SECRET_KEY"); secret != "" { // counts where the server verifies signatures
		return secret
	}
	return "test"
}

func host() string { return strings.TrimPrefix(endpoint, "http://") }

func text(s string) *string { return &s }

func generatedConfig() *openapi.Config {
	key := accessKey
	return &openapi.Config{AccessKeyId: &key, AccessKeySecret: text(secretKey()), Endpoint: text(host()), Protocol: text("http")}
}

// member gives what is found in a decoded JSON document behind names, one below the other.
func member(document any, names ...string) any {
	for _, name := range names {
		object, _ := document.(map[string]any)
		document = object[name]
	}
	return document
}

func generatedCore(context.Context) error {
	for _, algorithm := range []string{"", "v2"} {
		config := generatedConfig()
		if algorithm != "" {
			config.SignatureAlgorithm = &algorithm
		}
		client, err := openapi.NewClient(config)
		if err != nil {
			return err
		}
		call := func(action string, query map[string]*string, form map[string]any) (map[string]any, error) {
			params := &openapi.Params{
				Action: &action, Version: text(smqVersion), Protocol: text("HTTP"), Pathname: text("/"), Method: text("POST"), AuthType: text("AK"),
				Style: text("RPC"), ReqBodyType: text("formData"), BodyType: text("json"),
			}
			return client.CallApi(params, &openapi.OpenApiRequest{Query: query, Body: form}, new(util.RuntimeOptions))
		}
		name := queueName()
		_, err = call("CreateQueue", map[string]*string{"QueueName": &name, "DelaySeconds": text("7"), "DlqPolicy": text(`{"Enabled":false}`), "Tag.1.Key": text("k 1"), "Tag.1.Value": text("v*~")}, nil)
		if err != nil {
			return err
		}
		got, err := call("GetQueueAttributes", map[string]*string{"QueueName": &name}, nil)
		if err != nil {
			return err
		}
		data := member(any(got), "body", "Data")
		if err := equal("delay", fmt.Sprint(member(data, "DelaySeconds")), "7"); err != nil {
			return err
		}
		if err := equal("tags", fmt.Sprint(member(data, "Tags")), "[map[TagKey:k 1 TagValue:v*~]]"); err != nil {
			return err
		}
		// The one action with parameters in the query and in the form.
		if _, err = call("CreateTopic", map[string]*string{"TopicType": text("normal")}, map[string]any{"TopicName": name, "MaxMessageSize": 2048}); err != nil {
			return err
		}
		_, err = call("GetQueueAttributes", map[string]*string{"QueueName": text("no-such-queue")}, nil)
		if err == nil || !strings.Contains(err.Error(), "QueueNotExist") {
			return fmt.Errorf("a missing queue gives %w", err)
		}
	}
	return nil
}

func commandLineCore(context.Context) error {
	client, err := sdk.NewClientWithAccessKey("cn-hangzhou", accessKey, secretKey())
	if err != nil {
		return err
	}
	for _, method := range []string{"GET", "POST"} {
		request := requests.NewCommonRequest()
		request.Method, request.Scheme, request.Domain, request.Version, request.ApiName = method, "http", host(), smqVersion, "CreateQueue"
		request.QueryParams["QueueName"] = queueName()
		answer, err := client.ProcessCommonRequest(request)
		if err != nil {
			return err
		}
		var document any
		if err := json.Unmarshal(answer.GetHttpContentBytes(), &document); err != nil {
			return err
		}
		if err := equal("success", member(document, "Success"), true); err != nil {
			return err
		}
	}
	return nil
}

// terraform sends a request as Terraform's provider does: what it is about is in the form.
func terraform(action string, form map[string]any) (map[string]any, error) {
	client, err := rpc.NewClient(&rpc.Config{
		AccessKeyId: text(accessKey), AccessKeySecret: text(secretKey()), RegionId: text("cn-hangzhou"), Protocol: text("HTTP"), Endpoint: text(host()),
	})
	if err != nil {
		return nil, err
	}
	return client.DoRequest(&action, nil, text("POST"), text(smqVersion), text("AK"), nil, form, new(tea.RuntimeOptions))
}

// steps does one request after the other.
func steps(all ...func() error) error {
	for _, step := range all {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// done is a step that has to succeed; wants is one whose answer must have a value, as text, behind names.
func done(action string, form map[string]any) func() error {
	return wants(action, form, "true", "Success")
}

func wants(action string, form map[string]any, want string, names ...string) func() error {
	return func() error {
		got, err := terraform(action, form)
		if err != nil {
			return fmt.Errorf("%s: %w", action, err)
		}
		return equal(action+" "+strings.Join(names, "."), fmt.Sprint(member(any(got), names...)), want)
	}
}

// gone is a step that must not find what it asks for, in a way that Terraform understands.
func gone(action string, form map[string]any, code string) func() error {
	return func() error {
		_, err := terraform(action, form)
		var coded interface{ GetCode() *string }
		if err == nil || !strings.Contains(err.Error(), code) && !(errors.As(err, &coded) && *coded.GetCode() == code) {
			return fmt.Errorf("%s: got %w, want %s", action, err, code)
		}
		return nil
	}
}

func terraformQueue(context.Context) error {
	name, dead := queueName(), queueName()
	queue := map[string]any{"QueueName": name}
	return steps(
		done("CreateQueue", map[string]any{"QueueName": dead}),
		done("CreateQueue", map[string]any{"QueueName": name, "DelaySeconds": 1, "VisibilityTimeout": 45, "EnableLogging": true, "ClientToken": name,
			"DlqPolicy": `{"DeadLetterTargetQueue":"` + dead + `","Enabled":true,"MaxReceiveCount":3}`, "Tag.1.Key": "For", "Tag.1.Value": "Test"}),
		wants("GetQueueAttributes", queue, "45", "Data", "VisibilityTimeout"),
		wants("GetQueueAttributes", queue, "map[DeadLetterTargetQueue:"+dead+" Enabled:true MaxReceiveCount:3]", "Data", "DlqPolicy"),
		done("SetQueueAttributes", map[string]any{"QueueName": name, "VisibilityTimeout": 46, "DlqPolicy": `{"Enabled":false,"MaxReceiveCount":0}`}),
		wants("GetQueueAttributes", queue, "46", "Data", "VisibilityTimeout"),
		done("TagResources", map[string]any{"RegionId": "cn-hangzhou", "ResourceType": "queue", "ResourceId.1": name, "Tag.1.Key": "Created", "Tag.1.Value": "TF"}),
		done("UntagResources", map[string]any{"RegionId": "cn-hangzhou", "ResourceType": "queue", "ResourceId.1": name, "TagKey.1": "For"}),
		wants("GetQueueAttributes", queue, "[map[TagKey:Created TagValue:TF]]", "Data", "Tags"),
		wants("ListQueue", map[string]any{"QueueName": name, "PageNum": 1, "PageSize": 50}, "1", "Data", "Total"),
		done("DeleteQueue", queue),
		gone("GetQueueAttributes", queue, "QueueNotExist"),
	)
}

func terraformTopic(context.Context) error {
	name := queueName()
	topic, sub := map[string]any{"TopicName": name}, map[string]any{"TopicName": name, "SubscriptionName": "all"}
	return steps(
		done("CreateQueue", map[string]any{"QueueName": name}),
		done("CreateTopic", map[string]any{"TopicName": name, "MaxMessageSize": 16888, "EnableLogging": true, "Tag.1.Key": "For", "Tag.1.Value": "Test"}),
		wants("GetTopicAttributes", topic, "16888", "Data", "MaxMessageSize"),
		done("SetTopicAttributes", map[string]any{"TopicName": name, "MaxMessageSize": 10241, "EnableLogging": false}),
		wants("GetTopicAttributes", topic, "10241", "Data", "MaxMessageSize"),
		wants("Subscribe", map[string]any{"TopicName": name, "SubscriptionName": "all", "PushType": "queue", "NotifyContentFormat": "SIMPLIFIED", "NotifyStrategy": "BACKOFF_RETRY",
			"Endpoint": "acs:mns:cn-hangzhou:1234567890123456:/queues/" + name, "MessageTag": "red"}, "true", "Success"),
		wants("GetSubscriptionAttributes", sub, "acs:mns:cn-hangzhou:1234567890123456:/queues/"+name, "Data", "Endpoint"),
		wants("GetSubscriptionAttributes", sub, "red", "Data", "FilterTag"),
		done("SetSubscriptionAttributes", map[string]any{"TopicName": name, "SubscriptionName": "all", "NotifyStrategy": "EXPONENTIAL_DECAY_RETRY"}),
		wants("GetSubscriptionAttributes", sub, "EXPONENTIAL_DECAY_RETRY", "Data", "NotifyStrategy"),
		wants("ListSubscriptionByTopic", map[string]any{"TopicName": name, "PageNum": 1, "PageSize": 50}, "1", "Data", "Total"),
		done("Unsubscribe", sub),
		gone("GetSubscriptionAttributes", sub, "SubscriptionNotExist"),
		done("DeleteTopic", topic),
		gone("GetTopicAttributes", topic, "TopicNotExist"),
	)
}

func terraformEndpoint(context.Context) error {
	public := map[string]any{"EndpointType": "public", "RegionId": "cn-hangzhou"}
	network := map[string]any{"EndpointType": "public", "RegionId": "cn-hangzhou", "AclStrategy": "allow", "CidrList": "0.0.0.0/0"}
	return steps(
		wants("GetEndpointAttribute", public, "[]", "Data", "CidrList"),
		done("EnableEndpoint", public),
		wants("GetEndpointAttribute", public, "true", "Data", "EndpointEnabled"),
		done("AuthorizeEndpointAcl", network),
		func() error {
			got, err := terraform("GetEndpointAttribute", public)
			if err != nil {
				return err
			}
			list, _ := member(any(got), "Data", "CidrList").([]any)
			if len(list) != 1 {
				return fmt.Errorf("networks: got %v", list)
			}
			return equal("network", fmt.Sprint(member(list[0], "Cidr"), member(list[0], "AclStrategy")), "0.0.0.0/0allow")
		},
		done("RevokeEndpointAcl", network),
		wants("GetEndpointAttribute", public, "[]", "Data", "CidrList"),
	)
}

func terraformEventRule(context.Context) error {
	name := queueName()
	rule := map[string]any{"ProductName": "oss", "RuleName": name, "RegionId": "cn-hangzhou"}
	return steps(
		wants("CreateEventRule", map[string]any{"ProductName": "oss", "RuleName": name, "RegionId": "cn-hangzhou", "ClientToken": name, "EventTypes": `["ObjectCreated:PutObject"]`,
			"MatchRules": `[[{"MatchState":"true","Name":"","Prefix":"acs:oss:cn-hangzhou:1234:bucket","Suffix":""}]]`, "Endpoint": `{"EndpointType":"topic","EndpointValue":"news"}`}, name, "Data"),
		wants("GetEventRule", rule, "[ObjectCreated:PutObject]", "Data", "EventTypes"),
		wants("GetEventRule", rule, "map[EndpointType:topic EndpointValue:news]", "Data", "Endpoint"),
		done("DeleteEventRule", rule),
		gone("GetEventRule", rule, "RESOURCE_NOT_FOUND"),
	)
}

func terraformLogging(context.Context) error {
	return steps(
		done("SetAccountAttributes", map[string]any{"LogEnabled": true, "LogStoreName": "store", "ProjectName": "project"}),
		wants("GetAccountAttributes", map[string]any{}, "true", "Data", "LogEnabled"),
		wants("GetAccountAttributes", map[string]any{}, "project", "Data", "ProjectName"),
		done("SetAccountAttributes", map[string]any{"LogEnabled": false}),
		wants("GetAccountAttributes", map[string]any{}, "false", "Data", "LogEnabled"),
	)
}

func generatedSTS(context.Context) error {
	client, err := sts.NewClient(generatedConfig())
	if err != nil {
		return err
	}
	who, err := client.GetCallerIdentity()
	if err != nil {
		return err
	}
	role := "acs:ram::" + *who.Body.AccountId + ":role/worker"
	assumed, err := client.AssumeRole(&sts.AssumeRoleRequest{RoleArn: &role, RoleSessionName: text("session")})
	if err != nil {
		return err
	}
	config, credentials := generatedConfig(), assumed.Body.Credentials
	config.AccessKeyId, config.AccessKeySecret, config.SecurityToken = credentials.AccessKeyId, credentials.AccessKeySecret, credentials.SecurityToken
	if client, err = sts.NewClient(config); err != nil {
		return err
	}
	if who, err = client.GetCallerIdentity(); err != nil {
		return err
	}
	return equal("identity", *who.Body.IdentityType+" "+*who.Body.PrincipalId, "AssumedRoleUser "+*assumed.Body.AssumedRoleUser.AssumedRoleId)
}

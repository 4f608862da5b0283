package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	sts "github.com/alibabacloud-go/sts-20150401/v2/client"
	rpc "github.com/alibabacloud-go/tea-rpc/client"
	tea "github.com/alibabacloud-go/tea-utils/service"
)

// smqChecks are of SMQ's control plane and Alibaba's STS. Of the clients of mns-open for Go the older one is among them;
// of the newer, which cannot be had everywhere, the cores that do their work: the one that generated clients call, the one of the aliyun command line, and
// the one that Terraform's provider is built on. Each takes all the steps of smq_steps.json, which call every action.
var smqChecks = []check{
	{"smq_older_client", olderClient},
	{"smq_steps_generated_core_acs3", walk(throughGenerated(""))},
	{"smq_steps_generated_core_hmac_sha1", walk(throughGenerated("v2"))},
	{"smq_steps_generated_core_roa", walk(throughROA())},
	{"smq_steps_command_line_core_get", walk(throughCommandLine("GET"))},
	{"smq_steps_command_line_core_post", walk(throughCommandLine("POST"))},
	{"smq_steps_terraform_core", walk(throughTerraform)},
	{"smq_terraform_queue", managed(terraformQueue)},
	{"smq_terraform_queue_of_1.240", managed(terraformQueue1240)},
	{"smq_terraform_topic", managed(terraformTopic)},
	{"smq_terraform_topic_of_1.240", managed(terraformTopic1240)},
	{"smq_terraform_subscription", managed(terraformSubscription)},
	{"smq_terraform_subscription_of_1.240", managed(terraformSubscription1240)},
	{"smq_terraform_data_sources", terraformDataSources},
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

// terraform sends a request as Terraform's provider does: what it is about is in the form.
func terraform(action string, form map[string]any) (map[string]any, error) {
	return terraformWith(action, nil, form)
}

// terraformWith is for those of the provider's requests that have a name in the query.
func terraformWith(action string, query, form map[string]any) (map[string]any, error) {
	client, err := rpc.NewClient(&rpc.Config{
		AccessKeyId: text(accessKey), AccessKeySecret: text(secretKey()), RegionId: text("cn-hangzhou"), Protocol: text("HTTP"), Endpoint: text(host()),
	})
	if err != nil {
		return nil, err
	}
	return client.DoRequest(&action, nil, text("POST"), text(smqVersion), text("AK"), query, form, new(tea.RuntimeOptions))
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

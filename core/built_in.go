package core

import (
	"slices"
	"strings"
	"time"
)

// builtIns are the policies that the clouds bring with them, those that say something of queues and topics,
// and of who may manage users.
var builtIns = func() map[string]*Policy {
	all := map[string]*Policy{}
	for _, p := range []struct{ cloud, name, description, text string }{
		{AWS, "AdministratorAccess", "Provides full access to AWS services and resources.", awsAllow("*")},
		{AWS, "AmazonSQSFullAccess", "Provides full access to Amazon SQS.", awsAllow("sqs:*")},
		{AWS, "AmazonSQSReadOnlyAccess", "Provides read only access to Amazon SQS.", awsAllow("sqs:GetQueueAttributes", "sqs:GetQueueUrl",
			"sqs:ListDeadLetterSourceQueues", "sqs:ListQueues", "sqs:ListMessageMoveTasks", "sqs:ListQueueTags")},
		{AWS, "AmazonSNSFullAccess", "Provides full access to Amazon SNS.", awsAllow("sns:*")},
		{AWS, "AmazonSNSReadOnlyAccess", "Provides read only access to Amazon SNS.", awsAllow("sns:GetTopicAttributes", "sns:List*",
			"sns:CheckIfPhoneNumberIsOptedOut", "sns:GetEndpointAttributes", "sns:GetDataProtectionPolicy", "sns:GetPlatformApplicationAttributes",
			"sns:GetSMSAttributes", "sns:GetSMSSandboxAccountStatus", "sns:GetSubscriptionAttributes")},
		{AWS, "IAMFullAccess", "Provides full access to IAM.", awsAllow("iam:*")},
		{AWS, "IAMReadOnlyAccess", "Provides read only access to IAM.", awsAllow("iam:Get*", "iam:List*", "iam:Simulate*")},
		{AWS, "PowerUserAccess", "Provides full access to AWS services and resources, but does not allow management of users and groups.",
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":["iam:*"],"Resource":"*"},` +
				`{"Effect":"Allow","Action":["iam:ListRoles","iam:GetRole"],"Resource":"*"}]}`},
		{AWS, "ReadOnlyAccess", "Provides read-only access to AWS services and resources.", awsAllow("sqs:Get*", "sqs:List*", "sqs:Receive*",
			"sns:Check*", "sns:Get*", "sns:List*", "iam:Get*", "iam:List*", "sts:Get*")},
		{RAM, "AdministratorAccess", "Full access to all services and resources.", ramAllow("*")},
		{RAM, "ReadOnlyAccess", "Read-only access to all services and resources.", ramAllow("mns:Get*", "mns:Query*", "mns:Desc*", "mns:List*", "ram:Get*", "ram:List*", "sts:Get*")},
		{RAM, "AliyunMNSFullAccess", "Full access to Message Service.", ramAllow("mns:*")},
		{RAM, "AliyunMNSReadOnlyAccess", "Read-only access to Message Service.", ramAllow("mns:Get*", "mns:Query*", "mns:Desc*", "mns:List*")},
		{RAM, "AliyunRAMFullAccess", "Full access to Resource Access Management.", ramAllow("ram:*")},
		{RAM, "AliyunRAMReadOnlyAccess", "Read-only access to Resource Access Management.", ramAllow("ram:Get*", "ram:List*")},
		{RAM, "AliyunSTSAssumeRoleAccess", "May call AssumeRole of Security Token Service.", ramAllow("sts:AssumeRole")},
	} {
		name := PolicyName{Cloud: p.cloud, Name: p.name}
		all[name.ARN()] = &Policy{
			PolicyName: name, ID: name.ARN(), Path: "/", Description: p.description, CreatedAt: builtInSince, UpdatedAt: builtInSince,
			Default: 1, Last: 1, Versions: []PolicyVersion{{Number: 1, Text: p.text, CreatedAt: builtInSince}},
		}
	}
	return all
}()

// builtInSince is when built-in policies say they were made.
var builtInSince = time.Date(2026, time.November, 21, 0, 0, 0, 0, time.UTC)

func awsAllow(actions ...string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["` + strings.Join(actions, `","`) + `"],"Resource":"*"}]}`
}

func ramAllow(actions ...string) string {
	return `{"Version":"1","Statement":[{"Effect":"Allow","Action":["` + strings.Join(actions, `","`) + `"],"Resource":"*"}]}`
}

// BuiltInPolicy gives the built-in policy of that ID, which is its ARN; nil where there is none. It is not to
// be changed.
func BuiltInPolicy(id string) *Policy { return builtIns[id] }

func builtIn(name PolicyName) *Policy {
	return builtIns[PolicyName{Cloud: name.Cloud, Name: name.Name}.ARN()]
}

// builtInsOf gives the built-in policies of a cloud, "" for both, sorted by name.
func builtInsOf(cloud string) []Policy {
	var of []Policy
	for _, p := range builtIns {
		if cloud == "" || p.Cloud == cloud {
			of = append(of, *p)
		}
	}
	slices.SortFunc(of, func(a, b Policy) int { return strings.Compare(a.Name+a.Cloud, b.Name+b.Cloud) })
	return of
}

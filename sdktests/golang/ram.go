package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	sts "github.com/alibabacloud-go/sts-20150401/v2/client"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ram"
	mns "github.com/aliyun/aliyun-mns-go-sdk"
)

// ramChecks are of users, policies and roles of RAM's, on a server that enforces policies: what the MNS SDK may with
// their keys and with STS's.
var ramChecks = []check{
	{"ram_user_may_what_its_policy_allows", ramUser},
	{"ram_role_may_what_its_policy_allows", ramRole},
}

// key is an access key, of a session where it has a token.
type key struct{ id, secret, token string }

func ownKey() key { return key{accessKey, os.Getenv("POLYMQ_SECRET_KEY"), ""} }

func ramOf(k key) (*ram.Client, error) {
	client, err := ram.NewClientWithAccessKey("cn-hangzhou", k.id, k.secret)
	if err != nil {
		return nil, err
	}
	client.Domain = host()
	client.GetConfig().Scheme = requests.HTTP
	return client, nil
}

func mnsOf(k key) mns.MNSClient {
	return mns.NewAliMNSClientWithConfig(mns.AliMNSClientConfig{EndPoint: endpoint + "/.", AccessKeyId: k.id, AccessKeySecret: k.secret, Token: k.token})
}

func stsOf(k key) (*sts.Client, error) {
	config := generatedConfig()
	config.AccessKeyId, config.AccessKeySecret = &k.id, &k.secret
	return sts.NewClient(config)
}

func ramPolicy(statements ...string) string {
	return `{"Version":"1","Statement":[` + strings.Join(statements, ",") + `]}`
}

func ramAllow(action, resource string) string {
	return fmt.Sprintf(`{"Effect":"Allow","Action":%q,"Resource":%q}`, action, resource)
}

// ramUserWith makes a user with a policy, and gives its key.
func ramUserWith(client *ram.Client, policy string) (key, error) {
	name := queueName()
	user := ram.CreateCreateUserRequest()
	user.UserName = name
	if _, err := client.CreateUser(user); err != nil {
		return key{}, fmt.Errorf("create the user: %w", err)
	}
	made := ram.CreateCreatePolicyRequest()
	made.PolicyName, made.PolicyDocument = name, policy
	if _, err := client.CreatePolicy(made); err != nil {
		return key{}, fmt.Errorf("create the policy: %w", err)
	}
	attach := ram.CreateAttachPolicyToUserRequest()
	attach.PolicyType, attach.PolicyName, attach.UserName = "Custom", name, name
	if _, err := client.AttachPolicyToUser(attach); err != nil {
		return key{}, fmt.Errorf("attach the policy: %w", err)
	}
	request := ram.CreateCreateAccessKeyRequest()
	request.UserName = name
	answer, err := client.CreateAccessKey(request)
	if err != nil {
		return key{}, fmt.Errorf("create the key: %w", err)
	}
	return key{answer.AccessKey.AccessKeyId, answer.AccessKey.AccessKeySecret, ""}, nil
}

// denied gives an error unless err has all those texts.
func denied(what string, err error, texts ...string) error {
	for _, text := range texts {
		if err == nil || !strings.Contains(err.Error(), text) {
			return fmt.Errorf("%s: got %w, want %s", what, err, text)
		}
	}
	return nil
}

// sends has to be able to send to the queue, and not to receive from it.
func sends(k key, queue string) error {
	theirs := mns.NewMNSQueue(queue, mnsOf(k))
	if _, err := theirs.SendMessage(mns.MessageSendRequest{MessageBody: "hello"}); err != nil {
		return fmt.Errorf("what is allowed: %w", err)
	}
	got, failed := make(chan mns.MessageReceiveResponse, 1), make(chan error, 1)
	theirs.ReceiveMessage(got, failed)
	select {
	case message := <-got:
		return fmt.Errorf("%q was received", message.MessageBody)
	case err := <-failed:
		return denied("receive", err, "AccessDenied", "mns:ReceiveMessage")
	}
}

func ramUser(context.Context) error {
	own, err := ramOf(ownKey())
	if err != nil {
		return err
	}
	queue := queueName()
	if err := mns.NewMNSQueueManager(mnsOf(ownKey())).CreateSimpleQueue(queue); err != nil {
		return err
	}
	user, err := ramUserWith(own, ramPolicy(ramAllow("mns:SendMessage", "acs:mns:*:*:/queues/"+queue+"/messages")))
	if err != nil {
		return err
	}
	if err := sends(user, queue); err != nil {
		return err
	}
	theirs, err := ramOf(user)
	if err != nil {
		return err
	}
	_, err = theirs.ListUsers(ram.CreateListUsersRequest())
	return denied("list the users", err, "NoPermission", "ram:ListUsers")
}

func ramRole(context.Context) error {
	own, err := ramOf(ownKey())
	if err != nil {
		return err
	}
	security, err := stsOf(ownKey())
	if err != nil {
		return err
	}
	who, err := security.GetCallerIdentity()
	if err != nil {
		return err
	}
	queue := queueName()
	if err := mns.NewMNSQueueManager(mnsOf(ownKey())).CreateSimpleQueue(queue); err != nil {
		return err
	}
	role := ram.CreateCreateRoleRequest()
	role.RoleName = queue
	role.AssumeRolePolicyDocument = ramPolicy(`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::` + *who.Body.AccountId + `:root"]}}`)
	made, err := own.CreateRole(role)
	if err != nil {
		return err
	}
	attach := ram.CreateAttachPolicyToRoleRequest()
	attach.PolicyType, attach.PolicyName, attach.RoleName = "System", "AliyunMNSFullAccess", queue
	if _, err := own.AttachPolicyToRole(attach); err != nil {
		return err
	}
	session, err := assumedBy(own, made.Role.Arn, ramAllow("mns:*", "*"))
	if err := denied("assume without permission", err, "NoPermission", "sts:AssumeRole"); err != nil {
		return fmt.Errorf("%s: %w", session.id, err)
	}
	if session, err = assumedBy(own, made.Role.Arn, ramAllow("sts:AssumeRole", made.Role.Arn)); err != nil {
		return err
	}
	return sends(session, queue)
}

// assumedBy has a new user with that statement assume the role, for a session that may send.
func assumedBy(own *ram.Client, role, statement string) (key, error) {
	user, err := ramUserWith(own, ramPolicy(statement))
	if err != nil {
		return key{}, err
	}
	client, err := stsOf(user)
	if err != nil {
		return key{}, err
	}
	assumed, err := client.AssumeRole(&sts.AssumeRoleRequest{RoleArn: &role, RoleSessionName: text("build"), Policy: text(ramPolicy(ramAllow("mns:SendMessage", "*")))})
	if err != nil {
		return key{}, err
	}
	made := assumed.Body.Credentials
	return key{*made.AccessKeyId, *made.AccessKeySecret, *made.SecurityToken}, nil
}

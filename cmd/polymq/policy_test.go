package main

import (
	"strings"
	"testing"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

func TestPolicyExplain(t *testing.T) {
	srv := startServer(t, server.Config{DatabaseURL: pgtest.DatabaseURL(t), Auth: "verify", MasterKey: testMasterKey, AdminKey: "root:hunter22"})
	environ := []string{"POLYMQ_ADMIN_KEY=root:hunter22", "POLYMQ_ENDPOINT=" + srv.URL()}
	const account = "000000000000"
	broker := srv.Broker()
	name := core.IdentityName{Account: account, Kind: core.User, Name: "ci"}
	if _, err := broker.CreateIdentity(t.Context(), core.Identity{IdentityName: name}); err != nil {
		t.Fatal(err)
	}
	for policy, text := range map[string]core.Inline{
		"queues": {Cloud: core.AWS, Text: `{"Version":"2012-10-17","Statement":[{"Sid":"Orders","Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:*:*:orders"},` +
			`{"Sid":"NotFromThere","Effect":"Deny","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}]}`},
		"mns": {Cloud: core.RAM, Text: `{"Version":"1","Statement":[{"Effect":"Allow","Action":"mns:SendMessage","Resource":"acs:mns:*:*:/queues/orders/messages"}]}`},
	} {
		if err := broker.PutInlinePolicy(t.Context(), name, policy, text); err != nil {
			t.Fatal(err)
		}
	}
	key, err := broker.CreateKey(t.Context(), core.NewKey{Account: account, User: "ci"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := broker.CreateQueue(t.Context(), core.NewQueue{
		Name: core.QueueName{Account: account, Region: "us-east-1", Name: "open"}, Settings: core.DefaultSettings(), Tags: map[string]string{"team": "red"},
		Attributes: map[string]string{"sqs.Policy": `{"Version":"2012-10-17","Statement":[{"Sid":"All","Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"red"}}}]}`},
	}); err != nil {
		t.Fatal(err)
	}
	const orders, open = "arn:aws:sqs:us-east-1:000000000000:orders", "arn:aws:sqs:us-east-1:000000000000:open"
	tests := map[string]struct {
		args string
		want []string
	}{
		"allowed":           {"--key " + key.ID + " --action sqs:SendMessage --resource " + orders, []string{"Decision     allowed", "user/ci", "identity-based policy", "user/ci/queues", "0 Orders"}},
		"by its ARN":        {"--principal arn:aws:iam::000000000000:user/ci --action sqs:SendMessage --resource " + orders, []string{"Decision     allowed", "0 Orders"}},
		"nothing allows":    {"--key " + key.ID + " --action sqs:SendMessage --resource " + orders + "2", []string{"implicitDeny", "because no identity-based policy allows the sqs:SendMessage action"}},
		"denied":            {"--key " + key.ID + " --action sqs:SendMessage --resource " + orders + " --context aws:SourceIp=192.0.2.1", []string{"explicitDeny", "1 NotFromThere", "with an explicit deny"}},
		"from inside":       {"--key " + key.ID + " --action sqs:SendMessage --resource " + orders + " --context AWS:SourceIP=10.1.2.3", []string{"Decision     allowed"}},
		"of RAM":            {"--key " + key.ID + " --action mns:SendMessage --resource acs:mns:us-east-1:000000000000:/queues/orders/messages", []string{"Decision     allowed", "acs:ram::000000000000:user/ci", "user/ci/mns"}},
		"the queue's":       {"--principal * --action sqs:SendMessage --resource " + open, []string{"Decision     allowed", "resource-based policy", open, "0 All"}},
		"the account":       {"--principal arn:aws:iam::000000000000:root --action sqs:DeleteQueue --resource " + open, []string{"Decision   allowed"}},
		"everything":        {"--key " + key.ID + " --action sqs:ListQueues --resource *", []string{"implicitDeny"}},
		"a role":            {"--key " + key.ID + " --action sts:AssumeRole --resource arn:aws:iam::000000000000:role/worker", []string{"implicitDeny"}},
		"of the event":      {"--key " + key.ID + " --action mns:PutEventNotifications --resource acs:mns:us-east-1:000000000000:*", []string{"implicitDeny"}},
		"another's of RAM":  {"--key " + key.ID + " --action mns:SendMessage --resource acs:mns:us-east-1:111122223333:/queues/orders/messages", []string{"implicitDeny", "because no resource-based policy allows"}},
		"a queue of others": {"--key " + key.ID + " --action sqs:SendMessage --resource arn:aws:sqs:us-east-1:111122223333:orders", []string{"implicitDeny", "because no resource-based policy allows"}},
		"as JSON":           {"--json --key " + key.ID + " --action sqs:SendMessage --resource " + orders, []string{`"decision":"allowed"`, `"sid":"Orders"`, `"statement":0`}},
	}
	for name, tt := range tests {
		out, err := polymq(environ, append([]string{"policy", "explain"}, strings.Fields(tt.args)...)...)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, want := range tt.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: got\n%s, want %q in it", name, out, want)
			}
		}
	}
	for name, tt := range map[string]struct{ args, want string }{
		"nobody":         {"--action sqs:SendMessage --resource " + orders, "key"},
		"an unknown key": {"--key AKIANONE --action sqs:SendMessage --resource " + orders, "no access key"},
		"unknown user":   {"--principal arn:aws:iam::000000000000:user/none --action sqs:SendMessage --resource " + orders, "none"},
		"another's user": {"--principal arn:aws:iam::111122223333:user/ci --action sqs:SendMessage --resource " + orders, "of account 000000000000"},
		"a slip":         {"--key " + key.ID + " --action sqs:SendMesage --resource " + orders, "is it sqs:SendMessage?"},
		"no service":     {"--key " + key.ID + " --action SendMessage --resource " + orders, "such as sqs:SendMessage"},
		"a pattern":      {"--key " + key.ID + " --action sqs:* --resource " + orders, "such as sqs:SendMessage"},
		"another's":      {"--key " + key.ID + " --action s3:GetObject --resource " + orders, "actions of dybaseapi, iam, mns, ram, sns, sqs, sts"},
		"a batch":        {"--key " + key.ID + " --action sqs:SendMessageBatch --resource " + orders, "is it sqs:SendMessage?"},
		"no ARN":         {"--key " + key.ID + " --action sqs:SendMessage --resource orders", "is an ARN"},
		"another ARN":    {"--key " + key.ID + " --action sqs:SendMessage --resource arn:aws:sns:us-east-1:000000000000:orders", "is of sns"},
		"a bad context":  {"--key " + key.ID + " --action sqs:SendMessage --resource " + orders + " --context x", "KEY=VALUE"},
	} {
		if out, err := polymq(environ, append([]string{"policy", "explain"}, strings.Fields(tt.args)...)...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %q and %v, want an error with %q", name, out, err, tt.want)
		}
	}
}

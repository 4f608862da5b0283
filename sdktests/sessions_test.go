package sdktests

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/aliyun-mns-go-sdk"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

const defaultAccount = "000000000000"

// signed gives the credentials of a key.
func signed(key core.Key) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(key.ID, string(key.Secret), string(key.Token))
}

func (v *verifying) iam(key core.Key) *iam.Client {
	return iam.New(iam.Options{HTTPClient: httpClient, Region: "us-east-1", BaseEndpoint: &v.url, Credentials: signed(key)})
}

func (v *verifying) sts(key core.Key) *sts.Client {
	return sts.New(sts.Options{HTTPClient: httpClient, Region: "us-east-1", BaseEndpoint: &v.url, Credentials: signed(key)})
}

// mnsBy gives a client of MNS that signs with a key, a session's too.
func (v *verifying) mnsBy(key core.Key) ali_mns.MNSClient {
	return ali_mns.NewAliMNSClientWithConfig(ali_mns.AliMNSClientConfig{EndPoint: v.url + "/.", AccessKeyId: key.ID, AccessKeySecret: string(key.Secret), Token: string(key.Token)})
}

// statements gives a policy of IAM's.
func statements(all ...string) *string {
	return aws.String(`{"Version":"2012-10-17","Statement":[` + strings.Join(all, ",") + `]}`)
}

const trustsItsAccount = `{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"sts:AssumeRole"}`

// awsSession assumes a new role that may send, by IAM's and STS's clients.
func (v *verifying) awsSession(t *testing.T) core.Key {
	t.Helper()
	root := core.Key{ID: rootKey, Secret: rootSecret}
	role, err := v.iam(root).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("sender"), AssumeRolePolicyDocument: statements(trustsItsAccount)})
	if err != nil {
		t.Fatal(err)
	}
	allow := statements(`{"Effect":"Allow","Action":["sqs:SendMessage","sqs:GetQueueUrl"],"Resource":"arn:aws:sqs:us-east-1:000000000000:orders"}`)
	if _, err := v.iam(root).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: role.Role.RoleName, PolicyName: aws.String("p"), PolicyDocument: allow}); err != nil {
		t.Fatal(err)
	}
	session, err := v.sts(root).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: role.Role.Arn, RoleSessionName: aws.String("build")})
	if err != nil {
		t.Fatal(err)
	}
	return core.Key{ID: *session.Credentials.AccessKeyId, Secret: core.Secret(*session.Credentials.SecretAccessKey), Token: core.Secret(*session.Credentials.SessionToken)}
}

// ramSession gives the key of a session of a role of RAM's that may send. The clients of RAM and STS make such ones in
// the programs: python/ram_checks.py and its siblings.
func (v *verifying) ramSession(t *testing.T) core.Key {
	t.Helper()
	name := core.IdentityName{Account: defaultAccount, Kind: core.Role, Cloud: core.RAM, Name: "mns-sender"}
	trust := `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::000000000000:root"]}}]}`
	role, err := v.server.Broker().CreateIdentity(t.Context(), core.Identity{IdentityName: name, Trust: trust})
	if err != nil {
		t.Fatal(err)
	}
	allow := core.Inline{Cloud: core.RAM, Text: `{"Version":"1","Statement":[{"Effect":"Allow","Action":"mns:SendMessage","Resource":"acs:mns:*:*:/queues/orders/messages"}]}`}
	if err := v.server.Broker().PutInlinePolicy(t.Context(), name, "p", allow); err != nil {
		t.Fatal(err)
	}
	session := core.Session{Role: "acs:ram::000000000000:role/mns-sender", RoleID: role.ID, Name: "build"}
	return v.key(t, core.NewKey{ID: "STS.NTsender", Account: defaultAccount, Session: session, Lasts: time.Hour})
}

// TestSDKsWithTemporaryKeys uses sessions of either cloud with the SDKs of each language: after a restart they can what
// their roles can, and nothing once they are over.
func TestSDKsWithTemporaryKeys(t *testing.T) {
	t.Parallel()
	database := pgtest.DatabaseURL(t)
	first := startEnforcing(t, database)
	keys := map[bool]core.Key{false: first.awsSession(t), true: first.ramSession(t)} // by whether it is for MNS
	createQueue(t, first.sqs(asRoot), "orders")
	if err := first.server.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	v := startEnforcing(t, database)
	talkers := []talker{v.goSQS(t.Context(), func(o *sqs.Options) { o.Credentials = signed(keys[false]) }), goMNS(v.mnsBy(keys[true]))}
	for _, p := range programs {
		if len(p.talkers) == 0 || !p.available(t) {
			continue
		}
		for _, sdk := range p.talkers {
			if sdk.sdk == "ali" {
				continue // it knows no tokens
			}
			key, with := keys[sdk.mns], p
			with.env = append(slices.Clone(p.env), "POLYMQ_SECRET_KEY="+string(key.Secret), "POLYMQ_SECURITY_TOKEN="+string(key.Token))
			talkers = append(talkers, with.talker(t, polymq{v.url, key.ID}, sdk))
		}
	}
	words := map[bool]struct{ action, expired string }{
		false: {"is not authorized to perform: sqs:receivemessage on resource: arn:aws:sqs:us-east-1:000000000000:orders because no identity-based policy allows", "The security token included in the request is expired"},
		true:  {"mns:ReceiveMessage", "the security token has expired"},
	}
	refused := func(t *testing.T, what string, err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(want)) {
			t.Errorf("%s: got %v, want %q", what, err, want)
		}
	}
	for _, sdk := range talkers {
		t.Run(sdk.name, func(t *testing.T) {
			if err := sdk.send("orders", "hello"); err != nil {
				t.Errorf("what the role may: %v", err)
			}
			_, err := sdk.receive("orders")
			refused(t, "what it may not", err, words[sdk.mns].action)
		})
	}
	if _, err := v.server.Broker().AdvanceClock(t.Context(), defaultAccount, time.Hour); err != nil {
		t.Fatal(err)
	}
	for _, sdk := range talkers {
		t.Run(sdk.name+"-later", func(t *testing.T) {
			refused(t, "once it is over", sdk.send("orders", "hello"), words[sdk.mns].expired)
		})
	}
	wantCounts(t, v.sqs(asRoot), v.url+"/"+defaultAccount+"/orders", len(talkers), 0, 0)
}

// TestIAMMakesUsersAndRoles makes a user, its key and its policy by IAM, and has it assume a role of another account, as
// the SDK's own provider does.
func TestIAMMakesUsersAndRoles(t *testing.T) {
	t.Parallel()
	v := startEnforcing(t, "")
	owner, other := v.key(t, core.NewKey{Account: accountA}), v.key(t, core.NewKey{Account: accountB})
	url := createQueue(t, v.sqs(by(owner)), "orders")
	trust := statements(`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + accountB + `:root"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"shop"}}}`)
	role, err := v.iam(owner).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("reader"), AssumeRolePolicyDocument: trust})
	if err != nil {
		t.Fatal(err)
	}
	allow := statements(`{"Effect":"Allow","Action":"sqs:ReceiveMessage","Resource":"*"}`)
	if _, err := v.iam(owner).PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("reader"), PolicyName: aws.String("p"), PolicyDocument: allow}); err != nil {
		t.Fatal(err)
	}
	user := v.iamUser(t, other, "ann", `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"`+*role.Role.Arn+`"}`)
	stranger := v.iamUser(t, other, "bob", `{"Effect":"Allow","Action":"sqs:*","Resource":"*"}`)
	receive := func(as core.Key, externalID string) error {
		provider := stscreds.NewAssumeRoleProvider(v.sts(as), *role.Role.Arn, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName, o.ExternalID = "build", &externalID
		})
		client := v.sqs(func(o *sqs.Options) { o.Credentials = aws.NewCredentialsCache(provider) })
		if _, err := client.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url}); err != nil {
			return err
		}
		_, err := client.PurgeQueue(t.Context(), &sqs.PurgeQueueInput{QueueUrl: &url})
		return err
	}
	tests := map[string]struct {
		as         core.Key
		externalID string
		want       string
	}{
		"the role's session": {user, "shop", "assumed-role/reader/build is not authorized to perform: sqs:purgequeue"},
		"another name":       {user, "shed", "is not authorized to perform: sts:AssumeRole"},
		"who may not assume": {stranger, "shop", "user/bob is not authorized to perform: sts:AssumeRole on resource: " + *role.Role.Arn},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := receive(tt.as, tt.externalID); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	if _, err := v.sqs(by(user)).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url}); !strings.HasPrefix(errorCode(err), "AccessDenied") {
		t.Errorf("without the role: %v", err)
	}
}

// iamUser makes a user with a policy by IAM's client, and gives its key.
func (v *verifying) iamUser(t *testing.T, owner core.Key, name, statement string) core.Key {
	t.Helper()
	client := v.iam(owner)
	if _, err := client.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name}); err != nil {
		t.Fatal(err)
	}
	policy, err := client.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: statements(statement)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{UserName: &name, PolicyArn: policy.Policy.Arn}); err != nil {
		t.Fatal(err)
	}
	made, err := client.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return core.Key{ID: *made.AccessKey.AccessKeyId, Secret: core.Secret(*made.AccessKey.SecretAccessKey)}
}

// TestForeignTokens shows that a session's key is good with its own token alone, in either cloud.
func TestForeignTokens(t *testing.T) {
	t.Parallel()
	v := startEnforcing(t, "")
	first, second := v.awsSession(t), v.ramSession(t)
	createQueue(t, v.sqs(asRoot), "orders")
	for name, token := range map[string]core.Secret{"none": "", "another's": second.Token, "longer": first.Token + "x"} {
		client := v.sqs(with(first.ID, string(first.Secret), string(token)))
		_, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: aws.String(v.url + "/" + defaultAccount + "/orders"), MessageBody: aws.String("hello")})
		if errorCode(err) != "InvalidClientTokenId" {
			t.Errorf("SQS with a token, %s: %v", name, err)
		}
	}
	for name, token := range map[string]core.Secret{"none": "", "another's": first.Token, "longer": second.Token + "x"} {
		other := core.Key{ID: second.ID, Secret: second.Secret, Token: token}
		if err := goMNS(v.mnsBy(other)).send("orders", "hello"); err == nil || !strings.Contains(err.Error(), "InvalidAccessKeyId") {
			t.Errorf("MNS with a token, %s: %v", name, err)
		}
	}
	wantCounts(t, v.sqs(asRoot), v.url+"/"+defaultAccount+"/orders", 0, 0, 0)
}

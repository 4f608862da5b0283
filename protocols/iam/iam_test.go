package iam_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/iam"
)

const (
	account = "111122223333"
	sqsAll  = `{"Version":"2012-10-17","Statement":[{"Sid":"All","Effect":"Allow","Action":"sqs:*","Resource":"*"}]}`
	trust   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}]}`
)

// fixture is an IAM on a database of its own.
type fixture struct {
	t      *testing.T
	broker *core.Broker
	url    string
}

// start starts one; auth is off, verify or enforce.
func start(t *testing.T, auth string) *fixture {
	t.Helper()
	return startOn(t, auth, func(store core.Store) core.Store { return store })
}

// startOn starts one on what wrap makes of the store.
func startOn(t *testing.T, auth string, wrap func(core.Store) core.Store) *fixture {
	t.Helper()
	store, err := pg.Open(t.Context(), pg.Options{URL: pgtest.DatabaseURL(t), PoolSize: pgtest.PoolSize, MasterKey: pg.NewMasterKey()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	broker := core.NewBroker(wrap(store))
	t.Cleanup(broker.Close)
	options := &caller.Options{Keys: broker, Verify: auth != "off", Access: caller.NewAccess(broker, auth == "enforce")}
	server := httptest.NewServer(iam.New(broker, options))
	t.Cleanup(server.Close)
	return &fixture{t, broker, server.URL}
}

// key gives a client with a new key.
func (f *fixture) key(in core.NewKey) *sdk.Client {
	f.t.Helper()
	in.Account = account
	key, err := f.broker.CreateKey(context.Background(), in)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.as(key.ID, string(key.Secret))
}

func (f *fixture) as(id, secret string) *sdk.Client {
	return sdk.New(sdk.Options{
		BaseEndpoint: &f.url, Region: "us-east-1", Retryer: aws.NopRetryer{}, Credentials: credentials.NewStaticCredentialsProvider(id, secret, ""),
	})
}

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	var known smithy.APIError
	if errors.As(err, &known) {
		return known.ErrorCode()
	}
	return err.Error()
}

func must[V any](v V, err error) func(*testing.T) V {
	return func(t *testing.T) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func text(s string) *string { return &s }

func TestUsers(t *testing.T) {
	t.Parallel()
	c := start(t, "verify").key(core.NewKey{})
	ctx := t.Context()
	made := must(c.CreateUser(ctx, &sdk.CreateUserInput{
		UserName: text("ann"), Path: text("/ci/"), Tags: []types.Tag{{Key: text("team"), Value: text("a")}}, PermissionsBoundary: text("arn:aws:iam::aws:policy/AmazonSQSFullAccess"),
	}))(t)
	if u := made.User; *u.Arn != "arn:aws:iam::111122223333:user/ci/ann" || !strings.HasPrefix(*u.UserId, "AIDA") || u.CreateDate.IsZero() ||
		*u.PermissionsBoundary.PermissionsBoundaryArn != "arn:aws:iam::aws:policy/AmazonSQSFullAccess" || *u.Tags[0].Value != "a" {
		t.Errorf("made %+v", u)
	}
	_, err := c.CreateUser(ctx, &sdk.CreateUserInput{UserName: text("Ann")})
	if codeOf(err) != "EntityAlreadyExists" {
		t.Errorf("the same name in capitals: %v", err)
	}
	for i := range 3 {
		must(c.CreateUser(ctx, &sdk.CreateUserInput{UserName: text(fmt.Sprint("u", i))}))(t)
	}
	var names []string
	pages := sdk.NewListUsersPaginator(c, &sdk.ListUsersInput{MaxItems: aws.Int32(2)})
	for pages.HasMorePages() {
		for _, u := range must(pages.NextPage(ctx))(t).Users {
			names = append(names, *u.UserName)
		}
	}
	if got := strings.Join(names, " "); got != "ann u0 u1 u2" {
		t.Errorf("listed %s", got)
	}
	if of := must(c.ListUsers(ctx, &sdk.ListUsersInput{PathPrefix: text("/ci/")}))(t); len(of.Users) != 1 {
		t.Errorf("of a path: %d", len(of.Users))
	}
	must(c.UpdateUser(ctx, &sdk.UpdateUserInput{UserName: text("ann"), NewUserName: text("anna"), NewPath: text("/")}))(t)
	must(c.TagUser(ctx, &sdk.TagUserInput{UserName: text("anna"), Tags: []types.Tag{{Key: text("b"), Value: text("2")}}}))(t)
	must(c.UntagUser(ctx, &sdk.UntagUserInput{UserName: text("anna"), TagKeys: []string{"team"}}))(t)
	if tags := must(c.ListUserTags(ctx, &sdk.ListUserTagsInput{UserName: text("anna")}))(t).Tags; len(tags) != 1 || *tags[0].Key != "b" {
		t.Errorf("tags %v", tags)
	}
	must(c.TagUser(ctx, &sdk.TagUserInput{UserName: text("anna"), Tags: []types.Tag{{Key: text("B"), Value: text("3")}}}))(t)
	if tags := must(c.ListUserTags(ctx, &sdk.ListUserTagsInput{UserName: text("anna")}))(t).Tags; len(tags) != 1 || *tags[0].Key != "B" || *tags[0].Value != "3" {
		t.Errorf("in another case: tags %v", tags)
	}
	must(c.UntagUser(ctx, &sdk.UntagUserInput{UserName: text("anna"), TagKeys: []string{"b"}}))(t)
	if tags := must(c.ListUserTags(ctx, &sdk.ListUserTagsInput{UserName: text("anna")}))(t).Tags; len(tags) != 0 {
		t.Errorf("removed in another case: tags %v", tags)
	}
	twice := []types.Tag{{Key: text("b"), Value: text("2")}, {Key: text("B"), Value: text("3")}}
	_, tagged := c.TagUser(ctx, &sdk.TagUserInput{UserName: text("anna"), Tags: twice})
	_, user := c.CreateUser(ctx, &sdk.CreateUserInput{UserName: text("twice"), Tags: twice})
	_, role := c.CreateRole(ctx, &sdk.CreateRoleInput{RoleName: text("twice"), AssumeRolePolicyDocument: text(trust), Tags: twice})
	for what, err := range map[string]error{"TagUser": tagged, "CreateUser": user, "CreateRole": role} {
		var invalid *types.InvalidInputException
		if !errors.As(err, &invalid) || invalid.ErrorMessage() != "Duplicate tag keys found. Please note that Tag keys are case insensitive." {
			t.Errorf("%s, a tag twice: %v", what, err)
		}
	}
	must(c.DeleteUserPermissionsBoundary(ctx, &sdk.DeleteUserPermissionsBoundaryInput{UserName: text("anna")}))(t)
	if u := must(c.GetUser(ctx, &sdk.GetUserInput{UserName: text("anna")}))(t).User; u.PermissionsBoundary != nil || *u.UserId != *made.User.UserId || *u.Path != "/" {
		t.Errorf("got %+v", u)
	}
	must(c.DeleteUser(ctx, &sdk.DeleteUserInput{UserName: text("anna")}))(t)
	var gone *types.NoSuchEntityException
	if _, err := c.GetUser(ctx, &sdk.GetUserInput{UserName: text("anna")}); !errors.As(err, &gone) || gone.ErrorMessage() != "The user with name anna cannot be found." {
		t.Errorf("a user that is gone: %v", err)
	}
	if root := must(c.GetUser(ctx, nil))(t).User; *root.Arn != "arn:aws:iam::111122223333:root" {
		t.Errorf("the account is %+v", root)
	}
	if _, err := c.CreateUser(ctx, &sdk.CreateUserInput{UserName: text("a b")}); codeOf(err) != "ValidationError" {
		t.Errorf("a name with a blank: %v", err)
	}
}

// What users do not have here is an empty list, and not none: programs look into it by its name.
func TestUsersHaveNoDevices(t *testing.T) {
	t.Parallel()
	f := start(t, "off")
	client := f.as("test", "test")
	devices := must(client.ListMFADevices(t.Context(), &sdk.ListMFADevicesInput{}))(t)
	virtual := must(client.ListVirtualMFADevices(t.Context(), &sdk.ListVirtualMFADevicesInput{}))(t)
	certificates := must(client.ListSigningCertificates(t.Context(), &sdk.ListSigningCertificatesInput{}))(t)
	keys := must(client.ListSSHPublicKeys(t.Context(), &sdk.ListSSHPublicKeysInput{}))(t)
	specific := must(client.ListServiceSpecificCredentials(t.Context(), &sdk.ListServiceSpecificCredentialsInput{}))(t)
	if devices.MFADevices == nil || virtual.VirtualMFADevices == nil || certificates.Certificates == nil || keys.SSHPublicKeys == nil || specific.ServiceSpecificCredentials == nil {
		t.Errorf("got %v, %v, %v, %v, %v, want empty lists", devices.MFADevices, virtual.VirtualMFADevices, certificates.Certificates, keys.SSHPublicKeys, specific.ServiceSpecificCredentials)
	}
}

func TestAccessKeys(t *testing.T) {
	t.Parallel()
	f := start(t, "verify")
	c := f.key(core.NewKey{})
	ctx := t.Context()
	if _, err := c.CreateAccessKey(ctx, &sdk.CreateAccessKeyInput{UserName: text("ann")}); codeOf(err) != "NoSuchEntity" {
		t.Errorf("of a user that is none: %v", err)
	}
	must(c.CreateUser(ctx, &sdk.CreateUserInput{UserName: text("ann")}))(t)
	key := must(c.CreateAccessKey(ctx, &sdk.CreateAccessKeyInput{UserName: text("ann")}))(t).AccessKey
	must(c.CreateAccessKey(ctx, &sdk.CreateAccessKeyInput{UserName: text("ann")}))(t)
	if _, err := c.CreateAccessKey(ctx, &sdk.CreateAccessKeyInput{UserName: text("ann")}); codeOf(err) != "LimitExceeded" {
		t.Errorf("a third key: %v", err)
	}
	own := f.as(*key.AccessKeyId, *key.SecretAccessKey)
	if who := must(own.GetUser(ctx, nil))(t).User; *who.UserName != "ann" {
		t.Errorf("the key is %s's", *who.UserName)
	}
	must(c.UpdateAccessKey(ctx, &sdk.UpdateAccessKeyInput{UserName: text("ann"), AccessKeyId: key.AccessKeyId, Status: types.StatusTypeInactive}))(t)
	keys := must(c.ListAccessKeys(ctx, &sdk.ListAccessKeysInput{UserName: text("ann")}))(t).AccessKeyMetadata
	states := map[string]types.StatusType{}
	for _, k := range keys {
		states[*k.AccessKeyId] = k.Status
	}
	if len(keys) != 2 || states[*key.AccessKeyId] != types.StatusTypeInactive {
		t.Errorf("keys: %v", states)
	}
	if _, err := own.GetUser(ctx, nil); codeOf(err) != "InvalidClientTokenId" {
		t.Errorf("an inactive key: %v", err)
	}
	if _, err := c.DeleteAccessKey(ctx, &sdk.DeleteAccessKeyInput{AccessKeyId: key.AccessKeyId}); codeOf(err) != "NoSuchEntity" {
		t.Errorf("as if it were the account's: %v", err)
	}
	if _, err := c.DeleteUser(ctx, &sdk.DeleteUserInput{UserName: text("ann")}); codeOf(err) != "DeleteConflict" {
		t.Errorf("with keys: %v", err)
	}
	for id := range states {
		must(c.DeleteAccessKey(ctx, &sdk.DeleteAccessKeyInput{UserName: text("ann"), AccessKeyId: &id}))(t)
	}
	must(c.DeleteUser(ctx, &sdk.DeleteUserInput{UserName: text("ann")}))(t)
}

func TestGroupsAndRoles(t *testing.T) {
	t.Parallel()
	c := start(t, "verify").key(core.NewKey{})
	ctx := t.Context()
	must(c.CreateUser(ctx, &sdk.CreateUserInput{UserName: text("ann")}))(t)
	must(c.CreateGroup(ctx, &sdk.CreateGroupInput{GroupName: text("devs")}))(t)
	must(c.AddUserToGroup(ctx, &sdk.AddUserToGroupInput{UserName: text("ann"), GroupName: text("devs")}))(t)
	if group := must(c.GetGroup(ctx, &sdk.GetGroupInput{GroupName: text("devs")}))(t); len(group.Users) != 1 || *group.Users[0].UserName != "ann" || *group.Group.Arn != "arn:aws:iam::111122223333:group/devs" {
		t.Errorf("got %+v", group)
	}
	if groups := must(c.ListGroupsForUser(ctx, &sdk.ListGroupsForUserInput{UserName: text("ann")}))(t).Groups; len(groups) != 1 {
		t.Errorf("ann is in %v", groups)
	}
	if _, err := c.DeleteGroup(ctx, &sdk.DeleteGroupInput{GroupName: text("devs")}); codeOf(err) != "DeleteConflict" {
		t.Errorf("a group with members: %v", err)
	}
	must(c.RemoveUserFromGroup(ctx, &sdk.RemoveUserFromGroupInput{UserName: text("ann"), GroupName: text("devs")}))(t)
	must(c.DeleteGroup(ctx, &sdk.DeleteGroupInput{GroupName: text("devs")}))(t)

	made := must(c.CreateRole(ctx, &sdk.CreateRoleInput{RoleName: text("worker"), AssumeRolePolicyDocument: text(trust), MaxSessionDuration: aws.Int32(7200), Description: text("it works")}))(t)
	role := must(c.GetRole(ctx, &sdk.GetRoleInput{RoleName: text("worker")}))(t).Role
	document, err := url.PathUnescape(*role.AssumeRolePolicyDocument)
	if err != nil || document != trust || *role.MaxSessionDuration != 7200 || *role.RoleId != *made.Role.RoleId || *role.Description != "it works" {
		t.Errorf("got %+v", role)
	}
	must(c.UpdateRole(ctx, &sdk.UpdateRoleInput{RoleName: text("worker"), MaxSessionDuration: aws.Int32(3600)}))(t)
	other := strings.Replace(trust, ":root", ":user/ann", 1)
	must(c.UpdateAssumeRolePolicy(ctx, &sdk.UpdateAssumeRolePolicyInput{RoleName: text("worker"), PolicyDocument: &other}))(t)
	if roles := must(c.ListRoles(ctx, nil))(t).Roles; len(roles) != 1 || *roles[0].MaxSessionDuration != 3600 || !strings.Contains(*roles[0].AssumeRolePolicyDocument, "user%2Fann") {
		t.Errorf("got %+v", roles)
	}
	if profiles := must(c.ListInstanceProfilesForRole(ctx, &sdk.ListInstanceProfilesForRoleInput{RoleName: text("worker")}))(t); len(profiles.InstanceProfiles) != 0 {
		t.Error("there are instance profiles")
	}
	for name, in := range map[string]*sdk.CreateRoleInput{
		"no trust":      {RoleName: text("r"), AssumeRolePolicyDocument: text(sqsAll)},
		"no policy":     {RoleName: text("r"), AssumeRolePolicyDocument: text("{}")},
		"no JSON":       {RoleName: text("r"), AssumeRolePolicyDocument: text("trust me")},
		"short session": {RoleName: text("r"), AssumeRolePolicyDocument: text(trust), MaxSessionDuration: aws.Int32(3599)},
	} {
		want := "MalformedPolicyDocument"
		if name == "short session" {
			want = "ValidationError"
		}
		if _, err := c.CreateRole(ctx, in); codeOf(err) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(c.DeleteRole(ctx, &sdk.DeleteRoleInput{RoleName: text("worker")}))(t)
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	c := start(t, "verify").key(core.NewKey{})
	ctx := t.Context()
	made := must(c.CreatePolicy(ctx, &sdk.CreatePolicyInput{PolicyName: text("queues"), Path: text("/x/"), PolicyDocument: text(sqsAll), Description: text("queues")}))(t)
	arn := made.Policy.Arn
	if *arn != "arn:aws:iam::111122223333:policy/x/queues" || *made.Policy.DefaultVersionId != "v1" {
		t.Errorf("made %+v", made.Policy)
	}
	must(c.CreateUser(ctx, &sdk.CreateUserInput{UserName: text("ann")}))(t)
	for _, policy := range []string{*arn, "arn:aws:iam::aws:policy/AmazonSNSReadOnlyAccess"} {
		must(c.AttachUserPolicy(ctx, &sdk.AttachUserPolicyInput{UserName: text("ann"), PolicyArn: &policy}))(t)
	}
	attached := must(c.ListAttachedUserPolicies(ctx, &sdk.ListAttachedUserPoliciesInput{UserName: text("ann")}))(t).AttachedPolicies
	if len(attached) != 2 || *attached[0].PolicyName != "AmazonSNSReadOnlyAccess" || *attached[1].PolicyArn != *arn {
		t.Errorf("attached %+v", attached)
	}
	second := strings.Replace(sqsAll, "sqs:*", "sqs:SendMessage", 1)
	must(c.CreatePolicyVersion(ctx, &sdk.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: &second, SetAsDefault: true}))(t)
	versions := must(c.ListPolicyVersions(ctx, &sdk.ListPolicyVersionsInput{PolicyArn: arn}))(t).Versions
	if len(versions) != 2 || *versions[0].VersionId != "v2" || !versions[0].IsDefaultVersion {
		t.Errorf("versions %+v", versions)
	}
	shown := must(c.GetPolicyVersion(ctx, &sdk.GetPolicyVersionInput{PolicyArn: arn, VersionId: text("v2")}))(t).PolicyVersion
	if document, _ := url.PathUnescape(*shown.Document); document != second {
		t.Errorf("the version is %s", document)
	}
	if p := must(c.GetPolicy(ctx, &sdk.GetPolicyInput{PolicyArn: arn}))(t).Policy; *p.AttachmentCount != 1 || *p.Description != "queues" || *p.DefaultVersionId != "v2" {
		t.Errorf("got %+v", p)
	}
	if who := must(c.ListEntitiesForPolicy(ctx, &sdk.ListEntitiesForPolicyInput{PolicyArn: arn}))(t); len(who.PolicyUsers) != 1 || *who.PolicyUsers[0].UserName != "ann" {
		t.Errorf("attached to %+v", who)
	}
	names := map[string]int{}
	pages := sdk.NewListPoliciesPaginator(c, &sdk.ListPoliciesInput{MaxItems: aws.Int32(2)})
	for pages.HasMorePages() {
		for _, p := range must(pages.NextPage(ctx))(t).Policies {
			names[*p.PolicyName]++
		}
	}
	if names["queues"] != 1 || names["AdministratorAccess"] != 1 || names["AmazonSQSFullAccess"] != 1 || names["AliyunMNSFullAccess"] != 0 {
		t.Errorf("listed %v", names)
	}
	for name, err := range map[string]error{
		"DeleteConflict": func() error { _, err := c.DeletePolicy(ctx, &sdk.DeletePolicyInput{PolicyArn: arn}); return err }(),
		"AccessDenied": func() error {
			_, err := c.DeletePolicy(ctx, &sdk.DeletePolicyInput{PolicyArn: text("arn:aws:iam::aws:policy/AdministratorAccess")})
			return err
		}(),
		"NoSuchEntity": func() error {
			_, err := c.GetPolicy(ctx, &sdk.GetPolicyInput{PolicyArn: text("arn:aws:iam::111122223333:policy/none")})
			return err
		}(),
		"InvalidInput": func() error {
			_, err := c.GetPolicy(ctx, &sdk.GetPolicyInput{PolicyArn: text("arn:aws:sqs:us-east-1:111122223333:queues")})
			return err
		}(),
		"MalformedPolicyDocument": func() error {
			_, err := c.CreatePolicy(ctx, &sdk.CreatePolicyInput{PolicyName: text("p"), PolicyDocument: text(`{"Statement":[{"Effect":"Maybe"}]}`)})
			return err
		}(),
	} {
		if codeOf(err) != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(c.PutUserPolicy(ctx, &sdk.PutUserPolicyInput{UserName: text("ann"), PolicyName: text("own"), PolicyDocument: text(sqsAll)}))(t)
	own := must(c.GetUserPolicy(ctx, &sdk.GetUserPolicyInput{UserName: text("ann"), PolicyName: text("own")}))(t)
	if document, _ := url.PathUnescape(*own.PolicyDocument); document != sqsAll || *own.UserName != "ann" {
		t.Errorf("got %+v", own)
	}
	if list := must(c.ListUserPolicies(ctx, &sdk.ListUserPoliciesInput{UserName: text("ann")}))(t).PolicyNames; len(list) != 1 {
		t.Errorf("inline: %v", list)
	}
	must(c.DeleteUserPolicy(ctx, &sdk.DeleteUserPolicyInput{UserName: text("ann"), PolicyName: text("own")}))(t)
	must(c.DetachUserPolicy(ctx, &sdk.DetachUserPolicyInput{UserName: text("ann"), PolicyArn: arn}))(t)
	must(c.DeletePolicyVersion(ctx, &sdk.DeletePolicyVersionInput{PolicyArn: arn, VersionId: text("v1")}))(t)
	must(c.DeletePolicy(ctx, &sdk.DeletePolicyInput{PolicyArn: arn}))(t)
}

func TestSimulations(t *testing.T) {
	t.Parallel()
	c := start(t, "verify").key(core.NewKey{})
	ctx := t.Context()
	must(c.CreateUser(ctx, &sdk.CreateUserInput{UserName: text("ann")}))(t)
	must(c.PutUserPolicy(ctx, &sdk.PutUserPolicyInput{UserName: text("ann"), PolicyName: text("own"), PolicyDocument: text(sqsAll)}))(t)
	got := must(c.SimulatePrincipalPolicy(ctx, &sdk.SimulatePrincipalPolicyInput{
		PolicySourceArn: text("arn:aws:iam::111122223333:user/ann"), ActionNames: []string{"sqs:SendMessage", "sns:Publish"}, ResourceArns: []string{"arn:aws:sqs:us-east-1:111122223333:orders"},
	}))(t).EvaluationResults
	if len(got) != 2 || got[0].EvalDecision != "allowed" || got[1].EvalDecision != "implicitDeny" || *got[0].MatchedStatements[0].SourcePolicyId != "user_ann_own" {
		t.Errorf("got %+v", got)
	}
	deny := strings.Replace(sqsAll, "Allow", "Deny", 1)
	custom := must(c.SimulateCustomPolicy(ctx, &sdk.SimulateCustomPolicyInput{PolicyInputList: []string{sqsAll, deny}, ActionNames: []string{"sqs:SendMessage"}}))(t).EvaluationResults
	if len(custom) != 1 || custom[0].EvalDecision != "explicitDeny" {
		t.Errorf("got %+v", custom)
	}
	if _, err := c.SimulatePrincipalPolicy(ctx, &sdk.SimulatePrincipalPolicyInput{PolicySourceArn: text("arn:aws:iam::111122223333:user/bob"), ActionNames: []string{"sqs:SendMessage"}}); codeOf(err) != "NoSuchEntity" {
		t.Errorf("of nobody: %v", err)
	}
}

// away is a store of which some cannot be read.
type away struct {
	core.Store
	key, policy *string // ids
}

var errAway = core.Errorf(core.Unavailable, "the database cannot be reached")

func (s away) Key(ctx context.Context, id string) (*core.Key, error) {
	if id == *s.key {
		return nil, errAway
	}
	return s.Store.Key(ctx, id)
}

func (s away) PolicyOfID(ctx context.Context, id string) (core.Policy, error) {
	if id == *s.policy {
		return core.Policy{}, errAway
	}
	return s.Store.PolicyOfID(ctx, id)
}

// What cannot be read now is neither forbidden nor taken for nothing.
func TestWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	var key, policy string
	f := startOn(t, "enforce", func(store core.Store) core.Store { return away{store, &key, &policy} })
	root := f.key(core.NewKey{})
	ann := f.key(core.NewKey{User: "ann"})
	must(root.PutUserPolicy(t.Context(), &sdk.PutUserPolicyInput{UserName: text("ann"), PolicyName: text("own"), PolicyDocument: text(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::*:user/ann"}]}`)}))(t)
	keys := must(root.ListAccessKeys(t.Context(), &sdk.ListAccessKeysInput{UserName: text("ann")}))(t).AccessKeyMetadata
	made := must(root.CreatePolicy(t.Context(), &sdk.CreatePolicyInput{PolicyName: text("all"), PolicyDocument: text(sqsAll)}))(t).Policy
	must(root.CreateGroup(t.Context(), &sdk.CreateGroupInput{GroupName: text("team")}))(t)
	must(root.AttachGroupPolicy(t.Context(), &sdk.AttachGroupPolicyInput{GroupName: text("team"), PolicyArn: made.Arn}))(t)
	other := must(root.CreateAccessKey(t.Context(), &sdk.CreateAccessKeyInput{UserName: text("ann")}))(t).AccessKey
	lastUsed := func() string {
		_, err := ann.GetAccessKeyLastUsed(t.Context(), &sdk.GetAccessKeyLastUsedInput{AccessKeyId: other.AccessKeyId})
		return codeOf(err)
	}
	simulated := func() string {
		_, err := root.SimulatePrincipalPolicy(t.Context(), &sdk.SimulatePrincipalPolicyInput{PolicySourceArn: text("arn:aws:iam::111122223333:group/team"), ActionNames: []string{"sqs:SendMessage"}})
		return codeOf(err)
	}
	if got := [2]string{lastUsed(), simulated()}; len(keys) != 1 || got != [2]string{} {
		t.Fatalf("%d keys, %q", len(keys), got)
	}
	key, policy = *other.AccessKeyId, *made.PolicyId
	if got := [2]string{lastUsed(), simulated()}; got != [2]string{"ServiceUnavailable", "ServiceUnavailable"} {
		t.Errorf("got %q", got)
	}
}

func TestAccountsOwn(t *testing.T) {
	t.Parallel()
	c := start(t, "verify").key(core.NewKey{})
	ctx := t.Context()
	must(c.CreateAccountAlias(ctx, &sdk.CreateAccountAliasInput{AccountAlias: text("team-a")}))(t)
	if aliases := must(c.ListAccountAliases(ctx, nil))(t).AccountAliases; len(aliases) != 1 || aliases[0] != "team-a" {
		t.Errorf("aliases %v", aliases)
	}
	must(c.DeleteAccountAlias(ctx, &sdk.DeleteAccountAliasInput{AccountAlias: text("team-a")}))(t)
	must(c.CreateUser(ctx, &sdk.CreateUserInput{UserName: text("ann")}))(t)
	if summary := must(c.GetAccountSummary(ctx, nil))(t).SummaryMap; summary["Users"] != 1 || summary["UsersQuota"] != 5000 {
		t.Errorf("got %v", summary)
	}
}

// TestWhoMay walks who may look and who may change, with policies and without.
func TestWhoMay(t *testing.T) {
	t.Parallel()
	for _, auth := range []string{"verify", "enforce"} {
		f := start(t, auth)
		root := f.key(core.NewKey{})
		nobody, admin, allowed := f.key(core.NewKey{User: "nobody"}), f.key(core.NewKey{User: "admin"}), f.key(core.NewKey{User: "allowed"})
		access := core.Admin
		if _, err := f.broker.AlterIdentity(t.Context(), core.IdentityName{Account: account, Kind: core.User, Name: "admin"}, core.IdentityChange{Access: &access}); err != nil {
			t.Fatal(err)
		}
		must(root.PutUserPolicy(t.Context(), &sdk.PutUserPolicyInput{UserName: text("allowed"), PolicyName: text("own"), PolicyDocument: text(
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:ListUsers","iam:CreateUser"],"Resource":"arn:aws:iam::*:user/ci/*"},{"Effect":"Allow","Action":"iam:List*","Resource":"*"}]}`)}))(t)
		looks := func(c *sdk.Client) string { _, err := c.ListUsers(t.Context(), nil); return codeOf(err) }
		changes := func(c *sdk.Client, path, name string) string {
			_, err := c.CreateUser(t.Context(), &sdk.CreateUserInput{UserName: &name, Path: &path})
			return codeOf(err)
		}
		const denied = "AccessDenied"
		want := map[string][2]string{ // looks, changes
			"verify nobody": {"", denied}, "verify admin": {"", ""}, "verify allowed": {"", denied},
			"enforce nobody": {denied, denied}, "enforce admin": {denied, denied}, "enforce allowed": {"", ""},
		}
		for name, c := range map[string]*sdk.Client{"nobody": nobody, "admin": admin, "allowed": allowed} {
			if got := [2]string{looks(c), changes(c, "/ci/", "made-by-"+name)}; got != want[auth+" "+name] {
				t.Errorf("%s %s: got %q", auth, name, got)
			}
		}
		if got := changes(allowed, "/other/", "x"); got != denied {
			t.Errorf("%s: outside of the path: %q", auth, got)
		}
	}
}

// sent signs a request of any parameters, sends it and gives the error's code.
func (f *fixture) sent(key core.Key, action string, parameters ...string) string {
	f.t.Helper()
	form := url.Values{"Action": {action}, "Version": {iam.Version}}
	for i := 0; i < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	body := form.Encode()
	r, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, f.url+"/", strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	digest := sha256.Sum256([]byte(body))
	who := aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: string(key.Secret), SessionToken: string(key.Token)}
	if err := v4.NewSigner().SignHTTP(f.t.Context(), who, r, hex.EncodeToString(digest[:]), "iam", "us-east-1", time.Now()); err != nil {
		f.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(text), "<Code>")
	code, _, _ = strings.Cut(code, "</Code>")
	return code
}

// TestNoWayAroundPolicies tries to do more than one's policies allow, by what a request says besides.
func TestNoWayAroundPolicies(t *testing.T) {
	t.Parallel()
	f := start(t, "enforce")
	ctx := t.Context()
	root := f.key(core.NewKey{})
	const arn, managed = "arn:aws:iam::" + account + ":", "arn:aws:iam::aws:policy/"
	for _, name := range []string{"boss", "dev-bob"} {
		must(root.CreateUser(ctx, &sdk.CreateUserInput{UserName: &name}))(t)
	}
	must(root.CreateUser(ctx, &sdk.CreateUserInput{UserName: text("bounded"), PermissionsBoundary: text(managed + "AmazonSQSFullAccess")}))(t)
	must(root.CreateGroup(ctx, &sdk.CreateGroupInput{GroupName: text("dev")}))(t)
	must(root.CreatePolicy(ctx, &sdk.CreatePolicyInput{PolicyName: text("strong"), PolicyDocument: text(sqsAll)}))(t)
	must(root.CreateRole(ctx, &sdk.CreateRoleInput{RoleName: text("helper"), AssumeRolePolicyDocument: text(trust)}))(t)
	if _, err := f.broker.CreatePolicy(ctx, core.Policy{PolicyName: core.PolicyName{Account: "444455556666", Cloud: core.AWS, Name: "theirs"}}, sqsAll); err != nil {
		t.Fatal(err)
	}
	const anyKeys = `{"Effect":"Allow","Action":"iam:*AccessKey*","Resource":"` + arn + `user/*"}`
	must(root.PutRolePolicy(ctx, &sdk.PutRolePolicyInput{RoleName: text("helper"), PolicyName: text("p"), PolicyDocument: text(`{"Version":"2012-10-17","Statement":[` + anyKeys + `]}`)}))(t)
	const (
		ofGroup   = `{"Effect":"Allow","Action":"iam:*","Resource":"` + arn + `group/dev"}`
		ifBounded = `{"Effect":"Allow","Action":["iam:PutUserPolicy","iam:CreateUser"],"Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":"` + managed + `AmazonSQSFullAccess"}}}`
		ofPath    = `{"Effect":"Allow","Action":"iam:CreatePolicyVersion","Resource":"` + arn + `policy/dev/*"}`
		butAdmin  = `{"Effect":"Allow","Action":"iam:AttachUserPolicy","Resource":"*"},{"Effect":"Deny","Action":"iam:*","Resource":"*","Condition":{"ArnEquals":{"iam:PolicyARN":"` + managed + `AdministratorAccess"}}}`
		safeOnly  = `{"Effect":"Allow","Action":"iam:*","Resource":"*","Condition":{"ArnLike":{"iam:PolicyARN":"` + managed + `AmazonSQS*"}}}`
		devUsers  = `{"Effect":"Allow","Action":"iam:*","Resource":"` + arn + `user/dev-*"}`
		allUsers  = `{"Effect":"Allow","Action":"iam:*","Resource":"` + arn + `user/*"}`
		untagged  = `{"Effect":"Allow","Action":"iam:*","Resource":"*"},{"Effect":"Deny","Action":"iam:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/team":"ops"}}}`
	)
	must(root.TagUser(ctx, &sdk.TagUserInput{UserName: text("boss"), Tags: []types.Tag{{Key: text("team"), Value: text("ops")}}}))(t)
	tests := map[string]struct {
		statements, action string
		parameters         []string
		want               string
	}{
		"a group's manager and a group":   {ofGroup, "PutGroupPolicy", []string{"GroupName", "dev", "PolicyName", "p", "PolicyDocument", sqsAll}, ""},
		"a group's manager and a user":    {ofGroup, "PutUserPolicy", []string{"UserName", "eve", "GroupName", "dev", "PolicyName", "x", "PolicyDocument", sqsAll}, "AccessDenied"},
		"a group's manager and a role":    {ofGroup, "UpdateAssumeRolePolicy", []string{"RoleName", "helper", "GroupName", "dev", "PolicyDocument", trust}, "AccessDenied"},
		"a group's manager and a key":     {ofGroup, "CreateAccessKey", []string{"UserName", "boss", "GroupName", "dev"}, "AccessDenied"},
		"a user who is bounded":           {ifBounded, "PutUserPolicy", []string{"UserName", "bounded", "PolicyName", "p", "PolicyDocument", sqsAll}, ""},
		"a user who is said to be":        {ifBounded, "PutUserPolicy", []string{"UserName", "eve", "PolicyName", "x", "PolicyDocument", sqsAll, "PermissionsBoundary", managed + "AmazonSQSFullAccess"}, "AccessDenied"},
		"a user to be bounded":            {ifBounded, "CreateUser", []string{"UserName", "made", "PermissionsBoundary", managed + "AmazonSQSFullAccess"}, ""},
		"a path that is not the policy's": {ofPath, "CreatePolicyVersion", []string{"PolicyArn", arn + "policy/dev/strong", "PolicyDocument", sqsAll}, "NoSuchEntity"},
		"a policy that is denied":         {butAdmin, "AttachUserPolicy", []string{"UserName", "eve", "PolicyArn", managed + "AdministratorAccess"}, "AccessDenied"},
		"another partition of it":         {butAdmin, "AttachUserPolicy", []string{"UserName", "eve", "PolicyArn", "arn:aws-cn:iam::aws:policy/AdministratorAccess"}, "AccessDenied"},
		"another path of it":              {butAdmin, "AttachUserPolicy", []string{"UserName", "eve", "PolicyArn", managed + "x/AdministratorAccess"}, "NoSuchEntity"},
		"a policy that is allowed":        {safeOnly, "AttachUserPolicy", []string{"UserName", "dev-bob", "PolicyArn", managed + "AmazonSQSFullAccess"}, ""},
		"a policy beside what is asked":   {safeOnly, "PutUserPolicy", []string{"UserName", "eve", "PolicyName", "x", "PolicyDocument", sqsAll, "PolicyArn", managed + "AmazonSQSFullAccess"}, "AccessDenied"},
		"another account's boundary":      {allUsers, "PutUserPermissionsBoundary", []string{"UserName", "dev-bob", "PermissionsBoundary", "arn:aws:iam::444455556666:policy/theirs"}, "NoSuchEntity"},
		"a name that one may not have":    {devUsers, "UpdateUser", []string{"UserName", "dev-bob", "NewUserName", "chief"}, "AccessDenied"},
		"a path that one may not have":    {devUsers, "UpdateUser", []string{"UserName", "dev-bob", "NewPath", "/ops/"}, "AccessDenied"},
		"a user whose tag is denied":      {untagged, "CreateAccessKey", []string{"UserName", "boss"}, "AccessDenied"},
		"a name that one may have":        {devUsers, "UpdateUser", []string{"UserName", "dev-bob", "NewUserName", "dev-bob"}, ""},
	}
	eve, err := f.broker.CreateKey(ctx, core.NewKey{Account: account, User: "eve"})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range tests {
		must(root.PutUserPolicy(ctx, &sdk.PutUserPolicyInput{UserName: text("eve"), PolicyName: text("own"), PolicyDocument: text(`{"Version":"2012-10-17","Statement":[` + tt.statements + `]}`)}))(t)
		if got := f.sent(eve, tt.action, tt.parameters...); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
	for name, session := range map[string]core.Session{
		"a role's session": {Role: arn + "role/helper", Name: "s1"},
		"a federated user": {Name: "guest", Policy: `{"Version":"2012-10-17","Statement":[` + anyKeys + `]}`},
	} {
		key, err := f.broker.CreateKey(ctx, core.NewKey{Account: account, Session: session, Lasts: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		for _, action := range []string{"CreateAccessKey", "ListAccessKeys", "GetUser"} {
			if got := f.sent(key, action); got != "ValidationError" {
				t.Errorf("%s asks %s for itself: %q", name, action, got)
			}
		}
		if got := f.sent(key, "ListAccessKeys", "UserName", "boss"); got != "" {
			t.Errorf("%s asks for the keys of a user: %q", name, got)
		}
	}
}

// A federated user of the account itself manages nobody, also where nothing looks at its session's policy.
func TestFederatedUsersManageNobody(t *testing.T) {
	t.Parallel()
	f := start(t, "verify")
	f.key(core.NewKey{})
	guest, err := f.broker.CreateKey(t.Context(), core.NewKey{Account: account, Lasts: time.Hour, Session: core.Session{Name: "guest", Policy: sqsAll}})
	if err != nil {
		t.Fatal(err)
	}
	if got := f.sent(guest, "CreateUser", "UserName", "ann"); got != "AccessDenied" {
		t.Errorf("got %q", got)
	}
}

// The key of who administers all accounts is no affair of one account's own.
func TestKeysOfAdministratorsAreSpared(t *testing.T) {
	t.Parallel()
	f := start(t, "enforce")
	root := f.key(core.NewKey{})
	admin, err := f.broker.CreateKey(t.Context(), core.NewKey{Account: account, User: "admin", Admin: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := root.DeleteAccessKey(t.Context(), &sdk.DeleteAccessKeyInput{UserName: text("admin"), AccessKeyId: &admin.ID}); codeOf(err) != "NoSuchEntity" {
		t.Errorf("deleted: %v", err)
	}
	if _, err := root.UpdateAccessKey(t.Context(), &sdk.UpdateAccessKeyInput{UserName: text("admin"), AccessKeyId: &admin.ID, Status: types.StatusTypeInactive}); codeOf(err) != "NoSuchEntity" {
		t.Errorf("disabled: %v", err)
	}
}

func TestGetAccountAuthorizationDetails(t *testing.T) {
	t.Parallel()
	c := start(t, "verify").key(core.NewKey{})
	ctx := t.Context()
	must(c.CreateGroup(ctx, &sdk.CreateGroupInput{GroupName: text("devs")}))(t)
	for _, name := range []string{"ann", "bob"} {
		must(c.CreateUser(ctx, &sdk.CreateUserInput{UserName: &name, PermissionsBoundary: text("arn:aws:iam::aws:policy/AmazonSQSFullAccess"), Tags: []types.Tag{{Key: text("team"), Value: text("a")}}}))(t)
		must(c.AddUserToGroup(ctx, &sdk.AddUserToGroupInput{UserName: &name, GroupName: text("devs")}))(t)
	}
	must(c.PutUserPolicy(ctx, &sdk.PutUserPolicyInput{UserName: text("ann"), PolicyName: text("own"), PolicyDocument: text(sqsAll)}))(t)
	must(c.CreateRole(ctx, &sdk.CreateRoleInput{RoleName: text("worker"), AssumeRolePolicyDocument: text(trust)}))(t)
	made := must(c.CreatePolicy(ctx, &sdk.CreatePolicyInput{PolicyName: text("queues"), PolicyDocument: text(sqsAll)}))(t).Policy
	must(c.CreatePolicyVersion(ctx, &sdk.CreatePolicyVersionInput{PolicyArn: made.Arn, PolicyDocument: text(sqsAll), SetAsDefault: true}))(t)
	must(c.AttachGroupPolicy(ctx, &sdk.AttachGroupPolicyInput{GroupName: text("devs"), PolicyArn: made.Arn}))(t)
	must(c.AttachRolePolicy(ctx, &sdk.AttachRolePolicyInput{RoleName: text("worker"), PolicyArn: made.Arn}))(t)

	var users []types.UserDetail
	var groups []types.GroupDetail
	var roles []types.RoleDetail
	var policies []types.ManagedPolicyDetail
	for pages := sdk.NewGetAccountAuthorizationDetailsPaginator(c, &sdk.GetAccountAuthorizationDetailsInput{MaxItems: aws.Int32(2)}); pages.HasMorePages(); {
		page := must(pages.NextPage(ctx))(t)
		users, groups = append(users, page.UserDetailList...), append(groups, page.GroupDetailList...)
		roles, policies = append(roles, page.RoleDetailList...), append(policies, page.Policies...)
	}
	if len(users) != 2 || len(groups) != 1 || len(roles) != 1 || len(policies) < 2 {
		t.Fatalf("%d users, %d groups, %d roles, %d policies", len(users), len(groups), len(roles), len(policies))
	}
	ann := users[0]
	if document, _ := url.QueryUnescape(*ann.UserPolicyList[0].PolicyDocument); *ann.UserName != "ann" || ann.GroupList[0] != "devs" || document != sqsAll ||
		*ann.PermissionsBoundary.PermissionsBoundaryArn != "arn:aws:iam::aws:policy/AmazonSQSFullAccess" || *ann.Tags[0].Value != "a" || ann.CreateDate == nil || !strings.HasSuffix(*ann.Arn, ":user/ann") {
		t.Errorf("ann: %+v", ann)
	}
	if *groups[0].GroupName != "devs" || *groups[0].AttachedManagedPolicies[0].PolicyArn != *made.Arn {
		t.Errorf("the group: %+v", groups[0])
	}
	if document, _ := url.QueryUnescape(*roles[0].AssumeRolePolicyDocument); document != trust || *roles[0].AttachedManagedPolicies[0].PolicyName != "queues" {
		t.Errorf("the role: %+v", roles[0])
	}
	if p := policies[0]; *p.PolicyName != "queues" || *p.DefaultVersionId != "v2" || len(p.PolicyVersionList) != 2 || *p.PolicyVersionList[0].VersionId != "v2" || !p.PolicyVersionList[0].IsDefaultVersion || *p.AttachmentCount != 2 {
		t.Errorf("the policy: %+v", p)
	}
	only := must(c.GetAccountAuthorizationDetails(ctx, &sdk.GetAccountAuthorizationDetailsInput{Filter: []types.EntityType{types.EntityTypeLocalManagedPolicy}}))(t)
	if len(only.Policies) != 1 || len(only.UserDetailList)+len(only.GroupDetailList)+len(only.RoleDetailList) != 0 || only.IsTruncated {
		t.Errorf("of a filter: %+v", only)
	}
	if _, err := c.GetAccountAuthorizationDetails(ctx, &sdk.GetAccountAuthorizationDetailsInput{Filter: []types.EntityType{"Everything"}}); codeOf(err) != "ValidationError" {
		t.Errorf("of an unknown filter: %v", err)
	}
}

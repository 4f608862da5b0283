package sts_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/sts"
)

// fixture is an STS on a database of its own.
type fixture struct {
	t      *testing.T
	broker *core.Broker
	url    string
}

func start(t *testing.T, verify bool) *fixture {
	t.Helper()
	store, err := pg.Open(t.Context(), pg.Options{URL: pgtest.DatabaseURL(t), PoolSize: pgtest.PoolSize, MasterKey: pg.NewMasterKey()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	broker := core.NewBroker(store)
	t.Cleanup(broker.Close)
	return serve(t, broker, &caller.Options{Keys: broker, Verify: verify})
}

func serve(t *testing.T, broker *core.Broker, options *caller.Options) *fixture {
	t.Helper()
	server := httptest.NewServer(sts.New(broker, options))
	t.Cleanup(server.Close)
	return &fixture{t, broker, server.URL}
}

// as gives a client with a key.
func (f *fixture) as(id, secret, token string) *sdk.Client {
	return sdk.New(sdk.Options{
		BaseEndpoint: &f.url, Region: "us-east-1", Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, token),
	})
}

func (f *fixture) key(in core.NewKey) *sdk.Client {
	f.t.Helper()
	if in.Account == "" {
		in.Account = "111122223333"
	}
	key, err := f.broker.CreateKey(context.Background(), in)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.as(key.ID, string(key.Secret), string(key.Token))
}

func (f *fixture) whoIs(client *sdk.Client) string {
	f.t.Helper()
	out, err := client.GetCallerIdentity(f.t.Context(), nil)
	if err != nil {
		return codeOf(err)
	}
	return *out.Account + " " + *out.Arn + " " + *out.UserId
}

func codeOf(err error) string {
	var known smithy.APIError
	if errors.As(err, &known) {
		return known.ErrorCode()
	}
	return "no error of STS's"
}

func TestGetCallerIdentity(t *testing.T) {
	t.Parallel()
	verified, off := start(t, true), start(t, false)
	user := verified.key(core.NewKey{User: "ann"})
	tests := map[string]struct{ got, want string }{
		"the account itself":    {verified.whoIs(verified.key(core.NewKey{})), "111122223333 arn:aws:iam::111122223333:root 111122223333"},
		"an unknown key":        {verified.whoIs(verified.as("AKIDNONE", "secret", "")), "InvalidClientTokenId"},
		"a wrong secret":        {verified.whoIs(verified.key(core.NewKey{ID: "AKIDWRONG"})), "111122223333 arn:aws:iam::111122223333:root 111122223333"},
		"the wrong secret":      {verified.whoIs(verified.as("AKIDWRONG", "secret", "")), "SignatureDoesNotMatch"},
		"off, any key":          {off.whoIs(off.as("test", "test", "")), "000000000000 arn:aws:iam::000000000000:root 000000000000"},
		"off, an account's key": {off.whoIs(off.as("444455556666", "test", "")), "444455556666 arn:aws:iam::444455556666:root 444455556666"},
	}
	for name, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", name, tt.got, tt.want)
		}
	}
	got := verified.whoIs(user)
	if rest, ok := strings.CutPrefix(got, "111122223333 arn:aws:iam::111122223333:user/ann AIDA"); !ok || len(rest) != 17 || got != verified.whoIs(user) {
		t.Errorf("a user: %q", got)
	}
}

func TestAssumeRole(t *testing.T) {
	t.Parallel()
	f := start(t, true)
	role := "arn:aws:iam::111122223333:role/path/worker"
	out, err := f.key(core.NewKey{User: "ann"}).AssumeRole(t.Context(), &sdk.AssumeRoleInput{
		RoleArn: &role, RoleSessionName: aws.String("build-1"), DurationSeconds: aws.Int32(900), ExternalId: aws.String("ci:1"), SourceIdentity: aws.String("ann"),
		Policy: aws.String(policyOf(0)),
	})
	if err != nil {
		t.Fatal(err)
	}
	const arn = "arn:aws:sts::111122223333:assumed-role/worker/build-1"
	if *out.AssumedRoleUser.Arn != arn || *out.SourceIdentity != "ann" {
		t.Errorf("got %s, source identity %s", *out.AssumedRoleUser.Arn, *out.SourceIdentity)
	}
	if left := time.Until(*out.Credentials.Expiration); left < 14*time.Minute || left > 16*time.Minute {
		t.Errorf("the session lasts %v", left)
	}
	id, secret, token := *out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken
	session := f.as(id, secret, token)
	if want := "111122223333 " + arn + " " + *out.AssumedRoleUser.AssumedRoleId; f.whoIs(session) != want {
		t.Errorf("the session is %q, want %q", f.whoIs(session), want)
	}
	if got := f.whoIs(f.as(id, secret, "")); got != "InvalidClientTokenId" {
		t.Errorf("without its token: %s", got)
	}
	if got := f.whoIs(f.as(id, secret, token+"x")); got != "InvalidClientTokenId" {
		t.Errorf("with another token: %s", got)
	}
	again := &sdk.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("chained"), DurationSeconds: aws.Int32(3601)}
	if _, err := session.AssumeRole(t.Context(), again); err == nil || codeOf(err) != "ValidationError" {
		t.Errorf("a chained session of more than an hour: %v", err)
	}
	again.DurationSeconds = nil
	if _, err := session.AssumeRole(t.Context(), again); codeOf(err) != "AccessDenied" {
		t.Errorf("a session sheds the policy that bounds it: %v", err)
	}
	free, err := f.key(core.NewKey{User: "ann"}).AssumeRole(t.Context(), &sdk.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("build-2")})
	if err != nil {
		t.Fatal(err)
	}
	unbound := f.as(*free.Credentials.AccessKeyId, *free.Credentials.SecretAccessKey, *free.Credentials.SessionToken)
	if _, err := unbound.AssumeRole(t.Context(), again); err != nil {
		t.Errorf("a chained session: %v", err)
	}
	for name, call := range map[string]func() error{
		"GetSessionToken": func() error { _, err := session.GetSessionToken(t.Context(), nil); return err },
		"GetFederationToken": func() error {
			_, err := session.GetFederationToken(t.Context(), &sdk.GetFederationTokenInput{Name: aws.String("bob")})
			return err
		},
	} {
		if err := call(); codeOf(err) != "AccessDenied" {
			t.Errorf("%s of a session: %v", name, err)
		}
	}
	if _, err := f.broker.AdvanceClock(t.Context(), "111122223333", 16*time.Minute); err != nil {
		t.Fatal(err)
	}
	if got := f.whoIs(session); got != "ExpiredToken" {
		t.Errorf("after its end: %s", got)
	}
}

func TestAssumeRoleOfOtherAccounts(t *testing.T) {
	t.Parallel()
	verified, off := start(t, true), start(t, false)
	in := &sdk.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::999988887777:role/worker"), RoleSessionName: aws.String("x1")}
	if _, err := verified.key(core.NewKey{}).AssumeRole(t.Context(), in); codeOf(err) != "AccessDenied" {
		t.Errorf("another account's role: %v", err)
	}
	if _, err := verified.key(core.NewKey{Admin: true}).AssumeRole(t.Context(), in); err != nil {
		t.Errorf("as an administrator: %v", err)
	}
	out, err := off.as("test", "test", "").AssumeRole(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	session := off.as(*out.Credentials.AccessKeyId, "whatever", "")
	if got := off.whoIs(session); !strings.HasPrefix(got, "999988887777 arn:aws:sts::999988887777:assumed-role/worker/x1 AROA") {
		t.Errorf("where nothing is verified: %s", got)
	}
}

func TestSessionTokens(t *testing.T) {
	t.Parallel()
	f := start(t, true)
	user := f.key(core.NewKey{User: "ann"})
	token, err := user.GetSessionToken(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if c := token.Credentials; f.whoIs(f.as(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)) != f.whoIs(user) || time.Until(*c.Expiration) < 11*time.Hour {
		t.Errorf("a session of the user's is another's, or ends at %v", *c.Expiration)
	}
	root, err := f.key(core.NewKey{}).GetSessionToken(t.Context(), &sdk.GetSessionTokenInput{DurationSeconds: aws.Int32(129600)})
	if err != nil || time.Until(*root.Credentials.Expiration) > time.Hour+time.Minute {
		t.Errorf("a session of the account's: %v, %v", root, err)
	}
	federated, err := user.GetFederationToken(t.Context(), &sdk.GetFederationTokenInput{Name: aws.String("bob")})
	if err != nil {
		t.Fatal(err)
	}
	c := federated.Credentials
	if got, want := f.whoIs(f.as(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)), "111122223333 arn:aws:sts::111122223333:federated-user/bob 111122223333:bob"; got != want ||
		*federated.FederatedUser.FederatedUserId != "111122223333:bob" {
		t.Errorf("got %q and %v, want %q", got, federated.FederatedUser, want)
	}
	info, err := user.GetAccessKeyInfo(t.Context(), &sdk.GetAccessKeyInfoInput{AccessKeyId: c.AccessKeyId})
	if err != nil || *info.Account != "111122223333" {
		t.Errorf("account %v, %v", info, err)
	}
}

// policyOf gives a policy of that many characters, of its shortest form where it has to be longer.
func policyOf(length int) string {
	const policy = `{"Version":"2012-10-17","Statement":[{"Sid":"","Effect":"Allow","Action":"sqs:SendMessage","Resource":"*"}]}`
	return strings.Replace(policy, `"Sid":""`, `"Sid":"`+strings.Repeat("x", max(0, length-len(policy)))+`"`, 1)
}

// TestParameters has both sides of each bound, and what is refused stores nothing.
func TestParameters(t *testing.T) {
	t.Parallel()
	f := start(t, false)
	const role = "RoleArn=arn:aws:iam::111122223333:role/worker"
	long := func(n int) string { return strings.Repeat("x", n) }
	tests := map[string]struct{ form, want string }{
		"all":                      {"Action=AssumeRole&" + role + "&RoleSessionName=ab", ""},
		"no role":                  {"Action=AssumeRole&RoleSessionName=ab", "ValidationError"},
		"a role that is none":      {"Action=AssumeRole&RoleArn=arn:aws:iam::111122223333:user/worker&RoleSessionName=ab", "ValidationError"},
		"a short role":             {"Action=AssumeRole&RoleArn=worker&RoleSessionName=ab", "ValidationError"},
		"role with line break":     {"Action=AssumeRole&" + role + "%0a&RoleSessionName=ab", "ValidationError"},
		"no session name":          {"Action=AssumeRole&" + role, "ValidationError"},
		"session name of 1":        {"Action=AssumeRole&" + role + "&RoleSessionName=a", "ValidationError"},
		"session name of 64":       {"Action=AssumeRole&" + role + "&RoleSessionName=" + long(64), ""},
		"session name of 65":       {"Action=AssumeRole&" + role + "&RoleSessionName=" + long(65), "ValidationError"},
		"session name with slash":  {"Action=AssumeRole&" + role + "&RoleSessionName=a/b", "ValidationError"},
		"899 seconds":              {"Action=AssumeRole&" + role + "&RoleSessionName=ab&DurationSeconds=899", "ValidationError"},
		"900 seconds":              {"Action=AssumeRole&" + role + "&RoleSessionName=ab&DurationSeconds=900", ""},
		"12 hours":                 {"Action=AssumeRole&" + role + "&RoleSessionName=ab&DurationSeconds=43200", ""},
		"a second more":            {"Action=AssumeRole&" + role + "&RoleSessionName=ab&DurationSeconds=43201", "ValidationError"},
		"no number":                {"Action=AssumeRole&" + role + "&RoleSessionName=ab&DurationSeconds=x", "MalformedInput"},
		"a policy":                 {"Action=AssumeRole&" + role + "&RoleSessionName=ab&Policy=" + policyOf(0), ""},
		"a policy that is none":    {"Action=AssumeRole&" + role + "&RoleSessionName=ab&Policy=[]", "MalformedPolicyDocument"},
		"the longest policy":       {"Action=AssumeRole&" + role + "&RoleSessionName=ab&Policy=" + policyOf(2048), ""},
		"a longer policy":          {"Action=AssumeRole&" + role + "&RoleSessionName=ab&Policy=" + policyOf(2049), "PackedPolicyTooLarge"},
		"an external id of 1":      {"Action=AssumeRole&" + role + "&RoleSessionName=ab&ExternalId=a", "ValidationError"},
		"an external id of 1224":   {"Action=AssumeRole&" + role + "&RoleSessionName=ab&ExternalId=" + long(1224), ""},
		"an external id of 1225":   {"Action=AssumeRole&" + role + "&RoleSessionName=ab&ExternalId=" + long(1225), "ValidationError"},
		"36 hours":                 {"Action=GetSessionToken&DurationSeconds=129600", ""},
		"a second more for a user": {"Action=GetSessionToken&DurationSeconds=129601", "ValidationError"},
		"federated name of 32":     {"Action=GetFederationToken&Name=" + long(32), ""},
		"federated name of 33":     {"Action=GetFederationToken&Name=" + long(33), "ValidationError"},
		"no such action":           {"Action=DropDatabase", "InvalidAction"},
		"no action":                {"Version=2011-06-15", "InvalidAction"},
		"an action to come":        {"Action=AssumeRoleWithSAML", "InvalidAction"},
		"broken escapes":           {"Action=%zz", "MalformedInput"},
		"too long":                 {"Action=GetSessionToken&x=" + long(64<<10), "MalformedInput"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			before := f.keys()
			form := strings.NewReplacer("{", "%7B", `"`, "%22").Replace(tt.form)
			response, err := http.Post(f.url, "application/x-www-form-urlencoded", strings.NewReader(form))
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			answer, _ := io.ReadAll(response.Body)
			if good := response.StatusCode == 200; good != (tt.want == "") || !good && !strings.Contains(string(answer), "<Code>"+tt.want+"</Code>") {
				t.Errorf("got %d %s, want %q", response.StatusCode, answer, tt.want)
			}
			if made := f.keys() - before; made != 0 && tt.want != "" {
				t.Errorf("%d keys were made", made)
			}
		})
	}
	link, err := http.Get(f.url + "/?" + url.Values{"Action": {"GetCallerIdentity"}, "Version": {sts.Version}}.Encode())
	if err != nil || link.StatusCode != 200 {
		t.Errorf("by GET: %v %v", link.StatusCode, err)
	}
	_ = link.Body.Close()
}

func (f *fixture) keys() int {
	f.t.Helper()
	page, err := f.broker.ListKeys(context.Background(), core.ListKeysInput{Limit: core.MaxListed, Temporary: true})
	if err != nil {
		f.t.Fatal(err)
	}
	return len(page.Keys)
}

// TestAssumeKeptRoles walks who may assume a role that is kept, where policies are enforced.
func TestAssumeKeptRoles(t *testing.T) {
	t.Parallel()
	broker := start(t, true).broker
	f := serve(t, broker, &caller.Options{Keys: broker, Verify: true, Access: caller.NewAccess(broker, true)})
	role := func(name, path, trust string) string {
		t.Helper()
		made, err := broker.CreateIdentity(t.Context(), core.Identity{
			IdentityName: core.IdentityName{Account: "111122223333", Kind: core.Role, Cloud: core.AWS, Name: name}, Path: path, Trust: trust, MaxSession: 2 * time.Hour,
		})
		if err != nil {
			t.Fatal(err)
		}
		return made.ARN("")
	}
	trust := func(principal, condition string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"sts:AssumeRole"` + condition + `}]}`
	}
	const own, partner = "arn:aws:iam::111122223333", "arn:aws:iam::444455556666"
	byName := role("by-name", "/ci/", strings.Replace(trust(own+":user/ann", ""), `"sts:AssumeRole"`, `["sts:AssumeRole","sts:TagSession"]`, 1))
	untagged := role("untagged", "/", trust(own+":user/ann", ""))
	byAccount := role("by-account", "/", trust(own+":root", ""))
	external := role("external", "/", trust(partner+":root", `,"Condition":{"StringEquals":{"sts:ExternalId":"secret-1"}}`))
	ann, bob := f.key(core.NewKey{User: "ann"}), f.key(core.NewKey{User: "bob"})
	if err := broker.PutInlinePolicy(t.Context(), core.IdentityName{Account: "111122223333", Kind: core.User, Name: "bob"}, "may",
		core.Inline{Cloud: core.AWS, Text: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"` + own + `:role/*"}]}`}); err != nil {
		t.Fatal(err)
	}
	stranger := f.key(core.NewKey{Account: "444455556666"})
	tests := map[string]struct {
		client   *sdk.Client
		role     string
		external string
		seconds  int32
		want     string
	}{
		"whom the role names":               {ann, byName, "", 900, ""},
		"in the path of another":            {ann, strings.Replace(byName, "/ci/", "/", 1), "", 900, "AccessDenied"},
		"whom it does not":                  {bob, byName, "", 900, "AccessDenied"},
		"account trusted, no policy":        {ann, byAccount, "", 900, "AccessDenied"},
		"account trusted, policy":           {bob, byAccount, "", 900, ""},
		"another account, no external id":   {stranger, external, "", 900, "AccessDenied"},
		"another account, wrong one":        {stranger, external, "secret-2", 900, "AccessDenied"},
		"another account, right one":        {stranger, external, "secret-1", 900, ""},
		"another account that is not named": {stranger, byAccount, "", 900, "AccessDenied"},
		"a role that there is not":          {bob, own + ":role/none", "", 900, "AccessDenied"},
		"the longest session":               {ann, byName, "", 7200, ""},
		"a longer session":                  {ann, byName, "", 7201, "ValidationError"},
	}
	for name, tt := range tests {
		in := &sdk.AssumeRoleInput{RoleArn: &tt.role, RoleSessionName: aws.String("s1"), DurationSeconds: &tt.seconds}
		if tt.external != "" {
			in.ExternalId = &tt.external
		}
		_, err := tt.client.AssumeRole(t.Context(), in)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || codeOf(err) != tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	out, err := ann.AssumeRole(t.Context(), &sdk.AssumeRoleInput{RoleArn: &byName, RoleSessionName: aws.String("s1"), PolicyArns: []types.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess")}},
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}}})
	if err != nil {
		t.Fatal(err)
	}
	for what, in := range map[string]*sdk.AssumeRoleInput{
		"tags":              {RoleArn: &untagged, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}}},
		"a source identity": {RoleArn: &byName, SourceIdentity: aws.String("root")},
	} {
		in.RoleSessionName = aws.String("s1")
		if _, err := ann.AssumeRole(t.Context(), in); codeOf(err) != "AccessDenied" || !strings.Contains(err.Error(), "is not authorized to perform: sts:") {
			t.Errorf("%s that the role does not let be chosen: %v", what, err)
		}
	}
	key, err := broker.Key(t.Context(), *out.Credentials.AccessKeyId)
	if err != nil {
		t.Fatal(err)
	}
	grants, err := broker.Grants(t.Context(), key)
	if err != nil || len(grants.Session) != 1 || grants.Session[0].Name != "AmazonSQSReadOnlyAccess" || grants.Tags["team"] != "a" || grants.Role != byName || grants.UserID != *out.AssumedRoleUser.AssumedRoleId {
		t.Errorf("the session is granted %+v, %v", grants, err)
	}
	none := &sdk.AssumeRoleInput{RoleArn: &byName, RoleSessionName: aws.String("s1"), PolicyArns: []types.PolicyDescriptorType{{Arn: aws.String(own + ":policy/none")}}}
	if _, err := ann.AssumeRole(t.Context(), none); codeOf(err) != "ValidationError" {
		t.Errorf("bounded by a policy that there is not: %v", err)
	}
	want, err := broker.Identity(t.Context(), core.IdentityName{Account: "111122223333", Kind: core.User, Name: "ann"})
	if got := f.whoIs(ann); err != nil || got != "111122223333 "+own+":user/ann "+want.ID {
		t.Errorf("ann is %q", got)
	}
}

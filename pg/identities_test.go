package pg_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

const (
	awsPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}`
	ramPolicy = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"mns:*","Resource":"*"}]}`
	awsTrust  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`
)

func userName(name string) core.IdentityName {
	return core.IdentityName{Account: pgtest.Account, Kind: core.User, Name: name}
}

func groupName(name string) core.IdentityName {
	return core.IdentityName{Account: pgtest.Account, Kind: core.Group, Name: name}
}

func roleName(name string) core.IdentityName {
	return core.IdentityName{Account: pgtest.Account, Kind: core.Role, Cloud: core.AWS, Name: name}
}

func policyName(name string) core.PolicyName {
	return core.PolicyName{Account: pgtest.Account, Cloud: core.AWS, Name: name}
}

// identityTest does what must not fail.
type identityTest struct {
	*testing.T
	broker *core.Broker
}

func (t identityTest) user(name string) core.Identity {
	t.Helper()
	return must(t.broker.CreateIdentity(t.Context(), core.Identity{IdentityName: userName(name)}))(t.T)
}

func (t identityTest) policy(name, text string) core.Policy {
	t.Helper()
	return must(t.broker.CreatePolicy(t.Context(), core.Policy{PolicyName: policyName(name)}, text))(t.T)
}

func (t identityTest) grants(key core.Key) *core.Grants {
	t.Helper()
	found := must(t.broker.Key(t.Context(), key.ID))(t.T)
	return must(t.broker.Grants(t.Context(), found))(t.T)
}

func (t identityTest) good(err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must[V any](value V, err error) func(*testing.T) V {
	return func(t *testing.T) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func granted(policies []core.GrantedPolicy) string {
	var names []string
	for _, p := range policies {
		names = append(names, p.From+":"+p.Name)
	}
	return strings.Join(names, " ")
}

func TestIdentitiesAreKept(t *testing.T) {
	t.Parallel()
	here, there, _, _ := newKeeper(t)
	made := must(here.CreateIdentity(t.Context(), core.Identity{
		IdentityName: roleName("worker"), Path: "/ci/", Description: "it works", Tags: map[string]string{"team": "a"}, Trust: awsTrust, MaxSession: 2 * time.Hour,
	}))(t)
	if made.ARN(core.AWS) != "arn:aws:iam::"+pgtest.Account+":role/ci/worker" || !strings.HasPrefix(made.ID, "AROA") || len(made.ID) != 21 || made.CreatedAt.IsZero() {
		t.Errorf("made %+v", made)
	}
	read := must(there.Identity(t.Context(), roleName("worker")))(t)
	if read.Trust != awsTrust || read.MaxSession != 2*time.Hour || read.Tags["team"] != "a" || read.Path != "/ci/" || !read.CreatedAt.Equal(made.CreatedAt) {
		t.Errorf("read %+v", read)
	}
	tests := map[string]struct {
		in   core.Identity
		want core.Code
	}{
		"the same name":             {core.Identity{IdentityName: roleName("worker"), Trust: awsTrust}, core.EntityExists},
		"the same in capitals":      {core.Identity{IdentityName: roleName("WORKER"), Trust: awsTrust}, core.EntityExists},
		"the other cloud's":         {core.Identity{IdentityName: core.IdentityName{Account: pgtest.Account, Kind: core.Role, Cloud: core.RAM, Name: "worker"}, Trust: `{"Version":"1","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"RAM":["acs:ram::1234567890123456:root"]}}]}`}, ""},
		"a user of that name":       {core.Identity{IdentityName: userName("worker")}, ""},
		"a role without trust":      {core.Identity{IdentityName: roleName("r1")}, core.PolicyMalformed},
		"a user with trust":         {core.Identity{IdentityName: userName("u1"), Trust: awsTrust}, core.InvalidArgument},
		"a session of 13 hours":     {core.Identity{IdentityName: roleName("r2"), Trust: awsTrust, MaxSession: 13 * time.Hour}, core.InvalidArgument},
		"a name of 64":              {core.Identity{IdentityName: userName(strings.Repeat("n", 64))}, ""},
		"a name of 65":              {core.Identity{IdentityName: userName(strings.Repeat("n", 65))}, core.InvalidArgument},
		"a name with a slash":       {core.Identity{IdentityName: userName("a/b")}, core.InvalidArgument},
		"a path without an end":     {core.Identity{IdentityName: userName("u2"), Path: "/x"}, core.InvalidArgument},
		"access of a role":          {core.Identity{IdentityName: roleName("r3"), Trust: awsTrust, Access: core.Viewer}, core.InvalidArgument},
		"access that there is none": {core.Identity{IdentityName: userName("u3"), Access: "god"}, core.InvalidArgument},
	}
	for name, tt := range tests {
		if _, err := here.CreateIdentity(t.Context(), tt.in); (err == nil) != (tt.want == "") || err != nil && core.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func TestListIdentities(t *testing.T) {
	t.Parallel()
	i := identityTest{t, pgtest.Broker(t)}
	for _, name := range []string{"b", "A", "c", "d"} {
		i.user(name)
	}
	must(i.broker.CreateIdentity(t.Context(), core.Identity{IdentityName: groupName("g"), Path: "/x/"}))(t)
	var names []string
	in := core.ListIdentitiesInput{Account: pgtest.Account, Limit: 2}
	for {
		page := must(i.broker.ListIdentities(t.Context(), in))(t)
		for _, found := range page.Identities {
			names = append(names, found.Name)
		}
		if in.After = page.Next; in.After == "" {
			break
		}
	}
	if got := strings.Join(names, " "); got != "g A b c d" {
		t.Errorf("got %s", got)
	}
	for name, tt := range map[string]struct {
		in   core.ListIdentitiesInput
		want int
	}{
		"users":            {core.ListIdentitiesInput{Account: pgtest.Account, Kind: core.User, Limit: 10}, 4},
		"of a path":        {core.ListIdentitiesInput{Account: pgtest.Account, PathPrefix: "/x/", Limit: 10}, 1},
		"of another":       {core.ListIdentitiesInput{Account: pgtest.Account, PathPrefix: "/%/", Limit: 10}, 0},
		"of no account":    {core.ListIdentitiesInput{Account: "999999999999", Limit: 10}, 0},
		"members of none":  {core.ListIdentitiesInput{Account: pgtest.Account, Group: "AGPANONE", Limit: 10}, 0},
		"who has a policy": {core.ListIdentitiesInput{Account: pgtest.Account, Policy: "ANPANONE", Limit: 10}, 0},
	} {
		if page := must(i.broker.ListIdentities(t.Context(), tt.in))(t); len(page.Identities) != tt.want {
			t.Errorf("%s: got %d, want %d", name, len(page.Identities), tt.want)
		}
	}
}

func TestGrantsOfAUser(t *testing.T) {
	t.Parallel()
	here, there, _, _ := newKeeper(t)
	i := identityTest{t, here}
	i.user("ann")
	must(here.CreateIdentity(t.Context(), core.Identity{IdentityName: groupName("devs")}))(t)
	key := createKey(t, here, core.NewKey{User: "ann"})
	if g := i.grants(key); len(g.Identity) != 0 || g.Root || g.Kind != core.PrincipalUser || g.Principal != "arn:aws:iam::"+pgtest.Account+":user/ann" {
		t.Errorf("a new user: %+v", g)
	}
	i.policy("queues", awsPolicy)
	i.policy("bound", awsPolicy)
	i.good(here.AttachPolicy(t.Context(), userName("ann"), policyName("queues")))
	i.good(here.AttachPolicy(t.Context(), groupName("devs"), core.PolicyName{Cloud: core.RAM, Name: "AliyunMNSFullAccess"}))
	i.good(here.PutInlinePolicy(t.Context(), groupName("devs"), "own", core.Inline{Cloud: core.RAM, Text: ramPolicy}))
	i.good(here.JoinGroup(t.Context(), pgtest.Account, "ann", "devs"))
	bound := policyName("bound")
	must(here.AlterIdentity(t.Context(), userName("ann"), core.IdentityChange{Boundary: &bound, Tags: map[string]*string{"team": ptr("a")}}))(t)

	first := i.grants(key)
	if got, want := granted(first.Identity), "user/ann:queues group/devs:AliyunMNSFullAccess group/devs:own"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if first.Boundary == nil || first.Boundary.Name != "bound" || first.Boundary.Text != awsPolicy || first.Tags["team"] != "a" || first.Identity[2].Cloud != core.RAM {
		t.Errorf("got %+v", first)
	}
	if i.grants(key) != first {
		t.Error("what did not change is another pointer")
	}
	i.user("bob")
	if i.grants(key) != first {
		t.Error("after a change that does not concern the key, it is another pointer")
	}

	// another server learns of it
	elsewhere := identityTest{t, there}
	if got := granted(elsewhere.grants(key).Identity); got != granted(first.Identity) {
		t.Errorf("elsewhere %s", got)
	}
	other := awsPolicy[:len(awsPolicy)-1] + " }"
	policy, version, err := here.CreatePolicyVersion(t.Context(), policyName("queues"), other, true, false)
	if err != nil || version.Number != 2 || policy.Text() != other {
		t.Fatal(policy, err)
	}
	eventually(t, "the new version counts elsewhere", func() bool { return elsewhere.grants(key).Identity[0].Text == other })
	i.good(here.DetachPolicy(t.Context(), userName("ann"), policyName("queues")))
	i.good(here.LeaveGroup(t.Context(), pgtest.Account, "ann", "devs"))
	eventually(t, "nothing is granted elsewhere", func() bool { return len(elsewhere.grants(key).Identity) == 0 })
}

func TestGrantsOfSessions(t *testing.T) {
	t.Parallel()
	here, _, _, _ := newKeeper(t)
	i := identityTest{t, here}
	role := must(here.CreateIdentity(t.Context(), core.Identity{IdentityName: roleName("worker"), Path: "/ci/", Trust: awsTrust, Tags: map[string]string{"a": "1", "b": "1"}}))(t)
	i.policy("queues", awsPolicy)
	session := i.policy("session", awsPolicy)
	i.good(here.AttachPolicy(t.Context(), roleName("worker"), policyName("queues")))
	i.user("ann")
	i.good(here.AttachPolicy(t.Context(), userName("ann"), policyName("queues")))
	arn := "arn:aws:sts::" + pgtest.Account
	tests := map[string]struct {
		key       core.NewKey
		principal string
		identity  string
		session   string
		root      bool
	}{
		"of a role": {core.NewKey{Session: core.Session{Role: role.ARN(""), RoleID: role.ID, Name: "s1", Policy: awsPolicy, Policies: []string{session.ID}, Tags: map[string]string{"b": "2"}}},
			arn + ":assumed-role/worker/s1", "role/worker:queues", "session:session policy session:session", false},
		"of a role that was made anew": {core.NewKey{Session: core.Session{Role: role.ARN(""), RoleID: "AROAOLDER", Name: "s1"}}, arn + ":assumed-role/worker/s1", "", "", false},
		"of a role that there is not":  {core.NewKey{Session: core.Session{Role: "arn:aws:iam::" + pgtest.Account + ":role/none", Name: "s1"}}, arn + ":assumed-role/none/s1", "", "", false},
		"of a user":                    {core.NewKey{User: "ann"}, "arn:aws:iam::" + pgtest.Account + ":user/ann", "user/ann:queues", "", false},
		"of the account":               {core.NewKey{}, "arn:aws:iam::" + pgtest.Account + ":root", "", "", true},
		"federated":                    {core.NewKey{User: "ann", Session: core.Session{Name: "f1", Policy: awsPolicy}}, arn + ":federated-user/f1", "user/ann:queues", "session:session policy", false},
		"federated without a policy":   {core.NewKey{User: "ann", Session: core.Session{Name: "f1"}}, arn + ":federated-user/f1", "", "", false},
		"federated by the account":     {core.NewKey{Session: core.Session{Name: "f1", Policy: awsPolicy}}, arn + ":federated-user/f1", "", "session:session policy", true},
	}
	for name, tt := range tests {
		tt.key.Lasts = time.Hour
		g := i.grants(createKey(t, here, tt.key))
		if g.Principal != tt.principal || granted(g.Identity) != tt.identity || granted(g.Session) != tt.session || g.Root != tt.root {
			t.Errorf("%s: got %+v", name, g)
		}
		if name == "of a role" && (g.Tags["a"] != "1" || g.Tags["b"] != "2" || g.Role != role.ARN("") || g.UserID != role.ID+":s1") {
			t.Errorf("%s: got %+v", name, g)
		}
	}
}

func TestDeletesAreRefusedWhileInUse(t *testing.T) {
	t.Parallel()
	here, _, _, _ := newKeeper(t)
	i := identityTest{t, here}
	i.user("ann")
	must(here.CreateIdentity(t.Context(), core.Identity{IdentityName: groupName("devs")}))(t)
	i.policy("queues", awsPolicy)
	key := createKey(t, here, core.NewKey{User: "ann"})
	must(here.CreateKey(t.Context(), core.NewKey{Account: pgtest.Account, User: "ann", Lasts: time.Hour}))(t)
	i.good(here.AttachPolicy(t.Context(), userName("ann"), policyName("queues")))
	i.good(here.PutInlinePolicy(t.Context(), userName("ann"), "own", core.Inline{Cloud: core.AWS, Text: awsPolicy}))
	i.good(here.JoinGroup(t.Context(), pgtest.Account, "ann", "devs"))
	user := func() error { return here.DeleteIdentity(t.Context(), userName("ann"), false) }
	policy := func() error { return here.DeletePolicy(t.Context(), policyName("queues"), false) }
	group := func() error { return here.DeleteIdentity(t.Context(), groupName("devs"), false) }
	steps := []struct {
		name string
		undo func() error
		of   func() error
	}{
		{"policy attached", func() error { return here.DetachPolicy(t.Context(), userName("ann"), policyName("queues")) }, policy},
		{"inline policy", func() error { return here.DeleteInlinePolicy(t.Context(), userName("ann"), "own") }, user},
		{"member", func() error { return here.LeaveGroup(t.Context(), pgtest.Account, "ann", "devs") }, group},
		{"key", func() error { return here.DeleteKey(t.Context(), key.ID) }, user},
	}
	for _, step := range steps {
		if err := step.of(); core.CodeOf(err) != core.EntityInUse {
			t.Errorf("%s: %v", step.name, err)
		}
		i.good(step.undo())
	}
	i.good(user())
	i.good(policy())
	i.good(group())
	for name, err := range map[string]error{"user": user(), "policy": policy(), "group": group()} {
		if core.CodeOf(err) != core.EntityNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	if page := must(here.ListKeys(t.Context(), core.ListKeysInput{Account: pgtest.Account, Temporary: true, Limit: 10}))(t); len(page.Keys) != 0 {
		t.Errorf("%d keys of the user are left", len(page.Keys))
	}
}

func TestDeleteIdentityWithAll(t *testing.T) {
	t.Parallel()
	here, _, _, _ := newKeeper(t)
	i := identityTest{t, here}
	i.user("ann")
	group := must(here.CreateIdentity(t.Context(), core.Identity{IdentityName: groupName("devs")}))(t)
	createKey(t, here, core.NewKey{User: "ann"})
	i.good(here.AttachPolicy(t.Context(), groupName("devs"), core.PolicyName{Cloud: core.AWS, Name: "AmazonSQSFullAccess"}))
	i.good(here.JoinGroup(t.Context(), pgtest.Account, "ann", "devs"))
	i.good(here.DeleteIdentity(t.Context(), groupName("devs"), true))
	if ann := must(here.Identity(t.Context(), userName("ann")))(t); len(ann.Groups) != 0 {
		t.Errorf("ann is still in %v (%s)", ann.Groups, group.ID)
	}
	admin := createKey(t, here, core.NewKey{User: "ann", Admin: true})
	if err := here.DeleteIdentity(t.Context(), userName("ann"), true); core.CodeOf(err) != core.EntityInUse {
		t.Errorf("with the key of an administrator of all accounts: %v", err)
	}
	if code := keyCode(t, here, admin.ID); code != "" {
		t.Errorf("that key is %s", code)
	}
	i.good(here.DeleteKey(t.Context(), admin.ID))
	i.good(here.DeleteIdentity(t.Context(), userName("ann"), true))
}

func TestRenamedUserKeepsKeys(t *testing.T) {
	t.Parallel()
	here, _, _, _ := newKeeper(t)
	i := identityTest{t, here}
	ann := i.user("ann")
	i.user("bob")
	key := createKey(t, here, core.NewKey{User: "ann"})
	taken, renamed := "bob", "Anna"
	if _, err := here.AlterIdentity(t.Context(), userName("ann"), core.IdentityChange{Name: &taken}); core.CodeOf(err) != core.EntityExists {
		t.Errorf("a name that is taken: %v", err)
	}
	must(here.AlterIdentity(t.Context(), userName("ann"), core.IdentityChange{Name: &renamed}))(t)
	if g := i.grants(key); g.User != "Anna" || g.UserID != ann.ID {
		t.Errorf("got %+v", g)
	}
}

func TestPolicyVersions(t *testing.T) {
	t.Parallel()
	i := identityTest{t, pgtest.Broker(t)}
	i.policy("p", awsPolicy)
	for range core.MaxPolicyVersions - 1 {
		must2(i.broker.CreatePolicyVersion(t.Context(), policyName("p"), awsPolicy, false, false))(t)
	}
	if _, _, err := i.broker.CreatePolicyVersion(t.Context(), policyName("p"), awsPolicy, true, false); core.CodeOf(err) != core.EntityLimit {
		t.Errorf("one more: %v", err)
	}
	if err := i.broker.DeletePolicyVersion(t.Context(), policyName("p"), 1); core.CodeOf(err) != core.EntityInUse {
		t.Errorf("the default: %v", err)
	}
	policy, version, err := i.broker.CreatePolicyVersion(t.Context(), policyName("p"), awsPolicy, true, true)
	if err != nil || version.Number != 6 || policy.Default != 6 || policy.Version(1) == nil || policy.Version(2) != nil {
		t.Errorf("in a circle: %+v, %v", policy, err)
	}
	must(i.broker.SetDefaultPolicyVersion(t.Context(), policyName("p"), 3))(t)
	i.good(i.broker.DeletePolicyVersion(t.Context(), policyName("p"), 6))
	_, gone := i.broker.SetDefaultPolicyVersion(t.Context(), policyName("p"), 6)
	_, none := i.broker.SetDefaultPolicyVersion(t.Context(), policyName("none"), 1)
	for name, err := range map[string]error{
		"version that is gone":  gone,
		"policy that is none":   none,
		"built-in that is none": i.broker.DeletePolicy(t.Context(), core.PolicyName{Cloud: core.AWS, Name: "None"}, false),
	} {
		if core.CodeOf(err) != core.EntityNotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := i.broker.DeletePolicy(t.Context(), policyName("p"), false); core.CodeOf(err) != core.EntityInUse {
		t.Errorf("with versions: %v", err)
	}
	i.good(i.broker.DeletePolicy(t.Context(), policyName("p"), true))
	if err := i.broker.DeletePolicy(t.Context(), core.PolicyName{Cloud: core.AWS, Name: "AmazonSQSFullAccess"}, false); core.CodeOf(err) != core.EntityProtected {
		t.Errorf("a built-in one: %v", err)
	}
}

func must2[A, B any](_ A, _ B, err error) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestBoundsOfIdentities(t *testing.T) {
	t.Parallel()
	i := identityTest{t, pgtest.Broker(t)}
	i.user("ann")
	for n := range core.MaxAttached {
		i.policy(fmt.Sprint("p", n), awsPolicy)
		i.good(i.broker.AttachPolicy(t.Context(), userName("ann"), policyName(fmt.Sprint("p", n))))
	}
	i.good(i.broker.AttachPolicy(t.Context(), userName("ann"), policyName("p0")))
	i.good(i.broker.AttachPolicy(t.Context(), userName("ann"), core.PolicyName{Cloud: core.RAM, Name: "AliyunMNSFullAccess"}))
	if err := i.broker.AttachPolicy(t.Context(), userName("ann"), core.PolicyName{Cloud: core.AWS, Name: "AmazonSQSFullAccess"}); core.CodeOf(err) != core.EntityLimit {
		t.Errorf("one policy more: %v", err)
	}
	pad := func(n int) string { // a policy of n characters that count
		return strings.Replace(awsPolicy, `"sqs:*"`, `"sqs:`+strings.Repeat("x", n-len(awsPolicy)+1)+`"`, 1) + strings.Repeat(" ", 100)
	}
	if err := i.broker.PutInlinePolicy(t.Context(), userName("ann"), "full", core.Inline{Cloud: core.AWS, Text: pad(2048)}); err != nil {
		t.Errorf("2048 characters: %v", err)
	}
	if err := i.broker.PutInlinePolicy(t.Context(), userName("ann"), "more", core.Inline{Cloud: core.AWS, Text: awsPolicy}); core.CodeOf(err) != core.EntityLimit {
		t.Errorf("more than 2048 characters: %v", err)
	}
	for n, want := range map[int]core.Code{core.MaxPolicyText: "", core.MaxPolicyText + 1: core.EntityLimit} {
		_, err := i.broker.CreatePolicy(t.Context(), core.Policy{PolicyName: policyName(fmt.Sprint("long", n))}, pad(n))
		if (err == nil) != (want == "") || err != nil && core.CodeOf(err) != want {
			t.Errorf("%d characters: %v", n, err)
		}
	}
}

// TestConcurrentChanges loses no change of one identity that many make at once.
func TestConcurrentChanges(t *testing.T) {
	t.Parallel()
	here, there, _, _ := newKeeper(t)
	i := identityTest{t, here}
	i.user("ann")
	names := []string{"AmazonSQSFullAccess", "AmazonSQSReadOnlyAccess", "AmazonSNSFullAccess", "AmazonSNSReadOnlyAccess", "AdministratorAccess", "IAMFullAccess"}
	var all sync.WaitGroup
	for n, name := range names {
		broker := []*core.Broker{here, there}[n%2]
		all.Go(func() {
			if err := broker.AttachPolicy(t.Context(), userName("ann"), core.PolicyName{Cloud: core.AWS, Name: name}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if ann := must(here.Identity(t.Context(), userName("ann")))(t); len(ann.Attached) != len(names) || ann.Version != int64(len(names))+1 {
		t.Errorf("attached: %v, version %d", ann.Attached, ann.Version)
	}
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	here, _, store, url := newKeeper(t)
	i := identityTest{t, here}
	must(here.CreateAccount(t.Context(), "111122223333", "team-a"))(t)
	createKey(t, here, core.NewKey{Account: "444455556666"})
	i.user("ann")
	page := must(here.ListAccounts(t.Context(), "", 10))(t)
	ids := []string{}
	for _, account := range page.Accounts {
		ids = append(ids, account.ID+account.Alias)
	}
	if want := []string{"111122223333team-a", "444455556666", pgtest.Account}; !slices.Equal(slices.Sorted(slices.Values(ids)), slices.Sorted(slices.Values(want))) {
		t.Errorf("got %v, want %v", ids, want)
	}
	if _, err := here.SetAccountAlias(t.Context(), "444455556666", "team-a"); core.CodeOf(err) != core.EntityExists {
		t.Errorf("an alias that is taken: %v", err)
	}
	if _, err := here.CreateAccount(t.Context(), "111122223333", ""); core.CodeOf(err) != core.EntityExists {
		t.Errorf("an account that is there: %v", err)
	}
	for alias, want := range map[string]string{"team-a": "111122223333", "team-b": "", "111122223333": ""} {
		if got := must(here.AccountOfAlias(t.Context(), alias))(t); got != want {
			t.Errorf("%s: got the account %q, want %q", alias, got, want)
		}
	}
	pgtest.Queue(t, here, "q")
	if err := here.DeleteAccount(t.Context(), pgtest.Account); core.CodeOf(err) != core.EntityInUse {
		t.Errorf("an account with queues: %v", err)
	}
	i.good(store.SetAccountLimits(t.Context(), core.AccountLimits{Account: "444455556666", Queues: ptr(1)}))
	must(store.PutFault(t.Context(), core.Fault{Account: "444455556666", Name: "f", Effect: core.FaultError, Probability: 1}))(t)
	alert := deep("deep", "*")
	alert.Name.Account = "444455556666"
	must(store.CreateAlert(t.Context(), alert))(t)
	i.good(here.DeleteAccount(t.Context(), "111122223333"))
	i.good(here.DeleteAccount(t.Context(), "444455556666"))
	if err := here.DeleteAccount(t.Context(), "444455556666"); core.CodeOf(err) != core.EntityNotFound {
		t.Errorf("an account that is gone: %v", err)
	}
	if page := must(here.ListKeys(t.Context(), core.ListKeysInput{Account: "444455556666", Limit: 10}))(t); len(page.Keys) != 0 {
		t.Errorf("%d of its keys are left", len(page.Keys))
	}
	for _, table := range []string{"account_limits", "faults", "alerts"} {
		left := 0
		if err := database(t, url).QueryRow(t.Context(), `SELECT count(*) FROM `+table+` WHERE account = '444455556666'`).Scan(&left); err != nil || left != 0 {
			t.Errorf("%d of its %s are left (%v)", left, table, err)
		}
	}
}

package sts_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// enforced is an STS where policies are enforced.
func enforced(t *testing.T) *fixture {
	t.Helper()
	broker := start(t, true).broker
	return serve(t, broker, &caller.Options{Keys: broker, Verify: true, Access: caller.NewAccess(broker, true)})
}

// role makes a role of the account that trusts a principal with actions of STS, and gives its ARN.
func (f *fixture) role(name, principal string, actions ...string) string {
	f.t.Helper()
	made, err := f.broker.CreateIdentity(f.t.Context(), core.Identity{
		IdentityName: core.IdentityName{Account: "111122223333", Kind: core.Role, Cloud: core.AWS, Name: name},
		Trust: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:` + principal +
			`"},"Action":["sts:` + strings.Join(actions, `","sts:`) + `"]}]}`,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return made.ARN("")
}

// session gives the client and the session of credentials.
func (f *fixture) session(c *types.Credentials) (*sdk.Client, core.Session) {
	f.t.Helper()
	key, err := f.broker.Key(f.t.Context(), *c.AccessKeyId)
	if err != nil {
		f.t.Fatal(err)
	}
	return f.as(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken), key.Session
}

func tags(pairs ...string) (list []types.Tag) {
	for pair := range slices.Chunk(pairs, 2) {
		list = append(list, types.Tag{Key: &pair[0], Value: &pair[1]})
	}
	return list
}

// What passes on in a chain of roles, and what may be said anew (recorded against the service).
func TestChainedRoles(t *testing.T) {
	t.Parallel()
	f := enforced(t)
	const assume, tag, identify = "AssumeRole", "TagSession", "SetSourceIdentity"
	first := f.role("first", "user/ann", assume, tag, identify)
	second := f.role("second", "role/first", assume, tag, identify)
	third := f.role("third", "role/second", assume, tag, identify)
	untagged, unnamed := f.role("untagged", "role/first", assume, identify), f.role("unnamed", "role/first", assume, tag)
	began, err := f.key(core.NewKey{User: "ann"}).AssumeRole(t.Context(), &sdk.AssumeRoleInput{
		RoleArn: &first, RoleSessionName: aws.String("s1"), SourceIdentity: aws.String("ann"), Tags: tags("Team", "a", "shift", "night"), TransitiveTagKeys: []string{"team"},
	})
	if err != nil {
		t.Fatal(err)
	}
	client, session := f.session(began.Credentials)
	if want := map[string]string{"Team": "a", "shift": "night"}; !maps.Equal(session.Tags, want) || session.SourceIdentity != "ann" {
		t.Errorf("the chain begins with %+v, want the tags %v", session, want)
	}
	tests := map[string]struct {
		in          sdk.AssumeRoleInput
		want        map[string]string // tags
		code, error string
	}{
		"nothing said":              {in: sdk.AssumeRoleInput{RoleArn: &second}, want: map[string]string{"Team": "a"}},
		"the same source identity":  {in: sdk.AssumeRoleInput{RoleArn: &second, SourceIdentity: aws.String("ann")}, want: map[string]string{"Team": "a"}},
		"another source identity":   {in: sdk.AssumeRoleInput{RoleArn: &second, SourceIdentity: aws.String("bob")}, code: "ValidationError", error: "The source identity is already set for this assume role session"},
		"one more tag":              {in: sdk.AssumeRoleInput{RoleArn: &second, Tags: tags("site", "x")}, want: map[string]string{"Team": "a", "site": "x"}},
		"a tag that did not pass":   {in: sdk.AssumeRoleInput{RoleArn: &second, Tags: tags("shift", "day")}, want: map[string]string{"Team": "a", "shift": "day"}},
		"a tag that passes on":      {in: sdk.AssumeRoleInput{RoleArn: &second, Tags: tags("TEAM", "b")}, code: "InvalidParameterValue", error: "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session."},
		"the role lets no tags be":  {in: sdk.AssumeRoleInput{RoleArn: &untagged}, code: "AccessDenied", error: "is not authorized to perform: sts:TagSession on resource: " + untagged},
		"the role lets no names be": {in: sdk.AssumeRoleInput{RoleArn: &unnamed}, code: "AccessDenied", error: "is not authorized to perform: sts:SetSourceIdentity on resource: " + unnamed},
		"a tag twice":               {in: sdk.AssumeRoleInput{RoleArn: &second, Tags: tags("site", "x", "Site", "y")}, code: "InvalidParameterValue", error: "Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		"no such tag to pass on": {in: sdk.AssumeRoleInput{RoleArn: &second, Tags: tags("site", "x"), TransitiveTagKeys: []string{"shift"}},
			code: "InvalidParameterValue", error: "The specified transitive tag key must be included in the requested tags."},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.in.RoleSessionName = aws.String("s2")
			out, err := client.AssumeRole(t.Context(), &tt.in)
			if tt.code != "" {
				if codeOf(err) != tt.code || !strings.Contains(err.Error(), tt.error) {
					t.Fatalf("got %v, want %s: %s", err, tt.code, tt.error)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			again, session := f.session(out.Credentials)
			if !maps.Equal(session.Tags, tt.want) || session.SourceIdentity != "ann" || aws.ToString(out.SourceIdentity) != "ann" {
				t.Errorf("got %+v, want the tags %v", session, tt.want)
			}
			last, err := again.AssumeRole(t.Context(), &sdk.AssumeRoleInput{RoleArn: &third, RoleSessionName: aws.String("s3")})
			if err != nil {
				t.Fatal(err)
			}
			if _, session := f.session(last.Credentials); !maps.Equal(session.Tags, map[string]string{"Team": "a"}) || session.SourceIdentity != "ann" {
				t.Errorf("the chain ends with %+v", session)
			}
		})
	}
}

// A federated user has the tags of its user, save those that it is given anew; keys differ in more than their case.
func TestTagsOfSessions(t *testing.T) {
	t.Parallel()
	f := enforced(t)
	role := f.role("worker", "user/ann", "AssumeRole", "TagSession")
	ann := f.key(core.NewKey{User: "ann"})
	team, site := "a", "x"
	for _, name := range []core.IdentityName{{Account: "111122223333", Kind: core.User, Name: "ann"}, {Account: "111122223333", Kind: core.Role, Cloud: core.AWS, Name: "worker"}} {
		if _, err := f.broker.AlterIdentity(t.Context(), name, core.IdentityChange{Tags: map[string]*string{"Team": &team, "Site": &site}}); err != nil {
			t.Fatal(err)
		}
	}
	may := core.Inline{Cloud: core.AWS, Text: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:*","Resource":"*"}]}`}
	if err := f.broker.PutInlinePolicy(t.Context(), core.IdentityName{Account: "111122223333", Kind: core.User, Name: "ann"}, "may", may); err != nil {
		t.Fatal(err)
	}
	assumed, err := ann.AssumeRole(t.Context(), &sdk.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("s1"), Tags: tags("team", "b")})
	if err != nil {
		t.Fatal(err)
	}
	federated, err := ann.GetFederationToken(t.Context(), &sdk.GetFederationTokenInput{Name: aws.String("fred"), Policy: aws.String(policyOf(0)), Tags: tags("team", "b")})
	if err != nil {
		t.Fatal(err)
	}
	for what, credentials := range map[string]*types.Credentials{"a role's session": assumed.Credentials, "a federated user": federated.Credentials} {
		key, err := f.broker.Key(t.Context(), *credentials.AccessKeyId)
		if err != nil {
			t.Fatal(err)
		}
		grants, err := f.broker.Grants(t.Context(), key)
		if want := map[string]string{"team": "b", "Site": "x"}; err != nil || !maps.Equal(grants.Tags, want) {
			t.Errorf("%s has the tags %v, %v, want %v", what, grants.Tags, err, want)
		}
	}
	twice := &sdk.GetFederationTokenInput{Name: aws.String("fred"), Tags: tags("team", "a", "TEAM", "b")}
	if _, err := ann.GetFederationToken(t.Context(), twice); codeOf(err) != "InvalidParameterValue" {
		t.Errorf("a tag twice: %v", err)
	}
}

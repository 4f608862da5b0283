package core_test

import (
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/core/policy"
)

func TestBuiltInPoliciesAreOfTheirLanguages(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		"arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/AmazonSQSFullAccess", "arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess",
		"arn:aws:iam::aws:policy/AmazonSNSFullAccess", "arn:aws:iam::aws:policy/AmazonSNSReadOnlyAccess", "arn:aws:iam::aws:policy/PowerUserAccess",
		"arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/IAMFullAccess", "arn:aws:iam::aws:policy/IAMReadOnlyAccess",
		"acs:ram:*:system:policy/AdministratorAccess", "acs:ram:*:system:policy/AliyunMNSFullAccess", "acs:ram:*:system:policy/AliyunMNSReadOnlyAccess",
		"acs:ram:*:system:policy/ReadOnlyAccess", "acs:ram:*:system:policy/AliyunRAMFullAccess", "acs:ram:*:system:policy/AliyunSTSAssumeRoleAccess",
	} {
		p := core.BuiltInPolicy(id)
		if p == nil || p.ARN() != id {
			t.Errorf("%s is not built in", id)
			continue
		}
		language := map[string]policy.Language{core.AWS: policy.AWS, core.RAM: policy.RAM}[p.Cloud]
		if _, err := language.Parse(p.Text(), policy.Identity); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}

func TestGrantsOfKeys(t *testing.T) {
	t.Parallel()
	role := "arn:aws:iam::111122223333:role/ci/worker"
	tests := map[string]struct {
		key  core.Key
		want core.Grants
	}{
		"account":       {core.Key{}, core.Grants{Kind: core.PrincipalAccount, Principal: "arn:aws:iam::111122223333:root", RAM: "acs:ram::111122223333:root", Root: true}},
		"administrator": {core.Key{User: "ann", Admin: true}, core.Grants{Kind: core.PrincipalUser, Principal: "arn:aws:iam::111122223333:user/ann", RAM: "acs:ram::111122223333:user/ann", Root: true}},
		"role": {core.Key{Session: core.Session{Role: role, Name: "s"}}, core.Grants{Kind: core.PrincipalRole,
			Principal: "arn:aws:sts::111122223333:assumed-role/worker/s", RAM: "acs:ram::111122223333:assumed-role/worker/s"}},
		"federated": {core.Key{Session: core.Session{Name: "f"}}, core.Grants{Kind: core.PrincipalFederated,
			Principal: "arn:aws:sts::111122223333:federated-user/f", RAM: "acs:ram::111122223333:federated-user/f"}},
	}
	for name, tt := range tests {
		tt.key.Account = "111122223333"
		got := core.GrantsOf(&tt.key)
		if got.Kind != tt.want.Kind || got.Principal != tt.want.Principal || got.RAM != tt.want.RAM || got.Root != tt.want.Root {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestRoleNameOf(t *testing.T) {
	t.Parallel()
	tests := map[string]core.IdentityName{
		"arn:aws:iam::111122223333:role/worker":          {Account: "111122223333", Kind: core.Role, Cloud: core.AWS, Name: "worker"},
		"arn:aws-cn:iam::111122223333:role/a/b/worker":   {Account: "111122223333", Kind: core.Role, Cloud: core.AWS, Name: "worker"},
		"acs:ram::111122223333:role/worker":              {Account: "111122223333", Kind: core.Role, Cloud: core.RAM, Name: "worker"},
		"arn:aws:iam::111122223333:user/worker":          {},
		"arn:aws:sts::111122223333:assumed-role/worker/": {},
		"arn:aws:iam::1:role/worker":                     {},
		"arn:aws:iam::111122223333:role/":                {},
		"acs:ram::111122223333":                          {},
		"":                                               {},
	}
	for arn, want := range tests {
		if got, ok := core.RoleNameOf(arn); ok != (want.Name != "") || ok && got != want {
			t.Errorf("%q: got %v, %t", arn, got, ok)
		}
	}
}

package manage_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUsersRolesAndPolicies(t *testing.T) {
	t.Parallel()
	s := start(t)
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	allow := file("allow.json", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}`)
	trust := file("trust.json", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`)

	s.must("account", "create", "111122223333", "--alias", "team-a")
	s.must("policy", "create", "queues", allow, "--description", "queues")
	s.must("user", "create", "ann", "--access", "viewer", "--bodies", "--tag", "team=a")
	s.must("user", "attach", "ann", "queues")
	s.must("user", "attach", "ann", "AliyunMNSFullAccess", "--cloud", "ram")
	s.must("user", "put", "ann", "own", allow)
	s.must("user", "set", "ann", "--boundary", "queues")
	s.must("group", "create", "devs")
	s.must("group", "add", "devs", "ann")
	s.must("role", "create", "worker", "--trust", trust, "--max-session", "2h")
	s.must("role", "attach", "worker", "AmazonSQSFullAccess")
	s.must("policy", "set", "queues", allow)

	tests := []struct {
		args string
		want []string
	}{
		{"user show ann", []string{"viewer, bodies too", "devs", "arn:aws:iam::000000000000:policy/queues", "acs:ram:*:system:policy/AliyunMNSFullAccess", "own", "team=a"}},
		{"user list", []string{"NAME", "ann", "viewer"}},
		{"role show worker", []string{"2h", "sts:AssumeRole", "AmazonSQSFullAccess"}},
		{"policy list", []string{"queues", "aws", "2"}},
		{"policy list --built-in", []string{"AmazonSQSFullAccess", "AliyunMNSReadOnlyAccess"}},
		{"policy show AliyunMNSReadOnlyAccess --cloud ram", []string{"mns:Get*"}},
		{"account list", []string{"111122223333", "team-a", "000000000000"}},
	}
	for _, tt := range tests {
		out := s.must(strings.Fields(tt.args)...)
		for _, want := range tt.want {
			if !strings.Contains(out, want) {
				t.Errorf("polymq %s lacks %q:\n%s", tt.args, want, out)
			}
		}
	}
	for args, want := range map[string]string{
		"user delete ann":              "must detach all policies first",
		"policy delete queues":         "attached",
		"policy delete IAMFullAccess":  "built in",
		"user attach ann none":         "does not exist",
		"role show nobody":             "cannot be found",
		"user set ann --access king":   "access",
		"account create 1":             "",
		"user put ann own /none/there": "no such file",
	} {
		if r := s.run(t.Context(), "", strings.Fields(args)...); r.err == nil || !strings.Contains(r.err.Error(), want) {
			t.Errorf("polymq %s: %v, want %q", args, r.err, want)
		}
	}
	s.must("user", "detach", "ann", "queues")
	s.must("user", "unput", "ann", "own")
	s.must("group", "remove", "devs", "ann")
	s.must("user", "delete", "ann", "--all", "--yes")
	s.must("policy", "delete", "queues")
	s.must("group", "delete", "devs")
	s.must("role", "delete", "worker", "--all", "--yes")
	s.must("account", "delete", "111122223333", "--yes")
	if out := s.must("user", "list"); strings.Contains(out, "ann") {
		t.Errorf("ann is still there:\n%s", out)
	}
}

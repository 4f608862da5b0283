package manage_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/polymq/polymq/cmd/polymq/client"
)

func TestAlertCommands(t *testing.T) {
	t.Parallel()
	s := start(t)
	robot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("sign") == "" {
			_, _ = w.Write([]byte(`{"errcode":310000,"errmsg":"sign not match"}`))
			return
		}
		_, _ = w.Write([]byte(`{"errcode":0,"errmsg":"ok"}`))
	}))
	t.Cleanup(func() { _ = robot.Config.Close() }) // its own Close would close the default client's connections too, which other tests use
	s.must("queue", "create", "ops")
	s.must("alert", "create", "late", "--metric", "oldest_message_age", "--queue", "orders*", "--above", "300", "--for", "2m", "--repeat", "1h", "--to", "queue=ops", "--to", "dingtalk="+robot.URL, "--secret", "SEC1")
	s.must("alert", "create", "errors", "--metric", "polymq_requests_total", "--label", "protocol=sqs", "--by", "code", "--at-least", "0.5", "--disabled")
	listed := s.must("alert", "list")
	for _, part := range []string{"oldest_message_age of orders* > 300 for 2m", "queue=ops, dingtalk=" + robot.URL, "polymq_requests_total protocol=sqs by code >= 0.5", "disabled"} {
		if !strings.Contains(listed, part) {
			t.Errorf("there is no %q in\n%s", part, listed)
		}
	}
	if out := s.must("alert", "test", "late"); strings.Count(out, "it was taken") != 2 {
		t.Errorf("tested: %s", out)
	}
	if out := s.must("message", "receive", "ops"); !strings.Contains(out, "This is a test") {
		t.Errorf("the queue got %s", out)
	}
	s.must("alert", "set", "late", "--to", "dingtalk="+robot.URL, "--below", "7") // the secret stays
	if out := s.must("alert", "test", "late"); strings.Count(out, "it was taken") != 1 {
		t.Errorf("tested again: %s", out)
	}
	if out := s.must("alert", "show", "late"); !strings.Contains(out, "oldest_message_age of orders* < 7 for 2m") || !strings.Contains(out, "every 1h") || strings.Contains(out, "SEC1") {
		t.Errorf("shown: %s", out)
	}
	s.must("alert", "set", "late", "--to", "wecom=http://127.0.0.1:1/")
	if r := s.run(t.Context(), "", "alert", "test", "late"); r.err == nil || !strings.Contains(r.out, "refused") {
		t.Errorf("a robot that is not there: %s, %v", r.out, r.err)
	}
	s.must("alert", "delete", "late")
	if r := s.run(t.Context(), "", "alert", "show", "late"); client.ExitCode(r.err) != client.ExitNotFound {
		t.Errorf("shown when it was deleted: %v", r.err)
	}
	for name, args := range map[string][]string{
		"no threshold":    {"x", "--metric", "depth"},
		"two thresholds":  {"x", "--metric", "depth", "--above", "1", "--below", "2"},
		"no destination":  {"x", "--metric", "depth", "--above", "1", "--to", "ops"},
		"no metric":       {"x", "--above", "1"},
		"a wrong metric":  {"x", "--metric", "nonsense", "--above", "1"},
		"a wrong missing": {"x", "--metric", "depth", "--above", "1", "--missing", "perhaps"},
	} {
		if r := s.run(t.Context(), "", append([]string{"alert", "create"}, args...)...); r.err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestSeedOfAlerts(t *testing.T) {
	t.Parallel()
	s := start(t)
	const declared = `
alerts:
  - name: late
    metric: oldest_message_age
    queue: orders*
    threshold: 300
    for_seconds: 60
    to:
      - {type: dingtalk, target: "https://oapi.dingtalk.com/robot/send?access_token=x", secret: SEC1}
`
	seed := func(text string, args ...string) string {
		t.Helper()
		r := s.run(t.Context(), text, append([]string{"seed", "-"}, args...)...)
		if r.err != nil || strings.Contains(r.out, "SEC1") {
			t.Fatalf("seed: %v, %s", r.err, r.out)
		}
		return r.out
	}
	if out := seed(declared); !strings.Contains(out, "+ alert late") {
		t.Errorf("made: %s", out)
	}
	if out := seed(declared); strings.Contains(out, "alert late") {
		t.Errorf("the same again: %s", out)
	}
	if out := seed(strings.Replace(declared, "300", "600", 1)); !strings.Contains(out, "threshold: 300 -> 600") {
		t.Errorf("changed: %s", out)
	}
	dumped := s.must("dump-config")
	if !strings.Contains(dumped, "alerts:") || !strings.Contains(dumped, "threshold: 600") || strings.Contains(dumped, "SEC1") || strings.Contains(dumped, "access_token") {
		t.Errorf("dumped: %s", dumped)
	}
	if r := s.run(t.Context(), dumped, "seed", "-"); r.err == nil || !strings.Contains(r.err.Error(), "ALERT_LATE_DINGTALK is not set") {
		t.Errorf("what was dumped, without its secret: %v", r.err)
	}
	s.environ = append(s.environ, "ALERT_LATE_DINGTALK=https://oapi.dingtalk.com/robot/send?access_token=x")
	if out := seed(dumped); strings.Contains(out, "alert late") {
		t.Errorf("what was dumped: %s", out)
	}
	if out := seed("alerts: []", "--prune"); !strings.Contains(out, "- alert late") {
		t.Errorf("pruned: %s", out)
	}
	if r := s.run(t.Context(), "alerts: [{name: a, metric: depth, treshold: 1}]", "seed", "-"); r.err == nil {
		t.Error("a field that does not exist is taken")
	}
}

package sdktests

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/polymq/polymq/protocols/smq"
)

// Alibaba's clients sign in three ways: ACS3-HMAC-SHA256 and, of old, HMAC-SHA1 for the control plane, and MNS's
// version 4 for the data plane in JSON.
func TestSMQVerifiesSignatures(t *testing.T) {
	t.Parallel()
	v := startVerifying(t, "")
	for _, p := range slices.Concat(programs, frameworks) {
		if !slices.Contains(p.checks, "smq") {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			if !p.available(t) {
				t.SkipNow() // not to count as passed
			}
			run := func(secret string) (passed, failed int) {
				ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
				defer cancel()
				cmd := p.command(ctx, t, v.polymq, append([]string{"check"}, p.checks...)...)
				cmd.Env = append(cmd.Env, "POLYMQ_SECRET_KEY="+secret)
				out, err := cmd.Output()
				t.Logf("with secret %q the program ended with %v:\n%s", secret, err, out)
				return bytes.Count(out, []byte("ok ")), bytes.Count(out, []byte("FAIL "))
			}
			if passed, failed := run(rootSecret); failed > 0 || passed == 0 {
				t.Errorf("with the key's secret %d checks passed and %d failed", passed, failed)
			}
			if passed, failed := run(rootSecret + "x"); passed > 0 || failed == 0 {
				t.Errorf("with another secret %d checks passed and %d failed", passed, failed)
			}
		})
	}
}

// The steps that the programs of all languages take call every action that the control plane has, and say of each
// parameter where the clients have it: all in the query, but for CreateTopic, and for the actions on tags, which only
// Terraform's provider calls.
func TestSMQStepsCallEveryAction(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("smq_steps.json")
	if err != nil {
		t.Fatal(err)
	}
	var steps []struct {
		Action, Error     string
		Query, Form, Want map[string]any
	}
	if err := json.Unmarshal(text, &steps); err != nil {
		t.Fatal(err)
	}
	wanted := map[string]bool{}
	for i, s := range steps {
		if len(s.Want) > 0 {
			wanted[s.Action] = true
		}
		if (s.Error == "") == (len(s.Want) == 0) {
			t.Errorf("step %d, %s: it wants %v and the error %q", i+1, s.Action, s.Want, s.Error)
		}
		if inForm := s.Action == "CreateTopic" || strings.HasSuffix(strings.ToLower(s.Action), "tagresources"); !inForm && s.Form != nil {
			t.Errorf("step %d, %s: parameters in the form", i+1, s.Action)
		}
	}
	for _, action := range smq.Actions() {
		if !wanted[action.Name] {
			t.Errorf("no step wants an answer of %s", action.Name)
		}
	}
}

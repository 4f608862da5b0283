package sdktests

import (
	"bytes"
	"context"
	"slices"
	"testing"
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

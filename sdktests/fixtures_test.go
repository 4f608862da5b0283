package sdktests

import (
	"context"
	"testing"
)

// fixtures are the files of docs/testing, run as their readers would.
var fixtures = []program{
	{
		name: "fixture-pytest", folder: "../docs/testing", tools: []string{"python3"}, locks: "requirements.txt",
		install: [][]string{
			{"python3", "-m", "venv", "venv"},
			{"venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", "requirements.txt"},
		},
		run: []string{"venv/bin/python", "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"},
	},
	{name: "fixture-node", folder: "../docs/testing", tools: []string{"node"}, locks: "*.mjs", run: []string{"node", "--test"}},
}

func TestFixtures(t *testing.T) {
	t.Parallel()
	srv := start(t)
	for _, p := range fixtures {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			if !p.available(t) {
				t.SkipNow() // not to count as passed
			}
			ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
			defer cancel()
			if output, err := p.command(ctx, t, srv).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, tail(output))
			}
		})
	}
}

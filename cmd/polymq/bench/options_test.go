package bench

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// parse gives the options of a command line.
func parse(t *testing.T, line string) (*options, error) {
	t.Helper()
	var o options
	flags := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	o.bind(flags)
	if err := flags.Parse(strings.Fields(line)); err != nil {
		t.Fatal(err)
	}
	return &o, o.complete(flags.Changed)
}

func TestDefaultsDependOnTheMode(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		workers, queues, backlog, wait int
		warmup, verify                 time.Duration
	}{
		"":                               {64, 1, 0, 1, 2 * time.Second, time.Minute},
		"--mode send":                    {64, 1, 0, 0, 2 * time.Second, 0},
		"--mode send --verify 1s":        {64, 1, 0, 0, 2 * time.Second, time.Second},
		"--mode drain":                   {64, 1, 100_000, 0, 0, time.Minute},
		"--mode drain --backlog 5":       {64, 1, 5, 0, 0, time.Minute},
		"--mode mixed":                   {64, 1, 0, 1, 2 * time.Second, time.Minute},
		"--mode mixed --producers 3":     {35, 1, 0, 1, 2 * time.Second, time.Minute},
		"--mode poll --connections 9":    {10, 9, 0, 20, 2 * time.Second, time.Minute},
		"--mode poll --queues 2":         {65, 2, 0, 20, 2 * time.Second, time.Minute},
		"--wait 0 --keep --warmup 1s":    {64, 1, 0, 0, time.Second, 0},
		"--mode poll --wait 3 --batch 2": {65, 64, 0, 3, 2 * time.Second, time.Minute},
	}
	for line, tt := range tests {
		o, err := parse(t, line)
		if err != nil {
			t.Errorf("%q: %v", line, err)
			continue
		}
		if o.workers() != tt.workers || o.Queues != tt.queues || o.Backlog != tt.backlog || o.Wait != tt.wait || o.Warmup != tt.warmup || o.Verify != tt.verify {
			t.Errorf("%q: %d workers, %d queues, backlog %d, wait %d, warm-up %s, verify %s, want %+v", line, o.workers(), o.Queues, o.Backlog, o.Wait, o.Warmup, o.Verify, tt)
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	good := []string{
		"--batch 10", "--protocol mns --batch 16", "--protocol api --batch 100", "--body-size 32", "--wait 20", "--protocol mns --wait 30",
		"--fifo", "--sign", "--protocol mns --sign", "--protocol mns --sign --signature 4", "--protocol mns --priorities 16", "--noop", "--noop --mode mixed", "--endpoint https://example.com/prefix --endpoint http://[::1]:4566",
		"--mode poll --via http://127.0.0.1:4567", "--mode poll", "--mode send --searches 2", "--searches 1",
	}
	for _, line := range good {
		if _, err := parse(t, line); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
	bad := map[string]string{
		"--protocol amqp":            "--protocol",
		"--mode fast":                "--mode",
		"--batch 0":                  "--batch",
		"--batch 11":                 "--batch",
		"--protocol mns --batch 17":  "--batch",
		"--protocol api --batch 101": "--batch",
		"--connections 0":            "--connections",
		"--mode mixed --producers 0": "--producers",
		"--body-size 31":             "--body-size",
		"--queues 0":                 "--queues",
		"--backlog -1":               "--backlog",
		"--mode drain --backlog 0":   "--backlog",
		"--mode push --backlog 5":    "--backlog",
		"--messages -1":              "--messages",
		"--fifo --groups 0":          "--groups",
		"--groups 5":                 "--groups --fifo",
		"--keep --verify 5s":         "--keep --verify",
		"--mode poll --backlog 5 --searches 2 --raw":   "--backlog --searches --raw",
		"--protocol mns --fifo":                        "--fifo",
		"--protocol api --sign":                        "--sign",
		"--priorities 2":                               "--priorities",
		"--protocol mns --priorities 17":               "--priorities",
		"--protocol mns --priorities -1":               "--priorities",
		"--protocol mns --sign --signature 3":          "--signature",
		"--protocol mns --signature 4":                 "--signature",
		"--sign --signature 4":                         "--signature",
		"--protocol mns --mode publish --priorities 2": "--priorities",
		"--noop --mode poll":                           "--noop",
		"--searches -1":                                "--searches",
		"--mode drain --searches 1":                    "--searches",
		"--mode publish --searches 1":                  "--searches",
		"--duration 0s":                                "--duration",
		"--warmup -1s":                                 "--warmup",
		"--rounds 0":                                   "--rounds",
		"--wait 21":                                    "--wait",
		"--wait -1":                                    "--wait",
		"--protocol mns --wait 31":                     "--wait",
		"--visibility 0":                               "--visibility",
		"--interval 0s":                                "--interval",
		"--timeout 0s":                                 "--timeout",
		"--verify -1s":                                 "--verify",
		"--endpoint 127.0.0.1:4566":                    "--endpoint",
		"--endpoint ftp://127.0.0.1":                   "--endpoint",
		"--endpoint http://":                           "--endpoint",
		"--via http://127.0.0.1:4567":                  "--via",
		"--mode poll --via 127.0.0.1:4567":             "--via",
		"--json --noop":                                "--json",
		"--batch 11 --wait 21 --endpoint nix":          "--batch --wait --endpoint",
		"--protocol amqp --mode fast --json --noop":    "--protocol --mode --json",
	}
	for line, flags := range bad {
		_, err := parse(t, line)
		if err == nil {
			t.Errorf("%q: no error", line)
			continue
		}
		for _, flag := range strings.Fields(flags) { // all faults together
			if !strings.Contains(err.Error(), flag) {
				t.Errorf("%q: error %q does not name %s", line, err, flag)
			}
		}
	}
}

// Each flag is taken in the modes in which it has a meaning, and refused by its name in the others.
func TestFlagsOfModes(t *testing.T) {
	t.Parallel()
	const all, queues, topics = "send drain cycle mixed poll publish fan-out push", "send drain cycle mixed poll", "publish fan-out push"
	flags := map[string]struct{ line, modes string }{
		"protocol":       {"--protocol mns", all},
		"mode":           {"", all},
		"endpoint":       {"--endpoint http://127.0.0.1:4567", all},
		"via":            {"--via http://127.0.0.1:4567", "poll"},
		"connections":    {"--connections 3", all},
		"producers":      {"--producers 3", "mixed"},
		"consumers":      {"--consumers 3", "mixed"},
		"batch":          {"--batch 3", all},
		"body-size":      {"--body-size 300", all},
		"queues":         {"--queues 3", queues + " publish"},
		"queue-name":     {"--queue-name orders", all},
		"backlog":        {"--backlog 3", "send drain cycle mixed publish fan-out"},
		"fifo":           {"--fifo", queues},
		"groups":         {"--fifo --groups 3", queues},
		"priorities":     {"--protocol mns --priorities 3", queues},
		"subscriptions":  {"--subscriptions 3", "fan-out"},
		"endpoints":      {"--endpoints 3", "push"},
		"dead-endpoints": {"--dead-endpoints 3", "push"},
		"scheduled":      {"--scheduled 3", topics},
		"raw":            {"--raw", topics},
		"searches":       {"--searches 3", "send cycle mixed"},
		"duration":       {"--duration 3s", all},
		"messages":       {"--messages 3", all},
		"warmup":         {"--warmup 3s", "send cycle mixed poll publish fan-out push"},
		"rounds":         {"--rounds 3", all},
		"wait":           {"--wait 3", "drain cycle mixed poll"},
		"visibility":     {"--visibility 3", queues + " publish fan-out"},
		"interval":       {"--interval 3s", "poll"},
		"timeout":        {"--timeout 3s", all},
		"verify":         {"--verify 3s", all},
		"sign":           {"--sign", all},
		"signature":      {"--protocol mns --sign --signature 4", all},
		"access-key":     {"--access-key ada", all},
		"secret-key":     {"--sign --secret-key ada", all},
		"region":         {"--region eu-west-1", all},
		"account":        {"--protocol mns --account 111122223333", all},
		"keep":           {"--keep", all},
		"json":           {"--json -", all},
		"noop":           {"--noop", "send drain cycle mixed"},
		"noop-serve":     {"--noop-serve", all},
	}
	Command("http://127.0.0.1:4566").Flags().VisitAll(func(f *pflag.Flag) {
		tt, known := flags[f.Name]
		if !known {
			t.Errorf("in which modes has --%s a meaning?", f.Name)
		}
		for _, m := range modes {
			line := "--mode " + m.name + " " + tt.line
			_, err := parse(t, line)
			switch has := slices.Contains(strings.Fields(tt.modes), m.name); {
			case has && err != nil:
				t.Errorf("%q: %v", line, err)
			case !has && (err == nil || !strings.Contains(err.Error(), "--"+f.Name+" means nothing to --mode "+m.name)):
				t.Errorf("%q: got %v", line, err)
			}
		}
	})
}

func TestHelpExplainsEveryMode(t *testing.T) {
	t.Parallel()
	cmd := Command("http://127.0.0.1:4566")
	for _, m := range modes {
		if !strings.Contains(cmd.Long, "  "+m.name+" ") {
			t.Errorf("--help does not explain mode %s", m.name)
		}
	}
	if n := strings.Count(cmd.Example, "polymq bench "); n != 5 {
		t.Errorf("%d examples, want 5", n)
	}
	if cmd.Flags().Lookup("noop-serve") == nil || !cmd.Flags().Lookup("noop-serve").Hidden {
		t.Error("--noop-serve is not hidden")
	}
}

package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/polymq/polymq/cmd/polymq/server"
)

// load reads settings as `polymq serve` does. file is the content of a YAML file, "" for none.
func load(t *testing.T, args, environ []string, file string) (server.Config, error) {
	t.Helper()
	if file != "" {
		path := filepath.Join(t.TempDir(), "polymq.yaml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", path)
	}
	flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	serveFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return loadConfig(flags, environ)
}

func TestLoadConfigPrecedence(t *testing.T) {
	tests := map[string]struct {
		args, environ []string
		file          string
		want          string
	}{
		"default":                {nil, nil, "", "us-east-1"},
		"file":                   {nil, nil, "region: from-file", "from-file"},
		"environment over file":  {nil, []string{"POLYMQ_REGION=from-env"}, "region: from-file", "from-env"},
		"flag over environment":  {[]string{"--region", "from-flag"}, []string{"POLYMQ_REGION=from-env"}, "region: from-file", "from-flag"},
		"flag over file":         {[]string{"--region", "from-flag"}, nil, "region: from-file", "from-flag"},
		"other file":             {nil, nil, "log-level: debug", "us-east-1"},
		"empty means default":    {nil, []string{"POLYMQ_REGION="}, "", "us-east-1"},
		"variables of others":    {nil, []string{"REGION=x", "POLYMQ_PORT=tcp://10.0.0.1:4566", "POLYMQ_TEST_DATABASE_URL=x"}, "", "us-east-1"},
		"flag of default value":  {[]string{"--region", "us-east-1"}, []string{"POLYMQ_REGION=from-env"}, "", "us-east-1"},
		"variable without value": {nil, []string{"POLYMQ_REGION"}, "", "us-east-1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			config, err := load(t, tt.args, tt.environ, tt.file)
			if err != nil {
				t.Fatal(err)
			}
			if config = defaulted(config); config.Region != tt.want {
				t.Errorf("got region %q, want %q", config.Region, tt.want)
			}
		})
	}
}

// defaulted shows an empty region as the server does, which fills in what is empty.
func defaulted(config server.Config) server.Config {
	if config.Region == "" {
		config.Region = server.Defaults().Region
	}
	return config
}

func TestLoadConfigTypes(t *testing.T) {
	sources := map[string]struct {
		args, environ []string
		file          string
	}{
		"flags": {args: []string{"--listen", "127.0.0.1:1", "--listen", ":2", "--trusted-proxies", "10.0.0.0/8,::1",
			"--database-url", "postgres://db", "--database-pool-size", "20", "--test-mode", "--shutdown-timeout", "3s"}},
		"flags with spaces": {args: []string{"--listen", "127.0.0.1:1, :2", "--trusted-proxies", "10.0.0.0/8, ::1", "--database-url", "postgres://db",
			"--database-pool-size", "20", "--test-mode", "--shutdown-timeout", "3s"}},
		"environment": {environ: []string{"POLYMQ_LISTEN=127.0.0.1:1,:2", "POLYMQ_TRUSTED_PROXIES=10.0.0.0/8,::1",
			"POLYMQ_DATABASE_URL=postgres://db", "POLYMQ_DATABASE_POOL_SIZE=20", "POLYMQ_TEST_MODE=true", "POLYMQ_SHUTDOWN_TIMEOUT=3s"}},
		"file with lists": {file: "listen: ['127.0.0.1:1', ':2']\ntrusted-proxies: [10.0.0.0/8, '::1/128']\ndatabase-url: postgres://db\n" +
			"database-pool-size: 20\ntest-mode: true\nshutdown-timeout: 3s\n"},
		"environment with spaces": {environ: []string{"POLYMQ_LISTEN=127.0.0.1:1, :2", "POLYMQ_TRUSTED_PROXIES= 10.0.0.0/8, ::1 ",
			"POLYMQ_DATABASE_URL=postgres://db", "POLYMQ_DATABASE_POOL_SIZE=20", "POLYMQ_TEST_MODE=true", "POLYMQ_SHUTDOWN_TIMEOUT=3s"}},
		"file with commas": {file: "listen: 127.0.0.1:1,:2\ntrusted-proxies: 10.0.0.0/8,::1/128\ndatabase-url: postgres://db\n" +
			"database-pool-size: '20'\ntest-mode: 'true'\nshutdown-timeout: 3s\n"},
	}
	for name, source := range sources {
		t.Run(name, func(t *testing.T) {
			config, err := load(t, source.args, source.environ, source.file)
			if err != nil {
				t.Fatal(err)
			}
			proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
			if !slices.Equal(config.Listen, []string{"127.0.0.1:1", ":2"}) || !slices.Equal(config.TrustedProxies, proxies) ||
				config.DatabaseURL != "postgres://db" || config.DatabasePoolSize != 20 || !config.TestMode || config.ShutdownTimeout != 3*time.Second {
				t.Errorf("got %+v", config)
			}
		})
	}
}

func TestLoadConfigReportsAllFaults(t *testing.T) {
	_, err := load(t, []string{"--listen", "nowhere", "--auth", "on", "--limit-requests", "-1", "--limit-topics", "few", "--console=perhaps", "--trace-ratio", "half"},
		[]string{"POLYMQ_DATABASE_POOL_SIZE=many", "POLYMQ_TRUSTED_PROXIES=10.0.0", "POLYMQ_SEED=/nonexistent/seed.yaml", "POLYMQ_DATABASE_URL=mysql://polymq:hunter2@db"},
		"durability: sometimes\nreigon: eu-west-1\nshutdown-timeout: soon\nprotocols: [sqs, amqp]\nadmin-key: [hunter2]\ndatabase-schema: pg_queues\n")
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"listen: ", "auth: ", "limit-requests: must be 1 or more, or 0 for no limit, was -1",
		`limit-topics: must be a whole number, was "few"`, `console: must be true or false, was "perhaps"`, `trace-ratio: must be a number, was "half"`,
		`database-pool-size: must be a whole number, was "many"`, `trusted-proxies: must be addresses or networks, such as `,
		"seed: ", "database-url: it is not a PostgreSQL URL", "durability: ", "reigon: there is no such setting",
		`shutdown-timeout: must be a time, such as 30s, 2h or 7d, was "soon"`, "protocols: must be sqs, ", "admin-key: must be a text", "database-schema: begins with pg_"} {
		if strings.Count(err.Error(), "\n"+want) != 1 {
			t.Errorf("the error has not exactly one line that begins with %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error tells a secret:\n%v", err)
	}
}

// Lengths of time may be in days wherever they are written.
func TestLoadConfigDays(t *testing.T) {
	for name, in := range map[string]struct {
		args, environ []string
		file          string
	}{
		"flag": {args: []string{"--audit-retention", "90d"}}, "variable": {environ: []string{"POLYMQ_AUDIT_RETENTION=90d"}}, "file": {file: "audit-retention: 90d\n"},
	} {
		if config, err := load(t, in.args, in.environ, in.file); err != nil || config.AuditRetention != 90*24*time.Hour {
			t.Errorf("%s: %v, %v", name, config.AuditRetention, err)
		}
	}
}

// What is written without a unit, or is more than a setting can hold, is not guessed at.
func TestLoadConfigIsStrict(t *testing.T) {
	for setting, want := range map[string]string{
		"shutdown-timeout: 5":        "shutdown-timeout: must be a time, such as 30s, 2h or 7d, was \"5\"",
		"expire-unused-queues: 0":    "",
		"database-pool-size: 8.5":    "database-pool-size: must be a whole number, was \"8.5\"",
		"limit-bytes: true":          "limit-bytes: must be a whole number, was \"true\"",
		"region: [a, b]":             "region: must be a text",
		"trace-ratio: 1":             "",
		"console:":                   "",
		"audit-retention: 2h":        "",
		"audit-retention: 90d":       "",
		"audit-retention: 90 days":   "audit-retention: must be a time, such as 30s, 2h or 7d, was \"90 days\"",
		"limit-bytes: 5000000000000": "",
	} {
		_, err := load(t, nil, nil, setting)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", setting, err, want)
		}
	}
}

// An empty variable says nothing, as where a container's file passes on one that is not set.
func TestEmptyVariables(t *testing.T) {
	config, err := load(t, nil, []string{"POLYMQ_CONSOLE=", "POLYMQ_TRACE_RATIO=", "POLYMQ_SHUTDOWN_TIMEOUT=", "POLYMQ_DATABASE_POOL_SIZE=", "POLYMQ_TRUSTED_PROXIES=", "POLYMQ_LISTEN="},
		"database-pool-size: 20\nshutdown-timeout: 3s\n")
	if err != nil {
		t.Fatal(err)
	}
	if config.Console == nil || !*config.Console || config.TraceRatio == nil || *config.TraceRatio != 1 || config.ShutdownTimeout != 3*time.Second ||
		config.DatabasePoolSize != 20 || len(config.TrustedProxies) != 0 || !slices.Equal(config.Listen, server.Defaults().Listen) {
		t.Errorf("got %+v", config)
	}
}

func TestMisspeltSettings(t *testing.T) {
	for variable, want := range map[string]string{
		"POLYMQ_REIGON=x":            "POLYMQ_REIGON: there is no such setting, did you mean POLYMQ_REGION?",
		"POLYMQ_DATABSE_URL=x":       "did you mean POLYMQ_DATABASE_URL?",
		"POLYMQ_DATABASE_POOLSIZE=8": "did you mean POLYMQ_DATABASE_POOL_SIZE?",
		"POLYMQ_TESTMODE=true":       "did you mean POLYMQ_TEST_MODE?",
	} {
		if _, err := load(t, nil, []string{variable}, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", variable, err, want)
		}
	}
	config, err := load(t, nil, []string{"POLYMQ_SOMETHING_ELSE=x", "POLYMQ_SERVICE_HOST=10.0.0.1", "POLYMQ_SERVICE_PORT_HTTP=1", "POLYMQ_PORT_4566_TCP_ADDR=10.0.0.1",
		"POLYMQ_ADMIN_SERVICE_PORT=1", "POLYMQ_ENDPOINT=x", "POLYMQ_TEST_DATABASE_URL=x", "POLYMQ_CONFIG="}, "")
	if err != nil || !slices.Equal(config.UnknownVariables, []string{"POLYMQ_SOMETHING_ELSE"}) {
		t.Errorf("unknown are %v, %v", config.UnknownVariables, err)
	}
	if _, err := load(t, nil, nil, "databaseurl: x"); err == nil || !strings.Contains(err.Error(), "did you mean database-url?") {
		t.Errorf("in a file: %v", err)
	}
}

func TestLoadConfigFile(t *testing.T) {
	t.Run("named by the environment", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "polymq.yaml")
		if err := os.WriteFile(path, []byte("region: from-file"), 0o600); err != nil {
			t.Fatal(err)
		}
		config, err := load(t, nil, []string{"POLYMQ_CONFIG=" + path}, "")
		if err != nil || config.Region != "from-file" {
			t.Errorf("got region %q, %v", config.Region, err)
		}
	})
	t.Run("missing", func(t *testing.T) {
		if _, err := load(t, []string{"--config", "/nonexistent/polymq.yaml"}, nil, ""); err == nil || !strings.Contains(err.Error(), "/nonexistent/polymq.yaml") {
			t.Errorf("got %v, want an error that names the file", err)
		}
	})
	t.Run("no YAML", func(t *testing.T) {
		if _, err := load(t, nil, nil, "\tlisten"); err == nil {
			t.Error("no error")
		}
	})
}

func TestEverySettingHasAFlag(t *testing.T) {
	flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	serveFlags(flags)
	settings := server.Defaults().Settings()
	for name := range settings {
		if flags.Lookup(name) == nil && name != "master-key" { // which other users of the machine would see
			t.Errorf("the setting %s has no flag", name)
		}
	}
	flags.VisitAll(func(flag *pflag.Flag) {
		if _, ok := settings[flag.Name]; !ok && flag.Name != configFlag {
			t.Errorf("the flag --%s sets nothing", flag.Name)
		}
	})
}

package server

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

func TestConfigCheck(t *testing.T) {
	file := writeConfig(t, "")
	missing := file + "x"
	tests := map[string]struct {
		config Config
		faults []string // the settings that are named
	}{
		"defaults":                  {Defaults(), nil},
		"zero":                      {Config{}, nil},
		"listen without port":       {Config{Listen: []string{"127.0.0.1"}}, []string{"listen"}},
		"one of two listens":        {Config{Listen: []string{":4566", "x"}}, []string{"listen"}},
		"public URL":                {Config{PublicURL: "https://queues.example/"}, nil},
		"public URL without scheme": {Config{PublicURL: "queues.example:4566"}, []string{"public-url"}},
		"public URL with path":      {Config{PublicURL: "https://example/queues"}, []string{"public-url"}},
		"public URL with a user":    {Config{PublicURL: "https://user:password@example"}, []string{"public-url"}},
		"certificate's host":        {Config{SNSCertHost: "sns.{region}.amazonaws.com"}, nil},
		"certificate's URL":         {Config{SNSCertHost: "https://sns.amazonaws.com/x"}, []string{"sns-cert-host"}},
		"region":                    {Config{Region: "US East"}, []string{"region"}},
		"auth enforce":              {Config{Auth: "enforce"}, nil},
		"auth unknown":              {Config{Auth: "on"}, []string{"auth"}},
		"auth verify":               {Config{Auth: "verify", AdminKey: "root:hunter22"}, nil},
		"sign-on by nobody trusted": {Config{Auth: "verify", SignOnHeader: "X-User"}, []string{"sign-on-header"}},
		"sign-on without auth":      {Config{SignOnHeader: "X-User", TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, []string{"sign-on-header"}},
		"sign-on":                   {Config{Auth: "verify", SignOnHeader: "X-User", TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, nil},
		"sign-on account":           {Config{SignOnAccount: "1"}, []string{"sign-on-account"}},
		"admin key without secret":  {Config{AdminKey: "root"}, []string{"admin-key"}},
		"admin key that is short":   {Config{AdminKey: "root:hunter2"}, []string{"admin-key"}},
		"two master keys":           {Config{MasterKey: "a", MasterKeyFile: file}, []string{"master-key"}},
		"protocol":                  {Config{Protocols: []string{"sqs", "stomp"}}, []string{"protocols"}},
		"migrate":                   {Config{Migrate: "yes"}, []string{"migrate"}},
		"durability":                {Config{Durability: "some"}, []string{"durability"}},
		"log level":                 {Config{LogLevel: "loud"}, []string{"log-level"}},
		"log format":                {Config{LogFormat: "xml"}, []string{"log-format"}},
		"shutdown timeout":          {Config{ShutdownTimeout: -time.Second}, []string{"shutdown-timeout"}},
		"smallest pool":             {Config{DatabasePoolSize: 2}, nil},
		"pool too small":            {Config{DatabasePoolSize: 1}, []string{"database-pool-size"}},
		"largest pool":              {Config{DatabasePoolSize: maxPoolSize}, nil},
		"pool too large":            {Config{DatabasePoolSize: maxPoolSize + 1}, []string{"database-pool-size"}},
		"direct URL with URL":       {Config{DatabaseURL: "postgres://a", DatabaseDirectURL: "postgres://b"}, nil},
		"database URL":              {Config{DatabaseURL: "mysql://a"}, []string{"database-url"}},
		"authority without any":     {Config{DatabaseURL: "postgres://a/b?sslmode=verify-full&sslrootcert=" + file}, []string{"database-url"}},
		"wrong direct URL":          {Config{DatabaseURL: "postgres://a", DatabaseDirectURL: "postgres://a:b"}, []string{"database-direct-url"}},
		"longest schema":            {Config{DatabaseSchema: strings.Repeat("a", 56)}, nil},
		"schema too long":           {Config{DatabaseSchema: strings.Repeat("a", 57)}, []string{"database-schema"}},
		"schema of PostgreSQL's":    {Config{DatabaseSchema: "pg_a"}, []string{"database-schema"}},
		"PostgreSQL without a port": {Config{PostgresListen: "127.0.0.1"}, []string{"postgres-listen"}},
		"repository":                {Config{PostgresRepositoryURL: "repo.example/maven2"}, []string{"postgres-repository-url"}},
		"limits":                    {Config{LimitQueues: -1, LimitTopics: -1, LimitBytes: -1, LimitRequests: -1}, []string{"limit-queues", "limit-topics", "limit-bytes", "limit-requests"}},
		"files":                     {Config{MasterKeyFile: file, ElasticMQConfig: file, Seed: file, PushCA: file}, nil},
		"files that are not there": {Config{DatabaseURL: "postgres://a", DatabasePasswordFile: missing, MasterKeyFile: missing, TLSCert: missing, TLSKey: missing, PushCA: missing,
			ElasticMQConfig: missing, Seed: missing}, []string{"database-password-file", "master-key-file", "tls-cert", "tls-key", "push-ca", "elasticmq-config", "seed"}},
		"directory for a file": {Config{Seed: filepath.Dir(file)}, []string{"seed"}},
		"direct URL alone":     {Config{DatabaseDirectURL: "postgres://b"}, []string{"database-direct-url"}},
		"several": {Config{Region: "!", DatabasePooled: true, DatabasePasswordFile: file, Durability: "x"},
			[]string{"region", "database-password-file", "database-pooled", "durability"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			if err := tt.config.Check(); err != nil {
				for line := range strings.Lines(err.Error()) {
					setting, _, _ := strings.Cut(line, ":")
					got = append(got, setting)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(tt.faults) {
				t.Errorf("got faults of %v, want %v", got, tt.faults)
			}
		})
	}
}

func TestSettingsHideSecrets(t *testing.T) {
	tests := map[string]struct{ address, want string }{
		"none":               {"", ""},
		"URL":                {"postgres://polymq:hunter2@db:5432/polymq?sslmode=require", "postgres://polymq:xxxxx@db:5432/polymq?sslmode=require"},
		"no password":        {"postgres://polymq@db/polymq", "postgres://polymq@db/polymq"},
		"no user":            {"postgres://db:5432/polymq", "postgres://db:5432/polymq"},
		"several hosts":      {"postgres://polymq:hunter2@db1:5432,db2:5432/polymq", "postgres://polymq:xxxxx@db1:5432,db2:5432/polymq"},
		"slash and at":       {"postgres://polymq:hun/te@r2@db/polymq", "postgres://polymq:xxxxx@db/polymq"},
		"in the query":       {"postgres://db/polymq?user=polymq&password=hunter2&sslmode=require", "postgres://db/polymq?user=polymq&password=xxxxx&sslmode=require"},
		"of the certificate": {"postgres://db/polymq?sslpassword=hunter2", "postgres://db/polymq?sslpassword=xxxxx"},
		"keywords":           {"host=db password=hunter2 user=polymq", "host=db password=xxxxx user=polymq"},
		"quoted keyword":     {`host=db password = 'hun\' ter2' user=polymq`, "host=db password = xxxxx user=polymq"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			settings := Config{DatabaseURL: tt.address, DatabaseDirectURL: tt.address}.Settings()
			if settings["database-url"] != tt.want || settings["database-direct-url"] != tt.want {
				t.Errorf("got %v and %v, want %v", settings["database-url"], settings["database-direct-url"], tt.want)
			}
		})
	}
}

// No setting that is an address shows a password, nor does what is said of a wrong one.
func TestPasswordsInURLsAreHidden(t *testing.T) {
	const address = "ftp://user:hunter2@host/path"
	config := Config{
		PublicURL: address, ForwardUnknown: address, LambdaEndpoint: address, OTLPEndpoint: address, PostgresRepositoryURL: address,
		DatabaseURL: address, DatabaseDirectURL: address,
	}
	for name, value := range config.Settings() {
		if strings.Contains(fmt.Sprint(value), "hunter2") {
			t.Errorf("%s: %v", name, value)
		}
	}
	for _, c := range []Config{config, {PostgresRepositoryURL: address}} {
		if err := c.Check(); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v", err)
		}
	}
}

// Neither the settings, nor what is said of wrong ones, show a key.
func TestKeysAreHidden(t *testing.T) {
	const secret = "hunter2"
	config := Config{AdminKey: "root:" + secret, MasterKey: secret, MasterKeyFile: "also"}
	var log strings.Builder
	logger := zerolog.New(&log)
	logger.Info().Fields(config.Settings()).Msg(fmt.Sprintf("%v %+v %#v", config, config, config))
	if err := config.Check(); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("got %v", err)
	}
	if strings.Contains(log.String(), secret) || !strings.Contains(log.String(), `"admin-key":"***"`) {
		t.Errorf("logged %s", log.String())
	}
}

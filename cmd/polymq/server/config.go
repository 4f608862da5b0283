package server

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/cmd/polymq/server/tracing"
	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/protocols"
	"github.com/polymq/polymq/protocols/caller"
)

// Config is all that can be set. The names are those of the flags, of the keys in the YAML file
// and, in capitals behind POLYMQ_, of the environment variables. A zero field means its default.
type Config struct {
	Listen           []string       `koanf:"listen"` // host:port; port 0 takes a free one
	PublicURL        string         `koanf:"public-url"`
	TLS              string         `koanf:"tls"`
	TLSCert          string         `koanf:"tls-cert"` // file
	TLSKey           string         `koanf:"tls-key"`  // file
	TrustedProxies   []netip.Prefix `koanf:"trusted-proxies"`
	SignOnHeader     string         `koanf:"sign-on-header"`  // "": no proxy signs users on
	SignOnAccount    string         `koanf:"sign-on-account"` // of those users
	Region           string         `koanf:"region"`
	Protocols        []string       `koanf:"protocols"`
	Console          *bool          `koanf:"console"` // nil: true
	ConsoleHosts     []string       `koanf:"console-hosts"`
	Auth             string         `koanf:"auth"`
	AdminKey         core.Secret    `koanf:"admin-key"`  // ID:SECRET
	MasterKey        core.Secret    `koanf:"master-key"` // no flag: other users of the machine could read it
	MasterKeyFile    string         `koanf:"master-key-file"`
	TestMode         bool           `koanf:"test-mode"`
	SQS60sRules      bool           `koanf:"sqs-60s-rules"`
	AutoCreateQueues bool           `koanf:"auto-create-queues"`
	SNSCertHost      string         `koanf:"sns-cert-host"` // of the URL of the certificate
	MNSPushBase64MD5 bool           `koanf:"mns-push-base64-md5"`
	MNSPushAccept3xx bool           `koanf:"mns-push-accept-3xx"`
	ElasticMQConfig  string         `koanf:"elasticmq-config"` // file whose queues are made at the start
	Seed             string         `koanf:"seed"`             // file that declares queues, topics and keys
	ForwardUnknown   string         `koanf:"forward-unknown"`  // URL of a server for other services
	InitDir          string         `koanf:"init-dir"`         // of scripts in boot.d, start.d, ready.d, shutdown.d

	PushAllow      []netip.Prefix `koanf:"push-allow"`
	PushCA         string         `koanf:"push-ca"` // file
	PushInsecure   bool           `koanf:"push-insecure"`
	SMTPURL        core.Secret    `koanf:"smtp-url"` // it may hold a password
	SMTPFrom       string         `koanf:"smtp-from"`
	LambdaEndpoint string         `koanf:"lambda-endpoint"`

	DatabaseURL          string `koanf:"database-url"` // "": the embedded PostgreSQL
	DatabaseDirectURL    string `koanf:"database-direct-url"`
	DatabasePooled       bool   `koanf:"database-pooled"`
	DatabaseSchema       string `koanf:"database-schema"`
	DatabasePoolSize     int    `koanf:"database-pool-size"`
	DatabasePasswordFile string `koanf:"database-password-file"`
	Migrate              string `koanf:"migrate"`
	Durability           string `koanf:"durability"`

	DataDir               string `koanf:"data-dir"` // "": embedded's own default
	PostgresListen        string `koanf:"postgres-listen"`
	PostgresBinDir        string `koanf:"postgres-bin-dir"`
	PostgresRepositoryURL string `koanf:"postgres-repository-url"`

	LimitQueues        int           `koanf:"limit-queues"` // of each account, as all of them
	LimitTopics        int           `koanf:"limit-topics"`
	LimitBytes         int64         `koanf:"limit-bytes"`
	LimitRequests      int           `koanf:"limit-requests"`       // a second
	ExpireUnusedQueues time.Duration `koanf:"expire-unused-queues"` // 0: never

	Audit          string        `koanf:"audit"`
	AuditRetention time.Duration `koanf:"audit-retention"`

	MessageLog          string        `koanf:"message-log"`
	MessageLogRetention time.Duration `koanf:"message-log-retention"`
	MessageLogOTLP      bool          `koanf:"message-log-otlp"`

	OTLPEndpoint string   `koanf:"otlp-endpoint"` // "": as OpenTelemetry's variables say
	OTLPProtocol string   `koanf:"otlp-protocol"` // "": likewise, else http/protobuf
	TraceRatio   *float64 `koanf:"trace-ratio"`   // nil, or 1: likewise, else all

	LogLevel        string        `koanf:"log-level"`
	LogFormat       string        `koanf:"log-format"`
	ShutdownTimeout time.Duration `koanf:"shutdown-timeout"`

	LogOutput io.Writer `koanf:"-"` // nil: standard error

	UnknownVariables []string `koanf:"-"` // of the environment, that look like settings; told in the log
}

// The values of settings that have a choice; the first is the default.
var (
	migrateChoices    = []string{"auto", "check", "off"}
	durabilityChoices = []string{string(pg.Full), string(pg.Relaxed), string(pg.None)}
	authChoices       = []string{"off", "verify", "enforce"}
	tlsChoices        = []string{"off", "auto"}
	auditChoices      = []string{"all", "changes", "off"}
	messageLogChoices = []string{"queues", "all"}
	otlpChoices       = []string{tracing.HTTP, tracing.GRPC}
	logFormatChoices  = []string{"auto", "console", "json"}
)

// maxPoolSize keeps a slip of the finger from taking all connections of a database.
const maxPoolSize = 500

// Defaults gives the settings that hold where nothing else is said.
func Defaults() Config { return Config{}.withDefaults() }

func (c Config) withDefaults() Config {
	c.Listen = orSlice(c.Listen, []string{"127.0.0.1:4566"})
	c.Region = cmp.Or(c.Region, caller.DefaultRegion)
	c.SignOnAccount = cmp.Or(c.SignOnAccount, caller.DefaultAccount)
	c.Protocols = orSlice(c.Protocols, protocols.Names)
	c.Auth = cmp.Or(c.Auth, authChoices[0])
	if c.Console == nil {
		on := true
		c.Console = &on
	}
	c.DatabaseSchema = cmp.Or(c.DatabaseSchema, pg.DefaultSchema)
	c.DatabasePoolSize = cmp.Or(c.DatabasePoolSize, pg.DefaultPoolSize)
	c.Migrate = cmp.Or(c.Migrate, migrateChoices[0])
	c.Durability = cmp.Or(c.Durability, durabilityChoices[0])
	c.TLS = cmp.Or(c.TLS, tlsChoices[0])
	c.Audit = cmp.Or(c.Audit, auditChoices[0])
	c.AuditRetention = cmp.Or(c.AuditRetention, 90*24*time.Hour)
	c.MessageLog = cmp.Or(c.MessageLog, messageLogChoices[0])
	c.MessageLogRetention = cmp.Or(c.MessageLogRetention, 7*24*time.Hour)
	c.LogLevel = cmp.Or(c.LogLevel, zerolog.InfoLevel.String())
	c.LogFormat = cmp.Or(c.LogFormat, logFormatChoices[0])
	c.ShutdownTimeout = cmp.Or(c.ShutdownTimeout, 10*time.Second)
	if c.LogOutput == nil {
		c.LogOutput = os.Stderr
	}
	return c
}

func orSlice(values, defaults []string) []string {
	if len(values) == 0 {
		return slices.Clone(defaults)
	}
	return values
}

// Check gives all faults of the configuration, joined.
func (c Config) Check() error {
	c = c.withDefaults()
	var faults []error
	fault := func(name, format string, args ...any) {
		faults = append(faults, fmt.Errorf("%s: %w", name, fmt.Errorf(format, args...)))
	}
	c.checkServing(fault)
	c.checkTLS(fault)
	c.checkPushes(fault)
	c.checkDatabase(fault)
	c.checkFiles(fault)
	choice := func(name, value string, choices []string) {
		if !slices.Contains(choices, value) {
			fault(name, "must be %s, was %q", oneOf(choices), value)
		}
	}
	choice("migrate", c.Migrate, migrateChoices)
	choice("durability", c.Durability, durabilityChoices)
	choice("tls", c.TLS, tlsChoices)
	choice("audit", c.Audit, auditChoices)
	choice("message-log", c.MessageLog, messageLogChoices)
	if c.OTLPProtocol != "" {
		choice("otlp-protocol", c.OTLPProtocol, otlpChoices)
	}
	choice("log-format", c.LogFormat, logFormatChoices)
	for _, protocol := range c.Protocols {
		choice("protocols", protocol, protocols.Names)
	}
	if _, err := zerolog.ParseLevel(c.LogLevel); err != nil {
		fault("log-level", "must be debug, info, warn or error, was %q", c.LogLevel)
	}
	return errors.Join(faults...)
}

var hostPattern = regexp.MustCompile(`^(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

var regionPattern = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

func (c Config) checkServing(fault func(name, format string, args ...any)) {
	for _, address := range c.Listen {
		if !isHostPort(address) {
			fault("listen", "must be host:port, such as 127.0.0.1:4566 or :4566, was %q", address)
		}
	}
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
			fault("public-url", "must be http://host:port or https://host:port without a path, was %q", maskPassword(c.PublicURL))
		}
	}
	if u, err := url.Parse("https://" + strings.ReplaceAll(c.SNSCertHost, "{region}", c.Region)); err != nil || c.SNSCertHost != "" && (u.Host == "" || u.Path != "" || u.User != nil) {
		fault("sns-cert-host", "must be a host, with or without a port, was %q", c.SNSCertHost)
	}
	for _, host := range c.ConsoleHosts {
		if !hostPattern.MatchString(host) {
			fault("console-hosts", "must be names without a port, such as queues.example.com or *.example.com, was %q", host)
		}
	}
	if c.ForwardUnknown != "" {
		if u, err := url.Parse(c.ForwardUnknown); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			fault("forward-unknown", "must be http://host:port or https://host:port, was %q", maskPassword(c.ForwardUnknown))
		}
	}
	if !regionPattern.MatchString(c.Region) {
		fault("region", "must be lower-case letters, digits and '-', was %q", c.Region)
	}
	if !slices.Contains(authChoices, c.Auth) {
		fault("auth", "must be %s, was %q", oneOf(authChoices), c.Auth)
	}
	if c.SignOnHeader != "" && (len(c.TrustedProxies) == 0 || c.Auth == "off") {
		fault("sign-on-header", "needs trusted-proxies, which alone are believed, and auth verify or enforce")
	}
	if !core.IsAccount(c.SignOnAccount) {
		fault("sign-on-account", "must be an account of twelve digits, was %q", c.SignOnAccount)
	}
	if c.AdminKey != "" {
		if _, err := parseAdminKey(c.AdminKey); err != nil {
			fault("admin-key", "%v", err)
		}
	}
	if c.MasterKey != "" && c.MasterKeyFile != "" {
		fault("master-key", "is given, and master-key-file as well: only one of them can be the master key")
	}
	limit := func(name string, n int64) {
		if n < 0 {
			fault(name, "must be 1 or more, or 0 for no limit, was %d", n)
		}
	}
	limit("limit-queues", int64(c.LimitQueues))
	limit("limit-topics", int64(c.LimitTopics))
	limit("limit-bytes", c.LimitBytes)
	limit("limit-requests", int64(c.LimitRequests))
	if c.ExpireUnusedQueues != 0 && c.ExpireUnusedQueues < time.Hour {
		fault("expire-unused-queues", "must be at least an hour, or 0 for never, was %v", c.ExpireUnusedQueues)
	}
	if c.AuditRetention < time.Hour {
		fault("audit-retention", "must be at least an hour, was %v", c.AuditRetention)
	}
	if c.MessageLogRetention < time.Hour {
		fault("message-log-retention", "must be at least an hour, was %v", c.MessageLogRetention)
	}
	if c.TraceRatio != nil && !(*c.TraceRatio >= 0 && *c.TraceRatio <= 1) { // NaN too
		fault("trace-ratio", "must be 0 to 1, was %v", *c.TraceRatio)
	}
	if u, err := url.Parse(c.OTLPEndpoint); err != nil || c.OTLPEndpoint != "" && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "") {
		fault("otlp-endpoint", "must be http://host:port or https://host:port, was %q", maskPassword(c.OTLPEndpoint))
	}
	if c.ShutdownTimeout < 0 {
		fault("shutdown-timeout", "must not be negative, was %v", c.ShutdownTimeout)
	}
}

func (c Config) checkDatabase(fault func(name, format string, args ...any)) {
	if c.DatabasePoolSize < 2 || c.DatabasePoolSize > maxPoolSize {
		fault("database-pool-size", "must be 2 to %d, was %d", maxPoolSize, c.DatabasePoolSize)
	}
	if err := pg.CheckSchemaName(c.DatabaseSchema); err != nil {
		fault("database-schema", "%v", err)
	}
	checkURL := func(name, address string) {
		if err := pg.CheckURL(address); err != nil {
			fault(name, "%v", err)
		}
	}
	if c.DatabaseURL != "" {
		checkURL("database-url", c.DatabaseURL)
		checkURL("database-direct-url", c.DatabaseDirectURL)
		return
	}
	needsURL := func(name string, given bool) {
		if given {
			fault(name, "needs database-url: the embedded PostgreSQL has no use for it")
		}
	}
	needsURL("database-direct-url", c.DatabaseDirectURL != "")
	needsURL("database-password-file", c.DatabasePasswordFile != "")
	needsURL("database-pooled", c.DatabasePooled)
	if c.PostgresListen != "" && !isHostPort(c.PostgresListen) {
		fault("postgres-listen", "must be host:port, such as 127.0.0.1:5433, was %q", c.PostgresListen)
	}
	if u, err := url.Parse(c.PostgresRepositoryURL); err != nil || c.PostgresRepositoryURL != "" && (u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		fault("postgres-repository-url", "must be http://host/path or https://host/path, was %q", maskPassword(c.PostgresRepositoryURL))
	}
}

// isHostPort reports whether an address has a port; the host may be left out.
func isHostPort(address string) bool {
	_, port, err := net.SplitHostPort(address)
	_, portErr := strconv.ParseUint(port, 10, 16)
	return err == nil && portErr == nil
}

// checkFiles finds files that cannot be opened. What is wrong in them is for who reads them to say.
func (c Config) checkFiles(fault func(name, format string, args ...any)) {
	for _, f := range []struct{ name, path string }{
		{"database-password-file", c.DatabasePasswordFile},
		{"master-key-file", c.MasterKeyFile},
		{"tls-cert", c.TLSCert},
		{"tls-key", c.TLSKey},
		{"push-ca", c.PushCA},
		{"elasticmq-config", c.ElasticMQConfig},
		{"seed", c.Seed},
	} {
		if f.path == "" {
			continue
		}
		if err := canOpen(f.path); err != nil {
			fault(f.name, "%w", err)
		}
	}
}

// canOpen opens a file, but not a pipe, which would miss what it is opened for.
func canOpen(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a directory", path)
	case !info.Mode().IsRegular():
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return file.Close()
}

func oneOf(choices []string) string {
	if len(choices) == 1 {
		return choices[0]
	}
	last := len(choices) - 1
	return strings.Join(choices[:last], ", ") + " or " + choices[last]
}

// Settings gives every setting by its name, without secrets, for the log.
func (c Config) Settings() map[string]any {
	settings := map[string]any{}
	v := reflect.ValueOf(c)
	for i := range v.NumField() {
		name, value := v.Type().Field(i).Tag.Get("koanf"), v.Field(i).Interface()
		if address, ok := value.(string); ok { // what is none looks like none
			value = maskPassword(address)
		}
		if name != "-" {
			settings[name] = value
		}
	}
	return settings
}

// Where passwords stand in a database address: before the host of a URL, and as password=… in the
// keyword form or in a URL's query.
var (
	passwordInURL  = regexp.MustCompile(`://([^:@/?]*):.*@`) // greedy: a password may hold what it should not
	passwordAsWord = regexp.MustCompile(`(password\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&]+)`)
)

// maskPassword blots out the passwords of an address, a database's or any other.
func maskPassword(address string) string {
	address = passwordInURL.ReplaceAllString(address, "://$1:xxxxx@")
	return passwordAsWord.ReplaceAllString(address, "${1}xxxxx")
}

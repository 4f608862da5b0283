package main

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"github.com/polymq/polymq/cmd/polymq/client"
	"github.com/polymq/polymq/cmd/polymq/server"
)

const (
	envPrefix  = "POLYMQ_"
	configFlag = "config" // names the YAML file
)

// databaseFlags are those of every command that touches the database.
func databaseFlags(flags *pflag.FlagSet) {
	d := server.Defaults()
	flags.String(configFlag, "", "YAML `FILE` with settings, named as the flags without --")
	flags.String("database-url", d.DatabaseURL, "`URL` of a PostgreSQL 15 to 18, postgres://user:password@host:5432/database;\nwithout one, polymq starts a PostgreSQL of its own")
	flags.String("database-direct-url", d.DatabaseDirectURL, "`URL` past a pooler in transaction mode that database-url leads to,\nfor LISTEN and migrations")
	flags.Bool("database-pooled", d.DatabasePooled, "database-url leads to a pooler in transaction mode; implied by database-direct-url")
	flags.String("database-schema", d.DatabaseSchema, "`NAME` of the schema that holds the tables")
	flags.Int("database-pool-size", d.DatabasePoolSize, "connections for requests; one more listens for other servers")
	flags.String("database-password-file", d.DatabasePasswordFile, "`FILE` with the database password, read anew for each connection")
	flags.String("data-dir", d.DataDir, "`DIR` of polymq's own PostgreSQL (default: in the user's data directory,\n/var/lib/polymq for root)")
	flags.String("postgres-listen", d.PostgresListen, "`HOST:PORT` on which polymq's own PostgreSQL also listens, for psql and the like, with the user\npolymq and the password in DATA_DIR/password (default: on a Unix socket only)")
	flags.String("postgres-bin-dir", d.PostgresBinDir, "`DIR` with the programs of PostgreSQL (default: looked for, else fetched once)")
	flags.String("postgres-repository-url", d.PostgresRepositoryURL, "`URL` of the Maven repository to fetch the programs of PostgreSQL from")
	flags.String("durability", d.Durability, "what outlives a crash: full: everything acknowledged; relaxed: half a second may be\nlost when PostgreSQL dies; none: the same, and polymq's own PostgreSQL runs without fsync")
	flags.String("log-level", d.LogLevel, "debug, info, warn or error")
	flags.String("log-format", d.LogFormat, "console, json, or auto: console on a terminal, JSON elsewhere")
	flags.VisitAll(tellLater)
}

// serveFlags are those of the server.
func serveFlags(flags *pflag.FlagSet) {
	d := server.Defaults()
	databaseFlags(flags)
	flags.StringSlice("listen", d.Listen, "`HOST:PORT` to answer on, several with commas or by repeating the flag; port 0 takes a free one")
	flags.String("public-url", d.PublicURL, "`URL` that clients are told instead of the one they used, as in QueueUrl")
	flags.String("tls", d.TLS, "auto: answer https too, on the same port, with certificates of an authority of polymq's own\n(polymq ca prints what clients have to trust); off")
	flags.String("tls-cert", d.TLSCert, "`FILE` with a certificate and those between it and its authority, in PEM: answer https too;\nread again when it changes")
	flags.String("tls-key", d.TLSKey, "`FILE` with the key of the certificate in tls-cert")
	flags.StringSlice("trusted-proxies", nil, "addresses of proxies whose X-Forwarded-* headers count, such as 10.0.0.0/8")
	flags.String("sign-on-header", "", "`HEADER` in which trusted proxies say which user they have signed on, for the JSON API\nand the console; the proxy must set or remove it in every request")
	flags.String("sign-on-account", d.SignOnAccount, "`ACCOUNT` of the users whom trusted proxies have signed on")
	flags.String("region", d.Region, "region of requests that name none")
	flags.StringSlice("protocols", d.Protocols, "protocols to speak")
	flags.Bool("console", *d.Console, "serve the console, polymq for browsers, at / and /console")
	flags.StringSlice("console-hosts", nil, "further names of the server for browsers, such as queues.example.com or *.example.com; with auth off they are\nanswered only under names that no other site can have, and that of --public-url")
	flags.String("auth", d.Auth, "off: any credentials are good, or none; verify: requests must be signed with a known\naccess key (polymq key), and the JSON API is for administrators;\nenforce: what they ask for must be allowed by policies, too")
	flags.String("admin-key", "", "`ID:SECRET` of an administrator's access key, better given as POLYMQ_ADMIN_KEY;\nwithout one, auth verify or enforce makes one on the first start and prints it once")
	flags.String("master-key-file", d.MasterKeyFile, "`FILE` with the key under which secrets are encrypted in the database, or the key itself in\nPOLYMQ_MASTER_KEY (default: made beside polymq's own PostgreSQL; openssl rand -hex 32)")
	flags.String("migrate", d.Migrate, "auto: bring the schema up to date; check: stop if it is not; off: take it as it is")
	flags.Bool("test-mode", d.TestMode, "allow what only tests should do, such as moving time forward (POST /api/v1/clock)")
	flags.String("sns-cert-host", d.SNSCertHost, "host of the signing certificate's URL in SNS messages, as sns.{region}.amazonaws.com\nfor receivers that accept no other (default: the server's own address)")
	flags.Bool("mns-push-base64-md5", d.MNSPushBase64MD5, "write Content-md5 of pushes of MNS topics in base64, as Alibaba's sample receiver in PHP\ncompares it (default: upper-case hexadecimal)")
	flags.Bool("mns-push-accept-3xx", d.MNSPushAccept3xx, "count a push of an MNS topic that is answered with 3xx as delivered, as with 2xx")
	flags.Bool("sqs-60s-rules", d.SQS60sRules, "as SQS does, refuse for 60 seconds to make a deleted queue again and to purge a queue again")
	flags.Bool("auto-create-queues", d.AutoCreateQueues, "make a queue that an SQS client sends to, receives from or asks for and that does not exist")
	flags.String("elasticmq-config", d.ElasticMQConfig, "`FILE` in ElasticMQ's format (HOCON) whose queues are made at the start")
	flags.Int("limit-queues", d.LimitQueues, "queues that each account may have, 0: as many as it likes\n(polymq account limits sets others for one)")
	flags.Int("limit-topics", d.LimitTopics, "topics that each account may have, 0: as many as it likes")
	flags.Int64("limit-bytes", d.LimitBytes, "bytes that the messages in each account's queues may take, 0: as many as it likes")
	flags.Int("limit-requests", d.LimitRequests, "requests that each account may make in a second, 0: as many as it likes; each of several\nservers gives out its share")
	flags.Duration("expire-unused-queues", d.ExpireUnusedQueues, "delete queues that nobody has sent to or received from for so long, that are empty, and that no\nsubscription and no dead-letter policy names; 0: never")
	flags.String("audit", d.Audit, "which calls are audited (polymq audit): all: those that manage and those that are refused; changes: of those\nthat manage only such as change something; off")
	flags.Duration("audit-retention", d.AuditRetention, "for how long audited calls are kept")
	flags.String("seed", d.Seed, "`FILE` that declares queues, topics, subscriptions and access keys to make at the start (polymq seed --help)")
	flags.String("message-log", d.MessageLog, "whose messages' lives are kept: queues: of queues and topics with logging on; all: of every one")
	flags.Duration("message-log-retention", d.MessageLogRetention, "for how long messages' lives are kept")
	flags.Bool("message-log-otlp", d.MessageLogOTLP, "send messages' lives to the OpenTelemetry receiver too, as log records")
	flags.String("forward-unknown", d.ForwardUnknown, "`URL` of another emulator, to which requests for services that polymq does not speak are passed on")
	flags.StringSlice("push-allow", nil, "private or loopback addresses that may be pushed to where auth is not off, such as 10.1.0.0/16")
	flags.String("push-ca", d.PushCA, "`FILE` with certificates in PEM that endpoints are trusted with, besides the system's")
	flags.Bool("push-insecure", d.PushInsecure, "push to endpoints whose certificates cannot be verified")
	flags.String("smtp-url", string(d.SMTPURL), "`URL` of the mail server, smtp://user:password@host:587 or smtps://…; without one mail is kept in the outbox")
	flags.String("smtp-from", d.SMTPFrom, "`ADDRESS` that mail is from (default: polymq@ the mail server)")
	flags.String("lambda-endpoint", d.LambdaEndpoint, "`URL` at which subscribed functions are invoked; without one the events are kept in the outbox")
	flags.String("init-dir", d.InitDir, "`DIR` with scripts to run, *.sh and *.py in ready.d and the like (LocalStack's /etc/localstack/init)")
	flags.String("otlp-endpoint", d.OTLPEndpoint, "`URL` of an OpenTelemetry receiver that traces are sent to by OTLP, http://localhost:4318\n(default: OTEL_EXPORTER_OTLP_ENDPOINT; without either nothing is traced)")
	flags.String("otlp-protocol", d.OTLPProtocol, "http/protobuf, or grpc, whose receivers are usually at http://localhost:4317\n(default: OTEL_EXPORTER_OTLP_PROTOCOL, else http/protobuf)")
	flags.Float64("trace-ratio", 1, "part of the requests that are traced, where the client does not say; 0.01 is one in a hundred")
	flags.Duration("shutdown-timeout", d.ShutdownTimeout, "how long requests may take to end when the server stops")
	flags.VisitAll(tellLater)
}

// lateFlag is a flag whose wrong value does not end the reading of the command line at once: loadConfig tells of it,
// together with all other faults.
type lateFlag struct {
	pflag.Value
	wrong *string // the value
}

func (f *lateFlag) Set(value string) error {
	if f.Value.Set(value) != nil {
		f.wrong = &value
	}
	return nil
}

// tellLater makes a flag a lateFlag. Texts are right as they are.
func tellLater(flag *pflag.Flag) {
	kind := flag.Value.Type()
	if _, done := flag.Value.(*lateFlag); done || kind == "string" || kind == "stringSlice" {
		return
	}
	readBetter(flag)
	flag.Value = &lateFlag{Value: flag.Value}
}

// wrongFlags gives a fault per flag that cannot be read.
func wrongFlags(flags *pflag.FlagSet) (faults []error) {
	flags.VisitAll(func(flag *pflag.Flag) {
		if late, ok := flag.Value.(*lateFlag); ok && late.wrong != nil {
			faults = append(faults, wrongValue(flag.Name, *late.wrong))
		}
	})
	return faults
}

// loadConfig reads the settings: flags win over environment variables, these over the YAML file,
// that over the defaults. All faults come in one error.
func loadConfig(flags *pflag.FlagSet, environ []string) (server.Config, error) {
	config := server.Defaults()
	known := config.Settings()
	fromEnv := env.Provider("", env.Opt{
		Prefix:      envPrefix,
		EnvironFunc: func() []string { return environ },
		TransformFunc: func(name, value string) (string, any) {
			key := settingOf(name)
			if _, ok := known[key]; !ok || value == "" {
				return "", nil // see unknownVariables; an empty one says nothing
			}
			return key, value
		},
	})
	k := koanf.New(".")
	if path := configFile(flags, environ); path != "" {
		if err := k.Load(file.Provider(path), yaml.Parser()); err != nil {
			return config, fmt.Errorf("read the configuration file %s: %w", path, err)
		}
	}
	var faults []error
	for _, key := range k.Keys() {
		if _, ok := known[key]; !ok {
			fault := fmt.Errorf("%s: there is no such setting", key)
			if meant := nearest(key, slices.Sorted(maps.Keys(known))); meant != "" {
				fault = fmt.Errorf("%w, did you mean %s?", fault, meant)
			}
			faults = append(faults, fault)
		}
	}
	config.UnknownVariables = unknownVariables(environ, known)
	for _, name := range config.UnknownVariables {
		if meant := nearest(settingOf(name), slices.Sorted(maps.Keys(known))); meant != "" {
			faults = append(faults, fmt.Errorf("%s: there is no such setting, did you mean %s?", name, variableOf(meant)))
		}
	}
	if err := errors.Join(k.Load(fromEnv, nil), k.Load(posflag.Provider(flags, "", k), nil)); err != nil {
		return config, fmt.Errorf("read the settings: %w", err)
	}
	faults = append(faults, wrongFlags(flags)...)
	faults = append(faults, decode(k, &config)...)
	if faults = append(faults, config.Check()); errors.Join(faults...) != nil {
		return config, client.Usagef("the configuration is not usable:\n%w", errors.Join(faults...))
	}
	return config, nil
}

// settingOf gives the setting of an environment variable: database-url for POLYMQ_DATABASE_URL.
func settingOf(variable string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(variable, envPrefix)), "_", "-")
}

// variableOf gives the environment variable of a setting.
func variableOf(setting string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(setting, "-", "_"))
}

// othersVariable matches names that are not the server's: of the commands that are its clients, of tests, and
// what Kubernetes sets for a service named polymq.
var othersVariable = regexp.MustCompile(`^POLYMQ_(CONFIG|ENDPOINT|ACCOUNT|TEST_.*|RUN_AS_PROGRAM|(.*_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_[0-9]+_(TCP|UDP)(_.*)?)?))$`)

// unknownVariables gives the variables that look like a setting and are none.
func unknownVariables(environ []string, known map[string]any) []string {
	var unknown []string
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		if _, ok := known[settingOf(name)]; !ok && strings.HasPrefix(name, envPrefix) && !othersVariable.MatchString(name) {
			unknown = append(unknown, name)
		}
	}
	return unknown
}

// nearest gives the name that a misspelt one was meant to be, "" where none is near.
func nearest(name string, names []string) string {
	best, at := "", len(name)/3+1
	for _, candidate := range names {
		if d := edits(name, candidate); d < at {
			best, at = candidate, d
		}
	}
	return best
}

// edits counts the letters to insert, remove, replace or swap with their neighbour that make one word another.
func edits(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		now, above, twoAbove := rows[i%3], rows[(i+2)%3], rows[(i+1)%3]
		now[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			now[j] = min(above[j]+1, now[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], twoAbove[j-2]+1)
			}
		}
	}
	return rows[len(a)%3][len(b)]
}

// configFile gives the path of the YAML file, "" for none.
func configFile(flags *pflag.FlagSet, environ []string) string {
	if flag := flags.Lookup(configFlag); flag.Changed {
		return flag.Value.String()
	}
	for _, variable := range environ {
		if name, value, _ := strings.Cut(variable, "="); strings.HasPrefix(name, envPrefix) && settingOf(name) == configFlag {
			return value
		}
	}
	return ""
}

// decode fills config and gives a fault per setting that cannot be read.
func decode(k *koanf.Koanf, config *server.Config) []error {
	err := k.UnmarshalWithConf("", config, koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		WeaklyTypedInput: true, // environment variables are strings
		Result:           config,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			toDuration,
			toList,
			toPrefix,
			strictly,
		),
	}})
	if err == nil {
		return nil
	}
	all := []error{err}
	if several, ok := errors.Unwrap(err).(interface{ Unwrap() []error }); ok {
		all = several.Unwrap()
	}
	for i, err := range all {
		if field, ok := errors.AsType[*mapstructure.DecodeError](err); ok {
			name, _, _ := strings.Cut(field.Name(), "[")
			all[i] = wrongValue(name, k.Get(name))
		}
	}
	return all
}

// toDuration reads lengths of time, which may be in days.
func toDuration(_, to reflect.Type, value any) (any, error) {
	text, ok := value.(string)
	if !ok || to != reflect.TypeFor[time.Duration]() {
		return value, nil
	}
	return client.ParseSpan(text)
}

// toList reads lists with commas, and spaces beside them.
func toList(_, to reflect.Type, value any) (any, error) {
	if to.Kind() != reflect.Slice {
		return value, nil
	}
	list := []string{}
	switch value := value.(type) {
	case string:
		if value != "" {
			list = strings.Split(value, ",")
		}
	case []string:
		list = slices.Clone(value)
	default:
		return value, nil
	}
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list, nil
}

// toPrefix reads networks, and addresses as networks of one.
func toPrefix(_, to reflect.Type, value any) (any, error) {
	text, ok := value.(string)
	if !ok || to != reflect.TypeFor[netip.Prefix]() {
		return value, nil
	}
	if address, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	return netip.ParsePrefix(text)
}

// strictly refuses what would be read as something else: a time without a unit, which was nanoseconds, and a part of
// a number.
func strictly(from, to reflect.Type, value any) (any, error) {
	if from == to || from.Kind() == reflect.String || reflect.ValueOf(value).IsZero() {
		return value, nil
	}
	if whole := reflect.ValueOf(value).CanInt(); to == reflect.TypeFor[time.Duration]() || looksLike(to) == looksLike(reflect.TypeFor[int]()) && !whole {
		return nil, fmt.Errorf("%v is not %s", value, looksLike(to))
	}
	return value, nil
}

// wrongValue is the fault of a setting that cannot be read.
func wrongValue(name string, value any) error {
	for _, field := range reflect.VisibleFields(reflect.TypeFor[server.Config]()) {
		if field.Tag.Get("koanf") != name {
			continue
		}
		if like := looksLike(field.Type); like != "" {
			return fmt.Errorf("%s: must be %s, was %q", name, like, fmt.Sprint(value))
		}
	}
	return fmt.Errorf("%s: must be a text", name) // which may be a secret
}

// looksLike says how settings of a type are written, "" for texts.
func looksLike(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Pointer:
		return looksLike(t.Elem())
	case t == reflect.TypeFor[time.Duration]():
		return "a time, such as 30s, 2h or 7d"
	case t == reflect.TypeFor[[]netip.Prefix]():
		return "addresses or networks, such as 10.1.2.3 or 10.0.0.0/8"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Float64:
		return "a number"
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int64:
		return "a whole number"
	}
	return ""
}

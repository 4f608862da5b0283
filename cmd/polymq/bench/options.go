package bench

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

const userAgent = "polymq-bench"

// options is what the flags say.
type options struct {
	Protocol  string
	Mode      string
	Endpoints []string
	Via       string

	Connections int
	Producers   int
	Consumers   int
	Batch       int
	BodySize    int
	Queues      int
	QueueName   string
	Backlog     int
	FIFO        bool
	Groups      int
	Priorities  int

	Subscriptions int
	Receivers     int
	DeadReceivers int
	Scheduled     int
	Raw           bool

	Searches int

	Duration   time.Duration
	Messages   int
	Warmup     time.Duration
	Rounds     int
	Wait       int // seconds
	Visibility int // seconds
	Interval   time.Duration
	Timeout    time.Duration
	Verify     time.Duration

	Sign      bool
	Signature int
	AccessKey string
	SecretKey string
	Region    string
	Account   string

	Keep      bool
	JSON      string
	Noop      bool
	NoopServe bool

	// What complete makes of them.
	protocol  protocol
	mode      *mode
	endpoints []*url.URL
	via       *url.URL
}

func (o *options) bind(f *pflag.FlagSet) {
	f.StringVar(&o.Protocol, "protocol", "sqs", "what to speak: sqs (AWS JSON), mns (XML) or api (polymq's own JSON API)")
	f.StringVar(&o.Mode, "mode", "cycle", "send, drain, cycle, mixed, poll, publish, fan-out or push, see above")
	f.StringArrayVar(&o.Endpoints, "endpoint", o.Endpoints, "server to aim at, by default that of POLYMQ_ENDPOINT; repeat it to spread the connections over several")
	f.StringVar(&o.Via, "via", "", "poll: send through this server, while the polls wait at --endpoint")

	f.IntVar(&o.Connections, "connections", 64, "connections, each with one request in flight")
	f.IntVar(&o.Producers, "producers", 0, "mixed: connections that send (default half of --connections)")
	f.IntVar(&o.Consumers, "consumers", 0, "mixed: connections that receive and delete (default half of --connections)")
	f.IntVar(&o.Batch, "batch", 1, "messages per request, up to 10 (mns: 16, api: 100)")
	f.IntVar(&o.BodySize, "body-size", 200, "bytes of a message's body")
	f.IntVar(&o.Queues, "queues", 0, "queues to spread the load over (default 1; poll: one for each connection)")
	f.StringVar(&o.QueueName, "queue-name", "", "name of the queue, or how the names begin (default bench-ID)")
	f.IntVar(&o.Backlog, "backlog", 0, "messages to put into the queues before measuring (default 0; drain: 100,000)")
	f.BoolVar(&o.FIFO, "fifo", false, "use FIFO queues (sqs)")
	f.IntVar(&o.Groups, "groups", 100, "message groups to spread over, with --fifo")
	f.IntVar(&o.Priorities, "priorities", 0, "priorities that messages have in turn, from 1 to so many (mns, up to 16; default: none is named)")

	f.IntVar(&o.Subscriptions, "subscriptions", 100, "fan-out: queues that are subscribed")
	f.IntVar(&o.Receivers, "endpoints", 100, "push: HTTP endpoints that answer at once, served by this program on the loopback")
	f.IntVar(&o.DeadReceivers, "dead-endpoints", 0, "push: more of them, which accept and never answer")
	f.IntVar(&o.Scheduled, "scheduled", 0, "publish, fan-out, push: deliveries that wait to be tried again, before measuring")
	f.BoolVar(&o.Raw, "raw", false, "publish, fan-out, push: deliver without an envelope (SNS: and signature; MNS: SIMPLIFIED)")

	f.IntVar(&o.Searches, "searches", 0, "send, cycle, mixed: so many people look through the first queue in the console meanwhile; each round is measured without them, too")

	f.DurationVar(&o.Duration, "duration", 10*time.Second, "how long to measure at most")
	f.IntVar(&o.Messages, "messages", 0, "stop after this many messages (default no limit)")
	f.DurationVar(&o.Warmup, "warmup", 2*time.Second, "load before measuring; drain has none")
	f.IntVar(&o.Rounds, "rounds", 1, "measure so many times, in turn with --noop, and print medians")
	f.IntVar(&o.Wait, "wait", 0, "seconds that a receive waits for its first message (default 1; drain: 0; poll: 20)")
	f.IntVar(&o.Visibility, "visibility", 30, "visibility timeout in seconds")
	f.DurationVar(&o.Interval, "interval", 100*time.Millisecond, "poll: rest between two messages")
	f.DurationVar(&o.Timeout, "timeout", 30*time.Second, "how long a request may take, a long poll's wait not counted")
	f.DurationVar(&o.Verify, "verify", time.Minute, "afterwards receive what is left, for at most this long, to find lost messages; 0 does not")

	f.BoolVar(&o.Sign, "sign", false, "sign requests (sqs: SigV4; mns: see --signature)")
	f.IntVar(&o.Signature, "signature", 2, "version of the signature, 2 or 4, with --sign (mns)")
	f.StringVar(&o.AccessKey, "access-key", "test", "access key id")
	f.StringVar(&o.SecretKey, "secret-key", "test", "secret access key, with --sign")
	f.StringVar(&o.Region, "region", "us-east-1", "region of the queues (sqs; mns: of the subscribed ones, and of signature 4)")
	f.StringVar(&o.Account, "account", "000000000000", "account of the subscribed queues (mns)")

	f.BoolVar(&o.Keep, "keep", false, "leave the queues and what is in them")
	f.StringVar(&o.JSON, "json", "", "write the report as JSON to this file; - prints it instead of the table")
	f.BoolVar(&o.Noop, "noop", false, "measure a server that does nothing; together with --mode, both, and print the ratio")
	f.BoolVar(&o.NoopServe, "noop-serve", false, "be that server")
	_ = f.MarkHidden("noop-serve") // fails only for an unknown flag
}

// complete fills in the defaults that depend on other options, and reports all that is wrong.
func (o *options) complete(given func(flag string) bool) error {
	var c check
	var known bool
	o.protocol, known = protocols[o.Protocol]
	o.mode = findMode(o.Mode)
	c.that(known, "--protocol must be sqs, mns or api, was %q", o.Protocol)
	c.that(o.mode != nil, "--mode must be send, drain, cycle, mixed, poll, publish, fan-out or push, was %q", o.Mode)
	c.that(o.JSON == "-" || !strings.HasPrefix(o.JSON, "-"), "--json must be a file, or -, was %q", o.JSON)
	if known && o.mode != nil { // which say what is good for the others
		c = append(c, o.checkMeaning(given))
		o.fillIn(given)
		c = append(c, o.checkLoad(), o.checkTimes(), o.parseEndpoints())
	}
	return errors.Join(c...)
}

// fillIn sets the options that were not given and whose default depends on the mode.
func (o *options) fillIn(given func(flag string) bool) {
	if !given("queues") {
		o.Queues = 1
		if o.mode == pollMode {
			o.Queues = o.Connections
		}
	}
	switch o.mode { // what is subscribed are the queues
	case fanOutMode:
		o.Queues = o.Subscriptions
	case pushMode:
		o.Queues = 0
	}
	if !given("wait") {
		o.Wait = map[*mode]int{drainMode: 0, pollMode: 20}[o.mode]
		if o.mode == cycleMode || o.mode == mixedMode {
			o.Wait = 1
		}
	}
	if !given("backlog") && o.mode == drainMode {
		o.Backlog = 100_000
	}
	if o.mode.drain {
		o.Warmup = 0
	}
	if !given("producers") {
		o.Producers = (o.Connections + 1) / 2
	}
	if !given("consumers") {
		o.Consumers = (o.Connections + 1) / 2
	}
	if o.Keep || o.mode.sends && !given("verify") {
		o.Verify = 0
	}
}

// workers is how many workers the mode needs.
func (o *options) workers() int {
	switch o.mode {
	case mixedMode:
		return o.Producers + o.Consumers
	case pollMode:
		return o.Connections + 1 // the one that sends
	default:
		return o.Connections
	}
}

// wait is how long a receive waits.
func (o *options) wait() time.Duration { return time.Duration(o.Wait) * time.Second }

// A check collects what is wrong.
type check []error

func (c *check) that(ok bool, format string, args ...any) {
	if !ok {
		*c = append(*c, fmt.Errorf(format, args...))
	}
}

// meanings say in which modes flags have one. Flags that are not named have one in all.
var meanings = []struct {
	flag  string
	modes []*mode
}{
	{"via", []*mode{pollMode}},
	{"producers", []*mode{mixedMode}},
	{"consumers", []*mode{mixedMode}},
	{"queues", []*mode{sendMode, drainMode, cycleMode, mixedMode, pollMode, publishMode}}, // fan-out has one for each subscription
	{"backlog", []*mode{sendMode, drainMode, cycleMode, mixedMode, publishMode, fanOutMode}},
	{"fifo", []*mode{sendMode, drainMode, cycleMode, mixedMode, pollMode}},
	{"groups", []*mode{sendMode, drainMode, cycleMode, mixedMode, pollMode}},
	{"priorities", []*mode{sendMode, drainMode, cycleMode, mixedMode, pollMode}},
	{"subscriptions", []*mode{fanOutMode}},
	{"endpoints", []*mode{pushMode}},
	{"dead-endpoints", []*mode{pushMode}},
	{"scheduled", []*mode{publishMode, fanOutMode, pushMode}},
	{"raw", []*mode{publishMode, fanOutMode, pushMode}},
	{"searches", []*mode{sendMode, cycleMode, mixedMode}},
	{"warmup", []*mode{sendMode, cycleMode, mixedMode, pollMode, publishMode, fanOutMode, pushMode}},
	{"wait", []*mode{drainMode, cycleMode, mixedMode, pollMode}},
	{"visibility", []*mode{sendMode, drainMode, cycleMode, mixedMode, pollMode, publishMode, fanOutMode}},
	{"interval", []*mode{pollMode}},
	{"noop", []*mode{sendMode, drainMode, cycleMode, mixedMode}},
}

// checkMeaning refuses what the mode, or another flag, would pass over.
func (o *options) checkMeaning(given func(flag string) bool) error {
	var c check
	for _, m := range meanings {
		var names []string
		for _, in := range m.modes {
			names = append(names, in.name)
		}
		c.that(!given(m.flag) || slices.Contains(m.modes, o.mode), "--%s means nothing to --mode %s, it is for %s", m.flag, o.mode.name, strings.Join(names, ", "))
	}
	c.that(!given("groups") || o.FIFO, "--groups belongs to --fifo")
	c.that(!given("verify") || o.Verify == 0 || !o.Keep, "--verify takes out what --keep leaves: only one of them is possible")
	return errors.Join(c...)
}

func (o *options) checkLoad() error {
	var c check
	p := o.protocol
	c.that(o.Connections >= 1, "--connections must be at least 1, was %d", o.Connections)
	c.that(o.mode != mixedMode || o.Producers >= 1 && o.Consumers >= 1, "--producers and --consumers must be at least 1, were %d and %d", o.Producers, o.Consumers)
	c.that(o.Batch >= 1 && o.Batch <= p.batch, "--batch must be 1 to %d with %s, was %d", p.batch, p.name, o.Batch)
	c.that(o.BodySize >= minBodySize, "--body-size must be at least %d, to hold the message's number, was %d", minBodySize, o.BodySize)
	c.that(o.Queues >= 1 || o.mode == pushMode, "--queues and --subscriptions must be at least 1, were %d", o.Queues)
	if o.mode.topics {
		c.that(p.publishes > 0, "--mode %s is not possible with %s", o.mode.name, p.name)
		c.that(o.Batch <= max(p.publishes, 1), "--batch must be 1 to %d with topics of %s, was %d", p.publishes, p.name, o.Batch)
		c.that(o.mode != pushMode || o.Receivers >= 1, "--endpoints must be at least 1, was %d", o.Receivers)
		c.that(o.DeadReceivers >= 0 && o.Scheduled >= 0, "--dead-endpoints and --scheduled must not be negative")
	}
	c.that(o.Backlog >= 0, "--backlog must not be negative, was %d", o.Backlog)
	c.that(!o.mode.drain || o.Backlog > 0, "--mode drain needs a --backlog")
	c.that(o.Messages >= 0, "--messages must not be negative, was %d", o.Messages)
	c.that(o.Groups >= 1, "--groups must be at least 1, was %d", o.Groups)
	c.that(o.Priorities >= 0 && o.Priorities <= p.priorities, "--priorities must be 0 to %d with %s, was %d", p.priorities, p.name, o.Priorities)
	c.that(o.Signature == 2 || o.Signature == 4, "--signature must be 2 or 4, was %d", o.Signature)
	c.that(o.Signature == 2 || o.Sign && p.name == "mns", "--signature belongs to --sign with mns")
	c.that(!o.FIFO || p.fifo, "--fifo is not possible with %s", p.name)
	c.that(!o.Sign || p.signs, "--sign is not possible with %s", p.name)
	c.that(o.Searches >= 0, "--searches must not be negative, was %d", o.Searches)
	return errors.Join(c...)
}

func (o *options) checkTimes() error {
	var c check
	c.that(o.Duration > 0, "--duration must be more than 0, was %s", o.Duration)
	c.that(o.Warmup >= 0, "--warmup must not be negative, was %s", o.Warmup)
	c.that(o.Rounds >= 1, "--rounds must be at least 1, was %d", o.Rounds)
	c.that(o.Wait >= 0 && o.Wait <= o.protocol.wait, "--wait must be 0 to %d seconds with %s, was %d", o.protocol.wait, o.protocol.name, o.Wait)
	c.that(o.Visibility >= 1, "--visibility must be at least 1 second, was %d", o.Visibility)
	c.that(o.Interval > 0, "--interval must be more than 0, was %s", o.Interval)
	c.that(o.Timeout > 0, "--timeout must be more than 0, was %s", o.Timeout)
	c.that(o.Verify >= 0, "--verify must not be negative, was %s", o.Verify)
	return errors.Join(c...)
}

func (o *options) parseEndpoints() error {
	var c check
	parse := func(flag, text string) *url.URL {
		u, err := url.Parse(text)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			c.that(false, "%s must be a URL such as http://127.0.0.1:4566, was %q", flag, text)
			return nil
		}
		return u.JoinPath("/")
	}
	o.endpoints, o.via = nil, nil
	for _, e := range o.Endpoints {
		o.endpoints = append(o.endpoints, parse("--endpoint", e))
	}
	if o.Via != "" {
		o.via = parse("--via", o.Via)
	}
	return errors.Join(c...)
}

package bench

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/pflag"
)

// options is what the flags say.
type options struct {
	Protocol  string
	Mode      string
	Endpoints []string
	endpoints []*url.URL // Endpoints, parsed

	Connections int
	Batch       int
	BodySize    int
	Queues      int
	QueueName   string
	Backlog     int
	FIFO        bool
	Groups      int

	Duration   time.Duration
	Messages   int
	Warmup     time.Duration
	Wait       time.Duration
	Visibility time.Duration
	Timeout    time.Duration
	Verify     time.Duration

	Sign      bool
	AccessKey string
	SecretKey string
	Region    string

	Keep      bool
	JSON      string
	Noop      bool
	Rounds    int
	NoopServe bool
}

func (o *options) bind(f *pflag.FlagSet) {
	f.StringVar(&o.Protocol, "protocol", "sqs", "what to speak: sqs")
	f.StringVar(&o.Mode, "mode", "cycle", "what to do: send, cycle")
	f.StringArrayVar(&o.Endpoints, "endpoint", []string{"http://127.0.0.1:4566"}, "server to aim at; repeat it to spread the connections over several")
	f.IntVar(&o.Connections, "connections", 64, "connections, each with one request in flight")
	f.IntVar(&o.Batch, "batch", 1, "messages per request, 1 to 10")
	f.IntVar(&o.BodySize, "body-size", 200, "bytes of a message's body")
	f.IntVar(&o.Queues, "queues", 1, "queues to spread the load over")
	f.StringVar(&o.QueueName, "queue-name", "", "name of the queue, or what the names begin with (default bench-RUN)")
	f.IntVar(&o.Backlog, "backlog", 0, "messages to put into the queues before measuring")
	f.BoolVar(&o.FIFO, "fifo", false, "use FIFO queues")
	f.IntVar(&o.Groups, "groups", 100, "message groups to spread over, with --fifo")
	f.DurationVar(&o.Duration, "duration", 10*time.Second, "how long to measure")
	f.IntVar(&o.Messages, "messages", 0, "stop earlier, after this many messages")
	f.DurationVar(&o.Warmup, "warmup", 2*time.Second, "load before measuring")
	f.DurationVar(&o.Wait, "wait", time.Second, "how long a receive waits for its first message (whole seconds)")
	f.DurationVar(&o.Visibility, "visibility", 30*time.Second, "visibility timeout of the queues")
	f.DurationVar(&o.Timeout, "timeout", 30*time.Second, "how long a request may take, a long poll's wait not counted")
	f.DurationVar(&o.Verify, "verify", time.Minute, "afterwards, receive what is left for at most this long to find lost messages; 0 does not (send never does)")
	f.BoolVar(&o.Sign, "sign", false, "sign the requests")
	f.StringVar(&o.AccessKey, "access-key", "test", "access key id")
	f.StringVar(&o.SecretKey, "secret-key", "test", "secret access key, with --sign")
	f.StringVar(&o.Region, "region", "us-east-1", "region of the queues")
	f.BoolVar(&o.Keep, "keep", false, "do not delete the queues afterwards")
	f.StringVar(&o.JSON, "json", "", "also write the report as JSON to this file; - writes it to standard output instead of the table")
	f.BoolVar(&o.Noop, "noop", false, "measure an HTTP server that does nothing; with --mode, measure both and print the ratio")
	f.IntVar(&o.Rounds, "rounds", 1, "measure so many times, in turn with --noop, and print medians")
	f.BoolVar(&o.NoopServe, "noop-serve", false, "be that server")
	_ = f.MarkHidden("noop-serve") // it exists
}

// validate reports everything that is wrong with the options.
func (o *options) validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(o.Protocol == "sqs", "--protocol must be sqs, was %q", o.Protocol)
	check(modes[o.Mode] != nil, "--mode must be send or cycle, was %q", o.Mode)
	check(o.Connections >= 1, "--connections must be at least 1, was %d", o.Connections)
	check(o.Batch >= 1 && o.Batch <= sqsBatch, "--batch must be 1 to %d, was %d", sqsBatch, o.Batch)
	check(o.BodySize >= minBodySize, "--body-size must be at least %d, was %d", minBodySize, o.BodySize)
	check(o.Queues >= 1, "--queues must be at least 1, was %d", o.Queues)
	check(o.Rounds >= 1, "--rounds must be at least 1, was %d", o.Rounds)
	check(o.Duration > 0, "--duration must be more than 0, was %s", o.Duration)
	check(o.Wait%time.Second == 0, "--wait must be whole seconds, was %s", o.Wait)
	o.endpoints = nil
	for _, e := range o.Endpoints {
		u, err := url.Parse(e)
		check(err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "", "--endpoint must be a URL such as http://127.0.0.1:4566, was %q", e)
		if err == nil {
			if u.Path == "" {
				u.Path = "/"
			}
			o.endpoints = append(o.endpoints, u)
		}
	}
	return errors.Join(errs...)
}

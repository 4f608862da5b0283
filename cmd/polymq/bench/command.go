package bench

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	cli "github.com/polymq/polymq/cmd/polymq/client"
)

const long = `Measures a queue server over the network, as clients use it: polymq, or any other
server of the same protocol. It creates queues, loads them, and deletes them.

Modes:
%s
Each connection has one request in flight. What is printed: requests, messages and
cycles (send, receive, delete) per second; the latency of each kind of request;
failed requests by kind; stalls, in which nothing at all completed for more than
250 ms; and what became of the messages, which are numbered: how many acknowledged
ones were lost, how many came again. A lost message makes the command fail.

The modes with topics speak SNS with --protocol sqs. Their rate is that of deliveries,
and the time ends when what was published has been delivered: in queues, that is told by their
number of messages.

--noop measures an HTTP server that answers at once (Gin, in a process of its own),
under the same number of connections that all send. It shows what HTTP and this
load generator cost on this machine, and so what a queue server could reach at most.

Ctrl-C ends the run early and prints what there is.`

const examples = `  # whole cycles over 64 connections, beside a server that does nothing, three times in turn
  polymq bench --mode cycle --noop --rounds 3

  # batches of 10 over MNS, in 100 queues that already hold a million messages
  polymq bench --protocol mns --batch 10 --queues 100 --backlog 1000000

  # 5,000 waiting long polls; messages sent through a second server on the same database
  polymq bench --mode poll --connections 5000 --via http://127.0.0.1:4567

  # sends into a queue of 300,000 messages, without and while two people search it in the console
  polymq bench --mode send --backlog 300000 --searches 2 --rounds 5

  # one topic with 100 HTTP endpoints that answer, and 1,000 that never do
  polymq bench --mode push --endpoints 100 --dead-endpoints 1000`

// Command returns the command "bench", which aims at an endpoint where it is told no other.
func Command(endpoint string) *cobra.Command {
	o := options{Endpoints: []string{endpoint}}
	var about strings.Builder
	for _, m := range modes {
		fmt.Fprintf(&about, "  %-7s %s\n", m.name, m.about)
	}
	cmd := &cobra.Command{
		Use:     "bench",
		Short:   "Measure a queue server",
		Long:    fmt.Sprintf(long, about.String()),
		Example: examples,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.complete(cmd.Flags().Changed); err != nil {
				return cli.UsageError(err)
			}
			cmd.SilenceUsage = true
			if o.NoopServe {
				return serveNoop(cmd.InOrStdin(), cmd.OutOrStdout(), &o)
			}
			return execute(cmd, &o)
		},
	}
	cmd.Flags().SortFlags = false // they come in groups
	o.bind(cmd.Flags())
	return cmd
}

// execute runs the bench and prints its report, also when an error comes with it.
func execute(cmd *cobra.Command, o *options) error {
	onlyNoop := o.Noop && !cmd.Flags().Changed("mode")
	report, err := run(cmd.Context(), o, noopArgs(cmd, o), onlyNoop, cmd.ErrOrStderr())
	if report == nil {
		return err
	}
	if failed := report.write(cmd.OutOrStdout(), o.JSON); failed != nil {
		return failed
	}
	return err
}

// noopArgs are the arguments that make this program serve the no-op.
func noopArgs(cmd *cobra.Command, o *options) []string {
	commands := strings.Fields(cmd.CommandPath())[1:] // without the program
	return append(commands, "--noop-serve", "--protocol", o.Protocol, "--batch", strconv.Itoa(o.Batch))
}

package bench

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// Command returns the command "bench".
func Command() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure a queue server",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(); err != nil {
				return err
			}
			cmd.SilenceUsage = true
			if o.NoopServe {
				return serveNoop(cmd.InOrStdin(), cmd.OutOrStdout(), &o)
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return run(ctx, cmd, &o)
		},
	}
	o.bind(cmd.Flags())
	return cmd
}

// noopArgs are the arguments that make this program serve the no-op.
func noopArgs(cmd *cobra.Command, o *options) []string {
	args := strings.Fields(cmd.CommandPath())[1:]
	return append(args, "--noop-serve", "--protocol", o.Protocol, "--batch", strconv.Itoa(o.Batch))
}

// run does the whole run and prints its report.
func run(ctx context.Context, cmd *cobra.Command, o *options) error {
	id := newID()
	rep := &report{Run: settings{ID: id, Mode: o.Mode, Protocol: o.Protocol, Connections: o.Connections, Batch: o.Batch,
		BodySize: o.BodySize, Queues: o.Queues, Backlog: o.Backlog, Signed: o.Sign, Rounds: o.Rounds}}
	watch := func(*recorder) {}

	var baseline *load
	if o.Noop {
		server, err := startNoop(noopArgs(cmd, o))
		if err != nil {
			return err
		}
		defer server.stop()
		baseline = newLoad(context.Background(), o, []*url.URL{server.endpoint}, newLedger(id, o.BodySize))
		baseline.queues = []queue{{name: "noop", url: server.endpoint.JoinPath("000000000000", "noop").String()}}
	}
	var target *load
	if !o.Noop || cmd.Flags().Changed("mode") {
		rep.Run.Endpoints = o.Endpoints
		target = newLoad(context.Background(), o, o.endpoints, newLedger(id, o.BodySize))
		name := o.QueueName
		if name == "" {
			name = "bench-" + id
		}
		if err := target.createQueues(name); err != nil {
			return err
		}
	}
	var noops, results []round
	var ratios []float64
	for range o.Rounds {
		if baseline != nil && ctx.Err() == nil {
			rec, took := baseline.measure(ctx, sendMode, watch)
			noops = append(noops, round{rec, took})
		}
		if target != nil && ctx.Err() == nil {
			rec, took := target.measure(ctx, modes[o.Mode], watch)
			results = append(results, round{rec, took})
		}
		if len(noops) > 0 && len(noops) == len(results) {
			a, b := noops[len(noops)-1], results[len(results)-1]
			ratios = append(ratios, b.per(b.recorder.requests.Load())/a.per(a.recorder.requests.Load()))
		}
	}
	if len(noops) > 0 {
		rep.Noop = summarize(noops)
	}
	if len(results) > 0 {
		rep.Result = summarize(results)
		rep.Messages = target.ledger.delivery()
	}
	if len(ratios) > 0 {
		rep.Ratio = median(ratios)
	}
	var err error
	if target != nil && !o.Keep {
		err = target.deleteQueues()
	}
	return errors.Join(err, rep.write(cmd, o))
}

func (l *ledger) delivery() *delivery {
	return &delivery{
		Acknowledged: l.acked.Load(), Received: l.received.Load(), Deleted: l.deleted.Load(),
		Duplicated: l.again.Load(), AfterDelete: l.afterDelete.Load(), Damaged: l.damaged.Load(), Foreign: l.foreign.Load(),
	}
}

func (r *report) write(cmd *cobra.Command, o *options) error {
	if o.JSON != "" {
		text, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		text = append(text, '\n')
		if o.JSON == "-" {
			_, err := cmd.OutOrStdout().Write(text)
			return err
		}
		if err := os.WriteFile(o.JSON, text, 0o644); err != nil {
			return fmt.Errorf("write the report: %w", err)
		}
	}
	return r.table(cmd.OutOrStdout())
}

// newID names a run: the time, so that runs sort, and something random.
func newID() string {
	var b [3]byte
	_, _ = rand.Read(b[:]) // never fails
	return time.Now().UTC().Format("150405") + hex.EncodeToString(b[:])
}

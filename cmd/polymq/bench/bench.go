package bench

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"time"

	"github.com/polymq/polymq/cmd/polymq/progress"
)

var errInterrupted = errors.New("interrupted before anything was measured")

// A bench is one run: a server under test, the no-op server, or both.
type bench struct {
	*options
	id       string
	progress *progress.Line
	baseline *load // aimed at the no-op server, nil without --noop
	target   *load // aimed at the endpoints, nil when --noop was given alone
	noops    []round
	calm     []round // of the target without --searches, where there are some
	results  []round
}

// run does what the options say and returns a report, which may be there beside an error.
func run(ctx context.Context, o *options, noopArgs []string, onlyNoop bool, stderr io.Writer) (_ *report, err error) {
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // the load shares the machine with the server
	b := &bench{options: o, id: newID(), progress: progress.New(stderr)}
	if o.Noop {
		server, failed := startNoop(noopArgs)
		if failed != nil {
			return nil, failed
		}
		defer func() { err = errors.Join(err, server.stop()) }()
		b.baseline = newLoad(o, newLedger(b.id, o.BodySize), server.endpoint)
		b.baseline.queues = []queue{{name: "noop", url: server.endpoint.JoinPath("queues", "noop").String()}}
	}
	if !onlyNoop {
		b.target = newLoad(o, newLedger(b.id, o.BodySize), o.endpoints...)
		defer func() { err = errors.Join(err, b.cleanUp(ctx)) }()
		if err := b.setUp(ctx); err != nil {
			return nil, err
		}
	}
	for range o.Rounds {
		if err := b.round(ctx); err != nil {
			return nil, err
		}
		if interrupted(ctx) {
			break
		}
	}
	return b.finish(ctx)
}

// newID names a run. The queues of several runs sort by their start.
func newID() string {
	var random [3]byte
	_, _ = rand.Read(random[:]) // never fails
	return time.Now().UTC().Format("0102150405") + hex.EncodeToString(random[:])
}

// setUp creates the queues and fills them.
func (b *bench) setUp(ctx context.Context) error {
	prefix := b.QueueName
	if prefix == "" {
		prefix = "bench-" + b.id
	}
	stop := b.progress.During(func() string { return "creating " + plural(b.Queues, "queue") })
	err := b.target.createQueues(ctx, prefix)
	stop()
	switch {
	case interrupted(ctx):
		return errInterrupted
	case err != nil || b.mode.drain: // which fills them for each round
		return err
	case b.Backlog > 0:
		err = b.preload(ctx)
	}
	if err == nil && b.mode.topics {
		stop := b.progress.During(func() string { return "creating the topic and its subscriptions" })
		err = b.target.createTopics(ctx, prefix)
		stop()
	}
	if interrupted(ctx) {
		return errInterrupted
	}
	return err
}

// preload puts the backlog into the queues.
func (b *bench) preload(ctx context.Context) error {
	before := b.target.ledger.acked.Load()
	defer b.progress.During(func() string {
		return fmt.Sprintf("backlog: %s of %s messages", count(b.target.ledger.acked.Load()-before), count(b.Backlog))
	})()
	if err := b.target.preload(ctx, b.Backlog); interrupted(ctx) {
		return errInterrupted
	} else if err != nil {
		return fmt.Errorf("put messages into the queues before measuring: %w", err)
	}
	return nil
}

// round measures once: the no-op server first, then the server under test.
func (b *bench) round(ctx context.Context) error {
	if b.baseline != nil {
		b.noops = b.measure(ctx, b.noops, b.baseline, sendMode, uint64(b.Messages))
	}
	if b.target == nil || interrupted(ctx) {
		return nil
	}
	limit := uint64(b.Messages)
	if b.mode.drain {
		if err := b.preload(ctx); err != nil {
			return err
		}
		if waiting := b.target.ledger.missing(); limit == 0 || limit > waiting {
			limit = waiting
		}
	}
	if b.Searches > 0 {
		b.calm = b.measure(ctx, b.calm, b.target, b.mode, limit)
		b.target.searches = b.Searches
		defer func() { b.target.searches = 0 }()
	}
	if !interrupted(ctx) {
		b.results = b.measure(ctx, b.results, b.target, b.mode, limit)
	}
	return nil
}

// measure appends one more round, unless interrupted before it.
func (b *bench) measure(ctx context.Context, rounds []round, l *load, m *mode, limit uint64) []round {
	name := m.name
	if l == b.baseline {
		name = "no-op"
	}
	defer b.progress.During(l.rates(name))()
	if r, ok := l.measure(ctx, m, b.Warmup, limit); ok {
		rounds = append(rounds, r)
	}
	return rounds
}

// finish looks for lost messages and makes the report.
func (b *bench) finish(ctx context.Context) (*report, error) {
	r := newReport(b, interrupted(ctx))
	if r.NoOp == nil && r.Result == nil {
		return nil, errInterrupted
	}
	if b.target == nil {
		return r, nil
	}
	checked := false
	if b.Verify > 0 && !interrupted(ctx) {
		stop := b.progress.During(func() string {
			return fmt.Sprintf("looking for lost messages: %s have not arrived so far", count(b.target.ledger.missing()))
		})
		if b.mode.topics {
			checked = b.target.awaitDeliveries(ctx, b.Verify)
		} else {
			checked = b.target.verify(ctx, b.Verify)
		}
		stop()
	}
	r.Messages = b.target.ledger.outcome(checked)
	if b.mode.topics {
		r.Messages.deliveries(b.target, checked)
	}
	switch {
	case r.Messages.Lost > 0:
		return r, fmt.Errorf("messages that the server had acknowledged are lost: %s", count(r.Messages.Lost))
	case r.Result != nil && r.Result.Requests == 0:
		return r, errors.New("no request succeeded")
	}
	return r, nil
}

// cleanUpTime bounds the deletion of the queues.
const cleanUpTime = time.Minute

// cleanUp deletes the queues, also after an interrupt.
func (b *bench) cleanUp(ctx context.Context) error {
	if b.Keep {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTime)
	defer cancel()
	defer b.progress.During(func() string { return "deleting the queues" })()
	return errors.Join(b.target.deleteTopics(ctx), b.target.deleteQueues(ctx))
}

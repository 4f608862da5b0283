package pg

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// queueDepthsSQL looks each queue's counters up by themselves: queues without messages are of interest too.
const queueDepthsSQL = `
SELECT q.account, q.region, q.name, n.messages, n.bytes, n.in_flight, n.delayed,
    CASE WHEN @oldest AND n.messages > 0 THEN COALESCE(extract(epoch FROM q.now - COALESCE(
        (SELECT m.sent_at FROM messages m WHERE m.storage_id = q.storage_id ORDER BY m.id LIMIT 1),
        (SELECT m.sent_at FROM fifo_messages m WHERE m.storage_id = q.storage_id AND m.size >= 0 ORDER BY m.sequence LIMIT 1))) * 1000000, 0) ELSE 0 END::bigint,
    COALESCE(d.messages, 0), d.storage_id IS NOT NULL
FROM (
    SELECT account, region, name, storage_id, dead_letter_target, now() + COALESCE((SELECT ahead FROM clocks k WHERE k.account = queues.account), '0') AS now
    FROM queues WHERE account = ANY (@accounts) ORDER BY account, region, name LIMIT @limit
) q
CROSS JOIN LATERAL (
    SELECT COALESCE(sum(c.messages), 0)::bigint AS messages, COALESCE(sum(c.bytes), 0)::bigint AS bytes,
        COALESCE(sum(c.in_flight) FILTER (WHERE c.bucket > q.now), 0)::bigint AS in_flight,
        COALESCE(sum(c.delayed) FILTER (WHERE c.bucket > q.now), 0)::bigint AS delayed
    FROM counts c WHERE c.storage_id = q.storage_id
) n
LEFT JOIN LATERAL (
    SELECT t.storage_id, (SELECT COALESCE(sum(c.messages), 0) FROM counts c WHERE c.storage_id = t.storage_id)::bigint AS messages
    FROM queues t WHERE t.account = q.account AND t.region = q.region AND t.name = q.dead_letter_target AND q.dead_letter_target <> ''
    LIMIT 1 -- so that the queue is looked up by its name, whatever the plan
) d ON true`

// QueueDepths is of core.AlertStore.
func (s *Store) QueueDepths(ctx context.Context, in core.QueueDepthsInput) (depths []core.QueueDepth, err error) {
	args := pgx.StrictNamedArgs{"accounts": in.Accounts, "oldest": in.Oldest, "limit": in.Limit}
	err = s.look(ctx, queueDepthsSQL, args, func(rows pgx.Rows) error {
		depths = nil
		var d core.QueueDepth
		var oldest int64
		into := []any{&d.Queue.Account, &d.Queue.Region, &d.Queue.Name, &d.Messages, &d.Bytes, &d.InFlight, &d.Delayed, &oldest, &d.DeadLetters, &d.HasDeadLetters}
		_, err := pgx.ForEachRow(rows, into, func() error {
			d.Oldest = time.Duration(oldest) * time.Microsecond
			depths = append(depths, d)
			return nil
		})
		return err
	})
	return depths, err
}

// sample is a core.Sample as it is stored. JSON has no infinity, which the last bound of a histogram is.
type sample struct {
	Family string            `json:"family"`
	Labels map[string]string `json:"labels,omitempty"`
	Kind   core.SampleKind   `json:"kind"`
	Value  float64           `json:"value"`
	Bounds []float64         `json:"bounds,omitempty"` // without the last
	Rates  []float64         `json:"rates,omitempty"`
}

// What servers measured that are gone is of no use.
const writeSamplesSQL = `
WITH old AS (
    DELETE FROM alert_samples WHERE at < now() - interval '1 hour' AND server <> @server
)
INSERT INTO alert_samples (server, at, samples) VALUES (@server, now(), @samples::jsonb)
ON CONFLICT (server) DO UPDATE SET at = excluded.at, samples = excluded.samples`

// WriteSamples is of core.AlertStore. What is no number is left out.
func (s *Store) WriteSamples(ctx context.Context, samples []core.Sample) error {
	stored := make([]sample, 0, len(samples))
	for _, from := range samples {
		if math.IsNaN(from.Value) || math.IsInf(from.Value, 0) {
			continue
		}
		to := sample{Family: from.Family, Labels: from.Labels, Kind: from.Kind, Value: from.Value}
		for _, b := range from.Bounds {
			if !math.IsInf(b.UpTo, 1) {
				to.Bounds = append(to.Bounds, b.UpTo)
			}
			to.Rates = append(to.Rates, b.Rate)
		}
		stored = append(stored, to)
	}
	text, err := json.Marshal(stored)
	if err != nil {
		return fmt.Errorf("encode samples: %w", err)
	}
	_, err = s.note(ctx, writeSamplesSQL, pgx.StrictNamedArgs{"server": s.id, "samples": string(text)})
	return err
}

const samplesSQL = `SELECT samples FROM alert_samples WHERE at > now() - @within::interval`

// Samples is of core.AlertStore.
func (s *Store) Samples(ctx context.Context, within time.Duration) (servers [][]core.Sample, err error) {
	var stored [][]sample
	err = s.look(ctx, samplesSQL, pgx.StrictNamedArgs{"within": within}, func(rows pgx.Rows) (err error) {
		stored, err = pgx.CollectRows(rows, pgx.RowTo[[]sample])
		return err
	})
	for _, of := range stored {
		samples := make([]core.Sample, len(of))
		for i, from := range of {
			samples[i] = core.Sample{Family: from.Family, Labels: from.Labels, Kind: from.Kind, Value: from.Value}
			for j, rate := range from.Rates {
				bound := math.Inf(1)
				if j < len(from.Bounds) {
					bound = from.Bounds[j]
				}
				samples[i].Bounds = append(samples[i].Bounds, core.Bucket{UpTo: bound, Rate: rate})
			}
		}
		servers = append(servers, samples)
	}
	return servers, err
}

// A standby that has nothing to catch up with shows no lag. Roles that may not see it get no row.
const replicationLagSQL = `
SELECT count(*), COALESCE(extract(epoch FROM max(replay_lag)), 0)::float8 FROM pg_stat_replication WHERE state IS NOT NULL`

// DatabaseSamples is of core.AlertStore. They have the names that /metrics shows.
func (s *Store) DatabaseSamples(ctx context.Context) ([]core.Sample, error) {
	health, err := s.Health(ctx)
	if err != nil {
		return nil, err
	}
	gauge := func(family string, value float64, labels map[string]string) core.Sample {
		return core.Sample{Family: family, Kind: core.Gauge, Value: value, Labels: labels}
	}
	samples := []core.Sample{
		gauge("polymq_database_up", 1, nil),
		gauge("polymq_database_sessions", float64(health.Sessions), nil),
		gauge("polymq_database_sessions_max", float64(health.MaxSessions), nil),
		gauge("polymq_database_oldest_transaction_seconds", health.OldestTransaction.Seconds(), nil),
	}
	for _, t := range health.Tables {
		labels := map[string]string{"table": t.Name}
		samples = append(samples, gauge("polymq_database_table_bytes", float64(t.Bytes), labels), gauge("polymq_database_table_dead_rows", float64(t.DeadRows), labels))
	}
	var standbys int64
	var lag float64
	err = s.look(ctx, replicationLagSQL, pgx.StrictNamedArgs{}, func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&standbys, &lag}, func() error { return nil })
		return err
	})
	if err == nil && standbys > 0 {
		samples = append(samples, gauge("polymq_database_replication_lag_seconds", lag, nil))
	}
	return samples, err
}

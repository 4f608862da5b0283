package pg

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// The next evaluation is due by the time that is furthest ahead, so that a test that moves its account's time need
// not wait. Where that time has gone back, for an account was reset, it is due at once.
const claimAlertsSQL = `
UPDATE alert_rounds SET round = round + 1, next_at = t.now + @every::interval, held_until = now() + @hold::interval
FROM (SELECT now() + COALESCE((SELECT max(ahead) FROM clocks), '0') AS now) t
WHERE (next_at <= t.now OR next_at > t.now + @every::interval) AND (held_until IS NULL OR held_until <= now())
    AND EXISTS (SELECT FROM alerts WHERE NOT disabled)
RETURNING round`

// ClaimAlerts is of core.AlertStore.
func (s *Store) ClaimAlerts(ctx context.Context, every, hold time.Duration) (round int64, ok bool, err error) {
	err = s.look(ctx, claimAlertsSQL, pgx.StrictNamedArgs{"every": every, "hold": hold}, func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&round}, func() error {
			ok = true
			return nil
		})
		return err
	})
	return round, ok, err
}

const releaseAlertsSQL = `UPDATE alert_rounds SET held_until = NULL WHERE round = @round`

// ReleaseAlerts is of core.AlertStore.
func (s *Store) ReleaseAlerts(ctx context.Context, round int64) error {
	_, err := s.note(ctx, releaseAlertsSQL, pgx.StrictNamedArgs{"round": round})
	return err
}

const alertsToEvaluateSQL = `
SELECT ` + alertColumns + `, now() + COALESCE((SELECT ahead FROM clocks k WHERE k.account = a.account), '0')
FROM alerts a WHERE NOT disabled ORDER BY account, region, name LIMIT @limit`

const allSeriesSQL = `SELECT account, region, alert, series, state, since, value, told, notified_at FROM alert_series`

// AlertsToEvaluate is of core.AlertStore.
func (s *Store) AlertsToEvaluate(ctx context.Context) (alerts []core.EvaluatedAlert, err error) {
	places := map[core.AlertName]int{}
	err = s.look(ctx, alertsToEvaluateSQL, pgx.StrictNamedArgs{"limit": core.MaxAllAlerts}, func(rows pgx.Rows) (err error) {
		alerts, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (a core.EvaluatedAlert, err error) {
			a.Alert, err = s.scanAlert(row, &a.Now)
			a.Series = map[string]core.AlertSeries{}
			return a, err
		})
		return err
	})
	if err != nil || len(alerts) == 0 {
		return alerts, err
	}
	for i := range alerts {
		places[alerts[i].Name] = i
	}
	err = s.look(ctx, allSeriesSQL, pgx.StrictNamedArgs{}, func(rows pgx.Rows) error {
		_, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
			var name core.AlertName
			series, err := scanSeries(row, &name.Account, &name.Region, &name.Name)
			if i, ok := places[name]; ok {
				alerts[i].Series[series.Name] = series
			}
			return struct{}{}, err
		})
		return err
	})
	return alerts, err
}

// finishAlertsSQL is atomic: a state is never stored without the notice of it. Alerts that were deleted meanwhile, or are
// being deleted, are passed over: what refers to one that goes while the statement runs would fail it, for all of them.
const finishAlertsSQL = `
WITH mine AS (
    UPDATE alert_rounds SET held_until = NULL WHERE round = @round AND held_until IS NOT NULL RETURNING round
), named AS (
    SELECT * FROM unnest(@account::text[], @region::text[], @alert::text[])
    UNION SELECT * FROM unnest(@gone_account::text[], @gone_region::text[], @gone_alert::text[])
    UNION SELECT * FROM unnest(@note_account::text[], @note_region::text[], @note_alert::text[])
    UNION SELECT * FROM unnest(@notice_account::text[], @notice_region::text[], @notice_alert::text[])
), kept AS (
    SELECT a.account, a.region, a.name, a.disabled
    FROM mine, named AS n(account, region, alert) JOIN alerts a ON a.account = n.account AND a.region = n.region AND a.name = n.alert
    FOR KEY SHARE OF a SKIP LOCKED
), gone AS (
    DELETE FROM alert_series s USING kept a, unnest(@gone_account::text[], @gone_region::text[], @gone_alert::text[], @gone_series::text[]) AS g(account, region, alert, series)
    WHERE a.account = g.account AND a.region = g.region AND a.name = g.alert
        AND s.account = g.account AND s.region = g.region AND s.alert = g.alert AND s.series = g.series
), noted AS (
    UPDATE alerts a SET failure = n.text, failed_at = now()
    FROM kept k, unnest(@note_account::text[], @note_region::text[], @note_alert::text[], @note_text::text[]) AS n(account, region, alert, text)
    WHERE k.account = n.account AND k.region = n.region AND k.name = n.alert
        AND a.account = n.account AND a.region = n.region AND a.name = n.alert
), told AS (
    INSERT INTO alert_notices (account, region, alert, destination, notice)
    SELECT a.account, a.region, a.name, d.place, n.notice
    FROM unnest(@notice_account::text[], @notice_region::text[], @notice_alert::text[], @notice::jsonb[], @destinations::integer[]) AS n(account, region, alert, notice, destinations)
    JOIN kept a ON a.account = n.account AND a.region = n.region AND a.name = n.alert
    CROSS JOIN LATERAL generate_series(0, n.destinations - 1) AS d(place)
)
INSERT INTO alert_series AS s (account, region, alert, series, state, since, value, told, notified_at)
SELECT a.account, a.region, a.name, c.series, c.state, c.since, c.value, c.told, c.notified_at
FROM unnest(@account::text[], @region::text[], @alert::text[], @series::text[], @state::text[], @since::timestamptz[], @value::float8[], @told::text[], @notified_at::timestamptz[])
    AS c(account, region, alert, series, state, since, value, told, notified_at)
JOIN kept a ON a.account = c.account AND a.region = c.region AND a.name = c.alert AND NOT a.disabled
ON CONFLICT (account, region, alert, series) DO UPDATE
SET state = excluded.state, since = excluded.since, value = excluded.value, told = excluded.told, notified_at = excluded.notified_at`

// FinishAlerts is of core.AlertStore.
func (s *Store) FinishAlerts(ctx context.Context, round int64, found core.AlertFindings) error {
	args := pgx.StrictNamedArgs{"round": round}
	names := func(prefix string, n int, name func(int) core.AlertName) {
		accounts, regions, alerts := make([]string, n), make([]string, n), make([]string, n)
		for i := range n {
			accounts[i], regions[i], alerts[i] = name(i).Account, name(i).Region, name(i).Name
		}
		args[prefix+"account"], args[prefix+"region"], args[prefix+"alert"] = accounts, regions, alerts
	}
	names("", len(found.Changed), func(i int) core.AlertName { return found.Changed[i].Alert })
	names("gone_", len(found.Gone), func(i int) core.AlertName { return found.Gone[i].Alert })
	names("note_", len(found.Notes), func(i int) core.AlertName { return found.Notes[i].Alert })
	names("notice_", len(found.Notices), func(i int) core.AlertName { return found.Notices[i].Notice.Alert.Name })
	args["gone_series"] = column(found.Gone, func(c core.ChangedSeries) string { return c.Name })
	args["note_text"] = column(found.Notes, func(n core.AlertNote) string { return n.Text })
	args["destinations"] = column(found.Notices, func(n core.NewNotice) int { return n.Destinations })
	args["series"] = column(found.Changed, func(c core.ChangedSeries) string { return c.Name })
	args["state"] = column(found.Changed, func(c core.ChangedSeries) string { return string(c.State) })
	args["since"] = column(found.Changed, func(c core.ChangedSeries) time.Time { return c.Since })
	args["value"] = column(found.Changed, func(c core.ChangedSeries) *float64 { return c.Value })
	args["told"] = column(found.Changed, func(c core.ChangedSeries) string { return string(c.Told) })
	args["notified_at"] = column(found.Changed, func(c core.ChangedSeries) *time.Time {
		if c.NotifiedAt.IsZero() {
			return nil
		}
		return &c.NotifiedAt
	})
	notices := make([]string, len(found.Notices))
	for i, n := range found.Notices {
		text, err := json.Marshal(n.Notice)
		if err != nil {
			return fmt.Errorf("encode a notice: %w", err)
		}
		notices[i] = string(text)
	}
	args["notice"] = notices
	_, err := s.note(ctx, finishAlertsSQL, args)
	return err
}

// column gives one value of each entry.
func column[T, V any](entries []T, value func(T) V) []V {
	values := make([]V, len(entries))
	for i, entry := range entries {
		values[i] = value(entry)
	}
	return values
}

const claimNoticesSQL = `
WITH due AS (
    SELECT id FROM alert_notices WHERE next_at <= now() ORDER BY next_at LIMIT @limit FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE alert_notices n SET next_at = now() + @hold::interval, attempts = attempts + 1 FROM due WHERE n.id = due.id
    RETURNING n.id, n.notice, n.attempts, n.destination, n.account, n.region, n.alert
)
SELECT ` + alertColumns + `, c.id, c.notice, c.attempts, c.destination
FROM claimed c JOIN alerts a ON a.account = c.account AND a.region = c.region AND a.name = c.alert ORDER BY c.id`

// ClaimNotices is of core.AlertStore. Those to destinations that are gone are dropped.
func (s *Store) ClaimNotices(ctx context.Context, limit int, hold time.Duration) (due []core.DueNotice, err error) {
	var gone []core.DueNotice
	err = s.look(ctx, claimNoticesSQL, pgx.StrictNamedArgs{"limit": limit, "hold": hold}, func(rows pgx.Rows) error {
		_, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
			var n core.DueNotice
			var place int
			a, err := s.scanAlert(row, &n.ID, &n.Notice, &n.Attempts, &place)
			switch {
			case err != nil:
			case place < len(a.To):
				n.To = a.To[place]
				due = append(due, n)
			default:
				gone = append(gone, n)
			}
			return struct{}{}, err
		})
		return err
	})
	for _, n := range gone {
		if err == nil {
			_, err = s.note(ctx, endNoticeSQL, pgx.StrictNamedArgs{"id": n.ID})
		}
	}
	return due, err
}

const endNoticeSQL = `DELETE FROM alert_notices WHERE id = @id`

// A failure is shown until a notice has been sent again.
const settleNoticeSQL = `
WITH ended AS (
    DELETE FROM alert_notices WHERE id = @id AND NOT @again
), later AS (
    UPDATE alert_notices SET next_at = now() + @pause::interval WHERE id = @id AND @again
)
UPDATE alerts SET failure = @failure, failed_at = now() WHERE` + isAlert + ` AND (failure <> @failure OR @failure <> '')`

// SettleNotice is of core.AlertStore.
func (s *Store) SettleNotice(ctx context.Context, notice core.DueNotice, failure string, again time.Duration) error {
	args := alertNameArgs(notice.Notice.Alert.Name)
	args["id"], args["again"], args["pause"], args["failure"] = notice.ID, again > 0, again, failure
	_, err := s.note(ctx, settleNoticeSQL, args)
	return err
}

const alertMetricsSQL = `SELECT DISTINCT metric FROM alerts WHERE NOT disabled`

// AlertMetricsInUse is of core.AlertStore.
func (s *Store) AlertMetricsInUse(ctx context.Context) (metrics []string, err error) {
	err = s.look(ctx, alertMetricsSQL, pgx.StrictNamedArgs{}, func(rows pgx.Rows) (err error) {
		metrics, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return metrics, err
}

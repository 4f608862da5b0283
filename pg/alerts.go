package pg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// destination is a core.Destination as it is stored, with its secret.
type destination struct {
	Type   core.DestinationType `json:"type"`
	Target string               `json:"target"`
	Secret string               `json:"secret,omitempty"`
}

// alertRow is what an alert's destinations are sealed for.
func alertRow(name core.AlertName) string {
	return alertPlace(name.Account + "/" + name.Region + "/" + name.Name)
}

func alertPlace(name string) string { return "alert " + name }

// storeDestinations gives destinations as they are stored.
func (s *Store) storeDestinations(a *core.Alert) ([]byte, error) {
	stored := make([]destination, len(a.To))
	for i, to := range a.To {
		stored[i] = destination{to.Type, to.Target, string(to.Secret)}
	}
	text, err := json.Marshal(stored) //nolint:gosec // stored for the rule alone, encrypted where there is a master key
	if err != nil {
		return nil, fmt.Errorf("encode the destinations of the alert %s: %w", a.Name.Name, err)
	}
	if s.sealer != nil {
		text = s.sealer.seal(string(text), alertRow(a.Name))
	}
	return text, nil
}

// readDestinations reads what storeDestinations made.
func (s *Store) readDestinations(name core.AlertName, text []byte, sealed bool) ([]core.Destination, error) {
	if sealed {
		if s.sealer == nil {
			return nil, fmt.Errorf("read the alert %s: its destinations are encrypted under a master key, and this server has none (master-key-file)", name.Name)
		}
		open, err := s.sealer.open(text, alertRow(name))
		if err != nil {
			return nil, fmt.Errorf("read the alert %s: %w", name.Name, err)
		}
		text = []byte(open)
	}
	var stored []destination
	if err := json.Unmarshal(text, &stored); err != nil {
		return nil, fmt.Errorf("decode the destinations of the alert %s: %w", name.Name, err)
	}
	to := make([]core.Destination, len(stored))
	for i, d := range stored {
		to[i] = core.Destination{Type: d.Type, Target: d.Target, Secret: core.Secret(d.Secret)}
	}
	return to, nil
}

// alertArgs are the arguments of an alert that is stored.
func (s *Store) alertArgs(a *core.Alert) (pgx.StrictNamedArgs, error) {
	destinations, err := s.storeDestinations(a)
	if err != nil {
		return nil, err
	}
	rule := *a
	rule.To, rule.Series, rule.Failure = nil, nil, ""
	text, err := json.Marshal(rule)
	if err != nil {
		return nil, fmt.Errorf("encode the alert %s: %w", a.Name.Name, err)
	}
	args := alertNameArgs(a.Name)
	args["metric"], args["disabled"], args["rule"] = a.Metric, a.Disabled, string(text)
	args["destinations"], args["sealed"] = destinations, s.sealer != nil
	return args, nil
}

func alertNameArgs(name core.AlertName) pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{"account": name.Account, "region": name.Region, "name": name.Name}
}

const createAlertSQL = `
WITH room AS (
    SELECT (SELECT count(*) FROM alerts WHERE account = @account) < @most AND (SELECT count(*) FROM alerts) < @most_of_all AS is_there
), made AS (
    INSERT INTO alerts (account, region, name, metric, disabled, rule, destinations, sealed)
    SELECT @account, @region, @name, @metric, @disabled, @rule::jsonb, @destinations, @sealed FROM room WHERE is_there
    ON CONFLICT DO NOTHING
    RETURNING created_at, modified_at
)
SELECT is_there, created_at, modified_at FROM room LEFT JOIN made ON true`

// CreateAlert is of core.AlertStore.
func (s *Store) CreateAlert(ctx context.Context, a core.Alert) (core.Alert, error) {
	args, err := s.alertArgs(&a)
	if err != nil {
		return a, err
	}
	args["most"], args["most_of_all"] = core.MaxAlerts, core.MaxAllAlerts
	var isRoom bool
	var created, modified *time.Time
	err = s.look(ctx, createAlertSQL, args, func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&isRoom, &created, &modified}, func() error { return nil })
		return err
	})
	switch {
	case err != nil:
		return a, err
	case created != nil:
		a.CreatedAt, a.ModifiedAt = *created, *modified
		return a, nil
	case !isRoom:
		return a, core.Errorf(core.EntityLimit, "an account has at most %d alerts, and all accounts together %d", core.MaxAlerts, core.MaxAllAlerts)
	}
	return a, core.Errorf(core.EntityExists, "there is an alert %q already", a.Name.Name)
}

const isAlert = ` account = @account AND region = @region AND name = @name`

// Of an alert that is disabled or watches another metric the old states mean nothing.
const alterAlertSQL = `
WITH altered AS (
    UPDATE alerts SET metric = @metric, disabled = @disabled, rule = @rule::jsonb, destinations = @destinations, sealed = @sealed, modified_at = now(), failure = ''
    WHERE` + isAlert + `
    RETURNING created_at, modified_at
), forgotten AS (
    DELETE FROM alert_series s USING alerts a
    WHERE s.account = @account AND s.region = @region AND s.alert = @name AND a.account = @account AND a.region = @region AND a.name = @name
        AND (@disabled OR a.metric <> @metric)
)
SELECT created_at, modified_at FROM altered`

// AlterAlert is of core.AlertStore.
func (s *Store) AlterAlert(ctx context.Context, a core.Alert) (core.Alert, error) {
	args, err := s.alertArgs(&a)
	if err != nil {
		return a, err
	}
	err = s.look(ctx, alterAlertSQL, args, func(rows pgx.Rows) error {
		_, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (struct{}, error) {
			return struct{}{}, row.Scan(&a.CreatedAt, &a.ModifiedAt)
		})
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return a, errAlertNotFound(a.Name)
	}
	a.Failure = ""
	return a, err
}

func errAlertNotFound(name core.AlertName) error {
	return core.Errorf(core.EntityNotFound, "there is no alert %q", name.Name)
}

const deleteAlertSQL = `DELETE FROM alerts WHERE` + isAlert

// DeleteAlert is of core.AlertStore.
func (s *Store) DeleteAlert(ctx context.Context, name core.AlertName) error {
	n, err := s.note(ctx, deleteAlertSQL, alertNameArgs(name))
	if err == nil && n == 0 {
		return errAlertNotFound(name)
	}
	return err
}

// alertColumns are those that scanAlert reads, of alerts a.
const alertColumns = `a.account, a.region, a.name, a.rule, a.destinations, a.sealed, a.created_at, a.modified_at, a.failure, a.failed_at`

// scanAlert reads alertColumns, and what follows them into more.
func (s *Store) scanAlert(row pgx.CollectableRow, more ...any) (a core.Alert, err error) {
	var name core.AlertName
	var rule, destinations []byte
	var sealed bool
	var failedAt *time.Time
	var created, modified time.Time
	var failure string
	if err := row.Scan(append([]any{&name.Account, &name.Region, &name.Name, &rule, &destinations, &sealed, &created, &modified, &failure, &failedAt}, more...)...); err != nil {
		return a, err
	}
	if err := json.Unmarshal(rule, &a); err != nil {
		return a, fmt.Errorf("decode the alert %s: %w", name.Name, err)
	}
	a.Name, a.CreatedAt, a.ModifiedAt, a.Failure, a.FailedAt = name, created, modified, failure, time.Time{}
	if failedAt != nil && failure != "" {
		a.FailedAt = *failedAt
	}
	a.To, err = s.readDestinations(name, destinations, sealed)
	return a, err
}

const seriesCounts = `(SELECT jsonb_object_agg(state, n) FROM (
        SELECT state, count(*) AS n FROM alert_series s WHERE s.account = a.account AND s.region = a.region AND s.alert = a.name GROUP BY state) c)`

const alertSQL = `SELECT ` + alertColumns + `, ` + seriesCounts + ` FROM alerts a WHERE` + isAlert

const listAlertsSQL = `
SELECT ` + alertColumns + `, ` + seriesCounts + `
FROM alerts a WHERE account = @account AND region = @region AND name > @after ORDER BY name LIMIT @limit`

// alerts reads alerts with how many series are in which state.
func (s *Store) alerts(ctx context.Context, sql string, args pgx.StrictNamedArgs) (alerts []core.Alert, err error) {
	err = s.look(ctx, sql, args, func(rows pgx.Rows) (err error) {
		alerts, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (core.Alert, error) {
			var counts map[core.AlertState]int
			a, err := s.scanAlert(row, &counts)
			a.Series = counts
			return a, err
		})
		return err
	})
	return alerts, err
}

// Alert is of core.AlertStore.
func (s *Store) Alert(ctx context.Context, name core.AlertName) (core.Alert, error) {
	alerts, err := s.alerts(ctx, alertSQL, alertNameArgs(name))
	switch {
	case err != nil:
		return core.Alert{}, err
	case len(alerts) == 0:
		return core.Alert{}, errAlertNotFound(name)
	}
	return alerts[0], nil
}

// ListAlerts is of core.AlertStore.
func (s *Store) ListAlerts(ctx context.Context, in core.ListAlertsInput) (page core.AlertPage, err error) {
	page.Alerts, err = s.alerts(ctx, listAlertsSQL, pgx.StrictNamedArgs{"account": in.Account, "region": in.Region, "after": in.After, "limit": in.Limit + 1})
	if len(page.Alerts) > in.Limit {
		page.Alerts = page.Alerts[:in.Limit]
		page.Next = page.Alerts[in.Limit-1].Name.Name
	}
	return page, err
}

const listAlertSeriesSQL = `
SELECT series, state, since, value, told, notified_at FROM alert_series
WHERE account = @account AND region = @region AND alert = @name AND series > COALESCE(@after, '') AND (@state = '' OR state = @state)
    OR account = @account AND region = @region AND alert = @name AND series = '' AND @after::text IS NULL AND (@state = '' OR state = @state)
ORDER BY series LIMIT @limit`

// ListAlertSeries is of core.AlertStore.
func (s *Store) ListAlertSeries(ctx context.Context, in core.ListAlertSeriesInput) (page core.AlertSeriesPage, err error) {
	args := alertNameArgs(in.Alert)
	args["after"], args["state"], args["limit"] = in.After, string(in.State), in.Limit+1
	err = s.look(ctx, listAlertSeriesSQL, args, func(rows pgx.Rows) error {
		page.Series, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (core.AlertSeries, error) { return scanSeries(row) })
		return err
	})
	if len(page.Series) > in.Limit {
		page.Series = page.Series[:in.Limit]
		page.Next = &page.Series[in.Limit-1].Name
	}
	return page, err
}

// scanSeries reads a series behind what goes into before.
func scanSeries(row pgx.CollectableRow, before ...any) (series core.AlertSeries, err error) {
	var notified *time.Time
	err = row.Scan(append(before, &series.Name, &series.State, &series.Since, &series.Value, &series.Told, &notified)...)
	if notified != nil {
		series.NotifiedAt = *notified
	}
	return series, err
}

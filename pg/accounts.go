package pg

import (
	"context"

	"github.com/jackc/pgx/v5"
)

const accountAttributesSQL = `SELECT name, value FROM account_attributes WHERE account = @account AND region = @region`

// AccountAttributes is of core.Store.
func (s *Store) AccountAttributes(ctx context.Context, account, region string) (map[string]string, error) {
	attributes := map[string]string{}
	err := s.do(ctx, accountAttributesSQL, pgx.StrictNamedArgs{"account": account, "region": region}, func(rows pgx.Rows) error {
		var name, value string
		_, err := pgx.ForEachRow(rows, []any{&name, &value}, func() error {
			attributes[name] = value
			return nil
		})
		return err
	})
	return attributes, err
}

// Rows are written in the order of their names, so that two callers do not wait for each other.
const setAccountAttributesSQL = `
WITH change AS (
    SELECT name, value FROM unnest(@names::text[], @values::text[]) AS c(name, value)
), removed AS (
    DELETE FROM account_attributes a USING change c
    WHERE a.account = @account AND a.region = @region AND a.name = c.name AND c.value IS NULL
)
INSERT INTO account_attributes (account, region, name, value)
SELECT @account, @region, name, value FROM change WHERE value IS NOT NULL ORDER BY name
ON CONFLICT (account, region, name) DO UPDATE SET value = excluded.value`

// SetAccountAttributes is of core.Store.
func (s *Store) SetAccountAttributes(ctx context.Context, account, region string, change map[string]*string) error {
	var names []string
	var values []*string
	for name, value := range change {
		names, values = append(names, name), append(values, value)
	}
	args := pgx.StrictNamedArgs{"account": account, "region": region, "names": names, "values": values}
	return s.do(ctx, setAccountAttributesSQL, args, func(rows pgx.Rows) error {
		rows.Close()
		return rows.Err()
	})
}

package pg

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/polymq/polymq/core"
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

const replaceAccountAttributeSQL = `
WITH changed AS (
    UPDATE account_attributes SET value = @value
    WHERE account = @account AND region = @region AND name = @name AND value = @was
    RETURNING true
), made AS (
    INSERT INTO account_attributes (account, region, name, value)
    SELECT @account, @region, @name, @value WHERE @was::text = ''
    ON CONFLICT (account, region, name) DO NOTHING
    RETURNING true
)
TABLE changed UNION ALL TABLE made`

// ReplaceAccountAttribute is of core.Store.
func (s *Store) ReplaceAccountAttribute(ctx context.Context, account, region, name, was, value string) (ok bool, err error) {
	args := pgx.StrictNamedArgs{"account": account, "region": region, "name": name, "was": was, "value": value}
	err = s.do(ctx, replaceAccountAttributeSQL, args, func(rows pgx.Rows) error {
		ok = rows.Next()
		rows.Close()
		return rows.Err()
	})
	return ok, err
}

// accounts reads rows of an id, an alias and a time.
func (s *Store) accounts(ctx context.Context, sql string, args pgx.StrictNamedArgs) (found []core.Account, err error) {
	err = s.do(ctx, sql, args, func(rows pgx.Rows) (err error) {
		found, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (a core.Account, err error) {
			err = row.Scan(&a.ID, &a.Alias, &a.CreatedAt)
			return a, err
		})
		return err
	})
	var duplicate *pgconn.PgError
	if errors.As(err, &duplicate) && duplicate.Code == "23505" {
		return nil, core.Errorf(core.EntityExists, "The account or the account alias already exists.")
	}
	if err != nil {
		return nil, fmt.Errorf("read or change accounts: %w", err)
	}
	return found, nil
}

func oneAccount(found []core.Account, err error) (core.Account, error) {
	switch {
	case err != nil:
		return core.Account{}, err
	case len(found) == 0:
		return core.Account{}, core.Errorf(core.EntityNotFound, "there is no account of that id")
	}
	return found[0], nil
}

const accountColumns = `id, COALESCE(alias, ''), created_at`

// CreateAccount is of core.IdentityStore.
func (s *Store) CreateAccount(ctx context.Context, account core.Account) (core.Account, error) {
	return oneAccount(s.accounts(ctx, `INSERT INTO accounts (id, alias) VALUES (@id, nullif(@alias, '')) RETURNING `+accountColumns,
		pgx.StrictNamedArgs{"id": account.ID, "alias": account.Alias}))
}

// Account is of core.IdentityStore.
func (s *Store) Account(ctx context.Context, id string) (core.Account, error) {
	return oneAccount(s.accounts(ctx, `SELECT `+accountColumns+` FROM accounts WHERE id = @id`, pgx.StrictNamedArgs{"id": id}))
}

// ListAccounts is of core.IdentityStore.
func (s *Store) ListAccounts(ctx context.Context, after string, limit int) (core.AccountPage, error) {
	found, err := s.accounts(ctx, `SELECT `+accountColumns+` FROM accounts WHERE id > @after ORDER BY id LIMIT @limit`,
		pgx.StrictNamedArgs{"after": after, "limit": limit + 1})
	page := core.AccountPage{Accounts: found}
	if len(found) > limit {
		page.Accounts, page.Next = found[:limit], found[limit-1].ID
	}
	return page, err
}

// SetAccountAlias is of core.IdentityStore.
func (s *Store) SetAccountAlias(ctx context.Context, id, alias string) (core.Account, error) {
	return oneAccount(s.accounts(ctx, `UPDATE accounts SET alias = nullif(@alias, '') WHERE id = @id RETURNING `+accountColumns,
		pgx.StrictNamedArgs{"id": id, "alias": alias}))
}

// AccountOfAlias is of core.IdentityStore.
func (s *Store) AccountOfAlias(ctx context.Context, alias string) (id string, err error) {
	found, err := s.accounts(ctx, `SELECT `+accountColumns+` FROM accounts WHERE alias = @alias`, pgx.StrictNamedArgs{"alias": alias})
	if err != nil || len(found) == 0 {
		return "", err
	}
	return found[0].ID, nil
}

const (
	accountInUseSQL = `
SELECT (EXISTS (SELECT FROM queues WHERE account = @account) OR EXISTS (SELECT FROM topics WHERE account = @account))::integer`
	deleteAccountSQL = `
WITH gone AS (
    DELETE FROM keys WHERE account = @account
), kept AS (
    DELETE FROM records WHERE account = @account
), attributes AS (
    DELETE FROM account_attributes WHERE account = @account
), limits AS (
    DELETE FROM account_limits WHERE account = @account
), faultless AS (
    DELETE FROM faults WHERE account = @account
), unalarmed AS (
    DELETE FROM alerts WHERE account = @account
)
DELETE FROM accounts WHERE id = @account`
)

// DeleteAccount is of core.IdentityStore.
func (s *Store) DeleteAccount(ctx context.Context, id string) error {
	if _, err := s.Account(ctx, id); err != nil {
		return err
	}
	err := s.changeEntities(ctx, id, func(tx entityTx) error {
		n, err := tx.count(accountInUseSQL, pgx.StrictNamedArgs{"account": id})
		if err != nil || n > 0 {
			return errors.Join(err, inUse(n, "The account has queues or topics. Delete them first."))
		}
		_, err = tx.exec(deleteAccountSQL, pgx.StrictNamedArgs{"account": id}, nil)
		return err
	})
	if err != nil {
		return fmt.Errorf("delete an account: %w", err)
	}
	return nil
}

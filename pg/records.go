package pg

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// recordArgs are the arguments that name a record.
func recordArgs(name core.RecordName) pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{"account": name.Account, "region": name.Region, "kind": name.Kind, "name": name.Name}
}

const isRecord = ` account = @account AND region = @region AND kind = @kind AND name = @name`

const recordSQL = `SELECT value FROM records WHERE` + isRecord

// Record is of core.RecordStore.
func (s *Store) Record(ctx context.Context, name core.RecordName) (value string, ok bool, err error) {
	err = s.do(ctx, recordSQL, recordArgs(name), func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&value}, func() error {
			ok = true
			return nil
		})
		return err
	})
	return value, ok, err
}

// The update changes nothing; it gives what is there also when another transaction has just made it.
const createRecordSQL = `
INSERT INTO records AS r (account, region, kind, name, value) VALUES (@account, @region, @kind, @name, @value)
ON CONFLICT (account, region, kind, name) DO UPDATE SET value = r.value
RETURNING value, xmax = 0`

// CreateRecord is of core.RecordStore.
func (s *Store) CreateRecord(ctx context.Context, name core.RecordName, value string) (kept string, created bool, err error) {
	args := recordArgs(name)
	args["value"] = value
	err = s.do(ctx, createRecordSQL, args, func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, []any{&kept, &created}, func() error { return nil })
		return err
	})
	return kept, created, err
}

const setRecordSQL = `UPDATE records SET value = @value WHERE` + isRecord

// SetRecord is of core.RecordStore.
func (s *Store) SetRecord(ctx context.Context, name core.RecordName, value string) (ok bool, err error) {
	args := recordArgs(name)
	args["value"] = value
	changed, err := s.exec(ctx, setRecordSQL, args)
	return changed > 0, err
}

const replaceRecordSQL = setRecordSQL + ` AND value = @was`

// ReplaceRecord is of core.RecordStore.
func (s *Store) ReplaceRecord(ctx context.Context, name core.RecordName, was, value string) (ok bool, err error) {
	args := recordArgs(name)
	args["was"], args["value"] = was, value
	changed, err := s.exec(ctx, replaceRecordSQL, args)
	return changed > 0, err
}

const deleteRecordSQL = `DELETE FROM records WHERE` + isRecord

// DeleteRecord is of core.RecordStore.
func (s *Store) DeleteRecord(ctx context.Context, name core.RecordName) (ok bool, err error) {
	changed, err := s.exec(ctx, deleteRecordSQL, recordArgs(name))
	return changed > 0, err
}

const makeRecordSQL = `
INSERT INTO records (account, region, kind, name, value) VALUES (@account, @region, @kind, @name, @value)
ON CONFLICT (account, region, kind, name) DO NOTHING`

const removeRecordSQL = deleteRecordSQL + ` AND value = @was`

// errRecordChanged says that a record is not as its change takes it for.
var errRecordChanged = errors.New("record has changed since it was read")

// ChangeRecords is of core.RecordStore. Rows are locked in the order of their names, so that nobody waits in a circle.
func (s *Store) ChangeRecords(ctx context.Context, changes []core.RecordChange) (ok bool, err error) {
	changes = slices.Clone(changes)
	slices.SortFunc(changes, func(a, b core.RecordChange) int {
		return cmp.Or(cmp.Compare(a.Name.Account, b.Name.Account), cmp.Compare(a.Name.Region, b.Name.Region),
			cmp.Compare(a.Name.Kind, b.Name.Kind), cmp.Compare(a.Name.Name, b.Name.Name))
	})
	err = s.transaction(ctx, func(tx pgx.Tx) error {
		for _, c := range changes {
			if err := changeRecord(ctx, tx, c); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errRecordChanged) {
		return false, nil
	}
	return err == nil, err
}

func changeRecord(ctx context.Context, tx pgx.Tx, c core.RecordChange) error {
	sql, args := replaceRecordSQL, recordArgs(c.Name)
	if c.Was == "" {
		sql = makeRecordSQL
	} else {
		args["was"] = c.Was
	}
	if c.Value == "" {
		sql = removeRecordSQL
	} else {
		args["value"] = c.Value
	}
	changed, err := tx.Exec(ctx, sql, args)
	if err == nil && changed.RowsAffected() == 0 {
		err = errRecordChanged
	}
	return err
}

// One row more than asked for tells whether there is another page.
const listRecordsSQL = `
SELECT name, value FROM records
WHERE account = @account AND region = @region AND kind = @kind AND name > @after AND name >= @prefix AND starts_with(name, @prefix)
    AND (@upper = '' OR name < @upper)
ORDER BY name LIMIT @limit`

// ListRecords is of core.RecordStore.
func (s *Store) ListRecords(ctx context.Context, in core.ListRecordsInput) (core.RecordPage, error) {
	args := pgx.StrictNamedArgs{
		"account": in.Account, "region": in.Region, "kind": in.Kind, "after": in.After,
		"prefix": in.Prefix, "upper": prefixEnd(in.Prefix), "limit": in.Limit + 1,
	}
	var page core.RecordPage
	err := s.do(ctx, listRecordsSQL, args, func(rows pgx.Rows) (err error) {
		page.Records, err = pgx.CollectRows(rows, pgx.RowToStructByName[core.Record])
		return err
	})
	if len(page.Records) > in.Limit {
		page.Records = page.Records[:in.Limit]
		page.Next = page.Records[in.Limit-1].Name
	}
	return page, err
}

package pg

import (
	"context"

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

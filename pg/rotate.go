package pg

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// ErrServersRun is what RotateMasterKey answers while servers run on the database: they would go on to encrypt
// under the key from before.
var ErrServersRun = errors.New("servers run on this database: stop them first, and start them with the new master key afterwards")

const (
	lockSealedSQL  = `LOCK TABLE keys, secrets, alerts, servers IN SHARE ROW EXCLUSIVE MODE`
	liveSQL        = `SELECT count(*) FROM servers WHERE seen_at > now() - @timeout::interval`
	storedCheckSQL = `SELECT value FROM secrets WHERE name = 'master_key_check'`
	sealedSQL      = `
SELECT 'key', id, secret FROM keys WHERE secret IS NOT NULL
UNION ALL SELECT 'secret', name, value FROM secrets WHERE sealed
UNION ALL SELECT 'alert', account || '/' || region || '/' || name, destinations FROM alerts WHERE sealed`
	resealKeySQL    = `UPDATE keys SET secret = @value WHERE id = @name`
	resealSecretSQL = `UPDATE secrets SET value = @value WHERE name = @name`
	resealAlertSQL  = `UPDATE alerts SET destinations = @value WHERE account || '/' || region || '/' || name = @name AND sealed`
)

// RotateMasterKey encrypts everything that is encrypted under opts.MasterKey anew, under another master key, and
// gives how many secrets that were. All of them or none are. ErrServersRun, ErrMasterKey.
func RotateMasterKey(ctx context.Context, opts Options, next []byte) (n int, err error) {
	from, err := newSealer(opts.MasterKey)
	if err != nil {
		return 0, err
	}
	to, err := newSealer(next)
	if err != nil {
		return 0, err
	}
	if from == nil || to == nil {
		return 0, errors.New("a rotation needs the master key from before and the new one")
	}
	conn, err := opts.directConn(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if err := mayRotate(ctx, tx, from); err != nil {
			return err
		}
		n, err = reseal(ctx, tx, from, to)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, resealSecretSQL, pgx.StrictNamedArgs{"name": "master_key_check", "value": to.check})
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("rotate the master key: %w", translate(err))
	}
	return n, nil
}

// mayRotate keeps servers from starting, and says whether none runs and the master key is the one in use.
func mayRotate(ctx context.Context, tx pgx.Tx, from *sealer) error {
	if _, err := tx.Exec(ctx, lockSealedSQL); err != nil {
		return err
	}
	var live int
	var check []byte
	if err := tx.QueryRow(ctx, liveSQL, pgx.StrictNamedArgs{"timeout": peerTimeout}).Scan(&live); err != nil {
		return err
	}
	err := tx.QueryRow(ctx, storedCheckSQL).Scan(&check)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return errors.New("nothing in this database is encrypted yet")
	case err != nil:
		return err
	case live > 0:
		return ErrServersRun
	case !bytes.Equal(check, from.check):
		return ErrMasterKey
	}
	return nil
}

// sealedRow is something that is encrypted.
type sealedRow struct {
	Kind  string // of a row of sealedPlaces
	Name  string
	Value []byte
}

// sealedPlaces says what is sealed for which row, and how it is put back.
var sealedPlaces = map[string]struct {
	place  func(name string) string
	update string
}{
	"key":    {func(id string) string { return id }, resealKeySQL},
	"secret": {secretRow, resealSecretSQL},
	"alert":  {alertPlace, resealAlertSQL},
}

// reseal decrypts and encrypts each secret.
func reseal(ctx context.Context, tx pgx.Tx, from, to *sealer) (int, error) {
	rows, err := tx.Query(ctx, sealedSQL)
	if err != nil {
		return 0, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[sealedRow])
	if err != nil {
		return 0, err
	}
	batch := &pgx.Batch{}
	for _, row := range all {
		kind := sealedPlaces[row.Kind]
		place := kind.place(row.Name)
		text, err := from.open(row.Value, place)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", row.Name, err)
		}
		batch.Queue(kind.update, pgx.StrictNamedArgs{"name": row.Name, "value": to.seal(text, place)})
	}
	return len(all), tx.SendBatch(ctx, batch).Close()
}

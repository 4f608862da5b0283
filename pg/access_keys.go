package pg

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/singleflight"

	"github.com/polymq/polymq/core"
)

// keyCache keeps access keys as they were last read, and which ids are no keys. Changes remove what they
// concern, on every server that listens; nothing is believed for longer than its age.
type keyCache struct {
	mu    sync.RWMutex
	byID  map[string]cachedKey
	epoch int // of what was forgotten: what was read before is not kept after it
	reads singleflight.Group
}

// cachedKey is a key, nil for an id that is none, and until when that may be believed.
type cachedKey struct {
	key   *core.Key
	until time.Time
}

// Bounds of the cache. Clients can name ids that do not exist; when it is full it starts anew.
const (
	maxCachedKeys = 10_000
	keyAge        = 10 * time.Second
)

func (c *keyCache) init() { c.byID = map[string]cachedKey{} }

func (c *keyCache) get(id string) (key *core.Key, ok bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	cached, ok := c.byID[id]
	return cached.key, ok && time.Now().Before(cached.until)
}

func (c *keyCache) now() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.epoch
}

func (c *keyCache) put(epoch int, id string, cached cachedKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if epoch != c.epoch {
		return
	}
	if len(c.byID) >= maxCachedKeys {
		clear(c.byID)
	}
	c.byID[id] = cached
}

func (c *keyCache) forgetAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.byID)
	c.epoch++
}

// forget drops a key or, by the twelve digits that are no key's id, all those of an account.
func (c *keyCache) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	delete(c.byID, name)
	if !core.IsAccount(name) {
		return
	}
	for id, cached := range c.byID {
		if cached.key != nil && cached.key.Account == name {
			delete(c.byID, id)
		}
	}
}

const keyColumns = `k.id, k.account, k.user_name, k.admin, k.session, k.token_hash, k.disabled, k.created_at, k.expires_at,
    k.expires_at - now() - COALESCE((SELECT ahead FROM clocks c WHERE c.account = k.account), '0')`

// scanKey reads keyColumns, and what follows them into more. left is how long the key lives yet, nil
// for ever.
func scanKey(row pgx.CollectableRow, more ...any) (key core.Key, left *time.Duration, err error) {
	var expires *time.Time
	err = row.Scan(append([]any{&key.ID, &key.Account, &key.User, &key.Admin, &key.Session, &key.TokenHash, &key.Disabled,
		&key.CreatedAt, &expires, &left}, more...)...)
	if expires != nil {
		key.ExpiresAt = *expires
	}
	key.Expired = left != nil && *left <= 0
	return key, left, err
}

const accessKeySQL = `SELECT ` + keyColumns + `, k.secret FROM keys k WHERE k.id = @id`

// Key is of core.Store.
func (s *Store) Key(ctx context.Context, id string) (*core.Key, error) {
	key, known := s.accessKeys.get(id)
	if !known {
		read := s.accessKeys.reads.DoChan(id, func() (any, error) { return s.readKey(context.WithoutCancel(ctx), id) })
		select {
		case result := <-read:
			if result.Err != nil {
				return nil, result.Err
			}
			key = result.Val.(*core.Key)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if key == nil {
		return nil, errKeyNotFound
	}
	return key, nil
}

var errKeyNotFound = core.Errorf(core.KeyNotFound, "there is no access key of that id")

// readKey reads a key into the cache; nil for an id that is none.
func (s *Store) readKey(ctx context.Context, id string) (*core.Key, error) {
	var found *core.Key
	var left *time.Duration
	var sealed []byte
	epoch, age := s.accessKeys.now(), keyAge
	if !s.Listens() {
		age = rememberAlone
	}
	err := s.do(ctx, accessKeySQL, pgx.StrictNamedArgs{"id": id}, func(rows pgx.Rows) error {
		keys, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (key core.Key, err error) {
			key, left, err = scanKey(row, &sealed)
			return key, err
		})
		if len(keys) > 0 {
			found = &keys[0]
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read an access key: %w", err)
	}
	if sealed != nil && s.sealer != nil {
		text, err := s.sealer.open(sealed, id)
		if err != nil {
			return nil, fmt.Errorf("access key %s: %w", id, err)
		}
		found.Secret = core.Secret(text)
	}
	if left != nil && *left > 0 {
		age = min(age, *left)
	}
	s.accessKeys.put(epoch, id, cachedKey{found, time.Now().Add(age)})
	return found, nil
}

// Counting ends at the bound, so that it stays cheap however many keys there are.
const createKeySQL = `
WITH known AS (
    INSERT INTO accounts (id) SELECT @account WHERE @lasts::interval IS NULL ON CONFLICT DO NOTHING
)
INSERT INTO keys AS k (id, account, user_name, admin, session, secret, token_hash, created_at, expires_at)
SELECT @id, @account, @user, @admin, @session::jsonb, @secret, @token_hash, t.now, t.now + @lasts::interval
FROM (SELECT now() + COALESCE((SELECT ahead FROM clocks WHERE account = @account), '0') AS now) t
WHERE (SELECT count(*) FROM (SELECT FROM keys WHERE account = @account LIMIT @most) o) < @most
RETURNING ` + keyColumns

// CreateKey is of core.Store. A session's key is made also without a master key: its secret is not
// kept then, and it serves as long as signatures are not verified.
func (s *Store) CreateKey(ctx context.Context, key core.Key, lasts time.Duration) (core.Key, error) {
	if s.sealer == nil && lasts == 0 {
		return core.Key{}, errNoMasterKey
	}
	var created []core.Key
	err := s.do(ctx, createKeySQL, s.newKeyArgs(key, lasts), func(rows pgx.Rows) (err error) {
		created, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (core.Key, error) {
			key, _, err := scanKey(row)
			return key, err
		})
		return err
	})
	switch duplicate := (*pgconn.PgError)(nil); {
	case errors.As(err, &duplicate) && duplicate.Code == "23505":
		return core.Key{}, core.Errorf(core.KeyExists, "the id %s is another access key's", key.ID)
	case err != nil:
		return core.Key{}, fmt.Errorf("create an access key: %w", err)
	case len(created) == 0:
		return core.Key{}, core.Errorf(core.Throttled, "account %s has %d access keys, which is the most", key.Account, core.MaxAccountKeys)
	}
	if lasts == 0 { // somebody may have tried the id before; a session's is random
		s.keysChanged(key.ID)
	}
	return created[0], nil
}

func (s *Store) newKeyArgs(key core.Key, lasts time.Duration) pgx.StrictNamedArgs {
	session, err := json.Marshal(key.Session)
	if err != nil {
		panic(fmt.Sprintf("encode a session: %v", err)) // texts can always be
	}
	var sealed []byte
	if s.sealer != nil {
		sealed = s.sealer.seal(string(key.Secret), key.ID)
	}
	args := pgx.StrictNamedArgs{
		"id": key.ID, "account": key.Account, "user": key.User, "admin": key.Admin, "session": string(session),
		"secret": sealed, "token_hash": key.TokenHash, "lasts": nil, "most": core.MaxAccountKeys,
	}
	if lasts > 0 {
		args["lasts"] = lasts
	}
	return args
}

const listKeysSQL = `SELECT ` + keyColumns + ` FROM keys k
WHERE (@account = '' OR k.account = @account) AND (@user = '' OR k.user_name = @user) AND k.id > @after AND (@temporary OR k.token_hash IS NULL)
ORDER BY k.id LIMIT @limit`

// ListKeys is of core.Store.
func (s *Store) ListKeys(ctx context.Context, in core.ListKeysInput) (page core.KeyPage, err error) {
	args := pgx.StrictNamedArgs{"account": in.Account, "user": in.User, "after": in.After, "temporary": in.Temporary, "limit": in.Limit + 1}
	err = s.do(ctx, listKeysSQL, args, func(rows pgx.Rows) (err error) {
		page.Keys, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (core.Key, error) {
			key, _, err := scanKey(row)
			return key, err
		})
		return err
	})
	if len(page.Keys) > in.Limit {
		page.Keys = page.Keys[:in.Limit]
		page.Next = page.Keys[in.Limit-1].ID
	}
	return page, err
}

// DeleteKey is of core.Store.
func (s *Store) DeleteKey(ctx context.Context, id string) error {
	n, err := s.exec(ctx, `DELETE FROM keys WHERE id = @id`, pgx.StrictNamedArgs{"id": id})
	if err != nil {
		return fmt.Errorf("delete an access key: %w", err)
	}
	s.keysChanged(id)
	if n == 0 {
		return errKeyNotFound
	}
	return nil
}

const disableKeySQL = `UPDATE keys k SET disabled = @disabled WHERE id = @id RETURNING ` + keyColumns

// DisableKey is of core.Store.
func (s *Store) DisableKey(ctx context.Context, id string, disabled bool) (key core.Key, err error) {
	err = s.do(ctx, disableKeySQL, pgx.StrictNamedArgs{"id": id, "disabled": disabled}, func(rows pgx.Rows) error {
		key, err = pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (core.Key, error) {
			key, _, err := scanKey(row)
			return key, err
		})
		return err
	})
	s.keysChanged(id)
	if errors.Is(err, pgx.ErrNoRows) {
		return core.Key{}, errKeyNotFound
	}
	return key, err
}

// keysChanged makes this server and the others read an access key anew, or those of an account and what they are
// granted, see keyCache.forget.
func (s *Store) keysChanged(name string) {
	s.accessKeys.forget(name)
	s.tell(func(p *peers) { p.keys[name] = true })
}

// Expired keys stay for a day, so that who still uses one learns that it expired. The first condition lets
// the index end the scan, for no account's time is ahead by more.
const expireKeysSQL = `
DELETE FROM keys WHERE id = ANY (ARRAY(
    SELECT k.id FROM keys k
    WHERE k.expires_at < now() + COALESCE((SELECT max(ahead) FROM clocks), '0') - @grace::interval
        AND k.expires_at < now() + COALESCE((SELECT ahead FROM clocks c WHERE c.account = k.account), '0') - @grace::interval
    ORDER BY k.expires_at LIMIT @limit))`

const expiredKeyGrace = 24 * time.Hour

// ExpireKeys removes up to limit keys of sessions that are long over.
func (s *Store) ExpireKeys(ctx context.Context, limit int) (int, error) {
	return s.exec(ctx, expireKeysSQL, pgx.StrictNamedArgs{"grace": expiredKeyGrace, "limit": limit})
}

const (
	lockKeysSQL = `LOCK TABLE keys IN SHARE ROW EXCLUSIVE MODE` // two servers that start together make one administrator
	anyAdminSQL = `SELECT EXISTS (SELECT FROM keys WHERE admin AND NOT disabled AND secret IS NOT NULL)`
	putAdminSQL = `
WITH account AS (
    INSERT INTO accounts (id) VALUES (@account) ON CONFLICT DO NOTHING
), administrator AS (
    INSERT INTO identities (id, account, kind, cloud, name, path, access, attached)
    SELECT 'AIDA' || upper(substr(md5(@account || '/' || @user), 1, 17)), @account, 'user', '', @user, '/', 'admin',
        jsonb_build_object('arn:aws:iam::aws:policy/AdministratorAccess', now(), 'acs:ram:*:system:policy/AdministratorAccess', now())
    WHERE @user <> '' ON CONFLICT DO NOTHING
)
INSERT INTO keys (id, account, user_name, admin, session, secret, created_at)
VALUES (@id, @account, @user, true, '{}', @secret, now())
ON CONFLICT (id) DO UPDATE SET secret = excluded.secret, admin = true, disabled = false WHERE keys.token_hash IS NULL`
)

// EnsureAdmin stores the key as an administrator's unless there is a usable one, and says whether it did.
func (s *Store) EnsureAdmin(ctx context.Context, key core.Key) (made bool, err error) {
	args, err := s.adminArgs(key)
	if err != nil {
		return false, err
	}
	err = s.transaction(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockKeysSQL); err != nil {
			return err
		}
		var exists bool
		if err := tx.QueryRow(ctx, anyAdminSQL).Scan(&exists); err != nil || exists {
			return err
		}
		_, err := tx.Exec(ctx, putAdminSQL, args)
		made = err == nil
		return err
	})
	if err != nil {
		return false, fmt.Errorf("make the first administrator's access key: %w", err)
	}
	s.keysChanged(key.ID)
	s.keysChanged(key.Account) // whose user may be a new one
	return made, nil
}

// PutAdmin stores the key as an administrator's, with its secret, whatever was stored under its id.
func (s *Store) PutAdmin(ctx context.Context, key core.Key) error {
	args, err := s.adminArgs(key)
	if err != nil {
		return err
	}
	n, err := s.exec(ctx, putAdminSQL, args)
	if err == nil && n == 0 {
		err = errors.New("the id is that of a session's access key")
	}
	if err != nil {
		return fmt.Errorf("store the administrator's access key %s: %w", key.ID, err)
	}
	s.keysChanged(key.ID)
	s.keysChanged(key.Account) // whose user may be a new one
	return nil
}

func (s *Store) adminArgs(key core.Key) (pgx.StrictNamedArgs, error) {
	if s.sealer == nil {
		return nil, errNoMasterKey
	}
	return pgx.StrictNamedArgs{"id": key.ID, "account": key.Account, "user": key.User, "secret": s.sealer.seal(string(key.Secret), key.ID)}, nil
}

var errNoMasterKey = core.Errorf(core.InvalidArgument, "the server has no master key to keep secrets under: start it with a master-key-file")

const checkSQL = `
WITH made AS (
    INSERT INTO secrets (name, value) VALUES ('master_key_check', @check) ON CONFLICT DO NOTHING RETURNING value
)
SELECT value FROM made UNION ALL SELECT value FROM secrets WHERE name = 'master_key_check'`

// checkMasterKey refuses a master key that differs from the one of the other servers, or of the
// servers before. The first one that comes is the one.
func (s *Store) checkMasterKey(ctx context.Context) error {
	if s.sealer == nil {
		return nil
	}
	for range 2 { // a server that started at the same moment may have been faster
		var stored [][]byte
		err := s.do(ctx, checkSQL, pgx.StrictNamedArgs{"check": s.sealer.check}, func(rows pgx.Rows) (err error) {
			stored, err = pgx.CollectRows(rows, pgx.RowTo[[]byte])
			return err
		})
		switch {
		case err != nil:
			return fmt.Errorf("check the master key: %w", err)
		case len(stored) == 0:
			continue
		case !bytes.Equal(stored[0], s.sealer.check):
			return ErrMasterKey
		}
		return nil
	}
	return errors.New("check the master key: its check value cannot be read")
}

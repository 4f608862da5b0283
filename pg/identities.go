package pg

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/polymq/polymq/core"
)

// Whoever changes something of an account's users, groups, roles or policies locks the account's row first,
// and makes it where it is new: so what one of them counts or refers to is still so when it is stored.
const lockAccountSQL = `
INSERT INTO accounts (id) VALUES (@account) ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING now()`

// changeEntities runs do in a transaction that has the account to itself, and makes all servers read anew what
// keys are granted.
func (s *Store) changeEntities(ctx context.Context, account string, do func(tx entityTx) error) error {
	err := s.transaction(ctx, func(tx pgx.Tx) error {
		t := entityTx{Tx: tx, ctx: ctx, account: account}
		if err := tx.QueryRow(ctx, lockAccountSQL, pgx.StrictNamedArgs{"account": account}).Scan(&t.now); err != nil {
			return err
		}
		return do(t)
	})
	if err == nil {
		s.keysChanged(account)
	}
	return err
}

// entityTx is a transaction that has an account's users, groups, roles and policies to itself.
type entityTx struct {
	pgx.Tx
	ctx     context.Context //nolint:containedctx // of the one call that it lives in
	account string
	now     time.Time
}

// exec runs a statement and gives the number of rows it changed. taken is told where a name is another's.
func (t entityTx) exec(sql string, args pgx.StrictNamedArgs, taken error) (int, error) {
	tag, err := t.Exec(t.ctx, sql, args)
	var duplicate *pgconn.PgError
	if taken != nil && errors.As(err, &duplicate) && duplicate.Code == "23505" {
		return 0, taken
	}
	return int(tag.RowsAffected()), err
}

// count gives the one number that a query gives.
func (t entityTx) count(sql string, args pgx.StrictNamedArgs) (n int, err error) {
	err = t.QueryRow(t.ctx, sql, args).Scan(&n)
	return n, err
}

const identityColumns = `i.id, i.account, i.kind, i.cloud, i.name, i.path, i.description, i.tags, i.trust, i.max_session, i.access, i.bodies,
    i.groups, i.attached, i.inline, i.boundary, i.version, i.created_at`

func scanIdentity(row pgx.CollectableRow) (i core.Identity, err error) {
	err = row.Scan(&i.ID, &i.Account, &i.Kind, &i.Cloud, &i.Name, &i.Path, &i.Description, &i.Tags, &i.Trust, &i.MaxSession, &i.Access, &i.Bodies,
		&i.Groups, &i.Attached, &i.Inline, &i.Boundary, &i.Version, &i.CreatedAt)
	return i, err
}

// identities reads rows of identityColumns.
func (s *Store) identities(ctx context.Context, sql string, args pgx.StrictNamedArgs) (found []core.Identity, err error) {
	err = s.do(ctx, sql, args, func(rows pgx.Rows) (err error) {
		found, err = pgx.CollectRows(rows, scanIdentity)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read users, groups or roles: %w", err)
	}
	return found, nil
}

const identitySQL = `SELECT ` + identityColumns + ` FROM identities i
WHERE i.account = @account AND i.kind = @kind AND lower(i.name) = lower(@name) AND i.cloud = @cloud AND i.name = @name`

// Identity is of core.IdentityStore.
func (s *Store) Identity(ctx context.Context, name core.IdentityName) (core.Identity, error) {
	found, err := s.identities(ctx, identitySQL, pgx.StrictNamedArgs{"account": name.Account, "kind": name.Kind, "cloud": name.Cloud, "name": name.Name})
	switch {
	case err != nil:
		return core.Identity{}, err
	case len(found) == 0:
		return core.Identity{}, identityNotFound(name)
	}
	return found[0], nil
}

func identityNotFound(name core.IdentityName) error {
	return core.Errorf(core.EntityNotFound, "The %s with name %s cannot be found.", name.Kind, name.Name)
}

const listIdentitiesSQL = `SELECT ` + identityColumns + ` FROM identities i
WHERE i.account = @account AND (i.kind, lower(i.name), i.cloud) > (@after_kind, @after_name, @after_cloud)
    AND (@kind = '' OR i.kind = @kind) AND (@cloud = '' OR i.cloud = @cloud) AND starts_with(i.path, @path)
    AND (@group = '' OR i.groups ? @group) AND (@policy = '' OR i.attached ? @policy) AND (@boundary = '' OR i.boundary = @boundary)
ORDER BY i.kind, lower(i.name), i.cloud LIMIT @limit`

// ListIdentities is of core.IdentityStore.
func (s *Store) ListIdentities(ctx context.Context, in core.ListIdentitiesInput) (core.IdentityPage, error) {
	kind, rest, _ := strings.Cut(in.After, "/")
	cloud, name, _ := strings.Cut(rest, "/")
	found, err := s.identities(ctx, listIdentitiesSQL, pgx.StrictNamedArgs{
		"account": in.Account, "kind": in.Kind, "cloud": in.Cloud, "path": in.PathPrefix, "group": in.Group, "policy": in.Policy,
		"boundary": in.Boundary, "after_kind": kind, "after_name": name, "after_cloud": cloud, "limit": in.Limit + 1,
	})
	page := core.IdentityPage{Identities: found}
	if len(found) > in.Limit {
		page.Identities = found[:in.Limit]
		last := found[in.Limit-1]
		page.Next = string(last.Kind) + "/" + last.Cloud + "/" + strings.ToLower(last.Name)
	}
	return page, err
}

const createIdentitySQL = `
INSERT INTO identities (id, account, kind, cloud, name, path, description, tags, trust, max_session, access, bodies, groups, attached, inline, boundary, created_at)
VALUES (@id, @account, @kind, @cloud, @name, @path, @description, @tags, @trust, @max_session, @access, @bodies, @groups, @attached, @inline, @boundary, @now)`

const countIdentitiesSQL = `SELECT count(*) FROM identities WHERE account = @account AND kind = @kind`

// CreateIdentity is of core.IdentityStore.
func (s *Store) CreateIdentity(ctx context.Context, identity core.Identity, most int) (core.Identity, error) {
	err := s.changeEntities(ctx, identity.Account, func(tx entityTx) error {
		n, err := tx.count(countIdentitiesSQL, pgx.StrictNamedArgs{"account": identity.Account, "kind": identity.Kind})
		switch {
		case err != nil:
			return err
		case n >= most:
			return core.Errorf(core.EntityLimit, "Cannot exceed quota for %ssPerAccount: %d", title(string(identity.Kind)), most)
		}
		if err := tx.complete(&identity); err != nil {
			return err
		}
		identity.CreatedAt, identity.Version = tx.now, 1
		args := identityArgs(identity)
		delete(args, "version")
		_, err = tx.exec(createIdentitySQL, args, identityExists(identity))
		return err
	})
	if err != nil {
		return core.Identity{}, fmt.Errorf("create a %s: %w", identity.Kind, err)
	}
	return identity, nil
}

func identityExists(identity core.Identity) error {
	return core.Errorf(core.EntityExists, "%s with name %s already exists.", title(string(identity.Kind)), identity.Name)
}

func title(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

// identityArgs are the arguments of a statement that stores an identity.
func identityArgs(i core.Identity) pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{
		"id": i.ID, "account": i.Account, "kind": i.Kind, "cloud": i.Cloud, "name": i.Name, "path": i.Path, "description": i.Description,
		"tags": orEmpty(i.Tags), "trust": i.Trust, "max_session": i.MaxSession, "access": i.Access, "bodies": i.Bodies, "groups": orEmpty(i.Groups),
		"attached": orEmpty(i.Attached), "inline": orEmpty(i.Inline), "boundary": i.Boundary, "version": i.Version, "now": i.CreatedAt,
	}
}

// orEmpty gives a map that is no null in JSON.
func orEmpty[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return m
}

const missingSQL = `
SELECT g FROM unnest(@groups::text[]) g WHERE NOT EXISTS (SELECT FROM identities i WHERE i.id = g AND i.account = @account AND i.kind = 'group')
UNION ALL
SELECT p FROM unnest(@policies::text[]) p WHERE NOT EXISTS (SELECT FROM policies o WHERE o.id = p AND o.account = @account)`

// complete makes sure that the groups and policies that an identity names are there, and dates new ones.
func (t entityTx) complete(identity *core.Identity) error {
	groups, policies := []string{}, []string{}
	for id, since := range identity.Groups {
		groups = append(groups, id)
		if since.IsZero() {
			identity.Groups[id] = t.now
		}
	}
	for id, since := range identity.Attached {
		if core.BuiltInPolicy(id) == nil {
			policies = append(policies, id)
		}
		if since.IsZero() {
			identity.Attached[id] = t.now
		}
	}
	if identity.Boundary != "" && core.BuiltInPolicy(identity.Boundary) == nil {
		policies = append(policies, identity.Boundary)
	}
	rows, err := t.Query(t.ctx, missingSQL, pgx.StrictNamedArgs{"account": identity.Account, "groups": groups, "policies": policies})
	if err != nil {
		return err
	}
	missing, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(missing) == 0 {
		return err
	}
	return core.Errorf(core.EntityNotFound, "a group or a policy was deleted meanwhile: %s", strings.Join(missing, ", "))
}

const (
	saveIdentitySQL = `
UPDATE identities SET name = @name, path = @path, description = @description, tags = @tags, trust = @trust, max_session = @max_session,
    access = @access, bodies = @bodies, groups = @groups, attached = @attached, inline = @inline, boundary = @boundary, version = version + 1
WHERE id = @id AND account = @account AND version = @version`

	renameKeysSQL = `
UPDATE keys SET user_name = @name
WHERE account = @account AND user_name = (SELECT name FROM identities WHERE id = @id AND kind = 'user') AND user_name <> @name`
)

// SaveIdentity is of core.IdentityStore.
func (s *Store) SaveIdentity(ctx context.Context, identity core.Identity) (core.Identity, error) {
	err := s.changeEntities(ctx, identity.Account, func(tx entityTx) error {
		if err := tx.complete(&identity); err != nil {
			return err
		}
		if identity.Kind == core.User {
			if _, err := tx.exec(renameKeysSQL, pgx.StrictNamedArgs{"account": identity.Account, "id": identity.ID, "name": identity.Name}, nil); err != nil {
				return err
			}
		}
		args := identityArgs(identity)
		for _, fixed := range []string{"kind", "cloud", "now"} {
			delete(args, fixed)
		}
		n, err := tx.exec(saveIdentitySQL, args, identityExists(identity))
		if err == nil && n == 0 {
			err = core.ErrEntityChanged
		}
		return err
	})
	if err != nil {
		return core.Identity{}, fmt.Errorf("change a %s: %w", identity.Kind, err)
	}
	identity.Version++
	return identity, nil
}

const (
	countUserKeysSQL  = `SELECT count(*) FROM keys WHERE account = @account AND user_name = @name AND token_hash IS NULL`
	countAdminKeysSQL = `SELECT count(*) FROM keys WHERE account = @account AND user_name = @name AND admin`
	deleteUserKeysSQL = `DELETE FROM keys WHERE account = @account AND user_name = @name`
	countMembersSQL   = `SELECT count(*) FROM identities WHERE account = @account AND kind = 'user' AND groups ? @id`
	removeMembersSQL  = `
UPDATE identities SET groups = groups - @id::text, version = version + 1
WHERE account = @account AND kind = 'user' AND groups ? @id`
	deleteIdentitySQL = `DELETE FROM identities WHERE id = @id AND version = @version`
)

// DeleteIdentity is of core.IdentityStore.
func (s *Store) DeleteIdentity(ctx context.Context, identity core.Identity, all bool) error {
	err := s.changeEntities(ctx, identity.Account, func(tx entityTx) error {
		n, err := tx.exec(deleteIdentitySQL, pgx.StrictNamedArgs{"id": identity.ID, "version": identity.Version}, nil)
		switch {
		case err != nil:
			return err
		case n == 0:
			return core.ErrEntityChanged
		}
		return tx.release(identity, all)
	})
	if err != nil {
		return fmt.Errorf("delete a %s: %w", identity.Kind, err)
	}
	return nil
}

// release sees to it that nothing depends on an identity any more: EntityInUse, unless all may go. The keys of an
// administrator of all accounts never go along.
func (t entityTx) release(identity core.Identity, all bool) error {
	var count, remove, text string
	args := pgx.StrictNamedArgs{"account": identity.Account}
	switch identity.Kind {
	case core.User:
		count, remove, text = countUserKeysSQL, deleteUserKeysSQL, "Cannot delete entity, must delete access keys first."
		args["name"] = identity.Name
		if n, err := t.count(countAdminKeysSQL, args); err != nil || n > 0 { // all accounts are managed with them
			return errors.Join(err, inUse(n, "Cannot delete entity, must delete the access keys of an administrator of all accounts first."))
		}
	case core.Group:
		count, remove, text = countMembersSQL, removeMembersSQL, "Cannot delete entity, must remove users from group first."
		args["id"] = identity.ID
	default:
		return nil
	}
	if !all {
		if n, err := t.count(count, args); err != nil || n > 0 {
			return errors.Join(err, inUse(n, text))
		}
	}
	_, err := t.exec(remove, args, nil) // of a user: the keys of its sessions
	return err
}

func inUse(n int, text string) error {
	if n == 0 {
		return nil
	}
	return core.Errorf(core.EntityInUse, "%s", text)
}

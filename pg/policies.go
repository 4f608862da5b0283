package pg

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// policyColumns are a policy with how many identities it is attached to and bounds, which means reading all of its account's.
const policyColumns = ownPolicyColumns + `,
    (SELECT count(*) FROM identities i WHERE i.account = p.account AND i.attached ? p.id) AS attached,
    (SELECT count(*) FROM identities i WHERE i.account = p.account AND i.boundary = p.id) AS bounds`

const ownPolicyColumns = `p.id, p.account, p.cloud, p.name, p.path, p.description, p.tags, p.versions, p.default_version, p.last_version, p.revision,
    p.created_at, p.updated_at`

func scanPolicy(row pgx.CollectableRow) (p core.Policy, err error) {
	err = row.Scan(&p.ID, &p.Account, &p.Cloud, &p.Name, &p.Path, &p.Description, &p.Tags, &p.Versions, &p.Default, &p.Last, &p.Revision,
		&p.CreatedAt, &p.UpdatedAt, &p.Attached, &p.Bounds)
	return p, err
}

// policies reads rows of policyColumns.
func (s *Store) policies(ctx context.Context, sql string, args pgx.StrictNamedArgs) (found []core.Policy, err error) {
	err = s.do(ctx, sql, args, func(rows pgx.Rows) (err error) {
		found, err = pgx.CollectRows(rows, scanPolicy)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read policies: %w", err)
	}
	return found, nil
}

const policySQL = `SELECT ` + policyColumns + ` FROM policies p
WHERE p.account = @account AND lower(p.name) = lower(@name) AND p.cloud = @cloud AND p.name = @name`

// Policy is of core.IdentityStore.
func (s *Store) Policy(ctx context.Context, name core.PolicyName) (core.Policy, error) {
	found, err := s.policies(ctx, policySQL, pgx.StrictNamedArgs{"account": name.Account, "cloud": name.Cloud, "name": name.Name})
	return onePolicy(found, err, name.ARN())
}

// PolicyOfID is of core.IdentityStore.
func (s *Store) PolicyOfID(ctx context.Context, id string) (core.Policy, error) {
	found, err := s.policies(ctx, `SELECT `+policyColumns+` FROM policies p WHERE p.id = @id`, pgx.StrictNamedArgs{"id": id})
	return onePolicy(found, err, id)
}

func onePolicy(found []core.Policy, err error, name string) (core.Policy, error) {
	switch {
	case err != nil:
		return core.Policy{}, err
	case len(found) == 0:
		return core.Policy{}, core.Errorf(core.EntityNotFound, "Policy %s does not exist or is not attachable.", name)
	}
	return found[0], nil
}

const listPoliciesSQL = `SELECT ` + policyColumns + ` FROM policies p
WHERE p.account = @account AND (lower(p.name), p.cloud) > (@after_name, @after_cloud) AND (@cloud = '' OR p.cloud = @cloud)
    AND starts_with(p.path, @path) AND (@ids::text[] IS NULL OR p.id = ANY (@ids))
ORDER BY lower(p.name), p.cloud LIMIT @limit`

// ListPolicies is of core.IdentityStore.
func (s *Store) ListPolicies(ctx context.Context, in core.ListPoliciesInput) (core.PolicyPage, error) {
	cloud, name, _ := strings.Cut(in.After, "/")
	found, err := s.policies(ctx, listPoliciesSQL, pgx.StrictNamedArgs{
		"account": in.Account, "cloud": in.Cloud, "path": in.PathPrefix, "ids": in.IDs, "after_name": name, "after_cloud": cloud, "limit": in.Limit + 1,
	})
	page := core.PolicyPage{Policies: found}
	if len(found) > in.Limit {
		page.Policies = found[:in.Limit]
		last := found[in.Limit-1]
		page.Next = last.Cloud + "/" + strings.ToLower(last.Name)
	}
	return page, err
}

const createPolicySQL = `
INSERT INTO policies (id, account, cloud, name, path, description, tags, versions, default_version, last_version, created_at, updated_at)
VALUES (@id, @account, @cloud, @name, @path, @description, @tags, @versions, @default, @last, @now, @now)`

// CreatePolicy is of core.IdentityStore.
func (s *Store) CreatePolicy(ctx context.Context, policy core.Policy, most int) (core.Policy, error) {
	err := s.changeEntities(ctx, policy.Account, func(tx entityTx) error {
		n, err := tx.count(`SELECT count(*) FROM policies WHERE account = @account AND cloud = @cloud`, pgx.StrictNamedArgs{"account": policy.Account, "cloud": policy.Cloud})
		switch {
		case err != nil:
			return err
		case n >= most:
			return core.Errorf(core.EntityLimit, "Cannot exceed quota for PoliciesPerAccount: %d", most)
		}
		tx.datePolicy(&policy)
		policy.CreatedAt, policy.Revision = tx.now, 1
		args := policyArgs(policy)
		args["cloud"], args["name"], args["path"] = policy.Cloud, policy.Name, policy.Path
		delete(args, "revision")
		_, err = tx.exec(createPolicySQL, args, core.Errorf(core.EntityExists, "A policy called %s already exists. Duplicate names are not allowed.", policy.Name))
		return err
	})
	if err != nil {
		return core.Policy{}, fmt.Errorf("create a policy: %w", err)
	}
	return policy, nil
}

// datePolicy dates what is new of a policy.
func (t entityTx) datePolicy(policy *core.Policy) {
	policy.UpdatedAt = t.now
	for i := range policy.Versions {
		if policy.Versions[i].CreatedAt.IsZero() {
			policy.Versions[i].CreatedAt = t.now
		}
	}
}

func policyArgs(p core.Policy) pgx.StrictNamedArgs {
	return pgx.StrictNamedArgs{
		"id": p.ID, "account": p.Account, "description": p.Description, "tags": orEmpty(p.Tags), "versions": p.Versions,
		"default": p.Default, "last": p.Last, "now": p.UpdatedAt, "revision": p.Revision,
	}
}

const savePolicySQL = `
UPDATE policies SET description = @description, tags = @tags, versions = @versions, default_version = @default, last_version = @last,
    updated_at = @now, revision = revision + 1
WHERE id = @id AND account = @account AND revision = @revision`

// SavePolicy is of core.IdentityStore.
func (s *Store) SavePolicy(ctx context.Context, policy core.Policy) (core.Policy, error) {
	err := s.changeEntities(ctx, policy.Account, func(tx entityTx) error {
		tx.datePolicy(&policy)
		n, err := tx.exec(savePolicySQL, policyArgs(policy), nil)
		if err == nil && n == 0 {
			err = core.ErrEntityChanged
		}
		return err
	})
	if err != nil {
		return core.Policy{}, fmt.Errorf("change a policy: %w", err)
	}
	policy.Revision++
	return policy, nil
}

const countAttachedSQL = `SELECT count(*) FROM identities WHERE account = @account AND (attached ? @id OR boundary = @id)`

// DeletePolicy is of core.IdentityStore.
func (s *Store) DeletePolicy(ctx context.Context, policy core.Policy) error {
	err := s.changeEntities(ctx, policy.Account, func(tx entityTx) error {
		if n, err := tx.count(countAttachedSQL, pgx.StrictNamedArgs{"account": policy.Account, "id": policy.ID}); err != nil {
			return err
		} else if err := inUse(n, "Cannot delete a policy attached to entities."); err != nil {
			return err
		}
		n, err := tx.exec(`DELETE FROM policies WHERE id = @id AND revision = @revision`, pgx.StrictNamedArgs{"id": policy.ID, "revision": policy.Revision}, nil)
		if err == nil && n == 0 {
			err = core.ErrEntityChanged
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("delete a policy: %w", err)
	}
	return nil
}

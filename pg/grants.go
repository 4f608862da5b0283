package pg

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/polymq/polymq/core"
)

// grantsCache keeps what access keys are granted. An entry is as good as the read of the key that it was
// made of: the cache of keys is emptied whenever a key, or what one is granted, changes.
type grantsCache struct {
	mu    sync.Mutex
	byKey map[string]cachedGrants
}

type cachedGrants struct {
	of     *core.Key // as it was read when this was good
	grants *core.Grants
}

func (c *grantsCache) get(key *core.Key) *core.Grants {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cached := c.byKey[key.ID]; cached.of == key {
		return cached.grants
	}
	return nil
}

// put keeps grants and gives them: as they were, where nothing changed.
func (c *grantsCache) put(key *core.Key, grants *core.Grants) *core.Grants {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.byKey[key.ID].grants; old != nil && reflect.DeepEqual(old, grants) {
		grants = old
	}
	if c.byKey == nil || len(c.byKey) >= maxCachedKeys {
		c.byKey = map[string]cachedGrants{}
	}
	c.byKey[key.ID] = cachedGrants{key, grants}
	return grants
}

// Grants is of core.IdentityStore.
func (s *Store) Grants(ctx context.Context, key *core.Key) (*core.Grants, error) {
	if grants := s.grants.get(key); grants != nil {
		return grants, nil
	}
	identities, err := s.identitiesOf(ctx, key)
	if err != nil {
		return nil, err
	}
	policies, err := s.policiesOf(ctx, key, identities)
	if err != nil {
		return nil, err
	}
	grants := core.GrantsOf(key)
	grants.Grant(key, identities, func(id string) *core.Policy {
		if p := core.BuiltInPolicy(id); p != nil {
			return p
		}
		return policies[id]
	})
	return s.grants.put(key, grants), nil
}

const grantedIdentitiesSQL = `
WITH principal AS (
    SELECT * FROM identities
    WHERE account = @account AND kind = @kind AND lower(name) = lower(@name) AND cloud = @cloud AND name = @name AND @id IN ('', id)
)
SELECT ` + identityColumns + `
FROM (SELECT * FROM principal UNION ALL SELECT g.* FROM identities g WHERE g.id = ANY (ARRAY(SELECT jsonb_object_keys(groups) FROM principal))) i
ORDER BY i.kind = 'group', i.id`

// identitiesOf gives whom the key stands for and the groups of that user; nobody for an account's own key, and
// for a user or a role that is not there any more.
func (s *Store) identitiesOf(ctx context.Context, key *core.Key) ([]core.Identity, error) {
	name := core.IdentityName{Account: key.Account, Kind: core.User, Name: key.User}
	if key.Session.Role != "" {
		role, ok := core.RoleNameOf(key.Session.Role)
		if !ok {
			return nil, nil
		}
		name = role
	}
	if name.Name == "" {
		return nil, nil
	}
	return s.identities(ctx, grantedIdentitiesSQL, pgx.StrictNamedArgs{
		"account": name.Account, "kind": name.Kind, "cloud": name.Cloud, "name": name.Name, "id": key.Session.RoleID,
	})
}

// grantedPoliciesSQL does not count whom else a policy is attached to: it runs whenever a key is read anew.
const grantedPoliciesSQL = `
SELECT ` + ownPolicyColumns + `, 0, 0
FROM unnest(@ids::text[]) AS i(id) CROSS JOIN LATERAL (SELECT * FROM policies p WHERE p.id = i.id LIMIT 1) p WHERE p.account = @account`

// policiesOf gives the account's own policies that count for the key, by ID.
func (s *Store) policiesOf(ctx context.Context, key *core.Key, identities []core.Identity) (map[string]*core.Policy, error) {
	ids := slices.Clone(key.Session.Policies)
	for _, identity := range identities {
		ids = slices.AppendSeq(ids, maps.Keys(identity.Attached))
		ids = append(ids, identity.Boundary)
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return id == "" || core.BuiltInPolicy(id) != nil })
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := s.policies(ctx, grantedPoliciesSQL, pgx.StrictNamedArgs{"ids": ids, "account": key.Account})
	byID := make(map[string]*core.Policy, len(found))
	for i := range found {
		byID[found[i].ID] = &found[i]
	}
	return byID, err
}

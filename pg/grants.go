package pg

import (
	"context"
	"reflect"
	"sync"

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
func (s *Store) Grants(_ context.Context, key *core.Key) (*core.Grants, error) {
	if grants := s.grants.get(key); grants != nil {
		return grants, nil
	}
	return s.grants.put(key, core.GrantsOf(key)), nil
}

package policy

import "sync"

// Cache keeps policies that were read, by their text, so that one that changes anywhere is read anew
// and one that stays is not. The zero Cache is ready.
type Cache struct {
	mu    sync.RWMutex
	known map[source]parsed
	bytes int
}

type source struct {
	language Language
	kind     Kind
	text     string
}

type parsed struct {
	policy *Policy
	err    error
}

// maxCached bounds the texts that a Cache keeps; it begins anew when they would be more.
const maxCached = 32 << 20 // bytes

// Parse gives the policy of a text, as Language.Parse does.
func (c *Cache) Parse(language Language, text string, kind Kind) (*Policy, error) {
	key := source{language, kind, text}
	c.mu.RLock()
	p, ok := c.known[key]
	c.mu.RUnlock()
	if ok {
		return p.policy, p.err
	}
	policy, err := language.Parse(text, kind)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || c.bytes+len(text) > maxCached {
		c.known, c.bytes = map[source]parsed{}, 0
	}
	c.known[key] = parsed{policy, err}
	c.bytes += len(text)
	return policy, err
}

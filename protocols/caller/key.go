package caller

import (
	"context"
	"net/http"
	"strings"

	"github.com/polymq/polymq/core"
)

// KeySource finds access keys. KeyNotFound.
type KeySource interface {
	Key(ctx context.Context, id string) (*core.Key, error)
}

// FindKey gives an access key, nil for an id that is none.
func (o *Options) FindKey(ctx context.Context, id string) (*core.Key, error) {
	if o.Keys == nil || id == "" {
		return nil, nil
	}
	key, err := o.Keys.Key(ctx, id)
	if core.CodeOf(err) == core.KeyNotFound {
		return nil, nil
	}
	return key, err
}

// Recognize completes a caller whose signature does not matter: a known access key tells the account.
func (o *Options) Recognize(ctx context.Context, c *Caller) error {
	key, err := o.FindKey(ctx, c.AccessKeyID)
	if key != nil {
		c.Is(key)
	}
	return err
}

// Is says whose key the caller has.
func (c *Caller) Is(key *core.Key) { c.Key, c.Account = key, key.Account }

// OtherHosts gives the names of the server, besides the request's Host, under which a client may have
// signed a request that proxies passed on: what a trusted proxy says it was, and the public URL's.
func (o *Options) OtherHosts(r *http.Request) []string {
	var hosts []string
	if forwarded := first(r.Header.Get("X-Forwarded-Host")); forwarded != "" && o.trusts(remoteAddr(r)) {
		hosts = append(hosts, forwarded)
		if port := first(r.Header.Get("X-Forwarded-Port")); port != "" && !hasPort(forwarded) {
			hosts = append(hosts, forwarded+":"+port)
		}
	}
	if _, host, ok := strings.Cut(strings.TrimRight(o.PublicURL, "/"), "://"); ok {
		hosts = append(hosts, host)
	}
	for _, host := range append([]string{r.Host}, hosts...) { // clients leave out the port that the scheme implies
		for _, port := range []string{":80", ":443"} {
			if bare, ok := strings.CutSuffix(host, port); ok {
				hosts = append(hosts, bare)
			}
		}
	}
	return hosts
}

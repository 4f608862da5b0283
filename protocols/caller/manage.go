package caller

import (
	"context"

	"github.com/polymq/polymq/core"
)

// MayManage says whether a caller may change users, policies and access keys as far as nothing but its access
// says so: where policies are enforced they decide, and where nobody is asked who he is everybody may. Else it
// takes what the JSON API takes, or every access key could give itself another user's rights.
func (o *Options) MayManage(ctx context.Context, c *Caller, grants GrantSource) (bool, error) {
	if !o.Verify || o.Enforces() || c.Key == nil {
		return true, nil
	}
	g, err := grants.Grants(ctx, c.Key)
	return err == nil && (g.Access == core.Admin || g.Root && g.Kind == core.PrincipalAccount), err // a federated user is bounded, though nobody looks
}

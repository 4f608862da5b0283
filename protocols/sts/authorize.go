package sts

import (
	"context"

	"github.com/polymq/polymq/protocols/caller"
)

// permissions says what an action needs: what it is about, by its parameters. Actions that it does not have need
// the permission of their name on everything.
var permissions = map[string]func(*call) string{
	"AssumeRole":         nil, // the role's trust policy decides as well, see assumeRole
	"GetAccessKeyInfo":   func(*call) string { return "*" },
	"GetCallerIdentity":  nil, // anybody may
	"GetFederationToken": func(c *call) string { return c.stsARN("federated-user/" + c.parameter("Name")) },
	"GetSessionToken":    nil, // anybody may
}

func (c *call) parameter(name string) string {
	text, _ := c.Parameters.Get(name)
	return text
}

// authorize says whether the caller may do an action, before it is done.
func (s *Server) authorize(ctx context.Context, c *call) error {
	on, known := permissions[c.Action]
	want := caller.Want{Action: "sts:" + c.Action, Resource: "*"}
	switch {
	case known && on == nil:
		return nil
	case known:
		want.Resource = on(c)
	}
	return s.callers.Authorize(ctx, &c.Caller, &want)
}

package openapi

import (
	"context"
	"errors"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// granted gives every key the same.
type granted core.Grants

func (g *granted) Grants(context.Context, *core.Key) (*core.Grants, error) {
	return (*core.Grants)(g), nil
}

// An action that says nothing of what it needs, needs the permission of its name; the denial tells what.
func TestAuthorize(t *testing.T) {
	t.Parallel()
	const own = `{"Effect":"Allow","Action":"echo:Speak","Resource":"acs:echo:cn-hangzhou:111122223333:*"}`
	special := func(_ context.Context, c *Call) []caller.Want {
		return []caller.Want{c.Want("echo", "Speak", "/a"), c.Want("echo", "Shout", "/b")}
	}
	tests := map[string]struct {
		statements string
		action     Action
		want       string // NoPermissionType and AuthAction; "": allowed
	}{
		"nothing":               {"", Action{Name: "Speak"}, "ImplicitDeny echo:Speak"},
		"its name":              {own, Action{Name: "Speak"}, ""},
		"another's name":        {own, Action{Name: "Shout"}, "ImplicitDeny echo:Shout"},
		"open":                  {"", Action{Name: "Speak", Open: true}, ""},
		"two wants, one denied": {own, Action{Name: "Both", Wants: special}, "ImplicitDeny echo:Shout"},
		"denied":                {own + `,{"Effect":"Deny","Action":"*","Resource":"*"}`, Action{Name: "Speak"}, "ExplicitDeny echo:Speak"},
	}
	for name, tt := range tests {
		key := &core.Key{Account: "111122223333", User: "ann"}
		grants := core.GrantsOf(key)
		if tt.statements != "" {
			grants.Identity = []core.GrantedPolicy{{Name: "p", Cloud: core.RAM, Text: `{"Version":"1","Statement":[` + tt.statements + `]}`}}
		}
		s := echo()
		s.callers = &caller.Options{Verify: true, Access: caller.NewAccess((*granted)(grants), true)}
		c := &Call{Caller: caller.Caller{Account: "111122223333", Region: "cn-hangzhou", Key: key, Verified: true}}
		err := s.authorize(t.Context(), c, &tt.action)
		var got string
		if detail := denialOf(c, err); detail != nil {
			got = detail.NoPermissionType + " " + detail.AuthAction
			if detail.AuthPrincipalType != "SubUser" || detail.AuthPrincipalDisplayName != "acs:ram::111122223333:user/ann" || detail.PolicyType != "AccountLevelIdentityBasedPolicy" {
				t.Errorf("%s: %+v", name, detail)
			}
		}
		if got != tt.want || (err != nil) != (tt.want != "") {
			t.Errorf("%s: got %q (%v), want %q", name, got, err, tt.want)
		}
		if fault, _ := FaultOf(err); err != nil && (fault.Status != 403 || fault.Code != "NoPermission") {
			t.Errorf("%s: told %v", name, fault)
		}
	}
	if denialOf(nil, errors.New("another")) != nil {
		t.Error("an error that is no denial has details of one")
	}
}

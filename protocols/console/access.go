package console

import (
	"github.com/polymq/polymq/core"
)

// need is what a visitor must be allowed to do for a page or a change.
type need struct {
	access     core.Access
	bodies     bool // see bodies of messages
	everywhere bool // in all accounts
}

// What pages need, as the JSON API does for the same.
var (
	toLook    = need{access: core.Viewer}
	toSurvey  = need{access: core.Viewer, everywhere: true} // what all accounts do together
	toRead    = need{access: core.Viewer, bodies: true}
	toOperate = need{access: core.Operator}
	toManage  = need{access: core.Admin}
	toRule    = need{access: core.Admin, everywhere: true}
)

// everything is what everybody may where nobody is asked who he is.
var everything = &core.Grants{Access: core.Admin, Bodies: true, Everywhere: true}

// meets says that what somebody is granted is enough.
func (n need) meets(grants *core.Grants) bool {
	return grants.Access.Covers(n.access) && (grants.Bodies || !n.bodies) && (grants.Everywhere || !n.everywhere)
}

// allowed makes a handler that refuses those who may not do what it does.
func allowed(needs need, do handler) handler {
	return func(x *exchange) error {
		if err := x.may(needs); err != nil {
			return err
		}
		return do(x)
	}
}

// may refuses what the visitor may not do, and another account than the visitor's.
func (x *exchange) may(needs need) error {
	switch grants := x.session.grants; {
	case x.account != grants.Account && !grants.Everywhere:
		x.account = grants.Account // for the links of the answer
		return x.problem(core.AccessDenied, x.t("You may not look into another account."))
	case !grants.Access.Covers(needs.access):
		return x.problem(core.AccessDenied, x.t("This needs the access of %s, and yours is that of %s.", x.t(string(needs.access)), x.t(string(grants.Access))))
	case !needs.meets(grants) && needs.bodies:
		return x.problem(core.AccessDenied, x.t("This shows bodies of messages, which you may not see."))
	case !needs.meets(grants):
		return x.problem(core.AccessDenied, x.t("This is for administrators of all accounts."))
	}
	return nil
}

// Everywhere says that the visitor may look into all accounts.
func (p *page) Everywhere() bool { return p.grants.Everywhere }

// Operates says that the visitor may change queues, topics and messages.
func (p *page) Operates() bool { return toOperate.meets(p.grants) }

// Rules says that the visitor may change what concerns all accounts.
func (p *page) Rules() bool { return toRule.meets(p.grants) }

// Reads says that the visitor may see bodies of messages.
func (p *page) Reads() bool { return toRead.meets(p.grants) }

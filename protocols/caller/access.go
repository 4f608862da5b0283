package caller

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/core/policy"
)

// GrantSource tells what access keys are granted.
type GrantSource interface {
	Grants(ctx context.Context, key *core.Key) (*core.Grants, error)
}

// Access decides what callers may do, and keeps the policies by which it does in the form in which they
// are evaluated.
type Access struct {
	enforce bool
	grants  GrantSource
	texts   policy.Cache

	mu    sync.RWMutex
	known map[*core.Grants]*standing
}

// NewAccess makes an Access. With enforce, everything needs a policy that allows it, save what an account's
// own key does in its account. Without, what is the caller's account's own is free, save for a session that was
// asked to be bounded, and the policies of others' queues and topics decide about those.
func NewAccess(grants GrantSource, enforce bool) *Access {
	return &Access{enforce: enforce, grants: grants, known: map[*core.Grants]*standing{}}
}

// standing is what a key is granted, as it is evaluated.
type standing struct {
	grants    *core.Grants
	principal policy.Principal
	policies  policy.Policies
	broken    string // name of a policy that cannot be read
}

// maxStandings bounds the keys whose standing is kept.
const maxStandings = 10_000

// Want is what a request wants to do.
type Want struct {
	Action   string // as policies name it, and denials: "sqs:sendmessage"
	Also     string // another name under which policies may have it; "": none
	Resource string // its ARN
	Owner    string // account that has it; "": the caller's
	Policy   string // its own, of AWS's language; "": none

	// Keys gives the values of condition keys of the resource and of the action, by names in lower case;
	// nil: there are none.
	Keys func(key string) []string

	failed error // what kept Keys from its values: nothing is decided then
}

// Denied is the error of a caller who may not do what it wants.
type Denied struct { //nolint:errname // as the callers read it: a Denied, and not that denying went wrong
	Decision  policy.Decision
	Principal string // ARN; "" for nobody in particular
	Want      *Want
	Broken    string // the policy that cannot be read, which denies everything; "": none
	Viewer    bool   // it is denied because its access lets it only look, whatever policies say
}

// Error says it as AWS does.
func (d *Denied) Error() string {
	who := d.Principal
	if who == "" {
		who = "anonymous"
	}
	why := d.Decision.Because(d.Want.Action)
	switch {
	case d.Broken != "":
		why = "because the policy " + d.Broken + " cannot be read"
	case d.Viewer:
		why = "because its access is that of viewer"
	}
	return "User: " + who + " is not authorized to perform: " + d.Want.Action + " on resource: " + d.Want.Resource + " " + why
}

// Unwrap gives the same as one of core's errors, for the protocols' tables.
func (d *Denied) Unwrap() error { return core.Errorf(core.AccessDenied, "%s", d.Error()) }

// Free says that a caller may do whatever it wants with what an account has: where signatures are not
// verified, and in its own account where policies are not enforced, unless it is a session that is bounded by
// policies: who made it has it given to somebody else; and unless it is a viewer, see looks.
func (o *Options) Free(ctx context.Context, c *Caller, owner string) bool {
	return !o.Verify || c.Key != nil && owner == c.Account && !o.Enforces() && !c.Key.Session.Bounded() && !o.mayBeViewer(ctx, c.Key)
}

// mayBeViewer says that a key is a user's who has the access of viewer, or that this cannot be found out.
func (o *Options) mayBeViewer(ctx context.Context, key *core.Key) bool {
	if key.User == "" || o.Access == nil || o.Access.grants == nil {
		return false
	}
	grants, err := o.Access.grants.Grants(ctx, key)
	return err != nil || grants.Access == core.Viewer
}

// looks says that an action only looks, which is all that a viewer may do where policies are not enforced: what it may
// not see or do by the JSON API would else be open to the same access key by other protocols. Bodies of messages are for
// those viewers who may see them; and receiving is more than looking, for it hides messages and counts.
func looks(action string, bodies bool) bool {
	_, name, _ := strings.Cut(strings.ToLower(action), ":")
	switch name {
	case "getfederationtoken":
		return false
	case "peekmessage", "batchpeekmessage":
		return bodies
	}
	return slices.ContainsFunc([]string{"get", "list", "check", "simulate"}, func(verb string) bool { return strings.HasPrefix(name, verb) })
}

// Authorize says whether a caller may do what it wants: a Denied, where it may not. What it is denied with
// another account's things does not tell whether they exist.
func (o *Options) Authorize(ctx context.Context, c *Caller, want *Want) error {
	if want.Owner == "" {
		want.Owner = c.Account
	}
	if o.Free(ctx, c, want.Owner) {
		return nil
	}
	d, err := o.decide(ctx, c, want, o.Enforces())
	if err != nil || d.Decision.Outcome == policy.Allowed && d.Broken == "" {
		return err
	}
	if want.Owner != c.Account && d.Decision.Kind == policy.Resource { // as where there is no such thing
		d.Decision = policy.Decision{Kind: policy.Resource}
	}
	return d
}

// AuthorizeOthers is Authorize for another account's queue or topic, whose policy may let the caller in. As it is
// remembered it is enough to allow. To deny, refresh fills in what the database has now: so nobody is denied by what
// is no longer so, and a denial takes as long where there is no such thing. nil: there is nothing to ask.
func (o *Options) AuthorizeOthers(ctx context.Context, c *Caller, want *Want, refresh func() error) error {
	err := o.Authorize(ctx, c, want)
	if refresh == nil || core.CodeOf(err) != core.AccessDenied {
		return err
	}
	if err := refresh(); err != nil {
		return err
	}
	return o.Authorize(ctx, c, want)
}

// Explain gives the decision that Authorize comes to where policies are enforced, whatever it is.
func (o *Options) Explain(ctx context.Context, c *Caller, want *Want) (*Denied, error) {
	return o.decide(ctx, c, want, true)
}

func (o *Options) decide(ctx context.Context, c *Caller, want *Want, enforce bool) (*Denied, error) {
	a := o.Access
	if a == nil { // nothing but the policies of resources counts
		a = &Access{}
	}
	s, err := a.standing(ctx, c)
	if err != nil {
		return nil, err
	}
	d := &Denied{Want: want}
	if s.grants != nil {
		d.Principal = s.grants.Principal
		if strings.HasPrefix(want.Resource, "acs:") {
			d.Principal = s.grants.RAM
		}
		if !enforce && s.grants.Access == core.Viewer && !looks(want.Action, s.grants.Bodies) {
			d.Viewer, d.Decision.Kind = true, policy.Identity
			return d, nil
		}
	}
	policies := policy.Policies{Root: true, Session: s.policies.Session}
	if enforce {
		policies = s.policies
	}
	if enforce || c.Key != nil && c.Key.Session.Bounded() {
		d.Broken = s.broken
	}
	if want.Policy != "" {
		read, err := a.texts.Parse(policy.AWS, want.Policy, policy.Resource)
		if err == nil {
			policies.Resource = &policy.Named{Name: want.Resource, Policy: read}
		} else if !policies.Root && want.Owner == c.Account {
			d.Broken = "of " + want.Resource
		}
	}
	r := policy.Request{Principal: s.principal, Action: want.Action, Also: want.Also, Resource: want.Resource, Owner: want.Owner}
	r.Keys = (&conditionKeys{caller: c, grants: s.grants, want: want}).values
	d.Decision = policy.Evaluate(&r, &policies)
	return d, want.failed
}

// standing gives what the caller is granted.
func (a *Access) standing(ctx context.Context, c *Caller) (*standing, error) {
	if c.Key == nil {
		return &standing{}, nil // nobody in particular
	}
	if a.grants == nil {
		return a.read(core.GrantsOf(c.Key)), nil
	}
	grants, err := a.grants.Grants(ctx, c.Key)
	if err != nil {
		return nil, err
	}
	a.mu.RLock()
	s := a.known[grants]
	a.mu.RUnlock()
	if s != nil {
		return s, nil
	}
	s = a.read(grants)
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.known) >= maxStandings {
		clear(a.known)
	}
	a.known[grants] = s
	return s, nil
}

// read reads a key's policies. One that cannot be read denies everything: it may have been meant to.
func (a *Access) read(g *core.Grants) *standing {
	s := &standing{grants: g, policies: policy.Policies{Root: g.Root}}
	s.principal = policy.Principal{Account: g.Account, Names: []string{nameOf(g.Principal), nameOf(g.RAM)}, Role: nameOf(g.Role), ID: g.UserID}
	if core.CloudOfARN(g.Role) == core.RAM {
		s.principal.Cloud = policy.RAM
	}
	if g.Kind == core.PrincipalFederated {
		s.principal.User = nameOf(g.UserARN)
	}
	named := func(p *core.GrantedPolicy, kind policy.Kind) (list []policy.Named) {
		language := policy.AWS
		if p.Cloud == core.RAM {
			language = policy.RAM
		}
		read, err := a.texts.Parse(language, p.Text, kind)
		name := p.ARN
		if name == "" {
			name = p.From + "/" + p.Name
		}
		if err != nil {
			s.broken = name
			return nil
		}
		return []policy.Named{{Name: name, Policy: read}}
	}
	for i := range g.Identity {
		s.policies.Identity = append(s.policies.Identity, named(&g.Identity[i], policy.Identity)...)
	}
	for i := range g.Session {
		s.policies.Session = append(s.policies.Session, named(&g.Session[i], policy.Session)...)
	}
	if g.Boundary != nil {
		if boundary := named(g.Boundary, policy.Boundary); len(boundary) > 0 {
			s.policies.Boundary = &boundary[0]
		}
	}
	s.policies.Remember()
	return s
}

// nameOf gives what an ARN of a principal has behind its account.
func nameOf(arn string) string {
	const colons = 5
	parts := strings.SplitN(arn, ":", colons+1)
	if strings.HasPrefix(arn, "acs:") { // acs:ram::ACCOUNT:NAME
		parts = strings.SplitN(arn, ":", colons)
	}
	return parts[len(parts)-1]
}

// conditionKeys are the condition keys of a request.
type conditionKeys struct {
	caller *Caller
	grants *core.Grants // nil for nobody in particular
	want   *Want
}

// values gives the values of a key.
func (k *conditionKeys) values(key string) []string {
	if k.want.Keys != nil {
		if values := k.want.Keys(key); values != nil {
			return values
		}
	}
	if values := k.ofRequest(key); values != nil || k.grants == nil {
		return values
	}
	return k.ofPrincipal(key)
}

// ofRequest gives the keys that any request has.
func (k *conditionKeys) ofRequest(key string) []string {
	c := k.caller
	switch key {
	case "aws:sourceip", "acs:sourceip":
		if c.RemoteAddr.IsValid() {
			return []string{c.RemoteAddr.String()}
		}
	case "aws:securetransport", "acs:securetransport":
		return []string{strconv.FormatBool(c.Secure)}
	case "aws:currenttime", "acs:currenttime":
		return []string{c.Began.UTC().Format(time.RFC3339)}
	case "aws:epochtime":
		return []string{strconv.FormatInt(c.Began.Unix(), 10)}
	case "aws:requestedregion":
		return []string{cmp.Or(regionOf(k.want.Resource), c.Region)}
	case "aws:resourceaccount":
		return []string{k.want.Owner}
	case "aws:useragent":
		return given(c.UserAgent)
	case "aws:referer":
		return given(c.Referer)
	case "aws:viaawsservice", "aws:principalisawsservice", "acs:mfapresent":
		return []string{"false"}
	}
	return nil
}

// given gives a value that there may not be.
func given(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// regionOf gives the region in an ARN, which need not be the one that the request is signed for; "" where it has none.
func regionOf(arn string) string {
	const region, parts = 3, 6
	if list := strings.SplitN(arn, ":", parts); len(list) == parts && list[0] == "arn" {
		return list[region]
	}
	return ""
}

// principalTypes says the kinds of principals as aws:PrincipalType does.
var principalTypes = map[string]string{
	core.PrincipalAccount: "Account", core.PrincipalUser: "User", core.PrincipalRole: "AssumedRole", core.PrincipalFederated: "FederatedUser",
}

// ofPrincipal gives the keys that tell who asks.
func (k *conditionKeys) ofPrincipal(key string) []string {
	g := k.grants
	switch key {
	case "aws:principalarn", "acs:principalarn":
		if g.Role != "" {
			return given(g.Role)
		}
		return given(g.Principal)
	case "aws:principalaccount":
		return given(g.Account)
	case "aws:principaltype":
		return given(principalTypes[g.Kind])
	case "aws:userid":
		return given(g.UserID)
	case "aws:username":
		if g.Kind == core.PrincipalUser {
			return given(g.User)
		}
	case "aws:tokenissuetime", "aws:multifactorauthpresent", "aws:sourceidentity", "acs:sourceidentity":
		return ofSession(k.caller.Key, key)
	}
	for _, prefix := range []string{"aws:principaltag/", "acs:principaltag/"} {
		if name, ok := strings.CutPrefix(key, prefix); ok {
			return TagValues(g.Tags, name)
		}
	}
	return nil
}

// ofSession gives the keys that only a temporary key has.
func ofSession(session *core.Key, key string) []string {
	switch {
	case session == nil || !session.Temporary():
		return nil
	case key == "aws:tokenissuetime":
		return []string{session.CreatedAt.UTC().Format(time.RFC3339)}
	case key == "aws:multifactorauthpresent": // there is no second factor
		return []string{"false"}
	}
	return given(session.Session.SourceIdentity)
}

// TagValues gives the value of the tag whose name is given in lower case, as condition keys are.
func TagValues(tags map[string]string, name string) []string {
	for key, value := range tags {
		if strings.EqualFold(key, name) {
			return []string{value}
		}
	}
	return nil
}

// AllowsService says whether a resource's policy lets one of AWS's services do something with it for a thing
// of an account, such as a topic. Nothing else decides about that.
func (o *Options) AllowsService(service string, want *Want, sourceARN, sourceAccount string) bool {
	if want.Policy == "" {
		return false
	}
	a := o.Access
	if a == nil {
		a = &Access{}
	}
	read, err := a.texts.Parse(policy.AWS, want.Policy, policy.Resource)
	if err != nil {
		return false
	}
	now := time.Now().UTC()
	r := policy.Request{Principal: policy.Principal{Service: service}, Action: want.Action, Resource: want.Resource, Owner: want.Owner}
	r.Keys = func(key string) []string {
		switch key {
		case "aws:sourcearn":
			return []string{sourceARN}
		case "aws:sourceaccount", "aws:sourceowner":
			return []string{sourceAccount}
		case "aws:principalservicename":
			return []string{service}
		case "aws:principalisawsservice", "aws:securetransport":
			return []string{"true"}
		case "aws:currenttime":
			return []string{now.Format(time.RFC3339)}
		case "aws:epochtime":
			return []string{strconv.FormatInt(now.Unix(), 10)}
		case "aws:resourceaccount":
			return []string{want.Owner}
		}
		return nil
	}
	return policy.Evaluate(&r, &policy.Policies{Resource: &policy.Named{Name: want.Resource, Policy: read}}).Outcome == policy.Allowed
}

// Enforces says that policies count also within an account.
func (o *Options) Enforces() bool { return o.Verify && o.Access != nil && o.Access.enforce }

package policy

// Request is what somebody wants to do.
type Request struct {
	Principal Principal
	Action    string // "sqs:SendMessage"
	Also      string // another name under which policies may know the action; "": none
	Resource  string // its ARN, of either cloud
	Owner     string // account that the resource is of; "": the principal's own

	// Keys gives the values of a condition key, whose name is in lower case: nil for one that the
	// request does not have. It is asked only for keys that policies name.
	Keys func(key string) []string
}

func (r *Request) values(key string) []string {
	if r.Keys == nil {
		return nil
	}
	return r.Keys(key)
}

// Named is a policy with what it is called.
type Named struct {
	Name string // an ARN, where it has one
	*Policy
}

// Policies are all that have a say in a request.
type Policies struct {
	Root     bool // of the account: whatever identity policies and boundaries say
	Identity []Named
	Boundary *Named  // nil: none
	Session  []Named // all together; none bound nothing
	Resource *Named  // nil: none

	relevant *memory[ruling] // of Identity, nil where nothing is remembered
}

// ruling is a statement with the policy that it stands in.
type ruling struct {
	of *Named
	*Statement
}

// Remember makes the policies, and their copies, remember which statements of Identity concern the last operations:
// a user may have many policies, and few that matter. Identity must not be changed after it.
func (p *Policies) Remember() { p.relevant = &memory[ruling]{most: maxRelevantOwn} }

// Outcome is what was decided.
type Outcome int

// The outcomes.
const (
	ImplicitDeny Outcome = iota // nothing allows it
	ExplicitDeny                // a statement denies it
	Allowed
)

// String gives the outcome in the words of the clouds' simulators.
func (o Outcome) String() string {
	return [...]string{ImplicitDeny: "implicitDeny", ExplicitDeny: "explicitDeny", Allowed: "allowed"}[o]
}

// Decision says what was decided, and which statement did it.
type Decision struct {
	Outcome   Outcome
	Kind      Kind       // of the policy that decided; of ImplicitDeny: that should have allowed it
	Policy    string     // its name; "" of ImplicitDeny, and where the account's root needs none
	Statement *Statement // nil likewise
}

// Because says why the action is denied, in AWS's words.
func (d Decision) Because(action string) string {
	if d.Outcome == ExplicitDeny {
		article := "a "
		if d.Kind == Identity {
			article = "an "
		}
		return "with an explicit deny in " + article + d.Kind.String()
	}
	return "because no " + d.Kind.String() + " allows the " + action + " action"
}

// Evaluate decides. A statement that denies wins over all that allow. In the resource's own account its
// policy or the principal's policies are enough; for another account's both must allow. A boundary and
// a session's policies allow nothing, but what they do not allow is denied, save where the resource's
// policy names the user or the session itself.
func Evaluate(r *Request, p *Policies) Decision {
	if d, denied := p.denies(r); denied {
		return d
	}
	grant, grip := p.resourceAllows(r)
	own, ownAllow := p.ownAllows(r)
	foreign := r.Owner != "" && r.Owner != r.Principal.Account
	switch {
	case r.Principal.Account == "" || foreign && grip == no: // nobody's own policies count
		return grant
	case foreign && ownAllow:
		return grant
	case foreign:
		return own
	case grip == direct:
		return grant
	case ownAllow:
		return own
	case grip == byRole && own.Kind == Identity:
		if bound, ok := p.boundsAllow(r); !ok {
			return bound
		}
		return grant
	}
	return own
}

// EvaluateTrust decides whether a role may be assumed, whose trust policy is p.Resource. That policy must
// allow it in any case; and so must the principal's own policies, unless one of AWS's names a principal of
// the role's account itself.
func EvaluateTrust(language Language, r *Request, p *Policies) Decision {
	if d, denied := p.denies(r); denied {
		return d
	}
	grant, grip := p.resourceAllows(r)
	if grip == no {
		grant.Kind = Trust
		return grant
	}
	named := grip == direct
	if grip == byRole {
		_, named = p.boundsAllow(r)
	}
	local := r.Principal.Account == "" || language == AWS && named && (r.Owner == "" || r.Owner == r.Principal.Account)
	if own, ok := p.ownAllows(r); !local && !ok {
		return own
	}
	return grant
}

// denies looks for a statement that denies the request.
func (p *Policies) denies(r *Request) (Decision, bool) {
	if !p.Root {
		if d, found := p.identity(r, false); found {
			return d, true
		}
		if d, found := find(r, Boundary, list(p.Boundary), false); found {
			return d, true
		}
	}
	if d, found := find(r, Session, p.Session, false); found {
		return d, true
	}
	return p.resourceDenies(r)
}

// resourceDenies looks for the statement of the resource's policy that denies the request. From one with NotPrincipal nobody
// who has a boundary is excepted.
func (p *Policies) resourceDenies(r *Request) (Decision, bool) {
	if d, found := find(r, Resource, list(p.Resource), false); found || p.Resource == nil || p.Boundary == nil || p.Root {
		return d, found
	}
	for _, s := range p.Resource.about(r) {
		if !s.Allow && s.notPrincipal && s.applies(r) {
			return Decision{ExplicitDeny, p.Resource.Kind, p.Resource.Name, s}, true
		}
	}
	return Decision{}, false
}

// ownAllows says whether the principal's own policies allow the request, or which of them does not.
func (p *Policies) ownAllows(r *Request) (Decision, bool) {
	d := Decision{Outcome: Allowed, Kind: Identity}
	if !p.Root {
		var found bool
		if d, found = p.identity(r, true); !found {
			return d, false
		}
	}
	if bound, ok := p.boundsAllow(r); !ok {
		return bound, false
	}
	return d, true
}

// boundsAllow says whether boundary and session leave the request open.
func (p *Policies) boundsAllow(r *Request) (Decision, bool) {
	if p.Boundary != nil && !p.Root {
		if d, found := find(r, Boundary, list(p.Boundary), true); !found {
			return d, false
		}
	}
	if len(p.Session) > 0 {
		if d, found := find(r, Session, p.Session, true); !found {
			return d, false
		}
	}
	return Decision{}, true
}

// resourceAllows looks for the statement of the resource's policy that allows the request, and takes hold
// of the principal best.
func (p *Policies) resourceAllows(r *Request) (Decision, grip) {
	d, best := Decision{Outcome: ImplicitDeny, Kind: Resource}, no
	if p.Resource == nil {
		return d, no
	}
	d.Kind = p.Resource.Kind
	for _, s := range p.Resource.about(r) {
		if !s.Allow {
			continue
		}
		if grip := s.holds(&r.Principal); grip > best && s.applies(r) {
			d, best = Decision{Allowed, d.Kind, p.Resource.Name, s}, grip
		}
	}
	return d, best
}

// identity looks for the first statement of Identity as find does.
func (p *Policies) identity(r *Request, allow bool) (Decision, bool) {
	if p.relevant == nil {
		return find(r, Identity, p.Identity, allow)
	}
	for _, s := range p.relevant.of(r, p.rulings) {
		if d, found := s.decides(r, s.of, allow); found {
			return d, true
		}
	}
	return Decision{Outcome: ImplicitDeny, Kind: Identity}, false
}

// rulings gives the statements of Identity that concern the operation, in their order.
func (p *Policies) rulings(r *Request) (found []ruling) {
	for i := range p.Identity {
		for _, s := range p.Identity[i].about(r) {
			found = append(found, ruling{&p.Identity[i], s})
		}
	}
	return found
}

// find looks for the first statement that allows, or denies, the request. Without one, the Decision says
// that none does.
func find(r *Request, kind Kind, policies []Named, allow bool) (Decision, bool) {
	for i := range policies {
		for _, s := range policies[i].about(r) {
			if d, found := s.decides(r, &policies[i], allow); found {
				return d, true
			}
		}
	}
	return Decision{Outcome: ImplicitDeny, Kind: kind}, false
}

// decides says whether the statement, which is about the operation, allows, or denies, the request.
func (s *Statement) decides(r *Request, of *Named, allow bool) (d Decision, found bool) {
	if s.Allow != allow || s.holds(&r.Principal) == no || !s.applies(r) {
		return d, false
	}
	outcome := ExplicitDeny
	if allow {
		outcome = Allowed
	}
	return Decision{outcome, of.Kind, of.Name, s}, true
}

func list(p *Named) []Named {
	if p == nil {
		return nil
	}
	return []Named{*p}
}

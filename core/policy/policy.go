package policy

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// Language is what a policy is written in.
type Language int

// The languages.
const (
	AWS Language = iota // of IAM
	RAM                 // of Alibaba Cloud
)

// Kind is what a policy is for, which says what its statements have.
type Kind int

// The kinds, in the words of AWS's denials.
const (
	Identity Kind = iota // of a user, a group or a role
	Boundary             // what an identity's policies can allow at most
	Session              // what a session can do at most
	Resource             // of a queue or a topic: who may use it
	Trust                // of a role: who may assume it
)

// String says the kind as denials do.
func (k Kind) String() string {
	switch k {
	case Boundary:
		return "permissions boundary"
	case Session:
		return "session policy"
	case Resource:
		return "resource-based policy"
	case Trust:
		return "role trust policy"
	default:
		return "identity-based policy"
	}
}

// Policy is a policy that is ready to be evaluated. It may be used by many at the same time.
type Policy struct {
	Kind       Kind
	Version    string
	ID         string
	Statements []*Statement

	exact  map[string][]*Statement // by the actions that they name in full, in lower case
	others []*Statement            // whose actions have wildcards, or are excluded

	relevant memory[*Statement]
}

// Statement is one rule of a policy.
type Statement struct {
	Sid   string
	Index int // in its policy, from 0
	Allow bool

	actions      []pattern
	notAction    bool // all actions but those
	resources    []pattern
	notResource  bool
	principals   []principal
	notPrincipal bool
	nobody       bool // it is of a resource, and says nothing of principals
	conditions   []condition
}

// operation is an action on a resource.
type operation struct{ action, also, resource string }

// Bounds of the operations in a memory: of a policy, which many may have, and of what one principal has.
const (
	maxRelevant    = 4096
	maxRelevantOwn = 512
)

// memory keeps what concerns the last operations: clients do the same again and again. It begins anew when it is full.
type memory[T any] struct {
	most  int
	mu    sync.RWMutex
	known map[operation][]T
}

// of gives what concerns the operation of a request, which find finds.
func (m *memory[T]) of(r *Request, find func(*Request) []T) []T {
	op := operation{r.Action, r.Also, r.Resource}
	m.mu.RLock()
	found, known := m.known[op]
	m.mu.RUnlock()
	if known {
		return found
	}
	found = find(r)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= m.most {
		m.known = map[operation][]T{}
	}
	m.known[op] = found
	return found
}

// index sorts the statements by the actions that they are about.
func (p *Policy) index() {
	p.exact, p.relevant.most = map[string][]*Statement{}, maxRelevant
	for _, s := range p.Statements {
		if s.notAction || slices.ContainsFunc(s.actions, func(a pattern) bool { return !a.plain() }) {
			p.others = append(p.others, s)
			continue
		}
		for _, action := range s.actions {
			if list := p.exact[action.text]; len(list) == 0 || list[len(list)-1] != s { // named twice
				p.exact[action.text] = append(list, s)
			}
		}
	}
}

// about gives the statements that concern the operation, in their order, whatever their principals and
// conditions are.
func (p *Policy) about(r *Request) []*Statement { return p.relevant.of(r, p.search) }

// search is about, without what is remembered.
func (p *Policy) search(r *Request) (found []*Statement) {
	action, also := strings.ToLower(r.Action), strings.ToLower(r.Also)
	for _, list := range [][]*Statement{p.exact[action], p.exact[also], p.others} {
		for _, s := range list {
			if s.isOn(action, also) && s.mayConcern(r) {
				found = append(found, s)
			}
		}
	}
	slices.SortFunc(found, func(a, b *Statement) int { return cmp.Compare(a.Index, b.Index) })
	return slices.Compact(found)
}

// isOn says that the statement is about the action, whose names are in lower case: it lists one of them, or
// excepts neither.
func (s *Statement) isOn(action, also string) bool {
	return (s.lists(action) || also != "" && s.lists(also)) != s.notAction
}

func (s *Statement) lists(action string) bool {
	return slices.ContainsFunc(s.actions, func(p pattern) bool { return p.match(action) })
}

// mayConcern says that the statement is about the resource, as far as that does not depend on who asks.
func (s *Statement) mayConcern(r *Request) bool { return s.dependsOnCaller() || s.concerns(r) }

func (s *Statement) dependsOnCaller() bool {
	return slices.ContainsFunc(s.resources, func(p pattern) bool { return p.variables })
}

// concerns says that the statement is about the resource.
func (s *Statement) concerns(r *Request) bool {
	if len(s.resources) == 0 {
		return true // of a trust policy, which is its role's
	}
	return slices.ContainsFunc(s.resources, func(p pattern) bool { return p.matchFor(r, r.Resource) }) != s.notResource
}

// applies says that the statement, which is about the operation, is about this request.
func (s *Statement) applies(r *Request) bool {
	if s.dependsOnCaller() && !s.concerns(r) {
		return false
	}
	for i := range s.conditions {
		if !s.conditions[i].holds(r) {
			return false
		}
	}
	return true
}

// Size is how much of what clouds count a statement, or a policy, has.
type Size struct{ Statements, Principals, Actions, Conditions int }

// Size counts what the policy has; Actions are those of the statement that has the most.
func (p *Policy) Size() Size {
	size := Size{Statements: len(p.Statements)}
	for _, s := range p.Statements {
		size.Principals += len(s.principals)
		size.Conditions += len(s.conditions)
		size.Actions = max(size.Actions, len(s.actions))
	}
	return size
}

// ForNobody says that a statement of a resource's policy has no principals, and so is about nobody.
func (p *Policy) ForNobody() bool {
	return slices.ContainsFunc(p.Statements, func(s *Statement) bool { return s.nobody })
}

// Only says that no statement is about the actions of services other than that one: "*" is about all, and
// goes with any. With names given, in small letters, what a statement calls without wildcards must be one of them,
// and it may not call all of the service's at once.
func (p *Policy) Only(service string, names ...string) bool {
	for _, s := range p.Statements {
		for _, action := range s.actions {
			name, ok := strings.CutPrefix(action.text, service+":")
			if action.text != anyText && (!ok || len(names) > 0 && (action.plain() || name == anyText) && !slices.Contains(names, name)) {
				return false
			}
		}
	}
	return true
}

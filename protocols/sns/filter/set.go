package filter

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/polymq/polymq/core"
)

// Set matches messages against many policies of one scope at once. It may be used by several
// goroutines.
type Set struct {
	paths      map[string]*pathIndex
	named      map[string]bool // paths, and what stands above them
	absences   []*pathIndex    // paths that some policy wants to be absent
	conditions []int32         // the rule of each condition
	rules      []compiledRule
	policies   int
	scratches  sync.Pool
}

// compiledRule is a rule and whose it is.
type compiledRule struct {
	rule   rule
	policy int32
	first  int32 // of its conditions, which are numbered one after the other
}

// target is a test that several conditions may share.
type target struct {
	test       test
	conditions []int32
}

// pathIndex finds the tests of one path that a value passes.
type pathIndex struct {
	path     string
	number   int // among all paths of the Set
	byKey    map[string]*target
	equal    map[value]*target
	folded   map[string]*target
	prefixes affixes
	suffixes affixes
	networks map[netip.Prefix]*target
	masks    []int     // lengths of the networks
	others   []*target // gone through one by one
	absent   *target
}

// affixes are the tests of prefixes, or of suffixes, by their lengths.
type affixes struct {
	lengths []int
	byText  map[string]*target
}

// Compile makes a Set of policies that all have the same scope.
func Compile(policies []*Policy) *Set {
	s := &Set{paths: map[string]*pathIndex{}, named: map[string]bool{}, policies: len(policies)}
	for i, p := range policies {
		for _, r := range p.rules {
			s.add(r, int32(i)) // #nosec G115 -- far fewer than 2^31
		}
	}
	for _, index := range s.paths {
		if index.absent != nil {
			s.absences = append(s.absences, index)
		}
	}
	s.scratches.New = func() any {
		return &scratch{
			met: make([]uint32, len(s.conditions)), rules: make([]tally, len(s.rules)),
			policies: make([]uint32, s.policies), present: make([]uint32, len(s.paths)),
		}
	}
	return s
}

func (s *Set) add(r rule, policy int32) {
	first := int32(len(s.conditions)) // #nosec G115
	for _, c := range r {
		index := s.index(c.path)
		condition := int32(len(s.conditions))                    // #nosec G115
		s.conditions = append(s.conditions, int32(len(s.rules))) // #nosec G115
		for i := range c.tests {
			t := index.target(&c.tests[i])
			if last := len(t.conditions) - 1; last < 0 || t.conditions[last] != condition {
				t.conditions = append(t.conditions, condition)
			}
		}
	}
	s.rules = append(s.rules, compiledRule{rule: r, policy: policy, first: first})
}

func (s *Set) index(path string) *pathIndex {
	if index := s.paths[path]; index != nil {
		return index
	}
	index := &pathIndex{path: path, number: len(s.paths), byKey: map[string]*target{}}
	s.paths[path] = index
	for i := range len(path) {
		if path[i] == '.' {
			s.named[path[:i]] = true
		}
	}
	s.named[path] = true
	return index
}

// target gives the entry of a test, the same one for equal tests.
func (x *pathIndex) target(t *test) *target {
	key := t.String()
	if known := x.byKey[key]; known != nil {
		return known
	}
	made := &target{test: *t}
	x.byKey[key] = made
	switch t.operator {
	case equals:
		put(&x.equal, t.value, made)
	case equalsFold:
		put(&x.folded, t.text, made)
	case hasPrefix:
		x.prefixes.add(t.text, made)
	case hasSuffix:
		x.suffixes.add(t.text, made)
	case inNetwork:
		put(&x.networks, t.network, made)
		x.masks = insert(x.masks, t.network.Bits())
	case isAbsent:
		x.absent = made
	default:
		x.others = append(x.others, made)
	}
	return made
}

func put[K comparable](m *map[K]*target, key K, t *target) {
	if *m == nil {
		*m = map[K]*target{}
	}
	(*m)[key] = t
}

func insert(lengths []int, n int) []int {
	if i, found := slices.BinarySearch(lengths, n); !found {
		return slices.Insert(lengths, i, n)
	}
	return lengths
}

func (a *affixes) add(text string, t *target) {
	put(&a.byText, text, t)
	a.lengths = insert(a.lengths, len(text))
}

// MatchAttributes gives the indexes of the policies that a message's attributes match, in
// ascending order. A message without any matches none.
func (s *Set) MatchAttributes(attributes []core.Attribute) []int {
	if len(attributes) == 0 {
		return nil
	}
	return s.match(s.attributes(attributes))
}

// MatchBody gives the indexes of the policies that a message's body matches, in ascending order:
// none where it is no object of JSON.
func (s *Set) MatchBody(body []byte) []int {
	d, err := s.body(body)
	if err != nil {
		return nil
	}
	return s.match(d)
}

// scratch is what one match notes. What was noted in the current round has its number, so that
// nothing has to be wiped.
type scratch struct {
	round    uint32
	met      []uint32 // by condition
	rules    []tally
	policies []uint32
	present  []uint32 // by path
	found    []int
	enough   []int32 // rules of which each condition is met by some value
	arrays   bool    // the document has arrays: its leaves note what they meet
}

// tally counts the conditions of a rule that are met.
type tally struct {
	round uint32
	count int32
}

func (s *Set) match(d *document) []int {
	n := s.scratches.Get().(*scratch)
	defer s.scratches.Put(n)
	if n.round++; n.round == 0 { // it went round
		*n = *s.scratches.New().(*scratch)
		n.round = 1
	}
	n.found, n.enough, n.arrays = nil, n.enough[:0], d.arrays
	s.visit(n, &d.root)
	for _, index := range s.absences {
		if n.present[index.number] != n.round {
			s.meet(n, index.absent)
		}
	}
	for _, i := range n.enough {
		r := &s.rules[i]
		if n.policies[r.policy] == n.round || d.arrays && len(r.rule) > 1 && !s.consistent(n, r, d) {
			continue
		}
		n.policies[r.policy] = n.round
		n.found = append(n.found, int(r.policy))
	}
	slices.Sort(n.found)
	return n.found
}

func (s *Set) visit(n *scratch, b *branch) {
	if b.kind == object || b.kind == array {
		for i := range b.branches {
			s.visit(n, &b.branches[i])
		}
		return
	}
	index := s.paths[b.path]
	if index == nil {
		return // it stands above what a policy names
	}
	n.present[index.number] = n.round
	if b.value.kind != unreadable {
		s.look(n, index, b)
	}
}

// look meets the conditions that a leaf meets.
func (s *Set) look(n *scratch, index *pathIndex, b *branch) {
	v := b.value
	s.hit(n, b, index.equal[v])
	if v.kind == text {
		if index.folded != nil {
			s.hit(n, b, index.folded[fold(v.text)])
		}
		for _, length := range index.prefixes.lengths {
			if length > len(v.text) {
				break
			}
			s.hit(n, b, index.prefixes.byText[v.text[:length]])
		}
		for _, length := range index.suffixes.lengths {
			if length > len(v.text) {
				break
			}
			s.hit(n, b, index.suffixes.byText[v.text[len(v.text)-length:]])
		}
		if len(index.masks) > 0 {
			s.lookAddress(n, index, b)
		}
	}
	for _, t := range index.others {
		if t.test.passes(v) {
			s.hit(n, b, t)
		}
	}
}

func (s *Set) lookAddress(n *scratch, index *pathIndex, b *branch) {
	addr, err := netip.ParseAddr(b.value.text)
	if err != nil || addr.Zone() != "" {
		return
	}
	for _, bits := range index.masks {
		if network, err := addr.Prefix(bits); err == nil {
			s.hit(n, b, index.networks[network])
		}
	}
}

// hit notes that a leaf passes a test.
func (s *Set) hit(n *scratch, b *branch, t *target) {
	if t == nil {
		return
	}
	if n.arrays {
		b.passes = append(b.passes, t)
	}
	s.meet(n, t)
}

// meet counts the conditions that have the test.
func (s *Set) meet(n *scratch, t *target) {
	for _, condition := range t.conditions {
		if n.met[condition] == n.round {
			continue
		}
		n.met[condition] = n.round
		r := s.conditions[condition]
		sum := &n.rules[r]
		if sum.round != n.round {
			*sum = tally{round: n.round}
		}
		if sum.count++; int(sum.count) == len(s.rules[r].rule) {
			n.enough = append(n.enough, r)
		}
	}
}

// maxAlternatives bounds what is kept of the ways in which elements of arrays can be chosen.
const maxAlternatives = 256

// consistent says that the conditions of a rule can all be met when of each array one element
// counts.
func (s *Set) consistent(n *scratch, r *compiledRule, d *document) bool {
	var absent uint64
	for i, c := range r.rule {
		wantsAbsence := slices.ContainsFunc(c.tests, func(t test) bool { return t.operator == isAbsent })
		if wantsAbsence && n.present[s.paths[c.path].number] != n.round {
			absent |= 1 << i
		}
	}
	all := uint64(1)<<len(r.rule) - 1
	if len(r.rule) == maxConditions {
		all = ^uint64(0)
	}
	return slices.ContainsFunc(r.alternatives(&d.root), func(met uint64) bool { return met|absent == all })
}

// alternatives gives sets of conditions that a branch can meet at once, one bit for each
// condition, for each way of choosing elements in it. Sets that are part of another are left out.
// Elements that are values count all together: they have one path, and a rule one condition for it.
func (r *compiledRule) alternatives(b *branch) []uint64 {
	sets := []uint64{0}
	switch b.kind {
	case object:
		for i := range b.branches {
			sets = cross(sets, r.alternatives(&b.branches[i]))
		}
	case array:
		var values uint64
		for i := range b.branches {
			if b.branches[i].isLeaf() {
				values |= r.metBy(&b.branches[i])
				continue
			}
			for _, set := range r.alternatives(&b.branches[i]) {
				sets = widen(sets, set)
			}
		}
		for i := range sets {
			sets[i] |= values
		}
	default:
		sets[0] = r.metBy(b)
	}
	return sets
}

// metBy gives the conditions that a leaf meets.
func (r *compiledRule) metBy(leaf *branch) (met uint64) {
	for _, t := range leaf.passes {
		i, _ := slices.BinarySearch(t.conditions, r.first)
		if i < len(t.conditions) && t.conditions[i] < r.first+int32(len(r.rule)) { // #nosec G115
			met |= 1 << (t.conditions[i] - r.first)
		}
	}
	return met
}

// cross joins every set with each of more.
func cross(sets, more []uint64) []uint64 {
	if len(more) == 1 && more[0] == 0 {
		return sets
	}
	var joined []uint64
	for _, left := range sets {
		for _, right := range more {
			joined = widen(joined, left|right)
		}
	}
	return joined
}

// widen adds a set, unless it is part of one that is there.
func widen(sets []uint64, set uint64) []uint64 {
	for _, known := range sets {
		if known&set == set {
			return sets
		}
	}
	sets = slices.DeleteFunc(sets, func(known uint64) bool { return known&set == known })
	if len(sets) == maxAlternatives {
		return sets
	}
	return append(sets, set)
}

// String tells tests apart.
func (t test) String() string {
	var not strings.Builder
	for _, inner := range t.not {
		not.WriteString("|" + inner.String())
	}
	return fmt.Sprintf("%d %d %q %v %q %v %v%s", t.operator, t.value.kind, t.value.text, t.value.number, t.text, t.span, t.network, not.String())
}

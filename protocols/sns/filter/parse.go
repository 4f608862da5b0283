package filter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Scope says which part of a message a policy looks at.
type Scope string

// The scopes.
const (
	MessageAttributes Scope = "MessageAttributes"
	MessageBody       Scope = "MessageBody"
)

// Limits of a policy.
const (
	MaxLength       = 256 << 10 // bytes
	maxKeys         = 5         // at the top level
	maxCombinations = 150
	maxConditions   = 64  // that one message must meet at once
	maxDepth        = 100 // levels of JSON
	shownSource     = 500 // bytes of a policy that an error repeats
)

// Policy is a policy that was read. It matches a message that meets all conditions of one rule.
type Policy struct {
	scope Scope
	rules []rule
}

// rule is a list of conditions that all must be met.
type rule []condition

// condition is met by a value at the path that passes one of the tests.
type condition struct {
	path  string
	tests []test
}

// Error says what is wrong with a policy, in SNS's words.
type Error struct {
	text  string
	place string // where in the policy, "" where SNS does not say
}

// Error gives all that follows "Invalid parameter: ".
func (e *Error) Error() string { return e.text + e.place }

func bare(text string) error { return &Error{text: "FilterPolicy: " + text} }

var errTooComplex = bare("Filter policy is too complex")

// Parse reads a policy; one that demands nothing, {}, is nil. The error is an *Error.
func Parse(text string, scope Scope) (*Policy, error) {
	if len(text) > MaxLength {
		return nil, errTooComplex
	}
	if text := SyntaxError(text); text != "" {
		text, place, _ := strings.Cut(text, "\n")
		return nil, &Error{text: "FilterPolicy: " + text, place: "\n" + place}
	}
	p := &parser{source: compact(text)}
	top, err := p.tree()
	if err != nil {
		return nil, err
	}
	if top.kind != object {
		return nil, p.errorf(top, "Filter is not an object")
	}
	if len(top.members) == 0 {
		return nil, nil
	}
	rules, combinations, err := p.rules(top, "", 1)
	switch {
	case err != nil:
		return nil, err
	case p.nested && scope == MessageAttributes:
		return nil, &Error{text: "Filter policy scope MessageAttributes does not support nested filter policy"}
	case top.keys() > maxKeys:
		return nil, bare(fmt.Sprintf("Filter policy can not have more than %d keys", maxKeys))
	case combinations > maxCombinations:
		return nil, errTooComplex
	}
	return &Policy{scope: scope, rules: rules}, nil
}

// Scope gives the scope that the policy was read for.
func (p *Policy) Scope() Scope { return p.scope }

// parser reads one policy.
type parser struct {
	source string
	nested bool // a key was found below another
}

// errorf makes an error about a node, with the place as SNS's own parser describes it.
func (p *parser) errorf(n *node, format string, args ...any) error {
	return p.errorAt(n.at, format, args...)
}

// errorBehind is errorf where SNS's parser has read all of the node.
func (p *parser) errorBehind(n *node, format string, args ...any) error {
	return p.errorAt(n.end, format, args...)
}

// errorAfter is errorf where it has gone on from the list's element of that index to what follows it.
func (p *parser) errorAfter(list *node, i int, format string, args ...any) error {
	if i+1 < len(list.elements) {
		return p.errorf(list.elements[i+1], format, args...)
	}
	return p.errorBehind(list, format, args...)
}

func (p *parser) errorAt(offset int, format string, args ...any) error {
	source, more := p.source, ""
	if len(source) > shownSource {
		source, more = source[:shownSource], fmt.Sprintf("[truncated %d chars]", len(source)-shownSource)
	}
	return &Error{
		text:  "FilterPolicy: " + fmt.Sprintf(format, args...),
		place: fmt.Sprintf("\n at [Source: (String)\"%s\"%s; %s]", source, more, position(p.source, offset)),
	}
}

// compact gives the policy without blanks, as errors repeat it.
func compact(text string) string {
	var b bytes.Buffer
	_ = json.Compact(&b, []byte(text)) // it is valid
	return b.String()
}

// tree reads the source, which is valid JSON.
func (p *parser) tree() (*node, error) {
	n, err := readTree(p.source)
	if err != nil {
		return nil, errTooComplex // it is valid, but too deep or too wide
	}
	return n, nil
}

// rules reads an object that stands depth levels below the policy. Every member multiplies the
// alternatives: those of $or by its branches, others by one.
func (p *parser) rules(n *node, prefix string, depth int) (rules []rule, combinations int, err error) {
	if len(n.members) == 0 {
		return nil, 0, p.errorBehind(n, "Empty objects are not allowed")
	}
	p.nested = p.nested || depth > 1
	rules, combinations = []rule{nil}, 1
	for _, m := range n.members {
		var some []rule
		var count int
		switch {
		case isOr(m):
			some, count, err = p.branches(m.value, prefix, depth)
		case m.value.kind == object:
			some, count, err = p.rules(m.value, join(prefix, m.key), depth+1)
		case m.value.kind == array:
			some, count, err = p.values(m.value, join(prefix, m.key), depth)
		default:
			err = p.errorf(m.value, "\"%s\" must be an object or an array", m.key)
		}
		if err != nil {
			return nil, 0, err
		}
		if rules, err = product(rules, some); err != nil {
			return nil, 0, err
		}
		combinations = min(combinations*count, maxCombinations+1)
	}
	return rules, combinations, nil
}

func join(prefix, key string) string {
	if prefix == "" {
		return key
	}
	return prefix + "." + key
}

// reserved are the names that no key has in $or: there they make it a key, with what follows as its values.
var reserved = []string{
	"exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr", "regex",
	"=", "<", "<=", ">", ">=", "not-wildcard", "not-equals-ignore-case", "ip-address-in-range", "ip-address-not-in-range",
	"date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range",
}

// isOr says that a member is alternatives, and not a key by that name.
func isOr(m member) bool {
	if m.key != "$or" || m.value.kind != array || len(m.value.elements) < 2 {
		return false
	}
	for _, branch := range m.value.elements {
		if branch.kind != object || slices.ContainsFunc(branch.members, func(m member) bool { return slices.Contains(reserved, m.key) }) {
			return false
		}
	}
	return true
}

// branches reads the alternatives of $or, which add up.
func (p *parser) branches(n *node, prefix string, depth int) (rules []rule, combinations int, err error) {
	for _, branch := range n.elements {
		some, count, err := p.rules(branch, prefix, depth)
		if err != nil {
			return nil, 0, err
		}
		if rules = append(rules, some...); len(rules) > maxCombinations {
			return nil, 0, errTooComplex
		}
		combinations = min(combinations+count, maxCombinations+1)
	}
	return rules, combinations, nil
}

// values reads the list of what a key may be.
func (p *parser) values(n *node, path string, depth int) ([]rule, int, error) {
	if len(n.elements) == 0 {
		return nil, 0, p.errorBehind(n, "Empty arrays are not allowed")
	}
	if strings.Count(path, ".") > maxDepth {
		return nil, 0, errTooComplex
	}
	c, count := condition{path: path}, 0
	for _, element := range n.elements {
		t, err := p.test(element)
		if err != nil {
			return nil, 0, err
		}
		c.tests = append(c.tests, t)
		count += t.count()
	}
	return []rule{{c}}, min(count*depth, maxCombinations+1), nil
}

// product joins every rule with each of more.
func product(rules, more []rule) ([]rule, error) {
	if len(rules)*len(more) > maxCombinations {
		return nil, errTooComplex
	}
	joined := make([]rule, 0, len(rules)*len(more))
	for _, left := range rules {
		for _, right := range more {
			both := left.and(right)
			if len(both) > maxConditions {
				return nil, errTooComplex
			}
			joined = append(joined, both)
		}
	}
	return joined, nil
}

// and adds conditions. Of two for one path the later counts.
func (r rule) and(more rule) rule {
	kept := slices.DeleteFunc(slices.Clone(r), func(c condition) bool {
		return slices.ContainsFunc(more, func(later condition) bool { return later.path == c.path })
	})
	return append(kept, more...)
}

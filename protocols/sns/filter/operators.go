package filter

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// operator is how a test compares.
type operator byte

const (
	equals operator = iota
	equalsFold
	hasPrefix
	hasSuffix
	matchesGlob
	inRange
	inNetwork
	anythingBut
	exists
	isAbsent
)

// value is a leaf of a message or of a policy: of one kind, and comparable.
type value struct {
	kind   kind   // text, number, literal; unreadable
	text   string // of a number: as it is written, where number does not tell it apart from others
	number float64
}

// unreadable is a value that is there, and that no test passes.
const unreadable kind = array + 1

// test is one of the things that a value may be.
type test struct {
	operator operator
	value    value          // of equals
	text     string         // of those on strings; folded for equalsFold
	glob     []string       // the parts between asterisks
	span     span           // of inRange
	network  netip.Prefix   // of inNetwork
	not      []test         // of anythingBut: what the value must not be
	excluded map[value]bool // the same where these are values
}

// span is a range of numbers.
type span struct {
	low, high         float64
	hasLow, hasHigh   bool
	lowOpen, highOpen bool
}

func (s span) contains(n float64) bool {
	return !(s.hasLow && (n < s.low || s.lowOpen && n == s.low)) && !(s.hasHigh && (n > s.high || s.highOpen && n == s.high))
}

// passes says that a leaf passes the test. isAbsent is not about a leaf.
func (t *test) passes(v value) bool {
	if v.kind == unreadable {
		return false
	}
	switch t.operator {
	case equals:
		return v == t.value
	case equalsFold:
		return v.kind == text && fold(v.text) == t.text
	case hasPrefix:
		return v.kind == text && strings.HasPrefix(v.text, t.text)
	case hasSuffix:
		return v.kind == text && strings.HasSuffix(v.text, t.text)
	case matchesGlob:
		return v.kind == text && glob(t.glob, v.text)
	case inRange:
		return v.kind == number && t.span.contains(v.number)
	case inNetwork:
		addr, err := netip.ParseAddr(v.text)
		return v.kind == text && err == nil && t.network.Contains(addr)
	case anythingBut:
		if t.excluded != nil {
			return !t.excluded[v]
		}
		return !slices.ContainsFunc(t.not, func(not test) bool { return not.passes(v) })
	}
	return t.operator == exists
}

// test reads one element of a key's list.
func (p *parser) test(n *node) (test, error) {
	switch n.kind {
	case array:
		return test{}, p.errorf(n, "Match value must be String, number, true, false, or null")
	case object:
		return p.match(n)
	}
	return exact(n), nil
}

func exact(n *node) test {
	if n.kind == number {
		return test{operator: equals, value: numberOf(n.text)}
	}
	return test{operator: equals, value: value{kind: n.kind, text: n.text}}
}

// match reads an operator and its operand.
func (p *parser) match(n *node) (test, error) {
	if len(n.members) == 0 {
		return test{}, p.errorBehind(n, "Match expression name not found")
	}
	name := n.members[0].key
	t, err := p.operation(name, n.members[0].value)
	if err != nil || len(n.members) == 1 {
		return t, err
	}
	if name == "numeric" || name == "anything-but" && n.members[0].value.kind != object {
		return t, p.errorf(n.members[1].value, "Too many elements in numeric expression")
	}
	return t, p.errorf(n.members[1].value, "Only one key allowed in match expression")
}

func (p *parser) operation(name string, operand *node) (test, error) {
	switch name {
	case "anything-but":
		return p.anythingBut(operand)
	case "numeric":
		return p.numeric(operand)
	case "cidr":
		return p.cidr(operand)
	case "exists":
		if operand.kind == literal && operand.text == "true" {
			return test{operator: exists}, nil
		}
		if operand.kind == literal && operand.text == "false" {
			return test{operator: isAbsent}, nil
		}
		return test{}, p.errorf(operand, "exists match pattern must be either true or false.")
	case "prefix", "suffix", "equals-ignore-case", "wildcard":
		return p.onText(name, operand)
	}
	return test{}, p.errorf(operand, "Unrecognized match type %s", name)
}

// onText reads the operators whose operand is a string.
func (p *parser) onText(name string, operand *node) (test, error) {
	if operand.kind != text {
		return test{}, p.errorf(operand, "%s match pattern must be a string", name)
	}
	switch name {
	case "prefix":
		return test{operator: hasPrefix, text: operand.text}, nil
	case "suffix":
		return test{operator: hasSuffix, text: operand.text}, nil
	case "equals-ignore-case":
		return test{operator: equalsFold, text: fold(operand.text)}, nil
	}
	parts, err := parseGlob(operand.text)
	if err != nil {
		return test{}, p.errorBehind(operand, "%s", err.Error())
	}
	return test{operator: matchesGlob, text: operand.text, glob: parts}, nil
}

// anythingBut reads what a value must not be: a value, a list of strings or of numbers, or one
// operator on strings.
func (p *parser) anythingBut(n *node) (test, error) {
	t := test{operator: anythingBut}
	switch n.kind {
	case text, number:
		t.except(exact(n))
		return t, nil
	case array:
		mixed := len(n.elements) == 0
		for _, element := range n.elements {
			if element.kind != text && element.kind != number {
				return t, p.errorf(element, "Inside anything but list, start|null|boolean is not supported.")
			}
			mixed = mixed || element.kind != n.elements[0].kind
			t.except(exact(element))
		}
		if mixed {
			return t, p.errorBehind(n, "Inside anything but list, either all values are number or string, mixed type is not supported")
		}
		return t, nil
	case object:
		return p.anythingButPattern(n)
	}
	return t, p.errorf(n, "Value of anything-but must be an array or single string/number value.")
}

// anythingButPattern reads one operator on strings, with one pattern or a list.
func (p *parser) anythingButPattern(n *node) (test, error) {
	t := test{operator: anythingBut}
	if len(n.members) == 0 {
		return t, p.errorBehind(n, "Anything-But expression name not found")
	}
	name, operand := n.members[0].key, n.members[0].value
	if name != "prefix" && name != "suffix" && name != "wildcard" {
		return t, p.errorf(operand, "Unsupported anything-but pattern: %s", name)
	}
	patterns := []*node{operand}
	if operand.kind == array {
		patterns = operand.elements
	}
	if len(patterns) == 0 {
		return t, p.errorBehind(operand, "Empty arrays are not allowed")
	}
	for _, pattern := range patterns {
		not, err := p.onText(name, pattern)
		if err != nil {
			return t, err
		}
		t.except(not)
	}
	if len(n.members) > 1 {
		return t, p.errorf(n.members[1].value, "Only one key allowed in match expression")
	}
	return t, nil
}

// except adds to what a value must not be.
func (t *test) except(not test) {
	if t.not = append(t.not, not); not.operator != equals {
		return
	}
	if t.excluded == nil {
		t.excluded = map[value]bool{}
	}
	t.excluded[not.value] = true
}

// count is how many values a test is in the sum that bounds a policy: a list of values to be excluded is looked up,
// one of patterns gone through.
func (t *test) count() int {
	if t.excluded != nil {
		return 1
	}
	return max(1, len(t.not))
}

// numeric reads ["=", n], [">", a] or [">=", a, "<", b] (specs/sns.md 5.5).
func (p *parser) numeric(n *node) (test, error) {
	t := test{operator: inRange}
	if n.kind != array {
		return t, p.errorf(n, "Value of numeric must be an array.")
	}
	if len(n.elements) == 0 {
		return t, p.errorBehind(n, "Invalid member in numeric match: ]")
	}
	first := n.elements[0]
	if first.kind != text {
		return t, p.errorf(first, "Invalid member in numeric match: %s", first)
	}
	if !isComparison(first.text) && first.text != "=" {
		return t, p.errorAfter(n, 0, "Unrecognized numeric range operator: %s", first)
	}
	bound, err := p.bound(n, 1, first.text)
	if err != nil {
		return t, err
	}
	t.span.set(first.text, bound)
	if first.text[0] != '>' {
		if len(n.elements) > 2 {
			return t, p.errorf(n.elements[2], "Too many elements in numeric expression")
		}
		return t, nil
	}
	return t, p.upperBound(n, &t.span)
}

// upperBound reads what follows a lower bound.
func (p *parser) upperBound(n *node, s *span) error {
	if len(n.elements) == 2 {
		return nil
	}
	second := n.elements[2]
	if second.kind != text {
		return p.errorf(second, "Bad value in numeric range: %s", second)
	}
	if !isComparison(second.text) || second.text[0] != '<' {
		return p.errorBehind(second, "Bad numeric range operator: %s", second)
	}
	bound, err := p.bound(n, 3, second.text)
	if err != nil {
		return err
	}
	s.set(second.text, bound)
	if s.low >= s.high {
		return p.errorAfter(n, 3, "Bottom must be less than top")
	}
	if len(n.elements) > 4 {
		return p.errorf(n.elements[4], "Too many terms in numeric range expression")
	}
	return nil
}

func isComparison(s string) bool { return s == "<" || s == "<=" || s == ">" || s == ">=" }

// bound reads the number behind an operator.
func (p *parser) bound(n *node, i int, operator string) (float64, error) {
	if operator == "=" {
		operator = "equals"
	}
	if i >= len(n.elements) {
		return 0, p.errorBehind(n, "Value of %s must be numeric", operator)
	}
	bound := numberOf(n.elements[i].text).number
	if n.elements[i].kind != number || math.IsInf(bound, 0) {
		return 0, p.errorf(n.elements[i], "Value of %s must be numeric", operator)
	}
	return bound, nil
}

func (s *span) set(operator string, bound float64) {
	open := len(operator) == 1 && operator != "="
	if operator[0] != '<' {
		s.low, s.hasLow, s.lowOpen = bound, true, open
	}
	if operator[0] != '>' {
		s.high, s.hasHigh, s.highOpen = bound, true, open
	}
}

var looksLikeAddress = regexp.MustCompile(`^([0-9]+(\.[0-9]+){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*)$`)

func (p *parser) cidr(n *node) (test, error) {
	if n.kind != text {
		return test{}, p.errorf(n, "prefix match pattern must be a string")
	}
	parts := strings.Split(strings.TrimRight(n.text, "/"), "/") // the engine does not see what is empty at the end
	if len(parts) != 2 {
		return test{}, bare("Malformed CIDR, one '/' required")
	}
	bits, err := strconv.Atoi(parts[1])
	if err != nil {
		return test{}, bare("Malformed CIDR, mask bits must be an integer")
	}
	if bits < 0 {
		return test{}, bare("Malformed CIDR, mask bits must not be negative")
	}
	addr, err := netip.ParseAddr(parts[0])
	switch {
	case err != nil && looksLikeAddress.MatchString(parts[0]):
		return test{}, bare("Invalid IP address: " + parts[0])
	case err != nil || addr.Zone() != "":
		return test{}, bare("Nonstandard IP address: " + parts[0])
	}
	network, err := addr.Prefix(bits)
	if err != nil {
		return test{}, bare(fmt.Sprintf("IPv%d mask bits must be < %d", 4+addr.BitLen()/64, addr.BitLen()))
	}
	return test{operator: inNetwork, network: network}, nil
}

// maxAsterisks bounds a wildcard pattern.
const maxAsterisks = 3

// parseGlob takes a pattern apart at its asterisks; \* and \\ stand for themselves. The places in errors count from the
// quote before the pattern.
func parseGlob(pattern string) ([]string, error) {
	var parts []string
	var part strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\':
			if i++; i == len(pattern) || pattern[i] != '*' && pattern[i] != '\\' {
				return nil, errors.New("Invalid escape character at pos " + strconv.Itoa(i))
			}
			part.WriteByte(pattern[i])
		case c == '*' && i > 0 && pattern[i-1] == '*' && part.Len() == 0:
			return nil, errors.New("Consecutive wildcard characters at pos " + strconv.Itoa(i))
		case c == '*':
			parts = append(parts, part.String())
			part.Reset()
		default:
			part.WriteByte(c)
		}
	}
	if parts = append(parts, part.String()); len(parts) > maxAsterisks+1 {
		return nil, errors.New("wildcard match pattern has more than " + strconv.Itoa(maxAsterisks) + " wildcard characters")
	}
	return parts, nil
}

// glob says that a text is the parts with anything in between.
func glob(parts []string, s string) bool {
	if len(parts) == 1 {
		return s == parts[0]
	}
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	if s, ok = strings.CutSuffix(s, parts[last]); !ok {
		return false
	}
	for _, part := range parts[1:last] {
		if _, s, ok = strings.Cut(s, part); !ok {
			return false
		}
	}
	return true
}

// fold gives the same text for all that differ in case only.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
			least = min(least, other)
		}
		return least
	}, s)
}

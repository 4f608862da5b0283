package filter

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/polymq/polymq/core"
)

// maxShownValues bounds the values that an explanation repeats of one key.
const maxShownValues = 10

// Explain tells which of the policy's conditions a message meets, and which not. nil explains as a policy that
// demands nothing.
func (p *Policy) Explain(attributes []core.Attribute, body []byte) core.Explanation {
	if p == nil {
		return core.Explanation{Matches: true}
	}
	s := Compile([]*Policy{p})
	d := s.attributes(attributes)
	if p.scope != MessageBody && len(attributes) == 0 {
		return core.Explanation{Reason: "the message has no attributes"}
	}
	if p.scope == MessageBody {
		var err error
		if d, err = s.body(body); err != nil {
			return core.Explanation{Reason: "the body is not an object of JSON: " + err.Error()}
		}
	}
	explained := core.Explanation{Matches: len(s.match(d)) > 0}
	leaves := map[string][]value{}
	d.root.leaves(leaves)
	for i, r := range p.rules {
		for _, c := range r {
			explained.Findings = append(explained.Findings, c.explain(i+1, leaves))
		}
	}
	return explained
}

// leaves adds the values below a branch by their paths.
func (b *branch) leaves(into map[string][]value) {
	if b.isLeaf() {
		into[b.path] = append(into[b.path], b.value)
		return
	}
	for i := range b.branches {
		b.branches[i].leaves(into)
	}
}

func (c *condition) explain(rule int, leaves map[string][]value) core.Finding {
	f := core.Finding{Rule: rule, Key: c.path}
	wants := make([]string, len(c.tests))
	for i := range c.tests {
		t := &c.tests[i]
		wants[i] = t.describe()
		f.Met = f.Met || t.operator == isAbsent && len(leaves[c.path]) == 0 ||
			t.operator != isAbsent && slices.ContainsFunc(leaves[c.path], t.passes)
	}
	f.Wants = "[" + strings.Join(wants, ", ") + "]"
	for i, v := range leaves[c.path] {
		if i == maxShownValues {
			f.Values = append(f.Values, "…")
			break
		}
		f.Values = append(f.Values, v.describe())
	}
	return f
}

// describe gives a value as JSON writes it.
func (v value) describe() string {
	switch v.kind {
	case number:
		return cmp.Or(v.text, numberText(v.number))
	case literal:
		return v.text
	case unreadable:
		return "?"
	}
	return strconv.Quote(v.text)
}

func numberText(n float64) string { return strconv.FormatFloat(n, 'g', -1, 64) }

// describe gives a test as a policy writes it.
func (t *test) describe() string {
	switch t.operator {
	case equals:
		return t.value.describe()
	case equalsFold:
		return fmt.Sprintf(`{"equals-ignore-case": %q}`, t.text)
	case hasPrefix:
		return fmt.Sprintf(`{"prefix": %q}`, t.text)
	case hasSuffix:
		return fmt.Sprintf(`{"suffix": %q}`, t.text)
	case matchesGlob:
		return fmt.Sprintf(`{"wildcard": %q}`, strings.Join(t.glob, "*"))
	case inRange:
		return `{"numeric": [` + t.span.describe() + `]}`
	case inNetwork:
		return fmt.Sprintf(`{"cidr": %q}`, t.network)
	case isAbsent:
		return `{"exists": false}`
	case anythingBut:
		not := make([]string, len(t.not))
		for i := range t.not {
			not[i] = t.not[i].describe()
		}
		return `{"anything-but": [` + strings.Join(not, ", ") + `]}`
	}
	return `{"exists": true}`
}

func (s span) describe() string {
	var parts []string
	bound := func(operator string, open bool, n float64) {
		if !open {
			operator += "="
		}
		parts = append(parts, strconv.Quote(operator), numberText(n))
	}
	if s.hasLow {
		bound(">", s.lowOpen, s.low)
	}
	if s.hasHigh {
		bound("<", s.highOpen, s.high)
	}
	return strings.Join(parts, ", ")
}

package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// rule is a statement as the naive evaluator reads it.
type rule struct {
	Effect                                   string
	Action, NotAction, Resource, NotResource []string                       `json:",omitempty"`
	Principal, NotPrincipal                  map[string][]string            `json:",omitempty"`
	Condition                                map[string]map[string][]string `json:",omitempty"`
}

// naive decides by one loop over everything, as slowly as it likes: for one account.
type naive struct {
	action, resource string
	keys             map[string][]string
	name             string // of the user
}

func (n *naive) any(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if p = strings.ReplaceAll(p, "${aws:username}", n.name); strings.Contains(p, "${") {
			return false
		}
		return naiveGlob([]rune(p), []rune(text))
	})
}

func (n *naive) lower(list []string) (low []string) {
	for _, text := range list {
		low = append(low, strings.ToLower(text))
	}
	return low
}

func (n *naive) about(r *rule) bool {
	switch {
	case r.Action != nil && !n.any(n.lower(r.Action), strings.ToLower(n.action)):
		return false
	case r.NotAction != nil && n.any(n.lower(r.NotAction), strings.ToLower(n.action)):
		return false
	case r.Resource != nil && !n.any(r.Resource, n.resource):
		return false
	case r.NotResource != nil && n.any(r.NotResource, n.resource):
		return false
	}
	for operator, keys := range r.Condition {
		for key, values := range keys {
			if !n.holds(operator, n.keys[strings.ToLower(key)], values) {
				return false
			}
		}
	}
	return true
}

func (n *naive) holds(operator string, has, wants []string) bool {
	bare, ifExists := strings.CutSuffix(operator, "IfExists")
	set, rest, isSet := strings.Cut(bare, ":")
	if !isSet {
		set, rest = "", bare
	}
	if rest == "Null" {
		return slices.Contains(wants, "true") == (len(has) == 0) // one value, as drawn
	}
	if len(has) == 0 {
		return ifExists || set == "ForAllValues" || set == "" && strings.Contains(rest, "Not")
	}
	one := func(value string) bool {
		for _, want := range wants {
			switch strings.Replace(rest, "Not", "", 1) {
			case "StringEquals":
				if want == value {
					return true
				}
			case "StringLike":
				if naiveGlob([]rune(want), []rune(value)) {
					return true
				}
			}
		}
		return false
	}
	count := 0
	for _, value := range has {
		if one(value) {
			count++
		}
	}
	negated := strings.Contains(rest, "Not")
	switch {
	case set == "ForAllValues" && negated:
		return count == 0
	case set == "ForAllValues":
		return count == len(has)
	case set == "ForAnyValue" && negated:
		return count < len(has)
	case negated:
		return count == 0
	}
	return count > 0
}

// decide is the flow chart of AWS's manual, for a user of the resource's account.
func (n *naive) decide(identity, boundary, session, resource []rule) Outcome {
	allows := map[string]bool{}
	for name, rules := range map[string][]rule{"identity": identity, "boundary": boundary, "session": session, "resource": resource} {
		for i := range rules {
			r := &rules[i]
			if !n.about(r) {
				continue
			}
			direct, account := true, false
			if name == "resource" {
				listed := append(slices.Clone(r.Principal["AWS"]), r.NotPrincipal["AWS"]...)
				direct = slices.Contains(listed, "*") || slices.Contains(listed, "arn:aws:iam::"+mine+":user/"+n.name)
				account = slices.Contains(listed, mine)
				if r.NotPrincipal != nil {
					direct = !slices.Contains(listed, "*") && !(direct && account) || r.Effect == "Deny" && boundary != nil
					account = false
				}
			}
			switch {
			case !direct && !account:
			case r.Effect == "Deny":
				return ExplicitDeny
			case direct:
				allows[name] = true
			}
		}
	}
	if allows["resource"] || allows["identity"] && (boundary == nil || allows["boundary"]) && (session == nil || allows["session"]) {
		return Allowed
	}
	return ImplicitDeny
}

func drawRules(t *rapid.T, resource bool) []rule {
	some := func(name string, from ...string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 1, 3, rapid.ID[string]).Draw(t, name)
	}
	var rules []rule
	for range rapid.IntRange(1, 4).Draw(t, "statements") {
		r := rule{Effect: rapid.SampledFrom([]string{"Allow", "Allow", "Deny"}).Draw(t, "effect")}
		actions := some("actions", "sqs:SendMessage", "SQS:Send*", "sqs:*", "*", "sqs:ReceiveMessage", "sqs:?endMessage", "sns:Publish")
		if rapid.IntRange(0, 4).Draw(t, "not action") == 0 {
			r.NotAction = actions
		} else {
			r.Action = actions
		}
		resources := some("resources", "*", ordersARN, "arn:aws:sqs:*:*:o*s", "arn:aws:sqs:us-east-1:111122223333:${aws:username}", "arn:aws:sqs:*:*:bills", "arn:aws:sqs:us-east-1:111122223333:${aws:none}")
		if rapid.IntRange(0, 4).Draw(t, "not resource") == 0 {
			r.NotResource = resources
		} else {
			r.Resource = resources
		}
		if rapid.Bool().Draw(t, "conditional") {
			r.Condition = map[string]map[string][]string{}
			for range rapid.IntRange(1, 2).Draw(t, "operators") {
				operator := rapid.SampledFrom([]string{"", "ForAllValues:", "ForAnyValue:"}).Draw(t, "set") + rapid.SampledFrom([]string{"StringEquals", "StringNotEquals", "StringLike", "StringNotLike"}).Draw(t, "operator") +
					rapid.SampledFrom([]string{"", "IfExists"}).Draw(t, "if exists")
				values := some("values", "a", "b", "a*", "?", "c")
				if rapid.IntRange(0, 5).Draw(t, "null") == 0 {
					operator, values = "Null", some("null", "true", "false")[:1]
				}
				r.Condition[operator] = map[string][]string{rapid.SampledFrom([]string{"test:One", "test:Many", "test:None"}).Draw(t, "key"): values}
			}
		}
		if resource {
			principals := map[string][]string{"AWS": some("principals", "*", mine, other, "arn:aws:iam::"+mine+":user/orders", "arn:aws:iam::"+mine+":user/bills")}
			if rapid.IntRange(0, 4).Draw(t, "not principal") == 0 {
				r.NotPrincipal = principals
			} else {
				r.Principal = principals
			}
		}
		rules = append(rules, r)
	}
	return rules
}

// TestEvaluateAsNaively compares with an evaluator that has neither index nor memory nor patterns.
func TestEvaluateAsNaively(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string, kind Kind) ([]rule, *Named) {
			if kind != Identity && !rapid.Bool().Draw(t, name) {
				return nil, nil
			}
			rules := drawRules(t, kind == Resource)
			text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": rules})
			if err != nil {
				t.Fatal(err)
			}
			p, err := ParseAWS(string(text), kind)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			return rules, &Named{Name: name, Policy: p}
		}
		identity, i := draw("identity", Identity)
		boundary, b := draw("boundary", Boundary)
		session, s := draw("session", Session)
		resource, q := draw("resource", Resource)
		policies := &Policies{Identity: list(i), Boundary: b, Session: list(s), Resource: q}
		if rapid.Bool().Draw(t, "remember") {
			policies.Remember()
		}
		for range 3 {
			n := &naive{
				action: rapid.SampledFrom([]string{"sqs:SendMessage", "sqs:receivemessage", "sqs:DeleteQueue"}).Draw(t, "action"), resource: rapid.SampledFrom([]string{ordersARN, strings.Replace(ordersARN, "orders", "bills", 1)}).Draw(t, "of"),
				name: rapid.SampledFrom([]string{"orders", "bills", "x"}).Draw(t, "user"),
				keys: map[string][]string{"test:one": {rapid.SampledFrom([]string{"a", "b", "ab"}).Draw(t, "one")}, "test:many": rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3).Draw(t, "many")},
			}
			n.keys["aws:username"] = []string{n.name}
			r := &Request{Principal: user(mine, n.name), Action: n.action, Resource: n.resource, Owner: mine, Keys: keysOf(n.keys)}
			if got, want := Evaluate(r, policies).Outcome, n.decide(identity, boundary, session, resource); got != want {
				t.Fatalf("%+v: got %v, want %v by\nidentity %+v\nboundary %+v\nsession %+v\nresource %+v", n, got, want, identity, boundary, session, resource)
			}
		}
	})
}

// thousands gives policies of so many statements in all, each about a queue of its own, and one that allows.
func thousands(t testing.TB, n int, pattern string) *Policies {
	t.Helper()
	p := &Policies{}
	for n > 0 {
		var statements []string
		for range min(n, 100) {
			n--
			statements = append(statements, fmt.Sprintf(`{"Effect":"Deny","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:*:*:%s%d"}`, pattern, n))
		}
		p.Identity = append(p.Identity, *parse(t, Identity, strings.Join(statements, ",")))
	}
	p.Identity = append(p.Identity, *parse(t, Identity, allowSend))
	return p
}

// Ten thousand statements, wildcards that make a naive matcher slow for years, and texts as long as a request
// can be: all is decided at once.
func TestEvaluateIsBounded(t *testing.T) {
	t.Parallel()
	began := time.Now()
	evil := strings.Repeat("*a", 100) + "*b"
	p := thousands(t, 10_000, strings.Repeat("a*", 30)+"?")
	r := &Request{Principal: user(mine, "Bob"), Action: "sqs:SendMessage", Resource: "arn:aws:sqs:us-east-1:111122223333:" + strings.Repeat("a", 256)}
	if got := Evaluate(r, p).Outcome; got != Allowed {
		t.Errorf("got %v", got)
	}
	long := strings.Repeat("a", 64<<10)
	condition := fmt.Sprintf(`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringLike":{"test:long":[%q,%q]}}}`, evil, strings.Repeat("?*a", 100)+"b")
	p = policies(t, condition+","+allowSend, "", "", "")
	r.Keys = keysOf(map[string][]string{"test:long": {long}})
	if got := Evaluate(r, p).Outcome; got != Allowed {
		t.Errorf("got %v", got)
	}
	if took := time.Since(began); took > time.Minute { // a machine that does much else
		t.Errorf("it took %v", took)
	}
}

// BenchmarkEvaluate is what a decision costs, the first time and when a client asks again.
func BenchmarkEvaluate(b *testing.B) {
	for _, statements := range []int{1, 1000, 10_000} {
		p := thousands(b, statements, "queue")
		p.Remember()
		r := &Request{Principal: user(mine, "Bob"), Action: "sqs:SendMessage", Resource: ordersARN}
		b.Run(fmt.Sprintf("statements=%d/again", statements), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if Evaluate(r, p).Outcome != Allowed {
					b.Fatal("denied")
				}
			}
		})
		b.Run(fmt.Sprintf("statements=%d/first", statements), func(b *testing.B) {
			for b.Loop() {
				for i := range p.Identity {
					clear(p.Identity[i].relevant.known)
				}
				clear(p.relevant.known)
				if Evaluate(r, p).Outcome != Allowed {
					b.Fatal("denied")
				}
			}
		})
	}
}

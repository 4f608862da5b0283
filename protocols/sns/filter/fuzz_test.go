package filter

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
)

// What the naive evaluator, which tries every choice, is spared.
const (
	maxFuzzedText  = 400
	maxFuzzedLeafs = 12
)

// FuzzPolicy reads any text as a policy, and matches any message with what was read: by its body, and by the attributes
// that say the same, as the naive evaluator does.
func FuzzPolicy(f *testing.F) {
	for _, seed := range [][2]string{
		{`{"a":["x",{"prefix":"y"},{"anything-but":{"suffix":["x","y"]}}],"b":[{"numeric":[">=",0,"<",5.5]},null,true]}`, `{"a":"x","b":[1,"1",null]}`},
		{`{"$or":[{"a":{"b":["x"]}},{"a.b":[{"exists":false}]}],"c":[{"wildcard":"a*\\*b*"}]}`, `{"a":[{"b":"x"},{"b":"y"}],"c":"a*b\n"}`},
		{`{"$or":[{"prefix":"x"}],"":[{"equals-ignore-case":"\u212a"}]}`, `{"$or":"xy","":"k"}`},
		{`{"a":[{"cidr":"10.0.0.0/8"},{"cidr":"2001:db8::/32"},{"anything-but":[1,2]}],".":{"a":[1e2]}}`, `{"a":"10.1.2.3","..a":100}`},
		{`{"a":[{"numeric":["=",-0]}]}`, `{"a":0.0}`},
		{`{"a":["x"],"a":[{"exists":true}]}`, `{"a":[],"b":{}}`},
		{`{"a":[9007199254740993],"b":[1e999]}`, `{"a":9007199254740993,"b":1e999}`},
		{`{`, `[`}, {`{}`, `{}`}, {`null`, `null`},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, body string) {
		policy, err := Parse(text, MessageBody)
		if policy != nil && err != nil {
			t.Fatalf("got %v, %v", policy, err)
		}
		if policy == nil {
			return // refused, or it demands nothing
		}
		set := Compile([]*Policy{policy, policy})
		got := set.MatchBody([]byte(body))
		if explained := policy.Explain(nil, []byte(body)); explained.Matches != (len(got) == 2) || len(got) == 1 {
			t.Fatalf("policy %s, message %s: got %v, explained as %+v", text, body, got, explained)
		}
		if !json.Valid([]byte(body)) || !strings.HasPrefix(strings.TrimLeft(body, " \t\r\n"), "{") {
			return
		}
		message := naiveObject(body)
		if len(text) > maxFuzzedText || len(body) > maxFuzzedText {
			return
		}
		body = jsonText(message) // each key once
		var leaves []naiveLeaf
		if naiveFlatten(&leaves, "", "", message, map[string]int{}); len(leaves) > maxFuzzedLeafs || slices.ContainsFunc(policy.rules, func(r rule) bool { return len(r) > maxFuzzedLeafs/2 }) {
			return
		}
		want := naive(text, body)
		if got := len(set.MatchBody([]byte(body))) > 0; got != want {
			t.Fatalf("policy %s, message %s: got %v, want %v", text, body, got, want)
		}
		attributes, told := attributesOf(message)
		if of, err := Parse(text, MessageAttributes); told && err == nil {
			if got := len(Compile([]*Policy{of}).MatchAttributes(attributes)) > 0; got != want {
				t.Fatalf("policy %s, attributes %s: got %v, want %v", text, body, got, want)
			}
		}
	})
}

// attributesOf gives the attributes that say the same as a message's body, where there are such. Those without quotes
// and backslashes are compared in the same way.
func attributesOf(message map[string]any) (attributes []core.Attribute, told bool) {
	for name, v := range message {
		a := core.Attribute{Name: name, Type: "String", Value: []byte(jsonText(v))}
		switch v := v.(type) {
		case string:
			if a.Value = []byte(v); strings.ContainsAny(v, `"\`) {
				return nil, false
			}
		case json.Number:
			a.Type = "Number"
		case []any:
			if a.Type = "String.Array"; slices.ContainsFunc(v, func(element any) bool { return isInner(element) }) {
				return nil, false
			}
		default:
			return nil, false
		}
		attributes = append(attributes, a)
	}
	return attributes, len(attributes) > 0
}

func isInner(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

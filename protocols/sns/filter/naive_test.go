package filter

import (
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestMatchAgainstNaive compares a Set of many policies with an evaluator that reads policy and
// message anew each time and tries every choice of elements.
func TestMatchAgainstNaive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(rapid.Custom(drawPolicy), 1, 8).Draw(t, "policies")
		var policies []*Policy
		var kept []string
		for _, text := range texts {
			p, err := Parse(text, MessageBody)
			if err != nil {
				continue // too many combinations
			}
			policies, kept = append(policies, p), append(kept, text)
		}
		body := jsonText(drawValue(t, 3, true))
		got := Compile(policies).MatchBody([]byte(body))
		for i, text := range kept {
			if want := naive(text, body); slices.Contains(got, i) != want {
				t.Fatalf("policy %s, message %s: got %v, want %v", text, body, !want, want)
			}
		}
	})
}

var names = rapid.SampledFrom([]string{"a", "b", "c", "a.b", "b.c"})

func drawPolicy(t *rapid.T) string { return jsonText(drawKeys(t, 2)) }

func drawKeys(t *rapid.T, depth int) map[string]any {
	keys := map[string]any{}
	for range rapid.IntRange(1, 3).Draw(t, "keys") {
		switch kind := rapid.IntRange(0, 5).Draw(t, "kind"); {
		case kind == 0 && depth > 0:
			keys["$or"] = []any{drawKeys(t, depth-1), drawKeys(t, depth-1)}
		case kind < 3 && depth > 0:
			keys[names.Draw(t, "key")] = drawKeys(t, depth-1)
		default:
			keys[names.Draw(t, "key")] = []any{drawTest(t), drawTest(t)}
		}
	}
	return keys
}

var leaves = rapid.SampledFrom([]any{"x", "xy", "Xy", "yx", "10.0.0.1", "", 0.0, 1.0, 2.5, 2.50000049, json.Number("9007199254740992"), json.Number("9007199254740993"), true, false, nil})

func drawTest(t *rapid.T) any {
	text := rapid.SampledFrom([]string{"x", "y", "xy", "XY"}).Draw(t, "text")
	n := rapid.SampledFrom([]float64{0, 1, 2.5}).Draw(t, "n")
	return rapid.OneOf(leaves, rapid.SampledFrom([]any{
		map[string]any{"prefix": text}, map[string]any{"suffix": text}, map[string]any{"equals-ignore-case": text},
		map[string]any{"wildcard": "*" + text}, map[string]any{"wildcard": text + "*y"},
		map[string]any{"numeric": []any{"=", n}}, map[string]any{"numeric": []any{">", n}}, map[string]any{"numeric": []any{">=", n, "<", n + 2}},
		map[string]any{"exists": true}, map[string]any{"exists": false}, map[string]any{"cidr": "10.0.0.0/8"},
		map[string]any{"anything-but": text}, map[string]any{"anything-but": []any{n, 0.0}},
		map[string]any{"anything-but": map[string]any{"prefix": text}},
	})).Draw(t, "test")
}

func drawValue(t *rapid.T, depth int, top bool) any {
	kind := rapid.IntRange(0, 3).Draw(t, "kind")
	switch {
	case top || kind == 0 && depth > 0:
		members := map[string]any{}
		for range rapid.IntRange(0, 3).Draw(t, "members") {
			members[names.Draw(t, "name")] = drawValue(t, depth-1, false)
		}
		return members
	case kind == 1 && depth > 0:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			list = append(list, drawValue(t, depth-1, false))
		}
		return list
	}
	return leaves.Draw(t, "leaf")
}

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// naiveLeaf is a leaf with the elements of arrays that it stands in, by the array's own path.
type naiveLeaf struct {
	path    string
	value   any
	choices map[string]int
}

func naive(policy, body string) bool {
	keys, message := naiveOrdered(policy), naiveObject(body)
	var all []naiveLeaf
	naiveFlatten(&all, "", "", message, map[string]int{})
	return slices.ContainsFunc(naiveRules(keys, ""), func(wants [][2]any) bool { return naiveMeets(all, wants, map[string]int{}) })
}

// naiveObject reads an object of JSON, numbers as they are written.
func naiveObject(text string) (object map[string]any) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if decoder.Decode(&object) != nil {
		panic("what was drawn is an object of JSON")
	}
	return object
}

// naivePair is a member of an object whose order counts.
type naivePair struct {
	key   string
	value any
}

// naiveOrdered reads an object of JSON as naivePairs, and those in it.
func naiveOrdered(text string) []naivePair {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var read func() any
	token := func() json.Token {
		t, err := decoder.Token()
		if err != nil {
			panic("what was drawn is JSON")
		}
		return t
	}
	read = func() any {
		switch t := token(); t {
		case json.Delim('{'):
			pairs := []naivePair{}
			for decoder.More() {
				key, _ := token().(string)
				pairs = append(pairs, naivePair{key, read()})
			}
			token()
			return pairs
		case json.Delim('['):
			list := []any{}
			for decoder.More() {
				list = append(list, read())
			}
			token()
			return list
		default:
			return t
		}
	}
	return read().([]naivePair)
}

// naiveNumber gives the six decimals that count of a number, and what it is by as many digits as are exact.
func naiveNumber(n json.Number) (f float64, key string) {
	f, err := n.Float64()
	switch {
	case err != nil || math.Abs(f) >= 1<<53:
		return f, n.String()
	case math.Abs(f) <= 5e9:
		f = math.Round(f*1e6) / 1e6
	}
	return f, fmt.Sprint(f + 0) // -0 is 0
}

func naiveEqual(a, b any) bool {
	m, isNumber := a.(json.Number)
	if n, ok := b.(json.Number); isNumber && ok {
		_, left := naiveNumber(m)
		_, right := naiveNumber(n)
		return left == right
	}
	return reflect.DeepEqual(a, b)
}

// naiveFlatten lists the leaves. The place tells arrays of the same path apart.
func naiveFlatten(all *[]naiveLeaf, path, place string, v any, choices map[string]int) {
	switch v := v.(type) {
	case map[string]any:
		for key, member := range v {
			naiveFlatten(all, join(path, key), place+"/"+key, member, choices)
		}
	case []any:
		for i, element := range v {
			chosen := map[string]int{}
			for k, n := range choices {
				chosen[k] = n
			}
			if isInner(element) { // values are not chosen from
				chosen[place] = i
			}
			naiveFlatten(all, path, fmt.Sprintf("%s#%d", place, i), element, chosen)
		}
	default:
		*all = append(*all, naiveLeaf{path, v, choices})
	}
}

// naiveRules gives each alternative as a list of path and tests.
func naiveRules(keys []naivePair, prefix string) [][][2]any {
	rules := [][][2]any{nil}
	for _, pair := range keys {
		path := join(prefix, pair.key)
		var more [][][2]any
		switch value := pair.value.(type) {
		case []naivePair:
			more = naiveRules(value, path)
		case []any:
			if more = [][][2]any{{{path, value}}}; pair.key == "$or" && naiveIsOr(value) {
				more = nil
				for _, branch := range value {
					more = append(more, naiveRules(branch.([]naivePair), prefix)...)
				}
			}
		}
		var joined [][][2]any
		for _, left := range rules {
			for _, right := range more {
				later := map[any]bool{}
				for _, want := range right {
					later[want[0]] = true
				}
				both := slices.Clone(right)
				for _, want := range left {
					if !later[want[0]] {
						both = append(both, want)
					}
				}
				joined = append(joined, both)
			}
		}
		rules = joined
	}
	return rules
}

// naiveIsOr says that a list is two objects or more, none with a word for operators as a key.
func naiveIsOr(list []any) bool {
	words := regexp.MustCompile(`^(exactly|prefix|suffix|(not-)?equals-ignore-case|anything-but|exists|(not-)?wildcard|numeric|cidr|regex|[<>]?=|[<>]|(in-)?date-.*|ip-address-(not-)?in-range)$`)
	for _, branch := range list {
		pairs, is := branch.([]naivePair)
		if !is || slices.ContainsFunc(pairs, func(p naivePair) bool { return words.MatchString(p.key) }) {
			return false
		}
	}
	return len(list) > 1
}

// naiveMeets tries every leaf for the first condition, then the rest.
func naiveMeets(all []naiveLeaf, wants [][2]any, chosen map[string]int) bool {
	if len(wants) == 0 {
		return true
	}
	path, tests := wants[0][0].(string), wants[0][1].([]any)
	there := false
	for _, leaf := range all {
		if leaf.path != path {
			continue
		}
		there = true
		next, fits := map[string]int{}, true
		for k, n := range chosen {
			next[k] = n
		}
		for k, n := range leaf.choices {
			if other, ok := next[k]; ok && other != n {
				fits = false
			}
			next[k] = n
		}
		if fits && slices.ContainsFunc(tests, func(test any) bool { return naivePasses(test, leaf.value) }) && naiveMeets(all, wants[1:], next) {
			return true
		}
	}
	wantsAbsence := slices.ContainsFunc(tests, func(test any) bool { return reflect.DeepEqual(test, []naivePair{{"exists", false}}) })
	return !there && wantsAbsence && naiveMeets(all, wants[1:], chosen)
}

func naivePasses(test, v any) bool {
	operators, ok := test.([]naivePair)
	if !ok {
		return naiveEqual(test, v)
	}
	text, isText := v.(string)
	n, isNumber := v.(json.Number)
	for _, pair := range operators {
		operand := pair.value
		switch pair.key {
		case "exists":
			return operand == true
		case "prefix":
			return isText && strings.HasPrefix(text, operand.(string))
		case "suffix":
			return isText && strings.HasSuffix(text, operand.(string))
		case "equals-ignore-case":
			return isText && strings.EqualFold(text, operand.(string))
		case "wildcard":
			return isText && naiveGlob(operand.(string)).MatchString(text)
		case "cidr":
			addr, err := netip.ParseAddr(text)
			return isText && err == nil && naiveNetwork(operand.(string)).Contains(addr)
		case "numeric":
			return isNumber && naiveInRange(operand.([]any), n)
		case "anything-but":
			if inner, ok := operand.([]naivePair); ok {
				return !slices.ContainsFunc(naiveEach(inner), func(one any) bool { return naivePasses(one, v) })
			}
			list, ok := operand.([]any)
			if !ok {
				list = []any{operand}
			}
			return !slices.ContainsFunc(list, func(not any) bool { return naiveEqual(not, v) })
		}
	}
	panic("an operator that is not drawn")
}

// naiveGlob turns a wildcard into a regular expression. Two characters that begin with a backslash stand for the second.
func naiveGlob(pattern string) *regexp.Regexp {
	all := regexp.MustCompile(`(?s)\\.|.`).ReplaceAllStringFunc(pattern, func(c string) string {
		if c == "*" {
			return ".*"
		}
		return regexp.QuoteMeta(c[len(c)-len(strings.TrimPrefix(c, `\`)):])
	})
	return regexp.MustCompile("(?s)^" + all + "$")
}

func naiveNetwork(text string) netip.Prefix {
	address, mask, _ := strings.Cut(text, "/")
	bits, err := strconv.Atoi(mask)
	if err != nil {
		panic(err)
	}
	return netip.PrefixFrom(netip.MustParseAddr(address), bits)
}

// naiveEach gives an operator once for each operand of a list.
func naiveEach(operators []naivePair) (each []any) {
	for _, pair := range operators {
		list, ok := pair.value.([]any)
		if !ok {
			list = []any{pair.value}
		}
		for _, one := range list {
			each = append(each, []naivePair{{pair.key, one}})
		}
	}
	return each
}

func naiveInRange(terms []any, number json.Number) bool {
	n, _ := naiveNumber(number)
	for i := 0; i < len(terms); i += 2 {
		bound, _ := naiveNumber(terms[i+1].(json.Number))
		inside := map[string]bool{"=": n == bound, "<": n < bound, "<=": n <= bound, ">": n > bound, ">=": n >= bound}
		if !inside[terms[i].(string)] {
			return false
		}
	}
	return true
}

package policy

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// condition is one key of one operator.
type condition struct {
	key      string // in lower case
	operator *operator
	set      setOperator
	ifExists bool
	isNull   bool // of Null: there must be no value, or else there must be one
	operands []operand
}

// setOperator says how many of a key's values count.
type setOperator int

const (
	plainSet     setOperator = iota
	forAllValues             // all that there are
	forAnyValue              // at least one
)

// operator compares the value of a key with those of the policy.
type operator struct {
	read    func(text string, variables bool) (operand, error)
	match   func(o *operand, r *Request, value string) bool
	negated bool
}

// operand is a value of the policy, as its operator needs it.
type operand struct {
	pattern
	number float64
	time   time.Time
	net    netip.Prefix
	bytes  []byte
}

// operators are those of both clouds, by their names without ForAllValues:, ForAnyValue: and IfExists.
var operators = map[string]*operator{
	"StringEquals":              {readText, equals, false},
	"StringNotEquals":           {readText, equals, true},
	"StringEqualsIgnoreCase":    {readText, equalsFold, false},
	"StringNotEqualsIgnoreCase": {readText, equalsFold, true},
	"StringLike":                {readPattern, like, false},
	"StringNotLike":             {readPattern, like, true},
	"ArnEquals":                 {readPattern, arnLike, false},
	"ArnNotEquals":              {readPattern, arnLike, true},
	"ArnLike":                   {readPattern, arnLike, false},
	"ArnNotLike":                {readPattern, arnLike, true},
	"NumericEquals":             {readNumber, number(isEqual), false},
	"NumericNotEquals":          {readNumber, number(isEqual), true},
	"NumericLessThan":           {readNumber, number(isLess), false},
	"NumericLessThanEquals":     {readNumber, number(isAtMost), false},
	"NumericGreaterThan":        {readNumber, number(isMore), false},
	"NumericGreaterThanEquals":  {readNumber, number(isAtLeast), false},
	"DateEquals":                {readDate, date(isEqual), false},
	"DateNotEquals":             {readDate, date(isEqual), true},
	"DateLessThan":              {readDate, date(isLess), false},
	"DateLessThanEquals":        {readDate, date(isAtMost), false},
	"DateGreaterThan":           {readDate, date(isMore), false},
	"DateGreaterThanEquals":     {readDate, date(isAtLeast), false},
	"Bool":                      {readBool, equalsFold, false},
	"BinaryEquals":              {readBinary, sameBytes, false},
	"IpAddress":                 {readNetwork, inNetwork, false},
	"NotIpAddress":              {readNetwork, inNetwork, true},
	"Null":                      {read: readBool},
}

// Comparisons, as what Compare gives.
func isEqual(c int) bool   { return c == 0 }
func isLess(c int) bool    { return c < 0 }
func isAtMost(c int) bool  { return c <= 0 }
func isMore(c int) bool    { return c > 0 }
func isAtLeast(c int) bool { return c >= 0 }

// holds says that the condition holds for a request.
func (c *condition) holds(r *Request) bool {
	values := r.values(c.key)
	switch {
	case c.operator.match == nil: // Null
		return (len(values) == 0) == c.isNull
	case len(values) == 0 && c.ifExists:
		return true
	case len(values) == 0 && c.set == plainSet:
		return c.operator.negated
	}
	matches := func(value string) bool {
		return slices.ContainsFunc(c.operands, func(o operand) bool { return c.operator.match(&o, r, value) })
	}
	fits := func(value string) bool { return matches(value) != c.operator.negated }
	switch c.set {
	case forAllValues:
		return !slices.ContainsFunc(values, func(value string) bool { return !fits(value) })
	case forAnyValue:
		return slices.ContainsFunc(values, fits)
	}
	return slices.ContainsFunc(values, matches) != c.operator.negated
}

// parseConditions reads a Condition.
func parseConditions(value any, variables bool) (list []condition, err error) {
	block, ok := value.(*object)
	if !ok {
		return nil, malformed("a Condition must be an object")
	}
	for _, m := range block.members {
		c, null, err := parseOperator(m.name)
		if err != nil {
			return nil, err
		}
		keys, ok := m.value.(*object)
		if !ok {
			return nil, malformed("the condition %.64s must be an object of keys and values", m.name)
		}
		for _, k := range keys.members {
			c := c
			if c.key = strings.ToLower(k.name); !strings.Contains(c.key, ":") {
				return nil, malformed("Conditions must be prefaced by a vendor: %.128q", k.name)
			}
			if c.operands, err = c.operator.readAll(m.name, k.value, variables); err != nil {
				return nil, err
			}
			c.isNull = null && slices.ContainsFunc(c.operands, func(o operand) bool { return o.text == "true" })
			list = append(list, c)
		}
	}
	return list, nil
}

// parseOperator reads the name of an operator.
func parseOperator(name string) (c condition, null bool, err error) {
	bare := name
	for prefix, set := range map[string]setOperator{"ForAllValues:": forAllValues, "ForAnyValue:": forAnyValue} {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			bare, c.set = rest, set
		}
	}
	bare, c.ifExists = strings.CutSuffix(bare, "IfExists")
	null = bare == "Null"
	if c.operator = operators[bare]; c.operator == nil || null && (c.ifExists || c.set != plainSet) {
		return c, null, malformed("Invalid Condition type : %.64s", name)
	}
	return c, null, nil
}

// readAll reads the values of a key: one, or a list of them, as texts, numbers or booleans.
func (o *operator) readAll(name string, value any, variables bool) ([]operand, error) {
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	operands := make([]operand, 0, len(list))
	for _, value := range list {
		var text string
		switch value := value.(type) {
		case string:
			text = value
		case json.Number:
			text = value.String()
		case bool:
			text = strconv.FormatBool(value)
		default:
			return nil, malformed("the values of the condition %.64s must be strings", name)
		}
		operand, err := o.read(text, variables)
		if err != nil {
			return nil, err
		}
		operands = append(operands, operand)
	}
	return operands, nil
}

func readText(text string, variables bool) (o operand, err error) {
	if o.text = text; variables {
		o.pattern, err = newText(text, func(literal string) string { return literal })
	}
	return o, err
}

func readPattern(text string, variables bool) (o operand, err error) {
	o.pattern, err = newPattern(text, variables)
	return o, err
}

func equals(o *operand, r *Request, value string) bool {
	text, ok := o.fill(r)
	return ok && text == value
}

func equalsFold(o *operand, r *Request, value string) bool {
	text, ok := o.fill(r)
	return ok && strings.EqualFold(text, value)
}

func like(o *operand, r *Request, value string) bool { return o.matchFor(r, value) }

// arnParts is how many parts an ARN has; the last may have colons.
const arnParts = 6

// arnLike compares the parts of an ARN one by one, so that a wildcard keeps within its own.
func arnLike(o *operand, r *Request, value string) bool {
	text, ok := o.fill(r)
	if !ok {
		return false
	}
	want := strings.SplitN(text, ":", arnParts)
	got := strings.SplitN(value, ":", len(want))
	if len(got) < len(want) || len(want) < arnParts && !strings.HasSuffix(text, anyText) { // a star at the end leaves open what follows
		return false
	}
	for i := range want {
		if !glob(want[i], got[i]) {
			return false
		}
	}
	return true
}

func readBool(text string, _ bool) (o operand, err error) {
	if o.text = strings.ToLower(text); o.text != "true" && o.text != "false" {
		err = malformed("%.64q must be true or false", text)
	}
	return o, err
}

func readNumber(text string, _ bool) (o operand, err error) {
	if o.number, err = strconv.ParseFloat(text, 64); err != nil || math.IsNaN(o.number) || math.IsInf(o.number, 0) {
		return o, malformed("%.64q must be a number", text)
	}
	return o, nil
}

func number(fits func(int) bool) func(*operand, *Request, string) bool {
	return func(o *operand, _ *Request, value string) bool {
		n, err := strconv.ParseFloat(value, 64)
		switch {
		case err != nil || math.IsNaN(n):
			return false
		case n < o.number:
			return fits(-1)
		case n > o.number:
			return fits(1)
		}
		return fits(0)
	}
}

// dateLayouts are the forms of ISO 8601 in use.
var dateLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02", "2006-01", "2006"}

// parseDate reads a time: of ISO 8601, or seconds since 1970.
func parseDate(text string) (time.Time, bool) {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && len(text) > len("2006") {
		return time.Unix(seconds, 0), true
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func readDate(text string, _ bool) (o operand, err error) {
	var ok bool
	if o.time, ok = parseDate(text); !ok {
		return o, malformed("%.64q must be a date as 2026-01-31T12:00:00Z", text)
	}
	return o, nil
}

func date(fits func(int) bool) func(*operand, *Request, string) bool {
	return func(o *operand, _ *Request, value string) bool {
		t, ok := parseDate(value)
		return ok && fits(t.Compare(o.time))
	}
}

func readNetwork(text string, _ bool) (o operand, err error) {
	if o.net, err = netip.ParsePrefix(text); err != nil {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return o, malformed("%.64q must be an address, or a network as 10.0.0.0/8", text)
		}
		o.net = netip.PrefixFrom(addr, addr.BitLen())
	}
	return o, nil
}

func inNetwork(o *operand, _ *Request, value string) bool {
	addr, err := netip.ParseAddr(value)
	return err == nil && o.net.Contains(addr.Unmap().WithZone(""))
}

func readBinary(text string, _ bool) (o operand, err error) {
	if o.bytes, err = base64.StdEncoding.DecodeString(text); err != nil {
		return o, malformed("%.64q must be base64", text)
	}
	return o, nil
}

func sameBytes(o *operand, _ *Request, value string) bool {
	got, err := base64.StdEncoding.DecodeString(value)
	return err == nil && bytes.Equal(got, o.bytes)
}

package filter

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
)

func TestMatchAttributes(t *testing.T) {
	t.Parallel()
	attribute := func(name, kind, value string) core.Attribute {
		return core.Attribute{Name: name, Type: kind, Value: []byte(value)}
	}
	tests := map[string]struct {
		policy     string
		attributes []core.Attribute
		want       bool
	}{
		"equal":                         {`{"a":["x"]}`, []core.Attribute{attribute("a", "String", "x")}, true},
		"not equal":                     {`{"a":["x"]}`, []core.Attribute{attribute("a", "String", "y")}, false},
		"a label":                       {`{"a":["x"]}`, []core.Attribute{attribute("a", "String.label", "x")}, true},
		"all keys":                      {`{"a":["x"],"b":["y"]}`, []core.Attribute{attribute("a", "String", "x")}, false},
		"others do not matter":          {`{"a":["x"]}`, []core.Attribute{attribute("a", "String", "x"), attribute("b", "String", "y")}, true},
		"names have a case":             {`{"a":["x"]}`, []core.Attribute{attribute("A", "String", "x")}, false},
		"dots are part of a name":       {`{"a.b":["x"]}`, []core.Attribute{attribute("a.b", "String", "x")}, true},
		"number":                        {`{"a":[301.5]}`, []core.Attribute{attribute("a", "Number", "3.015e2")}, true},
		"number with a zero":            {`{"a":[10]}`, []core.Attribute{attribute("a", "Number", "10.0")}, true},
		"number against text":           {`{"a":["10"]}`, []core.Attribute{attribute("a", "Number", "10")}, false},
		"text against number":           {`{"a":[10]}`, []core.Attribute{attribute("a", "String", "10")}, false},
		"range":                         {`{"a":[{"numeric":[">",0,"<=",5]}]}`, []core.Attribute{attribute("a", "Number", "5")}, true},
		"out of a range":                {`{"a":[{"numeric":[">",0,"<=",5]}]}`, []core.Attribute{attribute("a", "Number", "0")}, false},
		"range against text":            {`{"a":[{"numeric":[">",0]}]}`, []core.Attribute{attribute("a", "String", "5")}, false},
		"range against no number":       {`{"a":[{"numeric":[">",0]}]}`, []core.Attribute{attribute("a", "Number", "NaN")}, false},
		"range against hexadecimal":     {`{"a":[{"numeric":[">",0]}]}`, []core.Attribute{attribute("a", "Number", "0x1p4")}, false},
		"array":                         {`{"a":["y"]}`, []core.Attribute{attribute("a", "String.Array", `["x","y"]`)}, true},
		"array of numbers":              {`{"a":[2]}`, []core.Attribute{attribute("a", "String.Array", `["x",2,true]`)}, true},
		"array of literals":             {`{"a":[null]}`, []core.Attribute{attribute("a", "String.Array", `[null]`)}, true},
		"array that is an object":       {`{"a":["x",{"exists":true},{"exists":false}]}`, []core.Attribute{attribute("a", "String.Array", `{"a":"x"}`)}, false},
		"array that is a number":        {`{"a":[100,500]}`, []core.Attribute{attribute("a", "String.Array", "100")}, true}, // so recorded, as the next
		"array that is a word":          {`{"a":[100]}`, []core.Attribute{attribute("a", "String.Array", "one hundred")}, false},
		"array that is a text":          {`{"a":["x"]}`, []core.Attribute{attribute("a", "String.Array", `"x"`)}, true},
		"array that is another text":    {`{"a":["y",{"exists":false}]}`, []core.Attribute{attribute("a", "String.Array", `"x"`)}, false},
		"array and more":                {`{"a":[100]}`, []core.Attribute{attribute("a", "String.Array", "100 100")}, false},
		"Number.Array":                  {`{"a":[{"anything-but":[100,500]}]}`, []core.Attribute{attribute("a", "Number.Array", "[100, 50]")}, true},
		"Number.Array, all excluded":    {`{"a":[{"anything-but":[100,500]}]}`, []core.Attribute{attribute("a", "Number.Array", "[100, 500]")}, false},
		"another label of numbers":      {`{"a":[5]}`, []core.Attribute{attribute("a", "Number.int", "5")}, true},
		"array that is no JSON":         {`{"a":[{"anything-but":"z"}]}`, []core.Attribute{attribute("a", "String.Array", `["x"`)}, false},
		"array without elements":        {`{"a":[{"exists":false}]}`, []core.Attribute{attribute("a", "String.Array", `[]`)}, true},
		"anything-but":                  {`{"a":[{"anything-but":["x","y"]}]}`, []core.Attribute{attribute("a", "String", "z")}, true},
		"anything-but, one of them":     {`{"a":[{"anything-but":["x","y"]}]}`, []core.Attribute{attribute("a", "String", "y")}, false},
		"anything-but, absent":          {`{"a":[{"anything-but":"x"}]}`, nil, false},
		"anything-but in an array":      {`{"a":[{"anything-but":"rugby"}]}`, []core.Attribute{attribute("a", "String.Array", `["rugby","baseball"]`)}, true},
		"anything-but a number, a text": {`{"a":[{"anything-but":5}]}`, []core.Attribute{attribute("a", "String", "5")}, true},
		"anything-but a prefix":         {`{"a":[{"anything-but":{"prefix":"or"}}]}`, []core.Attribute{attribute("a", "String", "order")}, false},
		"anything-but a wildcard":       {`{"a":[{"anything-but":{"wildcard":"*d*"}}]}`, []core.Attribute{attribute("a", "String", "order")}, false},
		"exists":                        {`{"a":[{"exists":true}]}`, []core.Attribute{attribute("a", "Number", "1")}, true},
		"exists not":                    {`{"a":[{"exists":true}]}`, nil, false},
		"absent":                        {`{"a":[{"exists":false}]}`, []core.Attribute{attribute("b", "String", "x")}, true},
		"absent, as all are":            {`{"a":[{"exists":false}]}`, nil, false},                                              // so documented
		"quotes escaped once":           {`{"a":["say \"x\""]}`, []core.Attribute{attribute("a", "String", `say "x"`)}, false}, // so documented
		"quotes escaped twice":          {`{"a":["say \\\"x\\\""]}`, []core.Attribute{attribute("a", "String", `say "x"`)}, true},
		"backslash escaped once":        {`{"a":["C:\\x"]}`, []core.Attribute{attribute("a", "String", `C:\x`)}, false},
		"backslash escaped twice":       {`{"a":["C:\\\\x"]}`, []core.Attribute{attribute("a", "String", `C:\x`)}, true},
		"backslash in an array":         {`{"a":["C:\\x"]}`, []core.Attribute{attribute("a", "String.Array", `["C:\\x"]`)}, true},
		"not absent":                    {`{"a":[{"exists":false}]}`, []core.Attribute{attribute("a", "String", "x")}, false},
		"binary is as if absent":        {`{"a":[{"exists":false}]}`, []core.Attribute{attribute("a", "Binary", "x")}, true},
		"null is not absent":            {`{"a":[null]}`, nil, false},
		"prefix":                        {`{"a":[{"prefix":"ab"}]}`, []core.Attribute{attribute("a", "String", "ab")}, true},
		"prefix longer than the text":   {`{"a":[{"prefix":"abc"}]}`, []core.Attribute{attribute("a", "String", "ab")}, false},
		"suffix":                        {`{"a":[{"suffix":"b"}]}`, []core.Attribute{attribute("a", "String", "ab")}, true},
		"any case":                      {`{"a":[{"equals-ignore-case":"STRASSE é K"}]}`, []core.Attribute{attribute("a", "String", "strasse É \u212a")}, true},
		"wildcard":                      {`{"a":[{"wildcard":"a*b*d"}]}`, []core.Attribute{attribute("a", "String", "axxbcbd")}, true},
		"wildcard, parts overlap":       {`{"a":[{"wildcard":"ab*ba"}]}`, []core.Attribute{attribute("a", "String", "aba")}, false},
		"wildcard, escaped":             {`{"a":[{"wildcard":"a\\*b*"}]}`, []core.Attribute{attribute("a", "String", "a*bc")}, true},
		"wildcard, escaped is no other": {`{"a":[{"wildcard":"a\\*b"}]}`, []core.Attribute{attribute("a", "String", "axb")}, false},
		"network":                       {`{"a":[{"cidr":"10.1.0.0/16"}]}`, []core.Attribute{attribute("a", "String", "10.1.255.3")}, true},
		"another network":               {`{"a":[{"cidr":"10.1.0.0/16"}]}`, []core.Attribute{attribute("a", "String", "10.2.0.1")}, false},
		"network of version 6":          {`{"a":[{"cidr":"2001:db8::/32"}]}`, []core.Attribute{attribute("a", "String", "2001:db8:1::7")}, true},
		"network, no address":           {`{"a":[{"cidr":"10.1.0.0/16"}]}`, []core.Attribute{attribute("a", "String", "10.1")}, false},
		"$or, first":                    {`{"$or":[{"a":["x"]},{"b":["y"]}],"c":["z"]}`, []core.Attribute{attribute("a", "String", "x"), attribute("c", "String", "z")}, true},
		"$or, none":                     {`{"$or":[{"a":["x"]},{"b":["y"]}],"c":["z"]}`, []core.Attribute{attribute("c", "String", "z")}, false},
		"$or, without the rest":         {`{"$or":[{"a":["x"]},{"b":["y"]}],"c":["z"]}`, []core.Attribute{attribute("b", "String", "y")}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := len(compile(t, MessageAttributes, tt.policy).MatchAttributes(tt.attributes)) == 1; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestMatchBody(t *testing.T) {
	t.Parallel()
	const s3 = `{"Records":[{"eventName":"ObjectCreated:Put","s3":{"object":{"key":"auto-1"}}},{"eventName":"ObjectRemoved:Delete","s3":{"object":{"key":"manual-1"}}}]}`
	tests := map[string]struct {
		policy, body string
		want         bool
	}{
		"below":                          {`{"a":{"b":["x"]}}`, `{"a":{"b":"x"}}`, true},
		"dots in the policy":             {`{"a.b":["x"]}`, `{"a":{"b":"x"}}`, true},
		"dots in the message":            {`{"a":{"b":["x"]}}`, `{"a.b":"x"}`, true},
		"dots in both":                   {`{"a.b":{"c":["x"]}}`, `{"a":{"b.c":"x"}}`, true},
		"a leaf above":                   {`{"a":{"b":["x"]}}`, `{"a":"x"}`, false},
		"an object where a leaf is":      {`{"a":["x"]}`, `{"a":{"b":"x"}}`, false},
		"literals":                       {`{"a":[null],"b":[true]}`, `{"a":null,"b":true}`, true},
		"a literal is no text":           {`{"b":["true"]}`, `{"b":true}`, false},
		"anything-but against null":      {`{"a":[{"anything-but":"x"}]}`, `{"a":null}`, true},
		"exists on a leaf":               {`{"a":[{"exists":true}]}`, `{"a":{"b":1}}`, false},
		"exists on null":                 {`{"a":[{"exists":true}]}`, `{"a":null}`, true},
		"an empty array is absent":       {`{"a":[{"exists":false}]}`, `{"a":[]}`, true},
		"array":                          {`{"a":["y"]}`, `{"a":["x","y"]}`, true},
		"array in an array":              {`{"a":["y"]}`, `{"a":[["x"],[["y"]]]}`, true},
		"array of objects":               {`{"a":{"b":["y"]}}`, `{"a":[{"b":"x"},{"b":"y"}]}`, true},
		"one record":                     {`{"Records":{"eventName":[{"prefix":"ObjectCreated"}],"s3":{"object":{"key":[{"prefix":"auto"}]}}}}`, s3, true},
		"two records":                    {`{"Records":{"eventName":[{"prefix":"ObjectCreated"}],"s3":{"object":{"key":[{"prefix":"manual"}]}}}}`, s3, false},
		"a value beside an object":       {`{"a":["x"],"a.b":["y"]}`, `{"a":["x",{"b":"y"}]}`, true},
		"values beside an object":        {`{"a":["x"],"a.b":["y"]}`, `{"a":["w",{"b":"y"},"x",{"b":"z"}]}`, true},
		"a value in another element":     {`{"a":{"b":["x"],"c":["y"]}}`, `{"a":[{"b":["x","z"]},{"c":["y"]}]}`, false},
		"independent arrays":             {`{"a":["x"],"b":["y"]}`, `{"a":["w","x"],"b":["y","z"]}`, true},
		"absent beside an array":         {`{"a":{"b":["x"],"c":[{"exists":false}]}}`, `{"a":[{"b":"w"},{"b":"x"}]}`, true},
		"absent in one element only":     {`{"a":{"b":["x"],"c":[{"exists":false}]}}`, `{"a":[{"b":"x"},{"c":"x"}]}`, false},
		"$or below":                      {`{"a":{"$or":[{"b":["x"]},{"c":["y"]}]}}`, `{"a":{"c":"y"}}`, true},
		"$or with operators is a key":    {`{"$or":[{"numeric":["=",123]},{"prefix":"abc"}]}`, `{"$or":"abcd"}`, true},
		"$or with operators, a number":   {`{"$or":[{"numeric":["=",123]},{"prefix":"abc"}]}`, `{"$or":123}`, true},
		"$or with operators, nothing":    {`{"$or":[{"numeric":["=",123]},{"prefix":"abc"}]}`, `{"prefix":"abc"}`, false},
		"a path twice, by the first":     {`{"a":{"b":["x"]},"a.b":["y"]}`, `{"a":{"b":"x"}}`, false},
		"a path twice, by the last":      {`{"a":{"b":["x"]},"a.b":["y"]}`, `{"a":{"b":"y"}}`, true},
		"a path again in $or":            {`{"a":["x"],"$or":[{"a":["y"]},{"b":["z"]}]}`, `{"a":"y"}`, true},
		"a path again in $or, elsewhere": {`{"a":["x"],"$or":[{"a":["y"]},{"b":["z"]}]}`, `{"a":"y","b":"z"}`, true},
		"a path not again in a branch":   {`{"a":["x"],"$or":[{"a":["y"]},{"b":["z"]}]}`, `{"a":"w","b":"z"}`, false},
		"a path again behind $or":        {`{"$or":[{"a":["x"]},{"b":["z"]}],"a":["y"]}`, `{"a":"x"}`, false},
		"a key twice, both hold":         {`{"a":{"b":["x"]},"a":{"c":["y"]}}`, `{"a":{"c":"y"}}`, false},
		"a key twice, together":          {`{"a":{"b":["x"]},"a":{"c":["y"]}}`, `{"a":{"b":"x","c":"y"}}`, true},
		"a key twice, the last":          {`{"a":["x"],"a":["y"]}`, `{"a":"x"}`, false},
		"$or twice":                      {`{"$or":[{"a":["x"]},{"b":["x"]}],"$or":[{"c":["x"]},{"d":["x"]}]}`, `{"a":"x","d":"x"}`, true},
		"$or twice, one of them":         {`{"$or":[{"a":["x"]},{"b":["x"]}],"$or":[{"c":["x"]},{"d":["x"]}]}`, `{"c":"x","d":"x"}`, false},
		"not JSON":                       {`{"a":[{"exists":false}]}`, `hello`, false},
		"no object":                      {`{"a":[{"exists":false}]}`, `["a"]`, false},
		"cut off":                        {`{"a":["x"]}`, `{"a":"x"`, false},
		"broken behind what is asked":    {`{"a":["x"]}`, `{"a":"x","b":nope}`, false},
		"more behind":                    {`{"a":["x"]}`, `{"a":"x"} {}`, false},
		"deeper than is looked at":       {`{"a":["x"]}`, `{"a":` + strings.Repeat("[", maxNesting+1) + `"x"` + strings.Repeat("]", maxNesting+1) + `}`, false},
		"deep where nothing is asked":    {`{"a":["x"]}`, `{"b":` + strings.Repeat("[", 2*maxNesting) + strings.Repeat("]", 2*maxNesting) + `,"a":"x"}`, true},
		"number out of range is present": {`{"a":[{"exists":false}]}`, `{"a":1e999}`, false},
		"number out of range exists":     {`{"a":[{"exists":true}],"b":[{"anything-but":1}]}`, `{"a":1e999,"b":-1e999}`, true},
		"number out of range, equal":     {`{"a":[1e999]}`, `{"a":1e999}`, true},
		"number out of range, not equal": {`{"a":[1e999]}`, `{"a":2e999}`, false},
		"numbers by six decimals":        {`{"a":[100.123456789]}`, `{"a":100.1234567}`, true}, // so recorded, as the next two
		"numbers by the sixth decimal":   {`{"a":[100.123456789]}`, `{"a":100.1234561}`, false},
		"six decimals in an array":       {`{"a":[100.123456789,500]}`, `{"a":[100.1234567,50]}`, true},
		"numeric by six decimals":        {`{"a":[{"numeric":["=",100.123456789]}]}`, `{"a":100.1234567}`, true},
		"a range by six decimals":        {`{"a":[{"numeric":[">",0.1234567]}]}`, `{"a":0.1234569}`, false},
		"anything-but by six decimals":   {`{"a":[{"anything-but":100.123456789}]}`, `{"a":100.1234567}`, false},
		"neighbours of 16 digits":        {`{"a":[9007199254740993]}`, `{"a":9007199254740992}`, false},
		"a number of 20 digits":          {`{"a":[12345678901234567891]}`, `{"a":12345678901234567891}`, true},
		"neighbours of 20 digits":        {`{"a":[12345678901234567891]}`, `{"a":12345678901234567890}`, false},
		"a number of 12 digits":          {`{"a":[123456789012]}`, `{"a":123456789012.0}`, true},
		"a range above 16 digits":        {`{"a":[{"numeric":[">",1]}]}`, `{"a":9007199254740993}`, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := len(compile(t, MessageBody, tt.policy).MatchBody([]byte(tt.body))) == 1; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestMatchGivesEachPolicyOnce(t *testing.T) {
	t.Parallel()
	set := compile(t, MessageBody, `{"a":["no"]}`, `{"$or":[{"a":["x"]},{"b":["y"]}]}`, `{"a":["x",{"prefix":"x"}]}`)
	for range 2 { // what one match noted does not count for the next
		if got := set.MatchBody([]byte(`{"a":["x","x"],"b":"y"}`)); !slices.Equal(got, []int{1, 2}) {
			t.Errorf("got %v, want [1 2]", got)
		}
	}
}

// A policy with many values, against a message with many, takes the time of both, and not their product.
func TestMatchManyExcludedValues(t *testing.T) {
	t.Parallel()
	const many = 30_000
	values := make([]string, many)
	for i := range values {
		values[i] = strconv.Itoa(i)
	}
	list := strings.Join(values, ",")
	set := compile(t, MessageBody, `{"a":[{"anything-but":[`+list+`]}]}`)
	begin := time.Now()
	for body, want := range map[string]int{`{"a":[` + list + `]}`: 0, `{"a":[` + list + `,-1]}`: 1} {
		if got := len(set.MatchBody([]byte(body))); got != want {
			t.Errorf("got %d matches, want %d", got, want)
		}
	}
	if took := time.Since(begin); took > 5*time.Second { // it takes 20 ms; the product took more than a minute
		t.Errorf("took %v", took)
	}
}

// Zero has two spellings, and policies may have either.
func TestMatchBothZeros(t *testing.T) {
	t.Parallel()
	set := compile(t, MessageBody, `{"a":[0]}`, `{"a":[-0]}`, `{"a":[-0.0]}`)
	for _, body := range []string{`{"a":0}`, `{"a":-0}`, `{"a":0e1}`} {
		if got := set.MatchBody([]byte(body)); !slices.Equal(got, []int{0, 1, 2}) {
			t.Errorf("%s: got %v, want all three", body, got)
		}
	}
}

func compile(t testing.TB, scope Scope, texts ...string) *Set {
	t.Helper()
	policies := make([]*Policy, len(texts))
	for i, text := range texts {
		var err error
		if policies[i], err = Parse(text, scope); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	return Compile(policies)
}

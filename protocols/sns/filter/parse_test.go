package filter

import (
	"fmt"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	list := func(n int) string { // n different values
		values := make([]string, n)
		for i := range values {
			values[i] = fmt.Sprint(i)
		}
		return "[" + strings.Join(values, ",") + "]"
	}
	const attributes, body = MessageAttributes, MessageBody
	const tooComplex, many = "FilterPolicy: Filter policy is too complex", "FilterPolicy: Filter policy can not have more than 5 keys"
	tests := map[string]struct {
		policy string
		scope  Scope
		want   string // the first line of the error, "" for none
	}{
		"nothing":                     {`{}`, attributes, ""},
		"every operator":              {`{"a":["x",1,true,null,{"prefix":"p"},{"suffix":"s"},{"equals-ignore-case":"I"},{"wildcard":"a*b\\*"},{"numeric":["=",1]},{"exists":true},{"cidr":"10.0.0.0/8"},{"cidr":"fe80::/10"}]}`, attributes, ""},
		"forms of anything-but":       {`{"a":[{"anything-but":"x"},{"anything-but":1},{"anything-but":["x","y"]},{"anything-but":[1,2]},{"anything-but":{"prefix":"p"}},{"anything-but":{"suffix":["s","t"]}},{"anything-but":{"wildcard":"*"}}]}`, attributes, ""},
		"five keys":                   {`{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1]}`, attributes, ""},
		"six keys":                    {`{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1],"f":[1]}`, attributes, many},
		"six keys below":              {`{"z":{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1],"f":[1]}}`, body, ""},
		"150 combinations":            {`{"a":` + list(15) + `,"b":` + list(10) + `}`, attributes, ""},
		"151 combinations":            {`{"a":` + list(151) + `}`, attributes, tooComplex},
		"152 combinations":            {`{"a":` + list(19) + `,"b":` + list(8) + `}`, attributes, tooComplex},
		"150 with depth":              {`{"a":{"b":{"c":` + list(50) + `}}}`, body, ""},
		"153 with depth":              {`{"a":{"b":{"c":` + list(51) + `}}}`, body, tooComplex},
		"$or adds up":                 {`{"$or":[{"a":` + list(75) + `},{"b":` + list(75) + `}]}`, attributes, ""},
		"$or adds up to too much":     {`{"$or":[{"a":` + list(75) + `},{"b":` + list(76) + `}]}`, attributes, tooComplex},
		"$or multiplies with others":  {`{"$or":[{"a":` + list(25) + `},{"b":` + list(25) + `}],"c":` + list(4) + `}`, attributes, tooComplex},
		"$or of one is a key":         {`{"$or":[{"a":["x"]}]}`, attributes, "FilterPolicy: Unrecognized match type a"},
		"$or with a reserved word":    {`{"$or":[{"a":["x"]},{"prefix":"x"}]}`, attributes, "FilterPolicy: Unrecognized match type a"},
		"a key six times":             {`{` + strings.Repeat(`"a":["x"],`, 5) + `"a":["y"]}`, attributes, ""},
		"an operator twice":           {`{"a":[{"prefix":"x","prefix":"y"}]}`, attributes, "FilterPolicy: Only one key allowed in match expression"},
		"a fault in what is replaced": {`{"a":[],"a":["x"]}`, attributes, "FilterPolicy: Empty arrays are not allowed"},
		"a dot for each level":        {`{"` + strings.Repeat("a.", 100) + `a":["x"]}`, body, ""},
		"too many dots":               {`{"` + strings.Repeat("a.", 101) + `a":["x"]}`, body, tooComplex},
		"150 patterns excluded":       {`{"a":[{"anything-but":{"prefix":` + quoted(list(150)) + `}}]}`, body, ""},
		"151 patterns excluded":       {`{"a":[{"anything-but":{"prefix":` + quoted(list(151)) + `}}]}`, body, tooComplex},
		"151 values excluded":         {`{"a":[{"anything-but":` + list(151) + `}]}`, body, ""},
		"too deep":                    {strings.Repeat(`{"a":`, 120) + `["x"]` + strings.Repeat(`}`, 120), body, tooComplex},
		"too long":                    {`{"a":["` + strings.Repeat("x", MaxLength) + `"]}`, body, tooComplex},
		"conditions at the bound":     {`{"$or":[{` + keys(64) + `},{"a":["x"]}]}`, attributes, ""},
		"conditions over the bound":   {`{"$or":[{` + keys(65) + `},{"a":["x"]}]}`, attributes, tooComplex},
		"nested attributes":           {`{"a":{"b":["x"]}}`, attributes, "Filter policy scope MessageAttributes does not support nested filter policy"},
		"not JSON":                    {`{invalid}`, attributes, "FilterPolicy: failed to parse JSON. Unexpected character ('i' (code 105)): was expecting double-quote to start field name"},
		"no colon":                    {`{"a"x}`, attributes, "FilterPolicy: failed to parse JSON. Unexpected character ('x' (code 120)): was expecting a colon to separate field name and value"},
		"cut off":                     {`{"a":["x"]`, attributes, "FilterPolicy: failed to parse JSON. Unexpected end-of-input"},
		"empty":                       {``, attributes, "FilterPolicy: failed to parse JSON. Unexpected end-of-input"},
		"more behind":                 {`{"a":["x"]} y`, attributes, "FilterPolicy: failed to parse JSON. Unexpected character ('y' (code 121))"},
		"a word":                      {`invalid policy`, attributes, "FilterPolicy: failed to parse JSON. Unrecognized token 'invalid': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"},
		"nearly a literal":            {`{"a":[nil]}`, attributes, "FilterPolicy: failed to parse JSON. Unrecognized token 'nil': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"},
		"a value of no kind":          {`{"a":[@]}`, attributes, "FilterPolicy: failed to parse JSON. Unexpected character ('@' (code 64)): expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"},
		"no comma":                    {`{"a":["x" "y"]}`, attributes, "FilterPolicy: failed to parse JSON. Unexpected character ('\"' (code 34)): was expecting comma to separate Array entries"},
		"no comma between members":    {`{"a":["x"] "b":["y"]}`, attributes, "FilterPolicy: failed to parse JSON. Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries"},
		"no object":                   {`["a"]`, attributes, "FilterPolicy: Filter is not an object"},
		"not a list":                  {`{"a":"x"}`, attributes, `FilterPolicy: "a" must be an object or an array`},
		"empty list":                  {`{"a":[]}`, attributes, "FilterPolicy: Empty arrays are not allowed"},
		"empty object":                {`{"a":{}}`, body, "FilterPolicy: Empty objects are not allowed"},
		"list in a list":              {`{"a":[["x"]]}`, attributes, "FilterPolicy: Match value must be String, number, true, false, or null"},
		"two operators":               {`{"a":[{"prefix":"a","suffix":"b"}]}`, attributes, "FilterPolicy: Only one key allowed in match expression"},
		"unknown operator":            {`{"a":[{"contains":"x"}]}`, attributes, "FilterPolicy: Unrecognized match type contains"},
		"prefix of a number":          {`{"a":[{"prefix":1}]}`, attributes, "FilterPolicy: prefix match pattern must be a string"},
		"suffix of a list":            {`{"a":[{"suffix":["x"]}]}`, attributes, "FilterPolicy: suffix match pattern must be a string"},
		"equals-ignore-case":          {`{"a":[{"equals-ignore-case":null}]}`, attributes, "FilterPolicy: equals-ignore-case match pattern must be a string"},
		"wildcard":                    {`{"a":[{"wildcard":1}]}`, attributes, "FilterPolicy: wildcard match pattern must be a string"},
		"wildcard, two together":      {`{"a":[{"wildcard":"a**b"}]}`, attributes, "FilterPolicy: Consecutive wildcard characters at pos 2"},
		"wildcard, escaped one":       {`{"a":[{"wildcard":"a\\**b"}]}`, attributes, ""},
		"wildcard, three":             {`{"a":[{"wildcard":"*a*b*"}]}`, attributes, ""},
		"wildcard, four":              {`{"a":[{"wildcard":"*a*b*c*"}]}`, attributes, "FilterPolicy: wildcard match pattern has more than 3 wildcard characters"},
		"wildcard, unknown escape":    {`{"a":[{"wildcard":"a\\b"}]}`, attributes, "FilterPolicy: Invalid escape character at pos 2"},
		"exists":                      {`{"a":[{"exists":"no"}]}`, attributes, "FilterPolicy: exists match pattern must be either true or false."},
		"anything-but exists":         {`{"a":[{"anything-but":{"exists":true}}]}`, attributes, "FilterPolicy: Unsupported anything-but pattern: exists"},
		"anything-but, mixed":         {`{"a":[{"anything-but":["x",1]}]}`, attributes, "FilterPolicy: Inside anything but list, either all values are number or string, mixed type is not supported"},
		"anything-but, empty":         {`{"a":[{"anything-but":[]}]}`, attributes, "FilterPolicy: Inside anything but list, either all values are number or string, mixed type is not supported"},
		"anything-but, null in it":    {`{"a":[{"anything-but":["x",null]}]}`, attributes, "FilterPolicy: Inside anything but list, start|null|boolean is not supported."},
		"anything-but, mixed, null":   {`{"a":[{"anything-but":["x",1,null]}]}`, attributes, "FilterPolicy: Inside anything but list, start|null|boolean is not supported."},
		"anything-but, nothing":       {`{"a":[{"anything-but":{}}]}`, attributes, "FilterPolicy: Anything-But expression name not found"},
		"anything-but, no patterns":   {`{"a":[{"anything-but":{"prefix":[]}}]}`, attributes, "FilterPolicy: Empty arrays are not allowed"},
		"anything-but, two within":    {`{"a":[{"anything-but":{"prefix":"x","suffix":"y"}}]}`, attributes, "FilterPolicy: Only one key allowed in match expression"},
		"anything-but and another":    {`{"a":[{"anything-but":"x","prefix":"y"}]}`, attributes, "FilterPolicy: Too many elements in numeric expression"},
		"numeric and another":         {`{"a":[{"numeric":["=",1],"prefix":"y"}]}`, attributes, "FilterPolicy: Too many elements in numeric expression"},
		"two operators, a fault":      {`{"a":[{"prefix":1,"suffix":"b"}]}`, attributes, "FilterPolicy: prefix match pattern must be a string"},
		"no operator":                 {`{"a":[{}]}`, attributes, "FilterPolicy: Match expression name not found"},
		"cidr ends with its slash":    {`{"a":[{"cidr":"10.0.0.0/"}]}`, attributes, "FilterPolicy: Malformed CIDR, one '/' required"},
		"cidr, only a slash":          {`{"a":[{"cidr":"/"}]}`, attributes, "FilterPolicy: Malformed CIDR, one '/' required"},
		"cidr, two slashes":           {`{"a":[{"cidr":"10.0.0.0/8/8"}]}`, attributes, "FilterPolicy: Malformed CIDR, one '/' required"},
		"cidr, below zero":            {`{"a":[{"cidr":"10.0.0.0/-1"}]}`, attributes, "FilterPolicy: Malformed CIDR, mask bits must not be negative"},
		"cidr, 6 and mask too long":   {`{"a":[{"cidr":"::1/129"}]}`, attributes, "FilterPolicy: IPv6 mask bits must be < 128"},
		"cidr, address out of range":  {`{"a":[{"cidr":"256.0.0.0/8"}]}`, attributes, "FilterPolicy: Invalid IP address: 256.0.0.0"},
		"anything-but, true":          {`{"a":[{"anything-but":true}]}`, attributes, "FilterPolicy: Value of anything-but must be an array or single string/number value."},
		"cidr of a number":            {`{"a":[{"cidr":1}]}`, attributes, "FilterPolicy: prefix match pattern must be a string"},
		"cidr without a mask":         {`{"a":[{"cidr":"10.0.0.0"}]}`, attributes, "FilterPolicy: Malformed CIDR, one '/' required"},
		"cidr, mask of letters":       {`{"a":[{"cidr":"10.0.0.0/a"}]}`, attributes, "FilterPolicy: Malformed CIDR, mask bits must be an integer"},
		"cidr, no address":            {`{"a":[{"cidr":"xx/24"}]}`, attributes, "FilterPolicy: Nonstandard IP address: xx"},
		"cidr, mask too long":         {`{"a":[{"cidr":"10.0.0.0/33"}]}`, attributes, "FilterPolicy: IPv4 mask bits must be < 32"},
		"numeric, empty":              {`{"a":[{"numeric":[]}]}`, attributes, "FilterPolicy: Invalid member in numeric match: ]"},
		"numeric, unknown":            {`{"a":[{"numeric":["operator"]}]}`, attributes, "FilterPolicy: Unrecognized numeric range operator: operator"},
		"numeric, no operator":        {`{"a":[{"numeric":[1,"<="]}]}`, attributes, "FilterPolicy: Invalid member in numeric match: 1"},
		"numeric, text":               {`{"a":[{"numeric":["=","000"]}]}`, attributes, "FilterPolicy: Value of equals must be numeric"},
		"numeric, no bound":           {`{"a":[{"numeric":[">="]}]}`, attributes, "FilterPolicy: Value of >= must be numeric"},
		"numeric, upper first":        {`{"a":[{"numeric":["<",100,">",10]}]}`, attributes, "FilterPolicy: Too many elements in numeric expression"},
		"numeric, two lower":          {`{"a":[{"numeric":[">=",1,">",2]}]}`, attributes, "FilterPolicy: Bad numeric range operator: >"},
		"numeric, upside down":        {`{"a":[{"numeric":[">",3,"<",1]}]}`, attributes, "FilterPolicy: Bottom must be less than top"},
		"numeric, two numbers":        {`{"a":[{"numeric":[">",20,30]}]}`, attributes, "FilterPolicy: Bad value in numeric range: 30"},
		"thousands of keys":           {`{"a":{` + keys(15_000) + `}}`, MessageBody, tooComplex},
		"numeric, three terms":        {`{"a":[{"numeric":[">",20,"<",30,"<",50]}]}`, attributes, "FilterPolicy: Too many terms in numeric range expression"},
		"numeric, no upper bound":     {`{"a":[{"numeric":[">",20,"<"]}]}`, attributes, "FilterPolicy: Value of < must be numeric"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(tt.policy, tt.scope)
			got := ""
			if err != nil {
				got, _, _ = strings.Cut(err.Error(), "\n")
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// quoted makes strings of a list of numbers.
func quoted(list string) string {
	return strings.NewReplacer("[", `["`, ",", `","`, "]", `"]`).Replace(list)
}

// keys gives n members that each want one value.
func keys(n int) string {
	members := make([]string, n)
	for i := range members {
		members[i] = fmt.Sprintf(`"k%d":["x"]`, i)
	}
	return strings.Join(members, ",")
}

// The places are as recorded: the parser of the real service stands behind the quote that opens a string, unless it has read on.
func TestParseErrorsTellThePlace(t *testing.T) {
	t.Parallel()
	for policy, column := range map[string]int{
		`{"key":[["value"]]}`: 10, `{"key":[{"wrong-operator":true}]}`: 31, `{"key":[{"suffix":"value","prefix":"value2"}]}`: 37,
		`{"key":[{"suffix":100}]}`: 22, `{"key":[{"suffix":null}]}`: 23, `{"key":{"suffix":"value"}}`: 19, `{"key":[{"suffix":[]}]}`: 20,
		`{"key":[{"suffix":["test","test2"]}]}`: 20, `{"key":{"not-an-operator":"value"}}`: 28, `{"key":[{"numeric":[]}]}`: 22,
		`{"key":[{"numeric":["operator"]}]}`: 32, `{"key":[{"numeric":[1,"<="]}]}`: 22, `{"key":[{"numeric":["=","000"]}]}`: 26,
		`{"key":[{"numeric":[">="]}]}`: 26, `{"key":[{"numeric":["<",100,">",10]}]}`: 30, `{"key":[{"numeric":[">=",1,">",2]}]}`: 31,
		`{"key":[{"numeric":[">",3,"<",1]}]}`: 33, `{"key":[{"numeric":[">",20,"<="]}]}`: 33, `{"key":[{"numeric":[">",20,30]}]}`: 30,
		`{"key":[{"numeric":[">",20,"test"]}]}`: 34, `{"key":[{"numeric":[">","20","<","30"]}]}`: 26, `{"key":[{"numeric":[">",20,"<","30"]}]}`: 33,
		`{"key":[{"numeric":[">",20,"<",30,"<",50]}]}`: 36, `{"key":[{"exists":null}]}`: 23, `{"key":[{"exists":"no"}]}`: 20, `{"key_a":"value_one"}`: 11,
		// as the engine itself has them, which counts characters
		`{"é":[["x"]]}`: 8, `{"😀":[["x"]]}`: 9, `{"key":[{}]}`: 11, `{"key":[{"anything-but":[]}]}`: 27, `{"key":[{"anything-but":["x",null]}]}`: 34,
	} {
		_, err := Parse(policy, MessageBody)
		if want := fmt.Sprintf("\n at [Source: (String)\"%s\"; line: 1, column: %d]", policy, column); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("got %v, want at its end %s", err, want)
		}
	}
	for policy, column := range map[string]int{`{invalid}`: 2, `invalid policy`: 8} {
		_, err := Parse(policy, MessageBody)
		want := fmt.Sprintf("\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: %d]", column)
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("got %v, want at its end %s", err, want)
		}
	}
	// What was recorded had been sent with blanks.
	_, err := Parse("{\n  \"key\": [ {\"suffix\": 100} ]\n}", MessageAttributes)
	want := "FilterPolicy: suffix match pattern must be a string\n at [Source: (String)\"{\"key\":[{\"suffix\":100}]}\"; line: 1, column: 22]"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

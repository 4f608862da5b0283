package filter

import (
	"fmt"
	"testing"

	"github.com/polymq/polymq/core"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	attributes := []core.Attribute{
		{Name: "price", Type: "Number", Value: []byte("120")}, {Name: "region", Type: "String", Value: []byte("eu-west-1")},
	}
	tests := map[string]struct {
		policy  string
		scope   Scope
		body    string
		matches bool
		want    []string // rule key wants values met
	}{
		"matches": {`{"region":[{"prefix":"eu-"}],"price":[{"numeric":[">=",100,"<",200]}]}`, MessageAttributes, "", true, []string{
			`1 region [{"prefix": "eu-"}] ["eu-west-1"] true`, `1 price [{"numeric": [">=", 100, "<", 200]}] [120] true`,
		}},
		"one key does not": {`{"region":["us","cn"],"price":[120]}`, MessageAttributes, "", false, []string{
			`1 region ["us", "cn"] ["eu-west-1"] false`, `1 price [120] [120] true`,
		}},
		"a key is missing": {`{"kind":["a"]}`, MessageAttributes, "", false, []string{`1 kind ["a"] [] false`}},
		"a key must be":    {`{"kind":[{"exists":false}]}`, MessageAttributes, "", true, []string{`1 kind [{"exists": false}] [] true`}},
		"nested body":      {`{"a":{"b":[{"anything-but":["x"]}]}}`, MessageBody, `{"a":{"b":["x","y"]}}`, true, []string{`1 a.b [{"anything-but": ["x"]}] ["x" "y"] true`}},
		"no JSON":          {`{"a":["x"]}`, MessageBody, `hello`, false, nil},
		"either":           {`{"$or":[{"region":["us"]},{"price":[120]}]}`, MessageAttributes, "", true, []string{`1 region ["us"] ["eu-west-1"] false`, `2 price [120] [120] true`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			policy, err := Parse(tt.policy, tt.scope)
			if err != nil {
				t.Fatal(err)
			}
			got := policy.Explain(attributes, []byte(tt.body))
			if got.Matches != tt.matches || len(got.Findings) != len(tt.want) || (len(tt.want) == 0) != (got.Reason != "") {
				t.Fatalf("got %+v, want matches %v and %d findings", got, tt.matches, len(tt.want))
			}
			for i, f := range got.Findings {
				if text := fmt.Sprintf("%d %s %s %v %v", f.Rule, f.Key, f.Wants, f.Values, f.Met); text != tt.want[i] {
					t.Errorf("got %s, want %s", text, tt.want[i])
				}
			}
		})
	}
}

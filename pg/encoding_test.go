package pg

import (
	"fmt"
	"testing"

	"github.com/polymq/polymq/core"
)

func TestAttributesSurviveStorage(t *testing.T) {
	for name, m := range map[string]core.NewMessage{
		"none":   {},
		"system": {System: map[string]string{"traceparent": "00-a"}},
		"texts":  {Attributes: []core.Attribute{{Name: "é", Type: "String.a b", Value: []byte("<&>\"\u2028\u2029\t")}}},
		"bytes":  {Attributes: []core.Attribute{{Name: "b", Type: "Binary", Value: []byte{0, 0xFF}}, {Name: "e", Type: "Binary", Value: []byte{}}}},
	} {
		t.Run(name, func(t *testing.T) {
			code, err := encodeAttributes(&m)
			if err != nil {
				t.Fatal(err)
			}
			var got core.Message
			if err := decodeAttributes(code, &got); err != nil || fmt.Sprint(got.Attributes, got.System) != fmt.Sprint(m.Attributes, m.System) {
				t.Errorf("%v %v, %v", got.Attributes, got.System, err)
			}
		})
	}
}

func TestPrefixEnd(t *testing.T) {
	for prefix, want := range map[string]string{"": "", "a": "b", "az": "a{", "a\x7e": "a\x7f", "a\x7f": "", "\xff": ""} {
		if got := prefixEnd(prefix); got != want {
			t.Errorf("%q ends at %q, want %q", prefix, got, want)
		}
	}
}

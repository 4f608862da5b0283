package aws

import (
	"testing"

	"github.com/polymq/polymq/core"
)

// The digests are AWS's own (specs/sqs.md 5.3).
func TestAttributesMD5(t *testing.T) {
	t.Parallel()
	text := func(name, value string) core.Attribute {
		return core.Attribute{Name: name, Type: "String", Value: []byte(value)}
	}
	tests := map[string]struct {
		attributes []core.Attribute
		want       string
	}{
		"none":  {nil, ""},
		"three": {[]core.Attribute{text("General", "Kenobi"), text("Hello", "There"), text("Help.Me", "Me")}, "4c360f3fdafd970e05fae2f149d997f5"},
		"two":   {[]core.Attribute{text("General", "Kenobi"), text("Hello", "There")}, "fca026605781cb4126a1e9044df24232"},
		"one":   {[]core.Attribute{text("Hello", "There")}, "a311262e065454b75da111d535b8dacd"},
		"other": {[]core.Attribute{text("Foo", "Bar")}, "ae7155c6026991b6d54b11589678bf9c"},
		"short": {[]core.Attribute{text("k", "x")}, "a45daa70926828a2f0a1db3418e6feb4"},
		"number": {[]core.Attribute{{Name: "timestamp", Type: "Number", Value: []byte("1493147359900")}},
			"235c5c510d26fb653d073faed50ae77c"},
		"fraction": {[]core.Attribute{{Name: "attr1", Type: "Number", Value: []byte("99.12")}}, "d302007e9aa062660afc85fd0a482472"},
		"binary": {[]core.Attribute{{Name: "attr1", Type: "Binary", Value: []byte("traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01")}},
			"8cbe4db156db8a94db8b801b7addb984"},
		"system": {[]core.Attribute{text("AWSTraceHeader", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1")},
			"5ae4d5d7636402d80f4eb6d213245a88"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := AttributesMD5(tt.attributes); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAttributesMD5Label(t *testing.T) {
	t.Parallel()
	plain := AttributesMD5([]core.Attribute{{Name: "a", Type: "Binary", Value: []byte("x")}})
	label := AttributesMD5([]core.Attribute{{Name: "a", Type: "Binary.png", Value: []byte("x")}})
	named := AttributesMD5([]core.Attribute{{Name: "a", Type: "Binarypng", Value: []byte("x")}})
	if plain == label || label == named {
		t.Errorf("got %s, %s and %s for types that differ", plain, label, named)
	}
	if !IsBinary("Binary.png") || IsBinary("Binarypng") || IsBinary("String.Binary") {
		t.Error("a label behind the first dot does not make the type")
	}
}

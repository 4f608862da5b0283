package core_test

import (
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
)

func TestMessageIDForms(t *testing.T) {
	id := core.MessageID{0xDE, 0xAD, 0xBE, 0xEF, 0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0, 1, 2, 3}
	const uuid, hex = "deadbeef-0123-4567-89ab-cdef00010203", "DEADBEEF0123456789ABCDEF00010203"
	if got := id.UUID(); got != uuid {
		t.Errorf("UUID %s, want %s", got, uuid)
	}
	if got := id.Hex(); got != hex {
		t.Errorf("hex %s, want %s", got, hex)
	}
	for _, form := range []string{uuid, hex, strings.ToUpper(uuid), strings.ToLower(hex)} {
		if got, err := core.ParseMessageID(form); err != nil || got != id {
			t.Errorf("parse %s: %v, %v", form, got, err)
		}
	}
}

func TestParseMessageIDRefuses(t *testing.T) {
	tests := map[string]string{
		"nothing":           "",
		"a digit too few":   "DEADBEEF0123456789ABCDEF0001020",
		"a byte too few":    "DEADBEEF0123456789ABCDEF000102",
		"a byte too many":   "DEADBEEF0123456789ABCDEF0001020304",
		"no hex digit":      "GEADBEEF0123456789ABCDEF00010203",
		"a thousand dashes": "DEADBEEF0123456789ABCDEF00010203" + strings.Repeat("-", 1000),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			if id, err := core.ParseMessageID(text); core.CodeOf(err) != core.InvalidArgument {
				t.Errorf("got %v, %v; want InvalidArgument", id, err)
			}
		})
	}
}

func TestMessageSizeCountsBodyAndAttributes(t *testing.T) {
	m := core.NewMessage{
		Body:       []byte("12345"),
		Attributes: []core.Attribute{{Name: "ab", Type: "String", Value: []byte("xyz")}, {Name: "é", Type: "Binary.png", Value: []byte{0}}},
		System:     map[string]string{"AWSTraceHeader": "Root=1"},
	}
	if got, want := m.Size(), 5+(2+6+3)+(2+10+1); got != want {
		t.Errorf("size %d, want %d", got, want)
	}
}

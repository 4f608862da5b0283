package core_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
)

func TestEncodeBody(t *testing.T) {
	const plain = "grüße"
	coded := base64.StdEncoding.EncodeToString([]byte(plain))
	tests := map[core.BodyRule]map[core.BodyForm]struct{ sent, text, raw, base64 string }{
		core.BodyAuto: {
			core.FormText:   {plain, plain, plain, coded},
			core.FormRaw:    {plain, plain, plain, plain}, // within the family as in the cloud
			core.FormBase64: {coded, plain, coded, coded},
		},
		core.BodyAsSent: {
			core.FormText:   {plain, plain, plain, plain},
			core.FormRaw:    {plain, plain, plain, plain},
			core.FormBase64: {coded, coded, coded, coded},
		},
		core.BodyText: {
			core.FormText:   {plain, plain, plain, plain},
			core.FormRaw:    {plain, plain, plain, plain},
			core.FormBase64: {coded, plain, plain, plain},
		},
		core.BodyBase64: {
			core.FormText:   {plain, coded, coded, coded},
			core.FormRaw:    {plain, coded, coded, coded},
			core.FormBase64: {coded, coded, coded, coded},
		},
	}
	for rule, forms := range tests {
		for form, tt := range forms {
			readers := map[core.BodyReader]string{core.ReadsText: tt.text, core.ReadsRaw: tt.raw, core.ReadsBase64: tt.base64}
			for reader, want := range readers {
				t.Run(fmt.Sprintf("rule=%s/form=%d/reader=%d", rule, form, reader), func(t *testing.T) {
					if got := core.EncodeBody([]byte(tt.sent), form, rule, reader); string(got) != want {
						t.Errorf("got %q, want %q", got, want)
					}
				})
			}
		}
	}
}

func TestEncodeBodyLeavesAloneWhatIsNoText(t *testing.T) {
	tests := map[string]string{
		"not base64":             "%%%",
		"base64 of binary":       base64.StdEncoding.EncodeToString([]byte{0xFF, 0xFE}),
		"base64 of control text": base64.StdEncoding.EncodeToString([]byte("a\x00b")),
	}
	for name, body := range tests {
		t.Run(name, func(t *testing.T) {
			if got := core.EncodeBody([]byte(body), core.FormBase64, core.BodyAuto, core.ReadsText); string(got) != body {
				t.Errorf("got %q, want %q as it came", got, body)
			}
		})
	}
}

func TestEncodeBodyLeavesTheStoredBodyAlone(t *testing.T) {
	body := []byte("aGVsbG8=")
	core.EncodeBody(body, core.FormBase64, core.BodyText, core.ReadsText)
	core.EncodeBody(body, core.FormText, core.BodyBase64, core.ReadsText)
	if !bytes.Equal(body, []byte("aGVsbG8=")) {
		t.Errorf("the body became %q", body)
	}
}

func TestFormOf(t *testing.T) {
	tests := map[string]struct {
		body string
		want core.BodyForm
	}{
		"base64":                {"aGVsbG8=", core.FormBase64},
		"base64 of binary":      {"//79", core.FormBase64},
		"text":                  {"hello!", core.FormRaw},
		"padding missing":       {"aGVsbG8", core.FormRaw},
		"bits behind the end":   {"aGVsbG9=", core.FormRaw},
		"the alphabet for URLs": {"__79", core.FormRaw},
		"nothing":               {"", core.FormRaw},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := core.FormOf([]byte(tt.body)); got != tt.want {
				t.Errorf("form %d, want %d", got, tt.want)
			}
		})
	}
}

func TestValidText(t *testing.T) {
	tests := map[string]struct {
		text string
		want bool
	}{
		"nothing":                       {"", true},
		"tab, newline, carriage return": {"\t\n\r", true},
		"U+0000":                        {"\x00", false},
		"U+0008":                        {"\x08", false},
		"U+000B":                        {"\x0B", false},
		"U+001F":                        {"\x1F", false},
		"U+0020":                        {" ", true},
		"U+007F":                        {"\x7F", true},
		"U+D7FF":                        {"\uD7FF", true},
		"a surrogate":                   {"\xED\xA0\x80", false},
		"U+E000":                        {"\uE000", true},
		"U+FFFD":                        {"\uFFFD", true},
		"U+FFFE":                        {"\uFFFE", false},
		"U+FFFF":                        {"\uFFFF", false},
		"U+10000":                       {"\U00010000", true},
		"U+10FFFF":                      {"\U0010FFFF", true},
		"no UTF-8":                      {"a\xFFb", false},
		"a character too long by form":  {"\xC0\x80", false},
		"beyond U+10FFFF":               {"\xF4\x90\x80\x80", false},
		"long and plain":                {strings.Repeat("hello, 队列 ", 1000), true},
		"long, fault at the end":        {strings.Repeat("hello ", 1000) + "\x1B", false},
		"long, U+FFFE at the end":       {strings.Repeat("é", 100) + "\uFFFE", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := core.ValidText([]byte(tt.text)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

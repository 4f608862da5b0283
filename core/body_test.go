package core

import (
	"strings"
	"testing"
)

func TestValidText(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want bool
	}{
		"empty":              {"", true},
		"tab and line ends":  {"\t\r\n", true},
		"first and last":     {" \x7f\u0080\uD7FF\uE000\uFFFD\U00010000\U0010FFFF", true},
		"NUL":                {"a\x00", false},
		"bell":               {"\x07", false},
		"last control":       {"\x1f", false},
		"U+FFFE":             {"é\uFFFE", false},
		"U+FFFF":             {strings.Repeat("x", 100) + "\uFFFF", false},
		"a surrogate":        {"\xed\xa0\x80", false},
		"half a character":   {"\xe4", false},
		"too long a form":    {"\xc0\x80", false},
		"beyond Unicode":     {"\xf4\x90\x80\x80", false},
		"bytes of no UTF-8":  {"\xff\xfe", false},
		"long and plain":     {strings.Repeat("hello, 队列 ", 1000), true},
		"long, fault at end": {strings.Repeat("hello ", 1000) + "\x1b", false},
	}
	for name, tt := range tests {
		if got := ValidText([]byte(tt.text)); got != tt.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

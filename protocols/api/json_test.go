package api

import (
	"strings"
	"testing"
)

// What looks like a value within a text is none.
func TestHasMoreValues(t *testing.T) {
	t.Parallel()
	for document, n := range map[string]int{
		``: 1, `0`: 1, `"a"`: 1, `"[{,"`: 1, `[]`: 2, `[0]`: 2, `[0,0]`: 3, `{"a,":[{}]}`: 4, `["\"",0]`: 3, `["\\",0]`: 3, `["\\\",[[[[",0]`: 3,
		`"` + strings.Repeat(`\"[`, 100) + `"`: 1, `"[[[`: 1, `"\"[`: 1, `["a","b",{"c":"d","e":"[f"}]`: 6,
	} {
		if !hasMoreValues([]byte(document), n-1) || hasMoreValues([]byte(document), n) {
			t.Errorf("%s has not %d values", document, n)
		}
	}
}

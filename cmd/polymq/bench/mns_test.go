package bench

import (
	"encoding/xml"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Messages go through the priorities in turn; without them none is named.
func TestMNSPriorities(t *testing.T) {
	t.Parallel()
	tests := map[int]string{0: ",,,,", 1: "1,1,1,1,", 3: "1,2,3,1,", 16: "1,2,3,4,"}
	for priorities, want := range tests {
		server := newFake()
		var got strings.Builder
		server.before = func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPost {
				body, _ := io.ReadAll(r.Body)
				got.WriteString(text(body, "Priority") + ",")
			}
			return false
		}
		_, _, err := execArgs(t.Context(), t, "--protocol", "mns", "--mode", "send", "--connections", "1", "--messages", "4", "--priorities", strconv.Itoa(priorities), "--endpoint", server.start(t))
		if err != nil || !strings.HasPrefix(got.String(), want) { // some are sent after the last that counts
			t.Errorf("%d priorities: got %s, want %s, %v", priorities, got.String(), want, err)
		}
	}
}

func TestElements(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		xml  string
		want []string
	}{
		"none":           {`<Messages></Messages>`, nil},
		"root":           {`<?xml version="1.0"?><Message xmlns="x"><A>1</A></Message>`, []string{"<A>1</A>"}},
		"several":        {"<Messages xmlns='x'>\n<Message>a</Message>\n<Message >b</Message>\n</Messages>", []string{"a", "b"}},
		"longer names":   {`<MessageId>1</MessageId><Message>a</Message><MessageBody>2</MessageBody>`, []string{"a"}},
		"never closed":   {`<Message>a`, nil},
		"tag cut off":    {`<Message`, nil},
		"line in tag":    {"<Message\n xmlns='x'>a</Message>", []string{"a"}},
		"empty elements": {`<Message></Message>`, []string{""}},
	}
	for name, tt := range tests {
		var got []string
		for content := range elements([]byte(tt.xml), "Message") {
			got = append(got, string(content))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// TestTextAgainstEncodingXML reads back what encoding/xml wrote.
func TestTextAgainstEncodingXML(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := strings.Map(func(r rune) rune { // what XML can carry
			if r == 0xfffd || r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
				return '?'
			}
			return r
		}, rapid.String().Draw(t, "text"))
		var b strings.Builder
		b.WriteString("<Message><MessageId>1</MessageId><MessageBody>")
		if err := xml.EscapeText(&b, []byte(want)); err != nil {
			t.Fatal(err)
		}
		b.WriteString("</MessageBody></Message>")
		if got := text([]byte(b.String()), "MessageBody"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

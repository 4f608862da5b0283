package bench

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

type pair struct{ handle, body string }

func pairs(text string) ([]pair, error) {
	var all []pair
	err := eachMessage([]byte(text), "ReceiptHandle", "Body", func(handle, body []byte) {
		all = append(all, pair{string(handle), string(body)})
	})
	return all, err
}

func TestEachMessage(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want []pair
	}{
		"none":              {`{}`, nil},
		"empty":             {`{"Messages":[]}`, nil},
		"null":              {`{"Messages":null}`, nil},
		"one":               {`{"Messages":[{"ReceiptHandle":"h","Body":"b"}]}`, []pair{{"h", "b"}}},
		"white space":       {"{ \"Messages\" :\n[ {\"Body\" : \"b\" ,\t\"ReceiptHandle\"\r\n: \"h\" } ] }\n", []pair{{"h", "b"}}},
		"escapes":           {`{"Messages":[{"ReceiptHandle":"\"\\\u00e9","Body":"\\"}]}`, []pair{{`"\é`, `\`}}},
		"brackets in texts": {`{"Messages":[{"ReceiptHandle":"}]","Body":"{["}]}`, []pair{{"}]", "{["}}},
		"names as values":   {`{"Messages":[{"MessageId":"Body","ReceiptHandle":"Body","Body":"ReceiptHandle"}]}`, []pair{{"Body", "ReceiptHandle"}}},
		"deeper and higher": {`{"Body":"no","Messages":[{"A":{"Body":"no"},"Body":"b","L":[{"Body":"no"}],"N":1.5,"ReceiptHandle":"h"}],"ReceiptHandle":"no"}`, []pair{{"h", "b"}}},
		"member missing":    {`{"Messages":[{"ReceiptHandle":"h","Body":"b"},{"ReceiptHandle":"i"}]}`, []pair{{"h", "b"}, {"i", ""}}},
	}
	for name, tt := range tests {
		if got, err := pairs(tt.text); err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q and error %v, want %q", name, got, err, tt.want)
		}
	}
	for _, text := range []string{`{`, `{"Messages":[{"Body":"b`, `{"Messages":[{"Body":"b\`, `{"Messages":[{"Body":"b"}]`, `{"Messages":[{"Body":"\x"}]}`} {
		if _, err := pairs(text); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}

// TestEachMessageAgainstEncodingJSON reads back what encoding/json wrote.
func TestEachMessageAgainstEncodingJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		type message struct {
			Body, ReceiptHandle string
			Attributes          map[string]string
		}
		var sent struct{ Messages []message }
		var want []pair
		for range rapid.IntRange(0, 3).Draw(t, "messages") {
			m := message{rapid.String().Draw(t, "body"), rapid.String().Draw(t, "handle"), map[string]string{"Body": rapid.String().Draw(t, "other")}}
			m.Body, m.ReceiptHandle = strings.ToValidUTF8(m.Body, "?"), strings.ToValidUTF8(m.ReceiptHandle, "?")
			sent.Messages, want = append(sent.Messages, m), append(want, pair{m.ReceiptHandle, m.Body})
		}
		text, err := json.Marshal(sent)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := pairs(string(text)); err != nil || !slices.Equal(got, want) {
			t.Errorf("got %q and error %v, want %q", got, err, want)
		}
	})
}

func FuzzEachMessage(f *testing.F) {
	f.Add(`{"Messages":[{"ReceiptHandle":"h","Body":"\"b"}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := pairs(text); err != nil && json.Valid([]byte(text)) {
			t.Errorf("valid JSON gives %v", err)
		}
	})
}

func TestAppendJSON(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "plain", `"`, `\`, "<&>", "é", "\x00\n", "\x7f"} {
		var back string
		if err := json.Unmarshal(appendJSON(nil, s), &back); err != nil || back != s {
			t.Errorf("%q came back as %q: %v", s, back, err)
		}
	}
}

func BenchmarkEachMessage(b *testing.B) {
	body := strings.Repeat("abcd", 50)
	text := []byte(`{"Messages":[{"MessageId":"219f8380-5770-4cc2-8c3e-5c715e145f5e","ReceiptHandle":"AQ1-q7Zk0cVbTn2mq7Zk0cVbTn2m","MD5OfBody":"fafb00f5732ab283681e124bf8747ed1","Body":"` + body + `"}]}`)
	b.ReportAllocs()
	for b.Loop() {
		found := 0
		if err := eachMessage(text, "ReceiptHandle", "Body", func(_, _ []byte) { found++ }); err != nil || found != 1 {
			b.Fatalf("%d messages: %v", found, err)
		}
	}
}

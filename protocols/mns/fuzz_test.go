package mns

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// FuzzJSON sends any document as the JSON form of the actions that take one. The answer is one that a client
// understands, and what it costs is bounded by the document's size.
func FuzzJSON(f *testing.F) {
	for _, document := range []string{
		`{"MessageBody":"a","DelaySeconds":1,"Priority":8,"MessageGroupId":"g"}`,
		`{"MessageBody":"é 日 \ud83d\ude00 \u0000","UserProperties":{"n":{"DataType":"NUMBER","StringValue":"1.5"},"b":{"DataType":"BINARY","BinaryValue":"aGk="},"y":{"DataType":"BOOLEAN","StringValue":"true"}}}`,
		`{"MessageBody":"a","SystemProperties":{"baggage":{"DataType":"STRING","StringValue":"a=b"}}}`,
		`{"MessageBody":"a","MessageTag":"red","MessageAttributes":{"DirectMail":"{}"}}`,
		`{"Messages":[{"MessageBody":"a"},{"MessageBody":"b","Priority":17}]}`,
		`{"ReceiptHandles":["1-x","1-y"]}`,
		`{"Messages":[` + strings.Repeat("{},", 200) + `{}]}`,
		`{"Messages":` + strings.Repeat("[", 10_001),
		`{"MessageBody":null,"UserProperties":null}`, `{"MessageBody":1}`, `[]`, `null`, `"`, "", "\xff",
	} {
		f.Add(document)
	}
	const perByte, fixed = 64, 1 << 20 // in each of the requests
	server := New(core.NewBroker(oneQueueStore{body: []byte("hello")}), new(caller.Options), Options{})
	f.Fuzz(func(t *testing.T, document string) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for _, method := range []string{http.MethodPost, http.MethodDelete} {
			r := httptest.NewRequest(method, "/queues/q/messages", strings.NewReader(document))
			r.Header.Set("X-Mns-Version", jsonVersion)
			w := httptest.NewRecorder()
			server.ServeHTTP(w, r)
			if w.Code >= 500 {
				t.Errorf("%s: got %d: %s", method, w.Code, w.Body)
			}
			if w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s: the answer is no JSON: %q", method, w.Body)
			}
		}
		if err := readJSON([]byte(document), new(publication)); err != nil && wireErrorOf(err).status != http.StatusBadRequest {
			t.Errorf("published: %v", err)
		}
		runtime.ReadMemStats(&after)
		if cost := after.TotalAlloc - before.TotalAlloc; cost > 3*(perByte*uint64(len(document))+fixed) {
			t.Errorf("%d bytes were allocated for a document of %d", cost, len(document))
		}
	})
}

package openapi

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
)

// FuzzRequest asks with any query and body, as a form and as JSON. The answer is one that a client understands, in
// the format that was asked for, and what it costs is bounded by the request's size.
func FuzzRequest(f *testing.F) {
	for _, seed := range []struct{ query, body string }{
		{"Action=Echo&Name=a", "Many.1=x&Many.2=y&Count=3"},
		{"Action=Echo&Name=%E6%97%A5&Format=XML", `Nested={"Yes":"true"}`},
		{"Action=Echo", `{"Name":"a","Many":["x","y"],"Count":3,"Nested":{"Yes":true}}`},
		{"Action=Echo", `{"Name":"a","Many":[{"Key":"k","Value":1e400},{"Key":null}],"Count":"3"}`},
		{"Action=Echo&Name=a&Name=b", "Name=c"},
		{"Action=Echo", `{"Name":"a","Many":[` + strings.Repeat("1,", 5_000) + "1]}"},
		{"Action=Echo", `{"Name":` + strings.Repeat("[", 10_001)},
		{"Action=Echo&Format=XML", "Name=%00%FF%ED%A0%80<&>"},
		{"Action=Nothing&Format=xml", "a=%zz"}, {"%zz", "null"}, {"", "[]"}, {";", "\xff"},
	} {
		f.Add(seed.query, seed.body)
	}
	const perByte, fixed = 256, 1 << 20
	server := echo()
	f.Fuzz(func(t *testing.T, query, body string) {
		for _, kind := range []string{"application/x-www-form-urlencoded", "application/json; charset=utf-8"} {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
			r.URL.RawQuery = query
			r.Header.Set("Content-Type", kind)
			r.Header.Set("Authorization", "ACS3-HMAC-SHA256 Credential=ak")
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			w := httptest.NewRecorder()
			server.ServeHTTP(w, r)
			runtime.ReadMemStats(&after)
			if w.Code >= 500 && r.URL.Query().Get("Name") != "broken" && !strings.Contains(body, "broken") {
				t.Errorf("got %d: %s", w.Code, w.Body)
			}
			if err := readable(w); err != nil {
				t.Errorf("the answer cannot be read: %v: %q", err, w.Body)
			}
			if cost := after.TotalAlloc - before.TotalAlloc; cost > perByte*uint64(len(query)+len(body))+fixed {
				t.Errorf("%d bytes were allocated for a request of %d", cost, len(query)+len(body))
			}
		}
	})
}

// readable says that an answer is of its format.
func readable(w *httptest.ResponseRecorder) error {
	if w.Header().Get("Content-Type") == jsonType {
		return json.Unmarshal(w.Body.Bytes(), new(map[string]any))
	}
	decoder := xml.NewDecoder(w.Body)
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

package caller

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadBody(t *testing.T) {
	t.Parallel()
	const limit = 100_000
	full := strings.Repeat("x", limit)
	tests := map[string]struct {
		body     string
		encoding string
		want     string
		err      error
	}{
		"empty":                       {"", "", "", nil},
		"plain":                       {"hello", "", "hello", nil},
		"at the limit":                {full, "", full, nil},
		"over the limit":              {full + "x", "", "", ErrTooLarge},
		"identity":                    {"hello", "identity", "hello", nil},
		"gzip":                        {zipped(t, "hello"), "gzip", "hello", nil},
		"gzip, at the limit":          {zipped(t, full), "GZIP", full, nil},
		"gzip, over the limit inside": {zipped(t, full+"x"), "gzip", "", ErrTooLarge},
		"gzip, not so":                {"hello", "gzip", "", ErrEncoding},
		"gzip, cut off":               {zipped(t, "hello")[:15], "gzip", "", ErrEncoding},
		"unknown":                     {"hello", "br", "", ErrEncoding},
	}
	for name, tt := range tests {
		for _, chunked := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(tt.body))
				if chunked {
					r.ContentLength = -1
				}
				r.Header.Set("Content-Encoding", tt.encoding)
				got, err := ReadBody(r, limit)
				if string(got) != tt.want || !errors.Is(err, tt.err) {
					t.Errorf("chunked %v: got %.20q and %v, want %.20q and %v", chunked, got, err, tt.want, tt.err)
				}
				if rest, _ := io.ReadAll(r.Body); err != nil && len(rest) > 0 {
					t.Errorf("chunked %v: a refused body was left unread", chunked)
				}
			})
		}
	}
}

// A client that holds its body back until it is asked for it is refused without being asked.
func TestReadBodyHeldBack(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		length   int
		encoding string
		asked    bool
	}{
		"short":               {10, "", true},
		"too long":            {11, "", false},
		"too long, zipped":    {100, "gzip", true}, // what comes out of it may be no shorter, but who knows
		"too long, and other": {11, "br", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := strings.NewReader(strings.Repeat("x", tt.length))
			r := httptest.NewRequest(http.MethodPost, "/", body)
			r.Header.Set("Expect", "100-continue")
			r.Header.Set("Content-Encoding", tt.encoding)
			_, _ = ReadBody(r, 10)
			if asked := body.Len() < tt.length; asked != tt.asked {
				t.Errorf("asked for the body: %v, want %v", asked, tt.asked)
			}
		})
	}
}

func TestReadBodyOfNoRequest(t *testing.T) {
	t.Parallel()
	if body, err := ReadBody(httptest.NewRequest(http.MethodGet, "/", nil), 10); len(body) != 0 || err != nil {
		t.Errorf("got %q and %v, want nothing", body, err)
	}
}

func TestReadBodyBrokenConnection(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/", iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("hello"))))
	if _, err := ReadBody(r, 10); !errors.Is(err, ErrIncomplete) || !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("got %v, want ErrIncomplete and the connection's error", err)
	}
}

// A body that claims a length, or inflates without end, must not cost that much memory.
func TestReadBodyMemory(t *testing.T) { // not parallel: it measures the whole process
	const most = 4 << 20
	bomb := zipped(t, strings.Repeat("\x00", 4*most))
	inflating := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(bomb))
	inflating.Header.Set("Content-Encoding", "gzip")
	claiming := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("x"))
	claiming.ContentLength = 4 * most

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := ReadBody(inflating, 256<<10)
	_, _ = ReadBody(claiming, 8*most)
	runtime.ReadMemStats(&after)

	if got := after.TotalAlloc - before.TotalAlloc; !errors.Is(err, ErrTooLarge) || got > most {
		t.Errorf("got %v after allocating %d bytes, want ErrTooLarge and at most %d", err, got, most)
	}
}

func zipped(t testing.TB, text string) string {
	t.Helper()
	var buf bytes.Buffer
	writer := gzip.NewWriter(&buf)
	if _, err := io.WriteString(writer, text); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

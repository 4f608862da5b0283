package caller

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
)

// What ReadBody answers to a body that cannot be used.
var (
	ErrTooLarge   = errors.New("the request's body is too large")
	ErrEncoding   = errors.New("the request's Content-Encoding cannot be undone")
	ErrIncomplete = errors.New("the request's body did not arrive whole")
)

const (
	firstRead = 64 << 10 // what is allocated before any byte of the body has come, whatever its declared length
	maxDrain  = 16 << 20 // what is read of a refused body, so that a client that is still sending sees the answer
)

var gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}

// ReadBody reads a request's body of at most limit bytes, undoing gzip; the limit holds for what
// comes out of it. What was encoded can be read from the request again, as it came, for signatures
// are made of that. ErrTooLarge, ErrEncoding, ErrIncomplete.
func ReadBody(r *http.Request, limit int64) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	body, err := readEncoded(r, limit)
	if (errors.Is(err, ErrTooLarge) || errors.Is(err, ErrEncoding)) && !waits(r, limit) {
		_, _ = io.CopyN(io.Discard, r.Body, maxDrain) // for the client's sake only
	}
	return body, err
}

// waits reports whether the client holds a body back until it is asked for it, which one that is refused unread
// never is.
func waits(r *http.Request, limit int64) bool {
	return strings.EqualFold(r.Header.Get("Expect"), "100-continue") && r.ContentLength > limit && !isGzip(r)
}

func isGzip(r *http.Request) bool {
	encoding := r.Header.Get("Content-Encoding")
	return strings.EqualFold(encoding, "gzip") || strings.EqualFold(encoding, "x-gzip")
}

func readEncoded(r *http.Request, limit int64) ([]byte, error) {
	encoding := r.Header.Get("Content-Encoding")
	switch {
	case encoding == "", strings.EqualFold(encoding, "identity"):
		if r.ContentLength > limit {
			return nil, ErrTooLarge
		}
		return readAll(r.Body, r.ContentLength, limit)
	case isGzip(r):
		raw, err := readAll(r.Body, r.ContentLength, limit+limit>>10+64) // what gzip adds to what it cannot make smaller
		if err != nil {
			return nil, err
		}
		r.Body = io.NopCloser(bytes.NewReader(raw))
		return readGzip(bytes.NewReader(raw), limit)
	default:
		return nil, fmt.Errorf("%w: %q is none that is understood", ErrEncoding, encoding)
	}
}

func readGzip(compressed io.Reader, limit int64) ([]byte, error) {
	reader := gzipReaders.Get().(*gzip.Reader)
	defer gzipReaders.Put(reader)
	if err := reader.Reset(compressed); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	body, err := readAll(reader, -1, limit)
	if err != nil && !errors.Is(err, ErrTooLarge) {
		return nil, fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	return body, err
}

// readAll reads to the end. size is the body's length, -1 when unknown.
func readAll(reader io.Reader, size, limit int64) ([]byte, error) {
	if size >= 0 && size <= firstRead {
		body := make([]byte, size)
		if _, err := io.ReadFull(reader, body); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrIncomplete, err)
		}
		return body, nil
	}
	buf := bytes.NewBuffer(make([]byte, 0, min(max(size, bytes.MinRead), firstRead)))
	n, err := buf.ReadFrom(io.LimitReader(reader, limit+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIncomplete, err)
	}
	if n > limit {
		return nil, ErrTooLarge
	}
	return buf.Bytes(), nil
}

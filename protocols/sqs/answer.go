package sqs

import (
	"net/http"
	"strconv"
	"sync"

	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
)

// answer is a response on the wire.
type answer struct {
	status int
	body   []byte
}

// maxPooled is the capacity above which an answer's memory is not kept for the next.
const maxPooled = 256 << 10

var answers = sync.Pool{New: func() any { return new(answer) }}

func newAnswer() *answer {
	a := answers.Get().(*answer)
	*a = answer{status: http.StatusOK, body: a.body[:0]}
	return a
}

func (a *answer) release() {
	if cap(a.body) <= maxPooled {
		answers.Put(a)
	}
}

// send writes the answer, and says so when the client is no longer there to read it. f is nil for
// a result.
func (a *answer) send(w http.ResponseWriter, c *call, f *fault) error {
	header := w.Header()
	values := []string{c.RequestID, strconv.Itoa(len(a.body))}
	header[aws.RequestIDHeader], header["Content-Length"] = values[0:1:1], values[1:2:2]
	c.wire.setHeader(header, f)
	w.WriteHeader(a.status)
	if _, err := w.Write(a.body); err != nil {
		return err
	}
	return caller.Flush(w)
}

package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
)

var (
	errTimeout    = errors.New("no answer in time")
	errNotArrived = errors.New("the message did not arrive in time")
)

// A refusal is a server's answer that says no.
type refusal struct {
	status  int
	code    string // the protocol's own, if the answer had one
	message string
}

func (r *refusal) Error() string {
	if r.code == "" {
		return fmt.Sprintf("status %d %s", r.status, http.StatusText(r.status))
	}
	return fmt.Sprintf("status %d %s: %s", r.status, r.code, r.message)
}

// ofCredentials reports whether the server wants to know who asks, or wants somebody else.
func (r *refusal) ofCredentials() bool {
	return r.status == http.StatusForbidden || r.status == http.StatusUnauthorized || strings.Contains(r.code, "Authorization")
}

// ofAnother reports whether a server answered that does not speak the protocol.
func (r *refusal) ofAnother() bool {
	return r.status == http.StatusNotFound || r.code == "" && r.status <= http.StatusNotImplemented
}

// kindOf names the kind of a failed request, under which the report counts it.
func kindOf(err error) string {
	var refused *refusal
	var lookup *net.DNSError
	switch {
	case errors.As(err, &refused) && refused.code == "":
		return fmt.Sprintf("status %d", refused.status)
	case errors.As(err, &refused):
		return fmt.Sprintf("status %d %s", refused.status, refused.code)
	case errors.Is(err, errNotArrived):
		return "not arrived"
	case errors.Is(err, errTimeout):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "cut off"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection closed"
	case errors.As(err, &lookup):
		return "host not found"
	default:
		return "other"
	}
}

// explain adds to the error of a first request what can be done about it.
func explain(err error, endpoint *url.URL) error {
	var refused *refusal
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens on %s: start a server there (polymq serve) or name another with --endpoint: %w", endpoint, err)
	case errors.Is(err, errTimeout):
		return fmt.Errorf("%s does not answer: is it an HTTP server that speaks the protocol? %w", endpoint, err)
	case errors.As(err, &refused) && refused.ofCredentials():
		return fmt.Errorf("%s wants other credentials: give --sign, --access-key and --secret-key: %w", endpoint, err)
	case errors.As(err, &refused) && refused.ofAnother():
		return fmt.Errorf("%s does not know the request: is --protocol right? %w", endpoint, err)
	default:
		return fmt.Errorf("create a queue at %s: %w", endpoint, err)
	}
}

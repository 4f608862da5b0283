package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// A refusal is a server's answer that says no.
type refusal struct {
	status  int
	code    string // the protocol's own, if the answer had one
	message string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("%d %s: %s", r.status, r.code, r.message)
}

// kindOf names the kind of a failed request, under which the report counts it.
func kindOf(err error) string {
	var refused *refusal
	var dns *net.DNSError
	switch {
	case errors.As(err, &refused) && refused.code == "":
		return fmt.Sprintf("status %d", refused.status)
	case errors.As(err, &refused):
		return fmt.Sprintf("status %d %s", refused.status, refused.code)
	case errors.Is(err, errTimeout), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection closed"
	case errors.As(err, &dns):
		return "host not found"
	default:
		return "other"
	}
}

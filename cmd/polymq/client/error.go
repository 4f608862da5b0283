package client

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// ErrUnreachable is the error of a server that cannot be reached.
var ErrUnreachable = errors.New("the server cannot be reached")

func (c *Client) unreachable(err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		return fmt.Errorf("%w: its certificate is not trusted; SSL_CERT_FILE names the file of what is, and polymq ca prints that of a server with --tls auto: %w", ErrUnreachable, err)
	}
	return fmt.Errorf("%w, is it running there? (polymq serve; --endpoint or POLYMQ_ENDPOINT): %w", ErrUnreachable, err)
}

// Error is what a server says of a request that it refuses.
type Error struct {
	Status int    // of HTTP
	Code   string // "QueueNotFound"
	Detail string
	Faults []Fault // of single values
}

// Fault is what is wrong with one value of a request.
type Fault struct {
	Location string `json:"location"`
	Message  string `json:"message"`
}

// Error gives the server's words.
func (e *Error) Error() string {
	text := "the server refuses: " + e.Detail
	for _, f := range e.Faults {
		text += "; " + f.Location + ": " + f.Message
	}
	switch e.Code {
	case "QueueNotFound":
		return text + " there (polymq queue list; --account and --region)"
	case "TopicNotFound":
		return text + " there (polymq topic list; --account and --region)"
	}
	switch e.Status {
	case http.StatusUnauthorized:
		text += " (--admin-key or POLYMQ_ADMIN_KEY)"
	case http.StatusServiceUnavailable:
		text += " (try again; polymq doctor looks at the database)"
	}
	return text
}

// Refused gives what a server says of a request that it refuses: a problem as of RFC 9457.
func Refused(response *http.Response, answer []byte) error {
	var problem struct {
		Code   string  `json:"code"`
		Detail string  `json:"detail"`
		Errors []Fault `json:"errors"`
	}
	if to, err := response.Location(); err == nil {
		return &Error{Status: response.StatusCode, Detail: "it leads elsewhere, to " + to.String() + " (name the right server: --endpoint)"}
	}
	if json.Unmarshal(answer, &problem) != nil || problem.Detail == "" {
		return &Error{Status: response.StatusCode, Detail: "it answers " + response.Status + ", and not as polymq's JSON API does"}
	}
	return &Error{Status: response.StatusCode, Code: problem.Code, Detail: problem.Detail, Faults: problem.Errors}
}

// The exit codes of commands that talk to a server, for scripts.
const (
	ExitFailed      = 1
	ExitUsage       = 2 // of the command itself
	ExitNotFound    = 3
	ExitDenied      = 4
	ExitConflict    = 5
	ExitUnavailable = 6   // try again
	ExitInterrupted = 130 // by Ctrl-C, as of a shell
)

// usageError is an error of the command line itself.
type usageError struct{ error }

// Unwrap gives the error itself.
func (e usageError) Unwrap() error { return e.error }

// UsageError marks an error of the command line itself: of an argument, or of a flag's value that is none of those permitted.
func UsageError(err error) error { return usageError{err} }

// Usagef makes such an error of a format as fmt.Errorf has it.
func Usagef(format string, args ...any) error { return UsageError(fmt.Errorf(format, args...)) }

// ExitCode gives the exit code of a program that ends with the error.
func ExitCode(err error) int {
	var refused *Error
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrUnreachable):
		return ExitUnavailable
	case errors.As(err, new(usageError)):
		return ExitUsage
	case !errors.As(err, &refused):
		return ExitFailed
	}
	switch refused.Code {
	case "InvalidArgument", "MissingParameter", "PolicyMalformed": // values that the server knows better than the command line
		return ExitUsage
	case "DeadLetterQueueNotFound", "MoveDestinationNotFound": // missing as well, but not what the URL names
		return ExitNotFound
	}
	switch refused.Status {
	case http.StatusNotFound, http.StatusGone:
		return ExitNotFound
	case http.StatusUnauthorized, http.StatusForbidden:
		return ExitDenied
	case http.StatusConflict:
		return ExitConflict
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return ExitUnavailable
	}
	return ExitFailed
}

// CodeOf gives the code with which the server refused, "" where it did not.
func CodeOf(err error) string {
	var refused *Error
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

// IsNotFound reports whether the server does not have what was asked for.
func IsNotFound(err error) bool {
	var refused *Error
	return errors.As(err, &refused) && refused.Status == http.StatusNotFound
}

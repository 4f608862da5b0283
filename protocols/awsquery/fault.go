package awsquery

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
)

// Fault is an error as a client sees it.
type Fault struct { //nolint:errname // what a client is told, as in package aws
	Status  int
	Code    string
	Message string
}

// Error says it for logs.
func (f *Fault) Error() string { return f.Code + ": " + f.Message }

// Faultf makes an error for the client.
func Faultf(status int, code, format string, args ...any) error {
	return &Fault{status, code, fmt.Sprintf(format, args...)}
}

// faultOf gives what the client is told of an error.
func (s *Service) faultOf(err error) *Fault {
	var told *Fault
	var wrong *aws.AuthError
	var decoding *aws.DecodeError
	switch {
	case errors.As(err, &told):
		return told
	case errors.As(err, &wrong):
		return &Fault{wrong.Status, wrong.Code, wrong.Message}
	case errors.As(err, &decoding):
		return &Fault{http.StatusBadRequest, "MalformedInput", decoding.Error()}
	case errors.Is(err, caller.ErrTooLarge), errors.Is(err, caller.ErrEncoding), errors.Is(err, caller.ErrIncomplete):
		return &Fault{http.StatusBadRequest, "MalformedInput", err.Error()}
	}
	f, known := s.Errors[core.CodeOf(err)]
	if !known {
		return &Fault{http.StatusInternalServerError, s.Internal, "internal error"}
	}
	f.Message = core.MessageOf(err)
	return &f
}

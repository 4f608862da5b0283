package sts

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
)

// fault is an error as a client sees it.
type fault struct {
	status  int
	code    string
	message string
}

func (f *fault) Error() string { return f.code + ": " + f.message }

func faultf(status int, code, format string, args ...any) error {
	return &fault{status, code, fmt.Sprintf(format, args...)}
}

// violation is a parameter that does not keep to the model.
func violation(value, parameter, constraint string, args ...any) error {
	return faultf(http.StatusBadRequest, "ValidationError", "1 validation error detected: Value %s at '%s' failed to satisfy constraint: Member must %s",
		value, parameter, fmt.Sprintf(constraint, args...))
}

// coreErrors says each of core's errors that can come up here in STS's words; others are faults of the server.
var coreErrors = map[core.Code]fault{
	core.Unavailable:     {status: http.StatusServiceUnavailable, code: "ServiceUnavailable"},
	core.Throttled:       {status: http.StatusBadRequest, code: "Throttling"},
	core.InvalidArgument: {status: http.StatusBadRequest, code: "ValidationError"},
	core.AccessDenied:    {status: http.StatusForbidden, code: "AccessDenied"},
	core.KeyNotFound:     {status: http.StatusForbidden, code: "InvalidClientTokenId"},
}

// faultOf gives what the client is told of an error.
func faultOf(err error) *fault {
	var told *fault
	var wrong *aws.AuthError
	var decoding *aws.DecodeError
	switch {
	case errors.As(err, &told):
		return told
	case errors.As(err, &wrong):
		return &fault{wrong.Status, wrong.Code, wrong.Message}
	case errors.As(err, &decoding):
		return &fault{http.StatusBadRequest, "MalformedInput", decoding.Error()}
	case errors.Is(err, caller.ErrTooLarge), errors.Is(err, caller.ErrEncoding), errors.Is(err, caller.ErrIncomplete):
		return &fault{http.StatusBadRequest, "MalformedInput", err.Error()}
	}
	f, known := coreErrors[core.CodeOf(err)]
	if !known {
		return &fault{http.StatusInternalServerError, "InternalFailure", "internal error"}
	}
	f.message = core.MessageOf(err)
	return &f
}

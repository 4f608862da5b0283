package iam

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

func faultf(code, format string, args ...any) error {
	return &fault{http.StatusBadRequest, code, fmt.Sprintf(format, args...)}
}

// required says of a parameter that it is missing.
func required(parameter string) error {
	return faultf("ValidationError", "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", parameter)
}

func invalid(format string, args ...any) error {
	return faultf("ValidationError", format, args...)
}

func notFound(format string, args ...any) error {
	return core.Errorf(core.EntityNotFound, format, args...)
}

// coreErrors says each of core's errors that can come up here in IAM's words; others are faults of the server.
var coreErrors = map[core.Code]fault{
	core.Unavailable:     {status: http.StatusServiceUnavailable, code: "ServiceUnavailable"},
	core.Throttled:       {status: http.StatusConflict, code: "LimitExceeded"},
	core.InvalidArgument: {status: http.StatusBadRequest, code: "ValidationError"},
	core.AccessDenied:    {status: http.StatusForbidden, code: "AccessDenied"},
	core.KeyNotFound:     {status: http.StatusNotFound, code: "NoSuchEntity"},
	core.KeyExists:       {status: http.StatusConflict, code: "EntityAlreadyExists"},
	core.EntityNotFound:  {status: http.StatusNotFound, code: "NoSuchEntity"},
	core.EntityExists:    {status: http.StatusConflict, code: "EntityAlreadyExists"},
	core.EntityInUse:     {status: http.StatusConflict, code: "DeleteConflict"},
	core.EntityProtected: {status: http.StatusForbidden, code: "AccessDenied"},
	core.EntityLimit:     {status: http.StatusConflict, code: "LimitExceeded"},
	core.PolicyMalformed: {status: http.StatusBadRequest, code: "MalformedPolicyDocument"},
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
		return &fault{http.StatusInternalServerError, "ServiceFailure", "internal error"}
	}
	f.message = core.MessageOf(err)
	return &f
}

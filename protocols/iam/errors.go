package iam

import (
	"net/http"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/awsquery"
)

func faultf(code, format string, args ...any) error {
	return awsquery.Faultf(http.StatusBadRequest, code, format, args...)
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
var coreErrors = map[core.Code]awsquery.Fault{
	core.Unavailable:     {Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"},
	core.Throttled:       {Status: http.StatusBadRequest, Code: "Throttling"},
	core.InvalidArgument: {Status: http.StatusBadRequest, Code: "ValidationError"},
	core.AccessDenied:    {Status: http.StatusForbidden, Code: "AccessDenied"},
	core.KeyNotFound:     {Status: http.StatusNotFound, Code: "NoSuchEntity"},
	core.KeyExists:       {Status: http.StatusConflict, Code: "EntityAlreadyExists"},
	core.EntityNotFound:  {Status: http.StatusNotFound, Code: "NoSuchEntity"},
	core.EntityExists:    {Status: http.StatusConflict, Code: "EntityAlreadyExists"},
	core.EntityInUse:     {Status: http.StatusConflict, Code: "DeleteConflict"},
	core.EntityProtected: {Status: http.StatusForbidden, Code: "AccessDenied"},
	core.EntityLimit:     {Status: http.StatusConflict, Code: "LimitExceeded"},
	core.PolicyMalformed: {Status: http.StatusBadRequest, Code: "MalformedPolicyDocument"},
}

package sts

import (
	"fmt"
	"net/http"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/awsquery"
)

// violation is a parameter that does not keep to the model.
func violation(value, parameter, constraint string, args ...any) error {
	return awsquery.Faultf(http.StatusBadRequest, "ValidationError", "1 validation error detected: Value %s at '%s' failed to satisfy constraint: Member must %s",
		value, parameter, fmt.Sprintf(constraint, args...))
}

// coreErrors says each of core's errors that can come up here in STS's words; others are faults of the server.
var coreErrors = map[core.Code]awsquery.Fault{
	core.Unavailable:     {Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"},
	core.Throttled:       {Status: http.StatusBadRequest, Code: "Throttling"},
	core.InvalidArgument: {Status: http.StatusBadRequest, Code: "ValidationError"},
	core.AccessDenied:    {Status: http.StatusForbidden, Code: "AccessDenied"},
	core.KeyNotFound:     {Status: http.StatusForbidden, Code: "InvalidClientTokenId"},
}

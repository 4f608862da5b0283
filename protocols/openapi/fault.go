package openapi

import (
	"errors"
	"net/http"
	"strings"

	"github.com/polymq/polymq/core"
)

// Fault is an error as a client sees it.
//
//nolint:errname // what a client is told, as in package aws
type Fault struct {
	Status  int
	Code    string
	Message string
}

// Error gives it for logs, which are not to show what a signature covers: a session's token may be in it.
func (f *Fault) Error() string { return f.Code + ": " + f.brief() }

func (f *Fault) brief() string {
	brief, _, _ := strings.Cut(f.Message, stringToSign)
	return brief
}

// NewFault makes a Fault.
func NewFault(status int, code, message string) error { return &Fault{status, code, message} }

// InvalidParameter is a parameter that means nothing to the service.
func InvalidParameter(name, why string) error {
	return NewFault(http.StatusBadRequest, "InvalidParameter", "the parameter "+name+" "+why)
}

// Missing is a required parameter that was not given.
func Missing(name string) error {
	return NewFault(http.StatusBadRequest, "Missing"+name, "the parameter "+name+" is missing")
}

// coreFaults says those of core's errors that every service can have in the words of Alibaba's gateways
// (specs/mns-openapi.md 3.3).
var coreFaults = map[core.Code]Fault{
	core.Internal:        {Status: http.StatusInternalServerError, Code: "InternalError"},
	core.Unavailable:     {Status: http.StatusServiceUnavailable, Code: "ServiceUnavailable"},
	core.Throttled:       {Status: http.StatusBadRequest, Code: "Throttling"},
	core.AccessDenied:    {Status: http.StatusForbidden, Code: "NoPermission"},
	core.KeyNotFound:     {Status: http.StatusNotFound, Code: "InvalidAccessKeyId.NotFound"},
	core.InvalidArgument: {Status: http.StatusBadRequest, Code: "InvalidParameter"},
}

// FaultOf gives what a client is told of an error, in the words that all services share; ok says that they
// have some. Without any, it is an internal fault.
func FaultOf(err error) (fault *Fault, ok bool) {
	if errors.As(err, &fault) {
		return fault, true
	}
	shared, ok := coreFaults[core.CodeOf(err)]
	if !ok {
		shared = coreFaults[core.Internal]
	}
	shared.Message = core.MessageOf(err)
	return &shared, ok
}

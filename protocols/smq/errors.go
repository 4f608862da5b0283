package smq

import (
	"errors"
	"net/http"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/mns"
)

// wireError is an error as a client sees it.
type wireError struct {
	status  int
	code    string
	message string
}

func (e wireError) Error() string { return e.code + ": " + e.message }

// coreErrors says in the words of Alibaba's gateways what the data plane says otherwise
// (specs/mns-openapi.md 3.3); all else has the data plane's words.
var coreErrors = map[core.Code]wireError{
	core.Internal:     {status: http.StatusInternalServerError, code: "InternalError"},
	core.Unavailable:  {status: http.StatusServiceUnavailable, code: "ServiceUnavailable"},
	core.Throttled:    {status: http.StatusBadRequest, code: "Throttling"},
	core.AccessDenied: {status: http.StatusForbidden, code: "NoPermission"},
	core.KeyNotFound:  {status: http.StatusNotFound, code: "InvalidAccessKeyId.NotFound"},
}

// wireErrorOf gives what the client is told of an error.
func wireErrorOf(err error) wireError {
	var e wireError
	if errors.As(err, &e) {
		return e
	}
	status, code, message := mns.ErrorOf(err)
	if e, ok := coreErrors[core.CodeOf(err)]; ok && !mns.IsOwn(err) {
		return wireError{e.status, e.code, core.MessageOf(err)}
	}
	return wireError{status, code, message}
}

func invalidParameter(name, why string) error {
	return wireError{http.StatusBadRequest, "InvalidParameter", "the parameter " + name + " " + why}
}

func missing(name string) error {
	return wireError{http.StatusBadRequest, "Missing" + name, "the parameter " + name + " is missing"}
}

package aws

import (
	"fmt"
	"net/http"
)

// AuthError is a request that cannot be told to be its sender's. The services share these errors,
// which have one name in JSON and another in the query protocol.
type AuthError struct {
	Status  int
	Name    string // in JSON, without a namespace
	Code    string // in the query protocol
	Message string
}

// Error says it for logs.
func (e *AuthError) Error() string { return e.Code + ": " + e.Message }

// ErrNotSigned is the error of a request without a signature, whose sender is nobody in particular.
var ErrNotSigned = &AuthError{http.StatusForbidden, "MissingAuthenticationTokenException", "MissingAuthenticationToken", "Request is missing Authentication Token"}

var (
	errOldSignature   = &AuthError{http.StatusForbidden, "InvalidSecurity", "InvalidSecurity", "The request must be signed with Signature Version 4."}
	errUnknownKey     = &AuthError{http.StatusForbidden, "UnrecognizedClientException", "InvalidClientTokenId", "The security token included in the request is invalid."}
	errExpiredToken   = &AuthError{http.StatusForbidden, "ExpiredTokenException", "ExpiredToken", "The security token included in the request is expired"}
	errWrongSignature = mismatch("The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
)

// mismatch is a signature that does not fit the request, the service or the time.
func mismatch(format string, args ...any) *AuthError {
	return &AuthError{http.StatusForbidden, "InvalidSignatureException", "SignatureDoesNotMatch", fmt.Sprintf(format, args...)}
}

// incomplete is a signature that cannot be read.
func incomplete(format string, args ...any) *AuthError {
	return &AuthError{http.StatusBadRequest, "IncompleteSignatureException", "IncompleteSignature", fmt.Sprintf(format, args...)}
}

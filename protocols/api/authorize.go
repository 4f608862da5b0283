package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
)

// unauthenticated is the code of a request without a good access key.
const unauthenticated core.Code = "Unauthenticated"

// signedService is the service in the scopes of the signatures that the API takes: the one that AWS's tools
// sign for where they know of no other.
const signedService = "execute-api"

// need is what a caller must be allowed to do something.
type need struct {
	access     core.Access
	bodies     bool // see bodies of messages
	everywhere bool // in all accounts
}

// needOf says what an operation needs, by what it is about. What is not named here needs a viewer to look, and
// an operator to change.
func needOf(op *huma.Operation) need {
	switch {
	case op.Tags[0] == "Accounts":
		return need{access: core.Admin, everywhere: true}
	case op.Tags[0] == "Audit", op.Tags[0] == "Access keys", op.Tags[0] == "Users, groups and roles", op.Tags[0] == "Policies":
		return need{access: core.Admin}
	case op.OperationID == "reset-account", op.OperationID == "advance-clock":
		return need{access: core.Admin}
	case op.OperationID == "wait-for-message", op.OperationID == "list-outbox":
		return need{access: core.Viewer, bodies: true}
	case op.Method == http.MethodGet:
		return need{access: core.Viewer}
	}
	return need{access: core.Operator}
}

// everything is what everybody may where nobody is asked who he is.
var everything = &core.Grants{Access: core.Admin, Bodies: true, Everywhere: true}

// authorize completes a caller and says what it is granted; nil where it may not use the API for this. The
// answer to it is written then.
func (a *adapter) authorize(c *gin.Context, who *caller.Caller, needs need) *core.Grants {
	ctx := c.Request.Context()
	if !a.callers.Verify {
		if err := a.callers.Recognize(ctx, who); err != nil {
			writeProblem(c, newProblemOf(ctx, err))
			return nil
		}
		return everything
	}
	key, p := a.authenticate(c.Request, who)
	if p != nil {
		if p.Status == http.StatusUnauthorized {
			c.Header("WWW-Authenticate", `Bearer realm="polymq"`)
		}
		writeProblem(c, p)
		return nil
	}
	who.Verified = true
	who.Is(key)
	grants, err := a.broker.Grants(ctx, key)
	if err != nil {
		writeProblem(c, newProblemOf(ctx, err))
		return nil
	}
	if why := refusal(c.Request, grants, needs); why != "" {
		writeProblem(c, newProblem(http.StatusForbidden, core.AccessDenied, why))
		return nil
	}
	return grants
}

// refusal says why the caller may not, "" where it may.
func refusal(r *http.Request, grants *core.Grants, needs need) string {
	account := r.URL.Query().Get("account")
	switch {
	case !grants.Access.Covers(needs.access) && grants.Access == core.NoAccess:
		return "the API is for those who were given access, and this access key's user was not: polymq user set NAME --access viewer, operator or admin"
	case !grants.Access.Covers(needs.access):
		return "this needs the access of " + string(needs.access) + ", and this access key's is that of " + string(grants.Access)
	case needs.bodies && !grants.Bodies:
		return "this shows bodies of messages, which this access key's user may not see"
	case needs.everywhere && !grants.Everywhere:
		return "this is for administrators of all accounts"
	case account != "" && account != grants.Account && !grants.Everywhere:
		return "this access key may not look into another account"
	}
	return ""
}

var errCredentials = newProblem(http.StatusUnauthorized, unauthenticated, "the API needs a good access key: Authorization: Bearer ID:SECRET, or an AWS signature for "+signedService)

// authenticate gives the caller's access key: of a bearer token, ID:SECRET, of an AWS signature, or one that
// stands for whom a trusted proxy has signed on.
func (a *adapter) authenticate(r *http.Request, who *caller.Caller) (*core.Key, *problem) {
	authorization := r.Header.Get("Authorization")
	if strings.HasPrefix(authorization, "AWS4-") || strings.Contains(r.URL.RawQuery, "X-Amz-Credential=") {
		return a.verify(r, who)
	}
	if key := a.callers.SignedOn(r); key != nil && authorization == "" {
		if err := a.sameOrigin.Check(r); err != nil { // the proxy would answer for any page that is open in the browser
			return nil, newProblem(http.StatusForbidden, core.AccessDenied, "a page of another origin may not do this")
		}
		return key, nil
	}
	token, isBearer := strings.CutPrefix(authorization, "Bearer ")
	id, secret, _ := strings.Cut(token, ":")
	if !isBearer || id == "" {
		return nil, errCredentials
	}
	if !a.attempts.Allow(who.RemoteAddr, id) {
		return nil, newProblem(http.StatusTooManyRequests, core.Throttled, "too many wrong secrets for this access key; wait a moment and try again")
	}
	key, err := a.callers.FindKey(r.Context(), id)
	switch {
	case err != nil:
		return nil, newProblemOf(r.Context(), err)
	case key == nil || key.Disabled || key.Temporary() || key.Secret == "" || !key.Secret.Equal(secret):
		a.attempts.Failed(who.RemoteAddr, id)
		return nil, errCredentials
	}
	return key, nil
}

// verify gives the key of a request with an AWS signature, and leaves its body to be read.
func (a *adapter) verify(r *http.Request, who *caller.Caller) (*core.Key, *problem) {
	body, err := caller.ReadBody(r, maxBodyBytes)
	if err != nil {
		return nil, problemOfBody(err)
	}
	err = a.signatures.Authenticate(r, body, who)
	var wrong *aws.AuthError
	switch {
	case errors.As(err, &wrong):
		return nil, newProblem(http.StatusUnauthorized, unauthenticated, wrong.Message)
	case err != nil:
		return nil, newProblemOf(r.Context(), err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.Header.Del("Content-Encoding")
	return who.Key, nil
}

// account gives the account that an operation is about: the one that the request names, which must be the
// caller's own unless it administers all, else the caller's.
func account(ctx context.Context, named string) (string, error) {
	x := exchangeOf(ctx)
	switch {
	case named == "" || named == x.caller.Account:
		return x.caller.Account, nil
	case !x.grants.Everywhere:
		return "", newProblem(http.StatusForbidden, core.AccessDenied, "this access key may do nothing in another account")
	}
	return named, nil
}

func writeProblem(c *gin.Context, p *problem) {
	if p.Code == core.Unavailable || p.Code == core.Throttled {
		c.Header("Retry-After", "1")
	}
	c.Header("Content-Type", p.ContentType(""))
	c.JSON(p.Status, p)
}

package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
)

// maxBodyBytes bounds a request: two of the largest messages in base64, or a hundred ordinary ones.
const maxBodyBytes = 16 << 20

// adapter mounts huma's operations on Gin, paths with a verb behind a colon too.
type adapter struct {
	routes     *routes
	broker     *core.Broker
	callers    *caller.Options
	signatures *aws.Authenticator
	sameOrigin *http.CrossOriginProtection
	attempts   caller.Attempts
}

func (s *Server) newAdapter(routes *routes) *adapter {
	return &adapter{
		routes: routes, broker: s.broker, callers: s.callers, signatures: aws.NewAuthenticator(signedService, s.callers),
		sameOrigin: http.NewCrossOriginProtection(),
	}
}

var ginPath = strings.NewReplacer(":", `\:`, "{", ":", "}", "")

// Handle mounts one operation.
func (a *adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	a.routes.handle(op.Method, ginPath.Replace(op.Path), func(c *gin.Context) {
		x := &exchange{humaContext: humagin.NewContext(op, c), caller: a.callers.Identify(c.Request)}
		if a.callers.Audits(dataOperations[op.OperationID], "") {
			x.audited = &audited{}
		}
		if x.grants = a.authorize(c, &x.caller, needOf(op)); x.grants == nil {
			a.audit(c, op.OperationID, x)
			return
		}
		if err := a.admit(c, x.caller); err != nil {
			writeProblem(c, newProblemOf(c.Request.Context(), err))
			a.audit(c, op.OperationID, x)
			return
		}
		if p := readRequest(c.Request, op); p != nil {
			writeProblem(c, p)
		} else {
			x.context = core.WithActor(context.WithValue(c.Request.Context(), exchangeKey{}, x), x.caller.Actor("api", op.OperationID))
			handler(x)
		}
		a.observe(c, op, &x.caller)
		a.audit(c, op.OperationID, x)
		if x.failed && x.undo != nil {
			x.undo()
		}
	})
}

// observe counts a request, but not as a fault of the server's where the client went away.
func (a *adapter) observe(c *gin.Context, op *huma.Operation, who *caller.Caller) {
	code, status := "", c.Writer.Status()
	switch {
	case status >= http.StatusInternalServerError && c.Request.Context().Err() != nil:
		return
	case status >= http.StatusBadRequest:
		code = strconv.Itoa(status)
	}
	a.callers.Observe(who, "api", op.OperationID, true, code)
}

// readRequest reads what huma would take for something else than what was sent: a query that is none or has parameters
// that the operation does not know, and a body that is encoded, cut off, too long, or for an operation that takes none.
func readRequest(r *http.Request, op *huma.Operation) *problem {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return newProblem(http.StatusBadRequest, badRequest, "the query cannot be read: "+err.Error())
	}
	if p := problemOfParameters(query, op); p != nil {
		return p
	}
	body, err := caller.ReadBody(r, maxBodyBytes)
	if err != nil {
		return problemOfBody(err)
	}
	if op.RequestBody == nil && !slices.Contains(nothing, string(bytes.TrimSpace(body))) {
		p := newProblem(http.StatusUnprocessableEntity, core.InvalidArgument, "validation failed")
		p.Errors = []fault{{Location: "body", Message: "unexpected body: the URL says all that this operation wants to know"}}
		return p
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.Header.Del("Content-Encoding")
	return nil
}

// nothing is how clients write the body of an operation that takes none.
var nothing = []string{"", "{}", "null"}

// maxUnknown bounds the parameters that a problem names; a query has up to ten thousand.
const maxUnknown = 20

// problemOfParameters gives the problem of a query with parameters that an operation does not know, beside those that sign
// the request, or that name an account or a region and are empty. huma can refuse the former too, but also those that sign, and tells
// any number in any order; the latter it takes for absent.
func problemOfParameters(query url.Values, op *huma.Operation) *problem {
	var faults []fault
	for _, name := range slices.Sorted(maps.Keys(query)) {
		i := slices.IndexFunc(op.Parameters, func(p *huma.Param) bool { return p.In == "query" && p.Name == name })
		var message string
		switch {
		case i < 0 && !strings.HasPrefix(name, "X-Amz-"):
			message = "unknown query parameter"
		case i >= 0 && op.Parameters[i].Schema.Pattern != "" && slices.Contains(query[name], ""):
			message = "expected string to match pattern " + op.Parameters[i].Schema.Pattern
		}
		if message != "" && len(faults) < maxUnknown {
			faults = append(faults, fault{Location: "query." + name, Message: message})
		}
	}
	if faults == nil {
		return nil
	}
	p := newProblem(http.StatusUnprocessableEntity, core.InvalidArgument, "validation failed")
	p.Errors = faults
	return p
}

// problemOfBody gives the problem of a body that caller.ReadBody could not read.
func problemOfBody(err error) *problem {
	switch {
	case errors.Is(err, caller.ErrTooLarge):
		return newProblem(http.StatusRequestEntityTooLarge, bodyTooLong, fmt.Sprintf("a request has at most %d bytes", maxBodyBytes))
	case errors.Is(err, caller.ErrEncoding):
		return newProblem(http.StatusUnsupportedMediaType, unsupportedMediaType, err.Error())
	}
	return newProblem(http.StatusBadRequest, badRequest, err.Error())
}

// admit counts the request as one of the account that it is about, which an administrator, and where nobody is asked who
// he is everybody, may name.
func (a *adapter) admit(c *gin.Context, who caller.Caller) error {
	if named := c.Query("account"); core.IsAccount(named) {
		who.Account = named
	}
	return a.callers.Admit(&who)
}

// ServeHTTP is of huma.Adapter.
func (a *adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.routes.engine.ServeHTTP(w, r) }

type humaContext huma.Context // under another name, since a field Context would hide the method

// exchange is one request and its response, as huma sees it. Handlers find it in their context.
type exchange struct {
	humaContext
	context context.Context
	caller  caller.Caller
	grants  *core.Grants
	failed  bool     // the response could not be written
	undo    func()   // what to do then, nil for nothing
	audited *audited // what passes, for the audit log; nil: not wanted
}

type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// Context is of huma.Context.
func (x *exchange) Context() context.Context { return x.context }

// BodyWriter is of huma.Context.
func (x *exchange) BodyWriter() io.Writer { return x }

// Write writes to the response. It keeps a failure to itself, since huma would panic: there is
// nobody left to tell.
func (x *exchange) Write(p []byte) (int, error) {
	if _, err := x.humaContext.BodyWriter().Write(p); err != nil {
		x.failed = true
	}
	if x.audited != nil {
		x.audited.answer.keep(p)
	}
	return len(p), nil
}

// SetReadDeadline is of huma.Context. It leaves the server's deadline in place: huma's own ends
// after seconds, and takes a long poll with it.
func (x *exchange) SetReadDeadline(time.Time) error { return nil }

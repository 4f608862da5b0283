package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// statuses is the table of errors. The codes are on the wire as they are.
var statuses = map[core.Code]int{
	core.Internal:                http.StatusInternalServerError,
	core.Unavailable:             http.StatusServiceUnavailable,
	core.Throttled:               http.StatusTooManyRequests,
	core.InvalidArgument:         http.StatusUnprocessableEntity,
	core.MissingParameter:        http.StatusUnprocessableEntity,
	core.AccessDenied:            http.StatusForbidden,
	core.QueueNotFound:           http.StatusNotFound,
	core.QueueExists:             http.StatusConflict,
	core.MessageTooLong:          http.StatusRequestEntityTooLarge,
	core.MessageNotFound:         http.StatusNotFound,
	core.ReceiptHandleInvalid:    http.StatusUnprocessableEntity,
	core.ReceiptHandleExpired:    http.StatusGone,
	core.ReceiptHandleSuperseded: http.StatusGone,
	core.VisibilityTooLong:       http.StatusUnprocessableEntity,
	core.TopicNotFound:           http.StatusNotFound,
	core.TopicExists:             http.StatusConflict,
	core.TopicArchives:           http.StatusConflict,
	core.SubscriptionNotFound:    http.StatusNotFound,
	core.SubscriptionExists:      http.StatusConflict,
	core.SubscriptionLimit:       http.StatusConflict,
	core.DeliveryNotFound:        http.StatusNotFound,
	core.KeyNotFound:             http.StatusNotFound,
	core.KeyExists:               http.StatusConflict,
	core.EntityNotFound:          http.StatusNotFound,
	core.EntityExists:            http.StatusConflict,
	core.EntityInUse:             http.StatusConflict,
	core.EntityProtected:         http.StatusForbidden,
	core.EntityLimit:             http.StatusConflict,
	core.PolicyMalformed:         http.StatusUnprocessableEntity,
	core.InFlightLimit:           http.StatusTooManyRequests,
	core.DeadLetterQueueNotFound: http.StatusUnprocessableEntity,
	core.DeadLetterDenied:        http.StatusUnprocessableEntity,
	core.QueueTypeMismatch:       http.StatusUnprocessableEntity,
	core.NotDeadLetterQueue:      http.StatusUnprocessableEntity,
	core.MoveDestinationNotFound: http.StatusUnprocessableEntity,
	core.MoveActive:              http.StatusConflict,
	core.TooManyMoves:            http.StatusTooManyRequests,
	core.MoveNotFound:            http.StatusNotFound,
	core.MoveEnded:               http.StatusConflict,
	core.FaultNotFound:           http.StatusNotFound,
}

// Codes of requests that never reach the core.
const (
	badRequest           core.Code = "BadRequest"           // not JSON
	notFound             core.Code = "NotFound"             // no such path
	methodNotAllowed     core.Code = "MethodNotAllowed"     // the path is there, for other methods
	unsupportedMediaType core.Code = "UnsupportedMediaType" // not said to be JSON, or encoded
	bodyTooLong          core.Code = "BodyTooLong"          // more than maxBodyBytes
)

// problem is an error on the wire, as of RFC 9457.
type problem struct {
	Type   string    `json:"type" doc:"The kind of problem; leads to the page that explains it" example:"/api/v1/docs#QueueNotFound"`
	Title  string    `json:"title" doc:"The kind of problem in words" example:"Not Found"`
	Status int       `json:"status" doc:"The HTTP status" example:"404"`
	Code   core.Code `json:"code" doc:"The kind of problem, for programs" example:"QueueNotFound"`
	Detail string    `json:"detail" doc:"What is wrong this time" example:"queue \"orders\" does not exist"`
	Errors []fault   `json:"errors,omitempty" doc:"What is wrong with which values"`
}

// fault is what is wrong with one value of a request.
type fault struct {
	Location string `json:"location" example:"body.messages[0].delay_seconds"`
	Message  string `json:"message" example:"expected number <= 604800"`
}

func newProblem(status int, code core.Code, detail string) *problem {
	return &problem{
		Type: prefix + "/docs#" + string(code), Title: http.StatusText(status),
		Status: status, Code: code, Detail: detail,
	}
}

// Error, GetStatus and ContentType are what huma asks of an error.
func (p *problem) Error() string             { return p.Detail }
func (p *problem) GetStatus() int            { return p.Status }
func (p *problem) ContentType(string) string { return "application/problem+json" }

// newProblemOf gives an error of the core as a problem, and logs it.
func newProblemOf(ctx context.Context, err error) *problem {
	code := core.CodeOf(err)
	if ctx.Err() == nil {
		zerolog.Ctx(ctx).WithLevel(caller.LogLevel(err)).Err(err).Str("protocol", "api").Msg("request failed")
	}
	return newProblem(statuses[code], code, core.MessageOf(err))
}

// failed gives an error of the core as the error of an operation.
func failed(ctx context.Context, err error) error {
	p := newProblemOf(ctx, err)
	if p.Code == core.Unavailable || p.Code == core.Throttled {
		return huma.ErrorWithHeaders(p, http.Header{"Retry-After": {"1"}})
	}
	return p
}

// asProblem turns the errors that huma makes by itself into problems. It leaves out the values
// that were wrong, which may be large or secret.
func asProblem(_ huma.Context, _ string, v any) (any, error) {
	model, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	code, known := codesOfStatus[model.Status]
	if !known {
		code = core.Internal
	}
	p := newProblem(model.Status, code, model.Detail)
	switch code {
	case core.Internal:
		p.Detail = "internal error"
		return p, nil
	case unsupportedMediaType: // as curl -d has it
		p.Detail = "the body must be JSON, and said to be by the header Content-Type: application/json"
	}
	for _, e := range model.Errors[:min(len(model.Errors), maxTold)] {
		if e != nil {
			p.Errors = append(p.Errors, fault{Location: e.Location, Message: e.Message})
		}
	}
	return p, nil
}

// maxTold bounds the wrong values that a problem names.
const maxTold = 100

// codesOfStatus are the codes of what huma finds wrong by itself.
var codesOfStatus = map[int]core.Code{
	http.StatusBadRequest:            badRequest,
	http.StatusRequestTimeout:        badRequest,
	http.StatusUnsupportedMediaType:  unsupportedMediaType,
	http.StatusRequestEntityTooLarge: bodyTooLong,
	http.StatusUnprocessableEntity:   core.InvalidArgument,
}

// NotFound answers a request under the API's path that names no operation.
func NotFound(c *gin.Context) {
	p := newProblem(http.StatusNotFound, notFound, c.Request.Method+" "+c.Request.URL.Path+" is no operation, see "+prefix+"/docs")
	writeProblem(c, p)
}

// problemResponse documents errors.
func problemResponse(schemas huma.Registry) *huma.Response {
	schema := huma.SchemaFromType(schemas, reflect.TypeFor[problem]())
	return &huma.Response{
		Description: "A problem",
		Content:     map[string]*huma.MediaType{"application/problem+json": {Schema: schema}},
	}
}

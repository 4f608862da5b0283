package api

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/polymq/polymq/protocols/caller"
)

// Requests knows what bodies the operations take, for whom has none to send yet: a file that declares queues
// is checked whole before anything of it is made.
type Requests struct {
	schemas huma.Registry
	bodies  map[string]*huma.Schema // by operation
}

// NewRequests reads the API's own document.
func NewRequests() *Requests {
	gin.SetMode(gin.ReleaseMode) // otherwise it prints the routes
	document := New(nil, &caller.Options{}, Options{}).register(newRoutes(gin.New())).OpenAPI()
	r := &Requests{schemas: document.Components.Schemas, bodies: map[string]*huma.Schema{}}
	for _, item := range document.Paths {
		for _, op := range []*huma.Operation{item.Post, item.Patch} {
			if op == nil || op.RequestBody == nil {
				continue
			}
			if content := op.RequestBody.Content["application/json"]; content != nil {
				r.bodies[op.OperationID] = content.Schema
			}
		}
	}
	return r
}

// Check says what is wrong with the body of a request, as decoded from JSON.
func (r *Requests) Check(operation string, body map[string]any) error {
	schema, ok := r.bodies[operation]
	if !ok {
		panic("the API has no operation " + operation + " with a body")
	}
	var result huma.ValidateResult
	huma.Validate(r.schemas, schema, huma.NewPathBuffer(nil, 0), huma.ModeWriteToServer, body, &result)
	var faults []error
	for _, err := range result.Errors {
		if detail, ok := errors.AsType[*huma.ErrorDetail](err); ok {
			err = fmt.Errorf("%s: %s", detail.Location, detail.Message)
		}
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// Properties gives the schemas of the fields of a request's body by name, and Definitions those that they
// refer to, under the root of a JSON schema.
func (r *Requests) Properties(operation string) (map[string]any, error) {
	schema := r.bodies[operation]
	if schema.Ref != "" {
		schema = r.schemas.SchemaFromRef(schema.Ref)
	}
	return asJSON(schema.Properties)
}

// Definitions gives all schemas by name; they refer to each other by #/components/schemas/NAME.
func (r *Requests) Definitions() (map[string]any, error) { return asJSON(r.schemas.Map()) }

func asJSON(v any) (map[string]any, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var decoded map[string]any
	return decoded, json.Unmarshal(text, &decoded)
}

package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
)

// routes mounts handlers on Gin, and knows what each path can do.
type routes struct {
	engine  *gin.Engine
	methods map[string][]string // of a path as Gin writes it
}

func newRoutes(engine *gin.Engine) *routes {
	return &routes{engine: engine, methods: map[string][]string{}}
}

// handle mounts a handler. Whoever may GET may ask for the HEAD alone: net/http leaves the body away.
func (r *routes) handle(method, path string, handler gin.HandlerFunc) {
	methods := []string{method}
	if method == http.MethodGet {
		methods = append(methods, http.MethodHead)
	}
	for _, method := range methods {
		r.engine.Handle(method, path, handler)
	}
	r.methods[path] = append(r.methods[path], methods...)
}

// refuseOthers answers the other methods of all paths: OPTIONS with those that there are, the rest with a problem.
func (r *routes) refuseOthers() {
	for path, methods := range r.methods {
		slices.Sort(methods)
		allow := strings.Join(append(methods, http.MethodOptions), ", ")
		r.engine.OPTIONS(path, func(c *gin.Context) {
			c.Header("Allow", allow)
			c.Status(http.StatusNoContent)
			c.Writer.WriteHeaderNow()
		})
		for _, other := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodTrace} {
			if slices.Contains(methods, other) {
				continue
			}
			r.engine.Handle(other, path, func(c *gin.Context) {
				c.Header("Allow", allow)
				writeProblem(c, newProblem(http.StatusMethodNotAllowed, methodNotAllowed, c.Request.URL.Path+" takes "+allow+", not "+other))
			})
		}
	}
}

package api

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// unauthenticated is the code of a request without a good access key.
const unauthenticated core.Code = "Unauthenticated"

// authorize says whether a caller may use the API, and completes it. Where signatures are verified, only
// administrators may: their access key is the bearer token, ID:SECRET. The answer to others is written.
func (a *adapter) authorize(c *gin.Context, who *caller.Caller) bool {
	ctx := c.Request.Context()
	if !a.callers.Verify {
		if err := a.callers.Recognize(ctx, who); err != nil {
			writeProblem(c, newProblemOf(ctx, err))
			return false
		}
		return true
	}
	token, _ := strings.CutPrefix(c.GetHeader("Authorization"), "Bearer ")
	id, secret, _ := strings.Cut(token, ":")
	key, err := a.callers.FindKey(ctx, id)
	switch {
	case err != nil:
		writeProblem(c, newProblemOf(ctx, err))
	case key == nil || key.Disabled || key.Temporary() || key.Secret == "" || !key.Secret.Equal(secret):
		c.Header("WWW-Authenticate", `Bearer realm="polymq"`)
		writeProblem(c, newProblem(http.StatusUnauthorized, unauthenticated, "the API needs an administrator's access key: Authorization: Bearer ID:SECRET"))
	case !key.Admin:
		writeProblem(c, newProblem(http.StatusForbidden, core.AccessDenied, "the API is for administrators, and this access key is not one's"))
	default:
		who.Verified = true
		who.Is(key)
		return true
	}
	return false
}

func writeProblem(c *gin.Context, p *problem) {
	if p.Code == core.Unavailable {
		c.Header("Retry-After", "1")
	}
	c.Header("Content-Type", p.ContentType(""))
	c.JSON(p.Status, p)
}

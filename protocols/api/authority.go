package api

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// serveAuthority gives the certificate that clients have to trust, also to those that are not known: it is no
// secret, and they need it before they can ask for anything else.
func (s *Server) serveAuthority(c *gin.Context) {
	if s.options.Authority == nil {
		writeProblem(c, newProblem(http.StatusNotFound, notFound, "the server has no certificate authority of its own (--tls auto)"))
		return
	}
	c.Header("Content-Disposition", `attachment; filename="polymq-ca.pem"`)
	c.Data(http.StatusOK, "application/x-pem-file", s.options.Authority)
}

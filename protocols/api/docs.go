package api

import (
	_ "embed" // for the page
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/rs/zerolog"
)

// page renders the OpenAPI document. It loads nothing but that document.
//
//go:embed docs.html
var page []byte

func serveDocs(c *gin.Context) {
	c.Header("Content-Security-Policy", "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:")
	c.Data(http.StatusOK, "text/html; charset=utf-8", page)
}

// serveDocument serves the OpenAPI document, which the first request makes.
func serveDocument(c *gin.Context, document func() ([]byte, error)) {
	json, err := document()
	if err != nil {
		zerolog.Ctx(c.Request.Context()).Error().Err(err).Msg("could not make the OpenAPI document")
		c.Status(http.StatusInternalServerError)
		return
	}
	c.Data(http.StatusOK, "application/openapi+json", json)
}

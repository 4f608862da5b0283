package api

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// readyTimeout bounds how long /readyz waits for the database.
const readyTimeout = time.Second

type health struct {
	Status   string `json:"status"`
	Database string `json:"database,omitempty"` // "ready" or "away"
}

// healthz says that the process answers.
func (s *Server) healthz(c *gin.Context) { c.JSON(http.StatusOK, health{Status: "ok"}) }

// readyz says that requests should come here, which they should also while the database is away:
// see the package's documentation.
func (s *Server) readyz(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), readyTimeout)
	defer cancel()
	answer := health{Status: "ready", Database: "ready"}
	if err := s.broker.Ready(ctx); err != nil {
		answer.Database = "away"
	}
	c.JSON(http.StatusOK, answer)
}

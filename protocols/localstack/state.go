package localstack

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// resetState empties every account that has something. Services are not apart here: whoever resets one of those that
// are spoken resets what all of them hold.
func (s *Server) resetState(c *gin.Context) {
	if service := c.Param("service"); service != "" && !slices.Contains(s.options.Services, service) {
		c.JSON(http.StatusNotFound, gin.H{"error": "no such service " + service})
		return
	}
	if err := s.reset(c); err != nil {
		fail(c, err)
		return
	}
	c.JSON(http.StatusOK, gin.H{})
}

// maxRounds bounds how often accounts are looked for, while others make new ones: core.MaxScopes are seen at once.
const maxRounds = 1000

func (s *Server) reset(c *gin.Context) error {
	ctx := c.Request.Context()
	accounts := []string{caller.DefaultAccount} // which may have a message log and nothing else
	for range maxRounds {
		if len(accounts) == 0 {
			return nil
		}
		for _, account := range accounts {
			if err := s.broker.ResetAccount(ctx, account); err != nil {
				return err
			}
		}
		var err error
		if accounts, err = s.broker.AccountsToReset(ctx); err != nil {
			return err
		}
	}
	return core.Errorf(core.Throttled, "accounts are made faster than they are emptied")
}

// manage does what is asked of the whole server: to restart is to forget everything, as LocalStack does. To be ended
// is left to whoever started it.
func (s *Server) manage(c *gin.Context) {
	var wanted struct{ Action string }
	body, err := io.ReadAll(io.LimitReader(c.Request.Body, maxBody))
	if err != nil || json.Unmarshal(body, &wanted) != nil || wanted.Action != "restart" {
		c.JSON(http.StatusBadRequest, gin.H{"error": `the body must be {"action": "restart"}; a server is ended by a signal to its process`})
		return
	}
	s.resetState(c)
}

// inTestMode lets only tests in.
func (s *Server) inTestMode(do gin.HandlerFunc) gin.HandlerFunc {
	return s.open(func(c *gin.Context) {
		if !s.options.TestMode {
			c.JSON(http.StatusForbidden, gin.H{"error": "nothing is reset unless the server was started with --test-mode"})
			return
		}
		do(c)
	})
}

// open serves who needs not say who he is: LocalStack's endpoints ask nobody.
func (s *Server) open(do gin.HandlerFunc) gin.HandlerFunc {
	return func(c *gin.Context) {
		if !s.options.Open {
			c.JSON(http.StatusForbidden, gin.H{"error": "this is answered only with --auth off; the JSON API and the console do the same for who may"})
			return
		}
		do(c)
	}
}

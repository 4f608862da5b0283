package protocols

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"
	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/api"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/mns"
)

// Options say what is spoken and how the server is reached.
type Options struct {
	Caller    caller.Options
	Protocols []string // of Names; nil: all
	TestMode  bool     // time may be moved forward
	Version   string   // of the server
	Log       zerolog.Logger
}

// Names are the protocols that can be switched on and off.
var Names = []string{"sqs", "mns", "api"}

// New makes the handler of the one port, which tells the protocols apart by the request.
func New(broker *core.Broker, options Options) http.Handler {
	on := func(name string) bool { return options.Protocols == nil || slices.Contains(options.Protocols, name) }
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.RedirectTrailingSlash = false
	if on("api") {
		api.New(broker, &options.Caller, api.Options{Version: options.Version, TestMode: options.TestMode}).Register(engine)
	}
	mnsServer := mns.New(broker, &options.Caller)
	engine.NoRoute(func(c *gin.Context) {
		switch {
		case on("api") && api.Matches(c.Request):
			api.NotFound(c)
		case on("mns") && mns.Matches(c.Request):
			mnsServer.ServeHTTP(c.Writer, c.Request)
		default:
			c.Status(http.StatusNotImplemented)
		}
	})
	return engine
}

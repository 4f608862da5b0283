package localstack

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// imitated is the version of LocalStack whose habits are followed.
const imitated = "4.0.0"

// Options say what the server is.
type Options struct {
	Version  string   // of polymq
	Services []string // AWS services that are spoken ("sqs")
	Scripts  *Scripts // the record of init scripts, nil for none
	TestMode bool     // everything may be reset
	Open     bool     // nobody is asked who he is
}

// Server answers LocalStack's internal endpoints.
type Server struct {
	broker  *core.Broker
	options Options
	began   time.Time
	session string // tells one start of the server from another
}

// New makes a Server.
func New(broker *core.Broker, options Options) *Server {
	if options.Scripts == nil {
		options.Scripts = &Scripts{}
	}
	return &Server{broker: broker, options: options, began: time.Now(), session: caller.RequestID()}
}

// Register mounts the endpoints.
func (s *Server) Register(engine *gin.Engine) {
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		engine.Handle(method, "/health", s.health)
		engine.Handle(method, "/_localstack/health", s.health)
		engine.Handle(method, "/_localstack/info", s.info)
		engine.Handle(method, "/_localstack/init", s.init)
		engine.Handle(method, "/_localstack/init/:stage", s.initStage)
		engine.Handle(method, "/_localstack/plugins", nothing)
		engine.Handle(method, "/_localstack/usage", nothing)
	}
	engine.POST("/_localstack/health", s.inTestMode(s.manage))
	engine.POST("/_localstack/state/reset", s.inTestMode(s.resetState))
	engine.POST("/_localstack/state/:service/reset", s.inTestMode(s.resetState))
	for path, what := range map[string]kept{"/_aws/sns/sms-messages": toPhones, "/_aws/sns/platform-endpoint-messages": toDevices} {
		engine.GET(path, s.open(s.showKept(what)))
		engine.DELETE(path, s.open(s.dropKept(what)))
	}
	engine.GET("/_aws/sns/subscription-tokens/:arn", s.open(s.showToken))
	engine.POST("/_aws/sns/phone-opt-outs", s.open(s.optOut))
}

// nothing answers where LocalStack lists what there is none of here.
func nothing(c *gin.Context) { c.JSON(http.StatusOK, gin.H{}) }

func (s *Server) health(c *gin.Context) {
	services := map[string]string{}
	for _, name := range s.options.Services {
		services[name] = "running"
	}
	c.JSON(http.StatusOK, gin.H{"services": services, "edition": "community", "version": imitated, "polymq": s.options.Version})
}

func (s *Server) info(c *gin.Context) {
	now := time.Now()
	c.JSON(http.StatusOK, gin.H{
		"version": imitated, "edition": "community", "is_license_activated": false, "polymq": s.options.Version, "session_id": s.session,
		"machine_id": machine(), "system": runtime.GOOS, "is_docker": isContainer(), "server_time_utc": now.UTC().Format("2006-01-02T15:04:05"),
		"uptime": int(now.Sub(s.began).Seconds()),
	})
}

// machine names the machine, without telling its name.
func machine() string {
	name, _ := os.Hostname()
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:6])
}

func isContainer() bool {
	_, err := os.Stat("/.dockerenv")
	return err == nil
}

func (s *Server) init(c *gin.Context) {
	completed := map[Stage]bool{}
	for _, stage := range Stages {
		completed[stage] = s.options.Scripts.Completed(stage)
	}
	c.JSON(http.StatusOK, gin.H{"completed": completed, "scripts": s.options.Scripts.Of("")})
}

func (s *Server) initStage(c *gin.Context) {
	stage := Stage(strings.ToUpper(c.Param("stage")))
	if !stage.known() {
		c.JSON(http.StatusNotFound, gin.H{"error": "no such stage " + string(stage)})
		return
	}
	c.JSON(http.StatusOK, gin.H{"completed": s.options.Scripts.Completed(stage), "scripts": s.options.Scripts.Of(stage)})
}

package localstack

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// imitated is the version of LocalStack whose habits are followed.
const imitated = "4.0.0"

// Server answers LocalStack's internal endpoints.
type Server struct {
	version  string
	services []string
	scripts  *Scripts
}

// New makes a Server for a version of polymq, the AWS services that are spoken ("sqs") and the record of
// init scripts, nil for none.
func New(version string, services []string, scripts *Scripts) *Server {
	if scripts == nil {
		scripts = &Scripts{}
	}
	return &Server{version: version, services: services, scripts: scripts}
}

// Register mounts the endpoints.
func (s *Server) Register(engine *gin.Engine) {
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		engine.Handle(method, "/_localstack/health", s.health)
		engine.Handle(method, "/_localstack/info", s.info)
		engine.Handle(method, "/_localstack/init", s.init)
		engine.Handle(method, "/_localstack/init/:stage", s.initStage)
	}
}

func (s *Server) health(c *gin.Context) {
	services := map[string]string{}
	for _, name := range s.services {
		services[name] = "running"
	}
	c.JSON(http.StatusOK, gin.H{"services": services, "edition": "community", "version": imitated, "polymq": s.version})
}

func (s *Server) info(c *gin.Context) {
	c.JSON(http.StatusOK, gin.H{"version": imitated, "edition": "community", "is_license_activated": false, "polymq": s.version})
}

func (s *Server) init(c *gin.Context) {
	completed := map[Stage]bool{}
	for _, stage := range Stages {
		completed[stage] = s.scripts.Completed(stage)
	}
	c.JSON(http.StatusOK, gin.H{"completed": completed, "scripts": s.scripts.Of("")})
}

func (s *Server) initStage(c *gin.Context) {
	stage := Stage(strings.ToUpper(c.Param("stage")))
	if !stage.known() {
		c.JSON(http.StatusNotFound, gin.H{"error": "no such stage " + string(stage)})
		return
	}
	c.JSON(http.StatusOK, gin.H{"completed": s.scripts.Completed(stage), "scripts": s.scripts.Of(stage)})
}

package api

import (
	"context"
	"runtime"
)

type versionResponse struct {
	Body struct {
		Version string `json:"version"`
		Go      string `json:"go" doc:"The version of Go it was built with"`
	}
}

func (s *Server) getVersion(context.Context, *struct{}) (*versionResponse, error) {
	var resp versionResponse
	resp.Body.Version, resp.Body.Go = s.options.Version, runtime.Version()
	return &resp, nil
}

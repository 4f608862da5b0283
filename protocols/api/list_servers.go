package api

import (
	"context"
	"time"
)

type serverBody struct {
	ID             string    `json:"id" doc:"New at each start"`
	Name           string    `json:"name,omitempty" doc:"Its machine and port"`
	Version        string    `json:"version,omitempty"`
	Self           bool      `json:"self" doc:"It is the one that answers"`
	Listens        bool      `json:"listens" doc:"It hears at once what other servers did, and does not have to look by itself"`
	StartedAt      time.Time `json:"started_at"`
	SeenSecondsAgo float64   `json:"seen_seconds_ago"`
}

type listServersResponse struct {
	Body struct {
		Servers []serverBody `json:"servers" nullable:"false" doc:"Those that started first in front"`
	}
}

// listServers shows the servers that share the database.
func (s *Server) listServers(ctx context.Context, _ *struct{}) (*listServersResponse, error) {
	servers, err := s.broker.Servers(ctx)
	if err != nil {
		return nil, failed(ctx, err)
	}
	resp := &listServersResponse{}
	resp.Body.Servers = make([]serverBody, 0, len(servers))
	for _, v := range servers {
		resp.Body.Servers = append(resp.Body.Servers, serverBody{
			ID: v.ID, Name: v.Name, Version: v.Version, Self: v.Self, Listens: v.Listens, StartedAt: v.StartedAt, SeenSecondsAgo: v.SeenAgo.Seconds(),
		})
	}
	return resp, nil
}

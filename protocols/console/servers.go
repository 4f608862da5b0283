package console

import (
	"time"

	"github.com/polymq/polymq/core"
)

// serversPage is the data of servers.html.
type serversPage struct {
	Servers []core.ServerInfo
	Now     time.Time
}

// showServers shows the servers that share the database.
func (s *Server) showServers(x *exchange) error {
	servers, err := s.broker.Servers(x.ctx())
	if err != nil {
		return err
	}
	data := serversPage{Servers: servers, Now: time.Now()}
	if x.partial() {
		return s.part(x, "servers.html", "rows", data)
	}
	return s.show(x, "servers.html", &page{Title: "Servers", Active: "servers", Data: data, Snippets: serversSnippets(x)})
}

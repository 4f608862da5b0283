package main

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/polymq/polymq/cmd/polymq/polymqtest"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	srv := polymqtest.Start(t)
	other := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(other.Close)
	address := strings.TrimPrefix(srv.URL(), "http://")
	_, port, _ := net.SplitHostPort(address)
	for name, tt := range map[string]struct {
		environ, args []string
		says          string // "": it fails
	}{
		"a server":                  {nil, []string{"--endpoint", srv.URL()}, "takes requests, its database is ready"},
		"without a scheme":          {nil, []string{"--endpoint", address}, "takes requests"},
		"by a variable":             {[]string{"POLYMQ_ENDPOINT=" + srv.URL()}, nil, "takes requests"},
		"where the server listens":  {[]string{"POLYMQ_LISTEN=:" + port + ",:1"}, nil, "http://127.0.0.1:" + port + " takes requests"},
		"on all addresses":          {[]string{"POLYMQ_LISTEN=[::]:" + port}, nil, "http://127.0.0.1:" + port + " takes requests"},
		"nobody":                    {nil, []string{"--endpoint", "http://127.0.0.1:1"}, ""},
		"something else":            {nil, []string{"--endpoint", other.URL}, ""},
		"the flag before variables": {[]string{"POLYMQ_ENDPOINT=" + srv.URL()}, []string{"--endpoint", other.URL}, ""},
	} {
		root := rootCommand(tt.environ)
		var out bytes.Buffer
		root.SetOut(&out)
		root.SetArgs(append([]string{"health"}, tt.args...))
		err := root.ExecuteContext(t.Context())
		if (err == nil) != (tt.says != "") || !strings.Contains(out.String(), tt.says) {
			t.Errorf("%s: %v, says %q", name, err, out.String())
		}
	}
}

package protocols

import (
	"net/http"
	"net/http/httputil"
	"net/url"

	"github.com/rs/zerolog"
)

// newForwarder passes requests on to another server as they came, with the Host and the query that the client wrote, so
// that signatures stay right, but without the header that says whom a proxy has signed on. Answers come back as they
// are, compressed or not. Where the server cannot be reached, the client gets an error of its own kind.
func newForwarder(target *url.URL, signOnHeader string) http.Handler {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true
	proxy := &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.URL.RawQuery = r.In.URL.RawQuery // which httputil else writes anew where a ; or a lone % is in it
			r.Out.Host = r.In.Host
			r.SetXForwarded()
			r.Out.Header.Del(signOnHeader)
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			zerolog.Ctx(r.Context()).Warn().Err(err).Str("to", target.Host).Msg("could not pass a request on")
			formOf(r).write(w, refusal{
				status: http.StatusServiceUnavailable, code: "ServiceUnavailable",
				message: serviceOf(r) + " is passed on to " + target.Host + ", which cannot be reached",
			}, r)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = nil // what an answer does not say net/http does not guess
		proxy.ServeHTTP(w, r)
	})
}

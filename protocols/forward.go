package protocols

import (
	"net/http"
	"net/http/httputil"
	"net/url"

	"github.com/rs/zerolog"
)

// newForwarder passes requests on to another server as they came, with the Host that the client used, so
// that signatures stay right, but without the header that says whom a proxy has signed on. Where it cannot be reached,
// the client gets an error of its own kind.
func newForwarder(target *url.URL, signOnHeader string) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
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
}

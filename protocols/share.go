package protocols

import (
	"net/http"
	"slices"
	"strings"
)

// What browsers are told of AWS's services, as these tell it themselves: any page may call them, for it takes a
// signature, and no cookie counts.
const (
	sharedMethods = "GET, POST"
	sharedHeaders = "X-Amzn-Requestid, X-Amzn-Errortype, X-Amzn-Query-Error, Date"
	sharedLife    = "172800" // seconds for which a browser need not ask again
)

// share lets pages of other sites read what AWS's services answer, and answers the browser that asks beforehand.
// Where nobody is asked who he is, requests of other sites do not come so far (guardHosts). Nothing else is shared:
// the console and the JSON API have pages of their own, and MNS lets no browsers in.
func (p *port) share(w http.ResponseWriter, r *http.Request) (answered bool) {
	if len(r.Header["Origin"]) == 0 {
		return false
	}
	header, meant := w.Header(), r.Method
	if meant == http.MethodOptions {
		meant = r.Header.Get("Access-Control-Request-Method")
	}
	if !p.isShared(r, meant) {
		return false
	}
	header.Set("Access-Control-Allow-Origin", "*")
	if r.Method != http.MethodOptions {
		header.Set("Access-Control-Expose-Headers", sharedHeaders)
		return false
	}
	header.Set("Access-Control-Allow-Methods", sharedMethods)
	header.Set("Access-Control-Max-Age", sharedLife)
	if headers := r.Header.Get("Access-Control-Request-Headers"); headers != "" {
		header.Set("Access-Control-Allow-Headers", headers)
	}
	w.WriteHeader(http.StatusOK)
	return true
}

// isShared says that a request by that method is for one of AWS's services: where these have their addresses, and
// queues have theirs.
func (p *port) isShared(r *http.Request, method string) bool {
	path := r.URL.Path
	if method != http.MethodGet && method != http.MethodPost || path != "/" && !strings.HasPrefix(path, "/queue/") && !strings.HasPrefix(path, "/service/") && !isAccountPath(path) {
		return false
	}
	meant := *r
	meant.Method = method
	protocol := protocolOf(&meant)
	r.Body = meant.Body // of which the beginning may have been looked at
	return slices.Contains(queryProtocols, protocol) && p.speaks(protocol)
}

// isAccountPath says that a path begins with an account, as those of queues do.
func isAccountPath(path string) bool {
	account, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return account != "" && strings.Trim(account, "0123456789") == ""
}

package protocols

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/polymq/polymq/docs"
	"github.com/polymq/polymq/protocols/api"
	"github.com/polymq/polymq/protocols/console"
)

// ownZones are the ends of names that nobody can have in the public DNS, or that lead to this machine whoever asks.
var ownZones = []string{".localhost", ".local", ".internal", ".test", ".svc", ".lan", ".home.arpa", ".localdomain", ".localhost.localstack.cloud"}

// guardHosts keeps the pages of other sites out where nobody is asked who he is. A site can give its name the address
// of this machine, and the browser then takes this server for a part of the site (DNS rebinding). So browsers are
// answered under names only that no site can have, and under those that the operator says are the server's. What a
// page of another site sends to one of those is refused as well: to delete a queue it takes no more than an image.
func (p *port) guardHosts(c *gin.Context) {
	r := c.Request
	if own := p.isOwn(r.Host); own && len(r.Header["Origin"]) == 0 && len(r.Header["Sec-Fetch-Site"]) == 0 || !fromBrowser(r.Header) {
		return
	} else if !own {
		name, _ := splitPort(r.Host)
		p.turnAway(c, http.StatusMisdirectedRequest, "polymq does not know "+strings.ToValidUTF8(name, "\uFFFD")+
			" as a name of its own, and a page of another site must not use it. If it is one, say so with --public-url or --console-hosts, or use --auth verify.")
		return
	}
	if p.fromAnotherSite(r) && !isVisit(r) {
		p.turnAway(c, http.StatusForbidden, "a page of another site may not use polymq where it asks nobody who he is (--auth off).")
	}
}

// turnAway refuses a request before any protocol has seen it.
func (p *port) turnAway(c *gin.Context, status int, message string) {
	c.Abort()
	if strings.Contains(c.GetHeader("Accept"), "text/html") {
		c.String(status, "%s\n", message)
		return
	}
	formOf(c.Request).write(c.Writer, refusal{status: status, code: "AccessDenied", message: message}, c.Request)
}

// fromAnotherSite says that the browser sent the request for a page of another site. Programs on the same machine,
// under whatever port, are of the same site.
func (p *port) fromAnotherSite(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "cross-site"
	}
	origin, err := url.Parse(r.Header.Get("Origin"))
	host, _ := splitPort(r.Host)
	return err != nil || !strings.EqualFold(origin.Hostname(), host) && !p.isOwn(origin.Host) || origin.Host == ""
}

// isVisit says that somebody follows a link to a page, which changes nothing.
func isVisit(r *http.Request) bool {
	if r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	return console.Wants(r) || docs.Wants(r) || strings.HasPrefix(r.URL.Path, "/console") || api.Matches(r)
}

// isOwn says that a host can be no other site's.
func (p *port) isOwn(host string) bool {
	name, bracketed := splitPort(host)
	if bracketed || !strings.Contains(name, ".") {
		return true
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	for _, own := range p.hosts {
		zone, isZone := strings.CutPrefix(own, "*")
		if strings.EqualFold(name, own) || isZone && hasSuffixFold(name, zone) {
			return true
		}
	}
	return false
}

// ownHosts gives the names, and the zones with a star in front, that are the server's own.
func ownHosts(options *Options) []string {
	hosts := []string{"localhost.localstack.cloud"}
	for _, zone := range ownZones {
		hosts = append(hosts, "*"+zone)
	}
	if public, err := url.Parse(options.Caller.PublicURL); err == nil && public.Hostname() != "" {
		hosts = append(hosts, public.Hostname())
	}
	return append(hosts, options.Hosts...)
}

// splitPort gives the name in a host, without the dot that may end it; bracketed is an address of IPv6.
func splitPort(host string) (name string, bracketed bool) {
	if strings.HasPrefix(host, "[") {
		return host, true
	}
	name, _, _ = strings.Cut(host, ":")
	return strings.TrimSuffix(name, "."), false
}

func hasSuffixFold(s, suffix string) bool {
	return len(s) > len(suffix) && strings.EqualFold(s[len(s)-len(suffix):], suffix)
}

// fromBrowser says that a browser sent the request, as far as a page cannot keep it from saying so: it names the
// origin of what changes something, and where a request comes from, though not by plain http; it always has a language
// and calls itself Mozilla. Node's fetch, which is no browser, has a language too, but says how it fetches.
func fromBrowser(header http.Header) bool {
	for _, name := range []string{"Origin", "Sec-Fetch-Site", "Cookie"} {
		if len(header[name]) > 0 {
			return true
		}
	}
	return len(header["Accept-Language"]) > 0 && len(header["Sec-Fetch-Mode"]) == 0 || strings.HasPrefix(header.Get("User-Agent"), "Mozilla/")
}

package sdktests

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/polymq/polymq/cmd/polymq/server"
)

// appends adds the address of whoever connected, as proxies do behind the first one.
func appends(r *httputil.ProxyRequest) {
	host, _, _ := net.SplitHostPort(r.In.RemoteAddr)
	if before := r.In.Header.Values("X-Forwarded-For"); len(before) > 0 {
		host = strings.Join(before, ", ") + ", " + host
	}
	r.Out.Header.Set("X-Forwarded-For", host)
}

// hasIPv6 says that this machine has the loopback address of IPv6.
func hasIPv6() bool {
	l, err := net.Listen("tcp", "[::1]:0")
	if err == nil {
		_ = l.Close()
	}
	return err == nil
}

// TestBehindProxies puts one proxy or two before the server, which rewrite Host and say in different ways what it was:
// what clients sign is verified, they are told the address that they used, and who they are is the first address that no
// proxy of the operator's has. What a client itself says of that counts for nothing.
func TestBehindProxies(t *testing.T) {
	t.Parallel()
	v := startGuarded(t, server.Config{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32"), netip.MustParsePrefix("127.0.0.3/32"), netip.MustParsePrefix("fd00::/8")}})
	says := func(names ...string) func(*httputil.ProxyRequest) {
		return func(r *httputil.ProxyRequest) {
			appends(r)
			host, port := r.In.Host[:strings.LastIndexByte(r.In.Host, ':')], r.In.Host[strings.LastIndexByte(r.In.Host, ':')+1:]
			for _, name := range names {
				switch name {
				case "Host":
					r.Out.Header.Set("X-Forwarded-Host", r.In.Host)
				case "Host without port":
					r.Out.Header.Set("X-Forwarded-Host", host)
				case "Port":
					r.Out.Header.Set("X-Forwarded-Port", port)
				case "https":
					r.Out.Header.Set("X-Forwarded-Proto", "https")
				case "keep":
					r.Out.Host = r.In.Host
				}
			}
		}
	}
	nothing := func(r *httputil.ProxyRequest) { appends(r) }
	const here, inner, outer = "127.0.0.1", "127.0.0.2", "127.0.0.3"
	one := func(rewrite func(*httputil.ProxyRequest)) string { return proxy(t, here, inner, v.url, rewrite) }
	two := func(first, second func(*httputil.ProxyRequest)) string {
		return proxy(t, here, outer, one(second), first)
	}
	chains := map[string]struct{ url, scheme string }{
		"which says Host":                {one(says("Host")), "http"},
		"which keeps Host":               {one(says("keep")), "http"},
		"which says Host and Port apart": {one(says("Host without port", "Port")), "http"},
		"which ends TLS":                 {one(says("Host", "https")), "https"},
		"two, the first says Host":       {two(says("Host"), nothing), "http"},
		"two, each says Host":            {two(says("Host"), addsHost), "http"},
		"two, the first ends TLS":        {two(says("Host", "https"), nothing), "https"},
		"two, which keep Host":           {two(says("keep"), says("keep")), "http"},
	}
	if hasIPv6() {
		chains["at an address of IPv6"] = struct{ url, scheme string }{proxy(t, "::1", inner, v.url, says("Host")), "http"}
		chains["there, Host and Port apart"] = struct{ url, scheme string }{proxy(t, "::1", inner, v.url, says("Host without port", "Port")), "http"}
	}
	for name, chain := range chains {
		t.Run(name, func(t *testing.T) {
			queue := "q" + strings.Trim(strings.Map(letters, name), "-")
			spoofed := func(o *sqs.Options) {
				o.HTTPClient = changing(func(r *http.Request) {
					r.Header.Set("X-Forwarded-For", "6.6.6.6")
					r.Header.Set("Forwarded", "for=6.6.6.6;host=evil.example;proto=https")
				})
			}
			made, err := polymq{chain.url, rootKey}.sqs(asRoot, spoofed).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &queue})
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Replace(chain.url, "http", chain.scheme, 1) + "/" + defaultAccount + "/" + queue
			if *made.QueueUrl != want {
				t.Errorf("the queue is at %s, want %s", *made.QueueUrl, want)
			}
			for scheme, code := range throughEach(t, chain.url) {
				if code != "" {
					t.Errorf("%s: %s", scheme, code)
				}
			}
			for _, event := range v.audit(t, "action=CreateQueue") {
				if event.SourceIPAddress != here && event.SourceIPAddress != "::1" {
					t.Errorf("audited as from %s", event.SourceIPAddress)
				}
			}
		})
	}
}

// addsHost appends to X-Forwarded-Host what it was reached by, as proxies in a row do.
func addsHost(r *httputil.ProxyRequest) {
	appends(r)
	r.Out.Header.Set("X-Forwarded-Host", r.In.Header.Get("X-Forwarded-Host")+", "+r.In.Host)
}

func letters(r rune) rune {
	if r >= 'a' && r <= 'z' {
		return r
	}
	return '-'
}

// proxy starts a proxy that connects from another address of this machine than its own, by which it is known.
func proxy(t *testing.T, at, from, target string, rewrite func(*httputil.ProxyRequest)) string {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(at, "0"))
	if err != nil {
		t.Fatal(err)
	}
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 10 * time.Second}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, address)
	}}
	t.Cleanup(transport.CloseIdleConnections)
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	made := httptest.NewUnstartedServer(&httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		for name, values := range r.In.Header { // which Rewrite takes away
			if strings.HasPrefix(name, "X-Forwarded-") || name == "Forwarded" {
				r.Out.Header[name] = values
			}
		}
		r.SetURL(to)
		rewrite(r)
	}})
	_ = made.Listener.Close()
	made.Listener = l
	made.Start()
	t.Cleanup(made.Close)
	return made.URL
}

package push

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/icholy/digest"

	"github.com/polymq/polymq/core"
)

// Options say where pushes may go.
type Options struct {
	Open     bool           // private and loopback addresses are as good as public ones
	Allow    []netip.Prefix // of those addresses that may be pushed to where Open is not set
	CA       []byte         // certificates to trust besides the system's, in PEM
	Insecure bool           // certificates are not verified

	SMTP   string // smtp://user:password@host:port or smtps://…; "": mail is kept
	From   string // the sender of mail; "": polymq@ the name of the mail server
	Lambda string // the URL at which functions are invoked; "": invocations are kept
}

// Bounds of connections.
const (
	dialTimeout      = 5 * time.Second
	maxIdle          = 4096
	maxIdlePerHost   = 1024 // behind which there may be many endpoints
	idleTimeout      = 30 * time.Second
	maxAnswerHeaders = 64 << 10
)

// Client makes pushes. It may be used by many at the same time.
type Client struct {
	http     *http.Client // to endpoints
	internal *http.Client // to what the operator has configured
	mail     *mailServer  // nil: there is none
	lambda   *url.URL     // nil: there is none
}

// New makes a Client.
func New(o Options) (*Client, error) {
	trust, err := trusted(o.CA)
	if err != nil {
		return nil, err
	}
	secure := &tls.Config{RootCAs: trust, InsecureSkipVerify: o.Insecure} //nolint:gosec // the operator asked for it
	guard := addresses{open: o.Open, allow: o.Allow}
	c := &Client{
		http:     newHTTPClient(&net.Dialer{Timeout: dialTimeout, Control: guard.control}, secure),
		internal: newHTTPClient(&net.Dialer{Timeout: dialTimeout}, secure),
	}
	if o.SMTP != "" {
		if c.mail, err = newMailServer(o.SMTP, o.From, secure); err != nil {
			return nil, err
		}
	}
	if o.Lambda != "" {
		if c.lambda, err = ParseURL(o.Lambda, "http", "https"); err != nil {
			return nil, fmt.Errorf("the endpoint of functions: %w", err)
		}
	}
	return c, nil
}

// trusted gives the system's certificates and those given; nil for the system's alone.
func trusted(ca []byte) (*x509.CertPool, error) {
	if len(ca) == 0 {
		return nil, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(ca) {
		return nil, errors.New("there are no certificates in PEM among those to trust")
	}
	return pool, nil
}

// ParseURL reads a URL of one of the schemes, with a host.
func ParseURL(text string, schemes ...string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("it is no URL")
	}
	for _, scheme := range schemes {
		if u.Scheme == scheme && u.Hostname() != "" {
			return u, nil
		}
	}
	return nil, fmt.Errorf("it must be %s://host", strings.Join(schemes, ":// or "))
}

func newHTTPClient(dialer *net.Dialer, secure *tls.Config) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext, // no Proxy: its address would be the one that is checked
			TLSClientConfig:        secure,
			TLSHandshakeTimeout:    dialTimeout,
			DisableCompression:     true,
			MaxIdleConns:           maxIdle,
			MaxIdleConnsPerHost:    maxIdlePerHost,
			IdleConnTimeout:        idleTimeout,
			MaxResponseHeaderBytes: maxAnswerHeaders,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close closes connections that are not in use.
func (c *Client) Close() {
	c.http.CloseIdleConnections()
	c.internal.CloseIdleConnections()
}

// Do makes a push and says what came of it.
func (c *Client) Do(ctx context.Context, p core.Push) core.PushAnswer {
	ctx, cancel := context.WithTimeout(ctx, min(orDefault(p.Timeout), core.MaxPushTimeout))
	defer cancel()
	began := time.Now()
	answer := c.push(ctx, p)
	answer.Latency = time.Since(began)
	return answer
}

func orDefault(timeout time.Duration) time.Duration {
	if timeout <= 0 {
		return core.DefaultPushTimeout
	}
	return timeout
}

func (c *Client) push(ctx context.Context, p core.Push) core.PushAnswer {
	switch {
	case p.Way == core.ByHTTP:
		return c.request(ctx, p)
	case p.Way == core.ByMail && c.mail != nil:
		return c.mail.send(ctx, p)
	case p.Way == core.ByMail:
		return core.PushAnswer{Kept: true, Reason: core.ReasonNoMailServer}
	case p.Way == core.ByLambda && c.lambda != nil:
		return c.invoke(ctx, p)
	case p.Way == core.ByLambda:
		return core.PushAnswer{Kept: true, Reason: core.ReasonNoFunctions}
	}
	return core.PushAnswer{Kept: true}
}

// request pushes to an HTTP endpoint.
func (c *Client) request(ctx context.Context, p core.Push) core.PushAnswer {
	if _, err := ParseURL(p.URL, "http", "https"); err != nil {
		return core.PushAnswer{Refused: true, Reason: fmt.Sprintf(core.ReasonNoURL, err), Failure: core.InvalidHost}
	}
	req, err := http.NewRequestWithContext(ctx, p.Method, p.URL, bytes.NewReader(p.Body))
	if err != nil {
		return core.PushAnswer{Refused: true, Reason: core.ReasonNoRequest}
	}
	for name, values := range p.Header {
		req.Header[name] = values // as it is spelled
	}
	return do(c.as(req), req)
}

// as gives the client for a request whose URL names a user: its password goes with the request, as Basic says, and again as the endpoint
// asks for it where that is Digest.
func (c *Client) as(req *http.Request) *http.Client {
	if req.URL.User == nil || req.Header.Get("Authorization") != "" {
		return c.http
	}
	password, _ := req.URL.User.Password()
	user := *c.http
	user.Transport = &digest.Transport{Username: req.URL.User.Username(), Password: password, Transport: c.http.Transport}
	return &user
}

// do makes a request and reads what is kept of its answer.
func do(client *http.Client, req *http.Request) core.PushAnswer {
	resp, err := client.Do(req)
	if err != nil {
		return failure(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, core.MaxAnswerBytes))
	if err != nil {
		return failure(err)
	}
	return core.PushAnswer{Status: resp.StatusCode, Excerpt: excerpt(body)}
}

// excerpt gives the beginning of an answer as text that can be stored and shown.
func excerpt(body []byte) string {
	text := strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == '\uFFFE' || r == '\uFFFF' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(body[:min(len(body), core.MaxExcerptBytes)]), "\uFFFD"))
	return text
}

// failure says why there was no answer, without the addresses that the error may name.
func failure(err error) core.PushAnswer {
	var dns *net.DNSError
	var timeout net.Error
	var unknown x509.UnknownAuthorityError
	var certificate *tls.CertificateVerificationError
	reason, kind := core.ReasonFailed, core.ConnectFailure
	switch {
	case errors.Is(err, errForbidden):
		return core.PushAnswer{Refused: true, Reason: errForbidden.Error(), Failure: core.InvalidHost}
	case errors.As(err, &dns) && !dns.IsTimeout:
		reason, kind = core.ReasonUnresolved, core.InvalidHost
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		reason, kind = core.ReasonTimeout, core.ConnectTimeout
	case errors.As(err, &certificate), errors.As(err, &unknown):
		reason = core.ReasonUntrusted
	case errors.Is(err, syscall.ECONNREFUSED):
		reason = core.ReasonRefused
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		reason = core.ReasonClosed
	}
	return core.PushAnswer{Reason: reason, Failure: kind}
}

package caller

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
)

// What counts where a request does not say.
const (
	DefaultAccount = "000000000000"
	DefaultRegion  = "us-east-1"
)

// Options say how the server is reached, and whom it believes.
type Options struct {
	Region         string         // of requests that name none; "": DefaultRegion
	OneRegion      bool           // all requests are about Region, whatever their credentials and hosts say
	Account        string         // of access keys that name none; "": DefaultAccount
	PublicURL      string         // scheme://host[:port] that clients are told; "": the one they used
	TrustedProxies []netip.Prefix // whose X-Forwarded-* headers count
	Keys           KeySource      // nil: no access key is known
	Aliases        *Aliases       // nil: no account has an alias
	Observer       Observer       // nil: nobody counts
	Meter          Meter          // nil: nobody bills
	Auditor        Auditor        // nil: nothing is audited
	Tracer         Tracer         // nil: nothing is traced
	Limits         Limits         // nil: accounts may ask as often as they like
	Verify         bool           // requests must be signed, with keys that are known
	SignOnHeader   string         // in which trusted proxies say which user they have signed on; "": they do not
	SignOnAccount  string         // of those users; "": DefaultAccount
	Access         *Access        // who may do what, where Verify; nil: by the policies of resources alone
	Actions        []string       // that policies decide about, for who asks what they do: "sqs:SendMessage"
}

// Attributes in which subscriptions keep the BaseURL by which their subscriber reached the server: certificates
// and links in what is pushed to it are told by that address.
const (
	SNSBaseAttribute = "sns.Base"
	MNSBaseAttribute = "mns.BaseURL"
)

// BaseAttribute gives the one of a subscription's format, mns or else sns.
func BaseAttribute(format string) string {
	if format == "mns" {
		return MNSBaseAttribute
	}
	return SNSBaseAttribute
}

// Caller is what a request tells of who sent it.
type Caller struct {
	Account     string // 12 digits; "" until the signature is verified, where that must be
	Region      string
	HostAccount string // in a host name like ACCOUNT.mns.REGION.aliyuncs.com, "" in any other
	HostAlias   string // likewise, where it has sixteen digits, as in Alibaba's cloud (Options.FindHost)
	AccessKeyID string // "" without credentials
	Service     string // of an AWS credential scope ("sqs"), "" without one
	BaseURL     string // scheme://host that the client used, no trailing slash
	Secure      bool   // the client's connection is encrypted, as far as trusted proxies tell (aws:SecureTransport)
	RemoteAddr  netip.Addr
	RequestID   string    // new for each request
	Began       time.Time // when the request was read
	UserAgent   string    // as the client calls itself, and where it was led from: policies may ask;
	Referer     string    // read where signatures are verified
	Key         *core.Key // that AccessKeyID names; nil while it is not looked for, or not known
	Verified    bool      // the request is signed with Key

	ctx context.Context // of the request, for the Tracer alone; nil without one

	admitted bool // once; what else is asked belongs to the same request

	// What a bill would say of the request, filled in by the protocol once it is known.
	RequestBytes int64 // of the body
	AnswerBytes  int64
	FIFO         bool // it is about a FIFO queue
	Empty        bool // it asked for messages, and there were none
}

// Actor gives the caller as the message log knows it.
func (c *Caller) Actor(protocol, action string) *core.Actor {
	return &core.Actor{Protocol: protocol, Action: action, AccessKeyID: c.AccessKeyID, Address: c.RemoteAddr, RequestID: c.RequestID, Began: c.Began}
}

// Identify reads a request's credentials, host and address.
func (o *Options) Identify(r *http.Request) Caller {
	cred := credentialOf(r)
	c := Caller{
		AccessKeyID: cred.keyID,
		Service:     cred.service,
		RequestID:   RequestID(),
		Began:       time.Now(),

		RequestBytes: max(r.ContentLength, 0),
	}
	if o.Tracer != nil {
		c.ctx = r.Context()
	}
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	c.RemoteAddr = remoteAddr(r)
	if o.trusts(c.RemoteAddr) {
		if proto := first(r.Header.Get("X-Forwarded-Proto")); proto == "http" || proto == "https" {
			scheme = proto
		}
		if forwarded := forwardedHost(r.Header, scheme); forwarded != "" {
			host = forwarded
		}
		c.RemoteAddr = o.client(c.RemoteAddr, r.Header.Values("X-Forwarded-For"))
	}
	c.Secure = scheme == "https"
	c.Region = o.region(cred.region, host)
	c.HostAccount, c.HostAlias = accountOfHost(host)
	if o.Verify {
		c.UserAgent, c.Referer = r.UserAgent(), r.Referer()
	} else {
		c.Account = AccountOf(cred.keyID)
		if !core.IsAccount(cred.keyID) {
			c.Account = cmp.Or(c.HostAccount, o.Account, DefaultAccount)
		}
	}
	c.BaseURL = o.baseURL(r, scheme, host)
	return c
}

func (o *Options) region(scope, host string) string {
	own := cmp.Or(o.Region, DefaultRegion)
	switch {
	case o.OneRegion:
		return own
	case IsRegion(scope):
		return scope
	}
	return cmp.Or(RegionOfHost(host), own)
}

func (o *Options) baseURL(r *http.Request, scheme, host string) string {
	if o.PublicURL != "" {
		return strings.TrimRight(o.PublicURL, "/")
	}
	if host == "" { // HTTP/1.0 knows no Host
		if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
			host = local.String()
		}
	}
	return scheme + "://" + host
}

func (o *Options) trusts(addr netip.Addr) bool {
	for _, proxy := range o.TrustedProxies {
		if proxy.Contains(addr) {
			return true
		}
	}
	return false
}

// client gives the address that the nearest trusted proxies saw: each proxy adds the address of
// whoever connected to it at the end, and what is left of an untrusted one may be invented.
func (o *Options) client(peer netip.Addr, forwardedFor []string) netip.Addr {
	hops := strings.Split(strings.Join(forwardedFor, ","), ",")
	for i := len(hops) - 1; i >= 0 && o.trusts(peer); i-- {
		hop, ok := parseAddr(strings.TrimSpace(hops[i]))
		if !ok {
			break
		}
		peer = hop
	}
	return peer
}

func remoteAddr(r *http.Request) netip.Addr {
	addr, _ := parseAddr(r.RemoteAddr) // the zero Addr, which no prefix contains, for a Unix socket
	return addr
}

// parseAddr reads an address with or without a port.
func parseAddr(s string) (netip.Addr, bool) {
	if withPort, err := netip.ParseAddrPort(s); err == nil {
		return withPort.Addr().Unmap(), true
	}
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return addr.Unmap(), err == nil
}

// first gives the first of a list of header values, in which each proxy appends its own.
func first(list string) string {
	value, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(value)
}

// forwardedHost gives the host that the client used as the first proxy tells it, with the port where it tells one that
// the scheme does not imply; "" where it tells none.
func forwardedHost(header http.Header, scheme string) string {
	host := first(header.Get("X-Forwarded-Host"))
	if addr, err := netip.ParseAddr(host); err == nil && addr.Is6() {
		host = "[" + host + "]"
	}
	if !isHost(host) {
		return ""
	}
	port := first(header.Get("X-Forwarded-Port"))
	if hasPort(host) || !isNumber(port) || port == impliedPorts[scheme] {
		return host
	}
	return host + ":" + port
}

// isHost says that a text can be a host with or without a port: a proxy may pass on whatever a client says.
func isHost(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-._:[]%", rune(c)) {
			return false
		}
	}
	return s != ""
}

// impliedPorts are those that clients leave out.
var impliedPorts = map[string]string{"http": "80", "https": "443"}

// hasPort says that a host has a port behind it; the colons of an address of IPv6 stand between brackets.
func hasPort(host string) bool {
	return strings.LastIndexByte(host, ':') > strings.LastIndexByte(host, ']')
}

// RegionOfHost gives the region in a cloud's own host name, "" in any other. The names count also
// under .localhost, where a client on the same machine can try them, and under the name that LocalStack gives
// that machine: (sqs|sns)[-fips].REGION.(amazonaws.com|api.aws), REGION.queue.amazonaws.com,
// [ACCOUNT.]mns.REGION[-internal[-vpc]].aliyuncs.com, mns-open[-vpc].REGION.aliyuncs.com, sts[-vpc].REGION.aliyuncs.com,
// dybaseapi.REGION.aliyuncs.com.
func RegionOfHost(host string) string {
	name, _, _ := strings.Cut(strings.ToLower(host), ":")
	for _, suffix := range []string{".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".aliyuncs.com", ".localhost", ".localhost.localstack.cloud"} {
		if labels, ok := strings.CutSuffix(name, suffix); ok {
			if region := regionOfLabels(labels); IsRegion(region) {
				return region
			}
		}
	}
	return regionOfAccountsHost(name)
}

// regionOfAccountsHost gives the region in NUMBER.mns.REGION. before any domain: who serves names of
// MNS's form in a domain of its own means them as MNS does. A region's name has a '-' in it.
func regionOfAccountsHost(name string) string {
	labels := strings.SplitN(name, ".", 4)
	if len(labels) < 4 || labels[1] != "mns" || !isNumber(labels[0]) {
		return ""
	}
	region, _, _ := strings.Cut(labels[2], "-internal")
	if !strings.Contains(region, "-") || !IsRegion(region) {
		return ""
	}
	return region
}

// aliasDigits is how many digits the accounts of Alibaba's cloud have.
const aliasDigits = 16

// accountOfHost gives the account in a host name of MNS's form, ACCOUNT.mns. before anything: one of polymq's, which
// have twelve digits, or one of Alibaba's, which may be the alias of one.
func accountOfHost(host string) (account, alias string) {
	label, rest, _ := strings.Cut(host, ".")
	if !isNumber(label) || !strings.HasPrefix(strings.ToLower(rest), "mns.") {
		return "", ""
	}
	switch len(label) {
	case len(DefaultAccount):
		return label, ""
	case aliasDigits:
		return "", label
	}
	return "", ""
}

func isNumber(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

func regionOfLabels(labels string) string {
	firstLabel, rest, _ := strings.Cut(labels, ".")
	secondLabel, thirdLabel, _ := strings.Cut(rest, ".")
	switch {
	case firstLabel == "sqs", firstLabel == "sns", firstLabel == "sqs-fips", firstLabel == "sns-fips", firstLabel == "mns-open", firstLabel == "mns-open-vpc", firstLabel == "sts", firstLabel == "sts-vpc", firstLabel == "dybaseapi":
		return secondLabel
	case secondLabel == "queue" && thirdLabel == "":
		return firstLabel
	case firstLabel == "mns": // of clients that speak MNS in JSON, whose accounts their keys tell
		region, _, _ := strings.Cut(secondLabel, "-internal")
		return region
	case secondLabel == "mns", secondLabel == "mqrest":
		region, _, _ := strings.Cut(thirdLabel, "-internal")
		return region
	}
	return ""
}

// IsRegion says that a name can be a region's. It keeps anything else out of the database, for
// signatures and paths are the client's to write.
func IsRegion(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 64
}

// AccountOf gives the account of an access key id, also for protocols that find one in a body.
func AccountOf(keyID string) string {
	if !core.IsAccount(keyID) {
		return DefaultAccount
	}
	return keyID
}

// ServiceOf gives the service in a request's AWS credential scope, "" without one.
func ServiceOf(r *http.Request) string { return credentialOf(r).service }

// credential is what a signature says of its maker.
type credential struct{ keyID, region, service string }

// credentialOf reads the Authorization header of any signature that polymq's protocols use, or
// the parameters of a presigned URL.
func credentialOf(r *http.Request) credential {
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case strings.HasPrefix(scheme, "AWS4-"):
		return awsScope(credentialParameter(rest))
	case strings.HasPrefix(scheme, "MNS4-"), strings.HasPrefix(scheme, "APSARA-MNS4-"), strings.HasPrefix(scheme, "ACS3-"):
		keyID, _, _ := strings.Cut(credentialParameter(rest), "/")
		return credential{keyID: keyID}
	case scheme == "MNS", scheme == "MQ":
		keyID, _, _ := strings.Cut(strings.TrimSpace(rest), ":")
		return credential{keyID: keyID}
	case scheme == "Bearer": // ID:SECRET; without an id it is a secret as a whole, which logs must not name
		if keyID, _, hasID := strings.Cut(strings.TrimSpace(rest), ":"); hasID || core.IsAccount(keyID) {
			return credential{keyID: keyID}
		}
		return credential{}
	}
	if !strings.Contains(r.URL.RawQuery, "Credential=") && !strings.Contains(r.URL.RawQuery, "AccessKeyId=") {
		return credential{}
	}
	return presigned(r.URL.Query())
}

// presigned reads an AWS presigned URL, one of AWS's old signature 2, or an Alibaba RPC request.
func presigned(query url.Values) credential {
	if scope := query.Get("X-Amz-Credential"); scope != "" {
		return awsScope(scope)
	}
	if keyID := query.Get("AWSAccessKeyId"); keyID != "" {
		return credential{keyID: keyID}
	}
	return credential{keyID: query.Get("AccessKeyId")}
}

// credentialParameter gives X of "Credential=X, SignedHeaders=…".
func credentialParameter(parameters string) string {
	_, value, _ := strings.Cut(parameters, "Credential=")
	value, _, _ = strings.Cut(value, ",")
	return strings.TrimSpace(value)
}

// awsScope reads KEY/20260101/REGION/SERVICE/aws4_request. Signatures for several regions have no
// region in it.
func awsScope(scope string) credential {
	keyID, rest, _ := strings.Cut(scope, "/")
	_, rest, _ = strings.Cut(rest, "/")
	rest, _ = strings.CutSuffix(rest, "/aws4_request")
	region, service, ok := strings.Cut(rest, "/")
	if !ok {
		region, service = "", region
	}
	return credential{keyID: keyID, region: region, service: service}
}

// RequestID makes an id for a request: a random UUID. It guards nothing, so it need not be
// hard to guess.
func RequestID() string {
	var id [16]byte
	binary.LittleEndian.PutUint64(id[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(id[8:], rand.Uint64())
	id[6] = id[6]&0x0f | 0x40 // version 4
	id[8] = id[8]&0x3f | 0x80 // variant of RFC 9562
	var text [36]byte
	hex.Encode(text[0:8], id[0:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:36], id[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

package caller

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"testing"
)

const awsAuthorization = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-west-1/sqs/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"

func TestIdentifyCredentials(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		authorization, target string
		want                  Caller
	}{
		"none": {"", "/", Caller{Account: DefaultAccount, Region: "server"}},
		"aws": {awsAuthorization, "/",
			Caller{Account: DefaultAccount, Region: "eu-west-1", AccessKeyID: "AKIDEXAMPLE", Service: "sqs"}},
		"aws, account as key, no blanks": {"AWS4-HMAC-SHA256 Credential=111122223333/20260101/us-east-2/s3/aws4_request,SignedHeaders=host,Signature=00", "/",
			Caller{Account: "111122223333", Region: "us-east-2", AccessKeyID: "111122223333", Service: "s3"}},
		"aws, 11 digits are no account": {"AWS4-HMAC-SHA256 Credential=11112222333/20260101/us-east-2/sqs/aws4_request", "/",
			Caller{Account: DefaultAccount, Region: "us-east-2", AccessKeyID: "11112222333", Service: "sqs"}},
		"aws, signature for several regions": {"AWS4-ECDSA-P256-SHA256 Credential=AKID/20260101/sqs/aws4_request, SignedHeaders=host", "/",
			Caller{Account: DefaultAccount, Region: "server", AccessKeyID: "AKID", Service: "sqs"}},
		"aws, a region that is none": {"AWS4-HMAC-SHA256 Credential=AKID/20260101/a'b/sqs/aws4_request", "/",
			Caller{Account: DefaultAccount, Region: "server", AccessKeyID: "AKID", Service: "sqs"}},
		"aws, cut off": {"AWS4-HMAC-SHA256 Credential=AKID", "/",
			Caller{Account: DefaultAccount, Region: "server", AccessKeyID: "AKID"}},
		"aws presigned": {"", "/?Action=ListQueues&X-Amz-Credential=111122223333%2F20260101%2Fap-south-1%2Fsqs%2Faws4_request",
			Caller{Account: "111122223333", Region: "ap-south-1", AccessKeyID: "111122223333", Service: "sqs"}},
		"aws signature 2": {"", "/?Action=ListQueues&AWSAccessKeyId=AKID&SignatureVersion=2",
			Caller{Account: DefaultAccount, Region: "server", AccessKeyID: "AKID"}},
		"mns": {"MNS 444455556666:ZHVtbXk=", "/queues",
			Caller{Account: "444455556666", Region: "server", AccessKeyID: "444455556666"}},
		"mns 4, whose scope does not count": {"MNS4-HMAC-SHA256 Credential=LTAI/20260101/cn-hangzhou/mns/aliyun_v4_request,Signature=00", "/queues",
			Caller{Account: DefaultAccount, Region: "server", AccessKeyID: "LTAI"}},
		"mq": {"MQ LTAI:ZHVtbXk=", "/topics/t/messages",
			Caller{Account: DefaultAccount, Region: "server", AccessKeyID: "LTAI"}},
		"acs3": {"ACS3-HMAC-SHA256 Credential=LTAI,SignedHeaders=host;x-acs-action,Signature=00", "/",
			Caller{Account: DefaultAccount, Region: "server", AccessKeyID: "LTAI"}},
		"rpc": {"", "/?Action=CreateQueue&AccessKeyId=LTAI&SignatureMethod=HMAC-SHA1",
			Caller{Account: DefaultAccount, Region: "server", AccessKeyID: "LTAI"}},
		"bearer": {"Bearer 111122223333:secret", "/",
			Caller{Account: "111122223333", Region: "server", AccessKeyID: "111122223333"}},
		"bearer without a secret": {"Bearer 111122223333", "/",
			Caller{Account: "111122223333", Region: "server", AccessKeyID: "111122223333"}},
		"bearer of another kind": {"Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl", "/", Caller{Account: DefaultAccount, Region: "server"}},
		"something else":         {"Basic dGVzdDp0ZXN0", "/", Caller{Account: DefaultAccount, Region: "server"}},
	}
	options := &Options{Region: "server"}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, tt.target, nil)
			r.Host = "localhost:4566"
			if tt.authorization != "" {
				r.Header.Set("Authorization", tt.authorization)
			}
			got := options.Identify(r)
			tt.want.BaseURL, tt.want.RemoteAddr, tt.want.RequestID, tt.want.Began = "http://localhost:4566", got.RemoteAddr, got.RequestID, got.Began
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if unverified := (&Options{Verify: true}).Identify(r); unverified.Account != "" {
				t.Errorf("account %s before anything is verified", unverified.Account)
			}
		})
	}
}

func TestIdentifyRegionOfHost(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ host, want string }{
		"sqs":                      {"sqs.eu-central-1.amazonaws.com", "eu-central-1"},
		"sqs with a port":          {"SQS.eu-central-1.amazonaws.com:443", "eu-central-1"},
		"sqs in China":             {"sqs.cn-north-1.amazonaws.com.cn", "cn-north-1"},
		"sqs, old":                 {"ap-northeast-1.queue.amazonaws.com", "ap-northeast-1"},
		"sqs, both IPs":            {"sqs.eu-west-1.api.aws", "eu-west-1"},
		"sqs, by FIPS":             {"sqs-fips.us-east-2.amazonaws.com", "us-east-2"},
		"sqs, by FIPS, both IPs":   {"sqs-fips.us-east-2.api.aws:443", "us-east-2"},
		"sqs, oldest":              {"queue.amazonaws.com", DefaultRegion},
		"sns":                      {"sns.us-west-2.amazonaws.com", "us-west-2"},
		"mns":                      {"1234567890.mns.cn-hangzhou.aliyuncs.com", "cn-hangzhou"},
		"mns, internal":            {"1234567890.mns.cn-shanghai-internal.aliyuncs.com", "cn-shanghai"},
		"mns, vpc":                 {"1234567890.mns.cn-shanghai-internal-vpc.aliyuncs.com", "cn-shanghai"},
		"mns, finance":             {"1234567890.mns.cn-hangzhou-finance.aliyuncs.com", "cn-hangzhou-finance"},
		"mns, no account":          {"mns.cn-hangzhou.aliyuncs.com", "cn-hangzhou"},
		"mns alone, internal":      {"mns.cn-shanghai-internal.aliyuncs.com:443", "cn-shanghai"},
		"mns alone, no region":     {"mns.aliyuncs.com", DefaultRegion},
		"mns open api":             {"mns-open.cn-beijing.aliyuncs.com", "cn-beijing"},
		"mns open api, vpc":        {"mns-open-vpc.cn-beijing.aliyuncs.com", "cn-beijing"},
		"Alibaba's STS":            {"sts.cn-beijing.aliyuncs.com", "cn-beijing"},
		"Alibaba's STS, global":    {"sts.aliyuncs.com", DefaultRegion},
		"mq":                       {"1234567890.mqrest.cn-beijing.aliyuncs.com", "cn-beijing"},
		"tried on this machine":    {"1234567890.mns.cn-beijing.localhost:4566", "cn-beijing"},
		"LocalStack's name":        {"sqs.eu-west-1.localhost.localstack.cloud:4566", "eu-west-1"},
		"LocalStack's domain":      {"eu-west-1.queue.localhost.localstack.cloud:4566", "eu-west-1"},
		"LocalStack's, no region":  {"localhost.localstack.cloud:4566", DefaultRegion},
		"localhost":                {"localhost:4566", DefaultRegion},
		"an address":               {"127.0.0.1:4566", DefaultRegion},
		"an IPv6 address":          {"[::1]:4566", DefaultRegion},
		"a company's own":          {"sqs.my-company.com", DefaultRegion},
		"a company's own, deeper":  {"polymq.mns.my-company.com", DefaultRegion},
		"a company's own mns":      {"mns.my-company.com", DefaultRegion},
		"an account's, elsewhere":  {"1234567890.mns.cn-hangzhou.queues.example.com:80", "cn-hangzhou"},
		"an account's, no region":  {"1234567890.mns.local.polymq.internal", DefaultRegion},
		"an account's, no domain":  {"1234567890.mns.cn-hangzhou", DefaultRegion},
		"another service of AWS's": {"s3.eu-west-1.amazonaws.com", DefaultRegion},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.Host = tt.host
			if got := new(Options).Identify(r).Region; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// A host of MNS's form tells the account of who does not tell it otherwise.
func TestIdentifyAccountOfHost(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ host, key, want, inHost string }{
		"in the cloud":       {"111122223333.mns.cn-hangzhou.aliyuncs.com", "test", "111122223333", "111122223333"},
		"on this machine":    {"111122223333.mns.cn-hangzhou.localhost:4566", "test", "111122223333", "111122223333"},
		"in any case":        {"111122223333.MNS.cn-hangzhou.localhost", "test", "111122223333", "111122223333"},
		"without a region":   {"111122223333.mns.localhost:4566", "", "111122223333", "111122223333"},
		"a key's own":        {"111122223333.mns.cn-hangzhou.localhost", "444455556666", "444455556666", "111122223333"},
		"a key of zeros":     {"111122223333.mns.cn-hangzhou.localhost", DefaultAccount, DefaultAccount, "111122223333"},
		"sixteen digits":     {"1234567890123456.mns.cn-hangzhou.aliyuncs.com", "test", DefaultAccount, ""},
		"another service":    {"111122223333.sqs.cn-hangzhou.aliyuncs.com", "test", DefaultAccount, ""},
		"a name":             {"acct.mns.local.polymq.internal", "test", DefaultAccount, ""},
		"an address":         {"127.0.0.1:4566", "test", DefaultAccount, ""},
		"only a long number": {"111122223333", "test", DefaultAccount, ""},
	}
	for name, tt := range tests {
		r := httptest.NewRequest(http.MethodGet, "/queues", nil)
		r.Host = tt.host
		if tt.key != "" {
			r.Header.Set("Authorization", "MNS "+tt.key+":c2ln")
		}
		if got := new(Options).Identify(r); got.Account != tt.want || got.HostAccount != tt.inHost || (got.HostAlias != "") != (name == "sixteen digits") {
			t.Errorf("%s: got account %s, of the host %q", name, got.Account, got.HostAccount)
		}
		if got := (&Options{Verify: true}).Identify(r); got.Account != "" {
			t.Errorf("%s: account %s before anything is verified", name, got.Account)
		}
	}
}

func TestIdentifyScopeBeforeHost(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Host = "sqs.us-west-2.amazonaws.com"
	r.Header.Set("Authorization", awsAuthorization)
	if got := new(Options).Identify(r).Region; got != "eu-west-1" {
		t.Errorf("got %q, want eu-west-1", got)
	}
}

func TestIdentifyProxies(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	forwarded := http.Header{
		"X-Forwarded-Proto": {"https, http"},
		"X-Forwarded-Host":  {"queues.example.com"},
		"X-Forwarded-For":   {"6.6.6.6, 203.0.113.9", "10.0.0.2"},
	}
	tests := map[string]struct {
		peer      string
		header    http.Header
		publicURL string
		wantURL   string
		wantAddr  string
	}{
		"trusted":                       {"10.0.0.1:5000", forwarded, "", "https://queues.example.com", "203.0.113.9"},
		"trusted, IPv6":                 {"[fd00::1]:5000", forwarded, "", "https://queues.example.com", "203.0.113.9"},
		"trusted, IPv4 in IPv6":         {"[::ffff:10.0.0.1]:5000", forwarded, "", "https://queues.example.com", "203.0.113.9"},
		"not trusted":                   {"192.0.2.1:5000", forwarded, "", "http://localhost:4566", "192.0.2.1"},
		"trusted, says nothing":         {"10.0.0.1:5000", nil, "", "http://localhost:4566", "10.0.0.1"},
		"trusted, passes nonsense on":   {"10.0.0.1:5000", http.Header{"X-Forwarded-Proto": {"gopher"}, "X-Forwarded-For": {"unknown"}}, "", "http://localhost:4566", "10.0.0.1"},
		"trusted, addresses with ports": {"10.0.0.1:5000", http.Header{"X-Forwarded-For": {"203.0.113.9:1234"}}, "", "http://localhost:4566", "203.0.113.9"},
		"trusted, the port apart":       {"10.0.0.1:5000", http.Header{"X-Forwarded-Host": {"queues.example.com"}, "X-Forwarded-Port": {"8443"}, "X-Forwarded-Proto": {"https"}}, "", "https://queues.example.com:8443", "10.0.0.1"},
		"trusted, the port implied":     {"10.0.0.1:5000", http.Header{"X-Forwarded-Host": {"queues.example.com"}, "X-Forwarded-Port": {"443"}, "X-Forwarded-Proto": {"https"}}, "", "https://queues.example.com", "10.0.0.1"},
		"trusted, a port in both":       {"10.0.0.1:5000", http.Header{"X-Forwarded-Host": {"queues.example.com:81"}, "X-Forwarded-Port": {"8443"}}, "", "http://queues.example.com:81", "10.0.0.1"},
		"trusted, IPv6 and its port":    {"10.0.0.1:5000", http.Header{"X-Forwarded-Host": {"[fd00::5]"}, "X-Forwarded-Port": {"8080"}}, "", "http://[fd00::5]:8080", "10.0.0.1"},
		"trusted, bare IPv6":            {"10.0.0.1:5000", http.Header{"X-Forwarded-Host": {"fd00::5"}, "X-Forwarded-Port": {"8080"}}, "", "http://[fd00::5]:8080", "10.0.0.1"},
		"trusted, a host that is none":  {"10.0.0.1:5000", http.Header{"X-Forwarded-Host": {`evil/"><script>`}}, "", "http://localhost:4566", "10.0.0.1"},
		"trusted, an empty host":        {"10.0.0.1:5000", http.Header{"X-Forwarded-Host": {" , queues.example.com"}}, "", "http://localhost:4566", "10.0.0.1"},
		"trusted, a port that is none":  {"10.0.0.1:5000", http.Header{"X-Forwarded-Host": {"queues.example.com"}, "X-Forwarded-Port": {"x/y"}}, "", "http://queues.example.com", "10.0.0.1"},
		"not trusted, a port":           {"192.0.2.1:5000", http.Header{"X-Forwarded-Port": {"8443"}}, "", "http://localhost:4566", "192.0.2.1"},
		"a public URL wins":             {"10.0.0.1:5000", forwarded, "https://mq.example.com/", "https://mq.example.com", "203.0.113.9"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.Host, r.RemoteAddr = "localhost:4566", tt.peer
			for name, values := range tt.header {
				r.Header[name] = values
			}
			options := &Options{TrustedProxies: proxies, PublicURL: tt.publicURL}
			got := options.Identify(r)
			if got.BaseURL != tt.wantURL || got.RemoteAddr.String() != tt.wantAddr {
				t.Errorf("got %s from %s, want %s from %s", got.BaseURL, got.RemoteAddr, tt.wantURL, tt.wantAddr)
			}
		})
	}
}

func TestIdentifyTLS(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Host, r.TLS = "localhost:4566", new(tls.ConnectionState)
	if got := new(Options).Identify(r).BaseURL; got != "https://localhost:4566" {
		t.Errorf("got %q, want https", got)
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for range 1000 {
		id := RequestID()
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("%q is no random UUID, or came twice", id)
		}
		seen[id] = true
	}
}

func BenchmarkIdentify(b *testing.B) {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	r.Header.Set("Authorization", awsAuthorization)
	options := new(Options)
	b.ReportAllocs()
	for b.Loop() {
		options.Identify(r)
	}
}

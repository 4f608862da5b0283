package sdktests

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/aliyun/aliyun-mns-go-sdk"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/pg/pgtest"
)

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "4"); err != nil { // they wait more than they work; the command line still wins
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	flag.Parse()
	installed := make(chan struct{})
	go func() {
		defer close(installed)
		if flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.list").Value.String() == "" {
			installAhead()
		}
	}()
	code := m.Run()
	<-installed
	os.Exit(code)
}

// httpClient is no default client: a request of another test's whose answer has no body may fail when that one's idle connections are
// closed.
var httpClient = &http.Client{Transport: ownTransport()}

// ownTransport gives connections that nobody else closes: no server of httptest as it ends, and none since many are idle. Proxies have
// their own as well: what they pass on ends with the handler that passes it on.
func ownTransport() *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns = 0
	return transport
}

// accessKey belongs to no account of its own, so that its queues are those of the default one.
const accessKey = "test"

// polymq is a running server with a database of its own, as the owner of an access key uses it.
type polymq struct {
	url       string
	accessKey string
}

// start gives a server that ends with the test.
func start(t *testing.T) polymq {
	t.Helper()
	srv, err := server.Start(t.Context(), server.Config{
		Listen:      []string{"127.0.0.1:0"},
		DatabaseURL: pgtest.DatabaseURL(t),
		LogLevel:    "error",
		TestMode:    true, // so that tests may move time
	})
	if err != nil {
		t.Fatalf("start the server: %v", err)
	}
	t.Cleanup(func() {
		if err := srv.Stop(context.Background()); err != nil {
			t.Errorf("stop the server: %v", err)
		}
	})
	return polymq{srv.URL(), accessKey}
}

// as gives the server to a user of another account: a key of 12 digits is its account.
func (p polymq) as(account string) polymq { return polymq{p.url, account} }

// sqs gives a client of the AWS SDK. An error shows at once: it does not try again.
func (p polymq) sqs(options ...func(*sqs.Options)) *sqs.Client {
	return sqs.New(sqs.Options{
		BaseEndpoint: aws.String(p.url),
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider(p.accessKey, "test", ""),
		Retryer:      aws.NopRetryer{},
		HTTPClient:   httpClient, // for some tests make a client for each call, and connections of its own would stay open
	}, options...)
}

// mns gives a client of Alibaba's SDK, which wants an endpoint of five pieces between dots.
func (p polymq) mns(accessKey string) ali_mns.MNSClient {
	return ali_mns.NewAliMNSClientWithConfig(ali_mns.AliMNSClientConfig{
		EndPoint:        p.url + "/.",
		AccessKeyId:     accessKey,
		AccessKeySecret: "test",
	})
}

// api does one request of the JSON API and decodes its answer into response, unless that is nil.
func (p polymq) api(t *testing.T, method, path string, request, response any) {
	t.Helper()
	if err := p.callAPI(method, path, request, response); err != nil {
		t.Fatal(err)
	}
}

func (p polymq) callAPI(method, path string, request, response any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("encode the request of %s %s: %w", method, path, err)
	}
	req, err := http.NewRequest(method, p.url+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := httpClient.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: status %d, %s, %w", method, path, resp.StatusCode, answer, err)
	}
	if response == nil {
		return nil
	}
	if err := json.Unmarshal(answer, response); err != nil {
		return fmt.Errorf("decode the answer of %s %s: %w", method, path, err)
	}
	return nil
}

// advance moves the server's time forward.
func (p polymq) advance(t *testing.T, by time.Duration) {
	t.Helper()
	p.api(t, "POST", "/clock", map[string]any{"advance_seconds": by.Seconds()}, nil)
}

// texts are what a queue must give back as it was sent: texts that a careless encoder changes.
// The programs of the other languages check the same.
var texts = map[string]string{
	"plain":     "hello",
	"unicode":   "naïve Ω 日本語 🚀",
	"xml":       `<a b='1' c="2">&amp; ]]> &#13;</a>`,
	"line ends": "one\r\ntwo\rthree\n\tfour",
	"blanks":    "  two before, two after  ",
	"json":      `{"a": "\u00e9", "b": [1, null]}`,
	"base64":    "aGVsbG8gd29ybGQ=",
	"percent":   "100% a+b %2B &c=d",
	"long":      string(bytes.Repeat([]byte("0123456789abcdef"), 2048)),
}

package sdktests

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/pg/pgtest"
)

// startTLS starts a server with an authority of its own, and gives the authority's certificate.
func startTLS(t *testing.T, auth string) (*verifying, []byte) {
	t.Helper()
	srv, err := server.Start(t.Context(), server.Config{
		Listen: []string{"127.0.0.1:0"}, DatabaseURL: pgtest.DatabaseURL(t), LogLevel: "error", LogOutput: t.Output(), TestMode: true,
		Auth: auth, TLS: "auto", MasterKey: testMasterKey, AdminKey: rootKey + ":" + rootSecret,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Stop(context.Background()) })
	response, err := httpClient.Get(plainly(srv.URL()) + "/api/v1/ca.pem")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	certificate, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("the authority's certificate: %d %s %v", response.StatusCode, certificate, err)
	}
	return &verifying{polymq: polymq{srv.URL(), rootKey}, server: srv}, certificate
}

func plainly(url string) string { return strings.Replace(url, "https://", "http://", 1) }

// trust makes an AWS SDK trust a certificate.
func trust(t *testing.T, certificate []byte) func(*sqs.Options) {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(certificate) {
		t.Fatal("no certificate")
	}
	client := awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
		tr.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	})
	return func(o *sqs.Options) { o.HTTPClient = client }
}

// A signed request is as good over TLS, and addresses have the scheme that the client used.
func TestAWSOverTLS(t *testing.T) {
	t.Parallel()
	v, certificate := startTLS(t, "verify")
	if !strings.HasPrefix(v.url, "https://127.0.0.1:") {
		t.Fatalf("the server is at %s", v.url)
	}
	secure := v.sqs(asRoot, trust(t, certificate))
	url := createQueue(t, secure, "orders")
	if !strings.HasPrefix(url, "https://127.0.0.1:") {
		t.Errorf("the queue is at %s", url)
	}
	if _, err := secure.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("hello")}); err != nil {
		t.Fatal(err)
	}
	plain := polymq{plainly(v.url), rootKey}.sqs(asRoot)
	found, err := plain.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("orders")})
	if err != nil || *found.QueueUrl != plainly(url) {
		t.Fatalf("without TLS, on the same port: %v, %v", found, err)
	}
	if bodies := bodiesIn(t, plain, *found.QueueUrl, 1); len(bodies) != 1 {
		t.Errorf("got %v, want what was sent over TLS", bodies)
	}
	if _, err := v.sqs(asRoot).ListQueues(t.Context(), &sqs.ListQueuesInput{}); err == nil {
		t.Error("a client that does not know the authority trusts it")
	}
}

// Clients that cannot be told another host find a certificate for the cloud's own, an account's among them.
func TestCertificatesForTheCloudsHosts(t *testing.T) {
	t.Parallel()
	v, certificate := startTLS(t, "off")
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certificate)
	address := strings.TrimPrefix(v.url, "https://")
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) { // as /etc/hosts would have it
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	for _, host := range []string{"1234567890123456.mns.cn-hangzhou.aliyuncs.com", "mns-open.cn-hangzhou.aliyuncs.com", "sqs.eu-west-1.amazonaws.com", "sns.us-east-1.amazonaws.com"} {
		response, err := client.Get("https://" + host + "/healthz")
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		_ = response.Body.Close()
	}
}

// trustByEnvironment are the programs' checks of clients that the environment tells whom to trust, and trustByOption of
// those that are told by an option, or by nothing, and then trust nobody.
var (
	trustByEnvironment = map[string]string{
		"python": "cross", "node": "cross", "java-mns-2.0.0": "cross", "java-mns-1.4.0": "cross", "java-mns-1.1.9.2": "cross", "awscli-2": "awscli", "tls": "tls_environment",
	}
	trustByOption = map[string]string{"python": "tls", "node": "tls", "java-mns-2.0.0": "tls", "awscli": "awscli_tls", "awscli-2": "awscli_tls", "tls": "tls"}
)

// The SDKs of other languages trust what they are told to: Python's, Node's and Java's of AWS and MNS, and the AWS CLI;
// and so does Go's of MNS, which takes no option.
func TestProgramsOverTLS(t *testing.T) {
	t.Parallel()
	v, certificate := startTLS(t, "off")
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	variables := []string{"AWS_CA_BUNDLE=" + file, "SSL_CERT_FILE=" + file, "REQUESTS_CA_BUNDLE=" + file, "NODE_EXTRA_CA_CERTS=" + file}
	for i, p := range slices.Concat(programs, frameworks, []program{goProgram("tls")}) {
		if trustByEnvironment[p.name]+trustByOption[p.name] == "" || !p.available(t) {
			continue
		}
		at := v.as(fmt.Sprintf("%012d", i+1))
		if group := trustByEnvironment[p.name]; group != "" {
			told := p
			told.checks, told.env = []string{group}, append(slices.Clone(p.env), variables...)
			if p.folder == "java" {
				told.env = append(told.env, "JAVA_TOOL_OPTIONS=-Djavax.net.ssl.trustStore="+javaTrust(t, file)+" -Djavax.net.ssl.trustStorePassword="+storePassword)
			}
			t.Run(p.name+", by the environment", func(t *testing.T) { told.check(t, at) })
		}
		if group := trustByOption[p.name]; group != "" {
			told := p
			told.checks, told.env = []string{group}, append(slices.Clone(p.env), "POLYMQ_CA="+file)
			t.Run(p.name+", by an option", func(t *testing.T) { told.check(t, at) })
		}
	}
}

const storePassword = "changeit"

// javaTrust makes of a certificate what Java keeps those in that it trusts.
func javaTrust(t *testing.T, certificate string) string {
	t.Helper()
	store := filepath.Join(t.TempDir(), "trust.p12")
	if err := runIn("", []string{"keytool", "-importcert", "-noprompt", "-alias", "polymq", "-file", certificate, "-keystore", store, "-storetype", "PKCS12", "-storepass", storePassword}); err != nil {
		t.Fatal(err)
	}
	return store
}

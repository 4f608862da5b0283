package sdktests

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"strings"
	"testing"

	"github.com/aliyun/aliyun-mns-go-sdk"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/valyala/fasthttp"

	"github.com/polymq/polymq/core"
)

// resolved sends what is meant for any host to one address, as a name server would.
type resolved struct {
	address string
	trusted *x509.CertPool
}

// RoundTrip is of fasthttp.RoundTripper.
func (r resolved) RoundTrip(_ *fasthttp.HostClient, req *fasthttp.Request, resp *fasthttp.Response) (retry bool, err error) {
	client := &fasthttp.HostClient{Addr: r.address, IsTLS: true, TLSConfig: &tls.Config{RootCAs: r.trusted, ServerName: string(req.URI().Host()), MinVersion: tls.VersionTLS12}}
	return false, client.Do(req, resp)
}

// The SDK for Go under the host that the cloud gives an account, over TLS: so Terraform's older resources use it
// (alicloud_mns_queue, _topic, _topic_subscription). The host says whose queues they are, by the
// account's twelve digits or the sixteen of its alias, and in which region.
func TestMNSHostOfAnAccount(t *testing.T) {
	t.Parallel()
	v, certificate := startTLS(t, "verify")
	key := v.key(t, core.NewKey{Account: "111122223333"})
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(certificate)
	clientOf := func(host string) ali_mns.MNSClient {
		client := ali_mns.NewAliMNSClientWithConfig(ali_mns.AliMNSClientConfig{EndPoint: "https://" + host, AccessKeyId: key.ID, AccessKeySecret: string(key.Secret)})
		client.SetTransport(resolved{strings.TrimPrefix(v.url, "https://"), trusted})
		return client
	}
	for account, alias := range map[string]string{"111122223333": "1234567890123456", "444455556666": "6543210987654321"} {
		broker := v.server.Broker()
		if _, err := broker.SetAccountAlias(t.Context(), account, alias); core.CodeOf(err) == core.EntityNotFound {
			_, err = broker.CreateAccount(t.Context(), account, alias)
			if err != nil {
				t.Fatal(err)
			}
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, host := range []string{"111122223333.mns.cn-hangzhou.aliyuncs.com", "111122223333.mns.cn-beijing-internal.aliyuncs.com", "1234567890123456.mns.cn-shanghai.aliyuncs.com"} {
		client := clientOf(host)
		olderQueue(t, ali_mns.NewMNSQueueManager(client))
		olderTopic(t, client)
		region := strings.TrimSuffix(strings.Split(host, ".")[2], "-internal")
		list, err := polymq{plainly(v.url), key.ID}.sqs(with(key.ID, string(key.Secret), ""), func(o *sqs.Options) { o.Region = region }).ListQueues(t.Context(), &sqs.ListQueuesInput{QueueNamePrefix: aws.String("target")})
		if err != nil || len(list.QueueUrls) != 1 || !strings.HasSuffix(list.QueueUrls[0], "/111122223333/target") {
			t.Errorf("%s: SQS has in %s: %+v, %v", host, region, list, err)
		}
	}
	for _, host := range []string{"444455556666.mns.cn-hangzhou.aliyuncs.com", "6543210987654321.mns.cn-hangzhou.aliyuncs.com"} {
		other := ali_mns.NewMNSQueueManager(clientOf(host))
		if err := other.CreateSimpleQueue("orders"); err == nil || !strings.Contains(err.Error(), "AccessDenied") {
			t.Errorf("under another account's host %s: got %v", host, err)
		}
	}
}

// olderQueue does what alicloud_mns_queue does in its life.
func olderQueue(t *testing.T, queues ali_mns.AliQueueManager) {
	t.Helper()
	want := func(delay, size, retention, visibility, wait int64) {
		t.Helper()
		got, err := queues.GetQueueAttributes("orders")
		if err != nil || int64(got.DelaySeconds) != delay || int64(got.MaxMessageSize) != size || int64(got.MessageRetentionPeriod) != retention ||
			int64(got.VisibilityTimeout) != visibility || int64(got.PollingWaitSeconds) != wait {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	if err := queues.CreateQueue("orders", 60478, 12357, 256000, 45, 3, 3); err != nil {
		t.Fatal(err)
	}
	want(60478, 12357, 256000, 45, 3)
	if err := queues.SetQueueAttributes("orders", 0, 65536, 345600, 30, 0, 3); err != nil {
		t.Fatal(err)
	}
	want(0, 65536, 345600, 30, 0)
	if err := queues.DeleteQueue("orders"); err != nil {
		t.Fatal(err)
	}
	_, err := queues.GetQueueAttributes("orders")
	wantMNS(t, err, ali_mns.ERR_MNS_QUEUE_NOT_EXIST)
}

// olderTopic does what alicloud_mns_topic and alicloud_mns_topic_subscription do in theirs.
func olderTopic(t *testing.T, client ali_mns.MNSClient) {
	t.Helper()
	topics, topic := ali_mns.NewMNSTopicManager(client), ali_mns.NewMNSTopic("news", client)
	if err := ali_mns.NewMNSQueueManager(client).CreateSimpleQueue("target"); err != nil {
		t.Fatal(err)
	}
	if err := topics.CreateTopic("news", 12357, true); err != nil {
		t.Fatal(err)
	}
	if err := topics.SetTopicAttributes("news", 65536, false); err != nil {
		t.Fatal(err)
	}
	if got, err := topics.GetTopicAttributes("news"); err != nil || got.MaxMessageSize != 65536 || got.LoggingEnabled {
		t.Errorf("got %+v, %v", got, err)
	}
	endpoint := topic.GenerateQueueEndpoint("target")
	mnsSubscribe(t, topic, "all", ali_mns.MessageSubsribeRequest{Endpoint: endpoint, FilterTag: "red", NotifyStrategy: ali_mns.BACKOFF_RETRY, NotifyContentFormat: ali_mns.SIMPLIFIED})
	if err := topic.SetSubscriptionAttributes("all", ali_mns.EXPONENTIAL_DECAY_RETRY); err != nil {
		t.Fatal(err)
	}
	if got, err := topic.GetSubscriptionAttributes("all"); err != nil || got.Endpoint != endpoint || got.NotifyStrategy != ali_mns.EXPONENTIAL_DECAY_RETRY || got.FilterTag != "red" {
		t.Errorf("got %+v, %v", got, err)
	}
	mnsPublish(t, topic, "hello", "red")
	if got := mnsReceived(t, ali_mns.NewMNSQueue("target", client)); got.MessageBody != "hello" {
		t.Errorf("got %+v", got)
	}
	if err := topic.Unsubscribe("all"); err != nil {
		t.Fatal(err)
	}
	if err := topics.DeleteTopic("news"); err != nil {
		t.Fatal(err)
	}
}

// The endpoints that the README prints for each SDK are the ones that the tests here hand to it.
func TestReadmeEndpoints(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	srv := start(t)
	host := strings.TrimPrefix(srv.url, "http://")
	printed := map[string]string{} // the code in a row's second cell, by the first
	for line := range strings.Lines(string(readme)) {
		if cells := strings.Split(line, "|"); len(cells) == 4 && strings.Contains(cells[2], "HOST:PORT") {
			code := strings.Split(strings.ReplaceAll(cells[2], "HOST:PORT", host), "`")
			printed[cells[1]] = strings.Join(code[1:len(code)-1], " ")
		}
	}
	row := func(sdk string) string {
		t.Helper()
		for cell, code := range printed {
			if strings.Contains(cell, sdk) {
				return code
			}
		}
		t.Errorf("the README has no endpoint of %s", sdk)
		return ""
	}
	for _, sdk := range []string{"`aliyun-mns-sdk`", "`aliyun-sdk-mns`", "`@alicloud/mns`"} {
		if got := row(sdk); got != srv.url { // POLYMQ_ENDPOINT of python/clients.py, java's Clients, node/clients.mjs
			t.Errorf("%s: got %s", sdk, got)
		}
	}
	if got := row("`ali-mns`"); got != "HTTP_PROXY="+srv.url { // node/clients.mjs
		t.Errorf("ali-mns: got %s", got)
	}
	if got := row("mns-open"); got != "Config(endpoint='"+host+"', protocol='http')" { // python/smq_checks.py
		t.Errorf("control plane: got %s", got)
	}
	if got := row("`alicloud`"); !strings.Contains(got, `protocol = "HTTP"`) || !strings.Contains(got, `mns_open = "`+host+`"  sts = "`+host+`"`) { // golang/smq_terraform.go
		t.Errorf("Terraform: got %s", got)
	}
	client := ali_mns.NewAliMNSClientWithConfig(ali_mns.AliMNSClientConfig{EndPoint: row("`aliyun-mns-go-sdk`"), AccessKeyId: accessKey, AccessKeySecret: "test"})
	if err := ali_mns.NewMNSQueueManager(client).CreateSimpleQueue("orders"); err != nil {
		t.Errorf("Go: %v", err)
	}
}

package sdktests

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aliyun/aliyun-mns-go-sdk"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/core"
	iamwire "github.com/polymq/polymq/protocols/iam"
)

// refusal is how a server answers who asks too often.
type refusal struct {
	status int
	header http.Header
	body   []byte
}

// refusals asks a server by each service until it is too often.
func refusals(t *testing.T) map[string]refusal {
	t.Helper()
	p := startLimited(t, server.Config{})
	p.api(t, http.MethodPut, "/accounts/"+limitedAccount+"/limits", map[string]int{"requests": 1}, nil)
	w := walker{&verifying{polymq: p}, core.Key{ID: limitedAccount, Secret: "x"}}
	refused := map[string]refusal{}
	for service, ask := range map[string]func() *http.Request{
		"sqs": func() *http.Request { return w.sqsJSON(t, "ListQueues", limitedAccount, "orders") },
		"sns": func() *http.Request {
			return awsWalk("sns", sns20100331, snsParameters)(w, t, "ListTopics", limitedAccount, "orders")
		},
		"sts": func() *http.Request {
			return awsWalk("sts", sts20110615, stsParameters)(w, t, "GetCallerIdentity", limitedAccount, "orders")
		},
		"iam": func() *http.Request {
			return awsWalk("iam", iamwire.Version, iamParameters)(w, t, "ListUsers", limitedAccount, "orders")
		},
		"mns": func() *http.Request { return w.mnsXML(t, "ListQueue", limitedAccount, "orders") },
	} {
		for range 100 {
			response, err := httpClient.Do(ask())
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode >= http.StatusBadRequest {
				refused[service] = refusal{response.StatusCode, response.Header, body}
				break
			}
		}
		if refused[service].status == 0 {
			t.Fatalf("of 100 requests at once %s refuses none", service)
		}
	}
	return refused
}

// reluctant stands before a server, and answers every other request of each service as one that is too often.
type reluctant struct {
	refusals map[string]refusal
	next     http.Handler
	mu       sync.Mutex
	asked    map[string]int
}

var serviceInScope = regexp.MustCompile(`/([a-z]+)/aws4_request`)

func (l *reluctant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	service := "mns"
	if found := serviceInScope.FindStringSubmatch(r.Header.Get("Authorization")); found != nil {
		service = found[1]
	}
	l.mu.Lock()
	n := l.asked[service]
	l.asked[service]++
	l.mu.Unlock()
	refused, known := l.refusals[service]
	if !known || n%2 == 1 {
		l.next.ServeHTTP(w, r)
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	for name, values := range refused.header {
		if name != "Content-Length" && name != "Date" {
			w.Header()[name] = values
		}
	}
	w.WriteHeader(refused.status)
	_, _ = w.Write(refused.body)
}

// times gives how often a service was asked.
func (l *reluctant) times(service string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked[service]
}

// startReluctant gives a server behind such a one.
func startReluctant(t *testing.T, refused map[string]refusal) (polymq, *reluctant) {
	t.Helper()
	p := start(t)
	to, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.Transport = ownTransport()
	l := &reluctant{refusals: refused, next: proxy, asked: map[string]int{}}
	front := httptest.NewServer(l)
	t.Cleanup(front.Close)
	return polymq{front.URL, accessKey}, l
}

// TestClientsTryAgain has each request refused once as one that is too often: clients of AWS's services try again by
// themselves, at their own settings, and those of MNS, which do not, say it in a way that their users can.
func TestClientsTryAgain(t *testing.T) {
	t.Parallel()
	refused := refusals(t)
	t.Run("Go", func(t *testing.T) {
		t.Parallel()
		p, l := startReluctant(t, refused)
		endpoint, who, region := &p.url, p.sqs().Options().Credentials, "us-east-1"
		for service, ask := range map[string]func(context.Context) error{
			"sqs": func(ctx context.Context) error {
				_, err := p.sqs(func(o *sqs.Options) { o.Retryer = retry.NewStandard() }).ListQueues(ctx, nil)
				return err
			},
			"sns": func(ctx context.Context) error {
				_, err := sns.New(sns.Options{BaseEndpoint: endpoint, Credentials: who, Region: region}).CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("news")})
				return err
			},
			"sts": func(ctx context.Context) error {
				_, err := sts.New(sts.Options{BaseEndpoint: endpoint, Credentials: who, Region: region}).GetCallerIdentity(ctx, nil)
				return err
			},
			"iam": func(ctx context.Context) error {
				_, err := iam.New(iam.Options{BaseEndpoint: endpoint, Credentials: who, Region: region}).ListUsers(ctx, nil)
				return err
			},
		} {
			if err := ask(t.Context()); err != nil || l.times(service) != 2 {
				t.Errorf("%s, asked %d times: %v", service, l.times(service), err)
			}
		}
		queues := ali_mns.NewMNSQueueManager(p.mns(accessKey))
		if err := queues.CreateSimpleQueue("orders"); err == nil || !strings.Contains(err.Error(), "QpsLimitExceeded") {
			t.Errorf("MNS the first time: %v", err)
		}
		if err := queues.CreateSimpleQueue("orders"); err != nil {
			t.Errorf("MNS the second time: %v", err)
		}
	})
	for _, p := range slices.Concat(programs, frameworks) {
		if p.checks = retriesGroups[p.name]; len(p.checks) == 0 {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			if !p.available(t) {
				t.SkipNow() // not to count as passed
			}
			front, _ := startReluctant(t, refused)
			p.check(t, front)
		})
	}
}

// retriesGroups are the programs' checks of what clients do then.
var retriesGroups = map[string][]string{
	"python": {"retries"}, "node": {"retries"}, "java-mns-2.0.0": {"retries", "mns_retries"}, "java-mns-1.4.0": {"mns_retries"}, "java-mns-1.1.9.2": {"mns_retries"},
	"java-spring-4.1.0": {"retries"},
}

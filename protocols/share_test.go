package protocols

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/console"
)

// Pages of other sites may call AWS's services where these ask for signatures, and nothing else.
func TestWhatPagesOfOtherSitesMayCall(t *testing.T) {
	t.Parallel()
	broker := pgtest.Broker(t)
	guarded := New(broker, Options{Caller: caller.Options{Verify: true, Keys: broker}, Console: &console.Options{}, Metrics: http.NotFoundHandler()})
	open, noSNS := New(broker, Options{Console: &console.Options{}}), New(broker, Options{Caller: caller.Options{Verify: true}, Protocols: []string{"sqs"}})
	const elsewhere, here = "https://app.example.com", "http://localhost:3000"
	tests := map[string]struct {
		handler              http.Handler
		method, path, origin string
		meant                string // the method that is asked about; "": none is
		header               []string
		shared               bool
	}{
		"a call of SQS is announced":   {guarded, "OPTIONS", "/", elsewhere, "POST", nil, true},
		"of a queue's address":         {guarded, "OPTIONS", "/000000000000/orders", elsewhere, "POST", nil, true},
		"of its address with a region": {guarded, "OPTIONS", "/queue/us-east-1/000000000000/orders", elsewhere, "GET", nil, true},
		"another method":               {guarded, "OPTIONS", "/", elsewhere, "DELETE", nil, false},
		"no method":                    {guarded, "OPTIONS", "/", elsewhere, "", nil, false},
		"the JSON API":                 {guarded, "OPTIONS", "/api/v1/queues", elsewhere, "POST", nil, false},
		"the console":                  {guarded, "OPTIONS", "/console/login", elsewhere, "POST", nil, false},
		"metrics":                      {guarded, "OPTIONS", "/metrics", elsewhere, "GET", nil, false},
		"MNS":                          {guarded, "OPTIONS", "/queues/orders/messages", elsewhere, "POST", nil, false},
		"MNS by its version":           {guarded, "POST", "/", elsewhere, "", []string{"X-Mns-Version", "2015-06-06"}, false},
		"messages of LocalStack's":     {guarded, "GET", "/_aws/sqs/messages", elsewhere, "", nil, false},
		"SQS, unsigned":                {guarded, "POST", "/", elsewhere, "", []string{"X-Amz-Target", "AmazonSQS.ListQueues"}, true},
		"SNS":                          {guarded, "GET", "/?Action=ListTopics&Version=2010-03-31", elsewhere, "", nil, true},
		"SNS, which is off":            {noSNS, "GET", "/?Action=ListTopics&Version=2010-03-31", elsewhere, "", nil, false},
		"the control plane of SMQ":     {guarded, "GET", "/?Action=ListQueue&Version=2022-01-19", elsewhere, "", nil, false},
		"another service":              {guarded, "POST", "/", elsewhere, "", []string{"X-Amz-Target", "DynamoDB_20120810.ListTables"}, false},
		"the JSON API, at once":        {guarded, "GET", "/api/v1/queues", elsewhere, "", nil, false},
		"the console, at once":         {guarded, "POST", "/console/login", elsewhere, "", nil, false},
		"no page at all":               {guarded, "POST", "/", "", "", []string{"X-Amz-Target", "AmazonSQS.ListQueues"}, false},
		"auth off, another site":       {open, "OPTIONS", "/", elsewhere, "POST", nil, false},
		"auth off, another site, SQS":  {open, "POST", "/", elsewhere, "", []string{"X-Amz-Target", "AmazonSQS.ListQueues"}, false},
		"auth off, this machine":       {open, "OPTIONS", "/", here, "POST", nil, true},
		"auth off, this machine, SQS":  {open, "POST", "/", here, "", []string{"X-Amz-Target", "AmazonSQS.ListQueues"}, true},
	}
	for name, tt := range tests {
		r := httptest.NewRequest(tt.method, tt.path, strings.NewReader("{}"))
		r.Host = "localhost:4566"
		for i := 0; i < len(tt.header); i += 2 {
			r.Header.Set(tt.header[i], tt.header[i+1])
		}
		if tt.origin != "" {
			r.Header.Set("Origin", tt.origin)
		}
		if tt.meant != "" {
			r.Header.Set("Access-Control-Request-Method", tt.meant)
			r.Header.Set("Access-Control-Request-Headers", "authorization,x-amz-date,x-amz-target")
		}
		w := httptest.NewRecorder()
		tt.handler.ServeHTTP(w, r)
		got := w.Header()
		if shared := got.Get("Access-Control-Allow-Origin") == "*"; shared != tt.shared || got.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %d %v", name, w.Code, got)
		}
		if announced := tt.meant != "" && tt.shared; announced && (w.Code != http.StatusOK || got.Get("Access-Control-Allow-Headers") != "authorization,x-amz-date,x-amz-target" || got.Get("Access-Control-Allow-Methods") != "GET, POST" || w.Body.Len() > 0) {
			t.Errorf("%s is answered with %d %v %s", name, w.Code, got, w.Body)
		}
	}
}

package smq

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
)

func TestMatches(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		target, header string
		want           bool
	}{
		"by header":       {"/", "x-acs-version: 2022-01-19", true},
		"by parameter":    {"/?Action=CreateQueue&Version=2022-01-19", "Accept: */*", true},
		"STS":             {"/?Action=AssumeRole&Version=2015-04-01", "Accept: */*", false},
		"SQS":             {"/?Action=CreateQueue&Version=2012-11-05", "Accept: */*", false},
		"signed for AWS":  {"/?Version=2022-01-19", "Authorization: AWS4-HMAC-SHA256 Credential=a", false},
		"another service": {"/", "x-acs-version: 2014-05-26", false},
	}
	for name, tt := range tests {
		r := httptest.NewRequest(http.MethodPost, tt.target, nil)
		header, value, _ := strings.Cut(tt.header, ": ")
		r.Header.Set(header, value)
		if got := Matches(r); got != tt.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

func TestActions(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, a := range Actions() {
		seen[a.Name] = true
	}
	if len(seen) != 29 || len(Actions()) != 29 {
		t.Errorf("got %d actions, want 26 and those of tags", len(seen))
	}
}

func TestEveryCoreErrorHasItsWords(t *testing.T) {
	t.Parallel()
	for _, code := range core.Codes {
		if e := faultOf(core.Errorf(code, "text")); e.Status < 400 || e.Code == "" || e.Message == "" {
			t.Errorf("%s: got %+v", code, e)
		}
	}
}

func TestRequestsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.do(t, "").refused(t, 400, "MissingAction")
	f.do(t, "CreateBucket").refused(t, 404, "InvalidAction.NotFound")
	f.do(t, "ListQueue", "PageNum", "one").refused(t, 400, "InvalidParameter")
	f.form(t, "ListQueue", "QueueName", strings.Repeat("x", 1<<20)).refused(t, 400, "InvalidParameter")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url+"/?Version="+Version+"&a=%zz", nil)
	if err != nil {
		t.Fatal(err)
	}
	send(t, req).refused(t, 400, "InvalidParameter")
}

// The old SDK asks by GET, with the action among the parameters and no body.
func TestGet(t *testing.T) {
	t.Parallel()
	f := start(t)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+"/?AccessKeyId=ak&Action=CreateQueue&Format=JSON&QueueName=q-a&RegionId=cn-hangzhou&SignatureType=&Version="+Version, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	send(t, req).ok(t, nil)
	f.do(t, "GetQueueAttributes", "QueueName", "q-a").ok(t, nil)
}

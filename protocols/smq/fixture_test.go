package smq

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/mns"
)

// fixture is a server on a database of its own, with the data plane beside it.
type fixture struct {
	broker *core.Broker
	url    string
	mns    string
}

func start(t testing.TB) fixture {
	t.Helper()
	broker := pgtest.Broker(t)
	callers := new(caller.Options)
	data := mns.New(broker, callers, mns.Options{})
	dataServer := httptest.NewServer(data)
	t.Cleanup(dataServer.Close)
	server := httptest.NewServer(New(broker, callers, data.Gate()))
	t.Cleanup(server.Close)
	return fixture{broker, server.URL, dataServer.URL}
}

// httpClient has connections of its own: servers of httptest close idle ones of the default client as they end, and a request of
// another test's whose answer has no body may fail by that.
var httpClient = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}

// reply is what came back.
type reply struct {
	status int
	body   string
	doc    document
}

// document has the members of all answers; Code is a number or, of an error, a text.
type document struct {
	RequestId, Status, Message, HostId string
	Code                               any
	Success                            bool
	Data                               json.RawMessage
	TagResources                       tagResourcesData
}

// do asks for an action as the new SDKs do, with all parameters in the query.
func (f fixture) do(t testing.TB, action string, parameters ...string) reply {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url+"/?"+encoded(parameters), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Acs-Action", action)
	req.Header.Set("X-Acs-Version", Version)
	return send(t, req)
}

// form asks for an action as Terraform does: all that is not of the signature is in the form.
func (f fixture) form(t testing.TB, action string, parameters ...string) reply {
	t.Helper()
	query := "/?Action=" + action + "&Version=" + Version + "&Format=json&AccessKeyId=ak&SignatureMethod=HMAC-SHA1&SignatureVersion=1.0&SignatureNonce=1&Timestamp=2026-01-15T08%3A30%3A00Z&Signature=x"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url+query, strings.NewReader(encoded(parameters)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return send(t, req)
}

func encoded(parameters []string) string {
	values := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		values.Set(parameters[i], parameters[i+1])
	}
	return values.Encode()
}

func send(t testing.TB, req *http.Request) reply {
	t.Helper()
	resp, err := httpClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if kind := resp.Header.Get("Content-Type"); kind != "application/json;charset=utf-8" {
		t.Errorf("got content type %s", kind)
	}
	r := reply{status: resp.StatusCode, body: string(text)}
	if err := json.Unmarshal(text, &r.doc); err != nil {
		t.Fatalf("got %q: %v", text, err)
	}
	return r
}

// ok fails the test unless the action succeeded, and puts its data into what is pointed to, if anything is.
func (r reply) ok(t testing.TB, data any) reply {
	t.Helper()
	if r.status != 200 || r.doc.Code != 200.0 || !r.doc.Success || r.doc.Status != "Success" || r.doc.Message != "operation success" || len(r.doc.RequestId) != 36 {
		t.Fatalf("got %d %s", r.status, r.body)
	}
	if data != nil {
		if err := json.Unmarshal(r.doc.Data, data); err != nil {
			t.Fatalf("got data %s: %v", r.doc.Data, err)
		}
	}
	return r
}

// refused fails the test unless the action failed so.
func (r reply) refused(t testing.TB, status int, code string) {
	t.Helper()
	if r.status != status || r.doc.Code != code || r.doc.Message == "" || r.doc.RequestId == "" || r.doc.HostId == "" {
		t.Fatalf("got %d %s, want %d %s", r.status, r.body, status, code)
	}
}

// data asks the data plane, and gives its status and answer.
func (f fixture) data(t testing.TB, method, target, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, f.mns+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Mns-Version", "2015-06-06")
	resp, err := httpClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

package openapi

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// asked is what the action of the tests is asked for, and answers.
type asked struct {
	Name   string                 `required:"true"`
	Many   []string               `json:",omitempty"`
	Count  *int                   `json:",omitempty"`
	Nested *struct{ Yes Boolean } `json:",omitempty"`
}

func echo() *Server {
	return NewServer(Service{Protocol: "echo", Product: "echo", Actions: []Action{
		{Name: "Echo", Do: Typed(func(_ context.Context, c *Call, in *asked) (any, error) {
			if in.Name == "broken" {
				return nil, errors.New("secret")
			}
			return struct {
				RequestId string
				Echo      *asked
				Lists     [][]int
			}{c.ID(), in, [][]int{{1, 2}, {3}}}, nil
		})},
	}}, new(caller.Options), nil)
}

func ask(t *testing.T, method, target, form string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(method, target, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	echo().ServeHTTP(w, r)
	return w
}

// cut takes the id out of an answer, which differs each time.
func cut(t *testing.T, w *httptest.ResponseRecorder, before, after string) string {
	t.Helper()
	body := w.Body.String()
	start, rest, ok := strings.Cut(body, before)
	id, end, closed := strings.Cut(rest, after)
	if !ok || !closed || len(id) != 36 || strings.ToUpper(id) != id {
		t.Fatalf("no request id in %s", body)
	}
	return start + before + after + end
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	const prolog = `<?xml version="1.0" encoding="utf-8"?>`
	tests := map[string]struct {
		method, target, form string
		status               int
		want                 string
	}{
		"query":          {"POST", "/?Action=Echo&Name=a%26b&Count=3", "", 200, `{"RequestId":"","Echo":{"Name":"a\u0026b","Count":3},"Lists":[[1,2],[3]]}`},
		"form":           {"POST", "/", "Action=Echo&Name=a&Many.1=x&Many.2=y", 200, `{"RequestId":"","Echo":{"Name":"a","Many":["x","y"]},"Lists":[[1,2],[3]]}`},
		"merged":         {"POST", "/?Action=Echo", `Name=a&Nested={"Yes":"True"}`, 200, `{"RequestId":"","Echo":{"Name":"a","Nested":{"Yes":true}},"Lists":[[1,2],[3]]}`},
		"the same twice": {"POST", "/?Action=Echo", "Action=Echo&Name=a", 200, `{"RequestId":"","Echo":{"Name":"a"},"Lists":[[1,2],[3]]}`},
		"two actions":    {"POST", "/?Action=Echo", "Action=Ohce&Name=a", 400, `{"RequestId":"","HostId":"example.com","Code":"InvalidParameter","Message":"the parameter Action is given twice","Recommend":"https://api.aliyun.com/troubleshoot?q=InvalidParameter\u0026product=echo"}`},
		"two values":     {"GET", "/?Action=Echo&Name=a&Name=b", "", 400, `{"RequestId":"","HostId":"example.com","Code":"InvalidParameter","Message":"the parameter Name is given twice","Recommend":"https://api.aliyun.com/troubleshoot?q=InvalidParameter\u0026product=echo"}`},
		"XML": {"GET", "/?Action=Echo&Format=XML&Name=a%26b&Many.1=%3Cx%3E&Many.2=y&Count=3", "", 200, prolog + `<EchoResponse><RequestId></RequestId>` +
			`<Echo><Name>a&amp;b</Name><Many>&lt;x&gt;</Many><Many>y</Many><Count>3</Count></Echo><Lists>1</Lists><Lists>2</Lists><Lists>3</Lists></EchoResponse>`},
		"XML error": {"GET", "/?Action=Echo&Format=xml", "", 400, prolog +
			`<Error><RequestId></RequestId><HostId>example.com</HostId><Code>MissingName</Code><Message>the parameter Name is missing</Message><Recommend>https://api.aliyun.com/troubleshoot?q=MissingName&amp;product=echo</Recommend></Error>`},
		"error":          {"GET", "/?Action=Echo", "", 400, `{"RequestId":"","HostId":"example.com","Code":"MissingName","Message":"the parameter Name is missing","Recommend":"https://api.aliyun.com/troubleshoot?q=MissingName\u0026product=echo"}`},
		"another format": {"GET", "/?Action=Echo&Format=yaml", "", 400, `{"RequestId":"","HostId":"example.com","Code":"InvalidParameter","Message":"the parameter Format must be JSON or XML","Recommend":"https://api.aliyun.com/troubleshoot?q=InvalidParameter\u0026product=echo"}`},
		"no action":      {"GET", "/", "", 400, `{"RequestId":"","HostId":"example.com","Code":"MissingAction","Message":"the parameter Action is missing","Recommend":"https://api.aliyun.com/troubleshoot?q=MissingAction\u0026product=echo"}`},
		"another action": {"GET", "/?Action=Ohce", "", 404, `{"RequestId":"","HostId":"example.com","Code":"InvalidAction.NotFound","Message":"echo has no action of this name","Recommend":"https://api.aliyun.com/troubleshoot?q=InvalidAction.NotFound\u0026product=echo"}`},
		"fault":          {"GET", "/?Action=Echo&Name=broken", "", 500, `{"RequestId":"","HostId":"example.com","Code":"InternalError","Message":"internal error","Recommend":"https://api.aliyun.com/troubleshoot?q=InternalError\u0026product=echo"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := ask(t, tt.method, tt.target, tt.form)
			before, after, kind := `"RequestId":"`, `"`, "application/json;charset=utf-8"
			if strings.HasPrefix(tt.want, prolog) {
				before, after, kind = "<RequestId>", "</RequestId>", "text/xml;charset=utf-8"
			}
			if got := cut(t, w, before, after); w.Code != tt.status || got != tt.want || w.Header().Get("Content-Type") != kind {
				t.Errorf("got %d %s %s", w.Code, w.Header().Get("Content-Type"), got)
			}
		})
	}
}

// In ROA style parameters may come as a JSON document, which counts only beside a signature that covers it.
func TestJSONParameters(t *testing.T) {
	t.Parallel()
	const signed = "ACS3-HMAC-SHA256 Credential=ak,SignedHeaders=host,Signature=0"
	tests := map[string]struct{ authorization, body, want string }{
		"values":          {signed, `{"Name":"a","Count":3,"Nested":{"Yes":true},"Other":null}`, `"Echo":{"Name":"a","Count":3,"Nested":{"Yes":true}}`},
		"texts":           {signed, `{"Name":"a","Count":"3","Nested":"{\"Yes\":\"true\"}"}`, `"Echo":{"Name":"a","Count":3,"Nested":{"Yes":true}}`},
		"list":            {signed, `{"Name":"a","Many":["x","y"]}`, `"Echo":{"Name":"a","Many":["x","y"]}`},
		"numbered":        {signed, `{"Name":"a","Many.1":"x"}`, `"Echo":{"Name":"a","Many":["x"]}`},
		"nothing":         {signed, ``, `"Code":"MissingName"`},
		"null":            {signed, `null`, `"Code":"MissingName"`},
		"no object":       {signed, `["Name"]`, `"Code":"InvalidParameter"`},
		"no JSON":         {signed, `Name=a`, `"Code":"InvalidParameter"`},
		"beside no other": {"", `{"Name":"a"}`, `"Code":"MissingName"`},
		"two values":      {signed, `{"Name":"a","Format":"XML"}`, `<Code>InvalidParameter</Code>`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			r := httptest.NewRequest(http.MethodPost, "/?Format=JSON", strings.NewReader(tt.body))
			r.Header.Set("Content-Type", "application/json; charset=utf-8")
			r.Header.Set("X-Acs-Action", "Echo")
			if tt.authorization != "" {
				r.Header.Set("Authorization", tt.authorization)
			}
			echo().ServeHTTP(w, r)
			if !strings.Contains(w.Body.String(), tt.want) {
				t.Errorf("got %d %s, want in it %s", w.Code, w.Body, tt.want)
			}
		})
	}
}

// A list's elements are the parameters of a form.
func TestFlatten(t *testing.T) {
	t.Parallel()
	got, err := flatten([]byte(`{"Tag":[{"Key":"k","Value":"v"},{"Key":"l","Value":1}],"CidrList":["10.0.0.0/8"],"Empty":""}`))
	const want = "CidrList=%5B%2210.0.0.0%2F8%22%5D&CidrList.1=10.0.0.0%2F8&Empty=&Tag=%5B%7B%22Key%22%3A%22k%22%2C%22Value%22%3A%22v%22%7D%2C%7B%22Key%22%3A%22l%22%2C%22Value%22%3A1%7D%5D" +
		"&Tag.1=%7B%22Key%22%3A%22k%22%2C%22Value%22%3A%22v%22%7D&Tag.1.Key=k&Tag.1.Value=v&Tag.2=%7B%22Key%22%3A%22l%22%2C%22Value%22%3A1%7D&Tag.2.Key=l&Tag.2.Value=1"
	if err != nil || got.Encode() != want {
		t.Errorf("got %v, %v", got.Encode(), err)
	}
}

func TestFaultsOfCore(t *testing.T) {
	t.Parallel()
	for _, code := range core.Codes {
		if fault, _ := FaultOf(core.Errorf(code, "text")); fault.Status < 400 || fault.Code == "" || fault.Message == "" {
			t.Errorf("%s: got %+v", code, fault)
		}
	}
}

func TestMatches(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]bool{"/?Version=2022-01-19": true, "/?Version=2015-04-01": false, "/": false} {
		if got := Matches(httptest.NewRequest(http.MethodGet, target, nil), "2022-01-19"); got != want {
			t.Errorf("%s: got %t", target, got)
		}
	}
}

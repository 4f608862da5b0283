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
		"two actions":    {"POST", "/?Action=Echo", "Action=Ohce&Name=a", 400, `{"RequestId":"","HostId":"example.com","Code":"InvalidParameter","Message":"the parameter Action is given twice"}`},
		"two values":     {"GET", "/?Action=Echo&Name=a&Name=b", "", 400, `{"RequestId":"","HostId":"example.com","Code":"InvalidParameter","Message":"the parameter Name is given twice"}`},
		"XML": {"GET", "/?Action=Echo&Format=XML&Name=a%26b&Many.1=%3Cx%3E&Many.2=y&Count=3", "", 200, prolog + `<EchoResponse><RequestId></RequestId>` +
			`<Echo><Name>a&amp;b</Name><Many>&lt;x&gt;</Many><Many>y</Many><Count>3</Count></Echo><Lists>1</Lists><Lists>2</Lists><Lists>3</Lists></EchoResponse>`},
		"XML error": {"GET", "/?Action=Echo&Format=xml", "", 400, prolog +
			`<Error><RequestId></RequestId><HostId>example.com</HostId><Code>MissingName</Code><Message>the parameter Name is missing</Message></Error>`},
		"error":          {"GET", "/?Action=Echo", "", 400, `{"RequestId":"","HostId":"example.com","Code":"MissingName","Message":"the parameter Name is missing"}`},
		"another format": {"GET", "/?Action=Echo&Format=yaml", "", 400, `{"RequestId":"","HostId":"example.com","Code":"InvalidParameter","Message":"the parameter Format must be JSON or XML"}`},
		"no action":      {"GET", "/", "", 400, `{"RequestId":"","HostId":"example.com","Code":"MissingAction","Message":"the parameter Action is missing"}`},
		"another action": {"GET", "/?Action=Ohce", "", 404, `{"RequestId":"","HostId":"example.com","Code":"InvalidAction.NotFound","Message":"echo has no action of this name"}`},
		"fault":          {"GET", "/?Action=Echo&Name=broken", "", 500, `{"RequestId":"","HostId":"example.com","Code":"InternalError","Message":"internal error"}`},
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

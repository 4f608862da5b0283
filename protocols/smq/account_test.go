package smq

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

func TestEndpointAccess(t *testing.T) {
	t.Parallel()
	f := start(t)
	const target = "/queues/orders"
	f.do(t, "CreateQueue", "QueueName", "orders").ok(t, nil)
	reachable := func(want bool) {
		t.Helper()
		status, body := f.data(t, http.MethodGet, target, "")
		if want && status != 200 || !want && (status != 403 || !strings.Contains(body, "<Code>AccessDenied</Code>")) {
			t.Errorf("got %d %s, want it reachable: %t", status, body, want)
		}
	}
	public := []string{"EndpointType", "public"}
	attributes := func() endpointData {
		t.Helper()
		var data endpointData
		f.form(t, "GetEndpointAttribute", public...).ok(t, &data)
		return data
	}
	if body := f.do(t, "GetEndpointAttribute", public...).ok(t, nil).body; !strings.Contains(body, `"Data":{"EndpointEnabled":true,"CidrList":[]}`) {
		t.Errorf("at first: got %s", body)
	}
	reachable(true)
	if got := f.form(t, "DisableEndpoint", public...).ok(t, nil); got.doc.Data != nil {
		t.Errorf("got data %s", got.doc.Data)
	}
	reachable(false)
	if attributes().EndpointEnabled {
		t.Error("it is shown as enabled")
	}
	f.do(t, "GetQueueAttributes", "QueueName", "orders").ok(t, nil) // the control plane is not closed
	f.form(t, "EnableEndpoint", public...).ok(t, nil)
	reachable(true)
	allow := func(action, networks string) reply {
		return f.form(t, action, "EndpointType", "public", "AclStrategy", "allow", "CidrList", networks)
	}
	allow("AuthorizeEndpointAcl", "10.1.2.3/8,192.168.0.0/16").ok(t, nil)
	reachable(false)
	allow("AuthorizeEndpointAcl", "127.0.0.1,10.0.0.0/8").ok(t, nil)
	reachable(true)
	data := attributes()
	if len(data.CidrList) != 3 || data.CidrList[0].Cidr != "10.0.0.0/8" || data.CidrList[2].Cidr != "127.0.0.1/32" || data.CidrList[0].AclStrategy != "allow" || data.CidrList[0].CreateTime < 1e12 {
		t.Errorf("got %+v", data)
	}
	allow("RevokeEndpointAcl", "127.0.0.1/32").ok(t, nil)
	reachable(false)
	allow("RevokeEndpointAcl", "10.0.0.0/8,192.168.0.0/16").ok(t, nil)
	reachable(true)
	allow("AuthorizeEndpointAcl", "everywhere").refused(t, 400, "InvalidParameter")
	allow("AuthorizeEndpointAcl", "").refused(t, 400, "MissingCidrList")
	f.form(t, "AuthorizeEndpointAcl", "EndpointType", "public", "AclStrategy", "deny", "CidrList", "10.0.0.0/8").refused(t, 400, "InvalidParameter")
	f.form(t, "EnableEndpoint", "EndpointType", "private").refused(t, 400, "InvalidParameter")
	f.form(t, "EnableEndpoint").refused(t, 400, "MissingEndpointType")
}

// Terraform applies several resources at once, each with networks of its own.
func TestEndpointChangesAtOnce(t *testing.T) {
	t.Parallel()
	f := start(t)
	change := func(action string, from, to int) {
		t.Helper()
		var all errgroup.Group
		for i := from; i < to; i++ {
			all.Go(func() error {
				target := f.url + "/?Action=" + action + "&Version=" + Version + "&EndpointType=public&AclStrategy=allow&CidrList=" + fmt.Sprintf("10.%d.0.0/16", i)
				return succeeds(t.Context(), target)
			})
		}
		all.Go(func() error {
			return succeeds(t.Context(), f.url+"/?Action=DisableEndpoint&Version="+Version+"&EndpointType=public")
		})
		if err := all.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	change("AuthorizeEndpointAcl", 0, 8)
	change("RevokeEndpointAcl", 0, 4)
	var data endpointData
	f.form(t, "GetEndpointAttribute", "EndpointType", "public").ok(t, &data)
	if data.EndpointEnabled || len(data.CidrList) != 4 {
		t.Errorf("got %+v, want it disabled, with four networks", data)
	}
}

func succeeds(ctx context.Context, target string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return err
	}
	resp, err := httpClient.Do(req)
	if err != nil {
		return err
	}
	if _ = resp.Body.Close(); resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

func TestEventRules(t *testing.T) {
	t.Parallel()
	f := start(t)
	create := func(name, endpoint string, more ...string) reply {
		return f.form(t, "CreateEventRule", append([]string{"ProductName", "oss", "RuleName", name, "EventTypes", `["ObjectCreated:PutObject","oss:ObjectRemoved:DeleteObject"]`,
			"MatchRules", `[[{"MatchState":"true","Prefix":"photos/2026/","Suffix":".jpg","Name":""}],[{"MatchState":true,"Name":"photos/index.json"}]]`, "Endpoint", endpoint}, more...)...)
	}
	var name string
	create("uploads", `{"EndpointType":"queue","EndpointValue":"uploads"}`).ok(t, &name)
	if name != "uploads" {
		t.Errorf("got %q", name)
	}
	create("uploads", `{"EndpointType":"queue","EndpointValue":"uploads"}`).ok(t, nil)
	create("uploads", `{"EndpointType":"queue","EndpointValue":"other"}`).refused(t, 409, "RESOURCE_EXISTS")
	create("news", `{"EndpointType":"topic","EndpointValue":"news"}`).ok(t, nil)
	got := f.do(t, "GetEventRule", "ProductName", "oss", "RuleName", "uploads").ok(t, nil)
	const want = `{"RuleName":"uploads","TopicName":"","Endpoint":{"EndpointType":"queue","EndpointValue":"uploads"},` +
		`"EventTypes":["ObjectCreated:PutObject","oss:ObjectRemoved:DeleteObject"],` +
		`"MatchRules":[[{"MatchState":true,"Prefix":"photos/2026/","Suffix":".jpg"}],[{"MatchState":true,"Name":"photos/index.json"}]],` +
		`"Subscriptions":[{"EndpointType":"queue","EndpointValue":"uploads"}]}`
	if string(got.doc.Data) != want {
		t.Errorf("got %s, want %s", got.doc.Data, want)
	}
	for filter, want := range map[string]int{"RuleName=up": 1, "TopicName=news": 1, "ProductName=oss": 2, "ProductName=ecs": 0, "ResourceName=photos": 2, "ResourceName=phot": 0, `Subscription={"EndpointType":"queue","EndpointValue":"uploads"}`: 1} {
		key, value, _ := strings.Cut(filter, "=")
		var list pageData[eventRule]
		f.do(t, "ListEventRules", key, value).ok(t, &list)
		if list.Total != want || len(list.PageData) != want {
			t.Errorf("%s: got %+v, want %d", filter, list, want)
		}
	}
	for range 2 {
		f.do(t, "DeleteEventRule", "ProductName", "oss", "RuleName", "uploads").ok(t, nil)
	}
	f.do(t, "GetEventRule", "ProductName", "oss", "RuleName", "uploads").refused(t, 404, "RESOURCE_NOT_FOUND")
	create("a/b", `{"EndpointType":"queue","EndpointValue":"q"}`).refused(t, 400, "InvalidParameter")
	create("bad", `{"EndpointType":"pigeon","EndpointValue":"q"}`).refused(t, 400, "InvalidParameter")
	create("bad", "").refused(t, 400, "MissingEndpoint")
	create("bad", `{"EndpointType":"queue","EndpointValue":"q"}`, "EventTypes", "[]").refused(t, 400, "InvalidParameter")
	f.do(t, "CreateEventRule", "ProductName", "oss", "RuleName", "bad").refused(t, 400, "MissingEventTypes")
}

// Clients that page through rules in the way that the service had first get each of them once.
func TestEventRulesByToken(t *testing.T) {
	t.Parallel()
	f := start(t)
	for i := range 21 {
		f.do(t, "CreateEventRule", "ProductName", "oss", "RuleName", fmt.Sprintf("rule-%02d", i), "EventTypes", `["ObjectCreated:PutObject"]`, "Endpoint", `{"EndpointType":"queue","EndpointValue":"q"}`).ok(t, nil)
	}
	var names, tokens []string
	for token := ""; len(tokens) < 10; {
		var page rulesData
		f.do(t, "ListEventRules", "MaxResults", "10", "NextToken", token).ok(t, &page)
		for _, rule := range page.PageData {
			names = append(names, rule.RuleName)
		}
		if page.MaxResults != 10 {
			t.Errorf("got %d as MaxResults", page.MaxResults)
		}
		token = page.NextToken
		if tokens = append(tokens, token); token == "" {
			break
		}
	}
	if len(tokens) != 3 || len(names) != 21 || !slices.IsSorted(names) || len(slices.Compact(names)) != 21 {
		t.Errorf("got the tokens %q and the rules %q", tokens, names)
	}
	f.do(t, "ListEventRules", "NextToken", "first").refused(t, 400, "InvalidParameter")
}

func TestAccountAttributes(t *testing.T) {
	t.Parallel()
	f := start(t)
	if body := f.do(t, "GetAccountAttributes").ok(t, nil).body; !strings.Contains(body, `"Data":{"LogEnabled":false,"LogStoreName":"","MessageTraceEnabled":false,"ProjectName":""}`) {
		t.Errorf("at first: got %s", body)
	}
	f.form(t, "SetAccountAttributes", "LogEnabled", "true", "LogStoreName", "store", "ProjectName", "project", "ClientToken", "t").ok(t, nil)
	f.form(t, "SetAccountAttributes", "MessageTraceEnabled", "true", "LogEnabled", "false").ok(t, nil)
	var data accountData
	f.do(t, "GetAccountAttributes").ok(t, &data)
	if data != (accountData{false, "store", true, "project"}) {
		t.Errorf("got %+v", data)
	}
	f.form(t, "SetAccountAttributes", "LogEnabled", "perhaps").refused(t, 400, "InvalidParameter")
	f.form(t, "SetAccountAttributes", "LogStoreName", strings.Repeat("x", maxKeptLength+1)).refused(t, 400, "InvalidParameter")
}

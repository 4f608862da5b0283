package smq

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/mns"
	"github.com/polymq/polymq/protocols/openapi"
)

// decodes is an action that goes as far as it needs no queues: it reads its parameters, checks them, and answers with them.
func decodes[Req any](name string, check func(*Req) error) openapi.Action {
	return openapi.Action{Name: name, Do: openapi.Typed(func(_ context.Context, _ *openapi.Call, req *Req) (any, error) { return req, check(req) })}
}

// decoders have every form of parameters that actions have.
func decoders() []openapi.Action {
	return []openapi.Action{
		decodes("CreateQueue", func(r *createQueueRequest) error {
			_, typeErr := isFIFO("QueueType", r.QueueType)
			_, err := r.change(r.QueueName)
			_, tagErr := tagMap(r.Tag)
			return errors.Join(mns.CheckQueueName(r.QueueName), typeErr, err, tagErr)
		}),
		decodes("CreateTopic", func(r *createTopicRequest) error {
			_, err := r.change()
			return err
		}),
		decodes("ListQueue", func(r *listQueueRequest) error {
			if skipped := r.skip(); skipped < 0 || skipped > core.MaxSkipped || r.size() < minPageSize || r.size() > maxPageSize {
				panic("a page beyond all bounds")
			}
			return nil
		}),
		decodes("Subscribe", func(r *subscribeRequest) error {
			_, err := r.kept()
			return err
		}),
		decodes("AuthorizeEndpointAcl", func(r *authorizeEndpointAclRequest) error {
			_, err := r.networks()
			return err
		}),
		decodes("CreateEventRule", func(r *createEventRuleRequest) error {
			_, err := r.rule()
			return err
		}),
		decodes("ListEventRules", func(r *listEventRulesRequest) error { return r.readToken() }),
		decodes("UntagResources", func(r *untagResourcesRequest) error { return r.check() }),
	}
}

// FuzzParameters asks each action with any parameters, in the query and in a form. The answer is one that a client
// understands, and what it costs is bounded by the request's size.
func FuzzParameters(f *testing.F) {
	for _, step := range typeSteps {
		f.Add(step.parameters)
	}
	for _, seed := range []string{
		`QueueName=q&DlqPolicy={}&TenantRateLimitPolicy={"Enabled":"True","MaxReceivesPerSecond":"7"}`, `DlqPolicy={"MaxReceiveCount":-1e99}`,
		"PageNum=-9223372036854775808&PageSize=9223372036854775807", "CidrList=[\"::/0\",\"10.0.0.1\"]", `MatchRules=[[],[{"MatchState":""}]]&EventTypes=[]`,
		`MatchRules=` + strings.Repeat("[", 10_001), "Tag.1.Key=acs:&Tag.2.Key=&Tag.2.Value=http://", "All=yes&ResourceType=queue&ResourceId.1=q", "NextToken=-1&MaxResults=0",
	} {
		f.Add(seed)
	}
	const perByte, fixed = 256, 1 << 20
	actions := decoders()
	server := openapi.NewServer(openapi.Service{Protocol: "smq", Product: "mns-open", Code: "mns", Actions: actions, Fault: faultOf}, new(caller.Options), nil)
	f.Fuzz(func(t *testing.T, parameters string) {
		for _, action := range actions {
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(parameters))
			r.URL.RawQuery = parameters
			r.Header.Set("X-Acs-Action", action.Name)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			w := httptest.NewRecorder()
			server.ServeHTTP(w, r)
			runtime.ReadMemStats(&after)
			if w.Code >= 500 {
				t.Errorf("%s: got %d: %s", action.Name, w.Code, w.Body)
			}
			if w.Header().Get("Content-Type") == "application/json;charset=utf-8" && !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s: the answer is no JSON: %q", action.Name, w.Body)
			}
			if cost := after.TotalAlloc - before.TotalAlloc; cost > perByte*uint64(len(parameters))+fixed {
				t.Errorf("%s: %d bytes were allocated for parameters of %d", action.Name, cost, len(parameters))
			}
		}
	})
}

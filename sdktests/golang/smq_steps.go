package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	util "github.com/alibabacloud-go/tea-utils/v2/service"
	teacore "github.com/alibabacloud-go/tea/tea"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
)

// A step is a request to the control plane and what comes back, as smq_steps.json has it for the programs of all
// languages. The parameters are where the generated clients have them.
type step struct {
	Action      string
	Query, Form map[string]any
	Want        map[string]any // values behind paths, as Data.Tags.0.TagKey
	Error       string         // the code of the error instead
}

// A caller sends a step's request, by one of the cores, and gives the answer's document or the code of the error.
type caller func(step) (document any, code string, err error)

// walk sends all requests, in order, with names of their own.
func walk(call caller) func(context.Context) error {
	return func(context.Context) error {
		text, err := os.ReadFile(filepath.Join(os.Getenv("POLYMQ_SDKTESTS"), "smq_steps.json"))
		if err != nil {
			return err
		}
		var steps []step
		decoder := json.NewDecoder(strings.NewReader(strings.ReplaceAll(string(text), "$", queueName())))
		decoder.UseNumber() // so that no core writes them in another way
		if err := decoder.Decode(&steps); err != nil {
			return err
		}
		for i, s := range steps {
			if err := s.check(call); err != nil {
				return fmt.Errorf("step %d, %s: %w", i+1, s.Action, err)
			}
		}
		return nil
	}
}

func (s step) check(call caller) error {
	document, code, err := call(s)
	if code != s.Error || err != nil && code == "" {
		return fmt.Errorf("got code %q, %v, want %q", code, err, s.Error)
	}
	for path, want := range s.Want {
		if got := at(document, strings.Split(path, ".")...); !reflect.DeepEqual(plain(got), plain(want)) {
			return fmt.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
	return nil
}

// at gives what is found in a document behind names and numbers, one below the other.
func at(document any, path ...string) any {
	for _, name := range path {
		switch within := document.(type) {
		case map[string]any:
			document = within[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(within) {
				return nil
			}
			document = within[i]
		default:
			return nil
		}
	}
	return document
}

// plain gives a value as JSON has it, whatever types a core makes of numbers.
func plain(value any) (plain any) {
	text, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(text, &plain)
	}
	if err != nil {
		return err
	}
	return plain
}

// form gives a step's parameters together, as texts.
func (s step) form() map[string]any {
	all := maps.Clone(s.Query)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, s.Form)
	return all
}

// pointers gives parameters as the cores of generated clients want them.
func pointers(parameters map[string]any) map[string]*string {
	all := map[string]*string{}
	for name, value := range parameters {
		all[name] = text(fmt.Sprint(value))
	}
	return all
}

// codeOf gives the service's code in an error of any of the cores, "" in no error or another one.
func codeOf(err error) string {
	var (
		generated interface{ GetCode() *string }
		terraform *teacore.SDKError
		old       *sdkerrors.ServerError
	)
	switch {
	case errors.As(err, &generated) && generated.GetCode() != nil:
		return *generated.GetCode()
	case errors.As(err, &terraform) && terraform.Code != nil:
		return *terraform.Code
	case errors.As(err, &old):
		return old.ErrorCode()
	}
	return ""
}

// throughGenerated is the core that generated clients call, with all that they pass to it but the action's name the
// same for every action. algorithm "" is ACS3-HMAC-SHA256, "v2" HMAC-SHA1.
func throughGenerated(algorithm string) caller {
	return generated("RPC", "formData", algorithm, func(s step) *openapi.OpenApiRequest {
		request := &openapi.OpenApiRequest{Query: pointers(s.Query)}
		if len(s.Form) > 0 {
			request.Body = s.Form
		}
		return request
	})
}

// throughROA is the same core, told to speak in ROA style: all parameters are members of a JSON document.
func throughROA() caller {
	return generated("ROA", "json", "", func(s step) *openapi.OpenApiRequest { return &openapi.OpenApiRequest{Body: s.form()} })
}

func generated(style, bodyType, algorithm string, request func(step) *openapi.OpenApiRequest) caller {
	return func(s step) (any, string, error) {
		config := generatedConfig()
		if algorithm != "" {
			config.SignatureAlgorithm = &algorithm
		}
		client, err := openapi.NewClient(config)
		if err != nil {
			return nil, "", err
		}
		params := &openapi.Params{
			Action: &s.Action, Version: text(smqVersion), Protocol: text("HTTP"), Pathname: text("/"), Method: text("POST"), AuthType: text("AK"),
			Style: &style, ReqBodyType: &bodyType, BodyType: text("json"),
		}
		answer, err := client.CallApi(params, request(s), new(util.RuntimeOptions))
		return member(any(answer), "body"), codeOf(err), err
	}
}

// throughCommandLine is the core of the aliyun command line, which has all parameters in the query.
func throughCommandLine(method string) caller {
	return func(s step) (document any, code string, err error) {
		client, err := sdk.NewClientWithAccessKey("cn-hangzhou", accessKey, secretKey())
		if err != nil {
			return nil, "", err
		}
		request := requests.NewCommonRequest()
		request.Method, request.Scheme, request.Domain, request.Version, request.ApiName = method, "http", host(), smqVersion, s.Action
		for name, value := range s.form() {
			request.QueryParams[name] = fmt.Sprint(value)
		}
		answer, err := client.ProcessCommonRequest(request)
		if err != nil {
			return nil, codeOf(err), err
		}
		return document, "", json.Unmarshal(answer.GetHttpContentBytes(), &document)
	}
}

// throughTerraform is the core of Terraform's provider, which has all parameters in the form.
func throughTerraform(s step) (any, string, error) {
	answer, err := terraform(s.Action, s.form())
	return answer, codeOf(err), err
}

package api

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// dataOperations are those that are audited only when they are denied.
var dataOperations = map[string]bool{
	"send-messages": true, "receive-messages": true, "peek-messages": true, "delete-messages": true, "change-visibility": true, "return-messages": true,
	"wait-for-message": true, "publish-messages": true,
}

// maxAuditedBody bounds what is kept of a request or an answer for the audit log.
const maxAuditedBody = 64 << 10

// audited is what passes between a client and an operation.
type audited struct{ request, answer kept }

// kept is a document as far as it is kept: whole, or not at all.
type kept struct {
	text    []byte
	tooLong bool
}

func (k *kept) keep(p []byte) {
	if k.tooLong = k.tooLong || len(k.text)+len(p) > maxAuditedBody; !k.tooLong {
		k.text = append(k.text, p...)
	}
}

// fields gives the members of the document.
func (k *kept) fields() map[string]any {
	var fields map[string]any
	if !k.tooLong {
		_ = json.Unmarshal(k.text, &fields) // what is no object has none
	}
	return fields
}

// BodyReader is of huma.Context.
func (x *exchange) BodyReader() io.Reader {
	if x.audited == nil {
		return x.humaContext.BodyReader()
	}
	return io.TeeReader(x.humaContext.BodyReader(), &x.audited.request)
}

// Write is of io.Writer.
func (k *kept) Write(p []byte) (int, error) {
	k.keep(p)
	return len(p), nil
}

// audit tells the audit log of an operation that was answered.
func (a *adapter) audit(c *gin.Context, operation string, x *exchange) {
	event := caller.Audited{Source: "api", Action: operation}
	switch status := c.Writer.Status(); {
	case status == http.StatusUnauthorized:
		event.Code = string(unauthenticated)
	case status == http.StatusForbidden:
		event.Code = string(core.AccessDenied)
	case status >= http.StatusBadRequest:
		event.Code = http.StatusText(status)
	}
	if !a.callers.Audits(dataOperations[operation], event.Code) {
		return
	}
	parameters := map[string]any{}
	if x.audited != nil {
		parameters = merged(parameters, x.audited.request.fields())
		answer := x.audited.answer.fields()
		event.Result = answer
		if code, ok := answer["code"].(string); ok && event.Code != "" {
			event.Code = code
			event.Text, _ = answer["detail"].(string)
		}
	}
	for name, values := range c.Request.URL.Query() {
		parameters[name] = values[0]
	}
	for _, param := range c.Params {
		parameters[param.Key] = param.Value
	}
	event.Parameters = parameters
	event.Resources = resourcesOf(c, &x.caller, parameters)
	about := x.about(c.Request.URL.Path, parameters)
	a.callers.Audit(c.Request, &about, event)
}

// about gives the caller as the audit log files the call: with the account and the region that the operation is about,
// as far as the caller may name another account than its own.
func (x *exchange) about(path string, parameters map[string]any) caller.Caller {
	about, named := x.caller, "account"
	if strings.HasPrefix(path, prefix+"/accounts/") {
		named = "id"
	}
	if account, _ := parameters[named].(string); x.grants != nil && x.grants.Everywhere && core.IsAccount(account) {
		about.Account = account
	}
	if region, _ := parameters["region"].(string); caller.IsRegion(region) {
		about.Region = region
	}
	return about
}

func merged(into, from map[string]any) map[string]any {
	for name, value := range from {
		into[name] = value
	}
	return into
}

// resourcesOf gives the ARNs of the queue and the topic that an operation names, and other things by their path.
func resourcesOf(c *gin.Context, who *caller.Caller, parameters map[string]any) []string {
	kind, _, _ := strings.Cut(strings.TrimPrefix(c.Request.URL.Path, prefix+"/"), "/")
	of := func(parameter string) string {
		name, _ := parameters[parameter].(string)
		return name
	}
	named := *who
	if account := of("account"); account != "" {
		named.Account = account
	}
	if region := of("region"); region != "" {
		named.Region = region
	}
	switch {
	case kind == "queues" && of("name") != "":
		return []string{named.QueueARN(of("name"))}
	case kind == "topics" && of("topic") != "":
		return []string{named.TopicARN(of("topic"))}
	case kind == "topics" && of("name") != "":
		return []string{named.TopicARN(of("name"))}
	case of("id") != "":
		return []string{kind + "/" + of("id")}
	}
	return nil
}

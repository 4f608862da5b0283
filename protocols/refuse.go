package protocols

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/polymq/polymq/protocols/api"
	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/mns"
)

// refusal is an error to a request that no protocol here answers. The zero status and code stand
// for what the form uses for an operation that is not known.
type refusal struct {
	status  int
	code    string
	message string
}

// refuse tells a client what it does not find here.
func (p *port) refuse(w http.ResponseWriter, r *http.Request) {
	speaks := slices.DeleteFunc(slices.Clone(Names), func(name string) bool { return !p.speaks(name) })
	message := fmt.Sprintf("polymq does not speak %s here. It speaks: %s.", serviceOf(r), strings.Join(speaks, ", "))
	e := refusal{message: message}
	if isAlibaba(r) {
		e = refuseVersion(r, e)
	}
	formOf(r).write(w, e, r)
}

// refuseVersion gives what is said to a request for one of Alibaba's management APIs: they are told apart by the
// version, which must be there, and be one that is known, before there can be an action.
func refuseVersion(r *http.Request, e refusal) refusal {
	version := openAPIVersion(r)
	switch {
	case version == "":
		return refusal{http.StatusBadRequest, "MissingVersion", "the parameter Version is missing"}
	case serviceOfVersion[version] == "":
		return refusal{http.StatusBadRequest, "InvalidVersion", e.message}
	}
	return e // of a protocol that is switched off
}

// openAPIVersion gives the version that a request for one of Alibaba's management APIs names, "" for none.
func openAPIVersion(r *http.Request) string {
	if version := r.Header.Get("X-Acs-Version"); version != "" {
		return version
	}
	texts := []string{r.URL.RawQuery}
	if speaksQuery(r) && r.Body != nil {
		texts = append(texts, peek(r))
	}
	parameters, _ := aws.ParseParameters(texts...) // what cannot be read names none
	version, _ := parameters.Get("Version")
	return version
}

// serviceOf names what a request asks for.
func serviceOf(r *http.Request) string {
	if _, path, isCBOR := strings.Cut(r.URL.Path, "/service/"); isCBOR && r.Header.Get("Smithy-Protocol") != "" {
		service, _, _ := strings.Cut(path, "/")
		return service
	}
	if service, _, isTarget := strings.Cut(r.Header.Get("X-Amz-Target"), "."); isTarget {
		return service
	}
	if service := caller.ServiceOf(r); service != "" {
		return service
	}
	switch {
	case isRocketMQ(r):
		return "the HTTP protocol of RocketMQ"
	case isAlibaba(r):
		if version := openAPIVersion(r); version != "" {
			return fmt.Sprintf("version %.40q of Alibaba's OpenAPI", version)
		}
		return "Alibaba's OpenAPI"
	case mns.Matches(r):
		return "MNS"
	case api.Matches(r):
		return "the JSON API"
	}
	return r.Method + " " + r.URL.Path
}

// isAlibaba says that a request is for one of Alibaba's management APIs, in the new form or the old.
func isAlibaba(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), "ACS3-") || r.Header.Get("X-Acs-Action") != "" ||
		strings.Contains(r.URL.RawQuery, "SignatureMethod=HMAC-SHA1")
}

// isRocketMQ says that a request speaks the HTTP protocol of RocketMQ.
func isRocketMQ(r *http.Request) bool {
	return r.Header.Get("X-Mq-Version") != "" || strings.HasPrefix(r.Header.Get("Authorization"), "MQ ")
}

// form is how a family of services writes an error.
type form struct {
	contentType string
	status      int    // of an operation that is not known
	code        string // likewise
	body        func(e refusal, r *http.Request, requestID string) []byte
	header      func(h http.Header, e refusal)
}

// xmlServices are services of AWS's that speak in XML without the query protocol, and write errors as that does. S3 has a form of
// its own, and all others speak in JSON.
var xmlServices = []string{"cloudfront", "route53"}

// speaksQuery says that a request is of the query protocol, whatever the service.
func speaksQuery(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") || r.URL.Query().Has("Action")
}

// formOf gives the form in which whoever sent the request can read an error.
func formOf(r *http.Request) form {
	service := caller.ServiceOf(r)
	switch {
	case api.Matches(r):
		return problemForm
	case r.Header.Get("Smithy-Protocol") != "":
		return cborForm
	case r.Header.Get("X-Amz-Target") != "":
		return jsonForm
	case mns.Matches(r):
		return aliyunXML("mns", mns.RequestID)
	case isRocketMQ(r):
		return aliyunXML("mq", strings.ToUpper)
	case isAlibaba(r):
		return openAPIForm
	case speaksQuery(r), slices.Contains(xmlServices, service), service == "" && (r.Method == http.MethodGet || r.Method == http.MethodPost || looks(r)):
		return queryForm
	case service == "" || strings.HasPrefix(service, "s3"):
		return s3Form
	}
	return jsonForm
}

func (f form) write(w http.ResponseWriter, e refusal, r *http.Request) {
	if e.status == 0 {
		e.status, e.code = f.status, f.code
	}
	requestID := caller.RequestID()
	body := f.body(e, r, requestID)
	header := w.Header()
	header.Set("Content-Type", f.contentType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header[aws.RequestIDHeader] = []string{requestID}
	if f.header != nil {
		f.header(header, e)
	}
	w.WriteHeader(e.status)
	if r.Method == http.MethodHead {
		body = nil
	}
	_, _ = w.Write(body) // nobody is left to tell
}

var (
	jsonForm = form{
		contentType: "application/x-amz-json-1.0", status: http.StatusBadRequest, code: "UnknownOperationException",
		body: func(e refusal, _ *http.Request, _ string) []byte {
			return mustJSON(map[string]string{"__type": e.code, "message": e.message})
		},
		header: func(h http.Header, e refusal) { h[aws.ErrorTypeHeader] = []string{e.code} },
	}
	cborForm = form{
		contentType: "application/cbor", status: http.StatusBadRequest, code: "UnknownOperationException",
		body: func(e refusal, _ *http.Request, _ string) []byte {
			return aws.AppendCBORFault(nil, e.code, e.message)
		},
		header: func(h http.Header, _ refusal) { h.Set("Smithy-Protocol", "rpc-v2-cbor") },
	}
	queryForm = form{
		contentType: "text/xml", status: http.StatusBadRequest, code: "InvalidAction",
		body: func(e refusal, _ *http.Request, requestID string) []byte {
			f := aws.Fault{Receiver: e.status >= http.StatusInternalServerError, Code: e.code, Message: e.message, RequestID: requestID}
			return f.AppendXML(nil, "http://webservices.amazon.com/AWSFault/2005-15-09")
		},
	}
	s3Form = form{
		contentType: "application/xml", status: http.StatusNotImplemented, code: "NotImplemented",
		body: func(e refusal, r *http.Request, requestID string) []byte {
			return mustXML(struct {
				XMLName                            xml.Name `xml:"Error"`
				Code, Message, Resource, RequestId string
			}{Code: e.code, Message: e.message, Resource: r.URL.Path, RequestId: requestID})
		},
	}
	openAPIForm = form{
		contentType: "application/json;charset=utf-8", status: http.StatusNotFound, code: "InvalidAction.NotFound",
		body: func(e refusal, r *http.Request, requestID string) []byte {
			return mustJSON(map[string]string{"RequestId": strings.ToUpper(requestID), "HostId": r.Host, "Code": e.code, "Message": e.message})
		},
	}
	problemForm = form{
		contentType: "application/problem+json", status: http.StatusNotFound, code: "NotFound",
		body: func(e refusal, _ *http.Request, _ string) []byte {
			return mustJSON(map[string]any{"type": "about:blank", "title": http.StatusText(e.status), "status": e.status, "code": e.code, "detail": e.message})
		},
	}
)

// aliyunXML is the form of errors in MNS and in RocketMQ's HTTP protocol. SDKs need the namespace
// without a slash at its end. requestID makes of a UUID what the service has for an id.
func aliyunXML(service string, requestID func(uuid string) string) form {
	return form{
		contentType: "text/xml;charset=utf-8", status: http.StatusBadRequest, code: "NotImplemented",
		body: func(e refusal, r *http.Request, uuid string) []byte {
			return mustXML(struct {
				XMLName                          xml.Name `xml:"Error"`
				Namespace                        string   `xml:"xmlns,attr"`
				Code, Message, RequestId, HostId string
			}{Namespace: "http://" + service + ".aliyuncs.com/doc/v1", Code: e.code, Message: e.message, RequestId: requestID(uuid), HostId: "http://" + r.Host})
		},
		header: func(header http.Header, _ refusal) { // in the spelling that SDKs look for (specs/mns.md 1.7)
			header["x-"+service+"-request-id"] = []string{requestID(header[aws.RequestIDHeader][0])}
			header["x-"+service+"-version"] = []string{"2015-06-06"}
		},
	}
}

func mustJSON(v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts and numbers always have a JSON form
	}
	return body
}

func mustXML(v any) []byte {
	body, err := xml.Marshal(v)
	if err != nil {
		panic(err) // texts always have an XML form
	}
	return append([]byte(xml.Header), body...)
}

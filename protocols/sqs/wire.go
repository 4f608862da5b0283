package sqs

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
)

// maxRequest bounds a request's body: a batch of 1 MiB in which every byte takes six, as \u0022 in JSON
// (in a form it is four at the most: base64 of slashes), and what stands around it.
const maxRequest = 6<<20 + 256<<10

const (
	namespace    = "http://queue.amazonaws.com/doc/2012-11-05/"
	targetPrefix = "AmazonSQS."
)

// wire is one of the forms in which SQS speaks.
type wire interface {
	decode(shape *aws.Shape, into any) error
	appendResult(buf []byte, c *call, shape *aws.Shape, result any) []byte
	appendFault(buf []byte, c *call, f *fault) []byte
	setHeader(header http.Header, f *fault) // f is nil for a result
	unknown(c *call) error                  // what to say to an action that SQS does not have
	oneList() bool                          // AttributeNames of a receive make it pass over MessageSystemAttributeNames
}

// open finds out which wire and which action a request means, and reads it (specs/sqs.md 1.1).
func (c *call) open(r *http.Request) error {
	target := r.Header.Get("X-Amz-Target")
	switch {
	case r.Header.Get("Smithy-Protocol") != "":
		c.wire = cborWire{}
		c.action = r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
		return unsupportedOperation.errorf("polymq speaks SQS in JSON and in the query protocol, not in CBOR.")
	case strings.HasPrefix(target, targetPrefix):
		c.action = target[len(targetPrefix):]
		var err error
		c.body, err = caller.ReadBody(r, maxRequest)
		c.wire = jsonWire(c.body)
		if err != nil || !c.peeks() {
			return err
		}
		given, err := aws.ParseParameters(r.URL.RawQuery)
		return cmp.Or(err, c.openPeek(given))
	default:
		return c.openQuery(r)
	}
}

func (c *call) openQuery(r *http.Request) error {
	acceptsJSON := strings.Contains(r.Header.Get("Accept"), "application/json")
	in := &queryWire{json: acceptsJSON && r.Method == http.MethodGet}
	c.wire = in
	if c.peeks() && acceptsJSON {
		c.wire = peekWire{in}
	}
	var err error
	if contentType := r.Header.Get("Content-Type"); contentType == "" || hasPrefixFold(contentType, "application/x-www-form-urlencoded") {
		if c.body, err = caller.ReadBody(r, maxRequest); err != nil {
			return err
		}
	}
	if in.parameters, err = aws.ParseParameters(r.URL.RawQuery, string(c.body)); err != nil {
		return err
	}
	if keyID, ok := in.parameters.Get("AWSAccessKeyId"); ok && c.AccessKeyID == "" { // signature 2, in a form
		c.AccessKeyID = keyID
		if c.Account != "" && caller.AccountOf(keyID) == keyID { // else nobody has an account who has not proved it
			c.Account = keyID
		}
	}
	c.action, _ = in.parameters.Get("Action")
	if c.peeks() {
		return c.openPeek(in.parameters)
	}
	if c.action == "" {
		c.wire = noWire{in}
		return noOperation.errorf("The request names no action.")
	}
	if _, onQueue := parseQueueURL(c.path); onQueue && (c.action == "CreateQueue" || c.action == "ListQueues") {
		return in.unknown(c)
	}
	return nil
}

// peeks says that the request came to PeekPath.
func (c *call) peeks() bool { return strings.HasPrefix(c.path, PeekPath) }

// openPeek reads a request to PeekPath as a look at messages, which may come as a receive, and as nothing else. Which messages are
// shown is in the parameters, those of the URL where the request is in JSON.
func (c *call) openPeek(given aws.Parameters) error {
	c.shown = shownMessages{isOn(given, "ShowInvisible"), isOn(given, "ShowDelayed")}
	if c.action != "" && c.action != "ReceiveMessage" {
		return invalidRequest.errorf("This endpoint only accepts ReceiveMessage calls")
	}
	c.action = "ReceiveMessage" // as which it is answered
	return nil
}

func isOn(given aws.Parameters, name string) bool {
	value, _ := given.Get(name)
	return value == "1" || strings.EqualFold(value, "true")
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// Values of headers that never change; net/http does not change them either.
var (
	jsonContentType = []string{"application/x-amz-json-1.0"}
	xmlContentType  = []string{"text/xml"}
	plainJSON       = []string{"application/json"}
	cborContentType = []string{"application/cbor"}
)

// jsonWire is a request in AWS JSON 1.0.
type jsonWire []byte

func (body jsonWire) decode(shape *aws.Shape, into any) error { return shape.DecodeJSON(body, into) }

func (jsonWire) appendResult(buf []byte, _ *call, shape *aws.Shape, result any) []byte {
	return shape.AppendJSON(buf, result)
}

func (jsonWire) appendFault(buf []byte, _ *call, f *fault) []byte {
	buf = aws.AppendJSONString(append(buf, `{"__type":`...), f.name)
	return append(aws.AppendJSONString(append(buf, `,"message":`...), f.message), '}')
}

func (jsonWire) setHeader(header http.Header, f *fault) {
	header["Content-Type"] = jsonContentType
	setQueryError(header, f)
}

// setQueryError tells SDKs the error's code of the query protocol, which older code knows it by.
func setQueryError(header http.Header, f *fault) {
	switch {
	case f == nil:
	case f.receiver():
		header[aws.QueryErrorHeader] = []string{f.code + ";Receiver"}
	default:
		header[aws.QueryErrorHeader] = []string{f.code + ";Sender"}
	}
}

func (jsonWire) unknown(c *call) error {
	return unknownOperation.errorf("SQS has no action %q.", c.action)
}

func (jsonWire) oneList() bool { return false }

// queryWire is a request of the query protocol.
type queryWire struct {
	parameters aws.Parameters
	json       bool // the answer is to be in JSON
}

func (w *queryWire) decode(shape *aws.Shape, into any) error {
	return shape.DecodeParameters(w.parameters, into)
}

func (w *queryWire) appendResult(buf []byte, c *call, shape *aws.Shape, result any) []byte {
	if w.json {
		return shape.AppendJSONResponse(buf, c.action, result, c.RequestID)
	}
	return shape.AppendResponse(buf, namespace, c.action, result, c.RequestID)
}

func (w *queryWire) appendFault(buf []byte, c *call, f *fault) []byte {
	if w.json {
		return f.ofQuery(c).AppendJSON(buf)
	}
	return f.ofQuery(c).AppendXML(buf, namespace)
}

// ofQuery gives the error as the query protocol says it.
func (f *fault) ofQuery(c *call) *aws.Fault {
	return &aws.Fault{Receiver: f.receiver(), Code: f.code, Message: cmp.Or(f.queryMessage, f.message), RequestID: c.RequestID}
}

func (w *queryWire) setHeader(header http.Header, _ *fault) {
	header["Content-Type"] = xmlContentType
	if w.json {
		header["Content-Type"] = plainJSON
	}
}

func (*queryWire) unknown(c *call) error {
	return invalidAction.errorf("The action %s is not valid for this endpoint.", c.action)
}

func (*queryWire) oneList() bool { return true }

// peekWire is a look at messages by who wants JSON: LocalStack's, which is made of the XML.
type peekWire struct{ *queryWire }

func (peekWire) appendResult(buf []byte, c *call, shape *aws.Shape, result any) []byte {
	return shape.AppendElementsResponse(buf, c.action, result, c.RequestID)
}

func (peekWire) appendFault(buf []byte, c *call, f *fault) []byte {
	return append(f.ofQuery(c).AppendJSON(append(buf, `{"ErrorResponse":`...)), '}')
}

func (peekWire) setHeader(header http.Header, _ *fault) { header["Content-Type"] = plainJSON }

// noWire is what a request gets that names no action: XML, whatever it accepts.
type noWire struct{ *queryWire }

func (noWire) setHeader(header http.Header, _ *fault) { header["Content-Type"] = xmlContentType }

func (noWire) appendFault(buf []byte, _ *call, _ *fault) []byte {
	return append(buf, "<UnknownOperationException/>\n"...)
}

// cborWire is a request in Smithy's CBOR, which is only ever refused.
type cborWire struct{ wire }

func (cborWire) setHeader(header http.Header, f *fault) {
	header["Content-Type"] = cborContentType
	header["Smithy-Protocol"] = []string{"rpc-v2-cbor"}
	setQueryError(header, f)
}

func (cborWire) appendFault(buf []byte, _ *call, f *fault) []byte {
	return aws.AppendCBORFault(buf, f.name, f.message)
}

package sns

import (
	"net/http"
	"strings"

	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
)

const namespace = "http://sns.amazonaws.com/doc/2010-03-31/"

// Version is SNS's version in the query protocol, which every request of an SDK names.
const Version = "2010-03-31"

// maxRequest bounds a request's body: a message of 1 MiB in which every byte takes four, as base64 of slashes does in a
// form, and what stands around it.
const maxRequest = 4<<20 + 256<<10

// open reads a request's parameters and action. The body is given back for the signature.
func (c *call) open(r *http.Request) ([]byte, error) {
	var form []byte
	contentType := r.Header.Get("Content-Type")
	if contentType == "" || strings.HasPrefix(strings.ToLower(contentType), "application/x-www-form-urlencoded") {
		var err error
		if form, err = caller.ReadBody(r, maxRequest); err != nil {
			return nil, err
		}
	}
	var err error
	if c.parameters, err = aws.ParseParameters(string(form), r.URL.RawQuery); err != nil {
		return nil, err
	}
	c.action, _ = c.parameters.Get("Action")
	if wanted, _ := c.parameters.Get("ContentType"); wanted == "JSON" {
		c.json = true
	}
	return form, nil
}

// appendFault writes the document of an error.
func (c *call) appendFault(buf []byte, f *fault) []byte {
	buf = append(append(append(buf, `<ErrorResponse xmlns="`+namespace+`"><Error><Type>`...), f.side()...), `</Type><Code>`...)
	buf = aws.AppendXMLText(append(append(buf, f.code...), `</Code><Message>`...), f.message)
	return append(append(append(buf, `</Message></Error><RequestId>`...), c.RequestID...), `</RequestId></ErrorResponse>`...)
}

// appendJSON writes a result or a fault in the JSON that who accepts it is answered.
func (c *call) appendJSON(buf []byte, shape *aws.Shape, result any, f *fault) []byte {
	if f != nil {
		out := aws.Fault{Receiver: f.receiver(), Code: f.code, Message: f.message, RequestID: c.RequestID}
		return out.AppendJSON(buf)
	}
	buf = append(append(append(buf, `{"`...), c.action...), `Response":{`...)
	if !shape.Empty() {
		buf = append(append(append(buf, '"'), c.action...), `Result":`...)
		buf = append(shape.AppendJSON(buf, result), ',')
	}
	return append(append(append(buf, `"ResponseMetadata":{"RequestId":"`...), c.RequestID...), `"}}}`...)
}

package aws

import "strings"

// Headers of answers in the services' own spelling (specs/sqs.md 1.3), which keys of an http.Header keep and its Set does not.
const (
	RequestIDHeader  = "x-amzn-RequestId"
	QueryErrorHeader = "x-amzn-query-error" // CODE;Sender or CODE;Receiver
	ErrorTypeHeader  = "x-amzn-ErrorType"
)

// AppendResponse writes the document that answers an action of the query protocol. A structure
// without members stands for an action without a result.
func (s *Shape) AppendResponse(buf []byte, namespace, action string, from any, requestID string) []byte {
	buf = append(append(buf, '<'), action...)
	buf = append(append(append(buf, `Response xmlns="`...), namespace...), `">`...)
	if !s.Empty() {
		buf = append(append(append(buf, '<'), action...), `Result>`...)
		empty := len(buf)
		if buf = s.AppendXML(buf, from); len(buf) == empty {
			buf = append(buf[:empty-1], `/>`...)
		} else {
			buf = append(append(append(buf, `</`...), action...), `Result>`...)
		}
	}
	buf = append(append(append(buf, `<ResponseMetadata><RequestId>`...), requestID...), `</RequestId></ResponseMetadata></`...)
	return append(append(buf, action...), `Response>`...)
}

// AppendJSONResponse writes the same in the JSON that the query protocol answers to who accepts
// nothing else. Names of lists begin in lower case there.
func (s *Shape) AppendJSONResponse(buf []byte, action string, from any, requestID string) []byte {
	buf = append(append(append(buf, `{"`...), action...), `Response":{`...)
	if !s.Empty() {
		lower := &Shape{kind: s.kind, fields: make([]field, len(s.fields))}
		for i, f := range s.fields {
			if f.shape.kind == kindList {
				f.json = strings.ToLower(f.json[:1]) + f.json[1:]
			}
			lower.fields[i] = f
		}
		buf = append(append(append(buf, '"'), action...), `Result":`...)
		buf = append(lower.AppendJSON(buf, from), ',')
	}
	return append(append(append(buf, `"ResponseMetadata":{"RequestId":"`...), requestID...), `"}}}`...)
}

// Fault is an error of the query protocol.
type Fault struct {
	Receiver  bool // the server's fault, not the sender's
	Code      string
	Message   string
	RequestID string
}

// AppendXML writes the document of an error.
func (f *Fault) AppendXML(buf []byte, namespace string) []byte {
	buf = append(append(append(buf, `<ErrorResponse xmlns="`...), namespace...), `"><Error><Type>`...)
	buf = append(append(append(buf, f.side()...), `</Type><Code>`...), f.Code...)
	buf = AppendXMLText(append(buf, `</Code><Message>`...), f.Message)
	buf = append(append(buf, `</Message><Detail/></Error><RequestId>`...), f.RequestID...)
	return append(buf, `</RequestId></ErrorResponse>`...)
}

// AppendJSON writes it in the JSON of AppendJSONResponse.
func (f *Fault) AppendJSON(buf []byte) []byte {
	buf = append(append(append(buf, `{"Error":{"Type":"`...), f.side()...), `","Code":"`...)
	buf = AppendJSONString(append(append(buf, f.Code...), `","Message":`...), f.Message)
	return append(append(append(buf, `},"RequestId":"`...), f.RequestID...), `"}`...)
}

func (f *Fault) side() string {
	if f.Receiver {
		return "Receiver"
	}
	return "Sender"
}

// AppendCBORFault writes an error of Smithy's RPC v2 in CBOR: a map of two texts.
func AppendCBORFault(buf []byte, name, message string) []byte {
	buf = append(buf, 0xa2)
	for _, text := range []string{"__type", name, "message", message} {
		text = text[:min(len(text), 0xffff)]
		if n := len(text); n < 24 {
			buf = append(buf, 0x60|byte(n))
		} else {
			buf = append(buf, 0x79, byte(n>>8), byte(n))
		}
		buf = append(buf, text...)
	}
	return buf
}

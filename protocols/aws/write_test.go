package aws

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
)

func TestAppendJSON(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		from order
		want string
	}{
		"absent":    {order{}, `{"Count":0,"Urgent":false}`},
		"empty":     {order{Labels: []string{}, Tags: Map[string]{}, Items: []item{}}, `{"Count":0,"Urgent":false}`},
		"not empty": {order{Note: ref(""), Body: Text{}, Limit: ref(0)}, `{"Note":"","Body":"","Count":0,"Limit":0,"Urgent":false}`},
		"all": {full(), `{"Name":"größer 😀","Note":"","Body":"line\r\n<\"&'>\t\\/","Seal":"AAH/","Count":-7,"Limit":0,"Urgent":true,` +
			`"Labels":["b","","a"],"tags":{"k":"v","empty":""},` +
			`"Extra":{"x":{"DataType":"String","Value":"1"},"y":{"DataType":"Binary","Binary":"Yg=="}},` +
			`"Items":[{"Id":"1","Parts":{"p":"q"}},{"Id":"2"}]}`},
	}
	shape := ShapeOf[order]()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := string(shape.AppendJSON(nil, &tt.from)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestAppendXML(t *testing.T) {
	t.Parallel()
	from := full()
	want := `<Name>größer 😀</Name><Note></Note><Body>line&#xD;
&lt;&quot;&amp;'&gt;	\/</Body><Seal>AAH/</Seal><Count>-7</Count><Limit>0</Limit><Urgent>true</Urgent>` +
		`<Label>b</Label><Label></Label><Label>a</Label>` +
		`<Tag><Key>k</Key><Value>v</Value></Tag><Tag><Key>empty</Key><Value></Value></Tag>` +
		`<Extra><entry><Name>x</Name><Value><DataType>String</DataType><StringValue>1</StringValue></Value></entry>` +
		`<entry><Name>y</Name><Value><DataType>Binary</DataType><Binary>Yg==</Binary></Value></entry></Extra>` +
		`<Item><Id>1</Id><Part><Name>p</Name><Value>q</Value></Part></Item><Item><Id>2</Id></Item>`
	if got := string(ShapeOf[order]().AppendXML(nil, &from)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// What a reader must find is there in JSON though it is empty.
func TestAppendJSONShown(t *testing.T) {
	t.Parallel()
	type page struct {
		URLs  []string `json:"urls" query:"URL" shown:"always"`
		Token string
	}
	shape := ShapeOf[page]()
	if got := string(shape.AppendJSON(nil, &page{})); got != `{"urls":[]}` {
		t.Errorf("got %s", got)
	}
	if got := string(shape.AppendXML(nil, &page{})); got != "" {
		t.Errorf("got %s", got)
	}
}

func TestAppendResponse(t *testing.T) {
	t.Parallel()
	type none struct{}
	type some struct{ QueueUrl string }
	const open, end = `<PeekResponse xmlns="urn:x">`, `<ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></PeekResponse>`
	tests := map[string]struct{ got, want string }{
		"without a result": {string(ShapeOf[none]().AppendResponse(nil, "urn:x", "Peek", &none{}, "id")), open + end},
		"an empty result":  {string(ShapeOf[some]().AppendResponse(nil, "urn:x", "Peek", &some{}, "id")), open + `<PeekResult/>` + end},
		"a result": {string(ShapeOf[some]().AppendResponse(nil, "urn:x", "Peek", &some{"u"}, "id")),
			open + `<PeekResult><QueueUrl>u</QueueUrl></PeekResult>` + end},
	}
	for name, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: got  %s\nwant %s", name, tt.got, tt.want)
		}
	}
}

func TestFault(t *testing.T) {
	t.Parallel()
	const form = `<ErrorResponse xmlns="urn:x"><Error><Type>%s</Type><Code>Bad</Code><Message>a &lt; b</Message><Detail/></Error><RequestId>id</RequestId></ErrorResponse>`
	for kind, receiver := range map[string]bool{"Sender": false, "Receiver": true} {
		fault := Fault{Receiver: receiver, Code: "Bad", Message: "a < b", RequestID: "id"}
		if got, want := string(fault.AppendXML(nil, "urn:x")), fmt.Sprintf(form, kind); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// FuzzText checks that every text comes back from JSON and XML, but for what these cannot carry.
func FuzzText(f *testing.F) {
	f.Add("plain")
	f.Add("line\r\n\t<\"&'> \u2028 ß \U0001f600 \uFFFD")
	f.Add("\x00\x1f\x7f\xff\xed\xa0\xbd\uFFFE\uFFFF")
	f.Fuzz(func(t *testing.T, text string) {
		var fromJSON string
		if err := json.Unmarshal(AppendJSONString(nil, text), &fromJSON); err != nil {
			t.Fatalf("%q as JSON: %v", text, err)
		}
		if want := string([]rune(text)); fromJSON != want {
			t.Errorf("got %q from JSON, want %q", fromJSON, want)
		}
		var fromXML struct {
			Text string `xml:",chardata"`
		}
		document := append(AppendXMLText([]byte("<a>"), []byte(text)), "</a>"...)
		if err := xml.Unmarshal(document, &fromXML); err != nil {
			t.Fatalf("%q as XML: %v", text, err)
		}
		want := strings.Map(func(r rune) rune {
			if xmlReplacement(r, 0) == "\uFFFD" {
				return '\uFFFD'
			}
			return r
		}, string([]rune(text)))
		if fromXML.Text != want {
			t.Errorf("got %q from XML, want %q", fromXML.Text, want)
		}
	})
}

func BenchmarkAppendJSON(b *testing.B) {
	type message struct {
		MessageId, ReceiptHandle, MD5OfBody string
		Body                                Text
		Attributes                          Map[string] `query:"Attribute,Name,Value"`
	}
	type response struct{ Messages []message }
	type plainMessage struct {
		MessageId, ReceiptHandle, MD5OfBody, Body string
		Attributes                                map[string]string `json:",omitempty"`
	}
	type plainResponse struct{ Messages []plainMessage }
	body, id := strings.Repeat("x", 200), "11111111-2222-4333-8444-555555555555"
	handle, digest := strings.Repeat("h", 60), strings.Repeat("0", 32)
	from := response{[]message{{id, handle, digest, Text(body), nil}}}
	plain := plainResponse{[]plainMessage{{id, handle, digest, body, nil}}}
	b.Run("by=shape", func(b *testing.B) {
		b.ReportAllocs()
		shape, buf := ShapeOf[response](), []byte(nil)
		for b.Loop() {
			buf = shape.AppendJSON(buf[:0], &from)
		}
	})
	b.Run("by=encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(&plain); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// A list or map in an element of its own is there though it is empty, as SNS writes them.
func TestAppendXMLNested(t *testing.T) {
	t.Parallel()
	type page struct {
		Topics     []string    `query:"Topics.member"`
		Attributes Map[string] `query:"Attributes.entry|Attribute,key|Name,value|Value"`
		Token      string
	}
	shape := ShapeOf[page]()
	tests := map[string]struct {
		from page
		want string
	}{
		"empty": {page{}, `<Topics></Topics><Attributes></Attributes>`},
		"not": {page{Topics: []string{"a", "b"}, Attributes: Map[string]{{"k", "v"}}},
			`<Topics><member>a</member><member>b</member></Topics><Attributes><entry><key>k</key><value>v</value></entry></Attributes>`},
	}
	for name, tt := range tests {
		if got := string(shape.AppendXML(nil, &tt.from)); got != tt.want {
			t.Errorf("%s: got  %s\nwant %s", name, got, tt.want)
		}
	}
	for _, form := range []string{"Attributes.entry.1.key=k&Attributes.entry.1.value=v", "Attributes.entry.1.Name=k&Attributes.entry.1.Value=v", "Attribute.1.Name=k&Attribute.1.Value=v"} {
		parameters, err := ParseParameters(form)
		if err != nil {
			t.Fatal(err)
		}
		var got page
		if err := shape.DecodeParameters(parameters, &got); err != nil || len(got.Attributes) != 1 || got.Attributes[0] != (Pair[string]{"k", "v"}) {
			t.Errorf("%s: got %+v and %v", form, got, err)
		}
	}
}

package aws

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestDecodeJSON(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		json string
		want order
	}{
		"nothing":              {"", order{}},
		"white space":          {" \n", order{}},
		"empty":                {"{}", order{}},
		"white space anywhere": {" { \"Name\" :\t\"a\" ,\r\n\"Count\": 1 } ", order{Name: "a", Count: 1}},
		"null is absent":       {`{"Name":null,"Limit":null,"Labels":null,"Tags":null,"Body":null}`, order{}},
		"empty is not absent":  {`{"Note":"","Body":"","Seal":"","Limit":0}`, order{Note: ref(""), Body: Text{}, Seal: []byte{}, Limit: ref(0)}},
		"names have a case":    {`{"Tags":{"k":"v"},"name":"x","tags":{"k":"w"}}`, order{Tags: Map[string]{{"k", "w"}}}},
		"escapes":              {`{"Name":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\u0041"}`, order{Name: "\"\\/\b\f\n\r\té\U0001f600A"}},
		"escaped name":         {`{"N\u0061me":"a"}`, order{Name: "a"}},
		"half a pair":          {`{"Body":"a\ud83dz\ude00"}`, order{Body: Text("a\xed\xa0\xbdz\xed\xb8\x80")}},
		"half a pair twice":    {`{"Body":"\ud83d\ud83d\ude00"}`, order{Body: Text("\xed\xa0\xbd\U0001f600")}},
		"a body of any bytes":  {"{\"Body\":\"\xff\"}", order{Body: Text("\xff")}},
		"integers":             {`{"Count":1e1,"Limit":-2147483648}`, order{Count: 10, Limit: ref(-2147483648)}},
		"integers of a kind":   {`{"Count":"5","Limit":30.0}`, order{Count: 5, Limit: ref(30)}},
		"unknown members": {`{"x":{"a":[1,-2.5e+3,true,false,null,"\u0000",{}],"b":{}},"Name":"a","y":[],"z":0}`,
			order{Name: "a"}},
		"the last one counts": {`{"Labels":["a","b"],"Labels":["c"],"Limit":1,"Limit":2}`, order{Labels: []string{"c"}, Limit: ref(2)}},
		"a map's order":       {`{"tags":{"z":"1","a":"2","z":"3"}}`, order{Tags: Map[string]{{"z", "1"}, {"a", "2"}, {"z", "3"}}}},
	}
	shape := ShapeOf[order]()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got order
			if err := shape.DecodeJSON([]byte(tt.json), &got); err != nil || !equalOrders(got, tt.want) {
				t.Errorf("got %+v and %v, want %+v", got, err, tt.want)
			}
		})
	}
}

// equalOrders takes no slice and an empty one for the same where both are absent on the wire.
func equalOrders(a, b order) bool {
	for _, o := range []*order{&a, &b} {
		if len(o.Labels) == 0 {
			o.Labels = nil
		}
		if len(o.Tags) == 0 {
			o.Tags = nil
		}
	}
	return equal(a, b)
}

func TestDecodeJSONFaults(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		json      string
		member    string
		malformed bool
	}{
		"no object":                 {`[]`, "", true},
		"cut off":                   {`{"Name":"a"`, "", true},
		"cut off in a string":       {`{"Name":"a`, "Name", true},
		"cut off in an escape":      {`{"Name":"a\`, "Name", true},
		"cut off in a \\u":          {`{"Name":"a\u00`, "Name", true},
		"more behind":               {`{}{}`, "", true},
		"no name":                   {`{1:2}`, "", true},
		"no colon":                  {`{"Name" "a"}`, "", true},
		"no comma":                  {`{"Name":"a" "Count":1}`, "", true},
		"a comma too much":          {`{"Name":"a",}`, "", true},
		"a comma too much, list":    {`{"Labels":["a",]}`, "Labels", true},
		"unknown escape":            {`{"Name":"\x"}`, "Name", true},
		"control character":         {"{\"Name\":\"a\nb\"}", "Name", true},
		"control behind an escape":  {"{\"Name\":\"\\n\n\"}", "Name", true},
		"invalid UTF-8":             {"{\"Name\":\"\xff\"}", "Name", true},
		"invalid UTF-8 in a key":    {"{\"tags\":{\"\xff\":\"\"}}", "tags", true},
		"half a pair in a name":     {`{"Name":"\ud83d"}`, "Name", true},
		"wrong type, string":        {`{"Name":1}`, "Name", true},
		"wrong type, number":        {`{"Count":{}}`, "Count", true},
		"wrong type, bool":          {`{"Urgent":1}`, "Urgent", true},
		"wrong type, list":          {`{"Labels":{}}`, "Labels", true},
		"wrong type, map":           {`{"tags":[]}`, "tags", true},
		"a number with a zero":      {`{"Count":01}`, "Count", true},
		"a number with a plus":      {`{"Count":+1}`, "Count", true},
		"a number that ends early":  {`{"Count":1.}`, "Count", true},
		"a number too large":        {`{"Count":2147483648}`, "Count", false},
		"a number far too large":    {`{"Count":1e999}`, "Count", false},
		"a number that is no whole": {`{"Limit":1.5}`, "Limit", false},
		"text that is no number":    {`{"Limit":"soon"}`, "Limit", false},
		"not base64":                {`{"Seal":"*"}`, "Seal", false},
		"null in a map":             {`{"tags":{"k":null}}`, "tags", false},
		"null in a list":            {`{"Labels":[null]}`, "Labels", false},
		"a member inside":           {`{"Items":[{"Id":1}]}`, "Id", true},
		"behind a member inside":    {`{"Items":[{"Id":"1"}}`, "Items", true},
		"unknown and wrong":         {`{"x":nul}`, "", true},
		"too many levels":           {`{"x":` + strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000) + `}`, "", true},
		"too many elements": {`{"Items":[` + strings.Repeat(`{"Parts":{"a":"b"}},`, maxElements/2) + `{}]}`,
			"Items", true},
	}
	shape := ShapeOf[order]()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := shape.DecodeJSON([]byte(tt.json), new(order))
			var fault *DecodeError
			if !errors.As(err, &fault) || fault.Malformed != tt.malformed || fault.Member != tt.member {
				t.Errorf("got %+v, want a fault in %q, malformed %v", err, tt.member, tt.malformed)
			}
		})
	}
}

func TestDecodeJSONElementsAtTheBound(t *testing.T) {
	t.Parallel()
	request := `{"Items":[` + strings.Repeat(`{"Parts":{"a":"b"}},`, maxElements/2-1) + `{},{}]}`
	if err := ShapeOf[order]().DecodeJSON([]byte(request), new(order)); err != nil {
		t.Errorf("got %v for %d elements", err, maxElements)
	}
}

func TestJSONThereAndBack(t *testing.T) {
	t.Parallel()
	shape, want := ShapeOf[order](), full()
	text := shape.AppendJSON(nil, &want)
	var got order
	if err := shape.DecodeJSON(text, &got); err != nil || !equal(got, want) {
		t.Errorf("got %+v and %v from %s, want %+v", got, err, text, want)
	}
}

// FuzzDecodeJSON compares what is JSON at all with what encoding/json says, which is the
// stricter about nothing but the number of levels.
func FuzzDecodeJSON(f *testing.F) {
	shape, seed := ShapeOf[order](), full()
	f.Add(shape.AppendJSON(nil, &seed))
	f.Add([]byte(`{"Name":"\ud83d\ude00","Limit":1e2,"x":[{"y":-0.5E-7}, null, true],"Items":[{"Id":"a","Parts":{"p":"q"}}]}`))
	f.Add([]byte(`{"Seal":"AAH/","Urgent":false,"Extra":{"a":{"DataType":"String","Value":"v"}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got order
		err := shape.DecodeJSON(data, &got)
		if len(bytes.TrimSpace(data)) == 0 {
			return // taken for an empty object
		}
		if err == nil && !json.Valid(data) {
			t.Fatalf("%q is no JSON, but was read as %+v", data, got)
		}
		var fault *DecodeError
		if err != nil && !errors.As(err, &fault) {
			t.Fatalf("%q gives %v, which is no DecodeError", data, err)
		}
		if err != nil {
			return
		}
		again := shape.AppendJSON(nil, &got)
		if !json.Valid(again) {
			t.Fatalf("%q was written as %q, which is no JSON", data, again)
		}
	})
}

func BenchmarkDecodeJSON(b *testing.B) {
	const url = `"QueueUrl":"http://localhost:4566/000000000000/orders"`
	requests := map[string]string{
		"SendMessage":    `{` + url + `,"MessageBody":"` + strings.Repeat("x", 200) + `"}`,
		"ReceiveMessage": `{` + url + `,"MaxNumberOfMessages":10,"WaitTimeSeconds":20,"AttributeNames":["All"]}`,
		"DeleteMessage":  `{` + url + `,"ReceiptHandle":"` + strings.Repeat("h", 60) + `"}`,
	}
	type request struct {
		QueueUrl            string
		MessageBody         Text
		DelaySeconds        *int
		MaxNumberOfMessages *int
		WaitTimeSeconds     *int
		AttributeNames      []string
		ReceiptHandle       string
	}
	type plainRequest struct {
		QueueUrl            string
		MessageBody         string
		DelaySeconds        *int
		MaxNumberOfMessages *int
		WaitTimeSeconds     *int
		AttributeNames      []string
		ReceiptHandle       string
	}
	shape := ShapeOf[request]()
	for name, text := range requests {
		b.Run(fmt.Sprintf("action=%s/by=shape", name), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := shape.DecodeJSON([]byte(text), new(request)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("action=%s/by=encoding-json", name), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := json.Unmarshal([]byte(text), new(plainRequest)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

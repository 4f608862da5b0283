package mns

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// hostile gives documents of a megabyte that a careless reader pays for more than once. %s is what is repeated.
var hostile = map[string]struct{ document, repeated string }{
	"elements that nobody knows":      {"<Message>%s<MessageBody>a</MessageBody></Message>", "<x/>"},
	"elements in elements":            {"<Message>%s", "<x>"},
	"attributes":                      {"<Message %s><MessageBody>a</MessageBody></Message>", `a="" `},
	"one attribute":                   {`<Message a="%s"><MessageBody>a</MessageBody></Message>`, "&amp;"},
	"one name":                        {"<%s/>", "aaaa"},
	"references":                      {"<Message><MessageBody>%s</MessageBody></Message>", "&#120;"},
	"a reference without end":         {"<Message><MessageBody>&%s;</MessageBody></Message>", "aaaa"},
	"references without end":          {"<Message><MessageBody>%s</MessageBody></Message>", "&"},
	"comments in a text":              {"<Message><MessageBody>%s</MessageBody></Message>", "x<!---->"},
	"sections":                        {"<Message><MessageBody>%s</MessageBody></Message>", "<![CDATA[x]]>"},
	"openings of sections":            {"<Message><MessageBody>%s</MessageBody></Message>", "<![CDATA["},
	"instructions":                    {"%s<Message><MessageBody>a</MessageBody></Message>", "<?p ?>"},
	"one body after the other":        {"<Message>%s</Message>", "<MessageBody>a</MessageBody>"},
	"blanks":                          {"<Message>%s<MessageBody>a</MessageBody></Message>", " \r\n\t"},
	"a text where elements are":       {"<Message>%s</Message>", "aaaa"},
	"tags that do not end":            {"<Message>%s", "<x "},
	"properties":                      {"<Message><MessageBody>a</MessageBody><UserProperties>%s</UserProperties></Message>", "<PropertyValue><Name>n</Name><Value>1</Value><Type>STRING</Type></PropertyValue>"},
	"messages":                        {"<Messages>%s</Messages>", "<Message><MessageBody>a</MessageBody></Message>"},
	"entities that mean each other":   {`<!DOCTYPE a [<!ENTITY b "%s">]><Message><MessageBody>&b;</MessageBody></Message>`, "&c;"},
	"JSON: members that nobody wants": {`{"x":[%s0],"MessageBody":"a"}`, "0,"},
	"JSON: lists in lists":            {`{"x":%s`, "["},
	"JSON: messages":                  {`{"Messages":[%s{"MessageBody":"a"}]}`, `{"MessageBody":"a"},`},
	"JSON: properties":                {`{"MessageBody":"a","UserProperties":{%s"z":{}}}`, `"n":{"DataType":"STRING","StringValue":"1"},`},
	"JSON: escapes":                   {`{"MessageBody":"%s"}`, `\u0078`},
}

// What a document of a client costs is bounded by its size, whatever it looks like: so many bytes for each of its own,
// and a time that a second look at all that came before, for each piece, would exceed a hundred times.
func TestHostileDocuments(t *testing.T) { // not parallel: it counts what is allocated
	const size, perByte, fixed, patience = 1 << 20, 20, 1 << 20, 20 * time.Second
	server := New(core.NewBroker(oneQueueStore{}), new(caller.Options), Options{})
	for name, tt := range hostile {
		t.Run(name, func(t *testing.T) {
			document := strings.Replace(tt.document, "%s", strings.Repeat(tt.repeated, size/len(tt.repeated)), 1)
			r := httptest.NewRequest(http.MethodPost, "/queues/q/messages", strings.NewReader(document))
			r.Header.Set("X-Mns-Version", version)
			if strings.HasPrefix(name, "JSON") {
				r.Header.Set("X-Mns-Version", jsonVersion)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			w := httptest.NewRecorder()
			server.ServeHTTP(w, r)
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			if w.Code != http.StatusCreated && w.Code != http.StatusBadRequest {
				t.Errorf("got %d %.200s", w.Code, w.Body)
			}
			cost := after.TotalAlloc - before.TotalAlloc
			t.Logf("%d: %.1f bytes for each, %v", w.Code, float64(cost)/float64(len(document)), took)
			if cost > uint64(perByte*len(document)+fixed) {
				t.Errorf("%d bytes were allocated for a document of %d", cost, len(document))
			}
			if took > patience {
				t.Errorf("took %v", took)
			}
		})
	}
}

package filter

import (
	"fmt"
	"testing"

	"github.com/polymq/polymq/core"
)

// BenchmarkMatch matches one message against 10,000 subscriptions of a topic.
func BenchmarkMatch(b *testing.B) {
	const subscriptions = 10_000
	shapes := map[string]struct {
		policy  string
		matches int
	}{
		"tenants":  {`{"tenant":["t%[1]d"],"event":["created","updated"]}`, 1},
		"prefixes": {`{"path":[{"prefix":"/t%[1]d/"}],"event":["created"]}`, 1},
		"ranges":   {`{"price":[{"numeric":[">=",%[1]d,"<",%[1]d.5]}]}`, 1},
		"wildcard": {`{"path":[{"wildcard":"/t%[1]d/*/end"}]}`, 1},
		"excluded": {`{"tenant":[{"anything-but":"t%[1]d"}],"event":["created"]}`, subscriptions - 1},
		"everyone": {`{"tenant":[{"exists":true}],"event":["created"],"price":[{"numeric":[">",0]}]}`, subscriptions},
	}
	message := []core.Attribute{
		{Name: "event", Type: "String", Value: []byte("created")}, {Name: "path", Type: "String", Value: []byte("/t77/x/end")},
		{Name: "price", Type: "Number", Value: []byte("77.25")}, {Name: "tenant", Type: "String", Value: []byte("t77")},
	}
	body := []byte(`{"event":"created","path":"/t77/x/end","price":77.25,"tenant":"t77","more":{"of":["this",1]}}`)
	for name, shape := range shapes {
		texts := make([]string, subscriptions)
		for i := range texts {
			if texts[i] = shape.policy; shape.matches != subscriptions {
				texts[i] = fmt.Sprintf(shape.policy, i)
			}
		}
		check := func(b *testing.B, found int) {
			if found != shape.matches {
				b.Fatalf("got %d matches, want %d", found, shape.matches)
			}
		}
		attributes, inBody := compile(b, MessageAttributes, texts...), compile(b, MessageBody, texts...)
		b.Run("scope=attributes/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				check(b, len(attributes.MatchAttributes(message)))
			}
		})
		b.Run("scope=body/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				check(b, len(inBody.MatchBody(body)))
			}
		})
	}
}

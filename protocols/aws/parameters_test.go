package aws

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

func TestDecodeParameters(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		query string
		want  order
	}{
		"none":                  {"", order{}},
		"unknown ones":          {"Action=X&Version=1&Names=a&&=&Name", order{}},
		"a blank":               {"Name=a+b%20c%2Bd", order{Name: "a b c+d"}},
		"empty is not absent":   {"Note=&Body=&Limit=0", order{Note: ref(""), Body: Text{}, Limit: ref(0)}},
		"the first one counts":  {"Name=a&Name=b", order{Name: "a"}},
		"a body of any bytes":   {"Body=%FF", order{Body: Text("\xff")}},
		"base64":                {"Seal=AAH%2F", order{Seal: []byte{0, 1, 0xff}}},
		"gaps and order":        {"Label.10=c&Label.2=b&Label.1=a&Label.x=d&Label=f", order{Labels: []string{"a", "b", "c"}}},
		"a map":                 {"Tag.2.Key=b&Tag.1.Key=a&Tag.1.Value=1", order{Tags: Map[string]{{"a", "1"}, {"b", ""}}}},
		"one without a number":  {"Label=a", order{Labels: []string{"a"}}},
		"an entry without one":  {"Tag.Value=1&Tag.Key=a", order{Tags: Map[string]{{"a", "1"}}}},
		"a value by itself":     {"Tag.Value=1&Extra.entry.Value.DataType=x", order{}},
		"numbers win":           {"Tag.Key=a&Tag.2.Key=b&Label=x&Label.3=y", order{Labels: []string{"y"}, Tags: Map[string]{{"b", ""}}}},
		"a structure by itself": {"Item=a&Item.Id=1", order{}},
		"structure in an entry without a number": {"Extra.entry.Name=x&Extra.entry.Value.DataType=String",
			order{Extra: Map[extra]{{"x", extra{DataType: "String"}}}}},
		"a map's other name": {"Tags.1.Key=a&Tags.1.Value=1", order{Tags: Map[string]{{"a", "1"}}}},
		"structures in a map": {"Extra.entry.1.Name=x&Extra.entry.1.Value.DataType=String&Extra.entry.1.Value.StringValue=1",
			order{Extra: Map[extra]{{"x", extra{DataType: "String", Value: ref("1")}}}}},
		"maps in structures in a list": {"Item.1.Id=1&Item.1.Part.1.Name=p&Item.1.Part.1.Value=q&Item.11.Id=2",
			order{Items: []item{{identified{"1"}, Map[string]{{"p", "q"}}}, {identified: identified{"2"}}}}},
		"true":         {"Urgent=True", order{Urgent: true}},
		"a whole form": {parametersOf(), full()},
	}
	shape := ShapeOf[order]()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parameters, err := ParseParameters(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			var got order
			if err := shape.DecodeParameters(parameters, &got); err != nil || !equal(got, tt.want) {
				t.Errorf("got %+v and %v, want %+v", got, err, tt.want)
			}
		})
	}
}

// parametersOf gives the parameters that make full.
func parametersOf() string {
	from := full()
	return url.Values{
		"Name": {from.Name}, "Note": {""}, "Body": {string(from.Body)}, "Seal": {"AAH/"}, "Count": {"-7"}, "Limit": {"0"}, "Urgent": {"true"},
		"Label.1": {"b"}, "Label.2": {""}, "Label.3": {"a"},
		"Tag.1.Key": {"k"}, "Tag.1.Value": {"v"}, "Tag.2.Key": {"empty"}, "Tag.2.Value": {""},
		"Extra.entry.1.Name": {"x"}, "Extra.entry.1.Value.DataType": {"String"}, "Extra.entry.1.Value.StringValue": {"1"},
		"Extra.entry.2.Name": {"y"}, "Extra.entry.2.Value.DataType": {"Binary"}, "Extra.entry.2.Value.Binary": {"Yg=="},
		"Item.1.Id": {"1"}, "Item.1.Part.1.Name": {"p"}, "Item.1.Part.1.Value": {"q"}, "Item.2.Id": {"2"},
	}.Encode()
}

func TestParametersFaults(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		query     string
		member    string
		malformed bool
	}{
		"bad escape":             {"Name=%zz", "Name", true},
		"bad escape in a name":   {"%zz=a", "", true},
		"invalid UTF-8":          {"Name=%FF", "Name", true},
		"invalid UTF-8 in a key": {"Tag.1.Key=%FF", "Tag.1.Key", true},
		"too many":               {strings.Repeat("a&", maxParameters+1), "", true},
		"no number":              {"Limit=soon", "Limit", false},
		"an empty number":        {"Limit=", "Limit", false},
		"a number too large":     {"Count=99999999999", "Count", false},
		"not base64":             {"Seal=*", "Seal", false},
		"an index too large":     {"Extra.entry.2147483648.Name=x", "Extra.entry.2147483648.Name", true},
		"an index without end":   {"Tag.1.Key=a&Tag." + strings.Repeat("9", 30) + ".Key=b", "Tag." + strings.Repeat("9", 30) + ".Key", true},
		"an index with a 0":      {"Tag.01.Key=a", "Tag.01.Key", true},
		"inside":                 {"Extra.entry.2.Name=x&Extra.entry.2.Value.Binary=*", "Extra.entry.2.Value.Binary", false},
	}
	shape := ShapeOf[order]()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			parameters, err := ParseParameters(tt.query)
			if err == nil {
				err = shape.DecodeParameters(parameters, new(order))
			}
			var fault *DecodeError
			if !errors.As(err, &fault) || fault.Malformed != tt.malformed || fault.Member != tt.member {
				t.Errorf("got %+v, want a fault in %q, malformed %v", err, tt.member, tt.malformed)
			}
		})
	}
}

func TestParametersFirstTextFirst(t *testing.T) {
	t.Parallel()
	parameters, err := ParseParameters("Action=Body", "Action=URL&Version=1")
	if err != nil {
		t.Fatal(err)
	}
	action, _ := parameters.Get("Action")
	version, _ := parameters.Get("Version")
	if _, other := parameters.Get("Actio"); action != "Body" || version != "1" || other {
		t.Errorf("got action %q, version %q, another %v", action, version, other)
	}
}

func FuzzDecodeParameters(f *testing.F) {
	f.Add(parametersOf())
	f.Add("Label.1=a&Label.1.x=b&Item.1=c&Item.1.Part.1=d&Extra.entry=e")
	f.Add("Tag.99999999999999999999.Key=a&Tag.-1.Key=b&Tag..Key=c&Tag.2147483647.Key=d")
	shape := ShapeOf[order]()
	f.Fuzz(func(t *testing.T, query string) {
		parameters, err := ParseParameters(query)
		var got order
		if err == nil {
			err = shape.DecodeParameters(parameters, &got)
		}
		var fault *DecodeError
		if err != nil && !errors.As(err, &fault) {
			t.Fatalf("%q gives %v, which is no DecodeError", query, err)
		}
		if n := len(got.Labels) + len(got.Tags) + len(got.Extra) + len(got.Items); n > strings.Count(query, "&")+1 {
			t.Fatalf("%q gives %d elements", query, n)
		}
	})
}

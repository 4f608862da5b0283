package aws

import "reflect"

// order is a structure with a member of every kind.
type order struct {
	Name     string
	Note     *string
	Body     Text
	Seal     []byte
	Count    int
	Limit    *int
	Urgent   bool
	Labels   []string          `query:"Label"`
	Tags     Map[string]       `json:"tags" query:"Tag|Tags,Key,Value"`
	Extra    Map[extra]        `query:"Extra.entry,Name,Value"`
	Items    []item            `query:"Item"`
	internal map[string]string //nolint:unused // does not travel, whatever its type
}

type extra struct {
	DataType string
	Value    *string `query:"StringValue"`
	Binary   []byte
}

type item struct {
	identified
	Parts Map[string] `query:"Part,Name,Value"`
}

type identified struct {
	ID string `json:"Id" query:"Id"`
}

func ref[T any](v T) *T { return &v }

// full has a value for every member, and none where a value is hard to carry.
func full() order {
	return order{
		Name: "größer \U0001f600", Note: ref(""), Body: Text("line\r\n<\"&'>\t\\/"), Seal: []byte{0, 1, 0xff},
		Count: -7, Limit: ref(0), Urgent: true, Labels: []string{"b", "", "a"},
		Tags:  Map[string]{{"k", "v"}, {"empty", ""}},
		Extra: Map[extra]{{"x", extra{DataType: "String", Value: ref("1")}}, {"y", extra{DataType: "Binary", Binary: []byte("b")}}},
		Items: []item{{identified{"1"}, Map[string]{{"p", "q"}}}, {identified: identified{"2"}}},
	}
}

func equal(a, b any) bool { return reflect.DeepEqual(a, b) }

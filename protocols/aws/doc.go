// Package aws holds what the protocols of Amazon's services share: how a structure of Go travels
// in JSON, as parameters of the query protocol and in XML, and the digests of message attributes.
//
// A Shape is worked out once for each structure, from the types and tags of its fields, and then
// reads and writes values of it in every form:
//
//	type sendRequest struct {
//		QueueUrl          string
//		MessageBody       aws.Text
//		DelaySeconds      *int
//		MessageAttributes aws.Map[attributeValue] `query:"MessageAttribute,Name,Value"`
//	}
//
// The name of a field is its name in JSON, as a parameter and as an element, unless the tags json
// and query say otherwise. The query protocol numbers the elements of a list, MessageAttribute.1,
// MessageAttribute.2 and so on, and writes them in XML as elements that follow each other; those
// of a map have two parts, whose names the tag adds. A dot in the name, "Attributes.entry", is a
// level of its own, also in XML, where its element is written though the list or map be empty.
// Alternative names that are understood follow after a "|".
//
// Absent and empty differ where a field is a pointer. What is absent or empty is not written,
// except a Text that is not nil, a bool, an int, and what is in a list or map. A list or a string
// whose JSON name has the option "shown" is there in JSON also when it is empty.
//
// # Decisions
//
// 2026-11-21: not encoding/json. It matches names in any case (AWS does not: "Tags" is unknown
// where "tags" is meant), replaces lone surrogates and invalid UTF-8 instead of refusing them,
// and takes three to five times as long for the three requests that matter (see the benchmarks).
package aws

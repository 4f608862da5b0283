package aws

import "reflect"

// AppendElementsResponse writes what AppendResponse does in the JSON that LocalStack makes of XML: an element that is there once is
// its text or an object, one that is there more often a list, and one that has nothing in it null.
func (s *Shape) AppendElementsResponse(buf []byte, action string, from any, requestID string) []byte {
	buf = append(append(append(buf, `{"`...), action...), `Response":{"`...)
	buf = s.appendElements(append(append(buf, action...), `Result":`...), reflect.ValueOf(from).Elem())
	return append(append(append(buf, `,"ResponseMetadata":{"RequestId":"`...), requestID...), `"}}}`...)
}

// appendElements writes what stands inside a value's element.
func (s *Shape) appendElements(buf []byte, v reflect.Value) []byte {
	switch s.kind {
	case kindStruct:
		return s.appendMembers(buf, v)
	case kindString, kindText, kindBlob:
		return s.appendJSON(buf, v)
	default:
		return append(s.appendXML(append(buf, '"'), v), '"') // a number or true or false, as text
	}
}

func (s *Shape) appendMembers(buf []byte, v reflect.Value) []byte {
	empty := len(buf)
	open := byte('{')
	for i := range s.fields {
		f := &s.fields[i]
		member := v.FieldByIndex(f.index)
		if f.shape.absent(member) {
			continue
		}
		buf = append(append(append(buf, open, '"'), f.path[0]...), '"', ':')
		buf = f.appendElements(buf, member)
		open = ','
	}
	if len(buf) == empty {
		return append(buf, "null"...)
	}
	return append(buf, '}')
}

// appendElements writes a member: an element, or those of a list's or map's entries.
func (f *field) appendElements(buf []byte, v reflect.Value) []byte {
	if len(f.path) > 1 {
		panic("aws: a member in an element of its own has no such JSON")
	}
	if f.shape.kind != kindList && f.shape.kind != kindMap {
		return f.shape.appendElements(buf, v)
	}
	n := v.Len()
	if n > 1 {
		buf = append(buf, '[')
	}
	for i := range n {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = f.appendEntry(buf, v.Index(i))
	}
	if n > 1 {
		buf = append(buf, ']')
	}
	return buf
}

func (f *field) appendEntry(buf []byte, v reflect.Value) []byte {
	if f.shape.kind == kindList {
		return f.shape.elem.appendElements(buf, v)
	}
	buf = AppendJSONString(append(append(append(buf, `{"`...), f.key[0]...), `":`...), v.Field(0).String())
	buf = f.shape.elem.appendElements(append(append(append(buf, `,"`...), f.value[0]...), `":`...), v.Field(1))
	return append(buf, '}')
}

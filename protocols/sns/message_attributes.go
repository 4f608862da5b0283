package sns

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
)

// attributeValue is the value of a message attribute: text for types String and Number, bytes for
// Binary.
type attributeValue struct {
	DataType    *string
	StringValue *string
	BinaryValue []byte
}

// Bounds of message attributes.
const (
	maxAttributes    = 500
	maxAttributeName = 256
	maxAttributeType = 256
)

// messageAttributes checks the attributes of a message (specs/sns.md 4.3) and sorts them by name.
// The path leads to the message in the request, "" or with a dot at its end.
func messageAttributes(path string, given aws.Map[attributeValue]) ([]core.Attribute, error) {
	if len(given) > maxAttributes {
		return nil, invalidValue.errorf("A message can have at most %d message attributes.", maxAttributes)
	}
	attributes := make([]core.Attribute, len(given))
	for i, pair := range given {
		if err := checkAttributeName(pair.Key); err != nil {
			return nil, err
		}
		if pair.Value.DataType == nil {
			return nil, required(path + "messageAttributes." + short(pair.Key) + ".member.dataType")
		}
		value, err := pair.Value.bytes(pair.Key)
		if err != nil {
			return nil, err
		}
		attributes[i] = core.Attribute{Name: pair.Key, Type: *pair.Value.DataType, Value: value}
	}
	slices.SortFunc(attributes, func(a, b core.Attribute) int { return strings.Compare(a.Name, b.Name) })
	for i := range attributes[min(1, len(attributes)):] {
		if attributes[i].Name == attributes[i+1].Name {
			return nil, invalidValue.errorf("The message attribute '%s' is there twice.", attributes[i].Name)
		}
	}
	return attributes, nil
}

func checkAttributeName(name string) error {
	switch {
	case name == "":
		return invalidValue.errorf("The message attribute name must not be empty.")
	case len(name) > maxAttributeName:
		return invalidValue.errorf("Length of message attribute name must be less than 256 bytes.")
	case name[0] == '.':
		return invalidValue.errorf("Invalid message attribute name starting with character '.' was found.")
	case name[len(name)-1] == '.':
		return invalidValue.errorf("Invalid message attribute name ending with character '.' was found.")
	}
	for _, r := range name {
		if r >= utf8.RuneSelf || !isName(string(r), 1, "-_.") {
			return invalidValue.errorf("Invalid non-alphanumeric character '#x%X' was found in the message attribute name. "+
				"Can only include alphanumeric characters, hyphens, underscores, or dots.", r)
		}
	}
	if strings.Contains(name, "..") {
		return invalidValue.errorf("Message attribute name can not have successive '.' character.")
	}
	return nil
}

// bytes gives the value of an attribute, which must be in the member that its type wants.
func (v *attributeValue) bytes(name string) ([]byte, error) {
	base, label, labelled := strings.Cut(*v.DataType, ".")
	if base != "String" && base != "Number" && base != "Binary" || labelled && label == "" ||
		len(*v.DataType) > maxAttributeType || !core.ValidText([]byte(*v.DataType)) {
		return nil, invalidValue.errorf("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.", name)
	}
	wrong := func(field string) error {
		return invalidValue.errorf("The message attribute '%s' with type '%s' must use field '%s'.", name, *v.DataType, field)
	}
	value := v.BinaryValue
	switch {
	case base == "Binary" && v.StringValue != nil && v.BinaryValue == nil:
		return nil, wrong("Binary")
	case base != "Binary" && v.BinaryValue != nil && v.StringValue == nil:
		return nil, wrong("String")
	case base != "Binary" && v.StringValue != nil:
		value = []byte(*v.StringValue)
	}
	if len(value) == 0 {
		return nil, invalidValue.errorf("The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.", name, *v.DataType)
	}
	return value, nil
}

// attributesSize is what attributes count against a message's limit.
func attributesSize(given aws.Map[attributeValue]) (size int) {
	for _, pair := range given {
		size += len(pair.Key) + len(pair.Value.BinaryValue)
		for _, text := range []*string{pair.Value.DataType, pair.Value.StringValue} {
			if text != nil {
				size += len(*text)
			}
		}
	}
	return size
}

// entryPath leads to an entry of a batch, counted from 1.
func entryPath(i int) string { return fmt.Sprintf("publishBatchRequestEntries.%d.member.", i+1) }

package sqs

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
)

// attributeValue is the value of a message attribute: text for types String and Number, bytes for
// Binary. The lists are reserved by AWS; some SDKs send them empty.
type attributeValue struct {
	DataType         string
	StringValue      aws.Text
	BinaryValue      []byte
	StringListValues []string `query:"StringListValue"`
	BinaryListValues [][]byte `query:"BinaryListValue"`
}

// Bounds of message attributes (specs/sqs.md 5.2).
const (
	maxAttributes    = 10
	maxAttributeName = 256
	maxAttributeType = 256
	minNumber        = -1e128
	maxNumber        = 1e126
	maxDigits        = 38 // of a number, without the zeros around it
)

// traceHeader is the one system attribute that a sender may set.
const traceHeader = "AWSTraceHeader"

// messageAttributes checks the attributes of a message and sorts them by name.
func messageAttributes(given aws.Map[attributeValue]) ([]core.Attribute, error) {
	if len(given) == 0 {
		return nil, nil
	}
	if len(given) > maxAttributes {
		return nil, invalidParameter.errorf("Number of message attributes [%d] exceeds the allowed maximum [%d].", len(given), maxAttributes)
	}
	attributes := make([]core.Attribute, len(given))
	for i, pair := range given {
		if err := checkAttributeName(pair.Key); err != nil {
			return nil, err
		}
		value, err := pair.Value.bytes(pair.Key)
		if err != nil {
			return nil, err
		}
		attributes[i] = core.Attribute{Name: pair.Key, Type: pair.Value.DataType, Value: value}
	}
	slices.SortFunc(attributes, func(a, b core.Attribute) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(attributes); i++ {
		if attributes[i-1].Name == attributes[i].Name {
			return nil, invalidParameter.errorf("Message (user) attribute '%s' is given more than once.", attributes[i].Name)
		}
	}
	return attributes, nil
}

func checkAttributeName(name string) error {
	if len(name) < 1 || len(name) >= maxAttributeName+1 {
		return invalidParameter.errorf("Message (user) attribute names must be shorter than %d Bytes", maxAttributeName)
	}
	for _, r := range name {
		if r != '_' && r != '-' && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return invalidParameter.errorf("Invalid non-alphanumeric character '#x%X' was found in the message attribute name. "+
				"Can only include alphanumeric characters, hyphens, underscores, or dots.", r)
		}
	}
	lower := strings.ToLower(name)
	if strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon.") ||
		name[0] == '.' || name[len(name)-1] == '.' || strings.Contains(name, "..") {
		return invalidParameter.errorf("You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. " +
			"These strings are reserved for internal use. Additionally, they cannot start or end with '.'.")
	}
	return nil
}

// bytes checks a value and gives its bytes; name is for errors.
func (v *attributeValue) bytes(name string) ([]byte, error) {
	if len(v.StringListValues) > 0 || len(v.BinaryListValues) > 0 {
		return nil, unsupportedOperation.errorf("Message attribute list values in SendMessage operation are not supported.")
	}
	base, _, _ := strings.Cut(v.DataType, ".")
	var value []byte
	switch base {
	case "String", "Number":
		value = v.StringValue
	case "Binary":
		value = v.BinaryValue
	default:
		return nil, invalidParameter.errorf("The type of message (user) attribute '%s' is invalid. You must use only the following supported type prefixes: Binary, Number, String.", name)
	}
	switch {
	case len(v.DataType) > maxAttributeType || !core.ValidText([]byte(v.DataType)):
		return nil, invalidParameter.errorf("The type of message (user) attribute '%s' must be text of at most %d bytes.", name, maxAttributeType)
	case len(value) == 0:
		return nil, invalidParameter.errorf("Message (user) attribute '%s' must contain a non-empty value of type '%s'.", name, base)
	case base == "Number" && !isNumber(string(value)):
		return nil, invalidParameter.errorf("Can't cast the value of message (user) attribute '%s' to a number.", name)
	case base == "String" && !core.ValidText(value):
		return nil, invalidParameter.errorf("Invalid characters found in message (user) attribute '%s'. %s", name, validCharacters)
	}
	return value, nil
}

// isNumber says that a text is a decimal number in the range of attributes.
func isNumber(s string) bool {
	if strings.Trim(s, "0123456789+-.eE") != "" { // no infinity, no hexadecimal
		return false
	}
	n, err := strconv.ParseFloat(s, 64)
	return err == nil && n >= minNumber && n <= maxNumber && significantDigits(s) <= maxDigits
}

// significantDigits counts a number's digits from the first to the last that is not zero.
func significantDigits(s string) int {
	mantissa, _, _ := strings.Cut(strings.ToLower(s), "e")
	digits := strings.Trim(strings.TrimLeft(mantissa, "+-"), "0.")
	return len(digits) - strings.Count(digits, ".")
}

// systemAttributes checks the system attributes of a message.
func systemAttributes(given aws.Map[attributeValue]) ([]core.Attribute, error) {
	for _, pair := range given {
		switch {
		case pair.Key != traceHeader:
			return nil, invalidParameter.errorf("Message system attribute name '%s' is invalid.", pair.Key)
		case pair.Value.DataType != "String":
			return nil, invalidParameter.errorf("Message system attribute '%s' must be of type 'String'.", traceHeader)
		}
	}
	return messageAttributes(given)
}

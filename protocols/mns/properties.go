package mns

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/polymq/polymq/core"
)

// Bounds of properties (specs/mns.md 3.3); lengths are in characters.
const (
	maxProperties     = 50
	maxPropertyName   = 256
	maxPropertyValue  = 4096
	maxSystemProperty = 8192 // what W3C allows of baggage
)

// property is a user or a system property of a message.
type property struct {
	Name  string `xml:"Name"`
	Value string `xml:"Value"`
	Type  string `xml:"Type"`
}

type userProperties struct {
	PropertyValue list[property] `xml:"PropertyValue"`
}

type systemProperties struct {
	SystemPropertyValue list[property] `xml:"SystemPropertyValue"`
}

// The types of user properties, and as what kind of attribute a message keeps them. Other
// protocols know no truth values, so that one is a string with a label.
const (
	typeString  = "STRING"
	typeNumber  = "NUMBER"
	typeBoolean = "BOOLEAN"
	typeBinary  = "BINARY"

	attributeString  = "String"
	attributeNumber  = "Number"
	attributeBoolean = "String.Boolean"
	attributeBinary  = "Binary"
)

// systemNames are the system properties that a client may set. The service knows more, which it
// sets itself on dead letters; clients fail on any other name.
var systemNames = []string{"traceparent", "tracestate", "baggage"}

// attributes gives user properties as attributes, sorted by name.
func (u userProperties) attributes() ([]core.Attribute, error) {
	if len(u.PropertyValue) == 0 {
		return nil, nil
	}
	if len(u.PropertyValue) > maxProperties {
		return nil, core.Errorf(core.InvalidArgument, "a message has at most %d user properties, this one has %d", maxProperties, len(u.PropertyValue))
	}
	attributes := make([]core.Attribute, len(u.PropertyValue))
	for i, p := range u.PropertyValue {
		if err := p.check(maxPropertyValue); err != nil {
			return nil, err
		}
		var err error
		if attributes[i], err = p.attribute(); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(attributes, func(a, b core.Attribute) int { return strings.Compare(a.Name, b.Name) })
	for i := range attributes[1:] {
		if attributes[i].Name == attributes[i+1].Name {
			return nil, core.Errorf(core.InvalidArgument, "the user property %q is given twice", attributes[i].Name)
		}
	}
	return attributes, nil
}

// check refuses empty values too: neither SQS nor MNS's client for Python can read one.
func (p property) check(maxValue int) error {
	name, value := utf8.RuneCountInString(p.Name), utf8.RuneCountInString(p.Value)
	return firstError(
		checkRange("the Name of a property", &name, 1, maxPropertyName, "characters"),
		checkRange("the Value of a property", &value, 1, maxValue, "characters"),
	)
}

func (p property) attribute() (core.Attribute, error) {
	a := core.Attribute{Name: p.Name, Value: []byte(p.Value)}
	var err error
	switch p.Type {
	case typeString:
		a.Type = attributeString
	case typeNumber:
		a.Type = attributeNumber
		if !core.ValidNumber(p.Value) {
			err = strconv.ErrSyntax
		}
	case typeBoolean:
		a.Type = attributeBoolean
		if !isBoolean(p.Value) {
			err = strconv.ErrSyntax
		}
	case typeBinary:
		a.Type = attributeBinary
		a.Value, err = base64.StdEncoding.DecodeString(p.Value)
	default:
		return a, core.Errorf(core.InvalidArgument, "the Type of a user property is STRING, NUMBER, BOOLEAN or BINARY, not %.40q", p.Type)
	}
	if err != nil {
		return a, core.Errorf(core.InvalidArgument, "the Value of the user property %q is no %s", p.Name, p.Type)
	}
	return a, nil
}

func isBoolean(value string) bool {
	return strings.EqualFold(value, "true") || strings.EqualFold(value, "false")
}

// attributes gives system properties by name.
func (s systemProperties) attributes() (map[string]string, error) {
	if len(s.SystemPropertyValue) == 0 {
		return nil, nil
	}
	attributes := make(map[string]string, len(s.SystemPropertyValue))
	for _, p := range s.SystemPropertyValue {
		_, twice := attributes[p.Name]
		switch {
		case !slices.Contains(systemNames, p.Name):
			return nil, core.Errorf(core.InvalidArgument, "a system property is %s, not %.40q", strings.Join(systemNames, ", "), p.Name)
		case p.Type != typeString:
			return nil, core.Errorf(core.InvalidArgument, "the Type of a system property is STRING, not %.40q", p.Type)
		case twice:
			return nil, core.Errorf(core.InvalidArgument, "the system property %s is given twice", p.Name)
		}
		if err := p.check(maxSystemProperty); err != nil {
			return nil, err
		}
		attributes[p.Name] = p.Value
	}
	return attributes, nil
}

// System properties of dead letters, which the service sets.
const (
	dlqMessageType     = "DLQMessageType"
	dlqSourceArn       = "DLQSourceArn"
	dlqOriginMessageID = "DLQOriginMessageId"
)

// writeSystemProperties writes those that MNS knows; others belong to other protocols. A message that
// was moved as a dead letter tells where it comes from.
func (a *answer) writeSystemProperties(m *core.Message) {
	system := m.System
	before := len(a.doc)
	a.open("SystemProperties")
	empty := len(a.doc)
	for _, name := range systemNames {
		if value, ok := system[name]; ok {
			a.writeProperty("SystemPropertyValue", name, readable(value), typeString)
		}
	}
	if m.Source != "" {
		a.writeProperty("SystemPropertyValue", dlqMessageType, "QueueMessage", typeString)
		a.writeProperty("SystemPropertyValue", dlqSourceArn, sourceArn(m.Source), typeString)
		a.writeProperty("SystemPropertyValue", dlqOriginMessageID, m.ID.Hex(), typeString)
	}
	if len(a.doc) == empty {
		a.doc = a.doc[:before]
		return
	}
	a.end("SystemProperties")
}

// sourceArn names the queue of a dead letter as subscriptions name queues.
func sourceArn(source string) string {
	account, rest, _ := strings.Cut(source, "/")
	region, name, _ := strings.Cut(rest, "/")
	return "acs:mns:" + region + ":" + account + ":queues/" + name
}

func (a *answer) writeUserProperties(attributes []core.Attribute) {
	if len(attributes) == 0 {
		return
	}
	a.open("UserProperties")
	for i := range attributes {
		value, kind := propertyOf(&attributes[i])
		a.writeProperty("PropertyValue", readable(attributes[i].Name), value, kind)
	}
	a.end("UserProperties")
}

// propertyOf gives an attribute as a property's value and type. Labels of types are SQS's own, but
// for the one above.
func propertyOf(attribute *core.Attribute) (value, kind string) {
	base, _, _ := strings.Cut(attribute.Type, ".")
	text := string(attribute.Value)
	switch {
	case base == attributeBinary, !core.ValidText(attribute.Value):
		return base64.StdEncoding.EncodeToString(attribute.Value), typeBinary
	case base == attributeNumber:
		return text, typeNumber
	case attribute.Type == attributeBoolean && isBoolean(text):
		return text, typeBoolean
	}
	return text, typeString
}

func (a *answer) writeProperty(element, name, value, kind string) {
	if a.json {
		a.open(name)
		a.text("DataType", kind)
		if kind == typeBinary {
			a.text("BinaryValue", value)
		} else {
			a.text("StringValue", value)
		}
		a.end(name)
		return
	}
	a.open(element)
	a.text("Name", name)
	a.text("Value", value)
	a.text("Type", kind)
	a.end(element)
}

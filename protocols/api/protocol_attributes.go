package api

import (
	"regexp"

	"github.com/polymq/polymq/core"
)

// Bounds of what protocols keep with a queue, topic or subscription.
const (
	maxProtocolAttributes     = 50
	maxProtocolAttributeBytes = 64 << 10
)

// protocolAttribute is the name of an attribute that a protocol keeps, which reads it: "sqs.Policy".
var protocolAttribute = regexp.MustCompile(`^(sqs|sns|mns|smq)[.][A-Za-z0-9_-]{1,100}$`)

// checkProtocolAttributes checks the names; what a value means is its protocol's affair, and not checked.
func checkProtocolAttributes(attributes map[string]*string) error {
	if len(attributes) > maxProtocolAttributes {
		return core.Errorf(core.InvalidArgument, "there are at most %d protocol_attributes, not %d", maxProtocolAttributes, len(attributes))
	}
	for name, value := range attributes {
		if !protocolAttribute.MatchString(name) {
			return core.Errorf(core.InvalidArgument, "protocol_attributes are of a protocol, as sqs.Policy, unlike %.100q", name)
		}
		if value != nil && len(*value) > maxProtocolAttributeBytes {
			return core.Errorf(core.InvalidArgument, "the protocol attribute %s has at most %d bytes, this one has %d", name, maxProtocolAttributeBytes, len(*value))
		}
	}
	return nil
}

// optional gives texts as those of a change.
func optional(texts map[string]string) map[string]*string {
	change := make(map[string]*string, len(texts))
	for name, text := range texts {
		change[name] = &text
	}
	return change
}

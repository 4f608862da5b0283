package sqs

import (
	"slices"
	"strings"

	"github.com/polymq/polymq/core"
)

// shownHandle gives the receipt handle of a message to a client. Where the body is in S3, AWS's extended client for Python
// writes its place before the handle, and sends back what follows the last dash, since AWS's handles have none: dots stand
// for their dashes here. Other handles stay as servers of the version before know them.
func shownHandle(m *core.Message) string {
	if slices.ContainsFunc(m.Attributes, isPayloadSize) {
		return strings.ReplaceAll(m.Handle, "-", ".")
	}
	return m.Handle
}

// isPayloadSize says whether an attribute is that by which the extended clients know a message whose body is in S3.
func isPayloadSize(a core.Attribute) bool {
	return a.Name == "ExtendedPayloadSize" || a.Name == "SQSLargePayloadSize"
}

// readHandle is the inverse of shownHandle.
func readHandle(text string) string { return strings.ReplaceAll(text, ".", "-") }

package aws

import (
	"crypto/md5" // #nosec G501 -- AWS's digest of messages; it guards against damage, not against people
	"encoding/binary"
	"encoding/hex"
	"strings"

	"github.com/polymq/polymq/core"
)

// MD5 gives the digest of a message's body as AWS writes it.
func MD5(body []byte) string {
	sum := md5.Sum(body) // #nosec G401
	return hex.EncodeToString(sum[:])
}

// AttributesMD5 gives the digest of attributes, which must be sorted by name, "" for none: of
// each its name, its type, whether it is text or binary, and its value (specs/sqs.md 5.3).
func AttributesMD5(attributes []core.Attribute) string {
	if len(attributes) == 0 {
		return ""
	}
	var buf []byte
	for _, a := range attributes {
		buf = appendWithLength(buf, a.Name)
		buf = appendWithLength(buf, a.Type)
		transport := byte(1)
		if IsBinary(a.Type) {
			transport = 2
		}
		buf = appendWithLength(append(buf, transport), a.Value)
	}
	return MD5(buf)
}

// IsBinary says that values of a message attribute's type are bytes and no text.
func IsBinary(dataType string) bool {
	base, _, _ := strings.Cut(dataType, ".")
	return base == "Binary"
}

func appendWithLength[S string | []byte](buf []byte, s S) []byte {
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(s))) // #nosec G115 -- at most 4 MiB
	return append(buf, s...)
}

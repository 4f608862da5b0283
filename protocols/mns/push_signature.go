package mns

import (
	"crypto/sha1"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/polymq/polymq/protocols/signing"
)

// sign gives the Authorization of a push (specs/mns.md 5.6).
func sign(signer *signing.Signer, method, target string, header map[string][]string) (string, error) {
	signature, err := signer.SignSHA1(sha1.Sum([]byte(pushStringToSign(method, target, header))))
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(signature), nil
}

// pushStringToSign is what a push's signature covers: the method, three headers by value, MNS's own by name
// and value, and the path with its query.
func pushStringToSign(method, target string, header map[string][]string) string {
	value := func(name string) string {
		if values := header[name]; len(values) > 0 {
			return values[0]
		}
		return ""
	}
	lines := []string{method, value("Content-md5"), value("Content-Type"), value("Date")}
	var own []string
	for name := range header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-mns-") {
			own = append(own, lower+":"+value(name))
		}
	}
	slices.Sort(own)
	lines = append(append(lines, own...), target)
	return strings.Join(lines, "\n")
}

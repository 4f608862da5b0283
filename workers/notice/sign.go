package notice

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

func sign(key, text string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func signHex(key string, body []byte) string { return hex.EncodeToString(sign(key, string(body))) }

func signBase64(key, text string) string { return base64.StdEncoding.EncodeToString(sign(key, text)) }

// hash gives a short name for some texts.
func hash(texts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(texts, "\x00")))
	return hex.EncodeToString(sum[:])
}

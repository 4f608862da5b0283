package openapi

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
)

// ID gives an id of Alibaba's form, which depends on nothing but the name: eighteen digits.
func ID(name string) string {
	hash := sha256.Sum256([]byte(name))
	return strconv.FormatUint(1e17+binary.BigEndian.Uint64(hash[:])%9e17, 10)
}

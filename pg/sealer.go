package pg

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
)

// MasterKeySize is the number of bytes of a master key.
const MasterKeySize = 32

// ErrMasterKey is what Open answers to a master key that is not the one which the secrets in the
// database are encrypted under.
var ErrMasterKey = errors.New("the master key is not the one that this database's secrets are encrypted under")

// sealer encrypts what the database is to keep without being able to read it.
type sealer struct {
	gcm   cipher.AEAD
	check []byte // stored, to tell one master key from another; says nothing about the key
}

// newSealer makes a sealer of a master key; no key makes none.
func newSealer(masterKey []byte) (*sealer, error) {
	if masterKey == nil {
		return nil, nil
	}
	if len(masterKey) != MasterKeySize {
		return nil, fmt.Errorf("a master key has %d bytes, this one has %d", MasterKeySize, len(masterKey))
	}
	derive := func(purpose string) ([]byte, error) {
		return hkdf.Key(sha256.New, masterKey, nil, "polymq "+purpose, MasterKeySize)
	}
	key, err := derive("secrets")
	if err != nil {
		return nil, fmt.Errorf("derive from the master key: %w", err)
	}
	check, err := derive("check")
	if err != nil {
		return nil, fmt.Errorf("derive from the master key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make the cipher: %w", err)
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("make the cipher: %w", err)
	}
	return &sealer{gcm: gcm, check: check}, nil
}

// sealForm is the first byte of what seal gives; another one will stand for another way.
const sealForm = 1

// seal encrypts a text for the row that it stands in, and for no other.
func (s *sealer) seal(text, row string) []byte {
	return s.gcm.Seal([]byte{sealForm}, nil, []byte(text), []byte(row))
}

// open gives what was sealed. It never fails on what this database's master key sealed for the row.
func (s *sealer) open(sealed []byte, row string) (string, error) {
	if len(sealed) == 0 || sealed[0] != sealForm {
		return "", errors.New("the secret is not encrypted in a way that this server knows")
	}
	text, err := s.gcm.Open(nil, nil, sealed[1:], []byte(row))
	if err != nil {
		return "", fmt.Errorf("decrypt the secret: %w", err)
	}
	return string(text), nil
}

// NewMasterKey makes a master key.
func NewMasterKey() []byte {
	key := make([]byte, MasterKeySize)
	_, _ = rand.Read(key) // never fails
	return key
}

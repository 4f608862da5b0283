package core

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Secret is a text that nobody is to see by accident: wherever it is formatted, logged or encoded,
// stars stand in its place. string(s) gives the text.
type Secret string

const masked = "***"

// String gives the stars, nothing for no secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// Format is of fmt.Formatter, and so answers every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText is of encoding.TextMarshaler, for JSON, YAML and logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Equal compares in a time that does not depend on where the texts differ.
func (s Secret) Equal(other string) bool {
	return subtle.ConstantTimeCompare([]byte(s), []byte(other)) == 1
}

// Key is an access key: what a client signs its requests with. It belongs to an account and acts
// for the account itself, a user of it, or a session; a session's key is temporary and comes with
// a token that requests must carry.
type Key struct {
	ID        string
	Account   string // 12 digits
	User      string // name of the user; "" for the account itself and for sessions of roles
	Session   Session
	Admin     bool   // may use the whole JSON API
	Secret    Secret // "" in lists, and where no master key keeps it
	Token     Secret // only in what CreateKey gives
	TokenHash []byte // of a session's token; nil: the key needs none
	Disabled  bool
	Expired   bool      // as of the account's time when it was read
	CreatedAt time.Time // by the account's time, as ExpiresAt
	ExpiresAt time.Time // zero: never
}

// Session is what a temporary key stands for besides its account and user.
type Session struct {
	Role           string            `json:"role,omitempty"`    // ARN of the role that was assumed
	RoleID         string            `json:"role_id,omitempty"` // of the role; "" of one that is not kept
	Name           string            `json:"name,omitempty"`    // of the role's session, or of the federated user without a role
	Policy         string            `json:"policy,omitempty"`  // that bounds the session, as it was given
	Cloud          string            `json:"cloud,omitempty"`   // whose language the policy has, AWS or RAM; "": that of the role's ARN
	SourceIdentity string            `json:"source_identity,omitempty"`
	Policies       []string          `json:"policies,omitempty"` // IDs of policies that bound it besides
	Tags           map[string]string `json:"tags,omitempty"`
	Transitive     []string          `json:"transitive,omitempty"` // names of those tags that pass on to sessions that this one asks for
}

// Follow gives the session what passes on to it from the one that asks for it: whom that stands for, and its transitive tags.
func (s *Session) Follow(before *Session) {
	s.SourceIdentity = cmp.Or(before.SourceIdentity, s.SourceIdentity)
	for name, value := range before.Tags {
		if slices.ContainsFunc(before.Transitive, func(passes string) bool { return strings.EqualFold(passes, name) }) {
			s.Tags = overlaid(s.Tags, map[string]string{name: value})
			s.Transitive = append(s.Transitive, name)
		}
	}
}

// overlaid gives tags with others put over them. Names of tags differ in more than their case.
func overlaid(tags, over map[string]string) map[string]string {
	all := make(map[string]string, len(tags)+len(over))
	maps.Copy(all, tags)
	for name := range over {
		maps.DeleteFunc(all, func(below, _ string) bool { return strings.EqualFold(below, name) })
	}
	maps.Copy(all, over)
	return all
}

// Bounded says that whoever made the session asked for policies that bound it.
func (s *Session) Bounded() bool { return s.Policy != "" || len(s.Policies) > 0 }

// Temporary says that the key is a session's.
func (k *Key) Temporary() bool { return k.TokenHash != nil }

// TokenMatches says that the token is the one that the key was made with; "" for a key without one.
func (k *Key) TokenMatches(token string) bool {
	if k.TokenHash == nil {
		return token == ""
	}
	hash := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(hash[:], k.TokenHash) == 1
}

// NewKey describes a key to make.
type NewKey struct {
	ID      string // "": a random one
	Secret  Secret // "": a random one
	Account string
	User    string
	Session Session
	Admin   bool
	Lasts   time.Duration // 0: a lasting key; else a session's key of that life, with a token
}

// ListKeysInput asks for a page of keys, sorted by ID.
type ListKeysInput struct {
	Account   string // "": of all accounts
	User      string // "": of all users, and of the account itself
	After     string // the Next of the page before; "" starts
	Limit     int    // 1 to MaxListed
	Temporary bool   // sessions' keys too
}

// KeyPage is one page of keys, without their secrets.
type KeyPage struct {
	Keys []Key
	Next string // the After of the next page, "" when this is the last
}

// KeyStore is the part of a Store that keeps keys.
type KeyStore interface {
	// CreateKey stores a key, a session's key for the life given. KeyExists; Throttled where the
	// account has MaxAccountKeys.
	CreateKey(ctx context.Context, key Key, lasts time.Duration) (Key, error)
	// Key gives a key that the caller must not change. KeyNotFound.
	Key(ctx context.Context, id string) (*Key, error)
	ListKeys(ctx context.Context, in ListKeysInput) (KeyPage, error)
	DeleteKey(ctx context.Context, id string) error
	DisableKey(ctx context.Context, id string, disabled bool) (Key, error)
	// UseNonce remembers for that life that a request was signed with a key and a nonce, and says
	// whether none was before.
	UseNonce(ctx context.Context, keyID, nonce string, life time.Duration) (first bool, err error)
}

// Bounds of keys.
const (
	MaxKeyIDLength    = 128
	MinSecretLength   = 8
	MaxSecretLength   = 128
	MaxUserNameLength = 64
	MaxSessionLife    = 36 * time.Hour // AWS's for GetSessionToken, the longest of any session
	MaxAccountKeys    = 100_000        // sessions' keys included; more are Throttled
)

var userNamePattern = regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{1,64}$`)

// CreateKey makes a key, and gives it with its secret and token: the secret is told only here. A user that
// is not there yet comes into being with its first lasting key. InvalidArgument, KeyExists, Throttled.
func (b *Broker) CreateKey(ctx context.Context, in NewKey) (Key, error) {
	key, err := MakeKey(in)
	if err != nil {
		return Key{}, err
	}
	if in.User != "" && in.Lasts == 0 {
		if err := b.ensureUser(ctx, in.Account, in.User); err != nil {
			return Key{}, err
		}
	}
	created, err := b.store.CreateKey(ctx, key, in.Lasts)
	if err != nil {
		return Key{}, err
	}
	created.Secret, created.Token = key.Secret, key.Token
	return created, nil
}

func (b *Broker) ensureUser(ctx context.Context, account, name string) error {
	user := IdentityName{Account: account, Kind: User, Name: name}
	_, err := b.Identity(ctx, user)
	if CodeOf(err) == EntityNotFound {
		_, err = b.CreateIdentity(ctx, Identity{IdentityName: user})
	}
	if CodeOf(err) == EntityExists { // made at the same moment, or only the case of the name differs
		_, err = b.Identity(ctx, user)
	}
	return err
}

// MakeKey checks a key that is to be created and makes up what it leaves open. InvalidArgument.
func MakeKey(in NewKey) (Key, error) {
	if err := in.Check(); err != nil {
		return Key{}, err
	}
	key := Key{ID: in.ID, Account: in.Account, User: in.User, Session: in.Session, Admin: in.Admin, Secret: in.Secret}
	prefix := "AKIA"
	if in.Lasts > 0 {
		prefix = "ASIA"
		key.Token = randomSecret(192)
		hash := sha256.Sum256([]byte(key.Token))
		key.TokenHash = hash[:]
	}
	key.ID = cmp.Or(key.ID, prefix+rand.Text()[:16])
	key.Secret = cmp.Or(key.Secret, randomSecret(30))
	return key, nil
}

// randomSecret gives a text that nobody can guess, of 4/3 of that many bytes.
func randomSecret(bytes int) Secret {
	random := make([]byte, bytes)
	_, _ = rand.Read(random) // never fails
	return Secret(base64.StdEncoding.EncodeToString(random))
}

// Key gives a key, possibly from a cache that another server's change has not yet reached, which
// takes no longer than the Store's bound. KeyNotFound.
func (b *Broker) Key(ctx context.Context, id string) (*Key, error) {
	if !validKeyID(id) {
		return nil, Errorf(KeyNotFound, "there is no access key of that id")
	}
	return b.store.Key(ctx, id)
}

// ListKeys gives a page of keys.
func (b *Broker) ListKeys(ctx context.Context, in ListKeysInput) (KeyPage, error) {
	if in.Limit < 1 || in.Limit > MaxListed {
		return KeyPage{}, Errorf(InvalidArgument, "a page holds 1 to %d keys, asked for %d", MaxListed, in.Limit)
	}
	if in.After != "" && !validKeyID(in.After) {
		return KeyPage{}, Errorf(InvalidArgument, "%.40q is not a cursor of this list", in.After)
	}
	return b.store.ListKeys(ctx, in)
}

// DeleteKey deletes a key: requests signed with it are refused from then on. KeyNotFound.
func (b *Broker) DeleteKey(ctx context.Context, id string) error {
	if !validKeyID(id) {
		return Errorf(KeyNotFound, "there is no access key of that id")
	}
	return b.store.DeleteKey(ctx, id)
}

// DisableKey makes a key unusable, or usable again, and gives it. KeyNotFound.
func (b *Broker) DisableKey(ctx context.Context, id string, disabled bool) (Key, error) {
	if !validKeyID(id) {
		return Key{}, Errorf(KeyNotFound, "there is no access key of that id")
	}
	return b.store.DisableKey(ctx, id, disabled)
}

// UseNonce says whether a request is the first that was signed with the key and the nonce, as long as the
// life of the first is not over.
func (b *Broker) UseNonce(ctx context.Context, keyID, nonce string, life time.Duration) (first bool, err error) {
	return b.store.UseNonce(ctx, keyID, nonce, life)
}

// Check says what is wrong with the description. InvalidArgument.
func (in NewKey) Check() error {
	switch n := len(in.Secret); {
	case in.ID != "" && !validKeyID(in.ID):
		return Errorf(InvalidArgument, "an access key id has 3 to %d letters, digits, '.', '_' and '-'", MaxKeyIDLength)
	case IsAccount(in.ID):
		return Errorf(InvalidArgument, "an access key id of twelve digits stands for an account, and can be no key's")
	case in.Secret != "" && (n < MinSecretLength || n > MaxSecretLength || !validSecret(string(in.Secret))):
		return Errorf(InvalidArgument, "a secret has %d to %d characters, none of them a blank", MinSecretLength, MaxSecretLength)
	case !IsAccount(in.Account):
		return Errorf(InvalidArgument, "an account has twelve digits")
	case in.User != "" && !userNamePattern.MatchString(in.User):
		return Errorf(InvalidArgument, "a user name has 1 to %d letters, digits and characters of _+=,.@-", MaxUserNameLength)
	case in.Lasts < 0 || in.Lasts > MaxSessionLife:
		return Errorf(InvalidArgument, "a session lasts up to %v, asked for %v", MaxSessionLife, in.Lasts)
	case in.Admin && in.Lasts > 0:
		return Errorf(InvalidArgument, "a session's key cannot be an administrator's")
	}
	return nil
}

// validKeyID says that a key may have that id, so that a store need not be able to read whatever
// bytes a client sends.
func validKeyID(id string) bool {
	for i := range len(id) {
		if c := id[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return len(id) >= 3 && len(id) <= MaxKeyIDLength
}

func validSecret(secret string) bool {
	for _, r := range secret {
		if r <= ' ' || r == 0x7f || r == utf8.RuneError {
			return false
		}
	}
	return true
}

package core_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
)

func TestMakeKey(t *testing.T) {
	t.Parallel()
	const account = "111122223333"
	long := func(n int) string { return strings.Repeat("x", n) }
	tests := map[string]struct {
		in   core.NewKey
		want core.Code
	}{
		"random":                     {core.NewKey{Account: account}, ""},
		"a shortest id":              {core.NewKey{Account: account, ID: "abc"}, ""},
		"a shorter id":               {core.NewKey{Account: account, ID: "ab"}, core.InvalidArgument},
		"a longest id":               {core.NewKey{Account: account, ID: long(core.MaxKeyIDLength)}, ""},
		"a longer id":                {core.NewKey{Account: account, ID: long(core.MaxKeyIDLength + 1)}, core.InvalidArgument},
		"an id of other characters":  {core.NewKey{Account: account, ID: "a/b"}, core.InvalidArgument},
		"an id that is an account":   {core.NewKey{Account: account, ID: account}, core.InvalidArgument},
		"a shortest secret":          {core.NewKey{Account: account, Secret: core.Secret(long(core.MinSecretLength))}, ""},
		"a shorter secret":           {core.NewKey{Account: account, Secret: core.Secret(long(core.MinSecretLength - 1))}, core.InvalidArgument},
		"a longest secret":           {core.NewKey{Account: account, Secret: core.Secret(long(core.MaxSecretLength))}, ""},
		"a longer secret":            {core.NewKey{Account: account, Secret: core.Secret(long(core.MaxSecretLength + 1))}, core.InvalidArgument},
		"a blank in the secret":      {core.NewKey{Account: account, Secret: "hunter 22"}, core.InvalidArgument},
		"a line end in the secret":   {core.NewKey{Account: account, Secret: "hunter22\n"}, core.InvalidArgument},
		"no account":                 {core.NewKey{}, core.InvalidArgument},
		"an account of 13 digits":    {core.NewKey{Account: account + "1"}, core.InvalidArgument},
		"an account of other digits": {core.NewKey{Account: "１１１１２２２２３３３３"}, core.InvalidArgument},
		"a user":                     {core.NewKey{Account: account, User: "ann+ci@example.com"}, ""},
		"a user with a slash":        {core.NewKey{Account: account, User: "a/b"}, core.InvalidArgument},
		"a longer user":              {core.NewKey{Account: account, User: long(core.MaxUserNameLength + 1)}, core.InvalidArgument},
		"a longest session":          {core.NewKey{Account: account, Lasts: core.MaxSessionLife}, ""},
		"a longer session":           {core.NewKey{Account: account, Lasts: core.MaxSessionLife + 1}, core.InvalidArgument},
		"a session of no time":       {core.NewKey{Account: account, Lasts: -1}, core.InvalidArgument},
		"an administrator":           {core.NewKey{Account: account, Admin: true}, ""},
		"an administrator's session": {core.NewKey{Account: account, Admin: true, Lasts: time.Hour}, core.InvalidArgument},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key, err := core.MakeKey(tt.in)
			checkCode(t, err, tt.want)
			if err == nil && (key.ID == "" || key.Secret == "" || key.Temporary() != (tt.in.Lasts > 0)) {
				t.Errorf("got %+v", key)
			}
			if err != nil && tt.in.Secret != "" && strings.Contains(err.Error(), string(tt.in.Secret)) {
				t.Errorf("the secret is in %v", err)
			}
		})
	}
}

func TestKeyTokens(t *testing.T) {
	t.Parallel()
	lasting, _ := core.MakeKey(core.NewKey{Account: "111122223333"})
	session, _ := core.MakeKey(core.NewKey{Account: "111122223333", Lasts: time.Hour})
	other, _ := core.MakeKey(core.NewKey{Account: "111122223333", Lasts: time.Hour})
	if lasting.ID == session.ID || session.ID == other.ID || session.Token == other.Token || session.Secret == other.Secret {
		t.Error("two keys have something in common")
	}
	tests := map[string]struct{ got, want bool }{
		"none for a lasting key":    {lasting.TokenMatches(""), true},
		"one for a lasting key":     {lasting.TokenMatches(string(session.Token)), false},
		"a session's":               {session.TokenMatches(string(session.Token)), true},
		"none for a session":        {session.TokenMatches(""), false},
		"of another session":        {session.TokenMatches(string(other.Token)), false},
		"the secret, right":         {lasting.Secret.Equal(string(lasting.Secret)), true},
		"the secret, cut off":       {lasting.Secret.Equal(string(lasting.Secret[:39])), false},
		"the secret, of other size": {lasting.Secret.Equal(string(lasting.Secret) + "x"), false},
	}
	for name, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: got %v", name, tt.got)
		}
	}
}

// However a key is shown, nobody sees its secret.
func TestSecretsAreMasked(t *testing.T) {
	t.Parallel()
	key := core.Key{ID: "AKID", Secret: "hunter22", Token: "hunter22"}
	encoded, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	shown := []string{string(encoded), fmt.Sprint(key), fmt.Sprint(&key), fmt.Errorf("key: %w", fmt.Errorf("%v", key)).Error(), key.Secret.String()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		shown = append(shown, fmt.Sprintf(verb, key), fmt.Sprintf(verb, &key), fmt.Sprintf(verb, key.Secret), fmt.Sprintf(verb, []core.Secret{key.Secret}))
	}
	for _, text := range shown {
		if strings.Contains(text, "hunter22") || strings.Contains(strings.ToLower(text), fmt.Sprintf("%x", "hunter22")) {
			t.Errorf("the secret is in %s", text)
		}
	}
	if got := core.Secret("").String(); got != "" {
		t.Errorf("no secret shows as %q", got)
	}
}

// Ids that no key can have do not reach the store.
func TestKeyIDsAreChecked(t *testing.T) {
	t.Parallel()
	broker, _ := newBroker(t) // whose store has no keys, and would panic
	ctx := context.Background()
	for _, id := range []string{"", "ab", "a b", "a\x00b", "ключ", strings.Repeat("x", core.MaxKeyIDLength+1)} {
		_, err := broker.Key(ctx, id)
		checkCode(t, err, core.KeyNotFound)
		_, err = broker.DisableKey(ctx, id, true)
		checkCode(t, err, core.KeyNotFound)
		checkCode(t, broker.DeleteKey(ctx, id), core.KeyNotFound)
	}
	for _, in := range []core.ListKeysInput{{}, {Limit: core.MaxListed + 1}, {Limit: 1, After: "a\x00b"}} {
		_, err := broker.ListKeys(ctx, in)
		checkCode(t, err, core.InvalidArgument)
	}
}

package caller

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// aliasesOf is an AliasSource; one of nil is out of order.
type aliasesOf map[string]string

func (a aliasesOf) AccountOfAlias(_ context.Context, alias string) (string, error) {
	if a == nil {
		return "", errors.New("out of order")
	}
	return a[alias], nil
}

// found identifies a request to a host by a key, and looks the host's account up.
func found(t *testing.T, o *Options, host, key string) Caller {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/queues", nil)
	r.Host = host
	r.Header.Set("Authorization", "MNS "+key+":c2ln")
	c := o.Identify(r)
	if err := o.FindHost(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestFindHost(t *testing.T) {
	t.Parallel()
	aliases := NewAliases(aliasesOf{"1234567890123456": "111122223333", "123456789012345": "111122223333"})
	tests := map[string]struct{ host, key, account, ofHost, verifying string }{
		"an alias":          {"1234567890123456.mns.cn-hangzhou.aliyuncs.com", "test", "111122223333", "111122223333", "111122223333"},
		"in any case":       {"1234567890123456.MNS.cn-hangzhou.localhost:4566", "test", "111122223333", "111122223333", "111122223333"},
		"nobody's":          {"9999999999999999.mns.cn-hangzhou.aliyuncs.com", "test", DefaultAccount, "", ""},
		"a key's own":       {"1234567890123456.mns.cn-hangzhou.aliyuncs.com", "444455556666", "444455556666", "111122223333", "111122223333"},
		"a key of zeros":    {"1234567890123456.mns.cn-hangzhou.aliyuncs.com", DefaultAccount, DefaultAccount, "111122223333", "111122223333"},
		"fifteen digits":    {"123456789012345.mns.cn-hangzhou.aliyuncs.com", "test", DefaultAccount, "", ""},
		"another service":   {"1234567890123456.sqs.cn-hangzhou.aliyuncs.com", "test", DefaultAccount, "", ""},
		"an account's name": {"222233334444.mns.cn-hangzhou.aliyuncs.com", "test", "222233334444", "222233334444", "222233334444"},
	}
	for name, tt := range tests {
		if got := found(t, &Options{Aliases: aliases}, tt.host, tt.key); got.Account != tt.account || got.HostAccount != tt.ofHost {
			t.Errorf("%s: got %s, of the host %q", name, got.Account, got.HostAccount)
		}
		if got := found(t, &Options{Aliases: aliases, Verify: true}, tt.host, tt.key); got.Account != "" || got.HostAccount != tt.verifying {
			t.Errorf("%s: got %q before anything is verified, of the host %q", name, got.Account, got.HostAccount)
		}
	}
	if got := found(t, new(Options), "1234567890123456.mns.cn-hangzhou.aliyuncs.com", "test"); got.Account != DefaultAccount {
		t.Errorf("without aliases: got %s", got.Account)
	}
	c := Caller{HostAlias: "1234567890123456"}
	if err := (&Options{Aliases: NewAliases(aliasesOf(nil))}).FindHost(t.Context(), &c); err == nil || c.Account != "" {
		t.Errorf("with a source out of order: got %q, %v", c.Account, err)
	}
}

func TestAliasesAreReadAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		source := aliasesOf{}
		o := &Options{Aliases: NewAliases(source)}
		account := func() string { return found(t, o, "1234567890123456.mns.cn-hangzhou.aliyuncs.com", "test").Account }
		before := account()
		source["1234567890123456"] = "111122223333"
		time.Sleep(aliasAge - time.Nanosecond)
		remembered := account()
		time.Sleep(time.Nanosecond)
		if after := account(); before != DefaultAccount || remembered != DefaultAccount || after != "111122223333" {
			t.Errorf("got %s, %s, then %s", before, remembered, after)
		}
	})
}

package caller

import (
	"cmp"
	"net/http"

	"github.com/polymq/polymq/core"
)

// SignedOn gives the key that stands for the user whom a trusted proxy has signed on, nil where none says so.
// It is for what people use with a browser; a proxy must set the header itself or remove it.
func (o *Options) SignedOn(r *http.Request) *core.Key {
	if o.SignOnHeader == "" || !o.trusts(remoteAddr(r)) {
		return nil
	}
	names := r.Header.Values(o.SignOnHeader)
	if len(names) != 1 || names[0] == "" { // two of them: one may be the client's
		return nil
	}
	return &core.Key{Account: cmp.Or(o.SignOnAccount, DefaultAccount), User: names[0]}
}

package console

import "github.com/polymq/polymq/core"

// keysPage is the data of keys.html.
type keysPage struct {
	Keys []core.Key
	Next string
}

// listKeys lists the access keys of the account.
func (s *Server) listKeys(x *exchange) error {
	found, err := s.broker.ListKeys(x.ctx(), core.ListKeysInput{Account: x.account, After: x.r.URL.Query().Get("after"), Limit: listed})
	if err != nil {
		return err
	}
	data := keysPage{Keys: found.Keys, Next: found.Next}
	if x.partial() {
		return s.part(x, "keys.html", "rows", data)
	}
	return s.show(x, "keys.html", &page{Title: "Access keys", Active: "keys", Data: data, Snippets: keysSnippets(x)})
}

// madeKey is a key with its secret, which is shown only once.
type madeKey struct{ ID, Secret string }

// createKey makes an access key, and shows its secret this once.
func (s *Server) createKey(x *exchange) error {
	in := core.NewKey{Account: x.account, User: x.field("user"), Admin: x.field("admin") != ""}
	if in.Admin {
		if err := x.may(toRule); err != nil {
			return err
		}
	}
	if in.User != "" { // a slip of the finger is not to make one
		if _, err := s.broker.Identity(x.ctx(), core.IdentityName{Account: in.Account, Kind: core.User, Name: in.User}); err != nil {
			return err
		}
	}
	key, err := s.broker.CreateKey(x.ctx(), in)
	if err != nil {
		return err
	}
	x.w.Header().Set("Hx-Trigger", "keys-changed")
	return s.part(x, "keys.html", "made", madeKey{key.ID, string(key.Secret)})
}

// disableKey makes a key unusable, or usable again.
func (s *Server) disableKey(x *exchange) error {
	disabled := x.field("disabled") != ""
	if err := x.sparesOwnKey(); err != nil {
		return err
	}
	if _, err := s.ownKey(x); err != nil {
		return err
	}
	if _, err := s.broker.DisableKey(x.ctx(), x.r.PathValue("key"), disabled); err != nil {
		return err
	}
	if disabled {
		return x.done("/keys", x.t("Access key %s is disabled: requests that are signed with it are refused.", x.r.PathValue("key")))
	}
	return x.done("/keys", x.t("Access key %s can be used again.", x.r.PathValue("key")))
}

// deleteKey deletes a key.
func (s *Server) deleteKey(x *exchange) error {
	if err := x.sparesOwnKey(); err != nil {
		return err
	}
	key, err := s.ownKey(x)
	if err != nil {
		return err
	}
	f := x.form()
	f.confirm(key.ID)
	if f.err != nil {
		return f.err
	}
	if err := s.broker.DeleteKey(x.ctx(), key.ID); err != nil {
		return err
	}
	return x.done("/keys", x.t("Access key %s was deleted.", key.ID))
}

// ownKey gives the key that the path names, where it is one of the account that the page is about. That of who
// administers all accounts is the affair of those who do.
func (s *Server) ownKey(x *exchange) (*core.Key, error) {
	key, err := s.broker.Key(x.ctx(), x.r.PathValue("key"))
	if err != nil {
		return nil, err
	}
	if key.Account != x.account || key.Admin && !x.session.grants.Everywhere {
		return nil, x.problem(core.KeyNotFound, x.t(meanings[core.KeyNotFound].text))
	}
	return key, nil
}

// sparesOwnKey refuses to take away the key that the visitor is logged in with.
func (x *exchange) sparesOwnKey() error {
	if x.session.key != nil && x.session.key.ID == x.r.PathValue("key") {
		return x.problem(core.InvalidArgument, x.t("You are logged in with this key. Log in with another one first."))
	}
	return nil
}

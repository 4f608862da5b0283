package console

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
)

// loginPage is the data of login.html.
type loginPage struct {
	Next   string
	KeyID  string
	Failed bool
	User   string // whom a proxy has signed on, and who may not use the console
}

// askToLogIn leads to the login, and from there back.
func (s *Server) askToLogIn(x *exchange) error {
	if x.partial() {
		x.w.Header().Set("Hx-Redirect", prefix+"/login")
		return nil
	}
	next := ""
	if x.r.Method != http.MethodPost {
		next = "?next=" + url.QueryEscape(x.r.URL.RequestURI())
	}
	http.Redirect(x.w, x.r, prefix+"/login"+next, http.StatusSeeOther)
	return nil
}

// showLogin shows the form for an access key.
func (s *Server) showLogin(x *exchange) error {
	if x.session.grants != nil {
		http.Redirect(x.w, x.r, prefix+"/", http.StatusSeeOther)
		return nil
	}
	return s.show(x, "login.html", &page{Title: "Log in", Data: loginPage{Next: ownPath(x.r.URL.Query().Get("next")), User: x.session.signedOn}})
}

// logIn begins a session for an access key that opens the console. Whatever is wrong with the key, the answer is the same.
func (s *Server) logIn(x *exchange) error {
	id, next := x.field("id"), ownPath(x.field("next"))
	if !s.logins.Allow(x.caller.RemoteAddr, id) {
		return errThrottled
	}
	key, _, err := s.opener(x, id)
	if err != nil {
		return err
	}
	known := core.Secret("no key has this secret, but comparing takes its time")
	if key != nil {
		known = key.Secret
	}
	x.action, x.caller.AccessKeyID = "ConsoleLogin", id
	if !known.Equal(x.r.PostFormValue("secret")) || key == nil {
		s.logins.Failed(x.caller.RemoteAddr, id)
		s.audit(x, caller.Audited{Code: "Unauthenticated", Text: "no access key that opens the console, or another secret"})
		s.write(x, http.StatusUnauthorized, "login.html", "", &page{Title: "Log in", Data: loginPage{Next: next, KeyID: id, Failed: true}})
		return nil
	}
	if _, err := s.startSession(x, key); err != nil {
		return err
	}
	x.acts(key)
	s.audit(x, caller.Audited{})
	http.Redirect(x.w, x.r, next, http.StatusSeeOther)
	return nil
}

// logOut ends the session in this browser.
func (s *Server) logOut(x *exchange) error {
	http.SetCookie(x.w, x.cookie(sessionCookie, "", -1))
	http.Redirect(x.w, x.r, prefix+"/login", http.StatusSeeOther)
	return nil
}

// ownPath gives a path of the console as it is, and the console's own for everything else.
func ownPath(given string) string {
	u, err := url.Parse(given) // and not out of the console by "..", however it is spelled
	if err != nil || !strings.HasPrefix(given, prefix+"/") || !strings.HasPrefix(path.Clean(u.Path)+"/", prefix+"/") ||
		strings.ContainsAny(given, "\\\r\n\t") || strings.Contains(given, "//") {
		return prefix + "/"
	}
	return given
}

// setPreferences keeps the language and the colours in cookies.
func (s *Server) setPreferences(x *exchange) error {
	if language := x.field("language"); isLanguage(language) {
		http.SetCookie(x.w, x.cookie(languageCookie, language, preferenceLife))
	}
	if theme := x.field("theme"); isTheme(theme) {
		http.SetCookie(x.w, x.cookie(themeCookie, theme, preferenceLife))
	}
	http.Redirect(x.w, x.r, ownPath(x.field("back")), http.StatusSeeOther)
	return nil
}

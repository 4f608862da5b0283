package console

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// languageName is a language that the console speaks.
type languageName struct {
	Code string
	Name string // in the language itself
}

// languages are those that the console speaks; the first is that of the texts in the templates.
var languages = []languageName{{"en", "English"}, {"zh", "中文"}}

func isLanguage(code string) bool {
	for _, language := range languages {
		if language.Code == code {
			return true
		}
	}
	return false
}

func isTheme(theme string) bool { return theme == "auto" || theme == "light" || theme == "dark" }

// languageOf gives the language that was picked, else the one that the browser prefers.
func languageOf(r *http.Request) string {
	if cookie, err := r.Cookie(languageCookie); err == nil && isLanguage(cookie.Value) {
		return cookie.Value
	}
	best, weight := languages[0].Code, 0.0
	for _, part := range strings.Split(r.Header.Get("Accept-Language"), ",") {
		tag, parameters, _ := strings.Cut(strings.TrimSpace(part), ";")
		code, _, _ := strings.Cut(strings.ToLower(tag), "-")
		quality := 1.0
		if q, ok := strings.CutPrefix(strings.TrimSpace(parameters), "q="); ok {
			quality, _ = strconv.ParseFloat(q, 64) // 0 for nonsense
		}
		if isLanguage(code) && quality > weight {
			best, weight = code, quality
		}
	}
	return best
}

func themeOf(r *http.Request) string {
	if cookie, err := r.Cookie(themeCookie); err == nil && isTheme(cookie.Value) {
		return cookie.Value
	}
	return "auto"
}

// translate gives a text in a language, formatted as by fmt.Sprintf where there are arguments.
func translate(language, text string, args ...any) string {
	if language == "zh" {
		if translated, ok := chinese[text]; ok {
			text = translated
		}
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

package console

import (
	"regexp"
	"strings"
	"sync"

	"github.com/polymq/polymq/core"
)

// detailForm finds what was put into a form of core.EventDetails.
type detailForm struct {
	text    string
	pattern *regexp.Regexp
}

var detailForms = sync.OnceValue(func() []detailForm {
	forms := make([]detailForm, len(core.EventDetails))
	for i, text := range core.EventDetails {
		value := `(\S+)` // names and numbers have no blanks
		if strings.HasSuffix(text, ": %v") {
			value = `(.+)`
		}
		forms[i] = detailForm{text, regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(text), "%v", value) + "$")}
	}
	return forms
})

// detail gives what the core says of an event in a language; in its own words where it has no form for them.
func detail(language, text string) string {
	if language == languages[0].Code {
		return text
	}
	if i := strings.LastIndex(text, core.DetailSeparator); i >= 0 {
		if next, known := formed(language, text[i+len(core.DetailSeparator):]); known {
			why, _ := formed(language, text[:i])
			return why + "；" + next
		}
	}
	text, _ = formed(language, text)
	return text
}

// formed gives a text of one of the forms in a language, and whether it has one.
func formed(language, text string) (translated string, known bool) {
	for _, form := range detailForms() {
		if found := form.pattern.FindStringSubmatch(text); found != nil {
			values := make([]any, len(found)-1)
			for i := range values {
				values[i] = found[i+1]
			}
			return translate(language, form.text, values...), true
		}
	}
	return text, false
}

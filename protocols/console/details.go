package console

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/polymq/polymq/core"
)

// textForm finds what was put into a form of text.
type textForm struct {
	text    string
	pattern *regexp.Regexp
}

var (
	detailForms = sync.OnceValue(func() []textForm { return formsOf(core.EventDetails) })
	errorForms  = sync.OnceValue(func() []textForm { return formsOf(errorTexts) })
)

func formsOf(texts []string) []textForm {
	forms := make([]textForm, len(texts))
	for i, text := range texts {
		value := `(\S+)` // names and numbers have no blanks
		if strings.HasSuffix(text, ": %v") {
			value = `(.*)`
		}
		forms[i] = textForm{text, regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(text), "%v", value) + "$")}
	}
	return forms
}

// detail gives what the core says of an event in a language; in its own words where it has no form for them.
func detail(language, text string) string {
	if language == languages[0].Code {
		return text
	}
	if i := strings.LastIndex(text, core.DetailSeparator); i >= 0 {
		if next, known := formed(language, text[i+len(core.DetailSeparator):], detailForms(), asItIs); known {
			why, _ := formed(language, text[:i], detailForms(), asItIs)
			return why + "；" + next
		}
	}
	text, _ = formed(language, text, detailForms(), asItIs)
	return text
}

// failure gives why a notification of an alert was not delivered: "webhook: the connection was refused".
func failure(language, text string) string {
	if language == languages[0].Code {
		return text
	}
	way, why, found := strings.Cut(text, ": ")
	if !found || !slices.Contains(core.DestinationTypes, core.DestinationType(way)) {
		way, why = "", text
	} else {
		way += "："
	}
	if known, is := formed(language, why, errorForms(), asItIs); is {
		return way + known
	}
	return way + detail(language, why)
}

// asItIs leaves a value of a form as it is.
func asItIs(_, value string) string { return value }

// inUnits gives a length of time in the language's units, and every other value as it is.
func inUnits(language, value string) string {
	if d, err := time.ParseDuration(value); err == nil && d >= time.Second {
		return showDuration(language, d)
	}
	return value
}

// formed gives a text of one of the forms in a language, and whether it has one.
func formed(language, text string, forms []textForm, show func(language, value string) string) (translated string, known bool) {
	for _, form := range forms {
		if found := form.pattern.FindStringSubmatch(text); found != nil {
			values := make([]any, len(found)-1)
			for i := range values {
				values[i] = show(language, found[i+1])
			}
			return translate(language, form.text, values...), true
		}
	}
	return text, false
}

package policy

import (
	"strings"
	"unicode/utf8"
)

// Wildcards stand in a pattern as bytes that no text has.
const (
	anyText = "\xff" // *
	anyRune = "\xfe" // ?
)

var wildcards = strings.NewReplacer("*", anyText, "?", anyRune)

// pattern is a text with wildcards, and with variables that are filled in for each request.
type pattern struct {
	text      string
	variables bool
}

// newPattern reads a pattern as policies write it.
func newPattern(text string, variables bool) (pattern, error) {
	if !variables || !strings.Contains(text, "${") {
		return pattern{text: wildcards.Replace(text)}, nil
	}
	return newText(text, wildcards.Replace)
}

// newText reads a text that may have variables; what is outside of them goes through literal.
func newText(text string, literal func(string) string) (pattern, error) {
	var p pattern
	var built strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		built.WriteString(literal(before))
		if !found {
			p.text = built.String()
			return p, nil
		}
		name, behind, closed := strings.Cut(rest, "}")
		if !closed {
			return p, malformed("a policy variable in %.100q has no end", text)
		}
		switch name {
		case "*", "?", "$":
			built.WriteString(name)
		default:
			if _, err := parseVariable(name); err != nil {
				return p, err
			}
			built.WriteString("${" + name + "}")
			p.variables = true
		}
		text = behind
	}
}

// variable is a key whose value is filled in, or a text where there is none.
type variable struct {
	key        string // in lower case
	otherwise  string
	hasDefault bool
}

func parseVariable(text string) (variable, error) {
	key, otherwise, hasDefault := strings.Cut(text, ",")
	v := variable{key: strings.ToLower(strings.TrimSpace(key)), hasDefault: hasDefault}
	if v.key == "" || strings.ContainsAny(v.key, "${} ") {
		return v, malformed("%.100q is no policy variable", text)
	}
	if hasDefault {
		otherwise = strings.TrimSpace(otherwise)
		if len(otherwise) < 2 || otherwise[0] != '\'' || otherwise[len(otherwise)-1] != '\'' {
			return v, malformed("the default of the policy variable %.100q must stand in single quotes", text)
		}
		v.otherwise = otherwise[1 : len(otherwise)-1]
	}
	return v, nil
}

// plain says that the pattern matches one text only, which it is.
func (p pattern) plain() bool {
	return !p.variables && !strings.Contains(p.text, anyText) && !strings.Contains(p.text, anyRune)
}

// fill gives the pattern for a request, ok false where the request has no value for one of its variables.
func (p pattern) fill(r *Request) (filled string, ok bool) {
	if !p.variables {
		return p.text, true
	}
	var built strings.Builder
	text := p.text
	for {
		before, rest, found := strings.Cut(text, "${")
		built.WriteString(before)
		if !found {
			return built.String(), true
		}
		name, behind, _ := strings.Cut(rest, "}")
		v, _ := parseVariable(name) // newText has read it
		value := v.otherwise
		if values := r.values(v.key); len(values) == 1 {
			value = strings.ToValidUTF8(values[0], "\uFFFD") // so that it brings no wildcards of its own
		} else if !v.hasDefault || len(values) > 1 {
			return "", false
		}
		built.WriteString(value)
		text = behind
	}
}

// matchFor says that the pattern, filled in for the request, matches the text.
func (p pattern) matchFor(r *Request, text string) bool {
	filled, ok := p.fill(r)
	return ok && glob(filled, text)
}

// match says that the pattern, which has no variables, matches the text.
func (p pattern) match(text string) bool { return glob(p.text, text) }

// glob matches a text with a pattern. Each part between two stars is looked for from the left, where
// the one before it ended, and never again: that is right, since a star takes whatever lies between,
// and costs at most the product of both lengths.
func glob(pattern, text string) bool {
	first, rest, starred := strings.Cut(pattern, anyText)
	n := matchHere(first, text)
	if n < 0 || !starred {
		return n == len(text)
	}
	text = text[n:]
	for {
		part, behind, more := strings.Cut(rest, anyText)
		if !more {
			return endsWith(part, text)
		}
		var found bool
		if text, found = textBehind(part, text); !found {
			return false
		}
		rest = behind
	}
}

// textBehind gives what is behind the first place where the part, which has no star, matches.
func textBehind(part, text string) (behind string, found bool) {
	if !strings.Contains(part, anyRune) {
		_, behind, found = strings.Cut(text, part)
		return behind, found
	}
	for {
		if n := matchHere(part, text); n >= 0 {
			return text[n:], true
		}
		if text == "" {
			return "", false
		}
		_, size := utf8.DecodeRuneInString(text)
		text = text[size:]
	}
}

// matchHere matches a part, which has no star, with the beginning of the text: how much it takes, -1 for no match.
func matchHere(part, text string) int {
	at := 0
	for {
		literal, rest, more := strings.Cut(part, anyRune)
		if !strings.HasPrefix(text[at:], literal) {
			return -1
		}
		at += len(literal)
		if !more {
			return at
		}
		if at == len(text) {
			return -1
		}
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
		part = rest
	}
}

// endsWith says that the part, which has no star, matches the end of the text.
func endsWith(part, text string) bool {
	start := len(text)
	for range utf8.RuneCountInString(part) { // a ? counts as one, being no valid text
		if start == 0 {
			return false
		}
		_, size := utf8.DecodeLastRuneInString(text[:start])
		start -= size
	}
	return matchHere(part, text[start:]) == len(text)-start
}

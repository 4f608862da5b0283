package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of a policy. Each cloud's are narrower; which ones, depends on what the policy is of.
const (
	MaxBytes  = 128 << 10
	maxDepth  = 8
	maxValues = 10_000 // in the whole document
)

// A SyntaxError says what is wrong with a policy's text.
type SyntaxError struct{ Reason string }

// Error gives the reason.
func (e *SyntaxError) Error() string { return e.Reason }

func malformed(format string, args ...any) error {
	return &SyntaxError{fmt.Sprintf(format, args...)}
}

// ParseAWS reads a policy of IAM's language. SyntaxError.
func ParseAWS(text string, kind Kind) (*Policy, error) { return AWS.Parse(text, kind) }

// ParseRAM reads a policy of RAM's language. SyntaxError.
func ParseRAM(text string, kind Kind) (*Policy, error) { return RAM.Parse(text, kind) }

// Parse reads a policy. SyntaxError.
func (l Language) Parse(text string, kind Kind) (*Policy, error) {
	root, err := readObject(text)
	if err != nil {
		return nil, err
	}
	p := &Policy{Kind: kind}
	for _, m := range root.members {
		switch m.name {
		case "Version":
			p.Version, err = textOf("Version", m.value)
		case "Id":
			p.ID, err = textOf("Id", m.value)
		case "Statement":
			continue
		default:
			err = malformed("a policy has no element %.64q", m.name)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := l.checkVersion(p.Version); err != nil {
		return nil, err
	}
	return p, l.parseStatements(p, root.get("Statement"), kind)
}

func (l Language) checkVersion(version string) error {
	switch {
	case l == RAM && version != "1":
		return malformed(`the Version of a policy must be "1"`)
	case l == AWS && version != "" && version != variablesVersion && version != "2008-10-17":
		return malformed("the Version of a policy must be 2012-10-17 or 2008-10-17, was %.64q", version)
	}
	return nil
}

// variablesVersion is the version of the language that has variables.
const variablesVersion = "2012-10-17"

func (l Language) parseStatements(p *Policy, value any, kind Kind) error {
	list, isList := value.([]any)
	if _, isOne := value.(*object); isOne {
		list = []any{value}
	} else if !isList || len(list) == 0 {
		return malformed("a policy needs a Statement")
	}
	sids := map[string]bool{}
	for i, value := range list {
		o, ok := value.(*object)
		if !ok {
			return malformed("a statement must be an object")
		}
		s, err := l.parseStatement(o, kind, l == AWS && p.Version == variablesVersion)
		if err != nil {
			return err
		}
		if s.Sid != "" && sids[s.Sid] && kind != Resource {
			return malformed("Statement IDs (SID) in a single policy must be unique, %.64q is not", s.Sid)
		}
		s.Index, sids[s.Sid] = i, true
		p.Statements = append(p.Statements, s)
	}
	p.index()
	return nil
}

func (l Language) parseStatement(o *object, kind Kind, variables bool) (*Statement, error) {
	s := &Statement{}
	for _, m := range o.members {
		var err error
		switch m.name {
		case "Sid":
			s.Sid, err = textOf("Sid", m.value)
		case "Effect":
			if s.Allow = m.value == "Allow"; !s.Allow && m.value != "Deny" {
				err = malformed("the Effect of a statement must be Allow or Deny")
			}
		case "Action", "NotAction":
			s.notAction = m.name == "NotAction"
			s.actions, err = parseActions(m.name, m.value)
		case "Resource", "NotResource":
			s.notResource = m.name == "NotResource"
			s.resources, err = l.parseResources(m.name, m.value, kind, variables)
		case "Principal", "NotPrincipal":
			s.notPrincipal = m.name == "NotPrincipal"
			s.principals, err = l.parsePrincipals(m.value)
		case "Condition":
			s.conditions, err = parseConditions(m.value, variables)
		default:
			err = malformed("a statement has no element %.64q", m.name)
		}
		if err != nil {
			return nil, err
		}
	}
	s.nobody = kind == Resource && s.principals == nil
	if err := checkElements(o, kind); err != nil {
		return nil, err
	}
	if kind == Trust && slices.ContainsFunc(s.actions, ofAnotherService) {
		return nil, malformed("AssumeRole policy may only specify STS AssumeRole actions.")
	}
	return s, nil
}

// ofAnotherService says that an action is one of a service, and not of STS.
func ofAnotherService(action pattern) bool {
	return strings.Contains(action.text, ":") && !strings.HasPrefix(action.text, "sts:")
}

// checkElements says whether a statement of that kind has what it needs, and nothing else. That of a resource may name nobody.
func checkElements(o *object, kind Kind) error {
	count := func(name string) (n int) {
		for _, m := range o.members {
			if m.name == name || m.name == "Not"+name {
				n++
			}
		}
		return n
	}
	wants := map[string]int{"Effect": 1, "Action": 1, "Resource": 1, "Principal": 0}
	switch kind {
	case Resource:
		wants["Principal"] = min(count("Principal"), 1)
	case Trust:
		if o.get("NotPrincipal") != nil { // whoever is not named would be trusted
			return malformed("a statement of a %s has no NotPrincipal", kind)
		}
		wants["Principal"], wants["Resource"] = 1, 0
	}
	for _, name := range []string{"Effect", "Action", "Resource", "Principal"} {
		switch n := count(name); {
		case n > 1:
			return malformed("a statement has either %s or Not%s", name, name)
		case n < wants[name]:
			return malformed("a statement of %s needs %s", article(kind), name)
		case n > wants[name]:
			return malformed("a statement of %s has no %s", article(kind), name)
		}
	}
	return nil
}

func article(kind Kind) string {
	if kind == Identity {
		return "an " + kind.String()
	}
	return "a " + kind.String()
}

// parseActions reads actions: "*", or SERVICE:NAME, in which the name may have wildcards.
func parseActions(element string, value any) (list []pattern, err error) {
	texts, err := textsOf(element, value)
	if err != nil {
		return nil, err
	}
	for _, text := range texts {
		service, name, ok := strings.Cut(text, ":")
		if text != "*" && (!ok || !isWord(service, "-") || !isWord(name, "*?-")) {
			return nil, malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: %.128q", text)
		}
		list = append(list, pattern{text: wildcards.Replace(strings.ToLower(text))})
	}
	return list, nil
}

// isWord says that a text has letters of ASCII, digits and the characters given, and at least one.
func isWord(s, more string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(more, r)
	})
}

func (l Language) parseResources(element string, value any, kind Kind, variables bool) (list []pattern, err error) {
	texts, err := textsOf(element, value)
	if err != nil {
		return nil, err
	}
	prefix, colons := "arn:", 5
	if l == RAM {
		prefix, colons = "acs:", 4
	}
	for _, text := range texts {
		isARN := strings.HasPrefix(text, prefix) && (strings.Count(text, ":") >= colons || strings.Contains(text, "*"))
		if text != "*" && !isARN && kind != Resource {
			return nil, malformed("Resource %.256q must be in ARN format or \"*\".", text)
		}
		p, err := newPattern(text, variables)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// object is a JSON object with its members in order.
type object struct{ members []member }

type member struct {
	name  string
	value any // *object, []any, string, json.Number, bool, nil
}

func (o *object) get(name string) any {
	for _, m := range o.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// readObject reads a text that is one JSON object and nothing else. A name may stand in an object only
// once: which one counts would be for each reader to guess.
func readObject(text string) (*object, error) {
	switch {
	case len(text) > MaxBytes:
		return nil, malformed("a policy has at most %d bytes", MaxBytes)
	case !utf8.ValidString(text):
		return nil, malformed("a policy must be text in UTF-8")
	}
	r := reader{decoder: json.NewDecoder(strings.NewReader(text)), left: maxValues}
	r.decoder.UseNumber()
	value, err := r.value(0)
	if err == nil {
		if _, more := r.decoder.Token(); !errors.Is(more, io.EOF) {
			err = malformed("there is something behind the policy")
		}
	}
	if syntax := (*SyntaxError)(nil); err != nil && !errors.As(err, &syntax) {
		err = malformed("The policy is not in the valid JSON format: %v", err)
	}
	o, ok := value.(*object)
	if err == nil && !ok {
		err = malformed("a policy must be a JSON object")
	}
	return o, err
}

type reader struct {
	decoder *json.Decoder
	left    int // values
}

func (r *reader) value(depth int) (any, error) {
	token, err := r.decoder.Token()
	if err != nil {
		return nil, err
	}
	if r.left--; depth > maxDepth || r.left < 0 {
		return nil, malformed("a policy has at most %d values, at most %d deep in each other", maxValues, maxDepth)
	}
	switch token {
	case json.Delim('{'):
		return r.object(depth)
	case json.Delim('['):
		list := []any{}
		for r.decoder.More() {
			value, err := r.value(depth + 1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err := r.decoder.Token()
		return list, err
	}
	return token, nil
}

func (r *reader) object(depth int) (*object, error) {
	o := &object{}
	seen := map[string]bool{}
	for r.decoder.More() {
		token, err := r.decoder.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string) // names of objects are nothing else
		if seen[name] {
			return nil, malformed("%.64q is given twice", name)
		}
		seen[name] = true
		value, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		o.members = append(o.members, member{name, value})
	}
	_, err := r.decoder.Token()
	return o, err
}

// textOf reads an element that is one text.
func textOf(element string, value any) (string, error) {
	text, ok := value.(string)
	if !ok {
		return "", malformed("%s must be a string", element)
	}
	return text, nil
}

// textsOf reads an element that is a text or a list of them.
func textsOf(element string, value any) ([]string, error) {
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	if len(list) == 0 {
		return nil, malformed("%s must not be empty", element)
	}
	texts := make([]string, len(list))
	for i, value := range list {
		text, ok := value.(string)
		if !ok || text == "" {
			return nil, malformed("%s must be a string or a list of strings", element)
		}
		texts[i] = text
	}
	return slices.Clip(texts), nil
}

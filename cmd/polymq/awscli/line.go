package awscli

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"
)

// line is a command line, taken apart.
type line struct {
	service, command                string
	region, endpoint, output, query string
	version                         bool
	options                         []option
}

// option is one of an operation's, with the values behind it.
type option struct {
	name   string
	values []string
}

// ignored are options of the official command line that change nothing here; true where a value follows.
var ignored = map[string]bool{
	"no-cli-pager": false, "no-verify-ssl": false, "no-sign-request": false, "no-paginate": false, "debug": false,
	"profile": true, "cli-read-timeout": true, "cli-connect-timeout": true, "color": true, "cli-binary-format": true, "ca-bundle": true,
	"page-size": true,
}

// renamed are the options that the official command line does not call by their members' names.
var renamed = map[string]string{"notification-endpoint": "endpoint"}

// parseLine takes a command line apart.
func parseLine(args []string) (line, error) {
	l := line{output: "json"}
	texts := map[string]*string{"region": &l.region, "endpoint-url": &l.endpoint, "output": &l.output, "query": &l.query}
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		name, isOption := strings.CutPrefix(word, "--")
		name, value, joined := strings.Cut(name, "=")
		takesValue, skip := ignored[name]
		switch {
		case !isOption && l.service == "":
			l.service = word
		case !isOption && l.command == "":
			l.command = word
		case !isOption:
			return l, fmt.Errorf("unknown options: %s", word)
		case name == "version":
			l.version = true
		case skip:
			if takesValue && !joined && len(args) > 0 {
				args = args[1:]
			}
		case texts[name] != nil:
			if !joined {
				if len(args) == 0 {
					return l, fmt.Errorf("argument --%s: expected one argument", name)
				}
				value, args = args[0], args[1:]
			}
			*texts[name] = value
		default:
			o := option{name: name}
			if joined {
				o.values = []string{value}
			}
			for len(args) > 0 && !strings.HasPrefix(args[0], "--") {
				o.values, args = append(o.values, args[0]), args[1:]
			}
			l.options = append(l.options, o)
		}
	}
	if l.command == "" && !l.version {
		return l, fmt.Errorf("usage: aws [options] <sqs|sns|sts> <command> [--option value ...]")
	}
	return l, nil
}

// fill sets the members of an operation's input.
func (l line) fill(input reflect.Value) error {
	for _, o := range l.options {
		field := member(input, pascal(cmp.Or(renamed[o.name], o.name)))
		negated := false
		if !field.IsValid() {
			if name, no := strings.CutPrefix(o.name, "no-"); no {
				field, negated = member(input, pascal(name)), true
			}
		}
		if !field.IsValid() {
			return fmt.Errorf("unknown options: --%s", o.name)
		}
		if len(o.values) == 0 && isFlag(field) {
			o.values = []string{fmt.Sprint(!negated)}
		}
		if err := set(field, o.values); err != nil {
			return fmt.Errorf("error parsing parameter '--%s': %w", o.name, err)
		}
	}
	return nil
}

// member finds a member by its name in any case: AWSAccountIds is --aws-account-ids.
func member(input reflect.Value, name string) reflect.Value {
	return input.FieldByNameFunc(func(field string) bool { return strings.EqualFold(field, name) && field != "ResultMetadata" })
}

func isFlag(field reflect.Value) bool {
	t := field.Type()
	return t.Kind() == reflect.Bool || t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Bool
}

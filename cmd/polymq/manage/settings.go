package manage

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/polymq/polymq/cmd/polymq/client"
)

// setting is a flag that stands for a field of the JSON API.
type setting struct {
	flag, field string
	value       any // of the flag while it is not given; its type is the flag's
	usage       string
}

// span is the value of a flag that is a length of time, in seconds.
type span int

// String is of pflag.Value.
func (s *span) String() string { return seconds(int(*s)) }

// Type is of pflag.Value.
func (s *span) Type() string { return "duration" }

// Set is of pflag.Value: 90s, 1h30m, 4d, or a number of seconds.
func (s *span) Set(text string) error {
	if n, err := strconv.Atoi(text); err == nil {
		*s = span(n)
		return nil
	}
	d, err := client.ParseSpan(text)
	if err != nil {
		return err
	}
	if d%time.Second != 0 {
		return errors.New("must be whole seconds")
	}
	*s = span(d / time.Second)
	return nil
}

// bindChanges adds the flags of settings where those that are not named stay, so that they have no defaults.
func bindChanges(flags *pflag.FlagSet, settings []setting) {
	bindSettings(flags, settings)
	for _, s := range settings {
		withoutDefaults(flags, s.flag)
	}
}

// withoutDefaults has the help show no defaults of flags.
func withoutDefaults(flags *pflag.FlagSet, names ...string) {
	for _, name := range names {
		flag := flags.Lookup(name)
		flag.Usage, _, _ = strings.Cut(flag.Usage, " (default")
		flag.DefValue = "" // is not shown
		if kind := flag.Value.Type(); kind == "int" || kind == "duration" {
			flag.DefValue = "0" // nor is that
		}
	}
}

// bindSettings adds the flags of settings.
func bindSettings(flags *pflag.FlagSet, settings []setting) {
	for _, s := range settings {
		switch value := s.value.(type) {
		case span:
			v := value
			flags.Var(&v, s.flag, s.usage)
		case bool:
			flags.Bool(s.flag, value, s.usage)
		case int:
			flags.Int(s.flag, value, s.usage)
		case string:
			flags.String(s.flag, value, s.usage)
		default:
			panic(fmt.Sprintf("the flag %s has a value of no known type", s.flag))
		}
		if strings.Contains(s.usage, "(default: ") {
			flags.Lookup(s.flag).DefValue = "" // the usage has said it
		}
	}
}

// given gives the fields of the settings that were named on the command line.
func given(flags *pflag.FlagSet, settings []setting) map[string]any {
	fields := map[string]any{}
	for _, s := range settings {
		flag := flags.Lookup(s.flag)
		if !flag.Changed {
			continue
		}
		switch value := flag.Value.(type) {
		case *span:
			fields[s.field] = int(*value)
		default:
			fields[s.field] = plain(flag)
		}
	}
	return fields
}

// plain gives the value of a flag as JSON has it.
func plain(flag *pflag.Flag) any {
	text := flag.Value.String()
	switch flag.Value.Type() {
	case "bool":
		return text == "true"
	case "int":
		n, _ := strconv.Atoi(text) // the flag has read it already
		return n
	}
	return text
}

// tagFlags are those of what has tags.
func tagFlags(flags *pflag.FlagSet, removable bool) {
	flags.StringToString("tag", nil, "`NAME=VALUE` of a tag, several with commas or by repeating the flag")
	flags.Lookup("tag").DefValue = "" // instead of []
	if removable {
		flags.StringSlice("untag", nil, "`NAME` of a tag to remove")
	}
}

// addTags puts the tags that are given, and null for those to remove, into the fields of a request.
func addTags(flags *pflag.FlagSet, fields map[string]any) {
	tags := map[string]any{}
	added, _ := flags.GetStringToString("tag") // the flags are there
	for name, value := range added {
		tags[name] = value
	}
	if flags.Lookup("untag") != nil {
		removed, _ := flags.GetStringSlice("untag")
		for _, name := range removed {
			tags[name] = nil
		}
	}
	if len(tags) > 0 {
		fields["tags"] = tags
	}
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

package console

import (
	"strconv"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
)

// form reads the fields of a request; the first fault is kept.
type form struct {
	x   *exchange
	err error
}

func (x *exchange) form() *form { return &form{x: x} }

// fieldTitles are the labels of fields, for errors.
var fieldTitles = map[string]string{
	"visibility": "Visibility timeout", "delay": "Delay", "retention": "Retention", "wait": "Receive wait", "max_message_size": "Largest message",
	"max_receives": "Receives before that", "copies": "Copies", "priority": "Priority", "limit": "Messages", "rate": "Messages a second", "by": "By",
	"percent": "Calls that are hit, in percent", "most": "Hits at most", "length": "Holds for", "min": "Late by at least", "max": "Late by at most", "session": "Longest session",
	"topic_retention": "Give up after", "archive": "Archive",
	"for": "For so many seconds", "repeat": "Tell again every so many seconds",
}

// number gives a whole number from 1 to a bound, or the default where the field is empty.
func (f *form) number(name string, high, otherwise int) int {
	text := f.x.field(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if (err != nil || n < 1 || n > high) && f.err == nil {
		f.err = f.x.problem(core.InvalidArgument, f.x.t("%s must be a whole number from 1 to %d.", f.x.t(fieldTitles[name]), high))
	}
	return n
}

// decimal gives a number from 0 to a bound, or the default where the field is empty.
func (f *form) decimal(name string, high, otherwise float64) float64 {
	text := f.x.field(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseFloat(text, 64)
	if (err != nil || !(n >= 0 && n <= high)) && f.err == nil {
		f.err = f.x.problem(core.InvalidArgument, f.x.t("%s must be a number from 0 to %d.", f.x.t(fieldTitles[name]), int64(high)))
	}
	return n
}

// duration gives a length of time that the field has in the unit, nil where it is empty.
func (f *form) duration(name string, unit, most time.Duration) *time.Duration {
	text := f.x.field(name)
	if text == "" {
		return nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if (err != nil || !(n >= 0 && n <= float64(most/unit))) && f.err == nil {
		f.err = f.x.problem(core.InvalidArgument, f.x.t("%s must be a number from 0 to %d.", f.x.t(fieldTitles[name]), int64(most/unit)))
		return nil
	}
	d := time.Duration(n * float64(unit)).Round(time.Millisecond) // a minute is no round number of hours
	return &d
}

// fail keeps a fault that the visitor is told, unless there is one already.
func (f *form) fail(text string) {
	if f.err == nil {
		f.err = f.x.problem(core.InvalidArgument, text)
	}
}

// maxTags is how many tags a form may hold, as many as SQS and SNS take.
const maxTags = 50

// tags reads the lines of a form that are tags, and gives what has to change for them to be all there are.
func (f *form) tags(have map[string]string) map[string]*string {
	change := map[string]*string{}
	for name := range have {
		change[name] = nil
	}
	lines := 0
	for line := range strings.Lines(f.x.field("tags")) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if name == "" && !ok {
			continue
		}
		if name = strings.TrimSpace(name); name == "" || !ok {
			f.fail(f.x.t("%s is no tag with a value, such as team=payments.", strings.TrimSpace(line)))
		}
		value = strings.TrimSpace(value)
		change[name] = &value
		if lines++; lines > maxTags {
			f.fail(f.x.t("There may be at most %d tags.", maxTags))
			break
		}
	}
	return change
}

// on says that a box is ticked.
func (f *form) on(name string) bool { return f.x.field(name) != "" }

// confirm checks that the name of what is to be removed was typed.
func (f *form) confirm(name string) {
	if f.err == nil && f.x.field("confirm") != name {
		f.err = f.x.problem(core.InvalidArgument, f.x.t("Nothing was removed: type the name %s to confirm.", name))
	}
}

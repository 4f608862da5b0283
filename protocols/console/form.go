package console

import (
	"strconv"
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
	if (err != nil || n < 0 || n > float64(most/unit)) && f.err == nil {
		f.err = f.x.problem(core.InvalidArgument, f.x.t("%s must be a number from 0 to %d.", f.x.t(fieldTitles[name]), int64(most/unit)))
		return nil
	}
	d := time.Duration(n * float64(unit))
	return &d
}

// on says that a box is ticked.
func (f *form) on(name string) bool { return f.x.field(name) != "" }

// confirm checks that the name of what is to be removed was typed.
func (f *form) confirm(name string) {
	if f.err == nil && f.x.field("confirm") != name {
		f.err = f.x.problem(core.InvalidArgument, f.x.t("Nothing was removed: type the name %s to confirm.", name))
	}
}

package ram

import (
	"cmp"
	"net/http"
	"regexp"
	"unicode/utf8"

	"github.com/polymq/polymq/protocols/openapi"
)

// Bounds of RAM's manual, in characters.
const (
	maxName        = 64 // of a user, a group or a role
	maxPolicyName  = 128
	maxDisplayName = 128
	maxComments    = 128 // of a user or a group
	maxDescription = 1024
	maxDocument    = 6144
	minAlias       = 3
	maxAlias       = 63
)

// Forms of RAM's manual.
var (
	nameForm   = regexp.MustCompile(`^[A-Za-z0-9._-]*$`) // of a user or a group
	roleForm   = regexp.MustCompile(`^[A-Za-z0-9.-]*$`)
	policyForm = regexp.MustCompile(`^[A-Za-z0-9-]*$`)
	aliasForm  = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	phoneForm  = regexp.MustCompile(`^[0-9]{1,5}-[0-9]{1,20}$`)
	mailForm   = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)
)

// wrong is a value that RAM does not take. The code says which, and why.
func wrong(parameter, why, message string) error {
	return openapi.NewFault(http.StatusBadRequest, "InvalidParameter."+parameter+why, message)
}

// checkName holds for a name that something is given here. What has one already, of IAM too, is found by whatever it is.
func checkName(parameter, name string, longest int, form *regexp.Regexp) error {
	if !form.MatchString(name) {
		return wrong(parameter, ".InvalidChars", `The parameter - "`+parameter+`" contains invalid chars.`)
	}
	return checkLength(parameter, name, longest)
}

// checkNewName is checkName of another name than there is; nil is none.
func checkNewName(parameter, is string, name *string, form *regexp.Regexp) error {
	if name == nil || *name == is {
		return nil
	}
	return checkName(parameter, *name, maxName, form)
}

func checkLength(parameter, text string, longest int) error {
	if utf8.RuneCountInString(text) > longest {
		return wrong(parameter, ".Length", `The parameter - "`+parameter+`" beyond the length limit.`)
	}
	return nil
}

func checkNewLength(parameter string, text *string, longest int) error {
	if text == nil {
		return nil
	}
	return checkLength(parameter, *text, longest)
}

// checkFormat passes over a text that is not given.
func checkFormat(parameter, text string, form *regexp.Regexp) error {
	if text != "" && !form.MatchString(text) {
		return wrong(parameter, ".Format", `The format of the parameter - "`+parameter+`" is incorrect.`)
	}
	return nil
}

// check says whether a contact is of RAM's form; prefix begins the names of its parameters.
func (c *contact) check(prefix string) error {
	return cmp.Or(
		checkLength(prefix+"DisplayName", c.DisplayName, maxDisplayName),
		checkFormat(prefix+"MobilePhone", c.MobilePhone, phoneForm),
		checkFormat(prefix+"Email", c.Email, mailForm),
	)
}

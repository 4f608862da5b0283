package sns

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/polymq/polymq/core"
)

// sandboxKind is the kind of the records of numbers in the sandbox, whose names are the numbers.
const sandboxKind = "sns.sandbox"

// isPhoneNumber says that a text is a number of E.164, with nothing between its digits.
func isPhoneNumber(s string) bool {
	number, ok := core.PhoneNumber(s)
	return ok && number == "+"+strings.TrimPrefix(s, "+")
}

// phoneNumber checks a number that a request is about.
func phoneNumber(number *string) (string, error) {
	if number == nil {
		return "", required("phoneNumber")
	}
	if !isPhoneNumber(*number) {
		return "", invalid("PhoneNumber Reason: input incorrectly formatted")
	}
	return "+" + strings.TrimPrefix(*number, "+"), nil
}

// sandboxPattern is the form of numbers in the sandbox, which may be those of a country without its prefix.
var sandboxPattern = regexp.MustCompile(`^(\+[0-9]{8,}|[0-9]{0,9})$`)

// maxSandboxNumber bounds a number in the sandbox.
const maxSandboxNumber = 20

// sandboxNumberOf checks a number that a request about the sandbox names.
func sandboxNumberOf(number *string) (string, error) {
	switch {
	case number == nil:
		return "", required("phoneNumber")
	case len(*number) > maxSandboxNumber:
		return "", constraint(*number, "phoneNumber", fmt.Sprintf("Member must have length less than or equal to %d", maxSandboxNumber))
	case *number == "" || !sandboxPattern.MatchString(*number):
		return "", constraint(*number, "phoneNumber", "Member must satisfy regular expression pattern: "+sandboxPattern.String())
	}
	return *number, nil
}

// sandboxNumber names the record of a number in the sandbox.
func (c *call) sandboxNumber(number string) core.RecordName {
	return core.RecordName{Account: c.Account, Region: c.Region, Kind: sandboxKind, Name: number}
}

// phone gives what a request's account knows of a phone by.
func (c *call) phone(number string) core.Phone {
	return core.Phone{Account: c.Account, Region: c.Region, Number: number}
}

// listRecords gives a page of the account's records of a kind.
func (s *Server) listRecords(ctx context.Context, c *call, kind, prefix, token string, limit int) (core.RecordPage, error) {
	after, err := readToken(token)
	if err != nil {
		return core.RecordPage{}, err
	}
	page, err := s.broker.ListRecords(ctx, core.ListRecordsInput{
		Account: c.Account, Region: c.Region, Kind: kind, Prefix: prefix, After: after, Limit: limit,
	})
	page.Next = makeToken(page.Next)
	return page, err
}

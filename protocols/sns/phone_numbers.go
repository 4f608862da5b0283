package sns

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/polymq/polymq/core"
)

// Kinds of records about phone numbers, which are the records' names.
const (
	optedOutKind = "sns.opted-out"
	sandboxKind  = "sns.sandbox"
)

// isPhoneNumber says that a text is a number of E.164.
func isPhoneNumber(s string) bool {
	digits := strings.TrimPrefix(s, "+")
	return len(digits) >= 2 && len(digits) <= 15 && digits[0] != '0' && strings.Trim(digits, "0123456789") == ""
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

func (c *call) record(kind, name string) core.RecordName {
	return core.RecordName{Account: c.Account, Region: c.Region, Kind: kind, Name: name}
}

func (s *Server) isOptedOut(ctx context.Context, c *call, number string) (bool, error) {
	_, out, err := s.broker.Record(ctx, c.record(optedOutKind, "+"+strings.TrimPrefix(number, "+")))
	return out, err
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

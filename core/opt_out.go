package core

import (
	"context"
	"strings"
)

// Phone is a phone that an account may send SMS to. Who has it may opt out: then the account's SMS do not reach it.
type Phone struct {
	Account string
	Region  string
	Number  string // of E.164, with the + in front: PhoneNumber
}

// optedOutKind is the kind of the records of phones that want no SMS, whose names are the numbers.
const optedOutKind = "sms.opted-out"

// PhoneNumber gives a number of E.164 with the + in front and without separators; false where the text is none.
func PhoneNumber(text string) (number string, ok bool) {
	digits := strings.TrimPrefix(strings.NewReplacer("-", "", ".", "", "/", "", " ", "").Replace(text), "+")
	ok = len(digits) >= 2 && len(digits) <= 15 && digits[0] != '0' && strings.Trim(digits, "0123456789") == ""
	return "+" + digits, ok
}

func (p Phone) record() (RecordName, error) {
	number, ok := PhoneNumber(p.Number)
	if !ok {
		return RecordName{}, Errorf(InvalidArgument, "a phone number has a + and 2 to 15 digits, not %.64q", p.Number)
	}
	return RecordName{Account: p.Account, Region: p.Region, Kind: optedOutKind, Name: number}, nil
}

// OptOut keeps an account's SMS from a phone; one that is opted out already is no error. InvalidArgument.
func (b *Broker) OptOut(ctx context.Context, phone Phone) error {
	name, err := phone.record()
	if err == nil {
		_, _, err = b.CreateRecord(ctx, name, "")
	}
	return err
}

// OptIn lets a phone have SMS again; one that never was opted out is no error. InvalidArgument.
func (b *Broker) OptIn(ctx context.Context, phone Phone) error {
	name, err := phone.record()
	if err == nil {
		_, err = b.DeleteRecord(ctx, name)
	}
	return err
}

// OptedOut says whether a phone wants no SMS. InvalidArgument.
func (b *Broker) OptedOut(ctx context.Context, phone Phone) (out bool, err error) {
	name, err := phone.record()
	if err == nil {
		_, out, err = b.Record(ctx, name)
	}
	return out, err
}

// ListOptedOut gives a page of the numbers that want no SMS of an account in a region, and the after of the next page, "" on the last.
func (b *Broker) ListOptedOut(ctx context.Context, account, region, after string, limit int) (numbers []string, next string, err error) {
	page, err := b.ListRecords(ctx, ListRecordsInput{Account: account, Region: region, Kind: optedOutKind, After: after, Limit: limit})
	for _, record := range page.Records {
		numbers = append(numbers, record.Name)
	}
	return numbers, page.Next, err
}

// reach pushes, unless it is an SMS to a phone that wants none.
func (b *Broker) reach(ctx context.Context, d *Delivery, p Push, push func(context.Context, Push) PushAnswer) (PushAnswer, error) {
	if !p.SMS {
		return push(ctx, p), nil
	}
	switch out, err := b.OptedOut(ctx, Phone{d.Topic.Name.Account, d.Topic.Name.Region, p.To}); {
	case err != nil:
		return PushAnswer{}, err
	case out:
		return PushAnswer{Refused: true, Reason: ReasonOptedOut}, nil
	}
	return push(ctx, p), nil
}

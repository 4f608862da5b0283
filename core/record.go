package core

import (
	"context"
	"strings"
)

// RecordName names a thing that a protocol keeps for itself, and that is neither queue nor topic nor
// message: a device that mobile pushes go to, a number that may be sent SMS.
type RecordName struct {
	Account string // "" with an empty Region: of no account
	Region  string
	Kind    string // the protocol prefixes it ("sns.endpoint")
	Name    string
}

// Record is what is kept under a name.
type Record struct {
	Name  string
	Value string
}

// RecordChange is one of the changes that are made of several records at once.
type RecordChange struct {
	Name  RecordName
	Was   string // the record's value; "": there must be none of that name
	Value string // "": the record is removed
}

// ListRecordsInput asks for one page of an account's records of one kind, sorted by name (bytes).
type ListRecordsInput struct {
	Account string
	Region  string
	Kind    string
	Prefix  string // of the name
	After   string // the Next of the page before; "" starts
	Limit   int    // 1 to MaxListed
}

// RecordPage is one page of records.
type RecordPage struct {
	Records []Record
	Next    string // the After of the next page, "" when this is the last
}

// Bounds of records.
const (
	MaxRecordName  = 1024      // bytes
	MaxRecordValue = 256 << 10 // bytes
)

// RecordStore is the part of Store that keeps records.
type RecordStore interface {
	// Record gives a record's value, ok false when there is none.
	Record(ctx context.Context, name RecordName) (value string, ok bool, err error)
	// CreateRecord makes a record. One of that name stays as it is: kept is what is there now.
	CreateRecord(ctx context.Context, name RecordName, value string) (kept string, created bool, err error)
	// SetRecord changes a record that is there, ok false when there is none.
	SetRecord(ctx context.Context, name RecordName, value string) (ok bool, err error)
	// ReplaceRecord changes a record that has the value was, ok false when there is none that has.
	ReplaceRecord(ctx context.Context, name RecordName, was, value string) (ok bool, err error)
	// DeleteRecord removes a record, ok false when there is none.
	DeleteRecord(ctx context.Context, name RecordName) (ok bool, err error)
	// ChangeRecords makes all changes at once, or none of them: ok false when a record is not as its change takes it for.
	ChangeRecords(ctx context.Context, changes []RecordChange) (ok bool, err error)
	ListRecords(ctx context.Context, in ListRecordsInput) (RecordPage, error)
}

// Record gives a record's value, ok false when there is none.
func (b *Broker) Record(ctx context.Context, name RecordName) (value string, ok bool, err error) {
	if !name.possible() {
		return "", false, nil
	}
	return b.store.Record(ctx, name)
}

// CreateRecord makes a record. One of that name stays as it is: kept is what is there now.
// InvalidArgument.
func (b *Broker) CreateRecord(ctx context.Context, name RecordName, value string) (kept string, created bool, err error) {
	if err := checkRecord(name, value); err != nil {
		return "", false, err
	}
	return b.store.CreateRecord(ctx, name, value)
}

// SetRecord changes a record that is there, ok false when there is none. InvalidArgument.
func (b *Broker) SetRecord(ctx context.Context, name RecordName, value string) (ok bool, err error) {
	if err := checkRecord(name, value); err != nil {
		return false, err
	}
	return b.store.SetRecord(ctx, name, value)
}

// EditRecord changes a record by what edit makes of its value, ok false when there is none. Where somebody else changes it
// meanwhile, edit is called again, so that no change is lost. An error of edit ends it. InvalidArgument.
func (b *Broker) EditRecord(ctx context.Context, name RecordName, edit func(value string) (string, error)) (ok bool, err error) {
	for range maxRecordChanges {
		was, ok, err := b.Record(ctx, name)
		if err != nil || !ok {
			return false, err
		}
		value, err := edit(was)
		if err != nil {
			return false, err
		}
		if err := checkRecord(name, value); err != nil {
			return false, err
		}
		if ok, err := b.store.ReplaceRecord(ctx, name, was, value); err != nil || ok {
			return ok, err
		}
	}
	return false, Errorf(Unavailable, "record %q keeps changing", name.Name)
}

// maxRecordChanges bounds how often a change starts anew because its record keeps changing.
const maxRecordChanges = 32

// DeleteRecord removes a record, ok false when there is none.
func (b *Broker) DeleteRecord(ctx context.Context, name RecordName) (ok bool, err error) {
	if !name.possible() {
		return false, nil
	}
	return b.store.DeleteRecord(ctx, name)
}

// ChangeRecords makes all changes at once, or none of them: ok false when a record is not as its change takes it for. InvalidArgument.
func (b *Broker) ChangeRecords(ctx context.Context, changes ...RecordChange) (ok bool, err error) {
	for _, c := range changes {
		if err := checkRecord(c.Name, c.Value); err != nil {
			return false, err
		}
	}
	return b.store.ChangeRecords(ctx, changes)
}

// ListRecords gives a page of records. InvalidArgument.
func (b *Broker) ListRecords(ctx context.Context, in ListRecordsInput) (RecordPage, error) {
	if in.Limit < 1 || in.Limit > MaxListed {
		return RecordPage{}, Errorf(InvalidArgument, "a page holds 1 to %d records, asked for %d", MaxListed, in.Limit)
	}
	if !ValidText([]byte(in.After)) {
		return RecordPage{}, Errorf(InvalidArgument, "%q is not a cursor of this list", in.After)
	}
	if !ValidText([]byte(in.Prefix)) {
		return RecordPage{}, nil
	}
	return b.store.ListRecords(ctx, in)
}

// possible says that a record can have this name.
func (n RecordName) possible() bool {
	return n.Name != "" && len(n.Name) <= MaxRecordName && ValidText([]byte(n.Name)) && !strings.ContainsFunc(n.Region, foreignRune)
}

func checkRecord(name RecordName, value string) error {
	switch {
	case !name.possible():
		return Errorf(InvalidArgument, "a record's name is text of 1 to %d bytes", MaxRecordName)
	case len(value) > MaxRecordValue || !ValidText([]byte(value)):
		return Errorf(InvalidArgument, "a record's value is text of at most %d bytes, this one has %d", MaxRecordValue, len(value))
	}
	return nil
}

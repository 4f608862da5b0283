package core

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

// AuditEvent is a call of the control plane, or one that was refused to whoever made it.
type AuditEvent struct {
	Sequence int64     // of the entry; rises with the order of writing
	ID       string    // a UUID
	At       time.Time // of the database's clock, which accounts cannot advance
	Source   string    // "sqs": whose API it was
	Action   string    // the protocol's name of the operation, "CreateQueue"; "" where it is not known
	Account  string    // that was called; "" where the caller is not known
	Region   string
	ReadOnly bool
	Denied   bool // the caller was not let in, or may not do this

	Identity    string // kind of principal, PrincipalUser …; PrincipalService; "" where it is not known
	Principal   string // ARN
	User        string // name of the user, of the session of a role or of a federated user
	AccessKeyID string
	Address     netip.Addr // of the client
	UserAgent   string
	RequestID   string

	Parameters []byte   // of the request, a JSON object; nil: none, or not read
	Response   []byte   // ids of what was made, a JSON object; nil: none
	Resources  []string // ARNs of what was called
	ErrorCode  string   // the protocol's; "" where it went well
	ErrorText  string

	noted time.Time // by this server's clock
}

// PrincipalService is the server itself, as the principal of what it does unasked.
const PrincipalService = "service"

// Age is how long ago it happened; the storage knows the time.
func (e *AuditEvent) Age() time.Duration { return time.Since(e.noted) }

// Bounds of the audit log.
const (
	MaxAudited       = 20_000   // events in memory; what comes on top of them is dropped, and counted
	MaxAuditedBytes  = 64 << 20 // of them
	AuditBatch       = 500      // events written at once
	MaxAuditSearched = 50_000   // events that one page looks at
	MaxUnknown       = 100      // events of callers who are not known, noted in a second: anybody can make them
	auditOverhead    = 512      // bytes of an event besides its parameters
)

// auditLog gathers events until a worker writes them.
type auditLog struct {
	gathered[AuditEvent]
	second  time.Time // in which there were so many of unknown callers
	unknown int
}

// Audit notes an event.
func (b *Broker) Audit(e AuditEvent) {
	l := &b.audit
	e.noted = time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.Account == "" && l.tooManyUnknown(e.noted) {
		l.dropped.Add(1)
		return
	}
	l.add(&e, func(*AuditEvent) bool { return true })
}

// size is what an event takes in memory, about.
func (e *AuditEvent) size() int {
	return auditOverhead + len(e.Parameters) + len(e.Response) + len(e.ErrorText) + len(e.UserAgent)
}

// tooManyUnknown counts another event of a caller who is not known.
func (l *auditLog) tooManyUnknown(now time.Time) bool {
	if now.Sub(l.second) >= time.Second {
		l.second, l.unknown = now, 0
	}
	l.unknown++
	return l.unknown > MaxUnknown
}

// AuditDropped gives how many events were lost since the start: they came faster than they could be written, or
// than strangers may fill the log.
func (b *Broker) AuditDropped() int64 { return b.audit.dropped.Load() }

// FlushAudit writes the events that are in memory. They wait there for a database that cannot be reached;
// those that it will not have are dropped, and counted.
func (b *Broker) FlushAudit(ctx context.Context) error {
	if err := b.audit.flush(ctx, b.store.WriteAudit); err != nil {
		return fmt.Errorf("write the audit log: %w", err)
	}
	return nil
}

// ListAuditInput asks for one page of the audit log, the newest first.
type ListAuditInput struct {
	Account  string    // "": all, and those whose callers are not known
	From, To time.Time // zero: without a bound
	User     string    // name of the user, access key id or ARN; "": all
	Action   string    // "": all
	Resource string    // name or ARN; "": all
	Failed   bool      // only what went wrong
	Changes  bool      // only what was to change something
	Before   int64     // the Next of the page before; 0 starts
	Limit    int       // 1 to MaxListed
}

// AuditPage is one page of the audit log.
type AuditPage struct {
	Events []AuditEvent
	Next   int64 // the Before of the next page, 0 when this is the last
}

// maxAuditFilter bounds what is looked for.
const maxAuditFilter = 2048

// ListAudit reads the audit log. A page may hold fewer events than asked for, or none, and yet not be the last:
// it looks at no more than MaxAuditSearched of them. InvalidArgument.
func (b *Broker) ListAudit(ctx context.Context, in ListAuditInput) (AuditPage, error) {
	if in.Limit < 1 || in.Limit > MaxListed {
		return AuditPage{}, Errorf(InvalidArgument, "a page holds 1 to %d events, asked for %d", MaxListed, in.Limit)
	}
	for _, text := range []string{in.Account, in.User, in.Action, in.Resource} {
		if len(text) > maxAuditFilter || !ValidText([]byte(text)) {
			return AuditPage{}, Errorf(InvalidArgument, "no event has %.40q", text)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, maxLogWait)
	defer cancel()
	if err := b.FlushAudit(ctx); CodeOf(err) == Unavailable { // what this server has just done is to be seen
		return AuditPage{}, err
	}
	return b.store.ListAudit(ctx, in)
}

package caller

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/polymq/polymq/core"
)

// Auditor is told of calls of the control plane and of calls that were refused. It must not block.
type Auditor func(core.AuditEvent)

// Audited is what a protocol tells of a call, besides its Caller.
type Audited struct {
	Source     string // "sqs"
	Action     string
	Parameters any      // as they were read, a structure or a map; nil: they were not
	Result     any      // likewise; only ids are kept of it
	Resources  []string // ARNs, besides those in Parameters and Result
	Code, Text string   // of the error
}

// Bounds of an event's texts.
const (
	maxAuditedAgent     = 512
	maxAuditedText      = 1 << 10
	maxAuditedResource  = 512
	maxAuditedResources = 10
)

// Audits reports whether a call is audited: one of the control plane, or one of the data plane (sends, receives,
// deletions) that was denied. code is how it ended. A protocol asks before it gathers what Audit wants.
func (o *Options) Audits(data bool, code string) bool {
	return o.Auditor != nil && (!data || IsDenial(code))
}

// denials are the codes of requests that cannot be told to be their sender's, and of those that the sender may
// not make, in all protocols.
var denials = map[string]bool{
	"AccessDenied": true, "AuthorizationError": true, "NoPermission": true, "Unauthenticated": true, "InvalidSecurity": true, // several
	"MissingAuthenticationToken": true, "InvalidClientTokenId": true, "ExpiredToken": true, "SignatureDoesNotMatch": true, "IncompleteSignature": true, // AWS
	"MissingAuthorizationHeader": true, "InvalidAuthorizationHeader": true, "MissingDateHeader": true, "InvalidDateHeader": true, "TimeExpired": true, // MNS
	"SignatureNonceUsed": true, // Alibaba's OpenAPI
}

// denialPrefixes are what such codes begin with that have a reason behind a dot or none.
var denialPrefixes = []string{"InvalidAccessKeyId", "InvalidSecurityToken", "InvalidTimeStamp", "Forbidden", "UnauthorizedOperation"}

// IsDenial says of a protocol's code that the caller was not let in, or may not do what it asked for.
func IsDenial(code string) bool {
	return code != "" && (denials[code] || slices.ContainsFunc(denialPrefixes, func(prefix string) bool { return strings.HasPrefix(code, prefix) }))
}

// Audit tells the auditor of a call.
func (o *Options) Audit(r *http.Request, c *Caller, a Audited) {
	e := core.AuditEvent{
		ID: RequestID(), Source: a.Source, Action: clip(a.Action, maxAuditedResource), Account: c.Account, Region: c.Region,
		ReadOnly: isRead(a.Action), Denied: IsDenial(a.Code),
		AccessKeyID: clip(c.AccessKeyID, core.MaxKeyIDLength), Address: c.RemoteAddr, UserAgent: clip(r.UserAgent(), maxAuditedAgent), RequestID: c.RequestID,
		Parameters: shown(a.Parameters), ErrorCode: a.Code, ErrorText: clip(a.Text, maxAuditedText),
	}
	if a.Code == "" && !e.ReadOnly {
		e.Response = idsOf(a.Result)
	}
	for _, resource := range append(a.Resources, append(c.named(a.Parameters), c.named(a.Result)...)...) {
		if resource = clip(resource, maxAuditedResource); len(e.Resources) < maxAuditedResources && !slices.Contains(e.Resources, resource) {
			e.Resources = append(e.Resources, resource)
		}
	}
	if c.Key != nil && (c.Verified || !o.Verify) { // else it is whose key the caller only says to have
		g := core.GrantsOf(c.Key)
		e.Identity, e.Principal, e.User = g.Kind, g.Principal, cmp.Or(g.User, c.Key.Session.Name)
	}
	o.Auditor(e)
}

// clip bounds a text.
func clip(text string, most int) string {
	if len(text) > most {
		return text[:most]
	}
	return text
}

// reads are what the names of actions begin with that change nothing.
var reads = []string{"get", "list", "describe", "check", "peek", "receive", "batchpeek", "batchreceive", "wait", "simulate"}

// isRead says that an action only looks.
func isRead(action string) bool {
	action = strings.ToLower(action)
	return slices.ContainsFunc(reads, func(prefix string) bool { return strings.HasPrefix(action, prefix) }) && action != "getsessiontoken" && action != "getfederationtoken"
}

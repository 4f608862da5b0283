// Package policy evaluates the policies of AWS and of Alibaba Cloud: who may do what with which queue or topic.
// It knows their two languages, which have the same statements, wildcards and conditions, and the rules by
// which several policies come to one decision. Whose policies those are, and what a request's condition keys
// are, is for its callers to know.
//
//	text ──Parse──▶ Policy ─┐
//	                        ├──Evaluate──▶ Decision: allowed, or denied, and by which statement
//	              Request ──┘
//
// A statement is about a request when its action, its resource, its principal and all of its conditions match.
// One that denies wins. Otherwise one must allow it: of the resource's policy or of the principal's own, where
// both are of one account; of both, where they are not. A permissions boundary and a session's policies only
// take away. An account's root needs no policy of its own.
//
// # What a resource's policy names
//
// "*", a user or a session, itself: that is enough within the account. A role, whose session asks: its
// boundary and its session's policies count. An account: that leaves the decision to the account's own
// policies.
//
// # Speed
//
// A Policy sorts its statements by their actions when it is read, and remembers for the last operations
// (an action on a resource) which of them are about it: a thousand statements about other queues cost a
// request nothing. So do the Policies of a principal (Policies.Remember), that many policies cost no more than one.
// Principals and conditions are looked at each time. A Cache keeps policies by their text.
//
// # Decisions
//
// 2026-11-21: both languages are read into the same form, and a principal's policies of either count in every
// request. The action tells them apart ("sqs:SendMessage", "mns:SendMessage"); a policy that allows "*" on "*"
// allows it in both clouds' words.
//
// 2026-11-21: a name that stands twice in an object is refused, though JSON does not say which one counts: a
// Deny must not get lost.
//
// 2026-11-21: a wildcard in a Resource goes past colons and slashes, as it does in both clouds; only ArnLike and
// ArnEquals compare part by part.
//
// 2026-11-21: NotPrincipal excepts who is named with all that it is made of: the account, the role and the session.
// AWS's manual asks for the same, and warns that the rest is denied otherwise.
//
// 2026-11-23: the trust policy of a role has no NotPrincipal and no action of another service than STS: IAM refuses both, and whoever
// is not named would be trusted. A role that an earlier version kept with one trusts nobody.
//
// 2026-11-22: a Deny with NotPrincipal denies every user or role that has a permissions boundary, whomever it names: so AWS's manual
// warns ("Permissions boundaries for IAM entities"). An account's root has none.
//
// 2026-11-21: users are of both clouds at once, whichever way a policy writes their names; a role is of one, and a
// policy that names it in the other's way means another role.
//
// 2026-11-21: a variable that the request has no value for, or several, makes its pattern match nothing; one
// that it has brings no wildcards.
//
// 2026-11-21: a key with several values and an operator without ForAllValues or ForAnyValue counts as ForAnyValue; a
// negated one must hold for all. AWS leaves that open.
//
// 2026-11-22: a statement of a resource's policy may name no principal, as SQS accepts it (Ansible's tests against the real service
// have one); it is about nobody. SNS refuses such a policy.
package policy

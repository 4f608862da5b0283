// Package sts speaks the part of AWS's Security Token Service, version 2011-06-15, that SDKs call by
// themselves: who am I, and temporary keys for a role, a session or a federated user. It speaks the
// query protocol, as STS does.
//
// Temporary keys are core.Keys that end, with a token that requests must carry. They work with every
// protocol that knows tokens. They outlive the server, and are refused when they are over.
//
// A role that is kept (package iam, the JSON API) is assumed for as long as it says. Where policies are enforced, its
// trust policy decides who may, with the caller's own policies as AWS has it, and a role that is not kept cannot be
// assumed. Where they are not, any ARN of a role may be assumed: where signatures are verified, only in the
// caller's own account, or by an administrator in any. Session policies, those named by PolicyArns too, and tags
// are kept with the key, and count where policies are enforced. A temporary key is never an administrator's.
//
// # Decisions
//
// 2026-11-21: the unique ids in UserId and AssumedRoleId are those of the user and the role; of roles that are not
// kept they are derived from names, so that they are the same on every server and each time, as AWS's are.
//
// 2026-11-21: policies that PolicyArns names are kept by their ids and count as they are when a request is made,
// not as they were when the session began.
//
// 2026-11-21: tags and a source identity of a role's session need sts:TagSession and sts:SetSourceIdentity of the
// role's trust policy where policies are enforced, and are free where they are not.
//
// 2026-11-22: in a chain of roles the source identity passes on and cannot be changed, and so do tags that are transitive; a
// role whose trust policy does not allow sts:SetSourceIdentity, or sts:TagSession, cannot be assumed with them, whether the request
// says them or not. That is recorded against the service, with the errors.
//
// 2026-11-21: the texts of errors are those that clients of STS quote (ValidationError, AccessDenied,
// ExpiredToken); unverified are those of MalformedPolicyDocument and PackedPolicyTooLarge.
package sts

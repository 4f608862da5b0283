// Package sts speaks the part of AWS's Security Token Service, version 2011-06-15, that SDKs call by
// themselves: who am I, and temporary keys for a role, a session or a federated user. It speaks the
// query protocol, as STS does.
//
// Temporary keys are core.Keys that end, with a token that requests must carry. They work with every
// protocol that knows tokens. They outlive the server, and are refused when they are over.
//
// Roles are not kept yet, so any ARN of a role may be assumed: where signatures are verified, only in the
// caller's own account, or by an administrator in any. Session policies are kept with the key and not
// evaluated; tags and PolicyArns are passed over. A temporary key is never an administrator's.
//
// # Decisions
//
// 2026-11-21: the unique ids in UserId and AssumedRoleId are derived from names, so that they are the
// same on every server and each time, as AWS's are. There is no table of users and roles to keep them in.
//
// 2026-11-21: the texts of errors are those that clients of STS quote (ValidationError, AccessDenied,
// ExpiredToken); unverified are those of MalformedPolicyDocument and PackedPolicyTooLarge.
package sts

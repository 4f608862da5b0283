// Package caller tells what every protocol needs to know of a request before it decodes it: who
// asks (account, access key, address), for which region, under which address the client reached
// the server, and the body within a bound.
//
// Names live in (account, region), see core.QueueName. The account is that of the access key, where
// that is a known one (Options.Keys); else the access key id itself where that has twelve digits, else
// the one in a host name of MNS's form, which may also be an alias of sixteen digits (Options.FindHost), else
// DefaultAccount. Where signatures are verified (Options.Verify) there is no account before the
// protocol has verified the request's, so that one that forgot to would find no queues. The region is that of an AWS request's credential
// scope, else the one in a cloud's own host name (sqs.eu-west-1.amazonaws.com,
// 1234.mns.cn-hangzhou.aliyuncs.com, also before another domain), else the server's. The scope of an MNS signature does not
// count: only its newest form has one, and a queue must not depend on the signature's form.
//
// Who may do what (access.go) each protocol asks by Options.Authorize, once it knows what a request wants: after the
// request is authenticated and read, before anything is done. Every protocol has a table of what its actions
// need. What is another account's own is denied as if it did not exist, unless its policy lets the caller in; and in the
// same time, for what is remembered is enough to allow it only, and to deny it the database is asked whether it is there
// or not (Options.AuthorizeOthers).
//
// Nothing is verified here. What a proxy says in X-Forwarded-For, -Host and -Proto counts only
// when the proxy is trusted.
//
// # Signatures behind a proxy
//
// Clients sign the host that they know. A proxy should pass Host on as it came. One that does not can say
// what it was in X-Forwarded-Host (with X-Forwarded-Port, where the host has no port), if it is trusted;
// the host of the public URL is tried in any case. The method, the path, the query, the body and the
// headers that are signed must come through unchanged: for AWS's SDKs Authorization, Content-Type,
// X-Amz-* and Amz-Sdk-*, for MNS's Authorization, Date, Content-Type, Content-MD5 and x-mns-* (MNS signs no host),
// for those of Alibaba's control plane Authorization, Content-Type and x-acs-*.
//
// # Sessions that are bounded
//
// Policies that somebody asked a session to be bounded by count wherever signatures are verified, also where no other
// policies do: such a key is made to be given away.
//
// # Viewers
//
// A user with the access of viewer may only look wherever signatures are verified and policies do not decide, by every
// protocol: the same access key would else open by SQS what the JSON API and the console keep from it. Users without any
// access are those of programs, which may do everything in their account there.
//
// # Decisions
//
// 2026-11-21: what a call was asked for is told to the audit log by the names of CloudTrail, for every protocol
// (queueName). Names that speak of secrets hide their values, bodies are left out; a list of what may be shown
// would have to be kept for each of 120 actions, and forget the next one's.
//
// 2026-11-21: sends, receives, deletions and changes of visibility are audited only when they are denied, as
// CloudTrail's and ActionTrail's management events have it. The code of the answer says that they were.
//
// 2026-11-21: policies of either language count in every protocol, by the names of actions: a queue's policy of SQS
// says nothing about MNS's actions on the same queue, for which there are no such policies. Who may use mns:* passes by
// what that policy denies.
//
// 2026-11-21: a policy that cannot be read denies everything, for it may have been meant to; only the account's own
// key passes.
//
// 2026-11-21: aws:CurrentTime is the server's clock when the request was read: nothing stored is compared with it.
package caller

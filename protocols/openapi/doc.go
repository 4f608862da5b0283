// Package openapi is what Alibaba's management services have in common: the OpenAPI in its RPC style, in which
// mns-open (package smq), STS and the like are spoken (specs/mns-openapi.md 2 to 5).
//
// A request names its action and its service's version by header (ACS3-HMAC-SHA256) or parameter (RPC,
// HMAC-SHA1). Parameters come in the query, in the body, or in both; they are merged for every action
// and put into the action's struct (bind.go). The answer is a document that is written as JSON, or, where
// the parameter Format asks for it, as XML (write.go).
//
// Where the server verifies signatures (signature.go), a request's time must be within 15 minutes of the
// server's clock, and the nonce that is signed with it may be used once: all servers of a database remember
// it until no request with its time would be taken any more.
//
// # Decisions
//
// 2026-11-21: nonces are remembered per access key, in the database, since a request could be sent again to
// another server, and only when the signature is right, so that nobody can use up another's. A request that
// is refused for what it asks has used its nonce too; clients make a new one for each attempt.
//
// 2026-11-21: RegionId is passed over. Clients send it with some actions and not with others, so that a queue
// would be in another region than its tags. The region is the host's, as everywhere.
//
// 2026-11-21: parameters may also be the members of a JSON document, as cores that are told to speak in ROA style
// write it; numbers and truth values count as their texts, lists as what they are in a form. Only with ACS3, whose
// digest covers the body.
//
// 2026-11-21: XML has an element for each member of the JSON document, in its order, below one named for the
// action; a list is its element repeated. A document without Format is JSON, though an old page says XML:
// every client in use names the format that it reads.
package openapi

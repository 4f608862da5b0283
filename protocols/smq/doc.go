// Package smq speaks the control plane of MNS, which is also called SMQ: Alibaba's OpenAPI "mns-open",
// version 2022-01-19 (specs/mns-openapi.md). Queues, topics and subscriptions are those of package mns.
//
// A request names its action by header (ACS3-HMAC-SHA256) or parameter (RPC, HMAC-SHA1). Parameters come
// in the query, in the form, or in both; they are merged for every action and put into the action's
// struct (bind.go). Answers are JSON.
//
// # Attributes
//
// What is enforced: all of a queue's, a topic's and a subscription's that package mns knows, QueueType and
// TopicType, DlqPolicy of queues and subscriptions, TenantRateLimitPolicy, EnableEndpoint, DisableEndpoint
// and the access control of the endpoint. What is kept and returned, without an effect: EnableSSE,
// SseType, SseAlgorithm, KmsKeyId, StsRoleArn, KafkaAttributes, DysmsAttributes, the account's logging
// attributes, and event rules, for no object store is here whose events they would send.
//
// # Decisions
//
// 2026-11-21: this package uses mns, the data plane of the same service, whose rules of names, ranges and
// subscriptions are its own; a third package for them would be mns by another name.
//
// 2026-11-21: RegionId is passed over. Clients send it with some actions and not with others, so that a queue
// would be in another region than its tags. The region is the host's, as everywhere.
//
// 2026-11-21: inferred, for nothing is published: filters by name are prefixes; PageSize is 50 unless told
// otherwise; an empty list of addresses lets everyone in; to create what is there with the same attributes
// succeeds, with others it is 409 and the data plane's code; a malformed value is InvalidParameter and one out
// of range InvalidArgument; answers are JSON only, and Format=XML is refused.
//
// 2026-11-21: nonces are not remembered. A request can be sent again within fifteen minutes by whoever has seen
// it; all actions but tokens for queues can be repeated without harm.
package smq

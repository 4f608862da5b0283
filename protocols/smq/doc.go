// Package smq speaks the control plane of MNS, which is also called SMQ: Alibaba's OpenAPI "mns-open",
// version 2022-01-19 (specs/mns-openapi.md). Queues, topics and subscriptions are those of package mns. How
// requests are read, verified and answered is package openapi's.
//
// # Attributes
//
// What is enforced has an effect on what clients of any protocol can do; what is kept comes back as it was set.
//
//	of a queue     DelaySeconds, MaximumMessageSize,          enforced
//	               MessageRetentionPeriod, VisibilityTimeout,
//	               PollingWaitSeconds
//	               QueueType                                  enforced: fifo hands a group out in order
//	               DlqPolicy                                  enforced; kept while Enabled is false
//	               TenantRateLimitPolicy                      enforced for receives by MNS, by each server for itself
//	               EnableLogging                              enforced: the message log
//	               Tag                                        kept; lists can be asked for by them
//	               EnableSSE, SseType, SseAlgorithm, KmsKeyId kept
//	of a topic     MaxMessageSize, TopicType, EnableLogging   enforced
//	               Tag, EnableSSE, SseType, SseAlgorithm,     kept
//	               KmsKeyId
//	of a           Endpoint, PushType, MessageTag,            enforced
//	subscription   NotifyStrategy, NotifyContentFormat
//	               DlqPolicy                                  enforced; kept while Enabled is false
//	               TenantRateLimitPolicy                      enforced: pushes a second
//	               DmAttributes                               enforced: subject of mail; its sender is the server's
//	               StsRoleArn, DysmsAttributes,               kept
//	               KafkaAttributes
//	of the         EndpointEnabled, CidrList                  enforced for all requests of MNS, XML and JSON; the
//	endpoint                                                  control plane stays open, or nobody could open it again
//	of the account LogEnabled, ProjectName, LogStoreName,     kept
//	               MessageTraceEnabled
//	event rules    all                                        kept: no object store is here whose events they would send
//
// # Decisions
//
// 2026-11-21: this package uses mns, the data plane of the same service, whose rules of names, ranges and
// subscriptions are its own; a third package for them would be mns by another name.
//
// 2026-11-21: inferred, for nothing is published: filters by name are prefixes; PageSize is 50 unless told
// otherwise; an empty list of addresses lets everyone in; to create what is there with the same attributes
// succeeds, with others it is 409 and the data plane's code; a malformed value is InvalidParameter and one out
// of range InvalidArgument.
//
// 2026-11-21: MaxResults and NextToken of ListEventRules, which PageSize and PageNum came after, are those two by other
// names; where both are given, the newer count.
//
// 2026-11-22: the values of SseType, SseAlgorithm and KmsKeyId are not looked at: the service publishes none, and nothing is
// encrypted by them. Only where encryption is on without an algorithm is AES-256-GCM shown.
package smq

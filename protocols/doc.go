// Package protocols puts every protocol on one port and tells them apart by the request
// (specs/sqs.md 1.1, specs/mns-openapi.md 2):
//
//	/api, /healthz, /readyz                          JSON API
//	/console, and / where a browser asks for it      the console
//	Smithy-Protocol, X-Amz-Target                    an AWS service, SQS or another
//	x-acs-version, Version: 2022-01-19               the control plane of MNS
//	x-mns-version, Authorization: MNS…               MNS
//	Authorization: ACS3-…, SignatureMethod=HMAC-…    another service of Alibaba's
//	Authorization: AWS4-…, X-Amz-Credential          the AWS service in the credential's scope; where that is none of
//	                                                 ours, the one whose Version a form names
//	/queues, /topics without any of these            MNS
//	/SimpleNotificationService-….pem                 the certificate of SNS
//	all else                                         the query protocol: SNS or STS by the Version or the
//	                                                 Action, in the URL or at the start of a form, else SQS
//
// A service that is not spoken, or is switched off, is answered with an error in that service's
// own form, so that its SDK shows what is the matter and does not try again.
//
// Where signatures are not verified, browsers are answered under names that no other site can have, and not for pages
// of other sites (hosts.go). Where they are, pages of any site may call AWS's services, as these let them (share.go).
//
// Protocols log by the logger in the request's context (zerolog.Ctx), which the server puts into
// the base context of its connections.
package protocols

// Package caller tells what every protocol needs to know of a request before it decodes it: who
// asks (account, access key, address), for which region, under which address the client reached
// the server, and the body within a bound.
//
// Names live in (account, region), see core.QueueName. The account is the access key id where
// that has twelve digits, else DefaultAccount. The region is that of an AWS request's credential
// scope, else the one in a cloud's own host name (sqs.eu-west-1.amazonaws.com,
// 1234.mns.cn-hangzhou.aliyuncs.com), else the server's. The scope of an MNS signature does not
// count: only its newest form has one, and a queue must not depend on the signature's form.
//
// Nothing is verified here. What a proxy says in X-Forwarded-For, -Host and -Proto counts only
// when the proxy is trusted.
package caller

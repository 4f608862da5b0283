// Package awsquery is the frame of AWS's services that speak the query protocol and nothing else: STS and
// IAM. It reads a request, authenticates and authorizes it, finds its action, and writes its result or its
// error, with all that is counted, logged and audited on the way. A service has a table of actions and says
// core's errors in its own words.
//
// SQS and SNS have frames of their own: SQS speaks JSON besides and is on the hot path, SNS answers
// subscribers' links and publishers without a signature.
package awsquery

// Package awscli is as much of the AWS command line as init scripts use: "aws" and "awslocal" for
// sqs, sns and sts, so that a container that is to replace LocalStack's needs no Python. The
// programs are this one under another name (a link), or `polymq aws …`.
//
// Commands and options are those of the official command line: a command is an operation of the
// service's API, an option one of its members. Values are JSON, file://PATH or the shorthand
// (KEY=VALUE,… and lists separated by spaces). The endpoint is --endpoint-url, AWS_ENDPOINT_URL or,
// without either, http://localhost:4566.
//
// # Decisions
//
// 2026-11-21: operations are called through the clients of aws-sdk-go-v2 by reflection: their types
// are the description of the API, and their requests are those of an SDK that is tested. Members are
// shown under the names that the clients' types have; the one that the service spells with a lower-case
// letter (queueUrls) is given its name back.
package awscli

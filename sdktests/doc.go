// Package sdktests runs the official SDKs, unmodified, against a whole polymq server on a real
// PostgreSQL, as an application would use them.
//
// Go's SDKs run in process: sqs_*_test.go, mns_test.go, and cross_test.go for what the protocols
// promise each other. Python, Java and Node have a program each, in the folder of that name; it
// runs checks, a line for each, and programs_test.go makes a subtest of every line. What a program
// needs (a virtual environment, a Maven repository's jars, node_modules) is installed into the
// user's cache, in a folder named for the lock file, so that only a change installs again. When a
// check fails, the end of the program's own log stands below it.
//
// Frameworks run in the same way, as their users would set them up: Celery and the AWS CLI in
// python (its first version from PyPI, its second as the distribution's package awscli has it), sqs-consumer in node, Spring Cloud AWS in java, Watermill and the Go CDK in golang, which
// is a module of its own. TestFrameworks runs them side by side on one server, each in an account of
// its own:
//
//	go test ./sdktests -v -run TestFrameworks/celery
//
// What topics publish also goes to an HTTP endpoint in the language of the client, which verifies it by the certificate that it
// names: of SNS both versions of signatures, by sns-validator in Node and the SDK's message manager in Java, by the guide's words
// in Go, Python, Watermill, Spring and the AWS CLI; of MNS by the SDK's own code in Go and Java's first generation, by the
// manual's words in Python, Node and all generations of Java.
//
// Alibaba's clients of SMQ's control plane: Python's as it is published; the older ones of Go and Python; and of Go, Java,
// Node and Python the cores that the generated clients are built on, new and old, of Go also those of the aliyun command
// line and Terraform's provider. smq_steps.json has the requests for every action, with what comes back; each core takes
// all of them. golang/smq_terraform.go has what Terraform's provider sends in the life of a resource.
//
// The console is walked through in Chromium, by Playwright, in the folder console: from a queue's first message to
// its end, on a desktop and on a phone, in both languages, in light and dark, and once with the keyboard alone.
//
// Who may do what is shown where policies are enforced: policy_test.go and sessions_test.go with Go's SDKs, and a
// group of checks in each program, policy for AWS's and ram for Alibaba's, which make users, roles, policies and keys
// by their cloud's calls and then meet them. Temporary keys go through every SDK that knows them, past a restart
// and past their end.
//
// matrix_test.go sends with each SDK of each language and receives with each other one.
//
// A language whose tools are missing on the machine is named on the go command's standard error, NOT RUN, and none
// of its checks counts as passed. With POLYMQ_REQUIRE_SDKS=all, as CI sets it, that is a failure.
package sdktests

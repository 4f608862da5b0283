// Package localstack answers what test set-ups made for LocalStack ask of it besides the services
// themselves, so that only the name of the image has to change: whether it is healthy, and how far
// its init scripts are. Wait strategies of Testcontainers and of compose files look at these.
//
//	GET  /_localstack/health        services that are spoken, all of them running
//	GET  /_localstack/info          the server's version
//	GET  /_localstack/init[/STAGE]  stages and scripts
//
// Package sqs answers GET /_aws/sqs/messages, which shows a queue's messages.
//
// # Decisions
//
// 2026-11-21: the edition is "community" and the version one of LocalStack's, for programs compare
// them to choose what they ask for; polymq's own stands beside it.
package localstack

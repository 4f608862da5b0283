// Package localstack answers what test set-ups made for LocalStack ask of it besides the services
// themselves, so that only the name of the image has to change: whether it is healthy, and how far
// its init scripts are. Wait strategies of Testcontainers and of compose files look at these.
//
//	GET  /_localstack/health                     services that are spoken, all of them running; also /health
//	GET  /_localstack/info                       the server's version, and since when it runs
//	GET  /_localstack/init[/STAGE]               stages and scripts
//	GET  /_localstack/plugins, …/usage           nothing: there are none
//	POST /_localstack/state[/SERVICE]/reset      empties all accounts (in test mode)
//	POST /_localstack/health                     {"action": "restart"}, likewise
//	GET  /_aws/sns/sms-messages                  what was sent to phones; DELETE forgets it
//	GET  /_aws/sns/platform-endpoint-messages    what was sent to devices, likewise
//	GET  /_aws/sns/subscription-tokens/ARN       what confirms a subscription
//	POST /_aws/sns/phone-opt-outs                a phone wants no more SMS
//
// Those of health, info and init are always answered, the others only where nobody is asked who he is (--auth off):
// their users send no credentials. Package sqs answers GET /_aws/sqs/messages, which shows a queue's messages.
//
// # Decisions
//
// 2026-11-21: the edition is "community" and the version one of LocalStack's, for programs compare
// them to choose what they ask for; polymq's own stands beside it.
//
// 2026-11-21: a message's attributes are shown as strings, whatever their type: the outbox keeps their text.
package localstack

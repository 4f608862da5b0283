// Package notice tells people what alerts have found: it puts a core.Notice into words, and into the form that its
// destination takes, and sends it there. Topics and queues get the JSON that webhooks get.
//
// What goes over the network goes through the client of pushes, with its rules of which addresses may be
// reached, and its bounds. This package tries once; the core tries again.
//
// # Decisions
//
// 2026-11-21: one notice names many series, the worst first, and a robot gets as many of them as it takes. An
// alert on ten thousand queues that all fire at once is one message.
//
// 2026-11-21: the robots of DingTalk, Feishu and WeCom answer 200 to what they refuse, so their answers are read.
// That a robot gets too many messages passes, and is tried again; all else that it refuses is not.
//
// 2026-11-21: texts are of this package. A language of templates for users would be one more thing to learn and
// to get wrong; who wants other words takes the webhook.
package notice

// Package dybase speaks the one action of Alibaba's communication services that concerns queues, "dybaseapi",
// version 2017-05-25: QueryTokenForMnsQueue gives programs that fetch the receipts of text messages and calls a
// temporary key for the queue that these arrive in. How requests are read, verified and answered is package
// openapi's.
//
// In the cloud the queue is one of the service's own account. Here it is the caller's: whoever tests a program
// makes the queue under the name that the program is set to, and sends receipts into it. The key is a
// session's, whose policy allows receiving, deleting and peeking in that queue alone, wherever signatures are
// verified. Policies can say for which queues somebody may have one: dybaseapi:QueryTokenForMnsQueue on
// acs:dybaseapi:REGION:ACCOUNT:/queues/NAME.
//
// # Decisions
//
// 2026-11-21: a token is given also for a queue that is not there. The program learns that from MNS, as it
// would in the cloud of a wrong name.
//
// 2026-11-21: ExpireTime and CreateTime are wall-clock times of China, without a zone, since that is what the
// service's users see; a token lasts an hour. Any MessageType is taken: the service gets new ones.
package dybase

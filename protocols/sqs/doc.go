// Package sqs speaks Amazon SQS: AWS JSON 1.0 and the query protocol, on the same actions. Every
// action is a function on structures (typed), whose fields' tags say how they travel
// (protocols/aws); wire.go holds all that differs between the two.
//
// Bodies are text. One that another protocol took as bytes, and that has characters that SQS
// cannot carry, is handed out as its base64, which MD5OfBody then is of. Queues of other protocols
// show as they are: with settings outside of SQS's ranges, and under names with a dot.
//
// Different from AWS, for it serves tests and developers better:
//
//   - A queue can be made again at once after it was deleted, and purged again at once.
//   - Counters are exact, changes of attributes take effect at once.
//   - A receive gives as many messages as there are, up to what was asked for.
//   - SenderId is the account.
//
// Refused until they are there: FIFO queues, RedrivePolicy, message move tasks,
// ListDeadLetterSourceQueues, and CBOR.
package sqs

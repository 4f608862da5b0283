package bench

import (
	"context"
	"time"
)

// A client speaks one protocol over one connection. It belongs to one worker and is not safe
// for concurrent use.
type client interface {
	// within makes ctx the one that ends later requests.
	within(ctx context.Context)
	// createQueue makes a queue, or finds the one of that name.
	createQueue(name string) (queue, error)
	deleteQueue(q queue) error
	// send sends the numbered messages in one request. An entry of a batch that the server
	// refuses while it takes others is marked as failed.
	send(q queue, batch []message) error
	// receive appends up to limit messages to batch, waiting up to wait for the first.
	receive(q queue, batch []message, limit int, wait time.Duration) ([]message, error)
	// delete deletes messages by their handles in one request; failed is marked as by send.
	delete(q queue, batch []message) error
}

// A queue is one queue under test.
type queue struct {
	name string
	url  string // what requests call it: SQS's QueueUrl, a path in the other protocols
}

// A message is one message on its way: out with a number, in with a number and a handle.
type message struct {
	number uint64
	known  bool   // the body is one that this run sent
	handle string // what deletes it
	failed string // the server's code, where it refused this entry of a batch
}

// refuse marks the message of a handle as failed.
func refuse(batch []message, handle, code string) {
	for i := range batch {
		if batch[i].handle == handle {
			batch[i].failed = code
		}
	}
}

// A protocol is one way to speak to a server, and its bounds.
type protocol struct {
	name  string
	batch int // most messages in one request
	wait  int // most seconds that a receive waits
	fifo  bool
	signs bool

	priorities int // that a message can have

	publishes int  // most messages in one publish; 0: it has no topics
	confirms  bool // HTTP endpoints are asked to confirm their subscription

	client  func(c *conn, o *options, l *ledger) client
	headers map[string]string // of an answer, as the no-op server gives it
	status  int
	sent    func(batch int) string // a typical answer to a send
}

var protocols = map[string]protocol{
	"sqs": {
		name: "sqs", batch: 10, wait: 20, fifo: true, signs: true, client: newSQSClient, publishes: 10, confirms: true,
		status: 200, sent: sqsSent,
		headers: map[string]string{"Content-Type": sqsContentType, "x-amzn-RequestId": "7a62c49f-347e-4fc4-9331-6e8e7a96aa73"},
	},
	"mns": {
		name: "mns", batch: 16, wait: 30, signs: true, priorities: 16, client: newMNSClient, publishes: 1,
		status: 201, sent: mnsSent,
		headers: map[string]string{"Content-Type": "text/xml;charset=utf-8", "x-mns-request-id": "512B2A634403E52B1956133E", "x-mns-version": mnsVersion},
	},
	"api": {
		name: "api", batch: 100, wait: 30, client: newAPIClient,
		status: 201, sent: apiSent,
		headers: map[string]string{"Content-Type": "application/json"},
	},
}

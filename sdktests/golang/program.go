// Command golang runs frameworks of Go, and cores of Alibaba's clients, against a polymq server, as an application
// would use them.
// It is a module of its own, so that what they pull in stays out of polymq's.
//
//	check GROUP...   runs the checks of the groups, such as watermill; prints a line for each and
//	                 ends with 1 if any failed
//
// POLYMQ_ENDPOINT is the server's URL; POLYMQ_ACCESS_KEY the access key, whose account the queues
// belong to.
package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// patience is how long a check may take, on a busy machine.
const patience = 30 * time.Second

var (
	endpoint  = os.Getenv("POLYMQ_ENDPOINT")
	accessKey = os.Getenv("POLYMQ_ACCESS_KEY")
)

// A check is a promise of the manual. Its context ends when patience does.
type check struct {
	name string
	run  func(context.Context) error
}

var groups = map[string][]check{
	"watermill": watermillChecks,
	"gocloud":   gocloudChecks,
	"smq":       smqChecks,
	"ram":       ramChecks,

	"tls":             tlsChecks,
	"tls_environment": tlsEnvironmentChecks,
}

func main() {
	os.Setenv("AWS_ACCESS_KEY_ID", accessKey) // where frameworks make clients by themselves
	os.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	failed := 0
	for _, group := range os.Args[2:] {
		for _, check := range groups[group] {
			if err := run(check); err != nil {
				failed++
				fmt.Printf("FAIL %s: %s\n", check.name, strings.Join(strings.Fields(err.Error()), " "))
			} else {
				fmt.Printf("ok %s\n", check.name)
			}
		}
	}
	if failed > 0 {
		os.Exit(1)
	}
}

func run(c check) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return c.run(ctx)
}

// texts are what a queue must give back as it was sent: texts that a careless encoder changes.
var texts = []string{
	"hello",
	"naïve Ω 日本語 🚀",
	`<a b='1' c="2">&amp; ]]> &#13;</a>`,
	"one\r\ntwo\rthree\n\tfour",
	"  two before, two after  ",
	`{"a": "\u00e9", "b": [1, null]}`,
	"aGVsbG8gd29ybGQ=",
	"100% a+b %2B &c=d",
	strings.Repeat("0123456789abcdef", 2048),
}

// equal gives an error unless the two are.
func equal(what string, got, want any) error {
	if reflect.DeepEqual(got, want) {
		return nil
	}
	return fmt.Errorf("%s: got %.300q, want %.300q", what, fmt.Sprint(got), fmt.Sprint(want))
}

// awsConfig is what config.LoadDefaultConfig would find in the environment.
func awsConfig() aws.Config {
	return aws.Config{
		Region:      "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider(accessKey, "test", ""),
	}
}

// admin is a client beside the framework's.
var admin = sqs.NewFromConfig(awsConfig(), func(o *sqs.Options) { o.BaseEndpoint = &endpoint })

// queueName gives a name that no other check uses.
func queueName() string { return "orders-" + strings.ToLower(rand.Text()[:12]) }

func createQueue(ctx context.Context, attributes map[string]string) (url string, err error) {
	name := queueName()
	created, err := admin.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		return "", err
	}
	return *created.QueueUrl, nil
}

// redriveTo gives the policy of a queue whose messages go to another one when they have been received so often.
func redriveTo(ctx context.Context, url string, most int) (policy string, err error) {
	got, err := admin.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"QueueArn"}})
	if err != nil {
		return "", err
	}
	return fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":"%d"}`, got.Attributes["QueueArn"], most), nil
}

// deadLetter waits for a message of a queue.
func deadLetter(ctx context.Context, url string) (*types.Message, error) {
	for {
		got, err := admin.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &url, WaitTimeSeconds: 20, MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"},
		})
		if err != nil {
			return nil, fmt.Errorf("wait for a dead letter: %w", err)
		}
		if len(got.Messages) > 0 {
			return &got.Messages[0], nil
		}
	}
}

// emptied waits until a queue is empty, for acknowledgements may still be under way.
func emptied(ctx context.Context, url string) error {
	for {
		got, err := admin.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"All"}})
		if err != nil {
			return fmt.Errorf("messages are left: %w", err)
		}
		if got.Attributes["ApproximateNumberOfMessages"] == "0" && got.Attributes["ApproximateNumberOfMessagesNotVisible"] == "0" {
			return nil
		}
	}
}

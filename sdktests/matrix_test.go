package sdktests

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aliyun/aliyun-mns-go-sdk"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// A talker is an SDK that sends and receives texts.
type talker struct {
	sdk     string // by which its program knows it
	mns     bool   // it speaks MNS
	encodes bool   // it base64-encodes what it sends and decodes what it receives

	name    string
	send    func(queue, text string) error
	receive func(queue string) (string, error)
}

// reads gives what the receiver must read of the sender's text. Between two SDKs of MNS it is as
// in the cloud: a body is handed out as it came, and one that was not encoded is nothing that a
// decoding SDK could read; then ok is false.
func (receiver talker) reads(sender talker, text string) (want string, ok bool) {
	if !sender.mns || !receiver.mns || sender.encodes == receiver.encodes {
		return text, true
	}
	if sender.encodes {
		return base64.StdEncoding.EncodeToString([]byte(text)), true
	}
	return "", false
}

// Every text sent with any SDK of any language is read as the same text with any other.
func TestTextTravelsBetweenSDKs(t *testing.T) {
	t.Parallel()
	srv := start(t)
	talkers := []talker{srv.goSQS(t.Context()), goMNS(srv.mns(accessKey)), srv.jsonAPI()}
	for _, p := range programs {
		if !p.available(t) {
			continue
		}
		for _, talker := range p.talkers {
			talkers = append(talkers, p.talker(t, srv, talker))
		}
	}
	client := srv.sqs()
	for _, sender := range talkers {
		for _, receiver := range talkers {
			if _, ok := receiver.reads(sender, ""); !ok {
				continue
			}
			name := sender.name + "-to-" + receiver.name
			t.Run(name, func(t *testing.T) {
				queue := strings.ReplaceAll(name, ".", "-")
				createQueue(t, client, queue)
				for what, text := range texts {
					if err := sender.send(queue, text); err != nil {
						t.Fatalf("send %s: %v", what, err)
					}
					got, err := receiver.receive(queue)
					if want, _ := receiver.reads(sender, text); err != nil || got != want {
						t.Errorf("%s: got %.100q, %v, want %.100q", what, got, err, want)
					}
				}
			})
		}
	}
}

func (p polymq) goSQS(ctx context.Context, options ...func(*sqs.Options)) talker {
	client := p.sqs(options...)
	url := func(queue string) *string { return aws.String(p.url + "/000000000000/" + queue) }
	return talker{
		name: "go-sqs",
		send: func(queue, text string) error {
			_, err := client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: url(queue), MessageBody: &text})
			return err
		},
		receive: func(queue string) (string, error) {
			out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: url(queue), WaitTimeSeconds: 5})
			if err != nil || len(out.Messages) != 1 {
				return "", fmt.Errorf("received %+v: %w", out, err)
			}
			_, err = client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: url(queue), ReceiptHandle: out.Messages[0].ReceiptHandle})
			return *out.Messages[0].Body, err
		},
	}
}

func goMNS(client ali_mns.MNSClient) talker {
	return talker{
		name: "go-mns", mns: true,
		send: func(queue, text string) error {
			_, err := ali_mns.NewMNSQueue(queue, client).SendMessage(ali_mns.MessageSendRequest{MessageBody: text})
			return err
		},
		receive: func(name string) (string, error) {
			queue := ali_mns.NewMNSQueue(name, client)
			message, err := mnsReceive(queue, 5)
			if err != nil {
				return "", err
			}
			return message.MessageBody, queue.DeleteMessage(message.ReceiptHandle)
		},
	}
}

func (p polymq) jsonAPI() talker {
	type message struct {
		Body          string `json:"body"`
		ReceiptHandle string `json:"receipt_handle,omitempty"`
	}
	type messages struct {
		Messages []message `json:"messages"`
	}
	return talker{
		name: "json-api",
		send: func(queue, text string) error {
			return p.callAPI("POST", "/queues/"+queue+"/messages", messages{[]message{{Body: text}}}, nil)
		},
		receive: func(queue string) (string, error) {
			var got messages
			err := p.callAPI("POST", "/queues/"+queue+"/messages:receive", map[string]int{"wait_seconds": 5}, &got)
			if err != nil || len(got.Messages) != 1 {
				return "", fmt.Errorf("received %+v: %w", got, err)
			}
			return got.Messages[0].Body, p.callAPI("POST", "/queues/"+queue+"/messages:delete",
				map[string][]string{"receipt_handles": {got.Messages[0].ReceiptHandle}}, nil)
		},
	}
}

// talker starts the program to talk with one of its SDKs; it ends with the test.
func (p program) talker(t *testing.T, srv polymq, sdk talker) talker {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := p.command(ctx, t, srv, "talk", sdk.sdk)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if testing.Verbose() {
		cmd.Stderr = os.Stderr
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
	t.Cleanup(func() {
		defer cancel()
		_ = stdin.Close() // after which it ends by itself
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s ended with %v", p.name, err)
		}
	})
	process := &conversation{to: json.NewEncoder(stdin), from: bufio.NewReader(stdout), end: cancel}
	sdk.name = p.name + "-" + sdk.sdk
	sdk.send = func(queue, text string) error {
		_, err := process.ask(map[string]string{"op": "send", "queue": queue, "text": text})
		return err
	}
	sdk.receive = func(queue string) (string, error) {
		return process.ask(map[string]string{"op": "receive", "queue": queue})
	}
	return sdk
}

// answerTimeout bounds how long a program may take for one answer, its start included. The whole conversation has no
// bound: it waits for others to be installed.
const answerTimeout = 2 * time.Minute

// conversation is with a program that answers each line with a line.
type conversation struct {
	mu   sync.Mutex
	to   *json.Encoder
	from *bufio.Reader
	end  func() // kills it
}

func (c *conversation) ask(request map[string]string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	late := time.AfterFunc(answerTimeout, c.end)
	defer late.Stop()
	if err := c.to.Encode(request); err != nil {
		return "", fmt.Errorf("ask the program: %w", err)
	}
	line, err := c.from.ReadBytes('\n')
	if err != nil {
		return "", fmt.Errorf("read the program's answer: %w", err)
	}
	var answer struct{ Text, Error string }
	if err := json.Unmarshal(line, &answer); err != nil {
		return "", fmt.Errorf("decode the program's answer %q: %w", line, err)
	}
	if answer.Error != "" {
		return "", errors.New(answer.Error)
	}
	return answer.Text, nil
}

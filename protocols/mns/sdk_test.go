package mns

import (
	"strings"
	"testing"

	sdk "github.com/aliyun/aliyun-mns-go-sdk"
)

// The official client for Go, as an application uses it. It insists on an endpoint of five parts
// between dots, as in the service's host names; "/." makes an address one.
func TestOfficialClient(t *testing.T) {
	t.Parallel()
	f := start(t)
	client := sdk.NewAliMNSClientWithConfig(sdk.AliMNSClientConfig{EndPoint: f.url + "/.", AccessKeyId: "ak", AccessKeySecret: "sk"})
	manager := sdk.NewMNSQueueManager(client)
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	refused := func(what string, err error, code string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), code) {
			t.Errorf("%s: got %v, want %s", what, err, code)
		}
	}

	check("create", manager.CreateSimpleQueue("orders"))
	refused("create again", manager.CreateSimpleQueue("orders"), "attribute is the same")
	refused("create with another delay", manager.CreateQueue("orders", 1, 65536, 345600, 30, 0, 2), "QueueAlreadyExist")
	check("set", manager.SetQueueAttributes("orders", 0, 65536, 345600, 40, 0, 2))
	attributes, err := manager.GetQueueAttributes("orders")
	check("get", err)
	if attributes.QueueName != "orders" || attributes.VisibilityTimeout != 40 || attributes.CreateTime == 0 {
		t.Errorf("got %+v", attributes)
	}
	details, err := manager.ListQueueDetail("", 10, "ord")
	check("list", err)
	if len(details.Attrs) != 1 || details.Attrs[0].QueueName != "orders" || details.NextMarker != "" {
		t.Errorf("got %+v", details)
	}
	opened, err := sdk.NewAccountManager(client).OpenService()
	check("open the service", err)
	if opened.OrderId == "" || len(opened.RequestId) != 24 {
		t.Errorf("got %+v", opened)
	}

	queue := sdk.NewMNSQueue("orders", client)
	sent, err := queue.SendMessage(sdk.MessageSendRequest{MessageBody: "hello <&>\r\n", Priority: 1})
	check("send", err)
	received := receiveWithClient(t, queue)
	if received.MessageBody != "hello <&>\r\n" || received.MessageId != sent.MessageId || received.MessageBodyMD5 != sent.MessageBodyMD5 || received.Priority != 1 {
		t.Errorf("got %+v, sent %+v", received, sent)
	}
	changed, err := queue.ChangeMessageVisibility(received.ReceiptHandle, 10)
	check("change visibility", err)
	refused("delete with the old handle", queue.DeleteMessage(received.ReceiptHandle), "MessageNotExist")
	check("delete", queue.DeleteMessage(changed.ReceiptHandle))
	refused("delete with nonsense", queue.DeleteMessage("a+b/c=="), "ReceiptHandleError")

	batch, err := queue.BatchSendMessage(sdk.MessageSendRequest{MessageBody: "one"}, sdk.MessageSendRequest{MessageBody: "two", DelaySeconds: 60})
	check("batch send", err)
	if len(batch.Messages) != 2 || batch.Messages[1].MessageId == "" {
		t.Errorf("got %+v", batch)
	}
	batches, errs := make(chan sdk.BatchMessageReceiveResponse, 2), make(chan error, 2)
	queue.BatchPeekMessage(batches, errs, 16)
	queue.BatchReceiveMessage(batches, errs, 16, 5)
	if len(errs) > 0 {
		t.Fatal(<-errs)
	}
	peeked, got := (<-batches).Messages, (<-batches).Messages
	if len(peeked) != 1 || len(got) != 1 || got[0].MessageBody != "one" || peeked[0].MessageId != got[0].MessageId {
		t.Fatalf("got %+v, peeked at %+v", got, peeked)
	}
	failed, err := queue.BatchDeleteMessage(got[0].ReceiptHandle, "nonsense")
	if err == nil || len(failed.FailedMessages) != 1 || failed.FailedMessages[0].ErrorCode != "ReceiptHandleError" {
		t.Errorf("got %+v and %v", failed, err)
	}
	queue.ReceiveMessage(nil, errs)
	refused("receive of nothing", <-errs, "MessageNotExist")
	check("delete queue", manager.DeleteQueue("orders"))
	_, err = manager.GetQueueAttributes("orders")
	refused("get of nothing", err, "QueueNotExist")
}

func receiveWithClient(t *testing.T, queue sdk.AliMNSQueue) sdk.MessageReceiveResponse {
	t.Helper()
	messages, errs := make(chan sdk.MessageReceiveResponse, 1), make(chan error, 1)
	queue.ReceiveMessage(messages, errs, 5)
	select {
	case message := <-messages:
		return message
	case err := <-errs:
		t.Fatal(err)
		panic("unreachable")
	}
}

package sdktests

import (
	"crypto/md5"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/aliyun-mns-go-sdk"
	gogap "github.com/gogap/errors"
)

// mnsQueue creates a queue with MNS's defaults.
func (p polymq) mnsQueue(t *testing.T, name string) ali_mns.AliMNSQueue {
	t.Helper()
	client := p.mns(accessKey)
	if err := ali_mns.NewMNSQueueManager(client).CreateSimpleQueue(name); err != nil {
		t.Fatalf("create queue %s: %v", name, err)
	}
	return ali_mns.NewMNSQueue(name, client)
}

func mnsSend(t *testing.T, queue ali_mns.AliMNSQueue, body string) ali_mns.MessageSendResponse {
	t.Helper()
	out, err := queue.SendMessage(ali_mns.MessageSendRequest{MessageBody: body})
	if err != nil {
		t.Fatalf("send: %v", err)
	}
	return out
}

// mnsAnswer calls an operation of the SDK that gives its answer over channels.
func mnsAnswer[T any](call func(answers chan T, errs chan error)) (answer T, err error) {
	answers, errs := make(chan T, 1), make(chan error, 1)
	call(answers, errs)
	select {
	case answer = <-answers:
		return answer, nil
	case err = <-errs:
		return answer, err
	default:
		return answer, errors.New("the SDK gave neither an answer nor an error")
	}
}

// mnsReceive waits so many seconds, or as long as the queue says if none are given.
func mnsReceive(queue ali_mns.AliMNSQueue, wait ...int64) (ali_mns.MessageReceiveResponse, error) {
	return mnsAnswer(func(answers chan ali_mns.MessageReceiveResponse, errs chan error) {
		queue.ReceiveMessage(answers, errs, wait...)
	})
}

func mnsReceived(t *testing.T, queue ali_mns.AliMNSQueue, wait ...int64) ali_mns.MessageReceiveResponse {
	t.Helper()
	message, err := mnsReceive(queue, wait...)
	if err != nil {
		t.Fatalf("receive: %v", err)
	}
	return message
}

// wantMNS wants an error that the SDK knows by this template.
func wantMNS(t *testing.T, err error, want gogap.ErrCodeTemplate) {
	t.Helper()
	if !want.IsEqual(err) {
		t.Errorf("got error %v, want one like %v", err, want.New(gogap.Params{"resp": ali_mns.ErrorResponse{}, "resource": "", "name": ""}))
	}
}

func wantMNSCounts(t *testing.T, srv polymq, name string, active, inactive, delayed int64) {
	t.Helper()
	got, err := ali_mns.NewMNSQueueManager(srv.mns(accessKey)).GetQueueAttributes(name)
	if err != nil {
		t.Fatalf("get attributes of %s: %v", name, err)
	}
	if got.ActiveMessages != active || got.InactiveMessages != inactive || got.DelayMessages != delayed {
		t.Errorf("got %d active, %d inactive, %d delayed, want %d, %d, %d",
			got.ActiveMessages, got.InactiveMessages, got.DelayMessages, active, inactive, delayed)
	}
}

func TestMNSCreateQueue(t *testing.T) {
	t.Parallel()
	manager := ali_mns.NewMNSQueueManager(start(t).mns(accessKey))
	if err := manager.CreateSimpleQueue("orders"); err != nil {
		t.Fatalf("create: %v", err)
	}
	wantMNS(t, manager.CreateSimpleQueue("orders"), ali_mns.ERR_MNS_QUEUE_ALREADY_EXIST_AND_HAVE_SAME_ATTR)
	wantMNS(t, manager.CreateQueue("orders", 0, 65536, 345600, 31, 0, 0), ali_mns.ERR_MNS_QUEUE_ALREADY_EXIST)
}

func TestMNSQueueNames(t *testing.T) {
	t.Parallel()
	manager := ali_mns.NewMNSQueueManager(start(t).mns(accessKey))
	for _, name := range []string{"a", "Orders-2", "7up", strings.Repeat("q", 120)} {
		if err := manager.CreateSimpleQueue(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"-orders", "my.orders!", "orders~"} {
		wantMNS(t, manager.CreateSimpleQueue(name), ali_mns.ERR_MNS_INVALID_QUEUE_NAME)
	}
}

func TestMNSQueueAttributes(t *testing.T) {
	t.Parallel()
	srv := start(t)
	srv.mnsQueue(t, "orders")
	manager := ali_mns.NewMNSQueueManager(srv.mns(accessKey))
	if err := manager.SetQueueAttributes("orders", 1, 2048, 3600, 45, 2, 0); err != nil {
		t.Fatalf("set attributes: %v", err)
	}
	got, err := manager.GetQueueAttributes("orders")
	if err != nil {
		t.Fatalf("get attributes: %v", err)
	}
	if age := time.Now().Unix() - got.CreateTime; age < -60 || age > 60 {
		t.Errorf("CreateTime %d is not now in seconds", got.CreateTime)
	}
	got.XMLName.Local, got.XMLName.Space, got.CreateTime, got.LastModifyTime = "", "", 0, 0
	want := ali_mns.QueueAttribute{
		QueueName: "orders", DelaySeconds: 1, MaxMessageSize: 2048, MessageRetentionPeriod: 3600,
		VisibilityTimeout: 45, PollingWaitSeconds: 2,
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	wantMNS(t, manager.SetQueueAttributes("orders", 0, 1023, 3600, 45, 2, 0), ali_mns.ERR_MNS_INVALID_ARGUMENT)
}

func TestMNSListQueue(t *testing.T) {
	t.Parallel()
	srv := start(t)
	manager := ali_mns.NewMNSQueueManager(srv.mns(accessKey))
	var want []string
	for n := range 5 {
		name := fmt.Sprintf("orders-%d", n)
		srv.mnsQueue(t, name)
		want = append(want, srv.url+"/queues/"+name)
	}
	srv.mnsQueue(t, "bills")
	var got []string
	pages, marker := 0, ""
	for pages == 0 || marker != "" {
		page, err := manager.ListQueue(marker, 2, "orders")
		if err != nil {
			t.Fatalf("list: %v", err)
		}
		for _, queue := range page.Queues {
			got = append(got, queue.QueueURL)
		}
		pages, marker = pages+1, page.NextMarker
	}
	if pages != 3 || !slices.Equal(got, want) {
		t.Errorf("got %d pages with %v, want 3 with %v", pages, got, want)
	}
	details, err := manager.ListQueueDetail("", 1000, "bills")
	if err != nil || len(details.Attrs) != 1 || details.Attrs[0].QueueName != "bills" || details.Attrs[0].VisibilityTimeout != 30 {
		t.Errorf("got details %+v, %v", details, err)
	}
}

func TestMNSMissingQueue(t *testing.T) {
	t.Parallel()
	client := start(t).mns(accessKey)
	queue := ali_mns.NewMNSQueue("nowhere", client)
	_, err := ali_mns.NewMNSQueueManager(client).GetQueueAttributes("nowhere")
	wantMNS(t, err, ali_mns.ERR_MNS_QUEUE_NOT_EXIST)
	_, err = queue.SendMessage(ali_mns.MessageSendRequest{MessageBody: "hello"})
	wantMNS(t, err, ali_mns.ERR_MNS_QUEUE_NOT_EXIST)
	_, err = mnsReceive(queue)
	wantMNS(t, err, ali_mns.ERR_MNS_QUEUE_NOT_EXIST)
	_, err = queue.BatchSendMessage(ali_mns.MessageSendRequest{MessageBody: "hello"})
	wantMNS(t, err, ali_mns.ERR_MNS_QUEUE_NOT_EXIST)
}

func TestMNSDeleteQueue(t *testing.T) {
	t.Parallel()
	srv := start(t)
	mnsSend(t, srv.mnsQueue(t, "orders"), "hello")
	manager := ali_mns.NewMNSQueueManager(srv.mns(accessKey))
	for range 2 { // of a queue that is gone, too
		if err := manager.DeleteQueue("orders"); err != nil {
			t.Errorf("delete: %v", err)
		}
	}
	_, err := manager.GetQueueAttributes("orders")
	wantMNS(t, err, ali_mns.ERR_MNS_QUEUE_NOT_EXIST)
	_, err = mnsReceive(srv.mnsQueue(t, "orders"))
	wantMNS(t, err, ali_mns.ERR_MNS_MESSAGE_NOT_EXIST)
}

func TestMNSSendReceiveDelete(t *testing.T) {
	t.Parallel()
	srv := start(t)
	queue := srv.mnsQueue(t, "orders")
	sent := mnsSend(t, queue, "hello")
	if want := strings.ToUpper(fmt.Sprintf("%x", md5.Sum([]byte("hello")))); sent.MessageBodyMD5 != want || sent.ReceiptHandle != "" {
		t.Errorf("got MD5 %s and handle %q, want %s and none", sent.MessageBodyMD5, sent.ReceiptHandle, want)
	}
	got := mnsReceived(t, queue)
	if got.MessageBody != "hello" || got.MessageId != sent.MessageId || got.MessageBodyMD5 != sent.MessageBodyMD5 || got.DequeueCount != 1 || got.Priority != 8 {
		t.Errorf("got %+v", got)
	}
	if hidden := got.NextVisibleTime - got.FirstDequeueTime; hidden < 28_000 || hidden > 32_000 || got.EnqueueTime > got.FirstDequeueTime {
		t.Errorf("sent at %d, received at %d, visible at %d", got.EnqueueTime, got.FirstDequeueTime, got.NextVisibleTime)
	}
	_, err := mnsReceive(queue)
	wantMNS(t, err, ali_mns.ERR_MNS_MESSAGE_NOT_EXIST)
	if err := queue.DeleteMessage(got.ReceiptHandle); err != nil {
		t.Errorf("delete: %v", err)
	}
	wantMNS(t, queue.DeleteMessage(got.ReceiptHandle), ali_mns.ERR_MNS_MESSAGE_NOT_EXIST)
	wantMNSCounts(t, srv, "orders", 0, 0, 0)
}

func TestMNSTextsComeBackAsSent(t *testing.T) {
	t.Parallel()
	queue := start(t).mnsQueue(t, "orders")
	for name, body := range texts {
		mnsSend(t, queue, body)
		got := mnsReceived(t, queue)
		if got.MessageBody != body {
			t.Errorf("%s: got %.100q, want %.100q", name, got.MessageBody, body)
		}
		if err := queue.DeleteMessage(got.ReceiptHandle); err != nil {
			t.Fatalf("delete: %v", err)
		}
	}
}

func TestMNSMessageSize(t *testing.T) {
	t.Parallel()
	queue := start(t).mnsQueue(t, "orders")
	mnsSend(t, queue, strings.Repeat("x", 65536))
	for _, body := range []string{"", strings.Repeat("x", 65537)} {
		_, err := queue.SendMessage(ali_mns.MessageSendRequest{MessageBody: body})
		wantMNS(t, err, ali_mns.ERR_MNS_INVALID_ARGUMENT)
	}
	half := ali_mns.MessageSendRequest{MessageBody: strings.Repeat("x", 40000)}
	_, err := queue.BatchSendMessage(half, half)
	wantMNS(t, err, ali_mns.ERR_MNS_INVALID_ARGUMENT)
}

func TestMNSBatches(t *testing.T) {
	t.Parallel()
	srv := start(t)
	queue := srv.mnsQueue(t, "orders")
	var batch []ali_mns.MessageSendRequest
	var want []string
	for n := range 16 {
		want = append(want, fmt.Sprintf("body %02d", n))
		batch = append(batch, ali_mns.MessageSendRequest{MessageBody: want[n]})
	}
	sent, err := queue.BatchSendMessage(batch...)
	if err != nil || len(sent.Messages) != 16 {
		t.Fatalf("sent %d messages, %v", len(sent.Messages), err)
	}
	_, err = queue.BatchSendMessage(append(batch, batch[0])...)
	wantMNS(t, err, ali_mns.ERR_MNS_INVALID_ARGUMENT)
	peeked, err := mnsAnswer(func(answers chan ali_mns.BatchMessageReceiveResponse, errs chan error) {
		queue.BatchPeekMessage(answers, errs, 16)
	})
	wantBodies(t, peeked, err, want)
	got, err := mnsAnswer(func(answers chan ali_mns.BatchMessageReceiveResponse, errs chan error) {
		queue.BatchReceiveMessage(answers, errs, 16, 1)
	})
	handles := wantBodies(t, got, err, want)
	if _, err := queue.BatchDeleteMessage(handles...); err != nil {
		t.Errorf("batch delete: %v", err)
	}
	wantMNSCounts(t, srv, "orders", 0, 0, 0)
}

// wantBodies compares the bodies in any order and gives the receipt handles.
func wantBodies(t *testing.T, got ali_mns.BatchMessageReceiveResponse, err error, want []string) (handles []string) {
	t.Helper()
	if err != nil {
		t.Fatalf("batch: %v", err)
	}
	var bodies []string
	for _, message := range got.Messages {
		bodies, handles = append(bodies, message.MessageBody), append(handles, message.ReceiptHandle)
	}
	if slices.Sort(bodies); !slices.Equal(bodies, want) {
		t.Errorf("got bodies %v, want %v", bodies, want)
	}
	return handles
}

func TestMNSBatchDeleteNamesWhatFailed(t *testing.T) {
	t.Parallel()
	srv := start(t)
	queue := srv.mnsQueue(t, "orders")
	mnsSend(t, queue, "one")
	mnsSend(t, queue, "two")
	gone, there := mnsReceived(t, queue).ReceiptHandle, mnsReceived(t, queue).ReceiptHandle
	if err := queue.DeleteMessage(gone); err != nil {
		t.Fatalf("delete: %v", err)
	}
	out, err := queue.BatchDeleteMessage(gone, there, "not-a-handle")
	wantMNS(t, err, ali_mns.ERR_MNS_BATCH_OP_FAIL)
	got := map[string]string{}
	for _, failed := range out.FailedMessages {
		got[failed.ReceiptHandle] = failed.ErrorCode
	}
	if len(got) != 2 || got[gone] != "MessageNotExist" || got["not-a-handle"] != "ReceiptHandleError" {
		t.Errorf("got failures %v", got)
	}
	wantMNSCounts(t, srv, "orders", 0, 0, 0)
}

func TestMNSPeekChangesNothing(t *testing.T) {
	t.Parallel()
	srv := start(t)
	queue := srv.mnsQueue(t, "orders")
	peek := func() (ali_mns.MessageReceiveResponse, error) {
		return mnsAnswer(func(answers chan ali_mns.MessageReceiveResponse, errs chan error) { queue.PeekMessage(answers, errs) })
	}
	_, err := peek()
	wantMNS(t, err, ali_mns.ERR_MNS_MESSAGE_NOT_EXIST)
	mnsSend(t, queue, "hello")
	for range 2 {
		got, err := peek()
		if err != nil || got.MessageBody != "hello" || got.DequeueCount != 0 || got.ReceiptHandle != "" || got.FirstDequeueTime != got.EnqueueTime {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	wantMNSCounts(t, srv, "orders", 1, 0, 0)
	if got := mnsReceived(t, queue).DequeueCount; got != 1 {
		t.Errorf("got dequeue count %d after two peeks, want 1", got)
	}
}

func TestMNSChangeVisibilityReplacesTheHandle(t *testing.T) {
	t.Parallel()
	srv := start(t)
	queue := srv.mnsQueue(t, "orders")
	mnsSend(t, queue, "hello")
	old := mnsReceived(t, queue)
	changed, err := queue.ChangeMessageVisibility(old.ReceiptHandle, 60)
	if err != nil || changed.ReceiptHandle == old.ReceiptHandle || changed.NextVisibleTime <= old.NextVisibleTime {
		t.Fatalf("got %+v, %v", changed, err)
	}
	wantMNS(t, queue.DeleteMessage(old.ReceiptHandle), ali_mns.ERR_MNS_MESSAGE_NOT_EXIST)
	_, err = queue.ChangeMessageVisibility(old.ReceiptHandle, 60)
	wantMNS(t, err, ali_mns.ERR_MNS_MESSAGE_NOT_EXIST)
	srv.advance(t, 50*time.Second)
	wantMNSCounts(t, srv, "orders", 0, 1, 0)
	if err := queue.DeleteMessage(changed.ReceiptHandle); err != nil {
		t.Errorf("delete with the new handle: %v", err)
	}
	wantMNSCounts(t, srv, "orders", 0, 0, 0)
}

func TestMNSHandlesExpire(t *testing.T) {
	t.Parallel()
	srv := start(t)
	queue := srv.mnsQueue(t, "orders")
	mnsSend(t, queue, "hello")
	first := mnsReceived(t, queue)
	srv.advance(t, 31*time.Second)
	wantMNS(t, queue.DeleteMessage(first.ReceiptHandle), ali_mns.ERR_MNS_MESSAGE_NOT_EXIST)
	second := mnsReceived(t, queue)
	if second.MessageId != first.MessageId || second.DequeueCount != 2 || second.FirstDequeueTime != first.FirstDequeueTime {
		t.Errorf("got %+v after %+v", second, first)
	}
	wantMNS(t, queue.DeleteMessage(first.ReceiptHandle), ali_mns.ERR_MNS_MESSAGE_NOT_EXIST)
	wantMNS(t, queue.DeleteMessage("not-a-handle"), ali_mns.ERR_MNS_RECEIPT_HANDLE_ERROR)
	if err := queue.DeleteMessage(second.ReceiptHandle); err != nil {
		t.Errorf("delete with the current handle: %v", err)
	}
}

func TestMNSVisibilityTimeoutBounds(t *testing.T) {
	t.Parallel()
	queue := start(t).mnsQueue(t, "orders")
	mnsSend(t, queue, "hello")
	handle := mnsReceived(t, queue).ReceiptHandle
	for _, seconds := range []int64{-1, 43201} {
		_, err := queue.ChangeMessageVisibility(handle, seconds)
		wantMNS(t, err, ali_mns.ERR_MNS_INVALID_ARGUMENT)
	}
	changed, err := queue.ChangeMessageVisibility(handle, 43200)
	if err != nil {
		t.Fatalf("12 h: %v", err)
	}
	if _, err := queue.ChangeMessageVisibility(changed.ReceiptHandle, 1); err != nil {
		t.Errorf("1 s: %v", err)
	}
}

func TestMNSPriority(t *testing.T) {
	t.Parallel()
	queue := start(t).mnsQueue(t, "orders")
	for _, priority := range []int64{9, 16, 1, 0} { // 0 is the default, 8
		if _, err := queue.SendMessage(ali_mns.MessageSendRequest{MessageBody: "hello", Priority: priority}); err != nil {
			t.Fatalf("send with priority %d: %v", priority, err)
		}
	}
	var got []int64
	for range 4 {
		got = append(got, mnsReceived(t, queue).Priority)
	}
	if !slices.Equal(got, []int64{1, 8, 9, 16}) {
		t.Errorf("got priorities %v", got)
	}
	for _, priority := range []int64{-1, 17} {
		_, err := queue.SendMessage(ali_mns.MessageSendRequest{MessageBody: "hello", Priority: priority})
		wantMNS(t, err, ali_mns.ERR_MNS_INVALID_ARGUMENT)
	}
}

func TestMNSDelay(t *testing.T) {
	t.Parallel()
	srv := start(t)
	queue := srv.mnsQueue(t, "orders")
	sent, err := queue.SendMessage(ali_mns.MessageSendRequest{MessageBody: "hello", DelaySeconds: 604800})
	if err != nil || sent.ReceiptHandle == "" {
		t.Fatalf("got %+v, %v, want a handle of the delayed message", sent, err)
	}
	wantMNSCounts(t, srv, "orders", 0, 0, 1)
	_, err = mnsReceive(queue)
	wantMNS(t, err, ali_mns.ERR_MNS_MESSAGE_NOT_EXIST)
	if _, err := queue.ChangeMessageVisibility(sent.ReceiptHandle, 60); err != nil {
		t.Fatalf("change visibility before the delay is over: %v", err)
	}
	srv.advance(t, time.Minute)
	if got := mnsReceived(t, queue); got.MessageBody != "hello" || got.DequeueCount != 1 {
		t.Errorf("got %+v", got)
	}
	_, err = queue.SendMessage(ali_mns.MessageSendRequest{MessageBody: "hello", DelaySeconds: 604801})
	wantMNS(t, err, ali_mns.ERR_MNS_INVALID_ARGUMENT)
}

func TestMNSLongPollWakesAtASend(t *testing.T) {
	t.Parallel()
	queue := start(t).mnsQueue(t, "orders")
	polled := make(chan string, 1)
	go func() {
		message, err := mnsReceive(queue, 30)
		polled <- fmt.Sprint(message.MessageBody, err)
	}()
	mnsSend(t, queue, "hello")
	if got := within(t, polled, "the poll"); got != "hello<nil>" {
		t.Errorf("got %s", got)
	}
}

func TestMNSLongPollBounds(t *testing.T) {
	t.Parallel()
	srv := start(t)
	queue := srv.mnsQueue(t, "orders")
	_, err := mnsReceive(queue, 31)
	wantMNS(t, err, ali_mns.ERR_MNS_INVALID_ARGUMENT)
	began := time.Now()
	_, err = mnsReceive(queue, 1)
	wantMNS(t, err, ali_mns.ERR_MNS_MESSAGE_NOT_EXIST)
	if took := time.Since(began); took < 900*time.Millisecond || took > 10*time.Second {
		t.Errorf("a wait of 1 s took %v", took)
	}
}

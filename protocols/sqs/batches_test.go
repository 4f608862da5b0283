package sqs

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
)

// batchActions are the actions on batches, with the name of their entries and an entry that can
// only fail on its own.
var batchActions = map[string]struct{ kind, entry string }{
	"SendMessageBatch":             {"SendMessageBatchRequestEntry", `"MessageBody":""`},
	"DeleteMessageBatch":           {"DeleteMessageBatchRequestEntry", `"ReceiptHandle":"h"`},
	"ChangeMessageVisibilityBatch": {"ChangeMessageVisibilityBatchRequestEntry", `"ReceiptHandle":"h","VisibilityTimeout":1`},
}

func TestBatchesThatFailAsAWhole(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	const badID = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."
	for action, batch := range batchActions {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			entries := func(ids ...string) string {
				var list []string
				for _, id := range ids {
					list = append(list, `{"Id":"`+id+`",`+batch.entry+`}`)
				}
				return `,"Entries":[` + strings.Join(list, ",") + `]`
			}
			twenty := make([]string, 20) // all of them without an id: their number comes first
			tests := map[string]struct {
				members string
				want    wireError
				message string
			}{
				"no entries":             {``, emptyBatch, "There should be at least one " + batch.kind + " in the request."},
				"none":                   {entries(), emptyBatch, ""},
				"too many":               {entries(twenty...), tooManyEntries, "Maximum number of entries per request are 10. You have sent 20."},
				"no id":                  {entries("1", ""), invalidEntryID, badID},
				"a bad id":               {entries("a.b"), invalidEntryID, badID},
				"a long id":              {entries(strings.Repeat("x", 81)), invalidEntryID, badID},
				"a bad id and one twice": {entries("1", "1", "a b"), invalidEntryID, badID},
				"an id twice":            {entries("1", "2", "1"), idsNotDistinct, "Id 1 repeated."},
			}
			for name, tt := range tests {
				t.Run(name, func(t *testing.T) {
					f.json(t, action, `{"QueueUrl":"orders"`+tt.members+`}`).wantFault(t, tt.want, tt.message)
				})
			}
			f.query(t, action, "QueueUrl=orders").wantQueryFault(t, emptyBatch, "There should be at least one "+batch.kind+" in the request.")
			f.query(t, action, "QueueUrl=orders&"+batch.kind+".7.Id=a%20b").wantQueryFault(t, invalidEntryID, "")
			got := f.json(t, action, `{"QueueUrl":"orders"`+entries(strings.Repeat("x", 80))+`}`)
			if got.status != http.StatusOK || !strings.HasPrefix(got.body, `{"Failed":[`) {
				t.Errorf("an id of 80 and all entries failed: got %d %s", got.status, got.body)
			}
		})
	}
}

func TestSendMessageBatchSize(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.ok(t, "CreateQueue", `{"QueueName":"orders","Attributes":{"MaximumMessageSize":"1024"}}`)
	half := strings.Repeat("x", maxBatchSize/2)
	batch := func(more string) string {
		return `{"QueueUrl":"orders","Entries":[{"Id":"1","MessageBody":"` + half + `"},{"Id":"2","MessageBody":"` + half + more + `"}]}`
	}
	f.json(t, "SendMessageBatch", batch("x")).wantFault(t, batchTooLong, "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.")
	const tooLong = `"SenderFault":true,"Code":"InvalidParameterValue","Message":"One or more parameters cannot be validated. Reason: Message must be shorter than 1024 bytes."}`
	if got, want := f.json(t, "SendMessageBatch", batch("")).body, `{"Failed":[{"Id":"1",`+tooLong+`,{"Id":"2",`+tooLong+`]}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A bad entry does not keep the others from being sent, in their order.
func TestSendMessageBatch(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	uuid := regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	got := uuid.ReplaceAllString(f.json(t, "SendMessageBatch", `{"QueueUrl":"orders","Entries":[
		{"Id":"late","MessageBody":"b","DelaySeconds":901},
		{"Id":"one","MessageBody":"hello"},
		{"Id":"bad","MessageBody":"a\u0000"},
		{"Id":"half","MessageBody":"b","MessageAttributes":{"k":{"DataType":"String","StringValue":"\ud83d"}}},
		{"Id":"two","MessageBody":"x","MessageAttributes":{"k":{"DataType":"String","StringValue":"x"}}},
		{"Id":"none"}]}`).body, "UUID")
	want := `{"Successful":[{"Id":"one","MessageId":"UUID","MD5OfMessageBody":"5d41402abc4b2a76b9719d911017c592"},` +
		`{"Id":"two","MessageId":"UUID","MD5OfMessageBody":"9dd4e461268c8034f5c8564e155c67a6","MD5OfMessageAttributes":"a45daa70926828a2f0a1db3418e6feb4"}],` +
		`"Failed":[{"Id":"late","SenderFault":true,"Code":"InvalidParameterValue","Message":"Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."},` +
		`{"Id":"bad","SenderFault":true,"Code":"InvalidMessageContents","Message":"Invalid characters found. ` + validCharacters + `"},` +
		`{"Id":"half","SenderFault":true,"Code":"InvalidParameterValue","Message":"Invalid characters found in message (user) attribute 'k'. ` + validCharacters + `"},` +
		`{"Id":"none","SenderFault":true,"Code":"MissingParameter","Message":"The request must contain the parameter MessageBody."}]}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	got = f.query(t, "SendMessageBatch", "QueueUrl=orders&SendMessageBatchRequestEntry.2.Id=b&SendMessageBatchRequestEntry.2.MessageBody=hello&SendMessageBatchRequestEntry.1.Id=a").body
	if !regexp.MustCompile(`<SendMessageBatchResultEntry><Id>b</Id><MessageId>.{36}</MessageId><MD5OfMessageBody>5d41402abc4b2a76b9719d911017c592</MD5OfMessageBody></SendMessageBatchResultEntry>` +
		`<BatchResultErrorEntry><Id>a</Id><SenderFault>true</SenderFault><Code>MissingParameter</Code><Message>`).MatchString(got) {
		t.Errorf("got %s", got)
	}
	var bodies []string
	for _, m := range f.receive(t, `,"MaxNumberOfMessages":10`) {
		bodies = append(bodies, m["Body"].(string))
	}
	if !slices.Equal(bodies, []string{"hello", "x", "hello"}) {
		t.Errorf("got %q", bodies)
	}
}

// An error of the server is the whole batch's, since the client is to try all of it again.
func TestBatchWithoutADatabase(t *testing.T) {
	t.Parallel()
	f := startOn(&stubStore{err: core.Errorf(core.Unavailable, "the database is away")})
	for action := range batchActions {
		f.json(t, action, `{"QueueUrl":"orders","Entries":[{"Id":"1","MessageBody":"x","ReceiptHandle":"h","VisibilityTimeout":1}]}`).
			wantFault(t, serviceUnavailable, "")
	}
}

func TestHandleBatches(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.send(t, "a", "b", "c")
	var handles []string
	for _, m := range f.receive(t, `,"MaxNumberOfMessages":10`) {
		handles = append(handles, m["ReceiptHandle"].(string))
	}
	const bad = `{"Id":"bad","SenderFault":true,"Code":"ReceiptHandleIsInvalid","Message":"The input receipt handle \"h\" is not a valid receipt handle."}`

	got := f.json(t, "ChangeMessageVisibilityBatch", fmt.Sprintf(`{"QueueUrl":"orders","Entries":[{"Id":"bad","ReceiptHandle":"h","VisibilityTimeout":0},
		{"Id":"a","ReceiptHandle":"%s","VisibilityTimeout":0},{"Id":"long","ReceiptHandle":"%s","VisibilityTimeout":43201},{"Id":"none","ReceiptHandle":"%[2]s"},
		{"Id":"b","ReceiptHandle":"%[2]s","VisibilityTimeout":60}]}`, handles[0], handles[1])).body
	want := `{"Successful":[{"Id":"a"},{"Id":"b"}],"Failed":[` +
		`{"Id":"long","SenderFault":true,"Code":"InvalidParameterValue","Message":"Value 43201 for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and 43200."},` +
		`{"Id":"none","SenderFault":true,"Code":"MissingParameter","Message":"The request must contain the parameter VisibilityTimeout."},` + bad + `]}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if again := f.receive(t, `,"MaxNumberOfMessages":10`); len(again) != 1 || again[0]["Body"] != "a" {
		t.Errorf("got %v after one of three was made visible", again)
	}

	entry := func(n, id, handle string) string {
		return "&DeleteMessageBatchRequestEntry." + n + ".Id=" + id + "&DeleteMessageBatchRequestEntry." + n + ".ReceiptHandle=" + handle
	}
	got = f.query(t, "DeleteMessageBatch", "QueueUrl=orders"+entry("1", "a", handles[0])+entry("2", "bad", "h")+entry("3", "b", handles[1])+entry("4", "again", handles[1])).body
	for _, want := range []string{
		`<DeleteMessageBatchResultEntry><Id>a</Id></DeleteMessageBatchResultEntry><DeleteMessageBatchResultEntry><Id>b</Id></DeleteMessageBatchResultEntry><DeleteMessageBatchResultEntry><Id>again</Id></DeleteMessageBatchResultEntry>`,
		`<BatchResultErrorEntry><Id>bad</Id><SenderFault>true</SenderFault><Code>ReceiptHandleIsInvalid</Code>`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if got := f.json(t, "DeleteMessageBatch", `{"QueueUrl":"orders","Entries":[{"Id":"c","ReceiptHandle":"`+handles[2]+`"},{"Id":"b","ReceiptHandle":"`+handles[1]+`"}]}`).body; got != `{"Successful":[{"Id":"c"},{"Id":"b"}]}` {
		t.Errorf("got %s", got)
	}
}

package sns

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg/pgtest"
)

// outbox gives what was kept, newest first.
func (f fixture) outbox(t testing.TB) []core.KeptMessage {
	t.Helper()
	page, err := f.broker.ListKept(context.Background(), core.ListDeliveriesInput{
		Topic: core.TopicName{Account: pgtest.Account, Region: pgtest.Region}, Limit: 10,
	})
	if err != nil {
		t.Fatal(err)
	}
	return page.Messages
}

func TestPublishSMS(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.ok(t, "Publish", append(attribute(1, "AWS.SNS.SMS.SenderID", "String", "me"), "PhoneNumber", "+12345678", "Message", "hello")...)
	got := f.outbox(t)
	if len(got) != 1 || got[0].To != "+12345678" || string(got[0].Body) != "hello" || got[0].Extra["AWS.SNS.SMS.SenderID"] != "me" {
		t.Errorf("got %+v", got)
	}
}

func TestOptedOut(t *testing.T) {
	t.Parallel()
	f := start(t)
	const number = "+12345678"
	isOut := func() string {
		return f.ok(t, "CheckIfPhoneNumberIsOptedOut", "phoneNumber", number).text(t, "isOptedOut")
	}
	if got := isOut(); got != "false" {
		t.Errorf("got %s", got)
	}
	phone := core.Phone{Account: pgtest.Account, Region: pgtest.Region, Number: number}
	for range 2 { // also one that is out
		if err := f.broker.OptOut(context.Background(), phone); err != nil {
			t.Fatal(err)
		}
	}
	if got := isOut(); got != "true" {
		t.Errorf("got %s", got)
	}
	if got := all(f.ok(t, "ListPhoneNumbersOptedOut").Children, "member"); !slices.Equal(got, []string{number}) {
		t.Errorf("got %v", got)
	}
	if id := f.ok(t, "Publish", "PhoneNumber", number, "Message", "x").text(t, "MessageId"); len(id) != 36 || len(f.outbox(t)) > 0 {
		t.Errorf("a publish to it: got id %s, and %+v was sent", id, f.outbox(t))
	}
	f.call(t, "CreateSMSSandboxPhoneNumber", "PhoneNumber", number).wantFault(t, optedOut, "")
	for range 2 { // also one that is not out
		f.ok(t, "OptInPhoneNumber", "phoneNumber", number)
	}
	if got := isOut(); got != "false" {
		t.Errorf("got %s", got)
	}
}

// What a topic publishes does not reach a phone that has opted out, however its number was written: it goes to the dead-letter queue.
func TestOptedOutSubscriber(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.orders(t)
	f.queue(t, ordersARN, "dead", "FilterPolicy", `{"never":["x"]}`)
	f.subscribe(t, ordersARN, "sms", "+12/34-567.890", "RedrivePolicy", `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead"}`)
	phone := core.Phone{Account: pgtest.Account, Region: pgtest.Region, Number: "+1234567890"}
	for _, out := range []bool{true, false} {
		change := f.broker.OptIn
		if out {
			change = f.broker.OptOut
		}
		if err := change(context.Background(), phone); err != nil {
			t.Fatal(err)
		}
		f.ok(t, "Publish", "TopicArn", ordersARN, "Message", "hello")
		if pushed := f.attempt(t, core.PushAnswer{}); len(pushed) > 0 == out {
			t.Errorf("opted out %v: got pushes %+v", out, pushed)
		}
		if dead := f.bodies(t, "dead"); len(dead) > 0 != out {
			t.Errorf("opted out %v: got dead letters %s", out, dead)
		}
	}
	page, err := f.broker.ListAttempts(context.Background(), core.ListDeliveriesInput{Topic: core.TopicName{Account: pgtest.Account, Region: pgtest.Region, Name: "orders"}, Limit: 10})
	if err != nil || len(page.Attempts) != 2 || page.Attempts[1].Answer.Reason != "Phone number is opted out" {
		t.Errorf("attempts %+v, %v", page.Attempts, err)
	}
}

func TestSMSAttributes(t *testing.T) {
	t.Parallel()
	f := start(t)
	fresh := f.call(t, "GetSMSAttributes")
	if got := fresh.document(t).attributes(); len(got) != 1 || got["MonthlySpendLimit"] != "1" || !strings.Contains(fresh.body, "<attributes><entry>") {
		t.Errorf("got %s", fresh.body)
	}
	f.ok(t, "SetSMSAttributes", params("attributes.entry.1.key=DefaultSenderID attributes.entry.1.value=polymq attributes.entry.2.key=DefaultSMSType attributes.entry.2.value=Transactional")...)
	got := f.ok(t, "GetSMSAttributes", "attributes.member.1", "DefaultSMSType").attributes()
	if len(got) != 1 || got["DefaultSMSType"] != "Transactional" {
		t.Errorf("got %v", got)
	}
}

func TestSandbox(t *testing.T) {
	t.Parallel()
	f := start(t)
	const number = "+12345678"
	status := func() []string { return all(f.ok(t, "ListSMSSandboxPhoneNumbers").Children, "Status") }
	if got := f.ok(t, "GetSMSSandboxAccountStatus").text(t, "IsInSandbox"); got != "true" {
		t.Errorf("got %s", got)
	}
	f.ok(t, "CreateSMSSandboxPhoneNumber", "PhoneNumber", number)
	f.ok(t, "CreateSMSSandboxPhoneNumber", "PhoneNumber", number) // another password
	password := f.outbox(t)[0].Extra["OneTimePassword"]
	wrong := "000000"
	if password == wrong {
		wrong = "000001"
	}
	f.call(t, "VerifySMSSandboxPhoneNumber", "PhoneNumber", number, "OneTimePassword", wrong).wantFault(t, verification, "")
	if got := status(); !slices.Equal(got, []string{"Pending"}) {
		t.Errorf("got %v", got)
	}
	f.ok(t, "VerifySMSSandboxPhoneNumber", "PhoneNumber", number, "OneTimePassword", password)
	if got := status(); !slices.Equal(got, []string{"Verified"}) {
		t.Errorf("got %v", got)
	}
	f.ok(t, "DeleteSMSSandboxPhoneNumber", "PhoneNumber", number)
	if got := status(); len(got) > 0 {
		t.Errorf("got %v", got)
	}
	f.call(t, "ListSMSSandboxPhoneNumbers", "MaxResults", "0").wantFault(t, invalidParameter, "")
	f.ok(t, "ListOriginationNumbers")
}

const appARN = "arn:aws:sns:us-east-1:000000000000:app/GCM/app"

// application makes a platform application and an endpoint of it.
func (f fixture) device(t testing.TB) string {
	t.Helper()
	f.ok(t, "CreatePlatformApplication", params("Name=app Platform=GCM Attributes.entry.1.key=PlatformCredential Attributes.entry.1.value=c")...)
	return f.ok(t, "CreatePlatformEndpoint", "PlatformApplicationArn", appARN, "Token", "t", "CustomUserData", "mine").text(t, "EndpointArn")
}

// A message for a device needs a text for its platform, or for all.
func TestPublishToADeviceWithItsTextOnly(t *testing.T) {
	t.Parallel()
	f := start(t)
	device := f.device(t)
	f.ok(t, "Publish", "TargetArn", device, "MessageStructure", "json", "Message", `{"GCM":"g","APNS":"a"}`)
	if got := f.outbox(t); len(got) != 1 || string(got[0].Body) != "g" {
		t.Errorf("got %+v", got)
	}
	for _, text := range []string{`{}`, `{"APNS":"a"}`, `{"GCM":{"notification":{"title":"t"}}}`, `{"default":1}`} {
		f.call(t, "Publish", "TargetArn", device, "MessageStructure", "json", "Message", text).
			wantFault(t, invalidParameter, "Invalid parameter: JSON must contain an entry for 'default' or 'GCM'.")
	}
}

func TestPlatformApplications(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.device(t)
	got := f.ok(t, "GetPlatformApplicationAttributes", "PlatformApplicationArn", appARN).attributes()
	if len(got) != 1 || got["Enabled"] != "true" {
		t.Errorf("got %v: credentials are never shown", got)
	}
	f.ok(t, "SetPlatformApplicationAttributes", append(params("Attributes.entry.1.key=SuccessFeedbackSampleRate Attributes.entry.1.value=10"), "PlatformApplicationArn", appARN)...)
	if got := f.ok(t, "ListPlatformApplications").attributes(); got["SuccessFeedbackSampleRate"] != "10" {
		t.Errorf("got %v", got)
	}
	for range 2 {
		f.ok(t, "DeletePlatformApplication", "PlatformApplicationArn", appARN)
	}
	f.call(t, "ListEndpointsByPlatformApplication", "PlatformApplicationArn", appARN).wantFault(t, notFound, "PlatformApplication does not exist")
}

// An application of the same name is found, unless it differs.
func TestPlatformApplicationIsIdempotent(t *testing.T) {
	t.Parallel()
	f := start(t)
	create := func(more string) reply {
		t.Helper()
		return f.call(t, "CreatePlatformApplication", params("Name=app Platform=GCM Attributes.entry.1.key=PlatformCredential Attributes.entry.1.value=c "+more)...)
	}
	const rate = "Attributes.entry.2.key=SuccessFeedbackSampleRate Attributes.entry.2.value="
	for range 2 {
		if got := create(rate+"5").document(t).text(t, "PlatformApplicationArn"); got != appARN {
			t.Errorf("got %s", got)
		}
	}
	for _, other := range []string{rate + "6", ""} {
		create(other).wantFault(t, invalidParameter, "Invalid parameter: Name Reason: An application with the same name but different properties already exists")
	}
}

// What is named as an attribute counts, where a parameter of the same name says otherwise.
func TestPlatformEndpointAttributesCount(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.device(t)
	named := params("PlatformApplicationArn=" + appARN + " Token=u CustomUserData=mine Attributes.entry.1.key=Token Attributes.entry.1.value=v Attributes.entry.2.key=CustomUserData Attributes.entry.2.value=yours")
	device := f.ok(t, "CreatePlatformEndpoint", named...).text(t, "EndpointArn")
	if got := f.ok(t, "CreatePlatformEndpoint", named...).text(t, "EndpointArn"); got != device {
		t.Errorf("the same again gives %s, want %s", got, device)
	}
	if got := f.ok(t, "GetEndpointAttributes", "EndpointArn", device).attributes(); got["Token"] != "v" || got["CustomUserData"] != "yours" {
		t.Errorf("got %v", got)
	}
	f.ok(t, "CreatePlatformEndpoint", "PlatformApplicationArn", appARN, "Token", strings.Repeat("t", maxDeviceToken))
	f.call(t, "CreatePlatformEndpoint", "PlatformApplicationArn", appARN, "Token", strings.Repeat("t", maxDeviceToken+1)).
		wantFault(t, invalidParameter, "Invalid parameter: Token Reason: must be at most 8192 bytes long in UTF-8 encoding")
}

// What is set of an endpoint and of an application at the same time is all kept.
func TestPlatformAttributesSetAtTheSameTime(t *testing.T) {
	t.Parallel()
	f := start(t)
	device := f.device(t)
	for i := range 10 {
		enabled := fmt.Sprint(i%2 == 0)
		var all sync.WaitGroup
		for _, set := range [][]string{
			{"SetEndpointAttributes", "EndpointArn", device, "CustomUserData", fmt.Sprint(i)}, {"SetEndpointAttributes", "EndpointArn", device, "Enabled", enabled},
			{"SetPlatformApplicationAttributes", "PlatformApplicationArn", appARN, "SuccessFeedbackSampleRate", fmt.Sprint(i)},
			{"SetPlatformApplicationAttributes", "PlatformApplicationArn", appARN, "Enabled", enabled},
		} {
			all.Go(func() {
				if got := f.call(t, set[0], append(set[1:3:3], entries("Attributes", set[3:]...)...)...); got.status != 200 {
					t.Errorf("%v: %s", set, got.body)
				}
			})
		}
		all.Wait()
		got := f.ok(t, "GetEndpointAttributes", "EndpointArn", device).attributes()
		if got["CustomUserData"] != fmt.Sprint(i) || got["Enabled"] != enabled {
			t.Errorf("round %d: the endpoint has %v", i, got)
		}
		got = f.ok(t, "GetPlatformApplicationAttributes", "PlatformApplicationArn", appARN).attributes()
		if got["SuccessFeedbackSampleRate"] != fmt.Sprint(i) || got["Enabled"] != enabled {
			t.Errorf("round %d: the application has %v", i, got)
		}
	}
}

// A token is free when its endpoint has gone, whatever happened to the endpoint meanwhile, and one endpoint's alone else.
func TestPlatformEndpointDeletedWhileItIsSet(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.device(t)
	create := func(token string) string {
		t.Helper()
		return f.ok(t, "CreatePlatformEndpoint", "PlatformApplicationArn", appARN, "Token", token).text(t, "EndpointArn")
	}
	set := func(device, token string) reply {
		return f.call(t, "SetEndpointAttributes", append([]string{"EndpointArn", device}, entries("Attributes", "Token", token)...)...)
	}
	other := create("other")
	for i := range 20 {
		old, token := fmt.Sprint("old", i), fmt.Sprint("new", i)
		device := create(old)
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() { set(device, token) })
		}
		all.Go(func() { f.call(t, "DeleteEndpoint", "EndpointArn", device) })
		all.Wait()
		for _, free := range []string{old, token} {
			if got := set(other, free); got.status != http.StatusOK {
				t.Errorf("round %d: %s is taken: %s", i, free, got.body)
			}
		}
		if got := create(token); got != other {
			t.Errorf("round %d: %s finds %s, want %s", i, token, got, other)
		}
	}
}

// Of those that make an endpoint of one token at the same time, all get the same.
func TestPlatformEndpointMadeAtTheSameTime(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.device(t)
	for i := range 10 {
		got := make([]reply, 3)
		var all sync.WaitGroup
		for j := range got {
			all.Go(func() {
				got[j] = f.call(t, "CreatePlatformEndpoint", "PlatformApplicationArn", appARN, "Token", fmt.Sprint("token", i))
			})
		}
		all.Wait()
		first := got[0].document(t).text(t, "EndpointArn")
		for _, r := range got[1:] {
			if arn := r.document(t).text(t, "EndpointArn"); arn != first {
				t.Errorf("round %d: one token is of %s and of %s", i, first, arn)
			}
		}
	}
}

func TestPlatformEndpoints(t *testing.T) {
	t.Parallel()
	f := start(t)
	device := f.device(t)
	if got := f.ok(t, "CreatePlatformEndpoint", "PlatformApplicationArn", appARN, "Token", "t").text(t, "EndpointArn"); got != device {
		t.Errorf("got %s, want %s", got, device)
	}
	f.call(t, "CreatePlatformEndpoint", "PlatformApplicationArn", appARN, "Token", "t", "CustomUserData", "yours").
		wantFault(t, invalidParameter, "Invalid parameter: Token Reason: Endpoint "+device+" already exists with the same Token, but different attributes.")
	f.call(t, "CreatePlatformEndpoint", "PlatformApplicationArn", appARN, "Token", "u", "CustomUserData", strings.Repeat("x", 2049)).
		wantFault(t, invalidParameter, "Invalid parameter: Attributes Reason: Invalid value for attribute: CustomUserData: must be at most 2048 bytes long in UTF-8 encoding")
	f.call(t, "SetEndpointAttributes", "EndpointArn", device, "Attributes.entry.1.key", "Colour", "Attributes.entry.1.value", "red").
		wantFault(t, invalidParameter, "Invalid parameter: Attributes Reason: Invalid attribute name: Colour")
	set := func(name, value string) {
		t.Helper()
		f.ok(t, "SetEndpointAttributes", "EndpointArn", device, "Attributes.entry.1.key", name, "Attributes.entry.1.value", value)
	}
	set("Token", "new")
	got := f.ok(t, "GetEndpointAttributes", "EndpointArn", device).attributes()
	if got["Token"] != "new" || got["Enabled"] != "true" || got["CustomUserData"] != "mine" {
		t.Errorf("got %v", got)
	}
	if got := f.ok(t, "CreatePlatformEndpoint", "PlatformApplicationArn", appARN, "Token", "new").text(t, "EndpointArn"); got != device {
		t.Errorf("the endpoint is not found by its new token: got %s", got)
	}
	f.ok(t, "Publish", "TargetArn", device, "MessageStructure", "json", "Message", `{"default":"d","GCM":"g"}`)
	if got := f.outbox(t); len(got) != 1 || string(got[0].Body) != "g" || got[0].To != device {
		t.Errorf("got %+v", got)
	}
	set("Enabled", "false")
	f.call(t, "Publish", "TargetArn", device, "Message", "x").wantFault(t, endpointDisabled, "Endpoint is disabled")
	f.call(t, "Publish", "TargetArn", device, "Message", "no JSON", "MessageStructure", "json").wantFault(t, endpointDisabled, "Endpoint is disabled")
	if got := all(f.ok(t, "ListEndpointsByPlatformApplication", "PlatformApplicationArn", appARN).Children, "EndpointArn"); !slices.Equal(got, []string{device}) {
		t.Errorf("got %v", got)
	}
	for range 2 {
		f.ok(t, "DeleteEndpoint", "EndpointArn", device)
	}
	if got := f.ok(t, "CreatePlatformEndpoint", "PlatformApplicationArn", appARN, "Token", "new").text(t, "EndpointArn"); got == device {
		t.Error("a new endpoint has the name of one that was deleted")
	}
}

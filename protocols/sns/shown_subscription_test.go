package sns

import (
	"testing"

	"github.com/polymq/polymq/core"
)

// What was set by the console or the JSON API is shown by SNS's own call as well.
func TestShownSubscriptionOfOthersSettings(t *testing.T) {
	t.Parallel()
	queue := func(name string) core.QueueName {
		return core.QueueName{Account: "000000000000", Region: "us-east-1", Name: name}
	}
	set := map[string]string{redriveKey: `{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead"}`, scopeKey: "MessageAttributes"}
	for name, tt := range map[string]struct {
		sub            core.Subscription
		scope, redrive string
	}{
		"as SNS set it":     {core.Subscription{Format: format, Filter: core.Filter{Text: "{}", Scope: "MessageAttributes"}, DeadLetter: queue("dead"), Attributes: set}, "MessageAttributes", set[redriveKey]},
		"set elsewhere":     {core.Subscription{Format: format, Filter: core.Filter{Text: "{}", Scope: "MessageBody:sqs"}, DeadLetter: queue("late")}, "MessageBody", `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:late"}`},
		"changed elsewhere": {core.Subscription{Format: format, Filter: core.Filter{Text: "{}", Scope: "MessageBody"}, DeadLetter: queue("late"), Attributes: set}, "MessageBody", `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:late"}`},
		"ended elsewhere":   {core.Subscription{Attributes: set}, "", ""},
	} {
		got := map[string]string{}
		for _, pair := range shownSubscription(&tt.sub, &core.Topic{}) {
			got[pair.Key] = pair.Value
		}
		if got[filterPolicyScope] != tt.scope || got[redrivePolicy] != tt.redrive {
			t.Errorf("%s: got the scope %q and the redrive policy %q, want %q and %q", name, got[filterPolicyScope], got[redrivePolicy], tt.scope, tt.redrive)
		}
	}
}

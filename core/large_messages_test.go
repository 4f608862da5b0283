package core

import "testing"

func TestCheckAnother(t *testing.T) {
	t.Parallel()
	orders := QueueName{Account: "000000000000", Region: "us-east-1", Name: "orders"}
	tests := map[string]struct {
		fifo   bool
		size   int
		in     NewSubscription
		others int
		want   Code
	}{
		"plain, a URL":                {false, LargeMessage, NewSubscription{Protocol: "http"}, MaxSubscriptions - 1, ""},
		"plain, full":                 {false, LargeMessage, NewSubscription{Queue: orders}, MaxSubscriptions, SubscriptionLimit},
		"FIFO, a queue":               {true, LargeMessage, NewSubscription{Protocol: "queue", Queue: orders}, MaxFIFOSubscriptions - 1, ""},
		"FIFO, full":                  {true, LargeMessage, NewSubscription{Protocol: "queue", Queue: orders}, MaxFIFOSubscriptions, SubscriptionLimit},
		"FIFO, a URL":                 {true, LargeMessage, NewSubscription{Protocol: "http"}, 0, InvalidArgument},
		"FIFO, a function":            {true, LargeMessage, NewSubscription{Protocol: "lambda"}, 0, InvalidArgument},
		"large, a queue":              {false, LargeMessage + 1, NewSubscription{Protocol: "queue", Queue: orders}, MaxLargeSubscriptions - 1, ""},
		"large, full":                 {false, LargeMessage + 1, NewSubscription{Protocol: "queue", Queue: orders}, MaxLargeSubscriptions, SubscriptionLimit},
		"large, a function":           {false, LargeMessage + 1, NewSubscription{Protocol: "lambda"}, 0, ""},
		"large, a stream":             {false, LargeMessage + 1, NewSubscription{Protocol: "firehose"}, 0, ""},
		"large, a URL":                {false, LargeMessage + 1, NewSubscription{Protocol: "https"}, 0, InvalidArgument},
		"large, mail":                 {false, LargeMessage + 1, NewSubscription{Protocol: "email"}, 0, InvalidArgument},
		"large, mail of MNS":          {false, LargeMessage + 1, NewSubscription{Protocol: "mail"}, 0, InvalidArgument},
		"large, a phone":              {false, LargeMessage + 1, NewSubscription{Protocol: "sms"}, 0, InvalidArgument},
		"large, a device":             {false, LargeMessage + 1, NewSubscription{Protocol: "application"}, 0, InvalidArgument},
		"large and FIFO, a queue":     {true, LargeMessage + 1, NewSubscription{Protocol: "sqs", Queue: orders}, 0, ""},
		"large and FIFO, a function":  {true, LargeMessage + 1, NewSubscription{Protocol: "lambda"}, 0, InvalidArgument},
		"large and full, and a phone": {false, LargeMessage + 1, NewSubscription{Protocol: "sms"}, MaxLargeSubscriptions, InvalidArgument},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			topic := Topic{FIFO: tt.fifo, TopicSettings: TopicSettings{MaxMessageSize: tt.size}}
			got := Code("")
			if err := topic.CheckAnother(&tt.in, tt.others); err != nil {
				got = CodeOf(err)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

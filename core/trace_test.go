package core

import "testing"

func TestUntracedCostsNothing(t *testing.T) {
	b := &Broker{}
	messages, publications := make([]NewMessage, 1), make([]NewPublication, 1)
	if n := testing.AllocsPerRun(100, func() {
		b.traceSend(t.Context(), QueueName{}, messages)(nil)
		same, end := b.tracePublish(t.Context(), TopicName{}, publications)
		if end(nil); &same[0] != &publications[0] {
			t.Error("the messages were copied")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

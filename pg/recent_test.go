package pg

import (
	"testing"

	"github.com/polymq/polymq/core"
)

// Who reads a message that is kept already gets the kept one: it may have been rendered, and signed.
func TestRecentMessagesKeepTheFirst(t *testing.T) {
	t.Parallel()
	var recent recentMessages
	recent.init()
	first, again := &core.PublishedMessage{ID: core.MessageID{1}}, &core.PublishedMessage{ID: core.MessageID{1}}
	if got := recent.put(7, first); got.message != first || got.topic != 7 {
		t.Errorf("got %+v", got)
	}
	if got := recent.put(7, again); got.message != first {
		t.Error("a message that was read again takes the place of the one that is kept")
	}
	large := &core.PublishedMessage{ID: core.MessageID{2}, NewPublication: core.NewPublication{Body: make([]byte, maxRecentBytes)}}
	if got := recent.put(7, large); got.message != large {
		t.Errorf("got %+v", got)
	}
	if _, ok := recent.get(first.ID); ok || recent.bytes > keptBytes(large) {
		t.Errorf("%d bytes are kept, and what came before", recent.bytes)
	}
}

// What is kept is rendered, too, so that a body stands there twice.
func TestRecentMessagesAreBounded(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"small": 200, "large": 64 << 10} {
		t.Run(name, func(t *testing.T) {
			var recent recentMessages
			recent.init()
			n := maxRecentBytes / size
			for i := range n {
				recent.put(7, &core.PublishedMessage{ID: core.MessageID{byte(i), byte(i >> 8), byte(i >> 16)}, NewPublication: core.NewPublication{Body: make([]byte, size)}})
			}
			if most := maxRecentBytes / (2*size + 4<<10); len(recent.byID) > most || len(recent.byID) < most-1 {
				t.Errorf("of %d messages of %d bytes %d are kept, want %d", n, size, len(recent.byID), most)
			}
		})
	}
}

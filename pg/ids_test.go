package pg

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/polymq/polymq/core"
)

func testKeys(seed byte) keys {
	var k keys
	for i := range keySize {
		k.messageIDs[i], k.handles[i] = seed+byte(i), seed+byte(2*i)
	}
	return k
}

func TestMessageIDs(t *testing.T) {
	k, other := testKeys(1), testKeys(2)
	seen := map[core.MessageID]bool{}
	for i := range int64(1000) {
		for _, id := range []int64{i, rand.Int64N(idMask), idMask - i} {
			public := k.messageID(id)
			if text := public.UUID(); text[14] != '4' || !strings.ContainsRune("89ab", rune(text[19])) {
				t.Errorf("%s is no UUID of version 4", text)
			}
			if got, ok := k.rowID(public); !ok || got != id {
				t.Errorf("id %d became %d, %v", id, got, ok)
			}
			tampered := public
			tampered[rand.IntN(16)] ^= 1 << rand.IntN(8)
			if _, ok := k.rowID(tampered); ok {
				t.Errorf("%s was accepted for %s", tampered.UUID(), public.UUID())
			}
			if _, ok := other.rowID(public); ok {
				t.Errorf("the id of %d is one with another key too", id)
			}
			seen[public] = true
		}
	}
	if len(seen) < 2990 {
		t.Errorf("%d different ids", len(seen))
	}
}

func TestHandleFormat(t *testing.T) {
	k, other := testKeys(1), testKeys(2)
	for _, want := range []handle{{}, {storage: 1, id: 2, version: 3}, {storage: math.MaxInt64, id: math.MaxInt64, version: math.MaxInt32}, {storage: -1, id: -2, version: -3},
		{fifo: true}, {1, 2, 3, 4, true, 0}, {1, 2, 3, 4, true, 5}, {-1, -2, -3, -4, true, -5}} {
		text := k.format(7, want)
		if got, err := k.parse(7, text); err != nil || got != want {
			t.Errorf("%+v became %+v, %v", want, got, err)
		}
		if _, err := k.parse(8, text); core.CodeOf(err) != core.ReceiptHandleInvalid {
			t.Errorf("another queue: %v", err)
		}
		if _, err := other.parse(7, text); core.CodeOf(err) != core.ReceiptHandleInvalid {
			t.Errorf("another key: %v", err)
		}
		for i := range text {
			for _, letter := range []byte("Ab0-_.= \n\x00") {
				tampered := text[:i] + string(letter) + text[i+1:]
				if _, err := k.parse(7, tampered); err == nil && tampered != text {
					t.Errorf("%q was accepted for %q", tampered, text)
				}
			}
		}
	}
}

// Versions serve side by side: what one has given out is deleted at another.
func TestHandleOfEarlierVersions(t *testing.T) {
	const text = "2-AAAAAAAAAAEAAAAAAAAAAgAAAAMAAAAAAAAABCY3u6DocvV3e5vq"
	k, other := testKeys(1), testKeys(2)
	want := handle{storage: 1, id: 2, version: 3, group: 4, fifo: true}
	if got, err := k.parse(7, text); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if got := k.format(7, want); got != text {
		t.Errorf("got %q", got)
	}
	if _, err := k.parse(8, text); core.CodeOf(err) != core.ReceiptHandleInvalid {
		t.Errorf("another queue: %v", err)
	}
	if _, err := other.parse(7, text); core.CodeOf(err) != core.ReceiptHandleInvalid {
		t.Errorf("another key: %v", err)
	}
}

func FuzzHandleParse(f *testing.F) {
	k := testKeys(1)
	f.Add(k.format(7, handle{storage: 1, id: 2, version: 3}))
	f.Add(k.format(7, handle{1, 2, 3, 4, true, 0}))
	f.Add(k.format(7, handle{1, 2, 3, 4, true, 5}))
	f.Add("1-")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		if h, err := k.parse(7, text); err == nil && k.format(7, h) != text {
			t.Errorf("%q was accepted", text)
		}
	})
}

func TestIDBlocks(t *testing.T) {
	var blocks atomic.Int64
	b := idBlocks{take: func(context.Context) (int64, error) { return blocks.Add(1) * blockSize, nil }}
	var mu sync.Mutex
	seen := map[int64]bool{}
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			for range 100 {
				n := 1 + i%7
				first, err := b.allot(context.Background(), n)
				mu.Lock()
				for id := first; id < first+int64(n); id++ {
					if err != nil || seen[id] || id/blockSize != first/blockSize {
						t.Errorf("id %d twice or of another block, %v", id, err)
					}
					seen[id] = true
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if got, want := blocks.Load(), int64(len(seen)/blockSize+1); got > want {
		t.Errorf("%d blocks for %d ids", got, len(seen))
	}
}

// While no block is to be had, everybody is told so at about the same time, and who leaves need not wait.
func TestIDBlocksWhileTheDatabaseIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := errors.New("away")
		b := idBlocks{take: func(context.Context) (int64, error) { time.Sleep(4 * time.Second); return 0, away }}
		ctx, leave := context.WithCancel(context.Background())
		start := time.Now()
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				if i == 0 {
					if _, err := b.allot(ctx, 1); !errors.Is(err, context.Canceled) || time.Since(start) != time.Second {
						t.Errorf("who left: %v after %v", err, time.Since(start))
					}
					return
				}
				if _, err := b.allot(context.Background(), 1); !errors.Is(err, away) || time.Since(start) != 4*time.Second {
					t.Errorf("%v after %v", err, time.Since(start))
				}
			})
		}
		time.Sleep(time.Second)
		leave()
		all.Wait()
	})
}

// A block that is old is not used up: ids rise with the time of sending.
func TestIDBlocksAge(t *testing.T) {
	tests := map[string]struct {
		after time.Duration
		want  int64
	}{
		"young": {blockLife, blockSize + 1},
		"old":   {blockLife + 1, 2 * blockSize},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				blocks := int64(0)
				b := idBlocks{take: func(context.Context) (int64, error) { blocks++; return blocks * blockSize, nil }}
				if first, err := b.allot(t.Context(), 1); err != nil || first != blockSize {
					t.Fatalf("first %d, %v", first, err)
				}
				time.Sleep(tt.after)
				if got, err := b.allot(t.Context(), 1); err != nil || got != tt.want {
					t.Errorf("then %d, %v; want %d", got, err, tt.want)
				}
			})
		})
	}
}

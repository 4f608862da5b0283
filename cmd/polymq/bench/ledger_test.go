package bench

import (
	"strconv"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

func TestLedgerBodies(t *testing.T) {
	t.Parallel()
	l := newLedger("run1", 50)
	body := l.appendBody(nil, l.number())
	tests := map[string]struct {
		body             string
		known            bool
		damaged, foreign uint64
	}{
		"as sent":              {string(body), true, 0, 0},
		"shorter":              {string(body[:49]), false, 1, 0},
		"longer":               {string(body) + "a", false, 1, 0},
		"other padding":        {string(body[:49]) + "?", false, 1, 0},
		"a number not given":   {string(l.appendBody(nil, 1)), false, 1, 0},
		"no number":            {"run1 x " + string(body[7:]), false, 1, 0},
		"of another run":       {string(newLedger("run2", 50).appendBody(nil, 0)), false, 0, 1},
		"of a run with longer": {string(newLedger("run11", 50).appendBody(nil, 0)), false, 0, 1},
		"empty":                {"", false, 0, 1},
	}
	if len(body) != 50 {
		t.Errorf("body of %d bytes, want 50", len(body))
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := newLedger("run1", 50)
			l.number()
			if n, known := l.parse([]byte(tt.body)); n != 0 || known != tt.known || l.damaged.Load() != tt.damaged || l.foreign.Load() != tt.foreign {
				t.Errorf("number %d, known %t, damaged %d, foreign %d", n, known, l.damaged.Load(), l.foreign.Load())
			}
		})
	}
}

func TestLedgerBodyOfTheLeastSize(t *testing.T) {
	t.Parallel()
	l := newLedger(newID(), minBodySize)
	last := uint64(pages)*messagesPerPage - 1
	l.next.Store(last + 1)
	body := l.appendBody(nil, last)
	if n, known := l.parse(body); len(body) != minBodySize || !known || n != last {
		t.Errorf("%q of %d bytes is number %d, known %t", body, len(body), n, known)
	}
}

// TestLedgerAgainstModel compares random histories with plain sets.
func TestLedgerAgainstModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := newLedger("run", minBodySize)
		sent, got, gone := map[uint64]bool{}, map[uint64]bool{}, map[uint64]bool{}
		var again, afterDelete uint64
		for range rapid.IntRange(0, 200).Draw(t, "steps") {
			// Few numbers, around the border of two words and of two pages.
			n := rapid.SampledFrom([]uint64{0, 1, messagesPerWord - 1, messagesPerWord, messagesPerPage - 1, messagesPerPage}).Draw(t, "n")
			switch rapid.IntRange(0, 2).Draw(t, "event") {
			case 0:
				l.acknowledge(n)
				sent[n] = true
			case 1:
				l.arrive(n)
				if got[n] {
					again++
				}
				if gone[n] && got[n] {
					afterDelete++
				}
				got[n] = true
			case 2:
				l.remove(n)
				gone[n] = true
			}
		}
		var missing uint64
		for n := range sent {
			if !got[n] {
				missing++
			}
		}
		o := l.outcome(true)
		want := outcome{Acknowledged: uint64(len(sent)), Received: uint64(len(got)), Deleted: uint64(len(gone)), Missing: missing,
			Checked: true, Lost: missing, Again: again, AfterDelete: afterDelete}
		if *o != want {
			t.Errorf("got %+v, want %+v", *o, want)
		}
	})
}

func TestLedgerConcurrently(t *testing.T) {
	t.Parallel()
	const messages = 10_000
	l := newLedger("run", minBodySize)
	var group sync.WaitGroup
	for range 4 { // each tells of all messages, so that one of four is first
		group.Go(func() {
			for n := range uint64(messages) {
				l.acknowledge(n)
				l.arrive(n)
			}
		})
	}
	group.Wait()
	if o := l.outcome(true); o.Acknowledged != messages || o.Received != messages || o.Again != 3*messages || o.Lost != 0 {
		t.Errorf("outcome %+v", o)
	}
}

func BenchmarkLedger(b *testing.B) {
	for _, size := range []int{200, 10_000} {
		b.Run("body="+strconv.Itoa(size), func(b *testing.B) {
			b.ReportAllocs()
			l := newLedger("run", size)
			var body []byte
			for b.Loop() {
				n := l.number()
				body = l.appendBody(body[:0], n)
				l.acknowledge(n)
				if got, known := l.parse(body); !known || got != n {
					b.Fatalf("number %d, known %t", got, known)
				}
				l.arrive(n)
			}
		})
	}
}

package bench

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/polymq/polymq/cmd/polymq/progress"
)

// sampleReport is a report in which every part has something.
func sampleReport() *report {
	return &report{
		Run: settings{ID: "1121083639cf3923", Mode: "cycle", Protocol: "sqs", Endpoints: []string{"http://127.0.0.1:4566"}, Via: "http://127.0.0.1:4567",
			Connections: 64, Batch: 1, BodySize: 200, Queues: 10_000, Backlog: 1_000_000, FIFO: true, Signed: true, Interrupted: true},
		Rounds: []roundRates{{NoOp: 40_000, Requests: 20_000, Messages: 6_667, Ratio: 0.5}, {NoOp: 42_000, Requests: 25_200, Messages: 8_400, Ratio: 0.6}},
		NoOp: &figures{Seconds: 20, RequestsPerSecond: 41_000, SentPerSecond: 41_000, MessagesPerSecond: 41_000, Requests: 820_000,
			Errors: []failure{}, Latencies: []percentiles{{"send", 820_000, 1.5, 2, 3, 4}}},
		Result: &figures{Seconds: 20, RequestsPerSecond: 22_600, SentPerSecond: 7_533.3, DeletedPerSecond: 7_533.3, MessagesPerSecond: 7_533.3, CyclesPerSecond: 75.33,
			Requests: 452_000, EmptyReceives: 1, Failures: 1_234, Errors: []failure{{"send: status 503 ServiceUnavailable", 1_234, []string{"status 503 ServiceUnavailable: later"}}},
			Latencies: []percentiles{{"send", 150_667, 1.25, 2.5, 5, 300.123}, {"receive", 150_667, 1, 2, 3, 4}, {"delete", 150_666, 1, 2, 3, 4}},
			Stalls:    stallFigures{2, 600, 350.4}},
		Ratio: 0.55,
		Messages: &outcome{Numbered: 1_150_667, Acknowledged: 1_150_000, Received: 1_149_999, Deleted: 1_149_998, Missing: 1, Checked: true, Lost: 1,
			Again: 5, AfterDelete: 2, Damaged: 3, Foreign: 4},
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	const want = `sqs, 64 connections, 10,000 queues, batch 1, 200 bytes a body, backlog 1,000,000, FIFO, signed, http://127.0.0.1:4566, sent via http://127.0.0.1:4567, interrupted

   round   no-op requests/s   cycle requests/s   ratio
       1             40,000             20,000    0.50
       2             42,000             25,200    0.60

   median   requests/s   sent/s   deleted/s   cycles/s
    no-op       41,000   41,000                       
    cycle       22,600    7,533       7,533       75.3

0.55 of no-op

   latency in ms     count    p50    p95    p99      max
           no-op   820,000   1.50   2.00   3.00     4.00
            send   150,667   1.25   2.50   5.00   300.12
         receive   150,667   1.00   2.00   3.00     4.00
          delete   150,666   1.00   2.00   3.00     4.00

cycle: 1,234 errors, 1 empty receive, 2 stalls of 600 ms together, the longest 350 ms
  1,234 × send: status 503 ServiceUnavailable
      status 503 ServiceUnavailable: later
messages: 1,150,000 acknowledged, 1,149,999 received, 1,149,998 deleted, 1 lost, 5 received again (2 after their delete)
  bodies: 3 damaged, 4 of others than this run
`
	var out bytes.Buffer
	if err := sampleReport().write(&out, ""); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

func TestTableOfTheNoopAlone(t *testing.T) {
	t.Parallel()
	r := sampleReport()
	r.Rounds, r.Result, r.Messages, r.Ratio = r.Rounds[:1], nil, nil, 0
	r.Run = settings{Protocol: "sqs", Connections: 1, Batch: 1, BodySize: 200, Queues: 1}
	const want = `sqs, 1 connection, 1 queue, batch 1, 200 bytes a body

           requests/s   sent/s   deleted/s   cycles/s
   no-op       41,000   41,000                       

   latency in ms     count    p50    p95    p99    max
           no-op   820,000   1.50   2.00   3.00   4.00
`
	var out bytes.Buffer
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
}

// TestJSON pins the names that programs read.
func TestJSON(t *testing.T) {
	t.Parallel()
	const want = `{"messages":{"acknowledged":1150000,"after_delete":2,"again":5,"checked":true,"damaged":3,"deleted":1149998,"foreign":4,"lost":1,"missing":1,"numbered":1150667,"received":1149999},` +
		`"noop":{"cycles_per_second":0,"deleted_per_second":0,"empty_receives":0,"errors":[],"failures":0,"latencies":[{"count":820000,"max_ms":4,"operation":"send","p50_ms":1.5,"p95_ms":2,"p99_ms":3}],` +
		`"messages_per_second":41000,"requests":820000,"requests_per_second":41000,"seconds":20,"sent_per_second":41000,"stalls":{"count":0,"longest_ms":0,"total_ms":0}},` +
		`"ratio":0.55,` +
		`"result":{"cycles_per_second":75.33,"deleted_per_second":7533.3,"empty_receives":1,"errors":[{"count":1234,"examples":["status 503 ServiceUnavailable: later"],"kind":"send: status 503 ServiceUnavailable"}],"failures":1234,` +
		`"latencies":[{"count":150667,"max_ms":300.123,"operation":"send","p50_ms":1.25,"p95_ms":2.5,"p99_ms":5},{"count":150667,"max_ms":4,"operation":"receive","p50_ms":1,"p95_ms":2,"p99_ms":3},` +
		`{"count":150666,"max_ms":4,"operation":"delete","p50_ms":1,"p95_ms":2,"p99_ms":3}],` +
		`"messages_per_second":7533.3,"requests":452000,"requests_per_second":22600,"seconds":20,"sent_per_second":7533.3,"stalls":{"count":2,"longest_ms":350.4,"total_ms":600}},` +
		`"rounds":[{"messages_per_second":6667,"noop_requests_per_second":40000,"ratio":0.5,"requests_per_second":20000},{"messages_per_second":8400,"noop_requests_per_second":42000,"ratio":0.6,"requests_per_second":25200}],` +
		`"run":{"backlog":1000000,"batch":1,"body_size":200,"connections":64,"endpoints":["http://127.0.0.1:4566"],"fifo":true,"id":"1121083639cf3923","interrupted":true,"mode":"cycle","protocol":"sqs","queues":10000,"signed":true,"via":"http://127.0.0.1:4567"}}`
	var out bytes.Buffer
	if err := sampleReport().write(&out, "-"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "report.json")
	if err := sampleReport().write(new(bytes.Buffer), file); err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(written, out.Bytes()) {
		t.Error("the file differs from what - prints")
	}
	var sorted map[string]any // as maps are written
	if err := json.Unmarshal(written, &sorted); err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(sorted)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRoundsGiveMedians(t *testing.T) {
	t.Parallel()
	newRound := func(seconds int, requests uint64) round {
		r := newRecorder(0)
		r.requests.Store(requests)
		return round{r, time.Duration(seconds) * time.Second}
	}
	b := &bench{
		options: &options{mode: cycleMode},
		noops:   []round{newRound(1, 100), newRound(2, 400), newRound(1, 400)},
		results: []round{newRound(1, 90), newRound(1, 20), newRound(1, 100)},
	}
	r := newReport(b, false)
	if r.NoOp.RequestsPerSecond != 200 || r.Result.RequestsPerSecond != 90 || r.Ratio != 0.25 || r.NoOp.Requests != 900 || r.NoOp.Seconds != 4 {
		t.Errorf("no-op %+v, result %+v, ratio %v", r.NoOp, r.Result, r.Ratio)
	}
	for _, tt := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{4, 1}, 2.5}, {[]float64{9, 1, 2}, 2}} {
		if got := median(tt.values); got != tt.want {
			t.Errorf("median of %v is %v, want %v", tt.values, got, tt.want)
		}
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		terminal bool
		during   time.Duration
		want     string
	}{
		"terminal": {true, 2500 * time.Millisecond,
			"\r\x1b[Ksend 1 s: 10 requests/s, 20 messages/s, 1 error\r\x1b[Ksend 2 s: 0 requests/s, 0 messages/s, 1 error\r\x1b[K"},
		"elsewhere":        {false, 10 * time.Second, "send 5 s: 2 requests/s, 4 messages/s, 1 error\nsend 10 s: 0 requests/s, 0 messages/s, 1 error\n"},
		"elsewhere, short": {false, 4 * time.Second, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out strings.Builder
				p := progress.New(&out) // which is no terminal
				if tt.terminal {
					p = progress.OnTerminal(&out)
				}
				l := &load{}
				l.recorder.Store(newRecorder(0))
				stop := p.During(l.rates("send"))
				r := l.recorder.Load()
				r.requests.Add(10)
				r.handled(20)
				r.fail(opSend, "timeout", "late")
				time.Sleep(tt.during) // of the bubble's clock
				synctest.Wait()
				stop()
				if out.String() != tt.want {
					t.Errorf("%q, want %q", out.String(), tt.want)
				}
			})
		})
	}
}

// What is still under way when the time is over is waited for, and not counted.
func TestProgressAtTheEnd(t *testing.T) {
	t.Parallel()
	l := &load{}
	l.recorder.Store(newRecorder(0))
	line := l.rates("send")
	l.recorder.Store(newLateRecorder())
	l.recorder.Load().requests.Add(5)
	if got, want := line(), "send: the last requests"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestProgressForgetsTheWarmUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &load{}
		l.recorder.Store(newRecorder(0))
		line := l.rates("send")
		l.recorder.Load().requests.Add(1_000_000)
		time.Sleep(time.Second)
		l.recorder.Store(newRecorder(0))
		l.recorder.Load().requests.Add(5_000)
		time.Sleep(2 * time.Second)
		if got, want := line(), "send 2 s: 2,500 requests/s, 0 messages/s, 0 errors"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	})
}

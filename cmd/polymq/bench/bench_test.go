package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestMain lets the test program be the no-op server, as the command does with itself.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "--noop-serve") {
		if err := Command("http://127.0.0.1:4566").Execute(); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// execArgs runs the command and returns its report, nil if it made none.
func execArgs(ctx context.Context, t *testing.T, args ...string) (r *report, printed string, err error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.json")
	var out, progress bytes.Buffer
	cmd := Command("http://127.0.0.1:4566")
	first := []string{"--json", file, "--connections", "8"}
	if !slices.Contains(args, "drain") {
		first = append(first, "--warmup", "0s")
	}
	if !slices.Contains(args, "push") {
		first = append(first, "--visibility", "4")
	}
	cmd.SetArgs(append(first, args...))
	cmd.SetOut(&out)
	cmd.SetErr(&progress)
	cmd.SilenceErrors = true
	err = cmd.ExecuteContext(ctx)
	text, readErr := os.ReadFile(file)
	if readErr != nil {
		return nil, out.String(), err
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatalf("the report is no JSON: %v", err)
	}
	return r, out.String(), err
}

func TestModes(t *testing.T) {
	t.Parallel()
	for name, p := range protocols {
		for _, batch := range []string{"1", "3"} {
			for _, m := range []*mode{sendMode, drainMode, cycleMode, mixedMode} {
				t.Run(name+"/"+m.name+"/batch="+batch, func(t *testing.T) {
					t.Parallel()
					server := newFake()
					r, _, err := execArgs(t.Context(), t, "--protocol", p.name, "--mode", m.name, "--batch", batch,
						"--endpoint", server.start(t), "--messages", "200", "--backlog", "500", "--queues", "3")
					if err != nil {
						t.Fatal(err)
					}
					checkClean(t, r, m)
					if left := server.left(); len(left) != 0 || len(server.ever) != 3 {
						t.Errorf("the queues %v were not deleted, of %d", left, len(server.ever))
					}
				})
			}
		}
	}
}

// checkClean checks the report of a run against a server without faults.
func checkClean(t *testing.T, r *report, m *mode) {
	t.Helper()
	f, o := r.Result, r.Messages
	if f.Failures != 0 || len(f.Errors) != 0 {
		t.Errorf("%d requests failed: %v", f.Failures, f.Errors)
	}
	if f.MessagesPerSecond*f.Seconds < 199 {
		t.Errorf("%.0f messages in %.3f s, want 200 at least", f.MessagesPerSecond*f.Seconds, f.Seconds)
	}
	var operations []string
	for _, l := range f.Latencies {
		operations = append(operations, l.Operation)
		if l.P50 <= 0 || l.P50 > l.P95 || l.P95 > l.P99 || l.P99 > l.Max {
			t.Errorf("latencies of %s do not ascend: %+v", l.Operation, l)
		}
	}
	want := map[*mode][]string{sendMode: {"send"}, drainMode: {"receive", "delete"}}[m]
	if want == nil {
		want = []string{"send", "receive", "delete"}
	}
	if !slices.Equal(operations, want) {
		t.Errorf("latencies of %v, want of %v", operations, want)
	}
	if o.Again+o.AfterDelete+o.Damaged+o.Foreign != 0 || o.Acknowledged < 500 {
		t.Errorf("outcome %+v", o)
	}
	if m != sendMode && (!o.Checked || o.Lost != 0 || o.Received != o.Acknowledged) {
		t.Errorf("not all messages came back: %+v", o)
	}
}

func TestPollMeasuresWakeUpsThroughAnotherServer(t *testing.T) {
	t.Parallel()
	for name := range protocols {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newFake()
			var direct, via atomic.Int64
			count := func(at string, n *atomic.Int64) func(http.ResponseWriter, *http.Request) bool {
				return func(_ http.ResponseWriter, r *http.Request) bool {
					if r.Host == strings.TrimPrefix(at, "http://") {
						n.Add(1)
					}
					return false
				}
			}
			waiting, sending := server.start(t), server.start(t)
			countDirect, countVia := count(waiting, &direct), count(sending, &via)
			server.before = func(w http.ResponseWriter, r *http.Request) bool { return countDirect(w, r) || countVia(w, r) }
			r, _, err := execArgs(t.Context(), t, "--protocol", name, "--mode", "poll", "--endpoint", waiting, "--via", sending,
				"--messages", "20", "--interval", "1ms", "--verify", "0") // the fake keeps what it took for a poll that the end cut off
			if err != nil {
				t.Fatal(err)
			}
			wake := r.Result.Latencies[len(r.Result.Latencies)-1]
			if wake.Operation != "wake" || wake.Count < 20 {
				t.Errorf("wake-ups %+v, outcome %+v, want 20 at least", wake, r.Messages)
			}
			if len(server.ever) != 8 || via.Load() < 20 || direct.Load() < 40 {
				t.Errorf("%d queues, %d requests sent, %d received or deleted", len(server.ever), via.Load(), direct.Load())
			}
		})
	}
}

func TestFaultsAreReported(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault func(f *fake)
		args  string
		want  func(r *report) bool
		lost  bool
	}{
		"lost": {
			fault: func(f *fake) {
				lose := once(50)
				f.store = func(body string) []string {
					if lose(body) {
						return nil
					}
					return []string{body}
				}
			},
			want: func(r *report) bool { return r.Messages.Lost == 1 && r.Messages.Checked },
			lost: true,
		},
		"stored twice": {
			fault: func(f *fake) {
				twice := once(50)
				f.store = func(body string) []string {
					if twice(body) {
						return []string{body, body}
					}
					return []string{body}
				}
			},
			want: func(r *report) bool { return r.Messages.Again == 1 },
		},
		"back after its delete": {
			fault: func(f *fake) { f.repeat = once(50) },
			args:  "--connections 1",
			want:  func(r *report) bool { return r.Messages.Again == 1 && r.Messages.AfterDelete == 1 },
		},
		"damaged": {
			fault: func(f *fake) {
				damage := once(50)
				f.store = func(body string) []string {
					if damage(body) {
						body = strings.TrimRight(body, "abcdefgh") + "?"
					}
					return []string{body}
				}
			},
			want: func(r *report) bool { return r.Messages.Damaged == 1 && r.Messages.Lost == 1 },
			lost: true,
		},
		"foreign": {
			fault: func(f *fake) {
				add := once(50)
				f.store = func(body string) []string {
					if add(body) {
						return []string{"hello", body}
					}
					return []string{body}
				}
			},
			want: func(r *report) bool { return r.Messages.Foreign == 1 && r.Messages.Lost == 0 },
		},
		"overloaded": {
			fault: func(f *fake) {
				fail := every(50)
				f.before = func(w http.ResponseWriter, r *http.Request) bool {
					if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".SendMessage") || !fail("") {
						return false
					}
					w.Header().Set("x-amzn-query-error", "ServiceUnavailable;Receiver")
					w.WriteHeader(http.StatusServiceUnavailable)
					return true
				}
			},
			want: func(r *report) bool { return hasError(r, "send: status 503 ServiceUnavailable") },
		},
		"hung": {
			fault: func(f *fake) {
				var sends atomic.Int64
				given := make(chan struct{})
				f.before = func(_ http.ResponseWriter, r *http.Request) bool {
					if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".SendMessage") {
						return false
					}
					n := sends.Add(1)
					if n == 50 {
						<-r.Context().Done() // until the client gives up
						close(given)
					}
					if n > 50 {
						<-given // the others do not end the run before
					}
					return n == 50
				}
			},
			args: "--timeout 1s --verify 0",
			want: func(r *report) bool { return hasError(r, "send: timeout") },
		},
		"cut off": {
			fault: func(f *fake) {
				cut := every(50)
				f.before = func(w http.ResponseWriter, r *http.Request) bool {
					if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DeleteMessage") || !cut("") {
						return false
					}
					panic(http.ErrAbortHandler)
				}
			},
			want: func(r *report) bool { return hasError(r, "delete: connection closed") },
		},
		"entry refused": {
			fault: func(f *fake) { f.refuse = every(50) },
			args:  "--batch 10",
			want: func(r *report) bool {
				return hasError(r, "send: entry InvalidParameterValue") && hasError(r, "delete: entry InvalidParameterValue")
			},
		},
		"entry refused, mns": {
			fault: func(f *fake) { f.refuse = every(50) },
			args:  "--protocol mns --batch 16",
			want: func(r *report) bool {
				return hasError(r, "send: entry InternalError") && hasError(r, "delete: entry ReceiptHandleError")
			},
		},
		"entry refused, api": {
			fault: func(f *fake) {
				refuse := every(50)
				f.refuse = func(text string) bool { return strings.Contains(text, "<&>") && refuse(text) } // a handle
			},
			args: "--protocol api --batch 20",
			want: func(r *report) bool { return hasError(r, "delete: entry MessageNotFound") },
		},
		"stalled": {
			fault: func(f *fake) {
				var requests atomic.Int64
				until := make(chan struct{})
				f.before = func(http.ResponseWriter, *http.Request) bool {
					n := requests.Add(1)
					if n == 100 {
						time.AfterFunc(8*stallLength, func() { close(until) })
					}
					if n >= 100 {
						<-until
					}
					return false
				}
			},
			want: func(r *report) bool {
				s := r.Result.Stalls
				return s.Count >= 1 && s.Longest > stallLength.Seconds()*1000 && s.Total >= s.Longest
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newFake()
			tt.fault(server)
			args := []string{"--endpoint", server.start(t), "--messages", "500"}
			r, printed, err := execArgs(t.Context(), t, append(args, strings.Fields(tt.args)...)...)
			if r == nil {
				t.Fatalf("no report: %v", err)
			}
			if (err != nil) != tt.lost {
				t.Errorf("error %v, want one: %t", err, tt.lost)
			}
			if !tt.want(r) {
				t.Errorf("the report does not tell:\n%s", printed)
			}
		})
	}
}

// hasError says whether a report has errors of a kind, with an example.
func hasError(r *report, kind string) bool {
	return slices.ContainsFunc(r.Result.Errors, func(f failure) bool { return f.Kind == kind && f.Count > 0 && len(f.Examples) > 0 })
}

func TestLoadIsSpreadOverServersAndQueues(t *testing.T) {
	t.Parallel()
	server := newFake()
	one, two := server.start(t), server.start(t)
	var atOne atomic.Int64
	server.before = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Host == strings.TrimPrefix(one, "http://") && r.Header.Get("X-Amz-Target") == "AmazonSQS.SendMessage" {
			atOne.Add(1)
		}
		return false
	}
	r, _, err := execArgs(t.Context(), t, "--mode", "send", "--endpoint", one, "--endpoint", two, "--queues", "12", "--messages", "1000")
	if err != nil {
		t.Fatal(err)
	}
	if n := uint64(atOne.Load()); n == 0 || n == r.Messages.Acknowledged {
		t.Errorf("%d of %d requests went to the first server", n, r.Messages.Acknowledged)
	}
	server.mu.Lock()
	defer server.mu.Unlock()
	for name := range server.ever {
		if server.sends[name] == 0 {
			t.Errorf("nothing was sent to %s", name)
		}
	}
}

func TestKeepLeavesTheQueue(t *testing.T) {
	t.Parallel()
	server := newFake()
	r, _, err := execArgs(t.Context(), t, "--keep", "--queue-name", "orders", "--backlog", "25", "--messages", "50", "--endpoint", server.start(t))
	if err != nil {
		t.Fatal(err)
	}
	left := server.left()
	server.mu.Lock()
	defer server.mu.Unlock()
	if !slices.Equal(left, []string{"orders"}) || len(server.queues["orders"]) < 25 || r.Messages.Checked {
		t.Errorf("queues %v left, with %d messages, want orders with 25", left, len(server.queues["orders"]))
	}
}

func TestNoop(t *testing.T) {
	t.Parallel()
	for name := range protocols {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newFake()
			r, printed, err := execArgs(t.Context(), t, "--protocol", name, "--batch", "2", "--mode", "cycle", "--noop", "--rounds", "3",
				"--messages", "200", "--endpoint", server.start(t))
			if err != nil {
				t.Fatal(err)
			}
			if r.NoOp.Failures != 0 || r.NoOp.Requests < 300 || len(r.Rounds) != 3 {
				t.Errorf("no-op: %+v in %d rounds", r.NoOp, len(r.Rounds))
			}
			ratios := []float64{r.Rounds[0].Ratio, r.Rounds[1].Ratio, r.Rounds[2].Ratio}
			slices.Sort(ratios)
			if r.Ratio <= 0 || r.Ratio != ratios[1] || !strings.Contains(printed, " of no-op") {
				t.Errorf("ratio %v of the rounds %v", r.Ratio, ratios)
			}
		})
	}
}

func TestNoopAloneNeedsNoServer(t *testing.T) {
	t.Parallel()
	r, _, err := execArgs(t.Context(), t, "--noop", "--messages", "100", "--endpoint", "http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	if r.Result != nil || r.NoOp.Requests < 100 {
		t.Errorf("no-op %+v, result %+v", r.NoOp, r.Result)
	}
}

func TestNoopServerEndsWithItsStarter(t *testing.T) {
	t.Parallel()
	server, err := startNoop([]string{"--noop-serve"})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(server.endpoint.String(), sqsContentType, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("x-amzn-RequestId") == "" {
		t.Errorf("status %d, header %v", resp.StatusCode, resp.Header)
	}
	if err := server.stop(); err != nil {
		t.Fatal(err)
	}
	if !server.process.ProcessState.Exited() {
		t.Error("the process has not ended by itself")
	}
}

func TestInterruptPrintsWhatThereIs(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server := newFake()
	interrupt := once(200)
	server.before = func(http.ResponseWriter, *http.Request) bool {
		if interrupt("") {
			cancel()
		}
		return false
	}
	r, printed, err := execArgs(ctx, t, "--endpoint", server.start(t), "--duration", "1m")
	if err != nil {
		t.Fatal(err)
	}
	if !r.Run.Interrupted || r.Result.Requests == 0 || !strings.Contains(printed, "interrupted") || r.Messages.Checked {
		t.Errorf("the report does not tell of the interrupt:\n%s", printed)
	}
	if left := server.left(); len(left) != 0 {
		t.Errorf("the queues %v were not deleted", left)
	}
}

func TestInterruptWhileFilling(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server := newFake()
	interrupt := once(20)
	server.before = func(http.ResponseWriter, *http.Request) bool {
		if interrupt("") {
			cancel()
		}
		return false
	}
	if _, _, err := execArgs(ctx, t, "--endpoint", server.start(t), "--backlog", "1000000000"); !errors.Is(err, errInterrupted) {
		t.Errorf("error %v, want %v", err, errInterrupted)
	}
	if left := server.left(); len(left) != 0 {
		t.Errorf("the queues %v were not deleted", left)
	}
}

func TestErrorsAtTheStartSayWhatToDo(t *testing.T) {
	t.Parallel()
	answer := func(status int) func(*fake) {
		return func(f *fake) {
			f.before = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(status); return true }
		}
	}
	tests := map[string]struct {
		fault func(*fake)
		args  string
		want  string
	}{
		"other credentials": {answer(http.StatusForbidden), "", "--sign"},
		"no credentials": {func(f *fake) {
			f.before = func(w http.ResponseWriter, _ *http.Request) bool {
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, `{"__type": "MissingAuthorizationHeader"}`)
				return true
			}
		}, "", "--sign"},
		"other protocol": {answer(http.StatusNotFound), "", "--protocol"},
		"other server":   {answer(http.StatusNotImplemented), "", "--protocol right? status 501 Not Implemented"},
		"proxy":          {answer(http.StatusBadGateway), "", "create a queue at"},
		"hangs": {func(f *fake) {
			f.before = func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }
		}, "--timeout 50ms", "does not answer"},
		"never takes the backlog": {func(f *fake) {
			f.refuse = func(string) bool { return true }
		}, "--backlog 10", "before measuring"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newFake()
			tt.fault(server)
			_, _, err := execArgs(t.Context(), t, append([]string{"--endpoint", server.start(t)}, strings.Fields(tt.args)...)...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v does not mention %s", err, tt.want)
			}
		})
	}
	t.Run("nothing listens", func(t *testing.T) {
		t.Parallel()
		_, _, err := execArgs(t.Context(), t, "--endpoint", "http://127.0.0.1:1")
		if err == nil || !strings.Contains(err.Error(), "polymq serve") {
			t.Errorf("error %v does not say how to start a server", err)
		}
	})
}

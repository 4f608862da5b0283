package console

import (
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/polymq/polymq/core"
)

// Every text has its Chinese, and no Chinese is left over.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	find := func(text, pattern string) {
		for _, found := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			used[strings.ReplaceAll(found[1], `\"`, `"`)] = true
		}
	}
	const quoted = `"((?:[^"\\]|\\.)*)"`
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d templates, %v", len(files), err)
	}
	for _, file := range files {
		text, err := fs.ReadFile(templateFiles, file)
		if err != nil {
			t.Fatal(err)
		}
		find(string(text), `\bt `+quoted)
		find(string(text), `"(?:title|text|button)" `+quoted)
	}
	sources, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range sources {
		if strings.HasSuffix(file, "_test.go") || file == "chinese.go" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		find(string(text), `\.t\(`+quoted)
		find(string(text), `\b(?:Title|State|Group): +`+quoted)
		find(string(text), `(?:State = )`+quoted)
		find(string(text), `(?:return |\{)http\.Status\w+, `+quoted)
	}
	for _, access := range []core.Access{core.Viewer, core.Operator, core.Admin} {
		used[string(access)] = true
	}
	for _, kind := range []core.IdentityKind{core.User, core.Group, core.Role} {
		used[string(kind)] = true
	}
	for _, effect := range core.FaultEffects {
		used[string(effect)] = true
	}
	for _, operation := range core.FaultOperations {
		used[string(operation)] = true
	}
	for _, code := range core.Codes {
		if meanings[code].text == "" || meanings[code].status < 400 {
			t.Errorf("%s has no meaning", code)
		}
	}
	for _, title := range fieldTitles {
		used[title] = true
	}
	for _, form := range core.EventDetails {
		used[form] = true
	}
	for _, form := range errorTexts {
		used[form] = true
	}
	for _, missing := range core.Missings {
		used[missings[missing]] = true
	}
	for _, kind := range core.EventKinds {
		used[string(kind)] = true
	}
	for _, status := range []core.MoveStatus{core.MoveRunning, core.MoveCancelling, core.MoveCompleted, core.MoveCancelled, core.MoveFailed} {
		used[string(status)] = true
	}
	for _, state := range []core.SubscriptionState{core.Pending, core.Confirmed, core.Unsubscribed, core.Orphaned} {
		used[string(state)] = true
	}
	lines, _ := bill([]core.Usage{{Service: "sqs"}, {Service: "sqs-fifo"}, {Service: "sns"}, {Service: "mns-queues"}, {Service: "mns-topics"}}, listPrices)
	for _, line := range lines {
		used[line.Title] = true
	}
	for _, unit := range []string{"d", "h", "min", "s"} {
		used[unit] = true
	}
	verbs := regexp.MustCompile(`%[a-z]`)
	for text := range used {
		translated, ok := chinese[text]
		if !ok {
			t.Errorf("there is no Chinese for %q", text)
		} else if got, want := verbs.FindAllString(translated, -1), verbs.FindAllString(text, -1); strings.Join(got, "") != strings.Join(want, "") {
			t.Errorf("%q has %v, its Chinese %v", text, want, got)
		}
	}
	for text := range chinese {
		if !used[text] {
			t.Errorf("nothing shows %q", text)
		}
	}
}

// A session is over when its time is, however well it is sealed.
func TestSessionsExpire(t *testing.T) {
	t.Parallel()
	s := &Server{secret: []byte("secret")}
	for name, tt := range map[string]struct {
		in   time.Duration
		good bool
	}{"before": {time.Minute, true}, "after": {-time.Second, false}} {
		payload := encodeSealed(t, sealed{Expires: time.Now().Add(tt.in).Unix(), Nonce: "n"})
		x := &exchange{r: httptest.NewRequest("GET", "/", nil)}
		found, err := s.unseal(x, s.secret, payload+"."+seal(s.secret, payload, nil))
		if err != nil || (found.nonce != "") != tt.good {
			t.Errorf("%s: got %+v and %v", name, found, err)
		}
	}
	payload := encodeSealed(t, sealed{Expires: time.Now().Add(time.Minute).Unix(), Nonce: "n"})
	found, err := s.unseal(&exchange{r: httptest.NewRequest("GET", "/", nil)}, s.secret, payload+"."+seal([]byte("another"), payload, nil))
	if err != nil || found.nonce != "" {
		t.Errorf("sealed with another secret: got %+v and %v", found, err)
	}
}

func encodeSealed(t *testing.T, content sealed) string {
	t.Helper()
	text, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func TestNumbersForPeople(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1\u202f000", -1234567: "-1\u202f234\u202f567"} {
		if got := groupDigits(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 1 << 30: "1.0 GiB"} {
		if got := showBytes(n); got != want {
			t.Errorf("%d bytes: got %q, want %q", n, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0 ms", 1500 * time.Millisecond: "1 s", 90 * time.Second: "1 min 30 s", 49 * time.Hour: "2 d 1 h", 24*time.Hour + time.Second: "1 d"} {
		if got := showDuration("en", d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
	for n, want := range map[float64]string{0: "0", 1_000_000: "1000000", 0.25: "0.25", 12.345678: "12.3457", 0.00001234: "1.2e-05", -3: "-3"} {
		if got := showValue(&n); got != want {
			t.Errorf("%v: got %q, want %q", n, got, want)
		}
	}
	p := prices{Currency: "USD"}
	for amount, want := range map[float64]string{0: "0.00 USD", 1.5: "1.50 USD", 0.0004: "0.0004 USD", 0.000001: "0.000001 USD", 0.0000003: "< 0.000001 USD"} {
		if got := p.Money(amount); got != want {
			t.Errorf("%v: got %q, want %q", amount, got, want)
		}
	}
}

// TestErrorTextsAreTold looks for each text of errorTexts in the sources of those that say them.
func TestErrorTextsAreTold(t *testing.T) {
	t.Parallel()
	told := map[string]bool{}
	literal, verb := regexp.MustCompile(`"(?:[^"\\\n]|\\.)*"`), regexp.MustCompile(`%[.0-9]*[a-z]`)
	for _, folder := range []string{"../../core", "../../pg", "../../workers/notice"} {
		files, err := fs.Glob(os.DirFS(folder), "*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %v", folder, files, err)
		}
		for _, file := range files {
			source, err := os.ReadFile(filepath.Join(folder, file))
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range literal.FindAll(source, -1) {
				if text, err := strconv.Unquote(string(found)); err == nil {
					told[verb.ReplaceAllString(text, "%v")] = true
				}
			}
		}
	}
	for _, text := range errorTexts {
		if !told[text] {
			t.Errorf("nothing says %q", text)
		}
	}
}

func TestErrorsInChinese(t *testing.T) {
	t.Parallel()
	x := &exchange{language: "zh"}
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"names":              {core.Errorf(core.QueueNotFound, "queue %q does not exist", "orders"), `队列 "orders" 不存在`},
		"times":              {core.Errorf(core.InvalidArgument, "the visibility timeout must be 0 to %v, was %v", 12*time.Hour, 13*time.Hour), "可见性超时须在 0 到 12 小时 之间，不能是 13 小时"},
		"numbers":            {core.Errorf(core.MessageTooLong, "a message has at most %d bytes, this one has %d", 10, 20), "消息最多 10 字节，此消息有 20 字节"},
		"none of the common": {core.Errorf(core.InvalidArgument, "no such thing as %d", 7), "有一个值超出允许的范围。(no such thing as 7)"},
	} {
		if got := x.tell(tt.err); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
	for text, want := range map[string]string{
		"webhook: the connection was refused":                             "webhook：连接被拒绝",
		"email: there is no mail server to send with, see --smtp-url":     "email：没有可用的邮件服务器，见 --smtp-url",
		"slack: status 500: ":                                             "slack：状态码 500：",
		"the name of the host cannot be resolved":                         "无法解析主机名",
		"something: else":                                                 "something: else",
		"webhook: the address must not be pushed to, since I say so: 7 8": "webhook：the address must not be pushed to, since I say so: 7 8",
	} {
		if got := failure("zh", text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		if got := failure("en", text); got != text {
			t.Errorf("%q in English: got %q", text, got)
		}
	}
}

func TestDetailsInChinese(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"to 2 of 3 subscriptions":            "匹配 2 个订阅（共 3 个）",
		"by topic alerts":                    "经由主题 alerts",
		"by topic alerts, replayed":          "由主题 alerts 重放",
		"no answer in time; tried again":     "等待响应超时；将重试",
		"a new reason; given up":             "a new reason；已放弃",
		"the endpoint is no URL: no; scheme": "接入点不是 URL：no; scheme",
		"the endpoint is no URL: no scheme; given up, to dead-letter queue dead": "接入点不是 URL：no scheme；已放弃，转入死信队列 dead",
		"to queue a as b, by move task c":                                        "移至队列 a，新 ID 为 b，移动任务 c",
		"":                                                                       "",
	} {
		if got := detail("zh", text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		if got := detail("en", text); got != text {
			t.Errorf("%q in English: got %q", text, got)
		}
	}
	for _, form := range core.EventDetails { // each is found among the others
		left := strings.ReplaceAll(form, "%v", "7")
		if got, want := detail("zh", left), strings.ReplaceAll(chinese[form], "%v", "7"); got != want {
			t.Errorf("%q: got %q, want %q", left, got, want)
		}
	}
}

package notice

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/polymq/polymq/core"
)

// Sender sends notices.
type Sender struct {
	Push    func(ctx context.Context, p core.Push) core.PushAnswer
	Publish func(ctx context.Context, in core.PublishInput) ([]core.Published, error)
	Send    func(ctx context.Context, in core.SendInput) ([]core.Sent, error)
	Console string // URL of the console, without a slash at the end; "": there is none
}

// Deliver sends a notice to a destination. It is a core.NoticeSender.
func (s *Sender) Deliver(ctx context.Context, n core.Notice, to core.Destination) error {
	body, err := json.Marshal(s.event(n))
	if err != nil {
		return fmt.Errorf("encode a notice: %w", err)
	}
	scope := core.QueueName{Account: n.Alert.Name.Account, Region: n.Alert.Name.Region, Name: to.Target}
	switch to.Type {
	case core.ToQueue:
		m := core.NewMessage{Body: body, GroupID: group(scope.Name, n), DeduplicationID: deduplication(scope.Name, n)}
		_, err := s.Send(ctx, core.SendInput{Queue: scope, Messages: []core.NewMessage{m}})
		return err
	case core.ToTopic:
		m := core.NewPublication{Body: body, Subject: subject(n), GroupID: group(scope.Name, n), DeduplicationID: deduplication(scope.Name, n)}
		_, err := s.Publish(ctx, core.PublishInput{Topic: core.TopicName(scope), Messages: []core.NewPublication{m}})
		return err
	case core.ToEmail:
		mail := core.Push{
			Way: core.ByMail, To: to.Target, Subject: title(n), Body: []byte(s.text(n, plain, 0)),
			Header: map[string][]string{"Content-Type": {"text/plain; charset=UTF-8"}},
		}
		return judge(to.Type, s.Push(ctx, mail))
	}
	p, err := s.request(n, to, body)
	if err != nil {
		return err
	}
	return judge(to.Type, s.Push(ctx, p))
}

// Messages of FIFO queues and topics are in order for each alert.
const fifoSuffix = ".fifo"

func group(target string, n core.Notice) string {
	if !strings.HasSuffix(target, fifoSuffix) {
		return ""
	}
	return n.Alert.Name.Name[:min(len(n.Alert.Name.Name), 128)]
}

func deduplication(target string, n core.Notice) string {
	if !strings.HasSuffix(target, fifoSuffix) {
		return ""
	}
	return hash(n.Alert.Name.Name, n.At.Format(time.RFC3339Nano), strconv.FormatBool(n.Repeat), strconv.FormatBool(n.Test))
}

// request gives the request to a webhook or robot.
func (s *Sender) request(n core.Notice, to core.Destination, event []byte) (core.Push, error) {
	p := core.Push{Way: core.ByHTTP, Method: http.MethodPost, URL: to.Target, Header: map[string][]string{"Content-Type": {"application/json; charset=utf-8"}, "User-Agent": {"polymq"}}}
	var body any
	now := time.Now()
	switch to.Type {
	case core.ToWebhook:
		p.Body = event
		if to.Secret != "" {
			p.Header["X-Polymq-Signature"] = []string{"sha256=" + signHex(string(to.Secret), event)}
		}
		return p, nil
	case core.ToSlack:
		body = s.slack(n)
	case core.ToDingTalk:
		signed, err := signDingTalk(to.Target, string(to.Secret), now)
		if err != nil {
			return p, err
		}
		p.URL, body = signed, s.dingTalk(n)
	case core.ToFeishu:
		body = s.feishu(n, string(to.Secret), now)
	case core.ToWeCom:
		body = s.weCom(n)
	default:
		return p, core.Errorf(core.InvalidArgument, "this server knows no destination %s", to.Type)
	}
	var err error
	if p.Body, err = json.Marshal(body); err != nil {
		return p, fmt.Errorf("encode a notice for %s: %w", to.Type, err)
	}
	return p, nil
}

// signDingTalk adds the time and the signature to the URL of a robot.
func signDingTalk(target, secret string, now time.Time) (string, error) {
	if secret == "" {
		return target, nil
	}
	u, err := url.Parse(target)
	if err != nil {
		return "", core.Errorf(core.InvalidArgument, "the robot's URL is none")
	}
	timestamp := strconv.FormatInt(now.UnixMilli(), 10)
	query := u.Query()
	query.Set("timestamp", timestamp)
	query.Set("sign", signBase64(secret, timestamp+"\n"+secret))
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// robotAnswer is what robots answer: DingTalk and WeCom have errcode, Feishu has code.
type robotAnswer struct {
	ErrCode int    `json:"errcode"`
	ErrMsg  string `json:"errmsg"`
	Code    int    `json:"code"`
	Msg     string `json:"msg"`
}

// tooMany are the codes with which robots say that they get too many messages, or that they cannot at the moment.
var tooMany = map[int]bool{
	-1:     true,               // DingTalk and WeCom: the system is busy
	130101: true, 410100: true, // DingTalk: sent too fast
	45009: true, 45033: true, // WeCom: too many calls
	9499: true, 11232: true, // Feishu: too many requests
}

// judge says what an answer means.
func judge(to core.DestinationType, answer core.PushAnswer) error {
	switch {
	case answer.Kept, answer.Refused:
		return core.Errorf(core.InvalidArgument, "%s", answer.Reason)
	case answer.Status == 0:
		return core.Errorf(core.Unavailable, "%s", answer.Reason)
	case answer.Status == http.StatusTooManyRequests, answer.Status == http.StatusRequestTimeout, answer.Status >= 500:
		return core.Errorf(core.Unavailable, "status %d: %.200s", answer.Status, answer.Excerpt)
	case answer.Status >= 300:
		return core.Errorf(core.InvalidArgument, "status %d: %.200s", answer.Status, answer.Excerpt)
	case to != core.ToDingTalk && to != core.ToFeishu && to != core.ToWeCom:
		return nil
	}
	var robot robotAnswer
	if err := json.Unmarshal([]byte(answer.Excerpt), &robot); err != nil {
		return core.Errorf(core.InvalidArgument, "the answer is not a robot's: %.200s", answer.Excerpt)
	}
	code, text := robot.ErrCode, robot.ErrMsg
	if to == core.ToFeishu {
		code, text = robot.Code, robot.Msg
	}
	switch {
	case code == 0:
		return nil
	case tooMany[code]:
		return core.Errorf(core.Unavailable, "code %d: %.200s", code, text)
	}
	return core.Errorf(core.InvalidArgument, "code %d: %.200s", code, text)
}

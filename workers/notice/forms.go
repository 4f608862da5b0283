package notice

import (
	"strconv"
	"time"

	"github.com/polymq/polymq/core"
)

// event is a notice as webhooks, topics and queues get it.
type event struct {
	Title       string          `json:"title"`
	Text        string          `json:"text"`
	Alert       string          `json:"alert"`
	Description string          `json:"description,omitempty"`
	Account     string          `json:"account"`
	Region      string          `json:"region"`
	Metric      string          `json:"metric"`
	Comparison  core.Comparison `json:"comparison"`
	Threshold   float64         `json:"threshold"`
	ForSeconds  float64         `json:"for_seconds"`
	State       core.AlertState `json:"state"` // the worst of the changes
	At          time.Time       `json:"at"`
	Test        bool            `json:"test"`
	Repeat      bool            `json:"repeat"`
	Changes     []change        `json:"changes"`
	More        int             `json:"more"` // changes that are not among them
	URL         string          `json:"url,omitempty"`
}

type change struct {
	Series string          `json:"series"`
	From   core.AlertState `json:"from"`
	State  core.AlertState `json:"state"`
	Since  time.Time       `json:"since"`
	Value  *float64        `json:"value"`
	Gone   bool            `json:"gone,omitempty"`
}

func (s *Sender) event(n core.Notice) event {
	a := n.Alert
	e := event{
		Title: title(n), Text: s.text(n, plain, 0), Alert: a.Name.Name, Description: a.Description, Account: a.Name.Account, Region: a.Name.Region,
		Metric: a.Metric, Comparison: a.Comparison, Threshold: a.Threshold, ForSeconds: a.For.Seconds(), State: worst(n), At: n.At.UTC(),
		Test: n.Test, Repeat: n.Repeat, Changes: make([]change, len(n.Changes)), More: n.More, URL: s.link(a.Name),
	}
	for i, c := range n.Changes {
		e.Changes[i] = change{c.Series, c.From, c.State, c.Since.UTC(), c.Value, c.Gone}
	}
	return e
}

// Bounds of what robots take, in bytes.
const (
	maxSlackTitle = 150
	maxSlackText  = 3000
	maxDingTalk   = 18_000 // of 20,000 for the whole request
	maxFeishu     = 18_000 // likewise
	maxWeCom      = 4096
)

type object = map[string]any

// slack is an incoming webhook's message of blocks; text is what a notification on a phone shows.
func (s *Sender) slack(n core.Notice) object {
	return object{
		"text": slackText.escape(title(n)),
		"blocks": []object{
			{"type": "header", "text": object{"type": "plain_text", "text": cut(title(n), maxSlackTitle)}},
			{"type": "section", "text": object{"type": "mrkdwn", "text": cut(s.text(n, slackText, maxSlackText), maxSlackText)}},
		},
	}
}

// dingTalk is a custom robot's message in markdown.
func (s *Sender) dingTalk(n core.Notice) object {
	text := "### " + escapeMarkdown(title(n)) + markdown.newline + s.text(n, markdown, maxDingTalk-1000)
	return object{"msgtype": "markdown", "markdown": object{"title": title(n), "text": cut(text, maxDingTalk)}}
}

// cardColours are those of the headers of Feishu's cards.
var cardColours = map[core.AlertState]string{core.AlertFiring: "red", core.AlertNoData: "orange", core.AlertOK: "green"}

// feishu is a custom robot's card, signed in its body: the key of the signature is the time with the secret, and
// what is signed is empty.
func (s *Sender) feishu(n core.Notice, secret string, now time.Time) object {
	card := object{
		"config":   object{"wide_screen_mode": true},
		"header":   object{"title": object{"tag": "plain_text", "content": title(n)}, "template": cardColours[worst(n)]},
		"elements": []object{{"tag": "div", "text": object{"tag": "lark_md", "content": s.text(n, briefMarkdown, maxFeishu)}}},
	}
	message := object{"msg_type": "interactive", "card": card}
	if secret != "" {
		timestamp := strconv.FormatInt(now.Unix(), 10)
		message["timestamp"], message["sign"] = timestamp, signBase64(timestamp+"\n"+secret, "")
	}
	return message
}

// weCom is a group robot's message in markdown.
func (s *Sender) weCom(n core.Notice) object {
	colour := "warning"
	if worst(n) == core.AlertOK {
		colour = "info"
	}
	head := `<font color="` + colour + `">` + escapeMarkdown(cut(title(n), maxSlackTitle)) + "</font>\n"
	return object{"msgtype": "markdown", "markdown": object{"content": cut(head+s.text(n, briefMarkdown, maxWeCom-len(head)), maxWeCom)}}
}

package notice

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/polymq/polymq/core"
)

// style is how a destination writes text.
type style struct {
	escape  func(string) string
	bold    func(string) string
	link    func(text, url string) string
	newline string
}

func same(text string) string { return text }

var (
	plain = style{same, same, func(text, url string) string { return text + ": " + url }, "\n"}
	// slackText is Slack's mrkdwn.
	slackText = style{
		strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace, func(s string) string { return "*" + s + "*" },
		func(text, url string) string { return "<" + url + "|" + text + ">" }, "\n",
	}
	// markdown is that of DingTalk, where a line needs an empty one behind it to end.
	markdown = style{escapeMarkdown, func(s string) string { return "**" + s + "**" }, markdownLink, "\n\n"}
	// briefMarkdown is that of Feishu and WeCom.
	briefMarkdown = style{escapeMarkdown, markdown.bold, markdownLink, "\n"}
)

func markdownLink(text, url string) string { return "[" + text + "](" + url + ")" }

// escapeMarkdown takes the meaning from signs that robots understand; they know no backslash.
func escapeMarkdown(text string) string {
	return strings.NewReplacer("<", "＜", ">", "＞", "[", "［", "]", "］", "*", "＊", "`", "'", "\n", " ").Replace(text)
}

// worst gives the state that a notice is about.
func worst(n core.Notice) core.AlertState {
	if len(n.Changes) == 0 {
		return core.AlertOK
	}
	return n.Changes[0].State
}

var stateTitles = map[core.AlertState]string{core.AlertFiring: "FIRING", core.AlertNoData: "NO DATA", core.AlertOK: "OK"}

// title says in a line what has happened.
func title(n core.Notice) string {
	t := "[" + stateTitles[worst(n)] + "] " + n.Alert.Name.Name
	if total := len(n.Changes) + n.More; total == 1 && n.Changes[0].Series != "" {
		t += ": " + n.Changes[0].Series
	} else if total > 1 {
		t += fmt.Sprintf(": %d series", total)
	}
	switch {
	case n.Test:
		return "[TEST] " + t
	case n.Repeat:
		return t + " (still)"
	}
	return t
}

// subject is the title as topics take one.
func subject(n core.Notice) string {
	const most = 100 // characters, of SNS
	t := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, title(n))
	return t[:min(len(t), most)]
}

// number gives a value with its unit.
func number(metric string, value *float64) string {
	if value == nil {
		return "no data"
	}
	text := strconv.FormatFloat(*value, 'g', 6, 64)
	if *value == float64(int64(*value)) {
		text = strconv.FormatInt(int64(*value), 10)
	}
	if unit := core.UnitOf(metric); unit != "" {
		text += " " + unit
	}
	return text
}

// text says what has happened, where, since when and how bad it is, in at most so many bytes (0: any number).
func (s *Sender) text(n core.Notice, in style, most int) string {
	a := n.Alert
	var lines []string
	if n.Test {
		lines = append(lines, "This is a test. Nothing is wrong.")
	}
	if a.Description != "" {
		lines = append(lines, in.escape(a.Description))
	}
	condition := fmt.Sprintf("%s %s %s", a.Metric, a.Comparison, number(a.Metric, &a.Threshold))
	if a.For > 0 {
		condition += " for " + a.For.String()
	}
	lines = append(lines,
		in.bold("Condition")+": "+in.escape(condition),
		in.bold("Where")+": "+in.escape("account "+a.Name.Account+", region "+a.Name.Region),
	)
	end := ""
	if link := s.link(a.Name); link != "" {
		end = in.newline + in.link("Open the alert in the console", link)
	}
	for i, c := range n.Changes {
		line := in.newline + in.escape(describe(a, c))
		rest := len(n.Changes) - i + n.More
		more := in.newline + fmt.Sprintf("and %d more", rest)
		if most > 0 && size(lines, in)+len(line)+len(more)+len(end) > most {
			return strings.Join(lines, in.newline) + more + end
		}
		lines = append(lines, strings.TrimPrefix(line, in.newline))
	}
	if n.More > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", n.More))
	}
	return strings.Join(lines, in.newline) + end
}

func size(lines []string, in style) (n int) {
	for _, line := range lines {
		n += len(line) + len(in.newline)
	}
	return n
}

// describe says what became of a series.
func describe(a core.Alert, c core.Change) string {
	what := stateTitles[c.State] + " "
	if c.Series != "" {
		what += c.Series + " "
	}
	if c.Gone {
		return what + "is not there any more"
	}
	if c.State != core.AlertNoData {
		what += "has " + number(a.Metric, c.Value) + " "
	}
	return what + "since " + c.Since.UTC().Format(time.DateTime) + " UTC"
}

// link leads to the alert in the console.
func (s *Sender) link(name core.AlertName) string {
	if s.Console == "" {
		return ""
	}
	return s.Console + "/" + name.Account + "/" + name.Region + "/alerts/" + url.PathEscape(name.Name)
}

// cut gives the beginning of a text.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

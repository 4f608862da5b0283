package console

import (
	"cmp"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/polymq/polymq/core"
)

// Attributes that SNS keeps with a topic.
const (
	displayName      = "sns.DisplayName"
	signatureVersion = "sns.SignatureVersion"
	messageSize      = "sns.MaximumMessageSize"
	throughputScope  = "sns.FifoThroughputScope"
	archivePolicy    = "sns.ArchivePolicy"
)

// Bounds that SNS has for them.
const (
	maxDisplayName    = 100
	minSNSMessageSize = 1 << 10
	maxSNSMessageSize = 1 << 20
)

// topicForm are a topic's settings as the form shows them.
type topicForm struct {
	FIFO             bool
	DisplayName      string
	MaxMessageSize   int
	Retention        time.Duration
	ArchiveDays      int
	ByContent        bool
	ScopeGroup       bool
	SignatureVersion string
	Logging          bool
	Tags             string // a line for each
}

func topicFormOf(t *core.Topic) topicForm {
	return topicForm{
		FIFO: t.FIFO, DisplayName: t.Attributes[displayName], MaxMessageSize: t.MaxMessageSize, Retention: cmp.Or(t.Retention, core.MaxTopicRetention),
		ArchiveDays: int(t.Archive / (24 * time.Hour)), ByContent: t.Attributes[contentBased(sns)] == "true", ScopeGroup: t.DeduplicationScope == core.DeduplicateInGroup,
		SignatureVersion: cmp.Or(t.Attributes[signatureVersion], "1"), Logging: t.Logging, Tags: tagLines(t.Tags),
	}
}

// showTopicSettings shows the form to change a topic.
func (s *Server) showTopicSettings(x *exchange) error {
	data, err := s.onTopic(x, "settings")
	if err != nil {
		return err
	}
	data.Settings = topicFormOf(&data.Topic)
	return s.show(x, "topic_settings.html", &page{Title: "Settings", Heading: data.Topic.Name.Name, Active: "topics", Data: data, Snippets: topicSettingsSnippets(x)})
}

// alterTopic changes a topic's settings.
func (s *Server) alterTopic(x *exchange) error {
	topic, err := s.broker.DescribeTopic(x.ctx(), x.topic())
	if err != nil {
		return err
	}
	change, err := x.topicChange(&topic)
	if err != nil {
		return err
	}
	if _, err := s.broker.AlterTopic(x.ctx(), topic.Name, change); err != nil {
		return err
	}
	return x.done("/topics/"+topic.Name.Name+"/settings", x.t("The settings were saved."))
}

// topicChange reads the settings of a form. What is not changed stays as whoever set it wrote it.
func (x *exchange) topicChange(t *core.Topic) (core.TopicChange, error) {
	f, was := x.form(), topicFormOf(t)
	change := core.TopicChange{Attributes: map[string]*string{}, Tags: f.tags(t.Tags)}
	keep := func(name, value string) {
		change.Attributes[name] = &value
		if value == "" {
			change.Attributes[name] = nil
		}
	}
	name := x.field("display_name")
	if utf8.RuneCountInString(name) > maxDisplayName {
		f.fail(x.t("A display name has at most %d characters.", maxDisplayName))
	}
	keep(displayName, name)
	if version := x.field("signature_version"); version != was.SignatureVersion {
		if version != "1" && version != "2" {
			f.fail(x.t("Choose a version of signatures."))
		}
		keep(signatureVersion, version)
	}
	if size := f.number("max_message_size", core.MaxMessageBytes, was.MaxMessageSize); size != was.MaxMessageSize {
		change.MaxMessageSize = &size
		shown := ""
		if size >= minSNSMessageSize && size <= maxSNSMessageSize {
			shown = strconv.Itoa(size)
		}
		keep(messageSize, shown)
	}
	if retention := f.duration("topic_retention", time.Hour, core.MaxTopicRetention); retention != nil && *retention != was.Retention {
		change.Retention = retention
	}
	logging := f.on("logging")
	change.Logging = &logging
	if t.FIFO {
		x.fifoTopicChange(f, was, &change, keep)
	}
	return change, f.err
}

// fifoTopicChange reads what only FIFO topics have.
func (x *exchange) fifoTopicChange(f *form, was topicForm, change *core.TopicChange, keep func(name, value string)) {
	keep(contentBased(sns), strconv.FormatBool(f.on("by_content")))
	if inGroup := f.on("scope_group"); inGroup != was.ScopeGroup {
		scope, word := core.DeduplicateInQueue, "Topic"
		if inGroup {
			scope, word = core.DeduplicateInGroup, "MessageGroup"
		}
		change.DeduplicationScope = &scope
		keep(throughputScope, word)
	}
	days := f.decimal("archive", core.MaxArchive.Hours()/24, 0)
	if days != float64(int(days)) {
		f.fail(x.t("An archive goes back whole days."))
	}
	if int(days) == was.ArchiveDays {
		return
	}
	archive, policy := time.Duration(days)*24*time.Hour, ""
	if archive > 0 {
		text, _ := json.Marshal(map[string]string{"MessageRetentionPeriod": strconv.Itoa(int(days))}) // texts always have a JSON form
		policy = string(text)
	}
	change.Archive = &archive
	keep(archivePolicy, policy)
}

// contentBased names the attribute by which SQS, or SNS, makes deduplication ids of bodies.
func contentBased(service string) string { return service + ".ContentBasedDeduplication" }

// The services whose attributes the forms show.
const (
	sqs = "sqs"
	sns = "sns"
)

// describes says that a topic's attribute is among the form's fields, and need not be listed.
func (f topicForm) describes(attribute string) bool {
	for _, shown := range []string{displayName, signatureVersion, messageSize, throughputScope, archivePolicy, contentBased(sns)} {
		if strings.EqualFold(attribute, shown) {
			return true
		}
	}
	return false
}

// Others gives the attributes that protocols keep and the form has no field for.
func (p topicPage) Others() map[string]string {
	others := map[string]string{}
	for name, value := range p.Topic.Attributes {
		if !p.Settings.describes(name) {
			others[name] = value
		}
	}
	return others
}

package console

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/polymq/polymq/core"
)

// listed is how many entries a page of a list has.
const listed = 50

// queuesPage is the data of queues.html.
type queuesPage struct {
	Part   string // that names are searched for
	Queues []core.Queue
	Next   string // cursor
	New    settingsForm
}

func (s *Server) queuesOf(x *exchange, part, after string, limit int, counts bool) (core.QueuePage, error) {
	return s.broker.ListQueues(x.ctx(), core.ListQueuesInput{
		Account: x.account, Region: x.region, Part: part, After: after, Limit: limit, Counts: counts,
	})
}

// listQueues lists queues by name, those whose names contain what is searched for.
func (s *Server) listQueues(x *exchange) error {
	query := x.r.URL.Query()
	data := queuesPage{Part: strings.TrimSpace(query.Get("q")), New: settingsOf(core.Queue{Settings: core.DefaultSettings()})}
	if id, err := core.ParseMessageID(data.Part); err == nil && !x.partial() {
		http.Redirect(x.w, x.r, x.base()+"/trace?id="+id.UUID(), http.StatusSeeOther)
		return nil
	}
	found, err := s.queuesOf(x, data.Part, query.Get("after"), listed, true)
	if err != nil {
		return err
	}
	data.Queues, data.Next = found.Queues, found.Next
	if x.partial() {
		return s.part(x, "queues.html", "rows", data)
	}
	return s.show(x, "queues.html", &page{Title: "Queues", Active: "queues", Data: data, Snippets: queuesSnippets(x)})
}

// settingsForm are a queue's settings as the form shows them.
type settingsForm struct {
	FIFO                 bool
	Delay, Visibility    time.Duration
	Retention, Wait      time.Duration
	MaxMessageSize       int
	DeadLetter           string
	MaxReceives          int
	Logging              bool
	ScopeGroup, Existing bool
	ByContent            bool // messages without a deduplication id get one of their body
	Bodies               core.BodyRule
	Sources              string // names, anyQueue or noQueue
	Tags                 string // a line for each
}

// What stands in the place of names where any queue, or none, is meant.
const (
	anyQueue = ""
	noQueue  = "-"
)

func settingsOf(q core.Queue) settingsForm {
	return settingsForm{
		FIFO: q.FIFO, Delay: q.Delay, Visibility: q.VisibilityTimeout, Retention: q.Retention, Wait: q.ReceiveWait, MaxMessageSize: q.MaxMessageSize,
		DeadLetter: q.DeadLetter.Target, MaxReceives: cmp.Or(q.DeadLetter.MaxReceives, 5), Logging: q.Logging,
		ScopeGroup: q.DeduplicationScope == core.DeduplicateInGroup, Existing: q.ID != 0, ByContent: q.Attributes[contentBased(sqs)] == "true",
		Bodies: q.Bodies, Sources: sourcesText(q.DeadLetterSources), Tags: tagLines(q.Tags),
	}
}

// sourcesText shows a rule as the form has it.
func sourcesText(rule core.SourceRule) string {
	if rule == core.NoSource {
		return noQueue
	}
	return strings.Join(rule.Names(), " ")
}

// sources reads the rule that says whose dead letters a queue takes.
func sources(text string) core.SourceRule {
	switch text {
	case anyQueue:
		return core.AnySource
	case noQueue:
		return core.NoSource
	}
	return core.Sources(strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })...)
}

// tagLines shows tags as the form has them.
func tagLines(tags map[string]string) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(tags)) {
		lines = append(lines, name+"="+tags[name])
	}
	return strings.Join(lines, "\n")
}

// bodyRule is a rule that the form offers.
type bodyRule struct {
	Rule  core.BodyRule
	Title string
}

var bodyRules = []bodyRule{
	{Rule: core.BodyAuto, Title: "as each client expects"}, {Rule: core.BodyAsSent, Title: "as they were sent"},
	{Rule: core.BodyText, Title: "always as text"}, {Rule: core.BodyBase64, Title: "always as base64"},
}

// settingsChange reads the settings of a form, which has all tags that the queue is to have in place of these.
func (x *exchange) settingsChange(isFIFO bool, tags map[string]string) (core.QueueChange, error) {
	f := x.form()
	size := f.number("max_message_size", core.MaxMessageBytes, core.MaxMessageBytes)
	receives := f.number("max_receives", core.MaxReceivesBound, 1)
	logging, scope := f.on("logging"), core.DeduplicateInQueue
	var attributes map[string]*string
	if isFIFO {
		byContent := strconv.FormatBool(f.on("by_content"))
		attributes = map[string]*string{contentBased(sqs): &byContent}
		if f.on("scope_group") {
			scope = core.DeduplicateInGroup
		}
	}
	bodies := core.BodyRule(x.field("bodies"))
	if !slices.ContainsFunc(bodyRules, func(r bodyRule) bool { return r.Rule == bodies }) {
		f.fail(x.t("Choose how bodies are handed out."))
	}
	from := sources(x.field("sources"))
	policy := core.DeadLetterPolicy{}
	if target := x.field("dead_letter"); target != "" {
		policy = core.DeadLetterPolicy{Target: target, MaxReceives: receives}
	}
	change := core.QueueChange{
		Delay: f.duration("delay", time.Second, core.MaxDelay), VisibilityTimeout: f.duration("visibility", time.Second, core.MaxVisibilityTimeout),
		Retention: f.duration("retention", time.Hour, core.MaxRetention), ReceiveWait: f.duration("wait", time.Second, core.MaxReceiveWait),
		MaxMessageSize: &size, Logging: &logging, DeadLetter: &policy, DeduplicationScope: &scope,
		Bodies: &bodies, DeadLetterSources: &from, Attributes: attributes, Tags: f.tags(tags),
	}
	return change, f.err
}

// createQueue makes a queue.
func (s *Server) createQueue(x *exchange) error {
	name := x.field("name")
	isFIFO := x.field("fifo") != ""
	if isFIFO && !strings.HasSuffix(name, ".fifo") {
		name += ".fifo" // as SQS wants it
	} else if !isFIFO && strings.HasSuffix(name, ".fifo") {
		isFIFO = true
	}
	change, err := x.settingsChange(isFIFO, nil)
	if err != nil {
		return err
	}
	wanted := change.Apply(core.Queue{Settings: core.DefaultSettings()})
	queue, created, err := s.broker.CreateQueue(x.ctx(), core.NewQueue{
		Name: core.QueueName{Account: x.account, Region: x.region, Name: name}, FIFO: isFIFO,
		Settings: wanted.Settings, Attributes: wanted.Attributes, Tags: wanted.Tags,
	})
	if err != nil {
		return err
	}
	if !created {
		return x.problem(core.QueueExists, x.t("There is a queue %s already.", queue.Name.Name))
	}
	return x.done("/queues/"+queue.Name.Name, x.t("Queue %s was created.", queue.Name.Name))
}

// queuePage is the data of the pages of one queue.
type queuePage struct {
	Queue    core.Queue
	Tab      string
	Settings settingsForm
	Sources  []core.Queue // whose dead letters come here
	Tasks    []core.MoveTask
	Running  bool
}

func (p queuePage) Total() int64 {
	return p.Queue.Counts.Visible + p.Queue.Counts.InFlight + p.Queue.Counts.Delayed
}

// onQueue reads the queue that the path names.
func (s *Server) onQueue(x *exchange, tab string) (queuePage, error) {
	queue, err := s.broker.DescribeQueue(x.ctx(), x.queue())
	return queuePage{Queue: queue, Tab: tab, Settings: settingsOf(queue)}, err
}

// showQueue shows a queue and its messages.
func (s *Server) showQueue(x *exchange) error {
	data, err := s.onQueue(x, "messages")
	if err != nil {
		return err
	}
	return s.show(x, "queue.html", &page{Title: "Queue", Heading: data.Queue.Name.Name, Active: "queues", Data: data, Snippets: queueSnippets(x, &data.Queue)})
}

// showCounts shows how much a queue holds.
func (s *Server) showCounts(x *exchange) error {
	data, err := s.onQueue(x, "")
	if err != nil {
		return err
	}
	return s.part(x, "queue.html", "counts", data)
}

// showSettings shows the form to change or remove a queue.
func (s *Server) showSettings(x *exchange) error {
	data, err := s.onQueue(x, "settings")
	if err != nil {
		return err
	}
	return s.show(x, "queue_settings.html", &page{Title: "Settings", Heading: data.Queue.Name.Name, Active: "queues", Data: data, Snippets: settingsSnippets(x)})
}

// alterQueue changes a queue's settings.
func (s *Server) alterQueue(x *exchange) error {
	queue, err := s.broker.DescribeQueue(x.ctx(), x.queue())
	if err != nil {
		return err
	}
	change, err := x.settingsChange(queue.FIFO, queue.Tags)
	if err != nil {
		return err
	}
	if _, err := s.broker.AlterQueue(x.ctx(), queue.Name, change); err != nil {
		return err
	}
	return x.done("/queues/"+x.queue().Name+"/settings", x.t("The settings were saved."))
}

// setLogging turns the record of what happens to each message on or off.
func (s *Server) setLogging(x *exchange) error {
	on := x.field("logging") != ""
	if _, err := s.broker.AlterQueue(x.ctx(), x.queue(), core.QueueChange{Logging: &on}); err != nil {
		return err
	}
	return x.done("/trace?queue="+x.queue().Name, x.t("What happens to messages of %s is recorded from now on.", x.queue().Name))
}

// purgeQueue removes all messages of a queue, once its name was typed.
func (s *Server) purgeQueue(x *exchange) error {
	if err := s.confirmed(x); err != nil {
		return err
	}
	if err := s.broker.PurgeQueue(x.ctx(), x.queue()); err != nil {
		return err
	}
	return x.done("/queues/"+x.queue().Name, x.t("All messages of %s were removed.", x.queue().Name))
}

// deleteQueue removes a queue. Its name must be typed unless it is empty.
func (s *Server) deleteQueue(x *exchange) error {
	if err := s.confirmed(x); err != nil {
		return err
	}
	if err := s.broker.DeleteQueue(x.ctx(), x.queue()); err != nil {
		return err
	}
	return x.done("/queues", x.t("Queue %s was deleted.", x.queue().Name))
}

// confirmed says whether the queue's messages may be removed: its name was typed, or there are none.
func (s *Server) confirmed(x *exchange) error {
	data, err := s.onQueue(x, "")
	if err != nil || data.Total() == 0 {
		return err
	}
	f := x.form()
	f.confirm(data.Queue.Name.Name)
	return f.err
}

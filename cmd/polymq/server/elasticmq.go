package server

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gurkankaymak/hocon"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/sqs"
)

// elasticMQ is what a configuration of ElasticMQ says, as far as it means something here.
type elasticMQ struct {
	account string
	region  string
	queues  []sqs.Declaration // each dead-letter queue before those that name it
	missed  *sqs.Declaration  // what a queue gets that is made when it is missed; nil: none is made
	listen  []string          // where ElasticMQ and its page would listen
	unused  []elasticMQNote
}

// elasticMQNote is a setting that does nothing here.
type elasticMQNote struct{ setting, why string }

// elasticMQRegion is the region of ElasticMQ's queues where its configuration names none.
const elasticMQRegion = "elasticmq"

// readElasticMQ reads the configuration of ElasticMQ, if there is one, and has the server be what it says: of one
// account and region, whatever the clients' credentials name, for ElasticMQ does not look at these.
func (s *Server) readElasticMQ() error {
	path := s.config.ElasticMQConfig
	if path == "" {
		return nil
	}
	config, err := parseHOCON(path)
	if err == nil {
		s.elasticMQ, err = newElasticMQ(config)
	}
	if err != nil {
		return fmt.Errorf("read the queues of %s: %w", path, err)
	}
	for _, note := range s.elasticMQ.unused {
		s.log.Warn().Str("file", path).Str("setting", note.setting).Str("why", note.why).Msg("a setting of ElasticMQ does nothing here")
	}
	s.config.Region = s.elasticMQ.region
	s.config.AutoCreateQueues = s.config.AutoCreateQueues || s.elasticMQ.missed != nil
	s.config.Listen = withPorts(s.config.Listen, s.elasticMQ.listen)
	return nil
}

// withPorts adds the addresses whose ports are not among those that there are.
func withPorts(addresses, more []string) []string {
	ports := map[string]bool{}
	for _, address := range addresses {
		_, port, _ := net.SplitHostPort(address) // Check has seen to it
		ports[port] = true
	}
	for _, address := range more {
		if _, port, _ := net.SplitHostPort(address); !ports[port] {
			ports[port] = true
			addresses = append(addresses, address)
		}
	}
	return addresses
}

// declareQueues makes the queues that a configuration of ElasticMQ names.
func (s *Server) declareQueues(ctx context.Context) error {
	if s.elasticMQ == nil {
		return nil
	}
	declarer := sqs.New(s.broker, &caller.Options{Region: s.config.Region}, sqs.Options{})
	for _, queue := range s.elasticMQ.queues {
		if err := declarer.DeclareQueue(ctx, queue); err != nil {
			return fmt.Errorf("make queue %s of %s: %w", queue.Name.Name, s.config.ElasticMQConfig, err)
		}
	}
	s.log.Info().Int("queues", len(s.elasticMQ.queues)).Str("file", s.config.ElasticMQConfig).Msg("queues are declared")
	return nil
}

// elasticMQQueue is a queue in ElasticMQ's configuration, as far as it says something.
type elasticMQQueue struct {
	seconds     map[string]string // SQS attributes
	fifo        bool
	content     bool
	contentSaid bool
	deadLetter  string
	maxReceive  string
	tags        map[string]string
}

// elasticMQDurations are settings that are durations, and the attributes that they stand for.
var elasticMQDurations = map[string]string{
	"defaultVisibilityTimeout": "VisibilityTimeout", "delay": "DelaySeconds", "receiveMessageWait": "ReceiveMessageWaitTimeSeconds",
}

// newElasticMQ reads a configuration. A dead-letter queue that has no section of its own has default settings.
func newElasticMQ(config *hocon.Config) (*elasticMQ, error) {
	e := &elasticMQ{account: caller.DefaultAccount, region: elasticMQRegion}
	if n, err := strconv.ParseUint(textOf(config.Get("aws.accountId")), 10, 64); err == nil {
		e.account = fmt.Sprintf("%012d", n)
	}
	e.region = cmp.Or(textOf(config.Get("aws.region")), e.region)
	d := declarer{account: e.account, region: e.region, queues: map[string]elasticMQQueue{}, done: map[string]bool{}}
	for name, value := range config.GetObject("queues") {
		queue, err := readElasticMQQueue(value)
		if err != nil {
			return nil, fmt.Errorf("queue %s: %w", name, err)
		}
		d.queues[withSuffix(strings.Trim(name, `"`), queue.fifo)] = queue
	}
	if textOf(config.Get("auto-create-queues.enabled")) == "true" {
		template := elasticMQQueue{}
		if value := config.Get("auto-create-queues.template"); value != nil {
			var err error
			if template, err = readElasticMQQueue(value); err != nil {
				return nil, fmt.Errorf("auto-create-queues.template: %w", err)
			}
		}
		missed := d.declaration("", template)
		if template.contentSaid {
			missed.Attributes["ContentBasedDeduplication"] = strconv.FormatBool(template.content)
		}
		e.missed = &missed
	}
	for name := range d.queues {
		d.declare(name)
	}
	e.queues = d.declared
	e.listen = append(listenOf(config, "rest-sqs"), listenOf(config, "rest-stats")...)
	e.unused = unusedOf(config)
	return e, nil
}

// listenOf gives the address that a section has ElasticMQ listen on, none where it does not say.
func listenOf(config *hocon.Config, section string) []string {
	port := textOf(config.Get(section + ".bind-port"))
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || textOf(config.Get(section+".enabled")) == "false" {
		return nil
	}
	host := textOf(config.Get(section + ".bind-hostname"))
	if host == "0.0.0.0" {
		host = ""
	}
	return []string{net.JoinHostPort(host, port)}
}

// elasticMQSections are the sections that are read; elasticMQUnused those that are not, and why.
var (
	elasticMQSections = []string{"aws", "queues", "auto-create-queues", "rest-sqs", "rest-stats", "generate-node-address"}
	elasticMQUnused   = map[string]string{
		"node-address":             "queue URLs have the host that the client used; --public-url sets another",
		"queues-storage":           "queues last, in PostgreSQL",
		"persisted-queues-storage": "queues last, in PostgreSQL",
		"messages-storage":         "messages last, in PostgreSQL",
		"storage":                  "queues and messages are in PostgreSQL",
	}
)

// unusedOf gives the settings that do nothing here, though who wrote them may think so.
func unusedOf(config *hocon.Config) (notes []elasticMQNote) {
	root, _ := config.GetRoot().(hocon.Object)
	for _, name := range slices.Sorted(maps.Keys(root)) {
		section := strings.Trim(name, `"`)
		why, known := elasticMQUnused[section]
		switch {
		case slices.Contains(elasticMQSections, section):
			continue
		case section == "node-address" && anyHost(textOf(config.Get("node-address.host"))):
			continue // as it is here
		case strings.HasSuffix(section, "storage") && textOf(config.Get(section+".enabled")) == "false":
			continue
		case !known:
			why = "it is unknown"
		}
		notes = append(notes, elasticMQNote{section, why})
	}
	if textOf(config.Get("rest-sqs.sqs-limits")) == "relaxed" {
		notes = append(notes, elasticMQNote{"rest-sqs.sqs-limits", "the limits are SQS's own"})
	}
	return notes
}

// anyHost says that a node's address is the one that the client used, or that of a machine of its own.
func anyHost(host string) bool { return host == "" || host == "*" || host == "localhost" }

// withSuffix gives a FIFO queue the name that it must have.
func withSuffix(name string, fifo bool) string {
	if fifo && !strings.HasSuffix(name, ".fifo") {
		return name + ".fifo"
	}
	return name
}

func readElasticMQQueue(value hocon.Value) (elasticMQQueue, error) {
	queue := elasticMQQueue{seconds: map[string]string{}, tags: map[string]string{}}
	object, ok := value.(hocon.Object)
	if !ok {
		return queue, fmt.Errorf("must be settings in braces, is %v", value)
	}
	for setting, attribute := range elasticMQDurations {
		if given := object[setting]; textOf(given) != "" { // ${?VARIABLE} of one that is not set is empty
			seconds, err := secondsOf(given)
			if err != nil {
				return queue, fmt.Errorf("%s: %w", setting, err)
			}
			queue.seconds[attribute] = seconds
		}
	}
	queue.fifo = textOf(object["fifo"]) == "true"
	content := textOf(object["contentBasedDeduplication"])
	queue.content, queue.contentSaid = content == "true", content != ""
	if dead, ok := object["deadLettersQueue"].(hocon.Object); ok {
		queue.deadLetter, queue.maxReceive = withSuffix(textOf(dead["name"]), queue.fifo), textOf(dead["maxReceiveCount"])
	}
	if tags, ok := object["tags"].(hocon.Object); ok {
		for key, tag := range tags {
			queue.tags[strings.Trim(key, `"`)] = textOf(tag)
		}
	}
	for _, unknown := range []string{"copyTo", "moveTo"} {
		if _, given := object[unknown]; given {
			return queue, fmt.Errorf("%s is not implemented", unknown)
		}
	}
	return queue, nil
}

// textOf gives a value as text, "" for none.
func textOf(value hocon.Value) string {
	if value == nil {
		return ""
	}
	return strings.Trim(value.String(), `"`)
}

// secondsOf gives a duration in seconds; one without a unit is in milliseconds, as HOCON has it.
func secondsOf(value hocon.Value) (string, error) {
	var duration time.Duration
	switch text := textOf(value); value := value.(type) {
	case hocon.Duration:
		duration = time.Duration(value)
	default:
		milliseconds, err := strconv.ParseInt(text, 10, 64)
		if err == nil {
			duration = time.Duration(milliseconds) * time.Millisecond
			break
		}
		amount, unit, _ := strings.Cut(text, " ")
		if duration, err = time.ParseDuration(amount + strings.TrimSuffix(strings.TrimSuffix(unit, "econds"), "econd")); err != nil {
			return "", fmt.Errorf("%q is no duration, such as 10 seconds", text)
		}
	}
	return strconv.FormatInt(int64(duration/time.Second), 10), nil
}

// declarer puts queues in an order in which they can be made.
type declarer struct {
	account, region string
	queues          map[string]elasticMQQueue
	done            map[string]bool
	declared        []sqs.Declaration
}

func (d *declarer) declare(name string) {
	if d.done[name] {
		return
	}
	d.done[name] = true
	declaration := d.declaration(name, d.queues[name])
	d.declared = append(d.declared, declaration)
}

// declaration says how a queue is to be, once its dead-letter queue is declared.
func (d *declarer) declaration(name string, queue elasticMQQueue) sqs.Declaration {
	attributes := map[string]string{}
	maps.Copy(attributes, queue.seconds)
	if queue.fifo || strings.HasSuffix(name, ".fifo") {
		attributes["FifoQueue"] = "true"
		attributes["ContentBasedDeduplication"] = strconv.FormatBool(queue.content)
	}
	if queue.deadLetter != "" {
		d.declare(queue.deadLetter)
		policy, _ := json.Marshal(map[string]string{ // texts always have a JSON form
			"deadLetterTargetArn": "arn:aws:sqs:" + d.region + ":" + d.account + ":" + queue.deadLetter, "maxReceiveCount": queue.maxReceive,
		})
		attributes["RedrivePolicy"] = string(policy)
	}
	return sqs.Declaration{Name: core.QueueName{Account: d.account, Region: d.region, Name: name}, Attributes: attributes, Tags: queue.tags}
}

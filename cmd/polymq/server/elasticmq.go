package server

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/gurkankaymak/hocon"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/sqs"
)

// declareQueues makes the queues that a configuration of ElasticMQ names.
func (s *Server) declareQueues(ctx context.Context) error {
	if s.config.ElasticMQConfig == "" {
		return nil
	}
	queues, err := readElasticMQ(s.config.ElasticMQConfig, s.config.Region)
	if err != nil {
		return fmt.Errorf("read the queues of %s: %w", s.config.ElasticMQConfig, err)
	}
	declarer := sqs.New(s.broker, &caller.Options{Region: s.config.Region}, sqs.Options{})
	for _, queue := range queues {
		if err := declarer.DeclareQueue(ctx, queue); err != nil {
			return fmt.Errorf("make queue %s of %s: %w", queue.Name.Name, s.config.ElasticMQConfig, err)
		}
	}
	s.log.Info().Int("queues", len(queues)).Str("file", s.config.ElasticMQConfig).Msg("queues are declared")
	return nil
}

// elasticMQQueue is a queue in ElasticMQ's configuration, as far as it says something.
type elasticMQQueue struct {
	seconds    map[string]string // SQS attributes
	fifo       bool
	content    bool
	deadLetter string
	maxReceive string
	tags       map[string]string
}

// elasticMQDurations are settings that are durations, and the attributes that they stand for.
var elasticMQDurations = map[string]string{
	"defaultVisibilityTimeout": "VisibilityTimeout", "delay": "DelaySeconds", "receiveMessageWait": "ReceiveMessageWaitTimeSeconds",
}

// readElasticMQ reads the queues of a file, each dead-letter queue before those that name it. A dead-letter
// queue that has no section of its own has default settings.
func readElasticMQ(path, region string) ([]sqs.Declaration, error) {
	config, err := hocon.ParseResource(path)
	if err != nil {
		return nil, err
	}
	account := caller.DefaultAccount
	if n, err := strconv.ParseUint(textOf(config.Get("aws.accountId")), 10, 64); err == nil {
		account = fmt.Sprintf("%012d", n)
	}
	if own := textOf(config.Get("aws.region")); own != "" {
		region = own
	}
	queues := map[string]elasticMQQueue{}
	for name, value := range config.GetObject("queues") {
		queue, err := readElasticMQQueue(value)
		if err != nil {
			return nil, fmt.Errorf("queue %s: %w", name, err)
		}
		name = strings.Trim(name, `"`)
		queues[withSuffix(name, queue.fifo)] = queue
	}
	d := declarer{account: account, region: region, queues: queues, done: map[string]bool{}}
	for name := range queues {
		d.declare(name)
	}
	return d.declared, nil
}

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
	queue.content = textOf(object["contentBasedDeduplication"]) == "true"
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
	queue := d.queues[name]
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
	d.declared = append(d.declared, sqs.Declaration{
		Name: core.QueueName{Account: d.account, Region: d.region, Name: name}, Attributes: attributes, Tags: queue.tags,
	})
}

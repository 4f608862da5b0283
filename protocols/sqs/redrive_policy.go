package sqs

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/polymq/polymq/core"
)

// Texts of policies are kept as they were given, and shown while they say what the core acts on:
// another protocol may have changed that since.

// setRedrivePolicy says where messages go that are received too often; "" and {} remove it.
func setRedrivePolicy(c *attributeChange, value string) error {
	parsed, reason := parseRedrivePolicy(value)
	if reason != "" {
		return invalid(value, redrivePolicy, reason)
	}
	var deadLetter core.DeadLetterPolicy
	if parsed.target != "" {
		target, ok := parseARN(parsed.target)
		switch {
		case !ok:
			return invalid(value, redrivePolicy, "Invalid value for deadLetterTargetArn.")
		case target.Account != c.name.Account || target.Region != c.name.Region:
			return invalid(value, redrivePolicy, "Dead letter target must be in the same account and region as the source.")
		case target == c.name:
			return invalid(value, redrivePolicy, "Dead letter target must be another queue than the source.")
		}
		deadLetter = core.DeadLetterPolicy{Target: target.Name, MaxReceives: parsed.maxReceives}
	} else {
		value = ""
	}
	c.DeadLetter = &deadLetter
	keep(c, redrivePolicyKey, value)
	return nil
}

// redriveRule is what a RedrivePolicy says; the zero one removes it.
type redriveRule struct {
	target      string // an ARN
	maxReceives int
}

// parseRedrivePolicy reads a RedrivePolicy, or gives what is wrong with it.
func parseRedrivePolicy(value string) (rule redriveRule, reason string) {
	var object map[string]any
	switch {
	case value == "":
		return rule, ""
	case len(value) > maxPolicyLength || json.Unmarshal([]byte(value), &object) != nil || object == nil:
		return rule, "Redrive policy is not a valid JSON map."
	case len(object) == 0:
		return rule, ""
	}
	for _, name := range []string{"deadLetterTargetArn", "maxReceiveCount"} {
		if object[name] == nil {
			return rule, "Redrive policy does not contain mandatory attribute: " + name + "."
		}
	}
	target, isText := object["deadLetterTargetArn"].(string)
	if !isText || target == "" {
		return rule, "Invalid value for deadLetterTargetArn."
	}
	count, ok := asCount(object["maxReceiveCount"])
	if !ok {
		return rule, fmt.Sprintf("Invalid value for maxReceiveCount: %s, valid values are from 1 to %d both inclusive.",
			short(asText(object["maxReceiveCount"])), core.MaxReceivesBound)
	}
	return redriveRule{target, count}, ""
}

// asCount reads a number, or a number in a string.
func asCount(value any) (n int, ok bool) {
	switch value := value.(type) {
	case float64:
		n, ok = int(value), value == math.Trunc(value)
	case string:
		parsed, err := strconv.Atoi(value)
		n, ok = parsed, err == nil
	}
	return n, ok && n >= 1 && n <= core.MaxReceivesBound
}

// asText gives a value of JSON as an error shows it.
func asText(value any) string {
	if number, ok := value.(float64); ok {
		return strconv.FormatFloat(number, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}

func showRedrivePolicy(q *core.Queue) string {
	if q.DeadLetter.Target == "" {
		return ""
	}
	target := arn(core.QueueName{Account: q.Name.Account, Region: q.Name.Region, Name: q.DeadLetter.Target})
	text := q.Attributes[redrivePolicyKey]
	if rule, _ := parseRedrivePolicy(text); rule == (redriveRule{target, q.DeadLetter.MaxReceives}) {
		return text
	}
	return fmt.Sprintf(`{"deadLetterTargetArn":"%s","maxReceiveCount":%d}`, target, q.DeadLetter.MaxReceives)
}

// sameRedrivePolicy compares what two policies say.
func sameRedrivePolicy(a, b string) bool {
	left, _ := parseRedrivePolicy(a)
	right, _ := parseRedrivePolicy(b)
	return left == right
}

// setRedriveAllowPolicy says which queues may name this one in their RedrivePolicy.
func setRedriveAllowPolicy(c *attributeChange, value string) error {
	rule, reason := parseRedriveAllowPolicy(c.name, value)
	if reason != "" {
		return invalid(value, redriveAllowPolicy, reason)
	}
	c.DeadLetterSources = &rule
	keep(c, redriveAllowPolicyKey, value)
	return nil
}

// parseRedriveAllowPolicy reads a RedriveAllowPolicy of a queue, or gives what is wrong with it.
func parseRedriveAllowPolicy(queue core.QueueName, value string) (rule core.SourceRule, reason string) {
	var object map[string]any // and no structure, whose fields' names would have no case
	switch {
	case value == "":
		return core.AnySource, ""
	case len(value) > maxPolicyLength || json.Unmarshal([]byte(value), &object) != nil || object == nil:
		return "", "Redrive allow policy is not a valid JSON map."
	}
	arns, isList := object["sourceQueueArns"].([]any)
	if object["sourceQueueArns"] != nil && !isList {
		return "", "sourceQueueArns must be a list."
	}
	sources := len(arns)
	switch object["redrivePermission"] {
	case "allowAll", "denyAll":
		if sources > 0 {
			return "", "sourceQueueArns is allowed with redrivePermission byQueue only."
		}
		if object["redrivePermission"] == "denyAll" {
			return core.NoSource, ""
		}
		return core.AnySource, ""
	case "byQueue":
		if sources < 1 || sources > core.MaxListedSources {
			return "", fmt.Sprintf("sourceQueueArns must name 1 to %d queues.", core.MaxListedSources)
		}
	default:
		return "", "redrivePermission must be allowAll, denyAll or byQueue."
	}
	names := make([]string, sources)
	for i, element := range arns {
		text, _ := element.(string)
		source, ok := parseARN(text)
		if !ok || source.Account != queue.Account || source.Region != queue.Region {
			return "", "sourceQueueArns must be ARNs of queues in the same account and region."
		}
		names[i] = source.Name
	}
	return core.Sources(names...), ""
}

func showRedriveAllowPolicy(q *core.Queue) string {
	text := q.Attributes[redriveAllowPolicyKey]
	if rule, reason := parseRedriveAllowPolicy(q.Name, text); reason == "" && rule == q.DeadLetterSources {
		return text
	}
	switch q.DeadLetterSources {
	case core.AnySource:
		return ""
	case core.NoSource:
		return `{"redrivePermission":"denyAll"}`
	}
	var sources []string
	for _, name := range q.DeadLetterSources.Names() {
		sources = append(sources, `"`+arn(core.QueueName{Account: q.Name.Account, Region: q.Name.Region, Name: name})+`"`)
	}
	return `{"redrivePermission":"byQueue","sourceQueueArns":[` + strings.Join(sources, ",") + `]}`
}

// redriveError names the policy in what the core says of its target.
func redriveError(policy string, err error) error {
	switch core.CodeOf(err) {
	case core.DeadLetterQueueNotFound:
		return invalid(policy, redrivePolicy, "Dead letter target does not exist.")
	case core.QueueTypeMismatch:
		return invalid(policy, redrivePolicy, "Dead-letter queue must be same type of queue as the source.")
	case core.DeadLetterDenied:
		return invalid(policy, redrivePolicy, "Queue does not have permission to redrive messages to the dead letter target.")
	}
	return err
}

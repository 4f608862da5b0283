package sqs

import (
	"context"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/caller"
)

// queueURL is the part of a QueueUrl that says which queue is meant.
type queueURL struct {
	region  string // "" where it does not say
	account string // "" likewise
	name    string
}

// parseQueueURL reads any of the styles in use, down to the bare name: the last segments of the
// path count, and of the host only the region in a name of AWS's own (specs/sqs.md 1.7). A path
// of / names no queue.
func parseQueueURL(s string) (u queueURL, ok bool) {
	if _, behind, isURL := strings.Cut(s, "://"); isURL {
		var host string
		host, s, _ = strings.Cut(behind, "/")
		u.region = caller.RegionOfHost(host)
	}
	s, _, _ = strings.Cut(s, "?")
	rest, name := cutLast(strings.TrimRight(s, "/"))
	u.name = name
	rest, account := cutLast(rest)
	if !core.IsAccount(account) {
		return u, u.name != ""
	}
	u.account = account
	if rest, region := cutLast(rest); u.region == "" && caller.IsRegion(region) && strings.HasSuffix("/"+rest, "/queue") { // /queue/REGION/ACCOUNT/NAME
		u.region = region
	}
	return u, u.name != ""
}

// cutLast takes the last segment off a path.
func cutLast(path string) (rest, last string) {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i], path[i+1:]
	}
	return "", path
}

// queue gives the queue that a request means, as far as its settings go.
func (s *Server) queue(ctx context.Context, c *call, url string) (*core.Queue, error) {
	name, err := c.queueName(url)
	if err != nil {
		return nil, err
	}
	return s.broker.Queue(ctx, name)
}

// queueName gives the name of the queue that a request means by its QueueUrl or, without one, by the
// path that it was sent to. A QueueUrl that can be no queue's means one that does not exist.
func (c *call) queueName(text string) (core.QueueName, error) {
	u, ok := parseQueueURL(text)
	if text == "" {
		path := c.path
		if behind, peeked := strings.CutPrefix(path, PeekPath); peeked && behind != "" {
			path = "/queue" + behind
		} else if peeked {
			return core.QueueName{}, errQueueDoesNotExist // as LocalStack says it
		}
		if u, ok = parseQueueURL(path); !ok {
			return core.QueueName{}, missing("QueueUrl")
		}
	}
	if !ok || !isName(u.name) {
		return core.QueueName{}, errQueueDoesNotExist
	}
	name := core.QueueName{Account: c.Account, Region: c.Region, Name: u.name}
	if u.account != "" {
		name.Account = u.account
	}
	if u.region != "" {
		name.Region = u.region
	}
	c.named = name
	return name, nil
}

// isName says that a queue may have that name; protocols other than SQS allow dots.
func isName(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '.' && !isNameByte(c) {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= core.MaxNameLength
}

// isNameByte says that SQS allows the byte in names of queues and ids of batch entries.
func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

// url gives the QueueUrl by which this caller can reach a queue.
func (c *call) url(name core.QueueName) string {
	return c.BaseURL + "/" + name.Account + "/" + name.Name
}

// parseARN reads the ARN of a queue.
func parseARN(s string) (name core.QueueName, ok bool) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || !strings.HasPrefix(parts[1], "aws") || parts[2] != "sqs" {
		return name, false
	}
	name = core.QueueName{Region: parts[3], Account: parts[4], Name: parts[5]}
	return name, caller.IsRegion(name.Region) && core.IsAccount(name.Account) && isName(name.Name)
}

// arn gives a queue's ARN.
func arn(name core.QueueName) string {
	return "arn:" + aws.Partition(name.Region) + ":sqs:" + name.Region + ":" + name.Account + ":" + name.Name
}

package sns

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/polymq/polymq/core"
)

type tag struct {
	Key   string
	Value *string // in an answer always there, though it may be empty
}

// Bounds of tags.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// tagMap reads the tags of a request.
func tagMap(tags []tag) (map[string]string, error) {
	read := make(map[string]string, len(tags))
	for i, t := range tags {
		if _, twice := read[t.Key]; twice {
			return nil, invalid("Duplicated keys are not allowed.")
		}
		value := ""
		if t.Value != nil {
			value = *t.Value
		}
		switch path := fmt.Sprintf("tags.%d.member.", i+1); {
		case t.Key == "":
			return nil, constraint(t.Key, path+"key", "Member must have length greater than or equal to 1")
		case utf8.RuneCountInString(t.Key) > maxTagKey:
			return nil, constraint(t.Key, path+"key", fmt.Sprintf("Member must have length less than or equal to %d", maxTagKey))
		case utf8.RuneCountInString(value) > maxTagValue:
			return nil, constraint(value, path+"value", fmt.Sprintf("Member must have length less than or equal to %d", maxTagValue))
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return nil, invalid("Tags Reason: a tag's key must not begin with aws:")
		}
		read[t.Key] = value
	}
	if len(read) > maxTags {
		return nil, errTooManyTags
	}
	return read, nil
}

var errTooManyTags = tagLimitExceeded.errorf("Could not complete request: tag quota of per resource exceeded")

// tagsOf gives the tags of a topic, by key.
func tagsOf(t *core.Topic) []tag {
	var tags []tag
	for key, value := range t.Tags {
		tags = append(tags, tag{key, &value})
	}
	slices.SortFunc(tags, func(a, b tag) int { return strings.Compare(a.Key, b.Key) })
	return tags
}

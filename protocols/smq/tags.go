package smq

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/openapi"
)

// Bounds of tags, which are the same for all of Alibaba's services.
const (
	maxTags      = 20
	maxTagLength = 128 // characters of a key, and of a value
)

// tagData is a tag in an answer.
type tagData struct{ TagKey, TagValue string }

func tagsOf(tags map[string]string) []tagData {
	data := []tagData{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		data = append(data, tagData{key, tags[key]})
	}
	return data
}

// tagMap checks tags to be set.
func tagMap(tags []openapi.Tag) (map[string]string, error) {
	if len(tags) > maxTags {
		return nil, openapi.InvalidParameter("Tag", "has more than "+strconv.Itoa(maxTags)+" tags")
	}
	named := map[string]string{}
	for _, t := range tags {
		switch _, twice := named[t.Key]; {
		case t.Key == "" || utf8.RuneCountInString(t.Key) > maxTagLength || utf8.RuneCountInString(t.Value) > maxTagLength:
			return nil, openapi.InvalidParameter("Tag", "has a key or value that is not of 1 to "+strconv.Itoa(maxTagLength)+" characters")
		case strings.HasPrefix(t.Key, "aliyun") || strings.HasPrefix(t.Key, "acs:") || strings.Contains(t.Key+t.Value, "http://") || strings.Contains(t.Key+t.Value, "https://"):
			return nil, openapi.InvalidParameter("Tag", "has a key or value that is reserved")
		case twice:
			return nil, openapi.InvalidParameter("Tag", "has the same key twice")
		case !core.ValidText([]byte(t.Key + t.Value)):
			return nil, openapi.InvalidParameter("Tag", "has characters that are not allowed")
		}
		named[t.Key] = t.Value
	}
	return named, nil
}

// wanted gives the tags that a list asks for; a value that is "" stands for any.
func wanted(tags []openapi.Tag) map[string]string {
	values := map[string]string{}
	for _, t := range tags {
		values[t.Key] = t.Value
	}
	return values
}

// tagged says that something has all of the tags; one without a value, with any.
func tagged(has map[string]string, tags []openapi.Tag) bool {
	for _, t := range tags {
		if value, ok := has[t.Key]; !ok || t.Value != "" && t.Value != value {
			return false
		}
	}
	return true
}

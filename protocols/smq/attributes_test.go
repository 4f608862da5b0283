package smq

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// attributesOf gives the parameters of an action's request, but for the names of what it is about.
func attributesOf(request reflect.Type) (names []string) {
	for i := range request.NumField() {
		field := request.Field(i)
		switch {
		case field.Anonymous:
			names = append(names, attributesOf(field.Type)...)
		case !slices.Contains([]string{"QueueName", "TopicName", "SubscriptionName"}, field.Name):
			names = append(names, field.Name)
		}
	}
	return names
}

// The documentation says of every attribute that can be set whether it is enforced or kept, and names a test.
func TestAttributesAreDocumented(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../docs/features.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(document), "## Attributes of SMQ's control plane\n")
	section, _, _ = strings.Cut(section, "\n## ")
	said := map[string]bool{}
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) != 4 || cells[0] == "| of" || strings.HasPrefix(cells[0], "| ---") {
			continue
		}
		of := strings.TrimPrefix(cells[0], "| ")
		for name := range strings.SplitSeq(cells[1], ", ") {
			said[of+" "+name] = strings.HasPrefix(cells[2], "enforced") || strings.HasPrefix(cells[2], "kept")
		}
		mustBeTests(t, strings.TrimSuffix(cells[3], " |"))
	}
	for of, request := range map[string]reflect.Type{
		"queue": reflect.TypeFor[createQueueRequest](), "topic": reflect.TypeFor[createTopicRequest](), "subscription": reflect.TypeFor[subscribeRequest](),
		"endpoint": reflect.TypeFor[aclRequest](), "account": reflect.TypeFor[setAccountAttributesRequest](), "event rule": reflect.TypeFor[createEventRuleRequest](),
	} {
		for _, name := range attributesOf(request) {
			if !said[of+" "+name] {
				t.Errorf("the documentation does not say what %s of a %s does", name, of)
			}
		}
	}
}

// mustBeTests looks for tests by their names.
func mustBeTests(t *testing.T, cell string) {
	t.Helper()
	names, folder, elsewhere := strings.Cut(cell, " (`")
	pattern := "*_test.go"
	if elsewhere {
		pattern = filepath.Join("../..", strings.TrimSuffix(folder, "`)"), pattern)
	}
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	var sources strings.Builder
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources.Write(source)
	}
	for name := range strings.SplitSeq(names, ", ") {
		if !strings.Contains(sources.String(), "\nfunc "+name+"(t *testing.T)") {
			t.Errorf("there is no test %s", name)
		}
	}
}

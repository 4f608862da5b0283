package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/polymq/polymq/protocols/aliyunsts"
	"github.com/polymq/polymq/protocols/api"
	"github.com/polymq/polymq/protocols/coverage"
	"github.com/polymq/polymq/protocols/dybase"
	"github.com/polymq/polymq/protocols/iam"
	"github.com/polymq/polymq/protocols/mns"
	"github.com/polymq/polymq/protocols/ram"
	"github.com/polymq/polymq/protocols/smq"
	"github.com/polymq/polymq/protocols/sns"
	"github.com/polymq/polymq/protocols/sqs"
	"github.com/polymq/polymq/protocols/sts"
)

var update = flag.Bool("update", false, "write the coverage table into the README")

const readme = "../../README.md"

func TestReadmeCoverage(t *testing.T) {
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	const begins, ends = "<!-- coverage begins -->\n", "<!-- coverage ends -->"
	before, rest, began := strings.Cut(string(text), begins)
	_, after, ended := strings.Cut(rest, ends)
	if !began || !ended {
		t.Fatalf("the README has no place for the coverage table")
	}
	want := before + begins + coverageTable() + ends + after
	switch {
	case string(text) == want:
	case *update:
		if err := os.WriteFile(readme, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Error("the README's coverage table is not what the code says: go test ./cmd/polymq -run TestReadmeCoverage -update")
	}
}

// coverageTable shows what each protocol can do and what it refuses.
func coverageTable() string {
	var table strings.Builder
	table.WriteString("| protocol | works | answered with an error that says so |\n| --- | --- | --- |\n")
	row := func(protocol string, actions []coverage.Action) {
		var done, missing []string
		for _, a := range actions {
			if a.Done {
				done = append(done, a.Name)
			} else {
				missing = append(missing, a.Name)
			}
		}
		fmt.Fprintf(&table, "| %s | %s | %s |\n", protocol, strings.Join(done, ", "), strings.Join(missing, ", "))
	}
	row("SQS, JSON and query", sqs.Actions())
	row("SNS, query", sns.Actions())
	row("STS (AWS), query", sts.Actions())
	row("IAM, query", iam.Actions())
	row("MNS, XML and, for messages, JSON", mns.Actions())
	row("SMQ's control plane (OpenAPI)", smq.Actions())
	row("STS (Alibaba)", aliyunsts.Actions())
	row("RAM", ram.Actions())
	row("Receipts of text messages (dybaseapi)", dybase.Actions())
	row("JSON API", api.Actions())
	return table.String()
}

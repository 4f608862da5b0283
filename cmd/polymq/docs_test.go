package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/polymq/polymq/cmd/polymq/server"
	"github.com/polymq/polymq/docs"
	"github.com/polymq/polymq/pg/pgtest"
)

// documents gives the text of the pages, and of the README.
func documents(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	pages, err := fs.Glob(docs.Files, "*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		text, err := fs.ReadFile(docs.Files, page)
		if err != nil {
			t.Fatal(err)
		}
		texts["docs/"+page] = string(text)
	}
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	texts["README.md"] = string(text)
	return texts
}

var (
	runnable = regexp.MustCompile("(?ms)^```sh run\n(.*?)^```$")
	seeds    = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")
)

// TestDocumentsRun runs each page's blocks that are marked for it, and seeds what those of YAML declare, against a server of its own.
// The program and its names for the AWS command line are this test's.
func TestDocumentsRun(t *testing.T) {
	t.Parallel()
	bin := t.TempDir()
	for _, name := range []string{"polymq", "aws", "awslocal"} {
		if err := os.Symlink(absolute(t, os.Args[0]), filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	ran := 0
	for name, text := range documents(t) {
		blocks := runnable.FindAllStringSubmatch(text, -1)
		if len(blocks) == 0 {
			continue
		}
		ran++
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := startServer(t, server.Config{DatabaseURL: pgtest.DatabaseURL(t), DatabasePoolSize: pgtest.PoolSize, TestMode: true}).URL()
			script := ""
			for _, block := range blocks {
				script += block[1]
			}
			for _, block := range seeds.FindAllStringSubmatch(text, -1) {
				script += "cat > declared.yaml <<'END'\n" + block[1] + "END\npolymq seed declared.yaml\n"
			}
			shell := exec.CommandContext(t.Context(), "bash", "-exuo", "pipefail", "-c", strings.ReplaceAll(script, "http://localhost:4566", url))
			shell.Dir = t.TempDir()
			shell.Env = append(os.Environ(), asPolymq+"=1", "PATH="+bin+":"+os.Getenv("PATH"), "POLYMQ_ENDPOINT="+url, "AWS_ENDPOINT_URL="+url)
			if out, err := shell.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	if ran < 3 {
		t.Errorf("only %d pages have something to run", ran)
	}
}

var (
	codeSpan      = regexp.MustCompile("`([^`\n]+)`")
	codeBlock     = regexp.MustCompile("(?ms)^```[^\n]*\n(.*?)^```$")
	flagName      = regexp.MustCompile(`(?:^|[\s'"=\[(])--([a-z][a-z0-9-]*)`)
	namedVariable = regexp.MustCompile(`\bPOLYMQ_[A-Z0-9_]+\b`)
	word          = regexp.MustCompile(`^[a-z][a-z-]*$`)
)

// TestDocumentsNameWhatThereIs looks up every flag, command and variable of polymq that the documents name.
func TestDocumentsNameWhatThereIs(t *testing.T) {
	t.Parallel()
	all := map[string]bool{}
	eachCommand(rootCommand(nil), func(command *cobra.Command) {
		for name := range flagsOf(command) {
			all[name] = true
		}
	})
	settings := server.Defaults().Settings()
	seen := 0
	for name, text := range documents(t) {
		for _, found := range namedVariable.FindAllString(text, -1) {
			if _, known := settings[settingOf(found)]; !known && !othersVariable.MatchString(found) {
				t.Errorf("%s: there is no %s", name, found)
			}
		}
		for _, code := range codes(text) {
			problem := ""
			switch {
			case strings.HasPrefix(code, "--"):
				problem = unknownFlag(all, code)
			case strings.HasPrefix(code, "polymq "):
				for _, line := range alternatives(code) {
					problem += unknownCommand(line)
				}
			default:
				continue
			}
			if seen++; problem != "" {
				t.Errorf("%s: %s: %s", name, code, problem)
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d commands and flags were found", seen)
	}
}

// TestNamesAreMissed tells that the test above would.
func TestNamesAreMissed(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{
		"polymq serve --listen :4566": false, "polymq serve --lisden :4566": true, "polymq frobnicate": true,
		"polymq queue create orders": false, "polymq queue frobnicate orders": true, "polymq audit --since 1h | grep --color x": false,
		"polymq bench …": false,
	} {
		if got := unknownCommand(code) != ""; got != want {
			t.Errorf("%s is wrong: got %t, want %t", code, got, want)
		}
	}
}

// codes gives the lines of code blocks, and the code in running text.
func codes(text string) []string {
	var all []string
	for _, block := range codeBlock.FindAllStringSubmatch(text, -1) {
		all = append(all, strings.Split(strings.ReplaceAll(block[1], "\\\n", " "), "\n")...)
	}
	for _, span := range codeSpan.FindAllStringSubmatch(codeBlock.ReplaceAllString(text, ""), -1) {
		all = append(all, span[1])
	}
	return all
}

// alternatives gives a line for each command of "polymq queue|topic …".
func alternatives(line string) []string {
	_, rest, _ := strings.Cut(line, " ")
	names, rest, _ := strings.Cut(rest, " ")
	var lines []string
	for name := range strings.SplitSeq(names, "|") {
		lines = append(lines, "polymq "+name+" "+rest)
	}
	return lines
}

func unknownFlag(known map[string]bool, code string) string {
	for _, flag := range flagName.FindAllStringSubmatch(code, -1) {
		if !known[flag[1]] {
			return "there is no --" + flag[1]
		}
	}
	return ""
}

// unknownCommand says what is wrong with a command line of polymq, up to where another program follows.
func unknownCommand(line string) string {
	line, _, _ = strings.Cut(line, " | ")
	fields := strings.Fields(line)[1:]
	root := rootCommand(nil)
	root.InitDefaultCompletionCmd() // which it would get when it runs
	command, rest, err := root.Find(slices.DeleteFunc(slices.Clone(fields), func(field string) bool { return field == "…" }))
	switch {
	case err != nil:
		return err.Error()
	case command.HasSubCommands() && len(rest) > 0 && word.MatchString(rest[0]):
		return "there is no command " + rest[0]
	}
	return unknownFlag(flagsOf(command), line)
}

// flagsOf gives the names of all flags that a command takes.
func flagsOf(command *cobra.Command) map[string]bool {
	names := map[string]bool{"help": true}
	add := func(flag *pflag.Flag) { names[flag.Name] = true }
	command.Flags().VisitAll(add)
	command.PersistentFlags().VisitAll(add)
	command.InheritedFlags().VisitAll(add)
	return names
}

func eachCommand(command *cobra.Command, do func(*cobra.Command)) {
	do(command)
	for _, below := range command.Commands() {
		eachCommand(below, do)
	}
}

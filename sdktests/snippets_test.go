package sdktests

import (
	"context"
	"fmt"
	"go/format"
	"html"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// snippet is code that a page of the console shows.
type snippet struct {
	page, tool, text string
}

var (
	snippetTabs  = regexp.MustCompile(`aria-controls="snippet-(\d+)"[^>]*>([^<]*)</button>`)
	snippetTexts = regexp.MustCompile(`(?s)<code id="snippet-text-(\d+)">(.*?)</code>`)
)

// snippetsOf gives what a page shows.
func (p polymq) snippetsOf(t *testing.T, page string) (found []snippet) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/console/000000000000/us-east-1/"+page, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := httpClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	tools, texts := snippetTabs.FindAllSubmatch(text, -1), snippetTexts.FindAllSubmatch(text, -1)
	if err != nil || response.StatusCode != http.StatusOK || len(tools) == 0 || len(tools) != len(texts) {
		t.Fatalf("%s: %s, %v, %d tools, %d texts", page, response.Status, err, len(tools), len(texts))
	}
	for i := range tools {
		found = append(found, snippet{page, html.UnescapeString(string(tools[i][2])), html.UnescapeString(string(texts[i][2]))})
	}
	return found
}

// TestSnippets runs the code that the console's pages show, in each language.
func TestSnippets(t *testing.T) {
	t.Parallel()
	const ofSNS = "services.sns" // whose jar is of another version than the others
	for name, tt := range map[string]struct {
		language string
		program  program // whose installation has the SDKs; without a name: those of these tests have them
		run      func(t *testing.T, dir string, snippets []snippet) *exec.Cmd
		runs     func(s snippet) bool
		least    int
		prints   string
	}{
		"Python":            {"Python", programOf("python"), runPython, nil, 20, "ada"},
		"Node":              {"Node", programOf("node"), runNode, nil, 20, "ada"},
		"Go":                {"Go", program{}, runGo, nil, 20, "ada"},
		"AWS CLI":           {"AWS CLI", pythonProgram("awscli", "requirements-awscli.txt", nil), runCLI, nil, 17, "ada"},
		"Java":              {"Java", programOf("java-mns-2.0.0"), runJava, func(s snippet) bool { return !strings.Contains(s.text, ofSNS) }, 15, "ada"},
		"Java, SNS's calls": {"Java", snsProgram(), runJava, func(s snippet) bool { return strings.Contains(s.text, ofSNS) }, 5, ":alerts"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := ""
			if tt.program.name != "" {
				if !tt.program.available(t) {
					t.SkipNow() // not to count as passed
				}
				var err error
				if dir, err = tt.program.installed(); err != nil {
					t.Fatal(err)
				}
			}
			srv := start(t)
			var snippets []snippet
			for _, page := range snippetPages(t, srv) {
				for _, s := range srv.snippetsOf(t, page) {
					if strings.HasPrefix(s.tool, tt.language) && (tt.runs == nil || tt.runs(s)) && !strings.Contains(s.text, "DESTINATION") { // to be filled in
						snippets = append(snippets, s)
					}
				}
			}
			if len(snippets) < tt.least {
				t.Errorf("there are only %d", len(snippets))
			}
			output, err := tt.run(t, dir, snippets).CombinedOutput()
			if err != nil || !strings.Contains(string(output), tt.prints) {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}

func programOf(name string) program {
	return programs[slices.IndexFunc(programs, func(p program) bool { return p.name == name })]
}

// snippetPages makes what pages are about, and gives those in an order in which their code can be run.
func snippetPages(t *testing.T, srv polymq) []string {
	t.Helper()
	for _, made := range []struct {
		path string
		body map[string]any
	}{
		{"/queues", map[string]any{"name": "orders"}},
		{"/queues", map[string]any{"name": "orders.fifo", "fifo": true}},
		{"/queues", map[string]any{"name": "dead"}},
		{"/queues", map[string]any{"name": "jobs", "dead_letter": map[string]any{"queue": "dead", "max_receives": 3}}},
		{"/topics", map[string]any{"name": "alerts"}},
		{"/topics", map[string]any{"name": "alerts.fifo", "fifo": true}},
		{"/topics/alerts/subscriptions", map[string]any{"name": "by-queue", "queue": "orders"}},
		{"/users", map[string]any{"name": "ada"}},
		{"/policies", map[string]any{"name": "reads", "cloud": "aws", "text": readsAll}},
	} {
		srv.api(t, http.MethodPost, made.path, made.body, nil)
	}
	return []string{
		"", "queues", "queues/orders", "queues/orders.fifo", "queues/orders/settings", "queues/dead/moves", "topics", "topics/alerts", "topics/alerts.fifo",
		"topics/alerts/settings", "topics/alerts/subscriptions/by-queue", "outbox", "keys", "users", "users/ada", "policies", "policies/reads?cloud=aws",
	}
}

const readsAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:ReceiveMessage","Resource":"*"}]}`

// write puts a program into a file and gives its path.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// runCLI runs the lines for a shell in one process, for the AWS CLI takes long to start.
func runCLI(t *testing.T, dir string, snippets []snippet) *exec.Cmd {
	t.Helper()
	all := `import os, shlex
from awscli.clidriver import create_clidriver

def run(text):
    for line in text.replace("\\\n", " ").split("\n"):
        words = shlex.split(line)
        at = words.index("aws")
        os.environ.update(word.split("=", 1) for word in words[:at])
        assert create_clidriver().main(words[at + 1:]) == 0, line

`
	for _, s := range snippets {
		all += fmt.Sprintf("run(%q)\n", s.text)
	}
	return commandIn(t, dir, filepath.Join(dir, "venv/bin/python"), write(t, t.TempDir(), "snippets.py", all))
}

func runPython(t *testing.T, dir string, snippets []snippet) *exec.Cmd {
	t.Helper()
	var all strings.Builder
	for _, s := range snippets {
		fmt.Fprintf(&all, "print(%q, flush=True)\nexec(%q, {})\n", s.page+" · "+s.tool, s.text)
	}
	return commandIn(t, dir, filepath.Join(dir, "venv/bin/python"), write(t, t.TempDir(), "snippets.py", all.String()))
}

func runNode(t *testing.T, dir string, snippets []snippet) *exec.Cmd {
	t.Helper()
	folder, err := os.MkdirTemp(dir, "snippets-") // where the packages are found
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	var all strings.Builder
	for i, s := range snippets {
		name := fmt.Sprintf("snippet%d.mjs", i)
		write(t, folder, name, s.text)
		fmt.Fprintf(&all, "console.log(%q);\nawait import('./%s');\n", s.page+" · "+s.tool, name)
	}
	return commandIn(t, dir, "node", write(t, folder, "all.mjs", all.String()))
}

// runJava makes a method of each snippet, and one class of all, for to start Java takes time.
func runJava(t *testing.T, dir string, snippets []snippet) *exec.Cmd {
	t.Helper()
	imports := map[string]bool{}
	var methods, calls strings.Builder
	for i, s := range snippets {
		fmt.Fprintf(&methods, "static void snippet%d() throws Exception {\n", i)
		for line := range strings.Lines(s.text) {
			if strings.HasPrefix(line, "import ") {
				imports[line] = true
			} else {
				methods.WriteString(line)
			}
		}
		methods.WriteString("\n}\n")
		fmt.Fprintf(&calls, "System.out.println(%q);\nsnippet%d();\n", s.page+" - "+s.tool, i)
	}
	var text strings.Builder
	for line := range imports {
		text.WriteString(line)
	}
	fmt.Fprintf(&text, "class Snippets {\n%spublic static void main(String[] args) {\ntry {\n%sSystem.exit(0);\n} catch (Throwable e) {\ne.printStackTrace();\nSystem.exit(1);\n}\n}\n}\n", methods.String(), calls.String())
	return commandIn(t, dir, "java", "-XX:TieredStopAtLevel=1", "-cp", filepath.Join(dir, "target/mns-2.0.0/lib/*"), write(t, t.TempDir(), "Snippets.java", text.String()))
}

// runGo makes one program of all, as runJava does. Each is formatted as gofmt would.
func runGo(t *testing.T, _ string, snippets []snippet) *exec.Cmd {
	t.Helper()
	imports := map[string]bool{`"fmt"` + "\n": true}
	var functions, calls strings.Builder
	for i, s := range snippets {
		if formatted, err := format.Source([]byte(s.text + "\n")); err != nil || string(formatted) != s.text+"\n" {
			t.Errorf("%s of %s is not formatted, %v:\n%s", s.tool, s.page, err, s.text)
		}
		_, rest, _ := strings.Cut(s.text, "import (\n")
		head, body, found := strings.Cut(rest, "\n)\n")
		if !found {
			t.Fatalf("%s of %s is no program:\n%s", s.tool, s.page, s.text)
		}
		for line := range strings.Lines(head + "\n") {
			imports[strings.TrimSpace(line)+"\n"] = true
		}
		functions.WriteString(strings.Replace(body, "func main()", fmt.Sprintf("func snippet%d()", i), 1) + "\n")
		fmt.Fprintf(&calls, "fmt.Println(%q)\nsnippet%d()\n", s.page+" · "+s.tool, i)
	}
	text := "package main\n\nimport (\n"
	for line := range imports {
		text += line
	}
	text += ")\n" + functions.String() + "\nfunc main() {\n" + calls.String() + "}\n"
	return commandIn(t, sources(t), "go", "run", write(t, t.TempDir(), "snippets.go", text))
}

// commandIn gives a command that runs in a folder and ends with the test.
func commandIn(t *testing.T, dir, name string, arguments ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	t.Cleanup(cancel)
	command := exec.CommandContext(ctx, name, arguments...)
	command.Dir = dir
	command.Env = append(os.Environ(), "NO_PROXY=127.0.0.1")
	return command
}

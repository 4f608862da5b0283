package sdktests

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/polymq/polymq/pg/pgtest"
)

// installTimeout bounds an installation, runTimeout a program's run, installedAtOnce how many are installed ahead at a
// time, and logged how many bytes of a program's log are shown.
const (
	installTimeout  = 8 * time.Minute
	runTimeout      = 5 * time.Minute
	installedAtOnce = 3
	logged          = 16 << 10
)

// A program runs SDKs of another language, or a framework; see the comment at its head for what it understands.
type program struct {
	name    string
	folder  string     // of its sources
	shares  string     // an installation of this name with others, instead of one of its own
	tools   []string   // that must be on the machine
	probe   []string   // a command that must succeed there
	locks   string     // pattern of the files that say what is installed
	install [][]string // commands, run in the copy of the folder
	run     []string   // command that starts it there
	checks  []string   // groups of checks that it has
	env     []string   // of its run, beside what every program gets
	talkers []talker
}

var programs = []program{
	pythonProgram("python", "requirements.txt", []string{"sqs", "mns", "mns_topics", "cross", "other_services"},
		talker{sdk: "sqs"}, talker{sdk: "mns", mns: true, encodes: true}),
	pythonProgram("python-query", "requirements-query.txt", []string{"sqs"}, talker{sdk: "sqs"}),
	pythonProgram("python-smq", "requirements-smq.txt", []string{"smq", "smq_steps", "aliyun"}),
	nodeProgram("node", []string{"sqs", "mns", "mns_topics", "cross"},
		talker{sdk: "sqs"}, talker{sdk: "alicloud", mns: true}, talker{sdk: "ali", mns: true, encodes: true}),
	consoleProgram,
	javaProgram("2.0.0", "mns-2", []string{"sqs", "mns", "cross"}, talker{sdk: "sqs"}, talker{sdk: "mns", mns: true, encodes: true}),
	javaProgram("1.4.0", "mns-1", []string{"mns", "cross"}, talker{sdk: "mns", mns: true, encodes: true}),
	javaProgram("1.1.9.2", "mns-1", []string{"mns", "mns_pushes", "cross"}, talker{sdk: "mns", mns: true, encodes: true}),
}

// frameworks are what applications are built on instead of an SDK alone, the AWS CLI, and what Alibaba's clients of
// SMQ's control plane are built on.
var frameworks = []program{
	pythonProgram("celery", "requirements-celery.txt", []string{"celery"}),
	pythonProgram("awscli", "requirements-awscli.txt", []string{"awscli"}),
	awsCLI2,
	nodeProgram("sqs-consumer", []string{"consumer"}),
	springProgram("4.1.0", "4.0.7"),
	springProgram("3.4.2", "3.5.5"),
	goProgram("watermill"),
	goProgram("gocloud"),
	goProgram("smq"),
	nodeProgram("node-smq", []string{"smq"}),
	smqProgram(),
}

// awsCLI2 is the AWS CLI as Linux distributions package it, the second version, which there is no installation of
// beside the machine's. It runs in the system's Python, where the package is.
var awsCLI2 = program{
	name: "awscli-2", folder: "python", tools: []string{"/usr/bin/python3"}, locks: "awscli_checks.py",
	probe:  []string{"/usr/bin/python3", "-c", "import awscli; assert awscli.__version__.startswith('2.'), awscli.__version__"},
	run:    []string{"/usr/bin/python3", "-B", "program.py"},
	checks: []string{"awscli"},
}

func pythonProgram(name, requirements string, checks []string, talkers ...talker) program {
	return program{
		name: name, folder: "python", tools: []string{"python3"}, locks: requirements,
		install: [][]string{
			{"python3", "-m", "venv", "venv"},
			{"venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", requirements},
		},
		run:    []string{"venv/bin/python", "-B", "program.py"},
		checks: checks, talkers: talkers,
	}
}

func nodeProgram(name string, checks []string, talkers ...talker) program {
	return program{
		name: name, folder: "node", shares: "node", tools: []string{"node", "npm"}, locks: "package-lock.json",
		install: [][]string{{"npm", "ci", "--no-audit", "--no-fund"}},
		run:     []string{"node", "program.mjs"},
		checks:  checks, talkers: talkers,
	}
}

// consoleProgram walks through the console in a browser.
var consoleProgram = program{
	name: "console", folder: "console", tools: []string{"node", "npm", "chromium"}, locks: "package-lock.json",
	install: [][]string{{"npm", "ci", "--no-audit", "--no-fund"}},
	run:     []string{"node", "program.mjs"},
	checks:  []string{"console"},
}

func javaProgram(mns, sources string, checks []string, talkers ...talker) program {
	p := mavenProgram("mns-"+mns, "sdktests.Program", "-Dmns.version="+mns, "-Dmns.sources="+sources)
	p.checks, p.talkers = checks, talkers
	return p
}

// snsProgram has the SDK of AWS in the version of its message manager.
func snsProgram() program {
	p := javaProgram("2.0.0", "mns-2", []string{"sns"})
	p.name = "java-sns"
	p.install[0] = append(p.install[0], "-Daws.version=2.47.4")
	return p
}

func springProgram(cloud, boot string) program {
	p := mavenProgram("spring-"+cloud, "sdktests.SpringProgram", "--file=spring.xml", "-Dspring.cloud.aws="+cloud, "-Dspring.boot="+boot)
	p.checks = []string{"spring"}
	return p
}

func smqProgram() program {
	p := mavenProgram("smq", "sdktests.SmqProgram", "--file=smq.xml")
	p.checks = []string{"smq"}
	return p
}

// mavenProgram gives a program that Maven builds into the folder of that name below target.
func mavenProgram(name, class string, options ...string) program {
	target := "target/" + name
	return program{
		name: "java-" + name, folder: "java", tools: []string{"java", "mvn"}, locks: "*",
		install: [][]string{append([]string{"mvn", "--batch-mode", "--quiet", "process-classes"}, options...)},
		run:     []string{"java", "-XX:TieredStopAtLevel=1", "-cp", target + "/classes:" + target + "/lib/*", class},
	}
}

func goProgram(group string) program {
	return program{
		name: group, folder: "golang", shares: "golang", tools: []string{"go"}, locks: "*",
		install: [][]string{{"go", "build", "-o", "program"}},
		run:     []string{"./program"},
		checks:  []string{group},
	}
}

func TestPython(t *testing.T) { testPrograms(t, "python") }
func TestNode(t *testing.T)   { testPrograms(t, "node") }
func TestJava(t *testing.T)   { testPrograms(t, "java") }

// TestConsole shows the console to a browser. POLYMQ_SCREENSHOTS names a folder for pictures of every page.
func TestConsole(t *testing.T) { testPrograms(t, "console") }

// testPrograms runs all checks of a language's programs.
func testPrograms(t *testing.T, language string) {
	t.Parallel()
	for _, p := range programs {
		if p.folder != language {
			continue
		}
		if !p.available(t) {
			t.SkipNow() // not to count as passed
		}
		t.Run(p.name, func(t *testing.T) {
			p.check(t, start(t))
		})
	}
}

// TestFrameworks runs all checks of the frameworks, side by side on one server: each has an account of its own.
func TestFrameworks(t *testing.T) {
	t.Parallel()
	srv := start(t)
	for i, p := range frameworks {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			if !p.available(t) {
				t.SkipNow() // not to count as passed
			}
			p.check(t, srv.as(fmt.Sprintf("%012d", i+1)))
		})
	}
}

// available reports whether the language's tools are on the machine.
func (p program) available(t *testing.T) bool {
	t.Helper()
	for _, tool := range p.tools {
		if _, err := exec.LookPath(tool); err != nil {
			return p.missing(t, "no "+tool)
		}
	}
	if len(p.probe) > 0 {
		if err := runIn("", p.probe); err != nil {
			t.Log(err)
			return p.missing(t, "its package is not installed")
		}
	}
	return true
}

// missing says that the program cannot run on this machine.
func (p program) missing(t *testing.T, why string) bool {
	t.Helper()
	pgtest.NotRun(t, p.name, why)
	return false
}

// check runs the program's checks, each as a subtest.
func (p program) check(t *testing.T, srv polymq) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	cmd := p.command(ctx, t, srv, append([]string{"check"}, p.checks...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	lines, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start: %v", err)
	}
	passed, failed := subtests(t, lines)
	err = cmd.Wait()
	if passed == 0 || (err != nil) != (failed > 0) {
		t.Errorf("%d checks passed, %d failed, and the program ended with %v", passed, failed, err)
	}
	if t.Failed() {
		t.Logf("the end of the program's own log:\n%s", tail(stderr.Bytes()))
	}
}

// tail gives the end of a log.
func tail(log []byte) []byte { return log[max(0, len(log)-logged):] }

// subtests makes a subtest of each line "ok NAME" or "FAIL NAME: why".
func subtests(t *testing.T, lines io.Reader) (passed, failed int) {
	t.Helper()
	scanner := bufio.NewScanner(lines)
	for scanner.Scan() {
		line := scanner.Text()
		if name, ok := strings.CutPrefix(line, "ok "); ok {
			passed++
			t.Run(name, func(*testing.T) {})
		} else if rest, ok := strings.CutPrefix(line, "FAIL "); ok {
			failed++
			name, why, _ := strings.Cut(rest, ": ")
			t.Run(name, func(t *testing.T) { t.Error(why) })
		} else {
			t.Log(line)
		}
	}
	if err := scanner.Err(); err != nil {
		t.Errorf("read the program's output: %v", err)
	}
	return passed, failed
}

// command gives the program, installed and set up for the server, in the folder where it runs.
func (p program) command(ctx context.Context, t *testing.T, srv polymq, arguments ...string) *exec.Cmd {
	t.Helper()
	dir, err := p.installed()
	if err != nil {
		t.Fatalf("install what %s needs: %v", p.name, err)
	}
	arguments = append(slices.Clone(p.run[1:]), arguments...)
	tool := p.run[0]
	if strings.Contains(tool, "/") && !filepath.IsAbs(tool) {
		tool = filepath.Join(dir, tool)
	}
	cmd := exec.CommandContext(ctx, tool, arguments...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "POLYMQ_ENDPOINT="+srv.url, "POLYMQ_ACCESS_KEY="+srv.accessKey, "NO_PROXY=127.0.0.1", "POLYMQ_SDKTESTS="+sources(t))
	cmd.Env = append(cmd.Env, p.env...)
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// sources gives this folder, where programs find what they share.
func sources(t *testing.T) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// installAhead installs what all programs need, while tests that need none of it run already: the first time that takes
// minutes, mostly of waiting for packages. What goes wrong, the tests see that need it.
func installAhead() {
	var installations errgroup.Group
	installations.SetLimit(installedAtOnce)
	for _, p := range slices.Concat(programs, frameworks, fixtures) {
		lacks := func(tool string) bool { _, err := exec.LookPath(tool); return err != nil }
		if !slices.ContainsFunc(p.tools, lacks) {
			installations.Go(func() error {
				_, err := p.installed()
				return err
			})
		}
	}
	_ = installations.Wait()
}

// installed gives the folder in the user's cache that holds the program and what it needs. The
// folder is named for the lock files, and is made anew if an installation did not come to its end.
func (p program) installed() (string, error) {
	hash, err := p.lockHash()
	if err != nil {
		return "", fmt.Errorf("read the lock files: %w", err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "polymq-sdktests", cmp.Or(p.shares, p.name)+"-"+hash)
	unlock, err := lockFolder(dir)
	if err != nil {
		return "", fmt.Errorf("lock %s: %w", dir, err)
	}
	defer unlock()
	complete := filepath.Join(dir, ".complete")
	_, err = os.Stat(complete)
	fresh := err != nil
	if fresh {
		if err := os.RemoveAll(dir); err != nil {
			return "", err
		}
	}
	if err := copyFolder(dir, p.folder); err != nil || !fresh {
		return dir, err
	}
	for _, command := range p.install {
		if err := runIn(dir, command); err != nil {
			return "", err
		}
	}
	return dir, os.WriteFile(complete, nil, 0o600)
}

// lockFolder keeps others away from a folder, tests of this run and of others, until unlock is called.
func lockFolder(dir string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o750); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(dir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX)
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return func() { _ = lock.Close() }, nil
}

// lockHash gives a short name for the content of the lock files, here and below.
func (p program) lockHash() (string, error) {
	sum := sha256.New()
	err := walkSources(p.folder, func(path string) error {
		if match, err := filepath.Match(p.locks, filepath.Base(path)); err != nil || !match {
			return err
		}
		content, err := os.ReadFile(path)
		fmt.Fprintf(sum, "%s %d\n%s", path, len(content), content)
		return err
	})
	return hex.EncodeToString(sum.Sum(nil))[:16], err
}

// walkSources visits the files of a program's folder, but not what its tools have made there.
func walkSources(folder string, visit func(path string) error) error {
	made := []string{"target", "node_modules", "__pycache__"}
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if slices.Contains(made, entry.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		return visit(path)
	})
}

// copyFolder leaves a file alone that is as it should be: a program that is just being started may read it.
func copyFolder(to, from string) error {
	return walkSources(from, func(path string) error {
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		if there, err := os.ReadFile(target); err == nil && bytes.Equal(there, content) {
			return nil
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o750); err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o600)
	})
}

func runIn(dir string, command []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), installTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = dir
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, output)
	}
	return nil
}

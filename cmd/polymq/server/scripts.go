package server

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/protocols/localstack"
)

// scriptTimeout bounds one init script.
const scriptTimeout = 10 * time.Minute

// interpreters run scripts that are not executable by themselves, as when they were mounted from a
// file system that knows no such thing.
var interpreters = map[string]string{".sh": "bash", ".py": "python3"}

// runScripts runs the scripts of a stage one after the other, by name. One that fails is reported, and
// those behind it run all the same.
func (s *Server) runScripts(ctx context.Context, stage localstack.Stage) {
	if s.config.InitDir == "" {
		return
	}
	for _, path := range scriptsIn(filepath.Join(s.config.InitDir, strings.ToLower(string(stage))+".d")) {
		script := localstack.Script{Stage: stage, Name: filepath.Base(path), State: localstack.Running}
		s.scripts.Set(script)
		script.State = localstack.Successful
		if err := s.runScript(ctx, path); err != nil {
			s.log.Error().Err(err).Str("script", path).Msg("init script failed")
			script.State = localstack.Failed
		}
		s.scripts.Set(script)
	}
	s.scripts.Complete(stage)
}

// scriptsIn gives the scripts below a directory, sorted.
func scriptsIn(dir string) (paths []string) {
	_ = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && interpreters[filepath.Ext(path)] != "" {
			paths = append(paths, path)
		}
		return nil // a directory that is not there has no scripts
	})
	return paths
}

// runScript runs a script with this server as the AWS endpoint. What it prints goes to the log.
func (s *Server) runScript(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeout(ctx, scriptTimeout)
	defer cancel()
	command := exec.CommandContext(ctx, path)
	if info, err := os.Stat(path); err == nil && info.Mode()&0o111 == 0 {
		command = exec.CommandContext(ctx, interpreters[filepath.Ext(path)], path)
	}
	command.WaitDelay = outputGrace
	command.Env = s.scriptEnvironment(os.Environ())
	output := &scriptLog{log: s.log.With().Str("script", filepath.Base(path)).Logger()}
	defer output.flush()
	command.Stdout, command.Stderr = output, output
	if err := command.Run(); !errors.Is(err, exec.ErrWaitDelay) {
		return err
	}
	return nil // it has ended well, and left something behind that still holds its output
}

// outputGrace is how long the output of a script is waited for that has ended: programs that it started in the
// background may hold it for ever.
const outputGrace = time.Second

// maxScriptLine is where longer lines of scripts are broken.
const maxScriptLine = 8 << 10

// scriptLog writes each line of a script's output to the log.
type scriptLog struct {
	log  zerolog.Logger
	line []byte // that has no end yet
}

// Write is of io.Writer.
func (l *scriptLog) Write(output []byte) (int, error) {
	for _, c := range output {
		if c != '\n' {
			l.line = append(l.line, c)
		}
		if c == '\n' || len(l.line) == maxScriptLine {
			l.flush()
		}
	}
	return len(output), nil
}

func (l *scriptLog) flush() {
	if len(l.line) > 0 {
		l.log.Info().Bytes("line", l.line).Msg("init script")
		l.line = l.line[:0]
	}
}

// scriptEnvironment adds what the AWS CLI and SDKs need to reach this server, where it is not set.
func (s *Server) scriptEnvironment(environ []string) []string {
	defaults := map[string]string{
		"AWS_ENDPOINT_URL": s.plainURL(), "AWS_DEFAULT_REGION": s.config.Region, "AWS_REGION": s.config.Region,
		"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
	}
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		delete(defaults, name)
	}
	for name, value := range defaults {
		environ = append(environ, name+"="+value)
	}
	return environ
}

package server

import (
	"bufio"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

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
	command.WaitDelay = stopTimeout
	command.Env = s.scriptEnvironment(os.Environ())
	output, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	command.Stderr = command.Stdout
	if err := command.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		s.log.Info().Str("script", filepath.Base(path)).Str("line", lines.Text()).Msg("init script")
	}
	return command.Wait()
}

// scriptEnvironment adds what the AWS CLI and SDKs need to reach this server, where it is not set.
func (s *Server) scriptEnvironment(environ []string) []string {
	defaults := map[string]string{
		"AWS_ENDPOINT_URL": s.URL(), "AWS_DEFAULT_REGION": s.config.Region, "AWS_REGION": s.config.Region,
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

package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// A postmaster is one run of PostgreSQL's main process.
type postmaster struct {
	cmd    *exec.Cmd
	log    *logFile
	exited chan struct{}
	err    error // of the process, once exited is closed
}

// launch starts PostgreSQL and waits until it takes connections. After an error nothing is left running.
func (s *Server) launch(ctx context.Context) (*postmaster, error) {
	if err := s.cluster.clear(ctx); err != nil {
		return nil, err
	}
	p := &postmaster{cmd: s.cluster.postmaster(), log: s.log, exited: make(chan struct{})}
	if err := p.start(); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	slow := time.AfterFunc(3*time.Second, func() { s.options.Progress("PostgreSQL is still starting, as it does while it recovers from a crash") })
	defer slow.Stop()
	err := s.cluster.awaitReady(ctx, p.cmd.Process.Pid, p.exited)
	if err == nil {
		return p, nil
	}
	err = errors.Join(err, s.cluster.stop(ctx, syscall.SIGQUIT))
	<-p.exited
	reason, diskFull := p.reason()
	if diskFull {
		return nil, fmt.Errorf("%w: %w: %s", errDiskFull, err, reason)
	}
	return nil, fmt.Errorf("%w: %s", err, reason)
}

// errDiskFull says that PostgreSQL could not write.
var errDiskFull = errors.New("the disk of the data directory is full")

func (p *postmaster) start() error {
	reader, writer, err := os.Pipe()
	if err != nil {
		return err
	}
	p.cmd.Stderr = writer
	dieWithThread(p.cmd)
	err = p.cmd.Start()
	writer.Close()
	if err != nil {
		reader.Close()
		return err
	}
	go p.wait(reader)
	return nil
}

// wait follows the process and its messages to their end. Orphans of a killed postmaster keep its standard
// error open, so the messages get only a moment more.
func (p *postmaster) wait(messages *os.File) {
	copied := make(chan struct{})
	go func() {
		p.log.copy(messages)
		close(copied)
	}()
	p.err = p.cmd.Wait()
	_ = messages.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	<-copied
	messages.Close()
	close(p.exited)
}

// reason says how an exited postmaster ended, with its last messages, and whether they spoke of a full disk.
func (p *postmaster) reason() (reason string, diskFull bool) {
	reason = "exit status 0"
	if p.err != nil {
		reason = p.err.Error()
	}
	tail, diskFull := p.log.tail()
	if tail != "" {
		reason += ": " + tail
	}
	return reason, diskFull
}

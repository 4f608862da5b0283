package bench

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// A noop is a running server that answers each request at once, in a process of its own as a
// real server would be.
type noop struct {
	endpoint *url.URL
	process  *exec.Cmd
	stdin    io.Closer
}

// noopPatience bounds the no-op server's start and its end.
const noopPatience = 30 * time.Second

// startNoop starts this program again with args, which make it serve the no-op.
func startNoop(args []string) (*noop, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program, to start the no-op server: %w", err)
	}
	n := &noop{process: exec.Command(program, args...)}
	n.process.Stderr = os.Stderr
	stdout, err := n.process.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start the no-op server: %w", err)
	}
	if n.stdin, err = n.process.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start the no-op server: %w", err)
	}
	if err := n.process.Start(); err != nil {
		return nil, fmt.Errorf("start the no-op server: %w", err)
	}
	defer n.killLater().Stop() // which would end the read
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("learn where the no-op server listens: %w", err), n.stop())
	}
	n.endpoint = &url.URL{Scheme: "http", Host: strings.TrimSpace(line), Path: "/"}
	return n, nil
}

// stop ends the server, which serves as long as its standard input is open.
func (n *noop) stop() error {
	defer n.killLater().Stop()
	if err := errors.Join(n.stdin.Close(), n.process.Wait()); err != nil {
		return fmt.Errorf("stop the no-op server: %w", err)
	}
	return nil
}

func (n *noop) killLater() *time.Timer {
	return time.AfterFunc(noopPatience, func() { _ = n.process.Process.Kill() }) // it may be gone
}

// serveNoop answers every request with a typical answer to a send, until stdin ends. It prints
// the address that it listens on.
func serveNoop(stdin io.Reader, stdout io.Writer, o *options) error {
	signal.Ignore(os.Interrupt) // Ctrl-C reaches this process too, but stdin says when to end
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	answer := []byte(o.protocol.sent(o.Batch))
	engine.NoRoute(func(c *gin.Context) {
		for name, value := range o.protocol.headers {
			c.Writer.Header()[name] = []string{value}
		}
		c.Status(o.protocol.status)
		_, _ = c.Writer.Write(answer) // a client that is gone needs none
	})
	server := &http.Server{Handler: engine, ReadHeaderTimeout: noopPatience}
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		_ = server.Close()
	}()
	if _, err := fmt.Fprintln(stdout, listener.Addr()); err != nil {
		return fmt.Errorf("print the address: %w", err)
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

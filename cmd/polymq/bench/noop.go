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

// A noop is a running server that answers each request at once, in a process of its own like a
// real server.
type noop struct {
	endpoint *url.URL
	process  *exec.Cmd
	stdin    io.Closer
}

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
		return nil, err
	}
	if n.stdin, err = n.process.StdinPipe(); err != nil {
		return nil, err
	}
	if err := n.process.Start(); err != nil {
		return nil, fmt.Errorf("start the no-op server: %w", err)
	}
	timer := time.AfterFunc(10*time.Second, func() { _ = n.process.Process.Kill() }) // then the read below ends
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if timer.Stop(); err != nil {
		return nil, errors.Join(fmt.Errorf("the no-op server did not say where it listens: %w", err), n.stop())
	}
	n.endpoint = &url.URL{Scheme: "http", Host: strings.TrimSpace(line), Path: "/"}
	return n, nil
}

// stop ends the server, which serves as long as its standard input is open.
func (n *noop) stop() error {
	return errors.Join(n.stdin.Close(), n.process.Wait())
}

// serveNoop answers every request with a typical answer to a send of batch messages, until
// stdin ends. It prints the address that it listens on.
func serveNoop(stdin io.Reader, stdout io.Writer, o *options) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	signal.Ignore(os.Interrupt) // Ctrl-C goes to the whole foreground; stdin says when to end
	answer := noopAnswer(o.Batch)
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.NoRoute(func(c *gin.Context) {
		c.Header("X-Amzn-Requestid", "11111111-2222-4333-8444-555555555555")
		c.Data(http.StatusOK, "application/x-amz-json-1.0", answer)
	})
	server := &http.Server{Handler: engine, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		_, _ = io.Copy(io.Discard, stdin) // until whoever started this is gone
		_ = server.Close()
	}()
	if _, err := fmt.Fprintln(stdout, listener.Addr()); err != nil {
		return err
	}
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// noopAnswer is what SendMessage, or SendMessageBatch, answers.
func noopAnswer(batch int) []byte {
	const result = `"MessageId":"11111111-2222-4333-8444-555555555555","MD5OfMessageBody":"0123456789abcdef0123456789abcdef"}`
	if batch == 1 {
		return []byte("{" + result)
	}
	entries := make([]string, batch)
	for i := range entries {
		entries[i] = fmt.Sprintf(`{"Id":"%d",%s`, i, result)
	}
	return []byte(`{"Successful":[` + strings.Join(entries, ",") + `]}`)
}

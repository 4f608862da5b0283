package manage

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/polymq/polymq/cmd/polymq/client"
	"github.com/polymq/polymq/cmd/polymq/progress"
)

// Bounds of an export.
const (
	maxExportedIDs = 5_000_000 // remembered, so that a message that moves meanwhile is written once
	consumeHidden  = 5 * 60    // seconds for which a batch is hidden while it is written
	consumeBatch   = 100
)

func exportCommand(environ []string) *cobra.Command {
	consume, force := false, false
	c := &cobra.Command{
		Use:   "export QUEUE [FILE]",
		Short: "Write a queue's messages as JSON lines",
		Long: `Writes the messages of a queue, one JSON object on each line, to FILE or the standard output. A FILE whose
name ends in .gz is compressed. Nothing is received: messages in flight and delayed ones are written
too, and all stay where they are.

With --consume messages are received, and each batch is deleted when it is safely in the file: an export
that is interrupted loses none, it may leave one batch both in the file and in the queue.`,
		Example: `  polymq export orders orders.jsonl.gz
  polymq export orders | jq -r .body
  polymq export orders-dead dead.jsonl --consume`,
		Args: cobra.RangeArgs(1, 2),
	}
	s := bind(c, environ)
	c.ValidArgsFunction = s.queueNames(1)
	c.Flags().BoolVar(&consume, "consume", false, "receive and delete the messages that are written")
	c.Flags().BoolVar(&force, "force", false, "write over a file that exists")
	c.RunE = func(command *cobra.Command, args []string) error {
		var q queue
		if err := s.server().Do(command.Context(), get("queues", args[0]), &q); err != nil {
			return err
		}
		if !consume { // who may receive sees bodies
			if err := s.mayExport(command.Context(), args[0]); err != nil {
				return err
			}
		}
		out, err := createExport(command, args[1:], force)
		if err != nil {
			return err
		}
		e := &export{session: s, command: command, queue: args[0], out: out}
		stop := progress.New(command.ErrOrStderr()).During(counted("exported", &e.written, func() (part, whole int64) { return e.written.Load(), q.messages() }))
		do := e.look
		if consume {
			do = e.consume
		}
		err = errors.Join(do(command.Context()), out.close())
		stop()
		fmt.Fprintf(command.ErrOrStderr(), "%s of %s exported\n", messages(e.written.Load()), args[0])
		return err
	}
	return c
}

// errHidden refuses to write messages that the server has emptied: it would look like a backup.
var errHidden = &client.Error{
	Status: http.StatusForbidden,
	Detail: "this access key's user may not see bodies of messages, and an export without them is none: an administrator allows it with polymq user set NAME --bodies",
}

// mayExport looks at a message, before a file is begun.
func (s *Session) mayExport(ctx context.Context, queue string) error {
	var first struct {
		Messages []message `json:"messages"`
	}
	in := limited(get("queues", queue, "messages"), 1)
	in.Query.Set("hidden", "true")
	if err := s.server().Do(ctx, in, &first); err != nil {
		return err
	}
	if len(first.Messages) > 0 && first.Messages[0].Hidden {
		return errHidden
	}
	return nil
}

// export writes the messages of one queue.
type export struct {
	session *Session
	command *cobra.Command
	queue   string
	out     *exportFile
	written atomic.Int64
}

// look writes the messages without receiving them.
func (e *export) look(ctx context.Context) error {
	in := limited(get("queues", e.queue, "messages"), peekPage)
	in.Query.Set("hidden", "true")
	written := map[string]bool{}
	for raw, err := range e.session.server().List(ctx, in, "messages") {
		var m message
		if err != nil {
			return err
		}
		if err := json.Unmarshal(raw, &m); err != nil {
			return fmt.Errorf("read the server's messages: %w", err)
		}
		if m.Hidden {
			return errHidden
		}
		if written[m.ID] {
			continue
		}
		if len(written) < maxExportedIDs {
			written[m.ID] = true
		}
		if err := e.out.line(raw); err != nil {
			return err
		}
		e.written.Add(1)
	}
	return nil
}

// consume receives the messages, writes them, and deletes those that are safe.
func (e *export) consume(ctx context.Context) error {
	receive := map[string]any{"limit": consumeBatch, "wait_seconds": 0, "visibility_timeout_seconds": consumeHidden}
	for {
		var batch struct {
			Messages []json.RawMessage `json:"messages"`
		}
		if err := e.session.server().Do(ctx, post(receive, "queues", e.queue, "messages:receive"), &batch); err != nil || len(batch.Messages) == 0 {
			return err
		}
		var handles []string
		for _, raw := range batch.Messages {
			var m message
			if err := json.Unmarshal(raw, &m); err != nil {
				return fmt.Errorf("read the server's messages: %w", err)
			}
			handles = append(handles, m.ReceiptHandle)
			if err := e.out.line(raw); err != nil {
				return err
			}
		}
		if err := e.out.sync(); err != nil {
			return err
		}
		if err := e.session.deleteMessages(e.command, e.queue, handles); err != nil {
			return fmt.Errorf("delete messages that are exported already: %w", err)
		}
		e.written.Add(int64(len(handles)))
	}
}

// exportFile is what an export writes to.
type exportFile struct {
	file *os.File // nil: the standard output
	text *bufio.Writer
	zip  *gzip.Writer // nil: as it is
	to   io.Writer    // beneath the buffer and the compression
}

const exportBuffer = 256 << 10

// createExport opens the file of an export. One that exists is left alone.
func createExport(command *cobra.Command, args []string, force bool) (*exportFile, error) {
	if len(args) == 0 || args[0] == "-" {
		out := &exportFile{to: command.OutOrStdout()}
		out.text = bufio.NewWriterSize(out.to, exportBuffer)
		return out, nil
	}
	how := os.O_CREATE | os.O_EXCL | os.O_WRONLY
	if force {
		how = os.O_CREATE | os.O_TRUNC | os.O_WRONLY
	}
	file, err := os.OpenFile(args[0], how, 0o600) // what is in queues is not for everybody
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("%s exists, --force writes over it", args[0])
	}
	if err != nil {
		return nil, err
	}
	out := &exportFile{file: file, to: file}
	if strings.HasSuffix(args[0], ".gz") {
		out.zip = gzip.NewWriter(file)
		out.text = bufio.NewWriterSize(out.zip, exportBuffer)
	} else {
		out.text = bufio.NewWriterSize(file, exportBuffer)
	}
	return out, nil
}

func (f *exportFile) line(raw json.RawMessage) error {
	_, err := f.text.Write(append(raw, '\n'))
	return err
}

// sync returns when what is written outlives the machine. A compressed file ends here, and another begins
// behind it, which readers take for one.
func (f *exportFile) sync() error {
	if err := f.text.Flush(); err != nil {
		return err
	}
	if f.zip != nil {
		if err := f.zip.Close(); err != nil {
			return err
		}
		f.zip.Reset(f.to)
	}
	if f.file == nil {
		return nil
	}
	return f.file.Sync()
}

func (f *exportFile) close() error {
	err := f.sync()
	if f.file != nil {
		err = errors.Join(err, f.file.Close())
	}
	return err
}

// counted gives a line that says how many messages are dealt with, how fast, and which part of the whole that is
// where the whole is known.
func counted(what string, done *atomic.Int64, progress func() (part, whole int64)) func() string {
	began := time.Now()
	return func() string {
		n := done.Load()
		text := fmt.Sprintf("%d messages %s, %.0f/s", n, what, float64(n)/time.Since(began).Seconds())
		part, whole := progress()
		if whole <= 0 {
			return text
		}
		return bar(part, whole) + " " + text
	}
}

const barWidth = 30

// bar shows a part of a whole.
func bar(n, all int64) string {
	full := int(min(n, all) * barWidth / all)
	return "[" + strings.Repeat("=", full) + strings.Repeat(" ", barWidth-full) + fmt.Sprintf("] %3d%%", min(n, all)*100/all)
}

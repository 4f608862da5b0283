package manage

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/polymq/polymq/cmd/polymq/progress"
	"github.com/polymq/polymq/core"
)

// maxImportLine bounds a line of an import: the largest message, escaped.
const maxImportLine = 8 * core.MaxMessageBytes

func importCommand(environ []string) *cobra.Command {
	restart := false
	c := &cobra.Command{
		Use:   "import QUEUE [FILE]",
		Short: "Send the messages that were exported to a file",
		Long: `Sends the messages of FILE, or of the standard input, to a queue: body, attributes, group, deduplication id
and priority as they were, and what was still delayed is delayed for the rest of its time. They are new
messages, with ids and times of their own; the fields that a line has besides are for people.

An import from a FILE that is interrupted goes on where it was when it is run again: FILE.QUEUE.done holds
the number of lines that are sent. What was sent when the power failed may be sent once more, a batch of
up to 100 messages; nothing is left out. --restart begins anew.`,
		Example: `  polymq import orders orders.jsonl.gz
  polymq export orders --region eu-west-1 | polymq import orders --endpoint http://other:4566`,
		Args: cobra.RangeArgs(1, 2),
	}
	s := bind(c, environ)
	c.ValidArgsFunction = func(command *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 1 {
			return nil, cobra.ShellCompDirectiveDefault // a file
		}
		return s.queueNames(1)(command, args, begun)
	}
	c.Flags().BoolVar(&restart, "restart", false, "send all lines, whatever an earlier run has sent")
	c.RunE = func(command *cobra.Command, args []string) error {
		var q queue
		if err := s.server().Do(command.Context(), get("queues", args[0]), &q); err != nil {
			return err
		}
		i := &importing{session: s, queue: &q}
		lines, closeFile, err := i.open(command, args[1:], restart)
		if err != nil {
			return err
		}
		defer closeFile()
		stop := progress.New(command.ErrOrStderr()).During(counted("imported", &i.sent, func() (part, whole int64) { return i.read.Load(), i.size }))
		err = i.run(command.Context(), lines)
		stop()
		fmt.Fprintf(command.ErrOrStderr(), "%s imported into %s%s\n", messages(i.sent.Load()), args[0], i.besides())
		return err
	}
	return c
}

// importing is one import.
type importing struct {
	session    *Session
	queue      *queue
	sent       atomic.Int64
	duplicates int64
	skip       int64  // lines that an earlier run has sent
	done       int64  // lines that are sent
	doneFile   string // "": nobody can go on with this one
	batch      []any
	bytes      int

	file io.Reader
	read atomic.Int64 // bytes of it
	size int64        // of it; 0: nobody knows
}

// Read is of io.Reader: it reads the file, and counts.
func (i *importing) Read(to []byte) (int, error) {
	n, err := i.file.Read(to)
	i.read.Add(int64(n))
	return n, err
}

// besides says what else is worth knowing of an import.
func (i *importing) besides() string {
	var text string
	if i.skip > 0 {
		text += fmt.Sprintf(", %d lines had been sent before", i.skip)
	}
	if i.duplicates > 0 {
		text += fmt.Sprintf(", %d of them duplicates that were not stored", i.duplicates)
	}
	return text
}

// open opens what is imported.
func (i *importing) open(command *cobra.Command, args []string, restart bool) (*bufio.Scanner, func(), error) {
	input, closeFile := standardInput(command), func() {}
	if len(args) == 1 && args[0] != "-" {
		file, err := os.Open(args[0])
		if err != nil {
			return nil, nil, err
		}
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			i.size = info.Size()
		}
		i.file = file
		input, closeFile = i, func() { _ = file.Close() } // it was only read
		i.doneFile = args[0] + "." + i.queue.Name + ".done"
		if strings.HasSuffix(args[0], ".gz") {
			if input, err = gzip.NewReader(i); err != nil {
				closeFile()
				return nil, nil, fmt.Errorf("read %s: %w", args[0], err)
			}
		}
		if !restart {
			if err := i.readDone(); err != nil {
				closeFile()
				return nil, nil, err
			}
		}
	}
	lines := bufio.NewScanner(input)
	lines.Buffer(nil, maxImportLine)
	return lines, closeFile, nil
}

// run sends the lines.
func (i *importing) run(ctx context.Context, lines *bufio.Scanner) error {
	number := int64(0)
	for lines.Scan() {
		if number++; number <= i.skip {
			i.done = number
			continue
		}
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		fields, err := i.message(text)
		if err != nil {
			return errors.Join(i.flush(ctx, number-1), fmt.Errorf("line %d: %w", number, err))
		}
		if len(i.batch) == core.MaxBatch || i.bytes+len(text) > maxRequest && len(i.batch) > 0 {
			if err := i.flush(ctx, number-1); err != nil {
				return err
			}
		}
		i.batch, i.bytes = append(i.batch, fields), i.bytes+len(text)
	}
	if err := i.flush(ctx, number); err != nil {
		return err
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("the file ends in the middle, as of an export that was interrupted; all %d lines before are imported: %w", number, err)
		}
		return fmt.Errorf("read line %d: %w", number+1, err)
	}
	if i.doneFile != "" {
		if err := os.Remove(i.doneFile); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// message gives a line as the message to send.
func (i *importing) message(text []byte) (map[string]any, error) {
	var m message
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("no message in JSON: %w", err)
	}
	if m.Body == "" {
		return nil, errors.New("a message has a body")
	}
	fields := map[string]any{"body": m.Body}
	set := func(name string, value any, given bool) {
		if given {
			fields[name] = value
		}
	}
	set("body_encoding", m.BodyEncoding, m.BodyEncoding != "")
	set("attributes", m.Attributes, len(m.Attributes) > 0)
	set("system", m.System, len(m.System) > 0)
	set("priority", m.Priority, m.Priority > 0 && !i.queue.FIFO)
	set("group_id", m.GroupID, m.GroupID != "")
	set("deduplication_id", m.DeduplicationID, m.DeduplicationID != "" && i.queue.FIFO)
	if rest := time.Until(m.VisibleAt); m.ReceiveCount == 0 && rest > 0 && !i.queue.FIFO { // a FIFO queue's messages have no delay of their own
		fields["delay_seconds"] = int(min(rest, core.MaxDelay).Round(time.Second) / time.Second)
	}
	return fields, nil
}

// flush sends what is gathered, and notes that the lines up to the given one are sent.
func (i *importing) flush(ctx context.Context, line int64) error {
	if len(i.batch) > 0 {
		var answer struct {
			Messages []struct {
				Duplicate bool `json:"duplicate"`
			} `json:"messages"`
		}
		if err := i.session.server().Do(ctx, post(map[string]any{"messages": i.batch}, "queues", i.queue.Name, "messages"), &answer); err != nil {
			return fmt.Errorf("lines %d to %d are not imported, the ones before are: %w", i.done+1, line, err)
		}
		for _, m := range answer.Messages {
			if m.Duplicate {
				i.duplicates++
			}
		}
		i.sent.Add(int64(len(i.batch)))
	}
	i.batch, i.bytes, i.done = nil, 0, line
	return i.writeDone()
}

// where says which queue an import goes to; a file that is imported elsewhere begins anew there.
func (i *importing) where() string {
	return strings.Join([]string{i.session.server().Endpoint, i.queue.Account, i.queue.Region, i.queue.Name}, " ")
}

func (i *importing) readDone() error {
	content, err := os.ReadFile(i.doneFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	number, where, _ := strings.Cut(strings.TrimSpace(string(content)), " ")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return fmt.Errorf("%s is not what an import has written, remove it or use --restart", i.doneFile)
	}
	if where == i.where() {
		i.skip = n
	}
	return nil
}

// writeDone replaces the file that says how far the import is, whole or not at all.
func (i *importing) writeDone() error {
	if i.doneFile == "" {
		return nil
	}
	file, err := os.CreateTemp(filepath.Dir(i.doneFile), filepath.Base(i.doneFile))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "%d %s\n", i.done, i.where())
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), i.doneFile)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

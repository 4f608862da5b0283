package manage

import (
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spf13/cobra"
)

func TestCountedShowsTheWhole(t *testing.T) {
	t.Parallel()
	var done atomic.Int64
	done.Store(7)
	part, whole := int64(0), int64(0)
	line := counted("imported", &done, func() (int64, int64) { return part, whole })
	if got := line(); !strings.HasPrefix(got, "7 messages imported, ") {
		t.Errorf("of what has no size: got %q", got)
	}
	for _, tt := range []struct {
		part int64
		want string
	}{{0, "[" + strings.Repeat(" ", 30) + "]   0% 7 messages"}, {50, "[" + strings.Repeat("=", 15) + strings.Repeat(" ", 15) + "]  50% 7"}, {200, "[" + strings.Repeat("=", 30) + "] 100% 7"}} {
		part, whole = tt.part, 100
		if got := line(); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%d of 100: got %q, want %q", tt.part, got, tt.want)
		}
	}
}

// An import knows how far in its file it is, also where that is compressed.
func TestImportCountsItsFile(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"plain.jsonl", "small.jsonl.gz"} {
		path := filepath.Join(t.TempDir(), name)
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Repeat("{\"body\": \"a\"}\n", 1000)
		if strings.HasSuffix(name, ".gz") {
			zip := gzip.NewWriter(file)
			_, err = zip.Write([]byte(text))
			_ = zip.Close()
		} else {
			_, err = file.WriteString(text)
		}
		if err != nil || file.Close() != nil {
			t.Fatal(err)
		}
		i := &importing{session: &Session{}, queue: &queue{}}
		lines, closeFile, err := i.open(&cobra.Command{}, []string{path}, true)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for lines.Scan() {
			n++
		}
		closeFile()
		if info, err := os.Stat(path); err != nil || n != 1000 || i.size != info.Size() || i.read.Load() != i.size {
			t.Errorf("%s: read %d lines and %d of %d bytes, %v", name, n, i.read.Load(), i.size, err)
		}
	}
}

package embedded

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "postgres.log")
	log, err := openLog(path)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Repeat("x", 1023) + "\n"
	log.copy(strings.NewReader(strings.Repeat(line, 3*logLimit/len(line)) + "the last one"))
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + ".1"} {
		if info, err := os.Stat(name); err != nil || info.Size() > logLimit+int64(len(line)) || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got %v, %v, want at most %d bytes", name, info, err, logLimit)
		}
	}
	if found, _ := filepath.Glob(path + "*"); len(found) != 2 {
		t.Errorf("got files %v, want two", found)
	}
	if text, err := os.ReadFile(path); err != nil || !strings.HasSuffix(string(text), "the last one") {
		t.Errorf("the newest file (error %v) does not end with the last line", err)
	}
}

func TestLogTail(t *testing.T) {
	t.Parallel()
	log, err := openLog(filepath.Join(t.TempDir(), "postgres.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	log.copy(strings.NewReader("1\n2\n3\n4\n5\n6\n"))
	if got, diskFull := log.tail(); got != "2; 3; 4; 5; 6" || diskFull {
		t.Errorf("got %q and %v, want the last five lines", got, diskFull)
	}
	if got, diskFull := log.tail(); got != "" || diskFull {
		t.Errorf("got %q and %v again", got, diskFull)
	}
	log.copy(strings.NewReader("PANIC:  could not write to file \"pg_wal/xlogtemp.1\": No space left on device\n2\n3\n4\n5\n6\n"))
	if got, diskFull := log.tail(); got != "2; 3; 4; 5; 6" || !diskFull {
		t.Errorf("got %q and %v, want that the disk was full", got, diskFull)
	}
	if _, diskFull := log.tail(); diskFull {
		t.Error("the disk is still full")
	}
}

package embedded

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestFetch(t *testing.T) {
	t.Parallel()
	programs := start(t, Options{DataDir: usedDir(t)}).cluster.bin
	repository := serveRepository(t, jar(t, programs))
	dir := dataDir(t)
	var said []string
	options := Options{
		CacheDir: filepath.Join(dir, "cache"), RepositoryURL: repository.URL + "/",
		Progress: func(line string) {
			if !strings.HasPrefix(line, "still ") { // of a slow machine
				said = append(said, line)
			}
		},
	}
	fetched, err := options.locate(t.Context(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(said) != 2 || !strings.Contains(said[0], "fetching PostgreSQL 18") || !strings.Contains(said[0], options.CacheDir) {
		t.Errorf("got progress %q, want a line before and one after", said)
	}
	if left, _ := filepath.Glob(filepath.Join(options.CacheDir, "fetch-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}

	s := start(t, Options{DataDir: usedDir(t), BinDir: fetched.dir})
	execute(t, s.URL(), "SELECT 1")

	repository.Close()
	again, err := options.locate(t.Context(), "", nil)
	if err != nil || again != fetched || len(said) != 2 {
		t.Errorf("got %v, %v, progress %q the second time, want %v from the cache", again, err, said, fetched)
	}
}

func TestFetchForExistingData(t *testing.T) {
	t.Parallel()
	s := start(t, Options{DataDir: usedDir(t)})
	major, err := dataVersion(s.cluster.data)
	if err != nil {
		t.Fatal(err)
	}
	repository := serveRepository(t, jar(t, s.cluster.bin))
	options := Options{CacheDir: t.TempDir(), RepositoryURL: repository.URL, Progress: func(string) {}}
	fetched, err := options.locate(t.Context(), s.cluster.data, nil)
	if err != nil || fetched.major != major || !strings.Contains(fetched.dir, fmt.Sprintf("postgresql-%d.", major)) {
		t.Errorf("got %v, %v, want version %d", fetched, err, major)
	}
}

func TestFetchOnceForAll(t *testing.T) {
	t.Parallel()
	repository := serveRepository(t, jar(t, fakePrograms(t, t.TempDir(), "18.3")))
	cache := t.TempDir()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			options := Options{CacheDir: cache, RepositoryURL: repository.URL, Progress: func(string) {}}
			if _, err := options.locate(t.Context(), "", nil); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := repository.jars.Load(); n != 1 {
		t.Errorf("fetched %d times, want once", n)
	}
}

func TestFetchFails(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		repository func(*repository)
		want       string
	}{
		"no such version":  {func(r *repository) { r.jar = nil }, "18."},
		"wrong checksum":   {func(r *repository) { r.checksum = strings.Repeat("0", 64) }, "checksums do not match"},
		"not an archive":   {func(r *repository) { r.setJar([]byte("<html>sign in</html>")) }, "zip"},
		"truncated inside": {func(r *repository) { r.setJar(brokenJar(t)) }, "extract"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			repository := serveRepository(t, jar(t, fakePrograms(t, t.TempDir(), "18.3")))
			tt.repository(repository)
			options := Options{CacheDir: t.TempDir(), Progress: func(string) {}}
			options.RepositoryURL = strings.Replace(repository.URL, "://", "://reader:secret@", 1)
			_, err := options.locate(t.Context(), "", nil)
			expectWords(t, err, "fetch PostgreSQL 18", tt.want)
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the error tells the password: %v", err)
			}
			if left, _ := filepath.Glob(filepath.Join(options.CacheDir, "postgresql-*")); len(left) > 0 {
				t.Errorf("cached %v", left)
			}
		})
	}
}

func TestFetchWithoutNetworkTakesAnEarlierRelease(t *testing.T) {
	t.Parallel()
	options := Options{CacheDir: t.TempDir(), RepositoryURL: "http://127.0.0.1:1", Progress: func(string) {}}
	earlier := fakePrograms(t, filepath.Join(options.CacheDir, "postgresql-17.0.0", "bin"), "17.0")
	got, err := options.locate(t.Context(), "", nil)
	if err != nil || got.dir != earlier {
		t.Errorf("got %v, %v, want %s", got, err, earlier)
	}
}

func TestFetchBrokenOff(t *testing.T) {
	t.Parallel()
	repository := serveRepository(t, jar(t, fakePrograms(t, t.TempDir(), "18.3")))
	repository.stuck = make(chan struct{})
	defer close(repository.stuck)
	ctx, cancel := context.WithCancel(t.Context())
	options := Options{CacheDir: t.TempDir(), RepositoryURL: repository.URL, Progress: func(string) { cancel() }}
	if _, err := options.locate(ctx, "", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want context canceled", err)
	}
}

// A repository serves one jar under all names, the way the library asks for it.
type repository struct {
	*httptest.Server
	jar      []byte
	checksum string
	jars     atomic.Int32  // how often it was served
	stuck    chan struct{} // when set, answers wait for it
}

func serveRepository(t *testing.T, jar []byte) *repository {
	t.Helper()
	r := &repository{}
	r.setJar(jar)
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Server.Close)
	return r
}

func (r *repository) setJar(jar []byte) {
	r.jar, r.checksum = jar, fmt.Sprintf("%x", sha256.Sum256(jar))
}

func (r *repository) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if r.stuck != nil {
		<-r.stuck
	}
	switch {
	case r.jar == nil:
		http.NotFound(w, req)
	case strings.HasSuffix(req.URL.Path, ".jar.sha256"):
		w.Write([]byte(r.checksum))
	case strings.HasSuffix(req.URL.Path, ".jar"):
		r.jars.Add(1)
		w.Write(r.jar)
	default:
		http.NotFound(w, req)
	}
}

// jar packs programs that call those in a folder: a zip file that holds a tar file compressed by xz.
func jar(t *testing.T, programs string) []byte {
	t.Helper()
	var packed bytes.Buffer
	files := tar.NewWriter(&packed)
	for _, name := range []string{"initdb", "pg_ctl", "postgres"} {
		script := fmt.Sprintf("#!/bin/sh\nexec %s \"$@\"\n", filepath.Join(programs, name))
		header := &tar.Header{Typeflag: tar.TypeReg, Name: "bin/" + name, Mode: 0o700, Size: int64(len(script))} // a strict umask, say
		if err := files.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := files.Write([]byte(script)); err != nil {
			t.Fatal(err)
		}
	}
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	return zipped(t, xz(packed.Bytes()))
}

func brokenJar(t *testing.T) []byte {
	return zipped(t, xz(bytes.Repeat([]byte("no tar "), 1000)))
}

func zipped(t *testing.T, content []byte) []byte {
	t.Helper()
	var archive bytes.Buffer
	writer := zip.NewWriter(&archive)
	file, err := writer.Create("postgres-linux-x86_64.txz")
	if err == nil {
		_, err = file.Write(content)
	}
	if err = errors.Join(err, writer.Close()); err != nil {
		t.Fatal(err)
	}
	return archive.Bytes()
}

// xz wraps data in the xz format without compressing it, for the standard library cannot write it: a stream
// of one block of uncompressed LZMA2 chunks.
func xz(data []byte) []byte {
	checksum := func(b []byte) []byte { return binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(b)) }
	padded := func(b []byte) []byte { return append(b, make([]byte, -len(b)&3)...) }
	flags := []byte{0, 1} // checked by CRC-32

	header := []byte{2, 0, 0x21, 1, 16, 0, 0, 0} // 12 bytes long, one filter: LZMA2, dictionary of 1 MiB
	block := append(header, checksum(header)...)
	control := byte(1) // resets the dictionary
	for rest := data; len(rest) > 0; control = 2 {
		chunk := rest[:min(len(rest), 1<<16)]
		rest = rest[len(chunk):]
		block = append(block, control, byte((len(chunk)-1)>>8), byte(len(chunk)-1))
		block = append(block, chunk...)
	}
	block = append(block, 0)
	size := uint64(len(block) + 4) // with the check, without the padding
	block = append(padded(block), checksum(data)...)

	index := []byte{0, 1}
	index = binary.AppendUvarint(index, size)
	index = binary.AppendUvarint(index, uint64(len(data)))
	index = padded(index)
	index = append(index, checksum(index)...)

	footer := append(binary.LittleEndian.AppendUint32(nil, uint32(len(index)/4-1)), flags...)
	return bytes.Join([][]byte{
		{0xFD, '7', 'z', 'X', 'Z', 0}, flags, checksum(flags), block, index, checksum(footer), footer, {'Y', 'Z'},
	}, nil)
}

func TestMakeReadable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"program": 0o700, "data": 0o600} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("missing", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if err := makeReadable(dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{"program": 0o755, "data": 0o644, ".": 0o755} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got %v, %v, want %v", name, info.Mode().Perm(), err, want)
		}
	}
}

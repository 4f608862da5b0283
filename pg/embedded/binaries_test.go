package embedded

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseVersion(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		output string
		want   int // 0 for an error
	}{
		"Debian":    {"postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", 15},
		"plain":     {"postgres (PostgreSQL) 17.2\n", 17},
		"beta":      {"postgres (PostgreSQL) 18beta1\n", 18},
		"major":     {"postgres (PostgreSQL) 18", 18},
		"no number": {"postgres (PostgreSQL) devel\n", 0},
		"nothing":   {"", 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseVersion(tt.output)
			if got != tt.want || (err != nil) != (tt.want == 0) {
				t.Errorf("got %d, %v, want %d", got, err, tt.want)
			}
		})
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var folders []string
	for _, version := range []string{"14.9", "19beta1", "16.3", "18.1", "17.0"} {
		folders = append(folders, fakePrograms(t, filepath.Join(dir, version), version))
	}
	clientsOnly := fakePrograms(t, filepath.Join(dir, "client"), "18.2")
	if err := os.Remove(filepath.Join(clientsOnly, "initdb")); err != nil {
		t.Fatal(err)
	}
	folders = append(folders, clientsOnly, filepath.Join(dir, "missing"))

	tests := map[string]struct {
		major int
		want  string
	}{
		"newest supported":         {0, "18.1"},
		"that of the data":         {16, "16.3"},
		"the data's, not ours":     {14, "14.9"},
		"one that is not there":    {15, ""},
		"too new unless asked for": {19, "19beta1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, all := find(t.Context(), folders, tt.major)
			if len(all) != 5 {
				t.Errorf("found %v, want the five complete ones", all)
			}
			want := ""
			if tt.want != "" {
				want = filepath.Join(dir, tt.want)
			}
			if got.dir != want {
				t.Errorf("got %q, want %q", got.dir, want)
			}
		})
	}
}

// The folders of this machine, where the tests have found a server to run.
func TestFolders(t *testing.T) {
	t.Parallel()
	s := start(t, Options{DataDir: usedDir(t)})
	if strings.HasPrefix(s.cluster.bin, s.options.CacheDir) {
		return // fetched: there is none on this machine
	}
	found, _ := find(t.Context(), folders(t.Context()), 0)
	if found.dir != s.cluster.bin || found.major < oldest || found.major > newest {
		t.Errorf("got %v, want %s", found, s.cluster.bin)
	}
	if target := resolved(found.dir); target != found.dir {
		t.Errorf("%s leads on to %s", found.dir, target)
	}
}

func TestDataDirectoryOfAnotherVersion(t *testing.T) {
	t.Parallel()
	repository := serveRepository(t, nil)
	have := fakePrograms(t, filepath.Join(t.TempDir(), "17"), "17.4")
	for _, version := range []string{"13", "16"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			pgdata := t.TempDir()
			if err := os.WriteFile(filepath.Join(pgdata, "PG_VERSION"), []byte(version+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			options := Options{CacheDir: t.TempDir(), RepositoryURL: repository.URL, Progress: func(string) {}}
			wants := []string{pgdata, "made by PostgreSQL " + version, "postgresql-" + version, "pg_upgrade", "another data directory", "17 in " + have}

			_, err := options.locate(t.Context(), pgdata, []string{have})
			expectWords(t, err, wants...)
			options.BinDir = have
			_, err = options.locate(t.Context(), pgdata, nil)
			expectWords(t, err, wants...)
		})
	}
}

func TestWantedVersion(t *testing.T) {
	t.Parallel()
	repository := serveRepository(t, nil)
	options := Options{CacheDir: t.TempDir(), RepositoryURL: repository.URL, Progress: func(string) {}, Major: 16}
	have16, have17 := fakePrograms(t, filepath.Join(t.TempDir(), "16"), "16.3"), fakePrograms(t, filepath.Join(t.TempDir(), "17"), "17.4")

	got, err := options.locate(t.Context(), "", []string{have17, have16})
	if err != nil || got.dir != have16 {
		t.Errorf("got %v, %v, want the programs in %s", got, err, have16)
	}
	_, err = options.locate(t.Context(), "", []string{have17})
	expectWords(t, err, "no PostgreSQL 16 on this machine", "17 in "+have17, "none could be fetched")

	made := t.TempDir()
	if err := os.WriteFile(filepath.Join(made, "PG_VERSION"), []byte("17\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err = options.locate(t.Context(), made, []string{have17, have16}); err != nil || got.dir != have17 {
		t.Errorf("got %v, %v for data of version 17, want the programs in %s", got, err, have17)
	}
}

func TestUnsuitablePrograms(t *testing.T) {
	t.Parallel()
	old := fakePrograms(t, filepath.Join(t.TempDir(), "14"), "14.1")
	repository := serveRepository(t, nil)
	options := Options{CacheDir: t.TempDir(), RepositoryURL: repository.URL, Progress: func(string) {}}

	_, err := options.locate(t.Context(), "", []string{old})
	expectWords(t, err, "no PostgreSQL 15 to 18", "14 in "+old, "install")
	options.BinDir = old
	_, err = options.locate(t.Context(), "", nil)
	expectWords(t, err, old, "PostgreSQL 14", "15 to 18")
	options.BinDir = t.TempDir()
	_, err = options.locate(t.Context(), "", nil)
	expectWords(t, err, options.BinDir, "no such file")
}

// fakePrograms makes a folder whose postgres knows nothing but its version.
func fakePrograms(t *testing.T, dir, version string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"postgres", "initdb"} {
		script := fmt.Sprintf("#!/bin/sh\necho '%s (PostgreSQL) %s'\n", program, version)
		if err := os.WriteFile(filepath.Join(dir, program), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func expectWords(t *testing.T, err error, words ...string) {
	t.Helper()
	for _, word := range words {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("got error %v, want one with %q", err, word)
		}
	}
}

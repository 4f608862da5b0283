package embedded

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The major versions that polymq runs on.
const oldest, newest = 15, 18

// usualFolders are where distributions and installers put the server's programs.
var usualFolders = []string{
	"/usr/lib/postgresql/*/bin",                                // Debian, Ubuntu, the official container image
	"/usr/lib/postgresql*/bin",                                 // SUSE
	"/usr/pgsql-*/bin",                                         // the PostgreSQL project's packages for RHEL, Fedora
	"/usr/libexec/postgresql*",                                 // Alpine
	"/usr/lib64/postgresql-*/bin",                              // Gentoo
	"/usr/local/pgsql/bin",                                     // built from source
	"/opt/homebrew/opt/postgresql@*/bin",                       // Homebrew on Apple silicon,
	"/usr/local/opt/postgresql@*/bin",                          // on Intel
	"/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",          // and on Linux
	"/Applications/Postgres.app/Contents/Versions/*/bin",       // Postgres.app
	"/Library/PostgreSQL/*/bin",                                // EDB's installer on macOS
	"/opt/PostgreSQL/*/bin",                                    // and on Linux
	"/opt/local/lib/postgresql*/bin",                           // MacPorts
	"/opt/bitnami/postgresql/bin",                              // Bitnami
	"/usr/local/bin", "/usr/bin", "/run/current-system/sw/bin", // BSDs, Fedora and Arch, NixOS
}

// binaries is a folder with the server's programs.
type binaries struct {
	dir   string
	major int
}

// find gives the newest supported server on this machine or, when major is not 0, one of that version. It
// gives none, and no error, when there is none.
func find(ctx context.Context, folders []string, major int) (binaries, []binaries) {
	var all []binaries
	for _, dir := range folders {
		if slices.ContainsFunc(all, func(b binaries) bool { return b.dir == dir }) {
			continue
		}
		if version, err := versionOf(ctx, dir); err == nil {
			all = append(all, binaries{dir, version})
		}
	}
	slices.SortStableFunc(all, func(a, b binaries) int { return cmp.Compare(b.major, a.major) })
	for _, b := range all {
		if b.major == major || major == 0 && b.major >= oldest && b.major <= newest {
			return b, all
		}
	}
	return binaries{}, all
}

// folders lists where server programs may be: first what PATH leads to, then the usual folders.
func folders(ctx context.Context) []string {
	var dirs []string
	for _, program := range []string{"postgres", "initdb"} {
		if path, err := exec.LookPath(program); err == nil {
			dirs = append(dirs, resolved(filepath.Dir(resolved(path))))
		}
	}
	if output, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, resolved(strings.TrimSpace(string(output))))
	}
	for _, pattern := range usualFolders {
		matches, _ := filepath.Glob(pattern) // fails for bad patterns only
		for _, dir := range matches {
			dirs = append(dirs, resolved(dir))
		}
	}
	return dirs
}

func resolved(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	return path
}

// versionOf gives the major version of the server in a folder, which must hold initdb too: some
// distributions package it apart.
func versionOf(ctx context.Context, dir string) (int, error) {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return 0, err
	}
	output, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return 0, err
	}
	return parseVersion(string(output))
}

// parseVersion reads "postgres (PostgreSQL) 17.2 (Debian …)", or "… 18beta1".
func parseVersion(output string) (int, error) {
	_, version, _ := strings.Cut(output, ") ")
	digits := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' })
	if digits < 0 {
		digits = len(version)
	}
	major, err := strconv.Atoi(version[:digits])
	if err != nil {
		return 0, fmt.Errorf("%q states no version of PostgreSQL", strings.TrimSpace(output))
	}
	return major, nil
}

// locate gives the programs to run a data directory with: those in BinDir, else found ones, else fetched ones.
func (o Options) locate(ctx context.Context, pgdata string, folders []string) (binaries, error) {
	made, err := dataVersion(pgdata)
	if err != nil {
		return binaries{}, err
	}
	major := cmp.Or(made, o.Major)
	if o.BinDir != "" {
		return given(ctx, o.BinDir, pgdata, major)
	}
	found, others := find(ctx, folders, major)
	if found.dir != "" {
		return found, nil
	}
	fetched, err := o.fetch(ctx, pgdata, major)
	if err == nil {
		return fetched, nil
	}
	if made != 0 {
		return binaries{}, wrongVersion(pgdata, made, others, err)
	}
	wanted := fmt.Sprintf("%d to %d", oldest, newest)
	if major != 0 {
		wanted = strconv.Itoa(major)
	}
	return binaries{}, fmt.Errorf("no PostgreSQL %s on this machine%s, and none could be fetched: install one (such as the package postgresql), name its folder, or give a database URL: %w",
		wanted, listed(others), err)
}

// given checks the folder that the user named.
func given(ctx context.Context, dir, pgdata string, major int) (binaries, error) {
	version, err := versionOf(ctx, dir)
	switch {
	case err != nil:
		return binaries{}, fmt.Errorf("folder of PostgreSQL's programs: %w", err)
	case major != 0 && version != major:
		return binaries{}, wrongVersion(pgdata, major, []binaries{{dir, version}}, nil)
	case version < oldest || version > newest:
		return binaries{}, fmt.Errorf("%s holds PostgreSQL %d: polymq needs %d to %d", dir, version, oldest, newest)
	}
	return binaries{resolved(dir), version}, nil
}

// dataVersion gives the major version that a data directory is for, or 0 when there is none yet.
func dataVersion(pgdata string) (int, error) {
	text, err := os.ReadFile(filepath.Join(pgdata, "PG_VERSION"))
	if os.IsNotExist(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the version of a data directory: %w", err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("%s is not a data directory of PostgreSQL %d to %d: its version is %q", pgdata, oldest, newest, strings.TrimSpace(string(text)))
	}
	return major, nil
}

// wrongVersion says what to do about a data directory that no program here can run.
func wrongVersion(pgdata string, major int, others []binaries, cause error) error {
	advice := fmt.Sprintf("install PostgreSQL %d (such as the package postgresql-%[1]d), bring the data to another version with pg_upgrade, or choose another data directory", major)
	if cause != nil {
		return fmt.Errorf("data directory %s was made by PostgreSQL %d, which is not on this machine%s: %s: %w", pgdata, major, listed(others), advice, cause)
	}
	return fmt.Errorf("data directory %s was made by PostgreSQL %d, which is not on this machine%s: %s", pgdata, major, listed(others), advice)
}

func listed(found []binaries) string {
	if len(found) == 0 {
		return ""
	}
	names := make([]string, len(found))
	for i, b := range found {
		names[i] = fmt.Sprintf("%d in %s", b.major, b.dir)
	}
	return " (there is " + strings.Join(names, ", ") + ")"
}

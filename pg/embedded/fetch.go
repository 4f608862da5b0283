package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

// fetchable are the versions that the library knows.
var fetchable = map[int]embeddedpostgres.PostgresVersion{
	15: embeddedpostgres.V15,
	16: embeddedpostgres.V16,
	17: embeddedpostgres.V17,
	18: embeddedpostgres.V18,
}

// fetch gives the server's programs from the cache, after downloading them once. The library offers no
// download by itself, only a whole start; see download.
func (o Options) fetch(ctx context.Context, pgdata string, major int) (binaries, error) {
	wanted := major
	if major == 0 {
		wanted = newest
	}
	version, known := fetchable[wanted]
	if !known {
		return binaries{}, fmt.Errorf("PostgreSQL %d cannot be fetched", wanted)
	}
	if err := makePath(o.CacheDir); err != nil {
		return binaries{}, fmt.Errorf("make a folder for fetched programs: %w", err)
	}
	alone, err := lockWait(ctx, filepath.Join(o.CacheDir, "lock"))
	if err != nil {
		return binaries{}, fmt.Errorf("lock the folder of fetched programs: %w", err)
	}
	defer alone.Close()

	final := filepath.Join(o.CacheDir, "postgresql-"+string(version))
	if _, err := os.Stat(final); err == nil {
		return given(ctx, filepath.Join(final, "bin"), pgdata, major)
	}
	if err := o.download(ctx, version, final); err != nil {
		earlier, _ := filepath.Glob(filepath.Join(o.CacheDir, "postgresql-*", "bin")) // another release will do without a network
		if found, _ := find(ctx, earlier, major); found.dir != "" {
			return found, nil
		}
		return binaries{}, fmt.Errorf("fetch PostgreSQL %s: %w", version, err)
	}
	return given(ctx, filepath.Join(final, "bin"), pgdata, major)
}

// download has the library download and unpack one version, and moves the result to final. The library then
// goes on to start a server; the data directory it is given holds nothing but a version, so that this fails
// at once. It makes its runtime folder between the two, which tells that unpacking succeeded.
func (o Options) download(ctx context.Context, version embeddedpostgres.PostgresVersion, final string) error {
	abandoned, _ := filepath.Glob(filepath.Join(o.CacheDir, "fetch-*"))
	for _, dir := range abandoned {
		os.RemoveAll(dir)
	}
	work, err := os.MkdirTemp(o.CacheDir, "fetch-")
	if err != nil {
		return err
	}
	unpacked, runtime, data := filepath.Join(work, "unpacked"), filepath.Join(work, "runtime"), filepath.Join(work, "data")
	major, _, _ := strings.Cut(string(version), ".")
	if err := errors.Join(os.Mkdir(data, 0o700), os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte(major), 0o600)); err != nil {
		return err
	}
	config := embeddedpostgres.DefaultConfig().Version(version).Port(0).Logger(nil).
		CachePath(work).BinariesPath(unpacked).RuntimePath(runtime).DataPath(data)
	if o.RepositoryURL != "" {
		config = config.BinaryRepositoryURL(strings.TrimSuffix(o.RepositoryURL, "/"))
	}
	ended := make(chan error, 1)
	go func() { // not waited for when ctx ends, since the library's download cannot be broken off
		defer os.RemoveAll(work)
		err := embeddedpostgres.NewDatabase(config).Start()
		if _, statErr := os.Stat(runtime); statErr == nil {
			err = errors.Join(makeReadable(unpacked), os.Rename(unpacked, final))
		}
		ended <- err
	}()
	return o.awaitDownload(ctx, version, ended)
}

func (o Options) awaitDownload(ctx context.Context, version embeddedpostgres.PostgresVersion, ended <-chan error) error {
	o.Progress(fmt.Sprintf("fetching PostgreSQL %s, about 15 MB, once, into %s", version, o.CacheDir))
	began := time.Now()
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			if err == nil {
				o.Progress(fmt.Sprintf("fetched PostgreSQL %s in %.1f s", version, time.Since(began).Seconds()))
				return nil
			}
			return o.withoutCredentials(err)
		case <-tick.C:
			o.Progress(fmt.Sprintf("still fetching PostgreSQL %s after %.0f s", version, time.Since(began).Seconds()))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// withoutCredentials hides the password in the repository's address, which the library quotes.
func (o Options) withoutCredentials(err error) error {
	repository, parseErr := url.Parse(o.RepositoryURL)
	if parseErr != nil || repository.User == nil {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), repository.User.String()+"@", "***@"))
}

// makeReadable lets every user run what was unpacked, whatever the umask was: PostgreSQL may run as another
// one than polymq.
func makeReadable(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type() == fs.ModeSymlink {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		mode := info.Mode().Perm() | 0o444
		if info.IsDir() || mode&0o100 != 0 {
			mode |= 0o111
		}
		return os.Chmod(path, mode)
	})
}

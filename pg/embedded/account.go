package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// An account is the system user that PostgreSQL runs as: the user of this process, or, since PostgreSQL
// refuses to run as root, an unprivileged one.
type account struct {
	name     string
	uid, gid int
	switched bool // not the user of this process
}

// accountFor gives the account for a data directory, which need not exist yet. One that exists belongs to
// who started it first, whatever users the machine has gained or lost since.
func accountFor(pgdata string) (account, error) {
	owner, exists := ownerOf(pgdata)
	switch {
	case os.Geteuid() != 0:
		if exists && owner.uid != os.Geteuid() {
			return account{}, fmt.Errorf("data directory %s belongs to %s: start polymq as that user or as root, or choose another data directory", pgdata, owner)
		}
		return account{name: "this user", uid: os.Geteuid(), gid: os.Getegid()}, nil
	case exists && owner.uid == 0:
		return account{}, fmt.Errorf("data directory %s belongs to root, as which PostgreSQL does not run: give it to another user (chown -R postgres %[1]s)", pgdata)
	case exists:
		return owner, nil
	}
	for _, name := range []string{"postgres", "nobody", "daemon"} {
		if u, err := user.Lookup(name); err == nil {
			uid, uidErr := strconv.Atoi(u.Uid)
			gid, gidErr := strconv.Atoi(u.Gid)
			if uidErr == nil && gidErr == nil && uid != 0 {
				return account{name: name, uid: uid, gid: gid, switched: true}, nil
			}
		}
	}
	return account{}, errors.New("PostgreSQL does not run as root, and there is no user postgres, nobody or daemon to run it as: add one, or run polymq as another user")
}

func ownerOf(path string) (account, bool) {
	info, err := os.Stat(path)
	if err != nil {
		return account{}, false
	}
	stat := info.Sys().(*syscall.Stat_t)
	owner := account{name: "user", uid: int(stat.Uid), gid: int(stat.Gid), switched: true}
	if u, err := user.LookupId(strconv.Itoa(owner.uid)); err == nil {
		owner.name = u.Username
	}
	return owner, true
}

// unknown explains a failure of initdb, which needs a name for the user, as in a container that runs under a
// number of its own.
func (a account) unknown() string {
	if _, err := user.LookupId(strconv.Itoa(a.uid)); err == nil {
		return ""
	}
	return fmt.Sprintf(" (uid %d may have to be added to the user database, /etc/passwd)", a.uid)
}

func (a account) String() string { return fmt.Sprintf("%s (uid %d)", a.name, a.uid) }

// command prepares a program to run as the account in a process group of its own, so that Ctrl-C in a
// terminal reaches polymq alone, which then stops PostgreSQL when nothing needs it any more.
func (a account) command(ctx context.Context, dir, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	cmd.Env = environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if a.switched {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	}
	return cmd
}

// environment is the part of this process's that PostgreSQL's programs need. The rest stays away: PGPORT and
// its like would change what they do, and a secret would become readable to the account.
func environment() []string {
	env := []string{"LC_ALL=C"}
	for _, name := range []string{"PATH", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TZDIR", "LOCPATH"} {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// makeDir makes a directory that only the account can enter.
func (a account) makeDir(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil {
		return err
	}
	if !a.switched {
		return nil
	}
	return os.Chown(path, a.uid, a.gid)
}

// ownsDir fails unless path is a directory, and no link to one, that belongs to the account and gives others
// none of the forbidden permissions.
func (a account) ownsDir(path string, forbidden fs.FileMode) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; !info.IsDir() || int(owner) != a.uid || info.Mode().Perm()&forbidden != 0 {
		return fmt.Errorf("%s should be a directory of %s without the permissions %#o", path, a, forbidden)
	}
	return nil
}

// canUse fails when the account cannot run the program or cannot enter the directory. The kernel decides,
// so that access control lists count too; the modes only serve to name the folder that is in the way.
func (a account) canUse(ctx context.Context, program, dir string) error {
	if !a.switched {
		return nil
	}
	for _, try := range []struct{ dir, needs string }{{"/", program}, {dir, dir}} {
		err := a.command(ctx, try.dir, program, "--version").Run()
		switch {
		case errors.Is(err, fs.ErrPermission) && errors.Is(err, syscall.EPERM):
			return fmt.Errorf("PostgreSQL does not run as root, and this process may not become %s: run polymq as another user: %w", a, err)
		case errors.Is(err, fs.ErrPermission):
			return fmt.Errorf("PostgreSQL does not run as root, and %s, as which it runs instead, cannot reach %s%s: choose a place that it can reach (such as /var/lib/polymq): %w",
				a, try.needs, a.obstacle(try.needs), err)
		case err != nil:
			return fmt.Errorf("run %s as %s: %w", program, a, err)
		}
	}
	return nil
}

// obstacle names the topmost folder on the way to path whose mode keeps the account out.
func (a account) obstacle(path string) string {
	for dir := filepath.Clean(path); ; dir = filepath.Dir(dir) {
		if parent := filepath.Dir(dir); parent != dir && !a.enters(parent) && (parent == filepath.Dir(parent) || a.enters(filepath.Dir(parent))) {
			return fmt.Sprintf(" (%s keeps it out)", parent)
		} else if parent == dir {
			return ""
		}
	}
}

func (a account) enters(dir string) bool {
	info, err := os.Stat(dir)
	if err != nil {
		return true // not known to be in the way
	}
	stat := info.Sys().(*syscall.Stat_t)
	switch mode := info.Mode().Perm(); {
	case int(stat.Uid) == a.uid:
		return mode&0o100 != 0
	case int(stat.Gid) == a.gid:
		return mode&0o010 != 0
	default:
		return mode&0o001 != 0
	}
}

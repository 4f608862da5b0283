package server

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/protocols/caller"
)

// masterKeyName is the file of the generated master key, beside the embedded database.
const masterKeyName = "master.key"

// masterKey gives the key that secrets in the database are encrypted under: the one of the settings,
// else the embedded database's own, made on its first start; nil where an external database has none.
// made is the file of one that was made just now.
func (s *Server) masterKey() (key []byte, made string, err error) {
	switch {
	case s.config.MasterKey != "":
		key, err = parseMasterKey(string(s.config.MasterKey))
		return key, "", err
	case s.config.MasterKeyFile != "":
		key, err = readMasterKey(s.config.MasterKeyFile)
		return key, "", err
	case s.database.postgres == nil && s.config.Auth != "off":
		return nil, "", errors.New("auth " + s.config.Auth + " needs a master key, under which the secrets of access keys are encrypted in your database: " +
			"put one into a file (openssl rand -hex 32) that all servers get as master-key-file")
	case s.database.postgres == nil:
		return nil, "", nil
	}
	path := filepath.Join(s.database.postgres.DataDir(), masterKeyName)
	if key, err = readMasterKey(path); !errors.Is(err, fs.ErrNotExist) {
		return key, "", err
	}
	key = pg.NewMasterKey()
	if err := writeMasterKey(path, key); err != nil {
		return nil, "", fmt.Errorf("keep the new master key: %w", err)
	}
	return key, path, nil
}

// writeMasterKey writes a file that is there whole or not at all, for its owner only.
func writeMasterKey(path string, key []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), masterKeyName) // mode 0600
	if err != nil {
		return err
	}
	_, err = file.WriteString(hex.EncodeToString(key) + "\n")
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}

func readMasterKey(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the master key: %w", err)
	}
	key, err := parseMasterKey(string(text))
	if err != nil {
		return nil, fmt.Errorf("read the master key in %s: %w", path, err)
	}
	return key, nil
}

// parseMasterKey reads a master key in hexadecimal or base64.
func parseMasterKey(text string) ([]byte, error) {
	text = strings.TrimSpace(text)
	if key, err := hex.DecodeString(text); err == nil && len(key) == pg.MasterKeySize {
		return key, nil
	}
	if key, err := base64.StdEncoding.DecodeString(text); err == nil && len(key) == pg.MasterKeySize {
		return key, nil
	}
	return nil, fmt.Errorf("a master key is %d random bytes in hexadecimal or base64, such as `openssl rand -hex %d` gives", pg.MasterKeySize, pg.MasterKeySize)
}

// explainMasterKey says what to do about a master key that is not the database's. One that was made just
// now is removed: it would only be in the way of the one that is missing.
func explainMasterKey(err error, made string) error {
	if !errors.Is(err, pg.ErrMasterKey) || made == "" {
		return err
	}
	return errors.Join(fmt.Errorf("%s, which this database had before, is missing, put it back: %w", made, err), os.Remove(made))
}

// parseAdminKey reads ID:SECRET. Its errors do not quote it.
func parseAdminKey(text core.Secret) (core.Key, error) {
	id, secret, _ := strings.Cut(string(text), ":")
	if id == "" || secret == "" {
		return core.Key{}, errors.New("must be ID:SECRET")
	}
	key, err := core.MakeKey(core.NewKey{ID: id, Secret: core.Secret(secret), Account: caller.DefaultAccount, User: adminUser, Admin: true})
	if err != nil {
		return core.Key{}, errors.New(core.MessageOf(err))
	}
	return key, nil
}

// adminUser is the user of the first administrator's key.
const adminUser = "admin"

// ensureAdmin sees to it that somebody can manage a server that verifies: by the key of the settings, or
// by one that is made on the first start and shown once.
func (s *Server) ensureAdmin(ctx context.Context) error {
	switch {
	case s.config.AdminKey != "":
		key, err := parseAdminKey(s.config.AdminKey)
		if err != nil {
			return fmt.Errorf("admin-key: %w", err)
		}
		return s.store.PutAdmin(ctx, key)
	case s.config.Auth == "off":
		return nil
	}
	key, err := core.MakeKey(core.NewKey{Account: caller.DefaultAccount, User: adminUser, Admin: true})
	if err != nil {
		return err
	}
	made, err := s.store.EnsureAdmin(ctx, key)
	if made {
		s.firstAdmin = &key
	}
	return err
}

// RotateMasterKey encrypts all secrets of a database anew, under the master key in a file, and gives how many
// those were. The key from before is that of the Config, else the embedded database's own, which becomes the
// new one.
func RotateMasterKey(ctx context.Context, config Config, d *Database, newFile string) (int, error) {
	next, err := readMasterKey(newFile)
	if err != nil {
		return 0, err
	}
	s := &Server{config: config, database: d}
	options := d.Options
	var made string
	if options.MasterKey, made, err = s.masterKey(); err != nil {
		return 0, err
	}
	n, err := pg.RotateMasterKey(ctx, options, next)
	if err != nil {
		return 0, explainMasterKey(err, made)
	}
	if d.postgres != nil && config.MasterKey == "" && config.MasterKeyFile == "" {
		if err := writeMasterKey(filepath.Join(d.postgres.DataDir(), masterKeyName), next); err != nil {
			return n, fmt.Errorf("the secrets are encrypted under the key in %s now, which could not be kept beside the database, copy it there: %w", newFile, err)
		}
	}
	return n, nil
}

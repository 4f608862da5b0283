package server

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/polymq/polymq/pg"
	"github.com/polymq/polymq/pg/pgtest"
)

func TestParseMasterKey(t *testing.T) {
	key := pg.NewMasterKey()
	tests := map[string]struct {
		text string
		good bool
	}{
		"hexadecimal":       {hex.EncodeToString(key), true},
		"in capitals":       {strings.ToUpper(hex.EncodeToString(key)), true},
		"a line of a file":  {hex.EncodeToString(key) + "\r\n", true},
		"base64":            {base64.StdEncoding.EncodeToString(key), true},
		"nothing":           {"", false},
		"a byte less":       {hex.EncodeToString(key[1:]), false},
		"a byte more":       {hex.EncodeToString(append(key[:32:32], 0)), false},
		"a password":        {"correct horse battery staple", false},
		"base64 of 31":      {base64.StdEncoding.EncodeToString(key[1:]), false},
		"the bytes as such": {string(key), false},
	}
	for name, tt := range tests {
		got, err := parseMasterKey(tt.text)
		if good := err == nil; good != tt.good || good && !bytes.Equal(got, key) {
			t.Errorf("%s: got %x, %v", name, got, err)
		}
		if err != nil && tt.text != "" && strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: the key is in %v", name, err)
		}
	}
}

func TestMasterKeyOfAnExternalDatabase(t *testing.T) {
	url := pgtest.DatabaseURL(t)
	file := filepath.Join(t.TempDir(), "master.key")
	first, other := pg.NewMasterKey(), pg.NewMasterKey()
	write := func(key []byte) {
		t.Helper()
		if err := writeMasterKey(file, key); err != nil {
			t.Fatal(err)
		}
	}
	run := func(config Config) error {
		config.DatabaseURL, config.Listen, config.LogOutput = url, []string{"127.0.0.1:0"}, t.Output()
		srv, err := Start(t.Context(), config)
		if err == nil {
			err = srv.Stop(context.Background())
		}
		return err
	}
	write(first)
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := run(Config{Auth: "verify"}); err == nil || !strings.Contains(err.Error(), "openssl rand -hex 32") {
		t.Errorf("verify without a master key: %v", err)
	}
	if err := run(Config{AdminKey: "root:hunter22"}); err == nil || !strings.Contains(err.Error(), "master-key-file") {
		t.Errorf("an administrator without a master key: %v", err)
	}
	if err := run(Config{Auth: "verify", MasterKeyFile: file}); err != nil {
		t.Errorf("the first master key: %v", err)
	}
	if err := run(Config{}); err != nil {
		t.Errorf("off, without a master key: %v", err)
	}
	write(other)
	for _, auth := range []string{"off", "verify"} {
		if err := run(Config{Auth: auth, MasterKeyFile: file}); !errors.Is(err, pg.ErrMasterKey) {
			t.Errorf("auth %s, another master key: %v", auth, err)
		}
	}
	if err := run(Config{Auth: "verify", MasterKeyFile: file + "x"}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// The embedded database has a master key beside it, made once, and another after a rotation, for which the server
// has to stop. Without it, what it sealed cannot be read, and a new one is not left in its place.
func TestMasterKeyOfTheEmbeddedDatabase(t *testing.T) {
	config := Config{Listen: []string{"127.0.0.1:0"}, DataDir: dataDir(t), Durability: "none", Auth: "verify", LogOutput: t.Output()}
	file := filepath.Join(config.DataDir, masterKeyName)
	run := func() error {
		srv, err := Start(t.Context(), config)
		if err == nil {
			err = srv.Stop(context.Background())
		}
		return err
	}
	srv, err := Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := TakeDatabase(t.Context(), config); err == nil || !strings.Contains(err.Error(), "in use by another polymq") {
		t.Errorf("while a server runs: %v", err)
	}
	if err := srv.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	next, nextFile := pg.NewMasterKey(), filepath.Join(t.TempDir(), "next.key")
	if err := writeMasterKey(nextFile, next); err != nil {
		t.Fatal(err)
	}
	database, err := TakeDatabase(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := RotateMasterKey(t.Context(), config, database, nextFile); err != nil || n == 0 {
		t.Errorf("%d secrets are rotated, %v", n, err)
	}
	if err := database.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if key, err := readMasterKey(file); err != nil || !bytes.Equal(key, next) {
		t.Fatalf("the key beside the data is not the new one, %v", err)
	}
	if err := run(); err != nil {
		t.Fatalf("under the new key: %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := run(); !errors.Is(err, pg.ErrMasterKey) || !strings.Contains(err.Error(), file) {
		t.Errorf("with the key lost: %v", err)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("another key was left: %v", err)
	}
}

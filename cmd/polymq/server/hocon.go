package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/gurkankaymak/hocon"
)

// maxIncludes bounds how deep files include each other.
const maxIncludes = 10

// parseHOCON parses a file and those that it includes. The library takes a name that begins with a digit for a number and
// a rest, and loses the number (01-orders, as ElasticMQ's own example has it), unless it is quoted; so copies are
// parsed in which such names are.
func parseHOCON(path string) (config *hocon.Config, err error) {
	dir, err := os.MkdirTemp("", "polymq-elasticmq-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for copies: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	quoted, err := quoteNames(dir, path, 0)
	if err != nil {
		return nil, err
	}
	return hocon.ParseResource(quoted)
}

var (
	included   = regexp.MustCompile(`(\binclude\s+(?:required\s*\(\s*)?(?:(?:file|classpath)\s*\(\s*)?)"([^"\n]+)"`)
	digitKey   = regexp.MustCompile(`(?m)((?:^|[{,])[ \t]*)([0-9][A-Za-z0-9_-]*)([ \t]*(?:\{|=|:|\+=))`)
	digitValue = regexp.MustCompile(`([=:][ \t]*)([0-9][A-Za-z0-9_]*-[A-Za-z0-9_-]*)`)
)

// quoteNames copies a file and those that it includes into a folder, with quotes around the names that need them, and
// gives the copy's path. A file that is not there is left for the parser to complain of, or not.
func quoteNames(dir, path string, depth int) (copied string, err error) {
	if depth > maxIncludes {
		return "", fmt.Errorf("%s is included more than %d files deep", path, maxIncludes)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	text = digitKey.ReplaceAll(text, []byte(`$1"$2"$3`))
	text = digitValue.ReplaceAll(text, []byte(`$1"$2"`))
	text = included.ReplaceAllFunc(text, func(statement []byte) []byte {
		parts := included.FindSubmatch(statement)
		below, failed := quoteNames(dir, filepath.Join(filepath.Dir(path), string(parts[2])), depth+1)
		if failed != nil && !errors.Is(failed, os.ErrNotExist) {
			err = failed
		}
		if failed != nil {
			return statement
		}
		return []byte(string(parts[1]) + `"` + filepath.Base(below) + `"`)
	})
	if err != nil {
		return "", err
	}
	file, err := os.CreateTemp(dir, "*.conf")
	if err != nil {
		return "", err
	}
	_, err = file.Write(text)
	return file.Name(), errors.Join(err, file.Close())
}

package server

import (
	"bytes"
	"encoding/json"
	"regexp"
	"testing"
)

// Lines of one second are told apart, whoever reads them.
func TestLogLinesHaveMilliseconds(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "console"} {
		var out bytes.Buffer
		log := newLogger(Config{LogFormat: format, LogLevel: "info", LogOutput: &out})
		for range 30 {
			log.Info().Msg("here")
		}
		if format == "json" {
			var line struct{ Time string }
			if err := json.NewDecoder(&out).Decode(&line); err != nil || !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)$`).MatchString(line.Time) {
				t.Errorf("the time is %q, %v", line.Time, err)
			}
		} else if !regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d{3} INF here\n`).Match(out.Bytes()) {
			t.Errorf("a line is %q", out.String())
		}
	}
}

package caller

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
)

func TestLogLevel(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err  error
		want zerolog.Level
	}{
		"a fault":                        {errors.New("relation messages does not exist"), zerolog.ErrorLevel},
		"a fault by its code":            {core.Errorf(core.Internal, "x"), zerolog.ErrorLevel},
		"a slow database":                {fmt.Errorf("read a queue: %w", context.DeadlineExceeded), zerolog.ErrorLevel},
		"a client that went away":        {fmt.Errorf("read a queue: %w", context.Canceled), zerolog.DebugLevel},
		"likewise, as the core's error":  {core.Wrap(core.Internal, context.Canceled, "x"), zerolog.DebugLevel},
		"what the client is told":        {core.Errorf(core.QueueNotFound, "x"), zerolog.DebugLevel},
		"a queue that is in another one": {core.Wrap(core.QueueNotFound, errors.New("it is in eu-west-1"), "x"), zerolog.WarnLevel},
	}
	for name, tt := range tests {
		if got := LogLevel(tt.err); got != tt.want {
			t.Errorf("%s: logged at level %v, want %v", name, got, tt.want)
		}
	}
}

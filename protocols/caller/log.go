package caller

import (
	"context"
	"errors"

	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
)

// LogLevel gives how loudly a request's failure is logged: a fault of the server is an error; a queue
// that exists in another region than was asked for a warning, since a client is set to the wrong
// one; all else the client was told and can see for itself, or went away before it could be told.
func LogLevel(err error) zerolog.Level {
	var known *core.Error
	switch {
	case errors.Is(err, context.Canceled):
		return zerolog.DebugLevel
	case !errors.As(err, &known), known.Code == core.Internal:
		return zerolog.ErrorLevel
	case known.Code == core.QueueNotFound && known.Err != nil:
		return zerolog.WarnLevel
	}
	return zerolog.DebugLevel
}

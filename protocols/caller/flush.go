package caller

import "net/http"

// Flush sends what was written so far and says whether the connection took it. Without it,
// net/http sends when the handler has returned, and keeps the connection's error to itself.
func Flush(w http.ResponseWriter) error {
	for {
		switch writer := w.(type) {
		case interface{ FlushError() error }:
			return writer.FlushError()
		case interface{ Unwrap() http.ResponseWriter }: // Gin's, whose own Flush drops the error
			w = writer.Unwrap()
		case http.Flusher:
			writer.Flush()
			return nil
		default:
			return nil
		}
	}
}

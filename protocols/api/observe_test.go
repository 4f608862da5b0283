package api_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/polymq/polymq/pg/pgtest"
	"github.com/polymq/polymq/protocols/api"
	"github.com/polymq/polymq/protocols/caller"
)

// Every answer is counted by what it says, also where huma has not seen the request; a client that does not wait for
// one is no fault of the server's.
func TestAnswersAreObserved(t *testing.T) {
	t.Parallel()
	broker := pgtest.Broker(t)
	pgtest.Queue(t, broker, "orders")
	gone, leave := context.WithCancel(t.Context())
	leave()
	tests := map[string]struct {
		ctx      context.Context
		body     string
		encoding string
		want     []string
	}{
		"an answer":               {t.Context(), `{"wait_seconds": 0}`, "", []string{"receive-messages "}},
		"a bad value":             {t.Context(), `{"limit": 0}`, "", []string{"receive-messages 422"}},
		"a bad encoding":          {t.Context(), `{}`, "br", []string{"receive-messages 415"}},
		"a client that went away": {gone, `{"wait_seconds": 30}`, "", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var observed []string
			observer := func(_, action, code string, _ time.Duration) { observed = append(observed, action+" "+code) }
			engine := gin.New()
			api.New(broker, &caller.Options{Observer: observer}, api.Options{}).Register(engine)
			r := httptest.NewRequestWithContext(tt.ctx, "POST", "/api/v1/queues/orders/messages:receive", strings.NewReader(tt.body))
			r.Header.Set("Content-Encoding", tt.encoding)
			engine.ServeHTTP(httptest.NewRecorder(), r)
			if !slices.Equal(observed, tt.want) {
				t.Errorf("observed %q, want %q", observed, tt.want)
			}
		})
	}
}

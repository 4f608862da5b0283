package localstack_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/localstack"
)

// away is a store whose database is not there.
type away struct{ core.Store }

var errAway = core.Errorf(core.Unavailable, "the database cannot be reached")

func (away) Notify(func(core.Arrival)) {}

func (away) Observe(func(*core.Queue) bool, func(*core.Queue, core.Event)) {}

func (away) ListKept(context.Context, core.ListDeliveriesInput) (core.KeptPage, error) {
	return core.KeptPage{}, errAway
}

func (away) DropKept(context.Context, core.DropKeptInput) error { return errAway }

func (away) Subscription(context.Context, core.SubscriptionName) (core.Subscription, error) {
	return core.Subscription{}, errAway
}

func (away) CreateRecord(context.Context, core.RecordName, string) (string, bool, error) {
	return "", false, errAway
}

func (away) ResetAccount(context.Context, string) error { return errAway }

// A database that is away is no fault of who asks, and no sign that there is nothing.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	gin.SetMode(gin.TestMode)
	engine := gin.New()
	localstack.New(core.NewBroker(away{}), localstack.Options{TestMode: true, Open: true, Services: []string{"sns"}}).Register(engine)
	tests := map[string][2]string{
		"messages":        {http.MethodGet, "/_aws/sns/sms-messages"},
		"forget messages": {http.MethodDelete, "/_aws/sns/platform-endpoint-messages"},
		"token":           {http.MethodGet, "/_aws/sns/subscription-tokens/arn:aws:sns:us-east-1:000000000000:news:1"},
		"opt out":         {http.MethodPost, "/_aws/sns/phone-opt-outs?phoneNumber=%2B12025550123"},
		"reset":           {http.MethodPost, "/_localstack/state/reset"},
		"reset a service": {http.MethodPost, "/_localstack/state/sns/reset"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			engine.ServeHTTP(w, httptest.NewRequest(tt[0], tt[1], nil))
			if w.Code != http.StatusServiceUnavailable {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
		})
	}
}

package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/rs/zerolog"

	"github.com/polymq/polymq/core"
)

func TestEveryCodeHasAStatusAndAnExplanation(t *testing.T) {
	codes := append([]core.Code{badRequest, notFound, methodNotAllowed, unsupportedMediaType, bodyTooLong, unauthenticated}, core.Codes...)
	for _, code := range core.Codes {
		if statuses[code] < 400 {
			t.Errorf("%s has no status", code)
		}
	}
	for _, code := range codes {
		if !strings.Contains(string(page), `"`+string(code)+`"`) {
			t.Errorf("the page does not explain %s, to which problems lead", code)
		}
	}
}

func TestFailedHidesInternalErrors(t *testing.T) {
	err := failed(context.Background(), errors.New("relation messages does not exist"))
	var p *problem
	if !errors.As(err, &p) || p.Status != http.StatusInternalServerError || p.Code != core.Internal || strings.Contains(p.Detail, "relation") {
		t.Errorf("got %+v", p)
	}
}

// A client that left is no fault of the server, whichever of the two contexts has ended.
func TestFailedForAClientThatLeft(t *testing.T) {
	gone, leave := context.WithCancel(context.Background())
	leave()
	for name, tt := range map[string]struct {
		ctx  context.Context
		err  error
		want string
	}{
		"gone":             {gone, context.Canceled, ""},
		"gone from a wait": {context.Background(), fmt.Errorf("wait: %w", context.Canceled), "debug"},
		"still there":      {context.Background(), errors.New("a bug"), "error"},
	} {
		var log strings.Builder
		_ = failed(zerolog.New(&log).WithContext(tt.ctx), tt.err)
		if got := log.String(); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: logged %q, want level %q", name, got, tt.want)
		}
	}
}

func TestFailedAsksToTryAgain(t *testing.T) {
	for _, code := range core.Codes {
		var headers huma.HeadersError
		retry := errors.As(failed(context.Background(), core.Errorf(code, "x")), &headers) && headers.GetHeaders().Get("Retry-After") != ""
		if want := code == core.Unavailable || code == core.Throttled; retry != want {
			t.Errorf("%s: Retry-After is there: %v, want %v", code, retry, want)
		}
	}
}

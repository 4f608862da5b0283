package core_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/polymq/polymq/core"
)

func TestCodeOf(t *testing.T) {
	tests := map[string]struct {
		err         error
		wantCode    core.Code
		wantMessage string
	}{
		"an Error":               {core.Errorf(core.QueueNotFound, "queue %q does not exist", "a"), core.QueueNotFound, `queue "a" does not exist`},
		"wrapped on its way":     {fmt.Errorf("publish: %w", core.Errorf(core.Throttled, "later")), core.Throttled, "later"},
		"with a cause":           {core.Wrap(core.Unavailable, io.ErrUnexpectedEOF, "try again"), core.Unavailable, "try again"},
		"something else":         {io.EOF, core.Internal, "internal error"},
		"an internal Error":      {core.Errorf(core.Internal, "secret"), core.Internal, "internal error"},
		"what no one should see": {core.ErrQueueChanged, core.Internal, "internal error"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := core.CodeOf(tt.err); got != tt.wantCode {
				t.Errorf("code %s, want %s", got, tt.wantCode)
			}
			if got := core.MessageOf(tt.err); got != tt.wantMessage {
				t.Errorf("message %q, want %q", got, tt.wantMessage)
			}
		})
	}
}

func TestErrorKeepsItsCauseForTheLog(t *testing.T) {
	err := core.Wrap(core.Unavailable, io.ErrUnexpectedEOF, "try again")
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error("the cause cannot be found")
	}
	for _, part := range []string{"Unavailable", "try again", io.ErrUnexpectedEOF.Error()} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q lacks %q", err, part)
		}
	}
}

func TestCodesAreEachListedOnce(t *testing.T) {
	codes := slices.Clone(core.Codes)
	slices.Sort(codes)
	if n := len(slices.Compact(codes)); n != len(core.Codes) {
		t.Errorf("%d codes, %d of them different", len(core.Codes), n)
	}
}

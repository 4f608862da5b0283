package mns

import (
	"context"
	"net/http"
	"slices"

	"github.com/polymq/polymq/core"
)

type batchDeleteMessageRequest struct {
	ReceiptHandles list[string] `xml:"ReceiptHandle"`
}

// batchDeleteMessageResponse tells of the handles that deleted nothing.
type batchDeleteMessageResponse struct {
	handles []string
	results []error
}

func (r *batchDeleteMessageResponse) write(a *answer) {
	a.status = http.StatusNoContent
	for i, err := range r.results {
		if err == nil {
			continue
		}
		if len(a.doc) == 0 {
			a.status = http.StatusNotFound
			a.list("Errors")
		}
		e := wireErrorOf(err)
		a.item("Error")
		a.text("ErrorCode", e.code)
		a.text("ErrorMessage", readable(e.message))
		a.text("ReceiptHandle", r.handles[i])
		a.end("Error")
	}
	if len(a.doc) > 0 {
		a.endList("Errors")
	}
}

func (s *Server) batchDeleteMessage(ctx context.Context, c *call, req *batchDeleteMessageRequest) (*batchDeleteMessageResponse, error) {
	count := len(req.ReceiptHandles)
	if count == 0 || slices.Contains(req.ReceiptHandles, "") {
		return nil, errNoHandle
	}
	if err := checkRange("a batch", &count, 1, maxBatch, "receipt handles"); err != nil {
		return nil, err
	}
	results, err := s.broker.DeleteMessages(ctx, core.DeleteInput{Queue: c.queue, Handles: req.ReceiptHandles, Newest: true})
	return &batchDeleteMessageResponse{req.ReceiptHandles, results}, err
}

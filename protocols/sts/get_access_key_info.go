package sts

import (
	"context"
	"net/http"

	"github.com/polymq/polymq/protocols/awsquery"
	"github.com/polymq/polymq/protocols/caller"
)

type getAccessKeyInfoRequest struct{ AccessKeyId string }

type getAccessKeyInfoResult struct{ Account string }

// getAccessKeyInfo tells the account of an access key. Where signatures are not verified, every key has one.
func (s *Server) getAccessKeyInfo(ctx context.Context, c *call, req *getAccessKeyInfoRequest) (*getAccessKeyInfoResult, error) {
	if req.AccessKeyId == "" {
		return nil, violation("null", "accessKeyId", "not be null")
	}
	key, err := s.callers.FindKey(ctx, req.AccessKeyId)
	switch {
	case err != nil:
		return nil, err
	case key != nil:
		return &getAccessKeyInfoResult{key.Account}, nil
	case c.Verified:
		return nil, awsquery.Faultf(http.StatusBadRequest, "ValidationError", "%.128s is not a valid Access Key ID", req.AccessKeyId)
	}
	return &getAccessKeyInfoResult{caller.AccountOf(req.AccessKeyId)}, nil
}

package mns

import (
	"context"
	"strconv"
)

// What is kept of an account: where its logs would go, and what one version of Java's client sets.
const (
	loggingBucket = "mns.LoggingBucket"
	traceEnabled  = "mns.TraceEnabled"
)

// maxBucketLength is far more than the name of a bucket has.
const maxBucketLength = 256

type setAccountAttributesRequest struct {
	LoggingBucket *string `xml:"LoggingBucket"`
	TraceEnabled  *int    `xml:"TraceEnabled"`
}

// setAccountAttributes changes those attributes that are given. They are kept and shown, and have no
// effect.
func (s *Server) setAccountAttributes(ctx context.Context, c *call, req *setAccountAttributesRequest) (done, error) {
	change := map[string]*string{}
	if req.LoggingBucket != nil {
		length := len(*req.LoggingBucket)
		if err := checkRange("LoggingBucket", &length, 0, maxBucketLength, "bytes"); err != nil {
			return done{}, err
		}
		change[loggingBucket] = req.LoggingBucket
	}
	if req.TraceEnabled != nil {
		value := strconv.Itoa(*req.TraceEnabled)
		change[traceEnabled] = &value
	}
	return done{}, s.broker.SetAccountAttributes(ctx, c.Account, c.Region, change)
}

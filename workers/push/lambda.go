package push

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/polymq/polymq/core"
)

// invoke invokes a function with an event, through the Invoke API. The request is signed with the
// function's account as the key, which stand-ins of the service take for the account meant.
func (c *Client) invoke(ctx context.Context, p core.Push) core.PushAnswer {
	target := c.lambda.JoinPath("2015-03-31", "functions", url.PathEscape(p.Function), "invocations") // the subscriber's words lead nowhere else
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target.String(), bytes.NewReader(p.Body))
	if err != nil {
		return core.PushAnswer{Refused: true, Reason: core.ReasonFunctionUnnamed}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Amz-Invocation-Type", "Event")
	region, account := "us-east-1", "000000000000"
	if parts := strings.Split(p.Function, ":"); len(parts) > 5 { // arn:aws:lambda:REGION:ACCOUNT:function:NAME
		region, account = cmp.Or(parts[3], region), cmp.Or(parts[4], account)
	}
	sum := sha256.Sum256(p.Body)
	credentials := aws.Credentials{AccessKeyID: account, SecretAccessKey: "polymq"}
	if err := v4.NewSigner().SignHTTP(ctx, credentials, req, hex.EncodeToString(sum[:]), "lambda", region, time.Now()); err != nil {
		return core.PushAnswer{Reason: core.ReasonUnsigned}
	}
	return do(c.internal, req)
}

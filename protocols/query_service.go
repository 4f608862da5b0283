package protocols

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/polymq/polymq/protocols/aliyunsts"
	"github.com/polymq/polymq/protocols/aws"
	"github.com/polymq/polymq/protocols/dybase"
	"github.com/polymq/polymq/protocols/iam"
	"github.com/polymq/polymq/protocols/ram"
	"github.com/polymq/polymq/protocols/smq"
	"github.com/polymq/polymq/protocols/sns"
	"github.com/polymq/polymq/protocols/sts"
)

// serviceOfVersion tells the services of the query protocol apart by the version that SDKs name. Alibaba's
// clients name theirs in the query as a rule; some put all into the form.
var serviceOfVersion = map[string]string{
	"2012-11-05": "sqs", sns.Version: "sns", sts.Version: "sts", iam.Version: "iam", smq.Version: "smq", aliyunsts.Version: "aliyunsts", dybase.Version: "dybase", ram.Version: "ram",
}

// maxPeeked is how much of a form is looked at: SDKs put the action and the version first.
const maxPeeked = 4 << 10

// queryService gives the service of a request of the query protocol whose signature does not tell: by
// its version, else by its action. SQS is what remains.
func queryService(r *http.Request) string {
	parameters, err := queryParameters(r)
	if err != nil {
		return "sqs" // which says what is wrong with it
	}
	if version, ok := parameters.Get("Version"); ok {
		if service, known := serviceOfVersion[version]; known {
			return service
		}
	}
	action, _ := parameters.Get("Action")
	if _, isSNS := parameters.Get("TopicArn"); isSNS || sns.IsAction(action) {
		return "sns"
	}
	if sts.IsAction(action) {
		return "sts"
	}
	if iam.IsAction(action) {
		return "iam"
	}
	return "sqs"
}

// versionedService gives AWS's service by the version that a request of the query protocol names, "" for none. Its signature may be for
// another: curl and boto 2 take what a host's name begins with for the service. Where signatures are checked, the service says what is wrong.
func versionedService(r *http.Request) string {
	if !speaksQuery(r) {
		return ""
	}
	parameters, _ := queryParameters(r) // what cannot be read names none
	version, _ := parameters.Get("Version")
	if service := serviceOfVersion[version]; slices.Contains(queryProtocols, service) {
		return service
	}
	return ""
}

// queryParameters gives what a request of the query protocol names in its URL and, where that has no action, at the start of its form.
func queryParameters(r *http.Request) (aws.Parameters, error) {
	texts := []string{r.URL.RawQuery}
	if r.Method == http.MethodPost && r.Body != nil && !strings.Contains(r.URL.RawQuery, "Action=") {
		texts = append(texts, peek(r))
	}
	return aws.ParseParameters(texts...)
}

// peek gives whole parameters from the start of a form and leaves the request as it was.
func peek(r *http.Request) string {
	start := make([]byte, maxPeeked)
	n, err := io.ReadFull(r.Body, start)
	rest := r.Body
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(start[:n]), rest), rest}
	form := string(start[:n])
	if err == nil { // there may be more
		form = form[:max(strings.LastIndexByte(form, '&'), 0)]
	}
	return form
}

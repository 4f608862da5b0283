package sns

import (
	"context"
	"encoding/json"

	"github.com/polymq/polymq/core"
)

type resourceRequest struct {
	ResourceArn *string
}

type dataProtectionResult struct {
	DataProtectionPolicy string
}

// getDataProtectionPolicy shows the policy that the topic was given. It is kept, and not acted on.
func (s *Server) getDataProtectionPolicy(ctx context.Context, c *call, req *resourceRequest) (*dataProtectionResult, error) {
	name, err := c.resourceName(req.ResourceArn)
	if err != nil {
		return nil, err
	}
	topic, err := s.broker.DescribeTopic(ctx, name)
	if err != nil {
		return nil, asResource(err)
	}
	return &dataProtectionResult{topic.Attributes[dataProtectionKey]}, nil
}

// resourceName reads the ARN of a topic that is called a resource.
func (c *call) resourceName(text *string) (core.TopicName, error) {
	if text == nil {
		return core.TopicName{}, required("resourceArn")
	}
	return c.topicName(text)
}

// asResource says of a topic that is not there what is said of resources.
func asResource(err error) error {
	if core.CodeOf(err) == core.TopicNotFound {
		return resourceNotFound.errorf("Resource does not exist")
	}
	return err
}

// checkDataProtection checks the form of a policy, as far as it is told by recordings.
func checkDataProtection(text string) error {
	if text == "" {
		return nil
	}
	var policy *struct {
		Statement []struct{ DataDirection string }
	}
	switch {
	case len(text) > maxPolicyLength:
		return invalid("DataProtectionPolicy Reason: it must be at most %d characters long", maxPolicyLength)
	case json.Unmarshal([]byte(text), &policy) != nil || policy == nil:
		return invalid("DataProtectionPolicy Reason: it must be an object of JSON with a list of statements")
	}
	for _, s := range policy.Statement {
		if s.DataDirection != "Inbound" && s.DataDirection != "Outbound" {
			return invalid("DataProtectionPolicy Reason: Statement DataDirection must be either Inbound or Outbound")
		}
	}
	return nil
}

package sns

import "github.com/polymq/polymq/core"

// ownerOnly are the actions that no topic's policy can allow to another account, by the parameter that says
// whose thing is meant.
var ownerOnly = map[string]string{
	"CreatePlatformEndpoint":             "PlatformApplicationArn",
	"DeletePlatformApplication":          "PlatformApplicationArn",
	"GetPlatformApplicationAttributes":   "PlatformApplicationArn",
	"ListEndpointsByPlatformApplication": "PlatformApplicationArn",
	"SetPlatformApplicationAttributes":   "PlatformApplicationArn",
	"DeleteEndpoint":                     "EndpointArn",
	"GetEndpointAttributes":              "EndpointArn",
	"SetEndpointAttributes":              "EndpointArn",
	"TagResource":                        "ResourceArn",
	"UntagResource":                      "ResourceArn",
}

// checkOwner refuses such an action on what is another account's. Where signatures are not verified, a caller
// may be of whichever account it says.
func (c *call) checkOwner() error {
	parameter, ok := ownerOnly[c.action]
	if !ok {
		return nil
	}
	text, _ := c.parameters.Get(parameter)
	if a, _, isARN := readARN(text); isARN {
		return c.mustOwn(a.account, text)
	}
	return nil // it is not there, or malformed, as the action will say
}

// mustOwn refuses what is another account's.
func (c *call) mustOwn(account, arn string) error {
	if c.Verified && account != c.Account {
		return c.denied(arn)
	}
	return nil
}

// ownsSubscription says that a subscription is of the caller's account, or of one of its topics.
func (c *call) ownsSubscription(sub *core.Subscription) bool {
	return !c.Verified || sub.Owner == c.Account || sub.Name.Topic.Account == c.Account
}

func (c *call) denied(arn string) error {
	return authorizationError.errorf("User: %s is not authorized to perform: SNS:%s on resource: %s", c.principal(), c.action, short(arn))
}

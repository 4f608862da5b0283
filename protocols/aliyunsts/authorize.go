package aliyunsts

import (
	"github.com/polymq/polymq/protocols/caller"
	"github.com/polymq/polymq/protocols/openapi"
)

// assumes is what AssumeRole needs of the caller's own policies: the role itself must trust the caller besides.
func assumes(c *openapi.Call) []caller.Want {
	want := caller.Want{Action: "sts:AssumeRole", Resource: c.Parameters["RoleArn"]}
	want.Keys = func(key string) []string {
		if id := c.Parameters["ExternalId"]; key == "sts:externalid" && id != "" {
			return []string{id}
		}
		return nil
	}
	return []caller.Want{want}
}

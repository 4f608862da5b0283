package sts

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"github.com/polymq/polymq/protocols/aws"
)

// identity gives the caller's ARN and unique id, as AWS shapes them.
func (c *call) identity() (arn, userID string) {
	if c.Key == nil {
		return c.iamARN("root"), c.Account
	}
	switch session := c.Key.Session; {
	case session.Role != "":
		return c.stsARN("assumed-role/" + roleName(session.Role) + "/" + session.Name), cmp.Or(session.RoleID, roleID(session.Role)) + ":" + session.Name
	case session.Name != "":
		return c.stsARN("federated-user/" + session.Name), c.Account + ":" + session.Name
	case c.Key.User != "":
		return c.iamARN("user/" + c.Key.User), uniqueID("AIDA", c.Account+"/"+c.Key.User)
	}
	return c.iamARN("root"), c.Account
}

func (c *call) iamARN(resource string) string {
	return "arn:" + aws.Partition(c.Region) + ":iam::" + c.Account + ":" + resource
}

func (c *call) stsARN(resource string) string {
	return "arn:" + aws.Partition(c.Region) + ":sts::" + c.Account + ":" + resource
}

// roleName gives the name in a role's ARN, without its path.
func roleName(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

func roleID(arn string) string { return uniqueID("AROA", arn) }

// uniqueID gives an id of AWS's form, which depends on nothing but the name.
func uniqueID(prefix, name string) string {
	hash := sha256.Sum256([]byte(name))
	return prefix + base32.StdEncoding.EncodeToString(hash[:])[:17]
}

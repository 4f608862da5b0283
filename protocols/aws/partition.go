package aws

import "strings"

// Partition gives the second part of the ARNs of a region.
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	case strings.HasPrefix(region, "cn-north"): // the two of AWS's; Alibaba's have other names
		return "aws-cn"
	}
	return "aws"
}

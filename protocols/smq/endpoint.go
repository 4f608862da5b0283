package smq

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/polymq/polymq/protocols/mns"
	"github.com/polymq/polymq/protocols/openapi"
)

// endpointRequest names an endpoint. There is one.
type endpointRequest struct {
	EndpointType string `required:"true"`
}

func (r *endpointRequest) check() error {
	if r.EndpointType != "public" {
		return openapi.InvalidParameter("EndpointType", "must be public")
	}
	return nil
}

// aclRequest names networks whose requests an endpoint takes.
type aclRequest struct {
	endpointRequest
	AclStrategy string `required:"true"`
	CidrList    string `required:"true"`
}

// networks gives the networks, each in its one spelling. An address alone is a network of one.
func (r *aclRequest) networks() ([]string, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if r.AclStrategy != "allow" {
		return nil, openapi.InvalidParameter("AclStrategy", "must be allow")
	}
	var networks []string
	for text := range strings.SplitSeq(strings.Trim(r.CidrList, `[]`), ",") {
		text = strings.Trim(strings.TrimSpace(text), `"`)
		network, err := netip.ParsePrefix(text)
		if err != nil {
			address, err := netip.ParseAddr(text)
			if err != nil {
				return nil, openapi.InvalidParameter("CidrList", "must be networks like 10.0.0.0/8 with commas between them")
			}
			network = netip.PrefixFrom(address, address.BitLen())
		}
		networks = append(networks, network.Masked().String())
	}
	if len(networks) > mns.MaxAllowed {
		return nil, openapi.InvalidParameter("CidrList", "has more than "+strconv.Itoa(mns.MaxAllowed)+" networks")
	}
	return networks, nil
}

// without gives the list without the networks that are named.
func without(allowed []mns.Allowed, networks []string) []mns.Allowed {
	return slices.DeleteFunc(slices.Clone(allowed), func(a mns.Allowed) bool { return slices.Contains(networks, a.Cidr) })
}

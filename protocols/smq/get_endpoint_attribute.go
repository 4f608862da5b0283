package smq

import "context"

type getEndpointAttributeRequest struct{ endpointRequest }

type endpointData struct {
	EndpointEnabled bool
	CidrList        []allowedData // there even when empty
}

type allowedData struct {
	AclStrategy string
	Cidr        string
	CreateTime  int64 // milliseconds
}

func (s *Server) getEndpointAttribute(ctx context.Context, c *call, req *getEndpointAttributeRequest) (*endpointData, error) {
	if err := req.check(); err != nil {
		return nil, err
	}
	endpoint, err := s.gate.Endpoint(ctx, c.Account, c.Region)
	if err != nil {
		return nil, err
	}
	data := &endpointData{EndpointEnabled: !endpoint.Disabled, CidrList: []allowedData{}}
	for _, a := range endpoint.Allowed {
		data.CidrList = append(data.CidrList, allowedData{"allow", a.Cidr, a.CreatedAt})
	}
	return data, nil
}

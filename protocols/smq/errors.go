package smq

import (
	"github.com/polymq/polymq/core"
	"github.com/polymq/polymq/protocols/mns"
	"github.com/polymq/polymq/protocols/openapi"
)

// faultOf gives what the client is told of an error: in the words of Alibaba's gateways, else in those of the
// data plane, whose rules a wrong value breaks.
func faultOf(err error) *openapi.Fault {
	if fault, ok := openapi.FaultOf(err); ok && !mns.IsOwn(err) && core.CodeOf(err) != core.InvalidArgument {
		return fault
	}
	status, code, message := mns.ErrorOf(err)
	return &openapi.Fault{Status: status, Code: code, Message: message}
}

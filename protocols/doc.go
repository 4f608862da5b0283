// Package protocols puts every protocol on one port and tells them apart by the request.
package protocols

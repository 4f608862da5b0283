// Package push is the client that deliveries go out with: requests to HTTP endpoints, mail, and
// invocations of functions, as core.Push describes them.
//
// Endpoints are named by whoever may subscribe, so what they name is not trusted. The address that is
// dialled is checked, after the name was resolved and for each connection: addresses of metadata services
// are never connected to, those that are not public only where that is allowed. Redirects are not followed,
// proxies not used, answers read up to a bound. The mail server and the endpoint that functions are invoked
// at are the operator's own and may be anywhere.
//
// # Decisions
//
// 2026-11-21: addresses are checked in net.Dialer's Control, which sees what is dialled and not what was
// looked up, so that a name whose address changes between a check and the connection gains nothing.
//
// 2026-11-21: addresses that IPv6 carries inside (IPv4-mapped, NAT64, 6to4) are judged by what they carry.
//
// 2026-11-22: where an address of NAT64's prefix for local use (64:ff9b:1::/48) leads only its network knows. It is not public, and not
// dialled at all if what it carries is an address of a metadata service, however long the prefix may be that the network took of it.
//
// 2026-11-21: net/smtp is frozen but does what is needed here: one message to one recipient. A mail library
// would bring pools and templates that the engine's own bounds and formats already are.
//
// 2026-11-21: HTTP/1.1 only. Header names go out as they are given, which HTTP/2 does not allow and receivers
// of MNS rely on (specs/mns.md 5.5).
//
// 2026-11-21: the password of a URL goes with the first request, as Basic. To wait for a challenge would double the requests, and not reach
// endpoints that ask for nothing but a header. Digest, which needs a challenge, is icholy/digest's: net/http has none.
//
// 2026-11-21: as many idle connections are kept for one address as there may be pushes to it at once, for behind it may be many endpoints.
// With 32, most pushes to 100 of them dialled, at twice the cost.
package push

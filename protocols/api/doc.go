// Package api is polymq's own protocol: JSON over HTTP under /api/v1, with an OpenAPI 3.1 document
// made from the Go types. The console, the command line and scripts use it; it also answers health
// checks.
//
// Queues are those of all protocols. The account and the region are the account and region
// parameters of the query, else what a request's credentials say (package caller), else
// 000000000000 and the server's region.
//
// Bodies are text, handed out as SQS would: what an MNS client's SDK encoded by itself arrives
// decoded. A body that is no text (core.ValidText) has "body_encoding": "base64", both ways.
// Receipt handles are SQS's: any handle of a message deletes it, also an older one.
//
// Errors are problems as of RFC 9457. Their "code" is a core.Code and stable, as is their "type",
// which leads to the page that explains it. Where a call names several messages, each fails on its
// own, under "failed".
//
// # Access
//
// Where the server verifies signatures, every operation needs an access key as bearer token, "Authorization:
// Bearer ID:SECRET", or an AWS signature; without one the answer is 401. A key of an account may do everything in it,
// a user's what the user was given access for, else the answer is 403; an administrator of all may name any account. The
// health checks, the documentation and the OpenAPI document stay open. While nothing is verified anybody may do
// everything, and so may have made an administrator's key: look at the list before verification is turned on.
//
// # Health
//
// /healthz answers 200 while the process can answer at all: for a supervisor that restarts it.
//
// /readyz answers 200 from the moment the server serves, also while the database is away, and says
// which in its body. A load balancer that took the server out then would put its own error page in
// the place of the protocols' errors ("503 ServiceUnavailable", "InternalError"), which are what
// makes SDKs retry; and as servers share a database it would take out all of them at once. A server
// that shuts down refuses connections, which takes it out.
//
// # Decisions
//
// 2026-11-21: huma documents and validates; its documentation page, its schema routes and its
// OpenAPI route are not used. The page loads scripts from elsewhere, which a network without the
// outside does not have, and the route builds the document in the first request without a lock.
//
// 2026-11-21: creating a queue that exists compares the settings that were given, as SQS does: the
// same request twice is no error, and a script need not know what others may have set.
//
// 2026-11-21: a wrong value is 422, be it found by a schema or by the core; 400 is left for what
// is no JSON.
//
// 2026-11-22: the audit log files an operation in the account that it is about, as far as the caller has a say there,
// and a refused one in the caller's own: who looks after an account finds what was done to it, and strangers write
// nothing there. Whose the caller is stands beside it.
//
// 2026-11-22: moving time and making a key take the account from the query too, as all calls do; of a query and a body
// that name different ones the query counts, which is also what rights are asked for by.
//
// 2026-11-22: a parameter of the query that an operation does not know is 422, as an unknown member of a body is; only those of a
// presigned URL are passed over. Before, a reset of one region alone, which there is not, was one of them all. Headers stay free, for
// proxies add theirs. Clients name the account and the region only where they are known: a command line of before, told a region, is
// refused what has none.
//
// 2026-11-22: an account or a region that is named and empty is 422, and not as if it were not named: a reset by a script whose
// variable was not set emptied the default account.
//
// 2026-11-22: a body that says something, for an operation that takes none, is 422, and not passed over: a reset that named its account
// there, as moving time may, emptied the default account. {} and null are what clients send that always send something.
//
// 2026-11-22: a document has at most 20,000 values, beside its 16 MiB, and a problem names at most 100 that are wrong. huma looks at
// every one and keeps a fault for each: 4 MiB of [0,0,… took 2.9 GB and were answered with 137 MB.
package api

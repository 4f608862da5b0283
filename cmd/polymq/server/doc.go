// Package server is the whole of polymq in one value: `polymq serve` starts one, and so do tests,
// in their own process.
//
//	srv, err := server.Start(ctx, server.Config{Listen: []string{"127.0.0.1:0"}, DatabaseURL: url})
//	…
//	err = srv.Stop(ctx)
//
// Start takes the addresses first, so that a second server on the same port fails at once and
// early clients wait in the kernel's queue instead of being refused; then comes the database
// (the embedded PostgreSQL where no URL is given), its migrations, the store, the protocols and
// the workers. Stop does the same backwards.
//
// # Decisions
//
// 2026-11-21: one Config serves as the struct that flags, environment and file fill
// (cmd/polymq/config.go) and as what Start takes. A second struct of the same twenty fields
// between the two was tried and only ever got copied.
//
// 2026-11-21: no read timeout shorter than a long poll: Go keeps the deadline of a request's
// body while the handler runs, and a deadline in the past cancels the request's context.
package server

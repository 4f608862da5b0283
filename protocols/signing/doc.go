// Package signing holds the key that pushes to subscribers are signed with, and its certificate, which
// clients fetch from polymq itself. The key is made when it is first needed and kept in the database:
// all servers have the same, and receivers need not learn a new one when a server starts.
package signing
